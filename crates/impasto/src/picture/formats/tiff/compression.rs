//! From a chunk as a TIFF file stores it to its values.

use std::borrow::Cow;
use std::io::{ErrorKind, Read};

use flate2::read::ZlibDecoder;
use tiff::tags::CompressionMethod;
use weezl::BitOrder;
use weezl::decode::Configuration;
use zune_core::bytestream::ZCursor;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use crate::picture::formats::decoder_error::{CUT_SHORT, one_line};
use crate::picture::formats::tiff::fault::TiffFault;
use crate::picture::formats::tiff::layout::Layout;

/// Names of compressions that have no decoder here, by their number in a file.
const NAMES: [(u16, &str); 22] = [
    (2, "fax coding (CCITT, one dimension)"),
    (3, "fax coding (CCITT Group 3)"),
    (6, "old-style JPEG"),
    (9, "JBIG"),
    (10, "JBIG"),
    (32766, "NeXT's coding"),
    (32771, "fax coding (CCITT, one dimension, words)"),
    (32809, "ThunderScan's coding"),
    (32895, "a printer's coding"),
    (32908, "Pixar's coding"),
    (32909, "Pixar's coding"),
    (34661, "JBIG"),
    (34676, "SGI's LogLuv coding"),
    (34677, "SGI's LogLuv coding"),
    (34712, "JPEG 2000"),
    (33003, "JPEG 2000"),
    (33005, "JPEG 2000"),
    (34887, "LERC"),
    (34925, "LZMA"),
    (50000, "Zstandard"),
    (50001, "WebP"),
    (50002, "JPEG XL"),
];

/// Reads `rows` rows of `row_bytes` bytes of a chunk.
///
/// Errors: the chunk ends before, it is broken, or there is no decoder for it.
pub(crate) fn decompressed<'a>(
    layout: &Layout<'a>,
    stored: &'a [u8],
    (rows, row_bytes): (usize, usize),
) -> Result<Cow<'a, [u8]>, TiffFault> {
    let length = rows * row_bytes;
    // No compression makes values that much larger. Many chunks may claim the same long part of a
    // file, and it must not be copied for each.
    let stored = match layout.compression {
        CompressionMethod::ModernJPEG => stored,
        _ => &stored[..stored.len().min(length.saturating_mul(16).saturating_add(4096))],
    };
    // As in libtiff, the order of bits is that of the bytes in the file, before anything is made of
    // them. JPEG has an order of its own.
    let stored = match layout.is_reversed && layout.compression != CompressionMethod::ModernJPEG {
        true => Cow::Owned(stored.iter().map(|byte| byte.reverse_bits()).collect()),
        false => Cow::Borrowed(stored),
    };
    let mut data = match layout.compression {
        CompressionMethod::None => stored,
        CompressionMethod::LZW => Cow::Owned(lzw(&stored, length)?),
        CompressionMethod::Deflate | CompressionMethod::OldDeflate => Cow::Owned(deflate(&stored, length)?),
        CompressionMethod::PackBits => Cow::Owned(pack_bits(&stored, length)),
        CompressionMethod::Fax4 => Cow::Owned(fax(layout, &stored, (rows, row_bytes))?),
        CompressionMethod::ModernJPEG => Cow::Owned(jpeg(layout, &stored, rows)?),
        other => {
            let name = NAMES.iter().find(|(number, _)| *number == other.to_u16());
            let name = name.map_or_else(|| format!("method {}", other.to_u16()), |(_, name)| (*name).to_owned());
            return Err(TiffFault::Unsupported(format!("its pixels are compressed with {name}")));
        }
    };
    if data.len() < length {
        return Err(TiffFault::Damaged(CUT_SHORT.into()));
    }
    match &mut data {
        Cow::Borrowed(data) => *data = &data[..length],
        Cow::Owned(data) => data.truncate(length),
    }
    Ok(data)
}

/// Reads TIFF's LZW (section 13), `length` bytes at most.
fn lzw(stored: &[u8], length: usize) -> Result<Vec<u8>, TiffFault> {
    // The first code clears the table. Its nine bits were in another order once.
    if stored.first() == Some(&0) && stored.get(1).is_some_and(|byte| byte & 1 == 1) {
        return Err(TiffFault::Unsupported("its pixels are compressed with old-style LZW".into()));
    }
    let configuration = Configuration::with_tiff_size_switch(BitOrder::Msb, 8).with_yield_on_full_buffer(true);
    let mut decoder = configuration.build();
    let mut data = vec![0; length];
    let (mut taken, mut filled) = (0, 0);
    while filled < length {
        let result = decoder.decode_bytes(&stored[taken..], &mut data[filled..]);
        taken += result.consumed_in;
        filled += result.consumed_out;
        match result.status {
            Ok(weezl::LzwStatus::Ok) if result.consumed_in + result.consumed_out > 0 => {}
            Ok(_) => break,
            Err(error) => return Err(TiffFault::Damaged(one_line(&error))),
        }
    }
    data.truncate(filled);
    Ok(data)
}

/// Reads zlib's format, `length` bytes at most.
fn deflate(stored: &[u8], length: usize) -> Result<Vec<u8>, TiffFault> {
    let mut data = Vec::new();
    match ZlibDecoder::new(stored).take(length as u64).read_to_end(&mut data) {
        Ok(_) => Ok(data),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Err(TiffFault::Damaged(CUT_SHORT.into())),
        Err(error) => Err(TiffFault::Damaged(one_line(&error))),
    }
}

/// Reads PackBits (section 9), about `length` bytes at most.
fn pack_bits(stored: &[u8], length: usize) -> Vec<u8> {
    let mut data = Vec::new();
    let mut rest = stored;
    while let [head, after @ ..] = rest
        && data.len() < length
    {
        rest = match *head {
            // So many bytes follow.
            head @ 0..=127 => {
                let (run, after) = after.split_at(after.len().min(usize::from(head) + 1));
                data.extend(run);
                after
            }
            128 => after,
            // The next byte is repeated.
            head => match after {
                [byte, after @ ..] => {
                    data.resize(data.len() + 257 - usize::from(head), *byte);
                    after
                }
                [] => after,
            },
        };
    }
    data
}

/// Reads fax coding (CCITT Group 4, ITU-T T.6). White is 0.
fn fax(layout: &Layout<'_>, stored: &[u8], (rows, row_bytes): (usize, usize)) -> Result<Vec<u8>, TiffFault> {
    if (layout.bits, layout.channels_together()) != (1, 1) {
        return Err(TiffFault::Damaged("its fax coding is not of one bit a pixel".into()));
    }
    let sides = u16::try_from(layout.chunk_width).ok().zip(u16::try_from(rows).ok());
    let (width, height) =
        sides.ok_or_else(|| TiffFault::Unsupported("its fax coding has sides beyond 65535 px".into()))?;
    let mut data = Vec::new();
    let row = |transitions: &[u16]| {
        let start = data.len();
        data.resize(start + row_bytes, 0u8);
        for (x, colour) in fax::decoder::pels(transitions, width).enumerate() {
            if colour == fax::Color::Black {
                data[start + x / 8] |= 0x80 >> (x % 8);
            }
        }
    };
    let whole = fax::decoder::decode_g4(stored.iter().copied(), width, Some(height), row);
    whole.ok_or_else(|| TiffFault::Damaged("its fax coding is broken".into()))?;
    Ok(data)
}

/// Reads a JPEG (TIFF Technical Note 2), in the colours that it stores. Every pixel gets a colour of
/// its own.
fn jpeg(layout: &Layout<'_>, stored: &[u8], rows: usize) -> Result<Vec<u8>, TiffFault> {
    let damaged = |error: zune_jpeg::errors::DecodeErrors| TiffFault::Damaged(one_line(&error));
    if layout.bits != 8 {
        return Err(TiffFault::Unsupported(format!("its JPEGs have {} bits a value", layout.bits)));
    }
    if !matches!(layout.channels_together(), 1 | 3 | 4) {
        return Err(TiffFault::Unsupported(format!("its JPEGs have {} values a pixel", layout.channels_together())));
    }
    // The tables are a JPEG without a picture. Its end and the beginning of the other one go.
    let tables = layout.jpeg_tables.and_then(|tables| tables.strip_suffix(b"\xff\xd9"));
    let whole = match (tables, stored.strip_prefix(b"\xff\xd8")) {
        (Some(tables), Some(rest)) => Cow::Owned([tables, rest].concat()),
        _ => Cow::Borrowed(stored),
    };
    let options = DecoderOptions::default()
        .set_max_width(layout.chunk_width)
        .set_max_height(layout.chunk_height.next_multiple_of(16));
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(&whole[..]), options);
    decoder.decode_headers().map_err(damaged)?;
    let space = decoder.input_colorspace();
    let (Some((width, height)), Some(space)) = (decoder.dimensions(), space) else {
        return Err(TiffFault::Damaged("its JPEGs have no size".into()));
    };
    let channels = space.num_components();
    if width != layout.chunk_width || height < rows || channels != layout.channels_together() {
        let found = format!("its JPEGs are {width}x{height} px with {channels} values, not what the file says");
        return Err(TiffFault::Damaged(found));
    }
    decoder.set_options(options.jpeg_set_out_colorspace(space));
    decoder.decode().map_err(damaged)
}
