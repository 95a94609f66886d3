//! What a PNG file says besides its pixels: EXIF, XMP, profile and colours.
//!
//! They may stand behind the pixels. ImageMagick writes them as hexadecimal text.

use std::io::Cursor;

use crate::picture::formats::png::chunks;
use crate::picture::limits::MAX_DECODER_MEMORY;
use crate::picture::loaded::Warning;
use crate::picture::profile::DeclaredColours;

/// Bytes that one text may have. A profile of the largest size that is kept takes twice its bytes.
const MAX_TEXT: usize = 20 << 20;

/// In front of an XMP packet that is kept as a JPEG segment would be.
const XMP_PREFIX: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

const BROKEN: &str = "it is broken";

/// What the chunks of a file say.
pub(super) struct Metadata {
    pub(super) icc: Result<Option<Vec<u8>>, String>,
    pub(super) exif: Result<Option<Vec<u8>>, String>,
    pub(super) xmp: Option<Vec<u8>>,
    pub(super) colours: Option<DeclaredColours>,
    pub(super) warning: Option<Warning>,
}

impl Metadata {
    /// Reads the chunks of a file whose pixels are in order. `given` is the file as it was given,
    /// which may have broken chunks besides.
    pub(super) fn read(bytes: &[u8], given: &[u8]) -> Result<Self, png::DecodingError> {
        let limits = png::Limits { bytes: usize::try_from(MAX_DECODER_MEMORY).unwrap_or(usize::MAX) };
        let mut reader = png::Decoder::new_with_limits(Cursor::new(bytes), limits).read_info()?;
        // If a chunk behind the pixels is broken, what was read before it still counts.
        let _ = reader.finish();
        let info = reader.info();
        let is_broken = |kind, is_read: bool| !is_read && chunks::has(given, kind);

        let mut icc = info.icc_profile.as_ref().map(|icc| Ok(icc.to_vec()));
        if is_broken(b"iCCP", icc.is_some()) {
            icc = Some(Err(BROKEN.into()));
        }
        let icc = icc.or_else(|| raw_profile(info, &["icc", "icm"])).transpose();

        let mut exif = info.exif_metadata.as_ref().map(|exif| Ok(exif.to_vec()));
        if is_broken(b"eXIf", exif.is_some()) {
            exif = Some(Err(BROKEN.into()));
        }
        let mut xmp = text(info, "XML:com.adobe.xmp").map(String::into_bytes);
        // The same name is used for EXIF and for XMP.
        for name in ["exif", "app1", "xmp"] {
            match raw_profile(info, &[name]) {
                Some(Ok(block)) => match block.strip_prefix(XMP_PREFIX) {
                    Some(packet) => xmp = xmp.or_else(|| Some(packet.to_vec())),
                    None if name == "xmp" => xmp = xmp.or(Some(block)),
                    None => exif = exif.or(Some(Ok(block))),
                },
                Some(Err(reason)) if name != "xmp" => exif = exif.or(Some(Err(reason))),
                _ => {}
            }
        }

        let mut metadata = Self { icc, exif: exif.transpose(), xmp, colours: None, warning: None };
        metadata.read_colours(info, is_broken);
        Ok(metadata)
    }

    /// Decides what the colours mean. The specification's section 4.3 gives the order: cICP, iCCP,
    /// sRGB, cHRM and gAMA.
    fn read_colours(&mut self, info: &png::Info<'_>, is_broken: impl Fn(&'static [u8; 4], bool) -> bool) {
        let cicp = info.coding_independent_code_points;
        let from_cicp = match cicp {
            Some(cicp) if !cicp.is_video_full_range_image => Err("they have the limited range of video".to_owned()),
            Some(cicp) => DeclaredColours::of_cicp(cicp.color_primaries, cicp.transfer_function),
            None if is_broken(b"cICP", false) => Err("its cICP chunk is broken".to_owned()),
            None => Ok(None),
        };
        if let Ok(Some(colours)) = from_cicp {
            (self.icc, self.colours) = (Ok(None), Some(colours));
            return;
        }
        // A profile stands for what cICP says, if that cannot be used.
        if matches!(self.icc, Ok(Some(_)) | Err(_)) {
            return;
        }
        let from_chunks = || {
            if info.srgb.is_some() {
                return Ok(Some(DeclaredColours::Srgb));
            }
            let (gamma, chromaticities) = (info.gama_chunk, info.chrm_chunk);
            if is_broken(b"gAMA", gamma.is_some()) || is_broken(b"cHRM", chromaticities.is_some()) {
                return Err("its chunk gAMA or cHRM is broken".to_owned());
            }
            let chromaticities = chromaticities.map(|found| {
                [found.white, found.red, found.green, found.blue].map(|(x, y)| [x.into_value(), y.into_value()])
            });
            let exponent = gamma.map(|gamma| 1.0 / gamma.into_value());
            if chromaticities.is_none() && exponent.is_none() {
                return Ok(None);
            }
            DeclaredColours::of_chunks(chromaticities, exponent).map(Some)
        };
        match from_cicp.and_then(|_| from_chunks()) {
            Ok(colours) => self.colours = colours,
            Err(reason) => self.warning = Some(Warning::Colours { reason }),
        }
    }
}

/// Returns the text of a keyword, from any of the chunks that hold texts.
fn text(info: &png::Info<'_>, keyword: &str) -> Option<String> {
    let is_it = |found: &str| found.eq_ignore_ascii_case(keyword);
    let plain = info.uncompressed_latin1_text.iter().find(|chunk| is_it(&chunk.keyword));
    if let Some(chunk) = plain {
        return Some(chunk.text.clone());
    }
    if let Some(chunk) = info.compressed_latin1_text.iter().find(|chunk| is_it(&chunk.keyword)) {
        let mut chunk = chunk.clone();
        chunk.decompress_text_with_limit(MAX_TEXT).ok()?;
        return chunk.get_text().ok();
    }
    let mut chunk = info.utf8_text.iter().find(|chunk| is_it(&chunk.keyword))?.clone();
    chunk.decompress_text_with_limit(MAX_TEXT).ok()?;
    chunk.get_text().ok()
}

/// Returns the first of ImageMagick's profiles of these names.
///
/// Its text is the name, the number of bytes, and the bytes in hexadecimal digits.
fn raw_profile(info: &png::Info<'_>, names: &[&str]) -> Option<Result<Vec<u8>, String>> {
    let text = names.iter().find_map(|name| text(info, &format!("Raw profile type {name}")))?;
    let bytes = || {
        let mut words = text.split_ascii_whitespace().skip(1);
        let length: usize = words.next()?.parse().ok()?;
        let digits: Vec<u8> = words
            .flat_map(str::bytes)
            .map(|digit| char::from(digit).to_digit(16).map(|digit| digit as u8))
            .collect::<Option<_>>()?;
        let bytes: Vec<u8> = digits.as_chunks::<2>().0.iter().map(|[high, low]| high << 4 | low).collect();
        (bytes.len() == length && digits.len() == 2 * length).then_some(bytes)
    };
    Some(bytes().ok_or_else(|| BROKEN.to_owned()))
}
