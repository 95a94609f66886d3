//! JPEG files.

pub(crate) mod cmyk;
pub(crate) mod segments;

use std::path::Path;

use image::{ImageDecoder, ImageFormat};

use crate::error::{Error, Result};
use crate::picture::formats::by_image;
use crate::picture::formats::decoder_error::{CUT_SHORT, one_line};
use crate::picture::formats::raw::RawPicture;

/// Reads a picture, in the values of the file, not turned.
pub(crate) fn read(bytes: &[u8], name: &Path, memory: Option<u64>) -> Result<RawPicture> {
    let mut decoder = by_image::open(bytes, ImageFormat::Jpeg, name, memory)?;
    let damaged = |reason| Error::Damaged { path: name.to_owned(), reason };
    if !segments::has_an_end(bytes) {
        return Err(damaged(CUT_SHORT.into()));
    }
    match cmyk::of_jpeg(bytes).map_err(damaged)? {
        None => by_image::decode(decoder, name),
        Some(pixels) => Ok(RawPicture {
            pixels,
            is_cmyk: true,
            is_premultiplied: false,
            icc: decoder.icc_profile().map_err(|e| one_line(&e)),
            exif: decoder.exif_metadata().map_err(|e| one_line(&e)),
            orientation: None,
        }),
    }
}
