//! What the readers of JPEG, PNG and WebP have in common: the decoders of the `image` crate.

use std::io::Cursor;
use std::path::Path;

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use crate::error::Result;
use crate::picture::formats::decoder_error::{decode_error, one_line};
use crate::picture::formats::raw::RawPicture;
use crate::picture::limits::{MAX_DECODER_MEMORY, check_pixels};

/// Opens a file: reads its header, and refuses a size that does not fit.
pub(crate) fn open<'a>(
    bytes: &'a [u8],
    format: ImageFormat,
    name: &Path,
    memory: Option<u64>,
) -> Result<impl ImageDecoder + 'a> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_DECODER_MEMORY);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(|e| decode_error(name, e))?;
    let channels = decoder.color_type().channel_count().max(decoder.original_color_type().channel_count());
    check_pixels(decoder.dimensions(), channels.into(), bytes, name, memory)?;
    Ok(decoder)
}

/// Reads profile, EXIF, XMP and pixels. If the metadata are broken, the pixels may still be in order.
pub(crate) fn decode(mut decoder: impl ImageDecoder, name: &Path) -> Result<RawPicture> {
    let icc = decoder.icc_profile().map_err(|e| one_line(&e));
    let exif = decoder.exif_metadata().map_err(|e| one_line(&e));
    let xmp = decoder.xmp_metadata().ok().flatten();
    let pixels = DynamicImage::from_decoder(decoder).map_err(|e| decode_error(name, e))?;
    Ok(RawPicture { icc, exif, xmp, ..RawPicture::new(pixels) })
}
