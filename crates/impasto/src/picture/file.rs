//! Files that appear whole or not at all.
//!
//! A file is written next to its final place under another name, synced, and renamed. If anything
//! fails, what was there before is still there.

use std::fs::{File, Permissions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::{Error, Result};
use crate::picture::limits::{MAX_FILE, check_length};

/// Turns the operating system's reason for not reading `path` into an error.
pub(crate) fn read_error(path: &Path, reason: io::Error) -> Error {
    let path = path.to_owned();
    match reason.kind() {
        io::ErrorKind::NotFound => Error::Missing { path },
        _ => Error::Read { path, reason },
    }
}

/// Reads all of a file, unless it is larger than any picture that is decoded.
pub(crate) fn read_limited(path: &Path) -> Result<Vec<u8>> {
    if path.is_dir() {
        return Err(Error::Folder { path: path.to_owned(), wanted: "a picture" });
    }
    let file = File::open(path).map_err(|e| read_error(path, e))?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(|e| read_error(path, e))?;
    check_length(&bytes, path)?;
    Ok(bytes)
}

/// Writes a file that appears whole or not at all, and replaces what was at `path` before.
///
/// Errors: those of [`check_writable`], and a full disk.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    write_whole_with(path, |file| file.write_all(bytes).map_err(|e| write_error(path, &e)))
}

/// Turns the operating system's reason for not writing `path` into an error.
pub(crate) fn write_error(path: &Path, reason: &io::Error) -> Error {
    Error::Write { path: path.to_owned(), problem: reason.to_string() }
}

/// Writes what `write` writes, as [`write_whole`] does.
pub(crate) fn write_whole_with(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let mut file = temporary_file(path)?;
    write(&mut file)?;
    // Without this, a power cut soon after the renaming could leave an empty file under the final
    // name.
    file.as_file().sync_all().map_err(|e| write_error(path, &e))?;
    file.persist(path).map_err(|e| write_error(path, &e.error))?;
    Ok(())
}

/// Checks that a file of any kind can be written to `path`.
///
/// Errors: `path` is a folder; its folder does not exist or cannot be written to.
pub fn check_writable(path: &Path) -> Result<()> {
    temporary_file(path)?;
    Ok(())
}

/// Start of the name of a temporary file.
const PREFIX: &str = ".impasto-";

/// End of the name of a temporary file.
const SUFFIX: &str = ".part";

/// Returns whether `path` has the name of a temporary file of impasto. If such a file stays, a
/// process was killed.
pub fn is_part(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX))
}

/// Makes a file in the folder of `path`, with the permissions of an ordinary new file. It is
/// removed again unless it is persisted.
fn temporary_file(path: &Path) -> Result<NamedTempFile> {
    let failed = |problem| Error::Write { path: path.to_owned(), problem };
    if path.is_dir() {
        return Err(failed("it is a folder; give the name of a file".into()));
    }
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    if !folder.is_dir() {
        return Err(failed(format!("there is no folder {}; create it first", folder.display())));
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    if let Some(permissions) = ordinary_permissions() {
        builder.permissions(permissions);
    }
    builder
        .tempfile_in(&folder)
        // The message of `tempfile` repeats the path of the temporary file, which nobody asked for.
        .map_err(|e| failed(format!("the folder {} cannot be written to: {}", folder.display(), e.kind())))
}

/// Permissions that a program asks for when it creates a file. The system subtracts the umask.
/// Temporary files are private otherwise.
#[cfg(unix)]
fn ordinary_permissions() -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt;
    Some(Permissions::from_mode(0o666))
}

/// The rules of the folder apply.
#[cfg(not(unix))]
fn ordinary_permissions() -> Option<Permissions> {
    None
}
