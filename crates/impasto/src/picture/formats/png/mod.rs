//! PNG files.

mod chunks;
mod metadata;

use std::path::Path;

use image::ImageFormat;

use crate::error::{Error, Result};
use crate::picture::formats::by_image;
use crate::picture::formats::decoder_error::{CUT_SHORT, one_line};
use crate::picture::formats::png::metadata::Metadata;
use crate::picture::formats::raw::RawPicture;
use crate::picture::loaded::Warning;

/// Reads a picture, in the values of the file, not turned.
pub(crate) fn read(bytes: &[u8], name: &Path, memory: Option<u64>) -> Result<RawPicture> {
    let damaged = |reason| Error::Damaged { path: name.to_owned(), reason };
    let completed = chunks::with_end(bytes);
    let whole = completed.as_deref().unwrap_or(bytes);
    let readable = chunks::without_broken_cicp(whole);
    let whole = readable.as_deref().unwrap_or(whole);
    let picture = || by_image::decode(by_image::open(whole, ImageFormat::Png, name, memory)?, name);
    let picture = picture().map_err(|error| match error {
        // Bytes in memory can always be read.
        Error::Read { .. } => damaged("one of its chunks is broken".into()),
        // The decoder's words are for its programmers.
        Error::Damaged { .. } => match chunks::damaged(bytes) {
            Some(kind) => damaged(format!("the checksum of its {kind} chunk is wrong; get another copy of it")),
            None if completed.is_some() => damaged(CUT_SHORT.into()),
            None => error,
        },
        error => error,
    })?;
    let Metadata { icc, exif, xmp, colours, warning } =
        Metadata::read(whole, bytes).map_err(|error| damaged(one_line(&error)))?;
    let end = completed.is_some().then_some(Warning::End { missing: "IEND" });
    let warnings = end.into_iter().chain(warning).collect();
    Ok(RawPicture { icc, exif, xmp, colours, warnings, ..picture })
}
