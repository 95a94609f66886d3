//! JPEG files.

pub(crate) mod cmyk;
pub(crate) mod segments;
mod unfinished;

use std::path::Path;

use image::{DynamicImage, ImageDecoder, ImageFormat};

use crate::error::{Error, Result};
use crate::picture::formats::by_image;
use crate::picture::formats::decoder_error::{CUT_SHORT, decode_error, one_line};
use crate::picture::formats::raw::RawPicture;
use crate::picture::loaded::Warning;

/// Reads a picture, in the values of the file, not turned.
pub(crate) fn read(bytes: &[u8], name: &Path, memory: Option<u64>) -> Result<RawPicture> {
    let mut decoder = by_image::open(bytes, ImageFormat::Jpeg, name, memory)?;
    let exif = decoder.exif_metadata().map_err(|e| one_line(&e));
    let decode = |bytes: &[u8]| pixels(bytes, name, memory);
    // The decoder would fill what is missing with grey, and nobody wants half a picture painted.
    let (picture, warnings) = if segments::has_an_end(bytes) {
        (decode(bytes)?, vec![])
    } else {
        let cut_short = || Error::Damaged { path: name.to_owned(), reason: CUT_SHORT.into() };
        (unfinished::decode(bytes, decode)?.ok_or_else(cut_short)?, vec![Warning::End { missing: "EOI" }])
    };
    if !unfinished::is_from_all_scans(bytes, &picture, decode)? {
        let reason = "each of its colours is in a scan of its own".into();
        return Err(Error::Unsupported { path: name.to_owned(), reason });
    }
    let (is_cmyk, pixels) = picture;
    Ok(RawPicture {
        is_cmyk,
        icc: segments::profile(bytes),
        exif,
        xmp: segments::xmp(bytes),
        warnings,
        ..RawPicture::new(pixels)
    })
}

/// Reads the pixels, and says whether they are inks.
fn pixels(bytes: &[u8], name: &Path, memory: Option<u64>) -> Result<(bool, DynamicImage)> {
    let inks = cmyk::of_jpeg(bytes).map_err(|reason| Error::Damaged { path: name.to_owned(), reason })?;
    if let Some(inks) = inks {
        return Ok((true, inks));
    }
    let decoder = by_image::open(bytes, ImageFormat::Jpeg, name, memory)?;
    Ok((false, DynamicImage::from_decoder(decoder).map_err(|e| decode_error(name, e))?))
}
