//! Pictures in CMYK, which `image` would convert without their profiles, and what else it does not tell of TIFF files.

use std::io::Cursor;

use image::{DynamicImage, ImageBuffer, ImageError};
use tiff::decoder::ifd::Value;
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::{ExtraSamples, Tag};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::decode::MAX_DECODER_MEMORY;

/// Why no inks came of it.
pub enum InkError {
    /// The file is broken.
    Damaged(String),
    /// It is in order, but uses what is not supported.
    Unsupported(String),
}

impl From<tiff::TiffError> for InkError {
    fn from(error: tiff::TiffError) -> Self {
        match error {
            tiff::TiffError::UnsupportedError(e) => Self::Unsupported(e.to_string()),
            other => Self::Damaged(other.to_string()),
        }
    }
}

/// The inks of a JPEG with four components, in the place of red, green, blue and alpha: 0 = none, 255 = all.
///
/// `None` for any other JPEG.
pub fn of_jpeg(bytes: &[u8]) -> Result<Option<DynamicImage>, InkError> {
    let damaged = |e: zune_jpeg::errors::DecodeErrors| InkError::Damaged(e.to_string());
    let options = DecoderOptions::default().set_strict_mode(false).set_max_width(usize::MAX).set_max_height(usize::MAX);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(damaged)?;
    let space = match decoder.input_colorspace() {
        Some(space @ (ColorSpace::CMYK | ColorSpace::YCCK)) => space,
        _ => return Ok(None),
    };
    decoder.set_options(options.jpeg_set_out_colorspace(space));
    let mut data = decoder.decode().map_err(damaged)?;
    let (width, height) = decoder.dimensions().ok_or_else(|| InkError::Damaged("it has no size".into()))?;

    let (pixels, _) = data.as_chunks_mut::<4>();
    if space == ColorSpace::YCCK {
        pixels.iter_mut().for_each(|p| *p = ycck_to_cmyk(*p));
    }
    // Adobe's way to store them, which all programs follow, with Adobe's marker in the file or without.
    pixels.iter_mut().for_each(|p| *p = p.map(|v| 255 - v));
    let inks = ImageBuffer::from_raw(width as u32, height as u32, data);
    inks.map(|inks| Some(DynamicImage::ImageRgba8(inks)))
        .ok_or_else(|| InkError::Damaged("it has fewer pixels than it says".into()))
}

/// Adobe's YCCK (Technical Note 5116): the YCbCr of JFIF for `255 - CMY`; K as it is.
fn ycck_to_cmyk([y, cb, cr, k]: [u8; 4]) -> [u8; 4] {
    let [y, cb, cr] = [f32::from(y), f32::from(cb) - 128.0, f32::from(cr) - 128.0];
    let rgb = [y + 1.402 * cr, y - 0.344_136 * cb - 0.714_136 * cr, y + 1.772 * cb];
    let [c, m, y] = rgb.map(|v| 255 - (v.clamp(0.0, 255.0) + 0.5) as u8);
    [c, m, y, k]
}

/// What of a TIFF file is looked at beside `image`.
pub struct Tiff {
    /// The inks of a CMYK picture, in the place of red, green, blue and alpha.
    pub inks: Option<DynamicImage>,
    /// Whether the colours are multiplied by the opacity.
    pub is_premultiplied: bool,
    /// The colour profile, or why it cannot be read.
    pub icc: Result<Option<Vec<u8>>, String>,
}

/// Of the values of one tag, in bytes. Those of profiles count.
const MAX_TAG: usize = 16 << 20;

/// Looks at a TIFF file; its pixels are within [`super::MAX_PIXELS`].
pub fn of_tiff(bytes: &[u8]) -> Result<Tiff, InkError> {
    let mut limits = Limits::default();
    limits.decoding_buffer_size = MAX_DECODER_MEMORY as usize;
    limits.intermediate_buffer_size = MAX_DECODER_MEMORY as usize;
    limits.ifd_value_size = MAX_TAG;
    let mut decoder = Decoder::new(Cursor::new(bytes))?.with_limits(limits);
    let extra = decoder.find_tag_unsigned_vec::<u16>(Tag::ExtraSamples)?.unwrap_or_default();
    let is_premultiplied = extra.first() == Some(&ExtraSamples::AssociatedAlpha.to_u16());
    let icc = decoder.find_tag(Tag::IccProfile).and_then(|tag| tag.map(Value::into_u8_vec).transpose());
    let icc = icc.map_err(|e| e.to_string());
    let kind = decoder.colortype()?;
    if !matches!(kind, tiff::ColorType::CMYK(8 | 16)) {
        return Ok(Tiff { inks: None, is_premultiplied, icc });
    }

    let (width, height) = decoder.dimensions()?;
    let mut data = DecodingResult::U8(Vec::new());
    let layout = decoder.read_image_to_buffer(&mut data)?;
    if layout.planes > 1 {
        return Err(InkError::Unsupported("its inks are stored one after the other".into()));
    }
    let inks = match data {
        DecodingResult::U8(inks) => ImageBuffer::from_raw(width, height, inks).map(DynamicImage::ImageRgba8),
        DecodingResult::U16(inks) => ImageBuffer::from_raw(width, height, inks).map(DynamicImage::ImageRgba16),
        _ => return Err(InkError::Unsupported("its values are of a kind of their own".into())),
    };
    let inks = inks.ok_or_else(|| InkError::Damaged("it has fewer pixels than it says".into()))?;
    Ok(Tiff { inks: Some(inks), is_premultiplied, icc })
}

impl InkError {
    /// The error of `image` of the same kind.
    pub fn into_image_error(self, format: image::ImageFormat) -> ImageError {
        use image::error::{DecodingError, ImageFormatHint, UnsupportedError, UnsupportedErrorKind};
        let hint = ImageFormatHint::Exact(format);
        match self {
            Self::Damaged(reason) => ImageError::Decoding(DecodingError::new(hint, reason)),
            Self::Unsupported(reason) => {
                let kind = UnsupportedErrorKind::GenericFeature(reason);
                ImageError::Unsupported(UnsupportedError::from_format_and_kind(hint, kind))
            }
        }
    }
}
