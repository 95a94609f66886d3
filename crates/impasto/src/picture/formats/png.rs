//! PNG files.

use std::path::Path;

use image::ImageFormat;

use crate::error::Result;
use crate::picture::formats::by_image;
use crate::picture::formats::raw::RawPicture;

/// Reads a picture, in the values of the file, not turned.
pub(crate) fn read(bytes: &[u8], name: &Path, memory: Option<u64>) -> Result<RawPicture> {
    by_image::decode(by_image::open(bytes, ImageFormat::Png, name, memory)?, name)
}
