//! From a picture to a file that appears whole or not at all.

use std::path::Path;

use impasto_engine::Image;

use crate::error::Result;
use crate::picture::encode::{self, SaveOptions};
use crate::picture::file::{check_kind, check_writable, write_whole_with};

/// Saves as [`save_with`] does, with the default options: 8 bits, in the format of the extension,
/// JPEG with quality 95, nothing but the pixels.
pub fn save(path: &Path, image: &Image) -> Result<()> {
    save_with(path, image, &SaveOptions::default())
}

/// Writes `image` as `options` say.
///
/// The file appears whole or not at all: it is written next to `path` under another name and
/// renamed. What was at `path` before is replaced, as [`write_whole`](crate::picture::write_whole)
/// does it. A FIFO or a character device is opened and written.
///
/// Errors: those of [`check_output`] and [`encode`](crate::picture::encode()), and a full disk.
pub fn save_with(path: &Path, image: &Image, options: &SaveOptions) -> Result<()> {
    write_whole_with(path, |file| encode::write(image, path, options, file))
}

/// Checks that [`save_with`] would be able to write `path`. It is meant to be asked before hours of
/// work.
///
/// Errors: those of [`check_writable`](crate::picture::check_writable()), which tries a temporary
/// file, and of [`SaveOptions::validate`].
pub fn check_output(path: &Path, options: &SaveOptions) -> Result<()> {
    // A folder has no extension, which is not what is wrong with it.
    check_kind(path)?;
    options.validate(path)?;
    check_writable(path)
}
