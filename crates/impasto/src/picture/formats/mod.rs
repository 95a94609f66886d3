//! The formats of picture files, one folder or file for each.
//!
//! [`read`] recognises a file by its first bytes and calls the reader of its format. A reader
//! returns a [`RawPicture`]: the values that the file stores, and what the file says about them.

pub(crate) mod by_image;
pub(crate) mod camera;
pub(crate) mod decoder_error;
pub(crate) mod jpeg;
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
    Jpeg,
    Png,
    Tiff,
    WebP,
    /// A camera's raw file, by the name of its format.
    CameraRaw(&'static str),
    /// Known by its name only.
    Unreadable(&'static str),
}

impl FileKind {
    /// Recognises a file by its first bytes.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        if let Some(kind) = high_efficiency(bytes) {
            return Some(Self::Unreadable(kind));
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
        FileKind::Jpeg => jpeg::read(bytes, name, memory),
        FileKind::Png => png::read(bytes, name, memory),
        FileKind::Tiff => tiff::read::read(bytes, name, memory),
        FileKind::WebP => webp::read(bytes, name, memory),
        FileKind::CameraRaw(kind) => Err(Error::CameraRaw { path: name.to_owned(), kind }),
        FileKind::Unreadable(kind) => {
            Err(Error::Unsupported { path: name.to_owned(), reason: format!("{kind} has no decoder here") })
        }
    }
}

/// Names a format that is met often, but has no decoder in Rust that could be used.
fn high_efficiency(bytes: &[u8]) -> Option<&'static str> {
    if bytes.get(4..8)? != b"ftyp" {
        return None;
    }
    match bytes.get(8..12)? {
        b"avif" | b"avis" => Some("AVIF"),
        b"heic" | b"heix" | b"hevc" | b"heim" | b"heis" | b"mif1" | b"msf1" => Some("HEIC"),
        _ => None,
    }
}
