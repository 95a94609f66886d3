//! The formats of picture files, one folder or file for each.
//!
//! [`read`] recognises a file by its first bytes and calls the reader of its format. A reader
//! returns a [`RawPicture`]: the values that the file stores, and what the file says about them.

pub(crate) mod by_image;
pub(crate) mod camera;
pub(crate) mod decoder_error;
pub(crate) mod heif;
pub(crate) mod jpeg;
pub(crate) mod jxl;
pub(crate) mod png;
pub(crate) mod raw;
pub(crate) mod tiff;
pub(crate) mod webp;

use std::path::Path;

use image::ImageFormat;

use crate::error::{Error, Result};
use crate::picture::formats::raw::RawPicture;

/// A format that is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// HEIC or AVIF.
    Heif,
    Jpeg,
    JpegXl,
    Png,
    Tiff,
    WebP,
    /// A camera's raw file, by the name of its format.
    CameraRaw(&'static str),
}

impl FileKind {
    /// Recognises a file by its first bytes.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        if heif::is_heif(bytes) {
            return Some(Self::Heif);
        }
        if jxl::is_jxl(bytes) {
            return Some(Self::JpegXl);
        }
        if let Some(format) = camera::raw_format(bytes) {
            return Some(Self::CameraRaw(format));
        }
        // BigTIFF.
        if bytes.starts_with(b"II+\0") || bytes.starts_with(b"MM\0+") {
            return Some(Self::Tiff);
        }
        match image::guess_format(bytes).ok()? {
            ImageFormat::Jpeg => Some(Self::Jpeg),
            ImageFormat::Png => Some(Self::Png),
            ImageFormat::Tiff => Some(Self::Tiff),
            ImageFormat::WebP => Some(Self::WebP),
            _ => None,
        }
    }
}

/// Reads a file, within `memory` bytes for the whole process, or any number if it is `None`.
///
/// Errors name the file: what is not a picture, a format that is not read, a damaged file, too many
/// pixels.
pub(crate) fn read(bytes: &[u8], name: &Path, memory: Option<u64>) -> Result<RawPicture> {
    let kind = FileKind::of(bytes).ok_or_else(|| Error::NotAPicture { path: name.to_owned() })?;
    match kind {
        FileKind::Heif => heif::read(bytes, name, memory),
        FileKind::Jpeg => jpeg::read(bytes, name, memory),
        FileKind::JpegXl => jxl::read(bytes, name, memory),
        FileKind::Png => png::read(bytes, name, memory),
        FileKind::Tiff => tiff::read::read(bytes, name, memory),
        FileKind::WebP => webp::read(bytes, name, memory),
        FileKind::CameraRaw(kind) => Err(Error::CameraRaw { path: name.to_owned(), kind }),
    }
}
