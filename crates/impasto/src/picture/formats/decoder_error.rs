//! What decoders say about a file, as errors of this crate.

use std::io;
use std::path::Path;

use image::ImageError;

use crate::error::Error;
use crate::picture::limits::MAX_DECODER_MEMORY;

/// Says that a file is truncated.
pub(crate) const CUT_SHORT: &str = "it ends in the middle of the picture";

pub(crate) fn decode_error(path: &Path, error: ImageError) -> Error {
    let path = path.to_owned();
    match error {
        ImageError::IoError(reason) if reason.kind() != io::ErrorKind::UnexpectedEof => Error::Read { path, reason },
        ImageError::IoError(_) => Error::Damaged { path, reason: CUT_SHORT.into() },
        ImageError::Unsupported(e) => Error::Unsupported { path, reason: one_line(&e) },
        ImageError::Limits(_) => too_much_memory(&path),
        other => Error::Damaged { path, reason: one_line(&other) },
    }
}

pub(crate) fn too_much_memory(path: &Path) -> Error {
    let reason = format!("it takes more than {} MB to decode", MAX_DECODER_MEMORY >> 20);
    Error::Unsupported { path: path.to_owned(), reason }
}

/// Joins the lines of a message. Some decoders' messages have a second one.
pub(crate) fn one_line(error: &dyn std::error::Error) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}
