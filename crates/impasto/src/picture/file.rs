//! Files that appear whole or not at all.
//!
//! A file is written next to its final place under another name, synced, and renamed. If anything
//! fails, what was there before is still there. What is no regular file is never replaced: a FIFO
//! or a character device is opened and written, anything else is refused.

use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, BufWriter, Read, Write};
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

/// What is at the path of an output, at the end of all links.
enum Target {
    /// A regular file or nothing, at the path that it really has. A new file takes its place.
    File { path: PathBuf, old: Option<Metadata> },
    /// A FIFO or a character device. What is written goes into it at once.
    Stream,
}

/// Most links that lead to an output, as Linux counts them.
const MOST_LINKS: usize = 40;

impl Target {
    /// Looks at `path` without opening it: a reader of a FIFO would take that for the end.
    ///
    /// Errors: a folder, a socket, a disk, links that lead nowhere.
    fn of(path: &Path) -> Result<Target> {
        let failed = |problem: String| Error::Write { path: path.to_owned(), problem };
        if path.is_dir() || ends_in_separator(path) {
            let example = path.join("out.png");
            return Err(failed(format!("it is a folder; name the file too, as in {}", example.display())));
        }
        let file = behind_links(path).ok_or_else(|| failed("its links lead in a circle; give another name".into()))?;
        let old = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(_) => return Ok(Target::File { path: file, old: None }),
        };
        match stream_kind(&old) {
            Some(Ok(())) => Ok(Target::Stream),
            Some(Err(what)) => Err(failed(format!("it is {what}; give the name of a file"))),
            // Links of /proc name files that may have been removed since.
            None if !is_same(&old, &file) => Ok(Target::Stream),
            None => Ok(Target::File { path: file, old: Some(old) }),
        }
    }
}

/// Returns whether a name says that it is a folder's.
fn ends_in_separator(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().last().is_some_and(|&byte| std::path::is_separator(char::from(byte)))
}

/// Follows links, even to a file that is not there yet. Returns `None` if there are too many.
fn behind_links(path: &Path) -> Option<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs::read_link(&path) {
            Ok(target) => path = folder_of(&path).join(target),
            Err(_) => return Some(path),
        }
    }
    None
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Returns whether a file that is not regular takes bytes one after the other, or else what it is;
/// `None` if it is a regular one.
#[cfg(unix)]
fn stream_kind(metadata: &Metadata) -> Option<std::result::Result<(), &'static str>> {
    use std::os::unix::fs::FileTypeExt;
    let kind = metadata.file_type();
    match kind {
        _ if kind.is_file() => None,
        _ if kind.is_fifo() || kind.is_char_device() => Some(Ok(())),
        _ if kind.is_socket() => Some(Err("a socket")),
        _ if kind.is_block_device() => Some(Err("a block device, such as a disk")),
        _ => Some(Err("no regular file")),
    }
}

#[cfg(not(unix))]
fn stream_kind(_metadata: &Metadata) -> Option<std::result::Result<(), &'static str>> {
    None
}

/// Returns whether a file is the one at `path`.
#[cfg(unix)]
fn is_same(file: &Metadata, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).is_ok_and(|other| (other.dev(), other.ino()) == (file.dev(), file.ino()))
}

#[cfg(not(unix))]
fn is_same(_file: &Metadata, _path: &Path) -> bool {
    true
}

/// Returns whether `path` leads to a FIFO or a character device. What is written there goes on at
/// once. Nothing is replaced, and nothing can be read again.
pub fn is_written_through(path: &Path) -> bool {
    matches!(Target::of(path), Ok(Target::Stream))
}

/// Writes a file that appears whole or not at all, and replaces what was at `path` before.
///
/// A link is followed: the file that it leads to is replaced. The new file has the permissions of
/// the old one, and its owner if the system allows that. Other names of the old file (hard links)
/// keep the old content. A FIFO or a character device is opened and written.
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
    let failed = |e: &io::Error| write_error(path, e);
    match Target::of(path)? {
        Target::Stream => {
            let file = File::options().write(true).truncate(true).open(path).map_err(|e| failed(&e))?;
            let mut file = BufWriter::new(file);
            write(&mut file)?;
            file.flush().map_err(|e| failed(&e))
        }
        Target::File { path: target, old } => {
            let mut file = temporary_file(path, &target)?;
            // Before there is anything in it that not everybody may read.
            if let Some(old) = old {
                take_over(file.as_file(), &old);
            }
            write(&mut file)?;
            // Without this, a power cut soon after the renaming could leave an empty file under
            // the final name.
            file.as_file().sync_all().map_err(|e| failed(&e))?;
            file.persist(target).map_err(|e| failed(&e.error))?;
            Ok(())
        }
    }
}

/// Gives a file the owner and the permissions of the one that it replaces, as far as the system
/// allows it.
#[cfg(unix)]
fn take_over(file: &File, old: &Metadata) {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
    let is_same_owner = file.metadata().is_ok_and(|new| (new.uid(), new.gid()) == (old.uid(), old.gid()));
    // Only the superuser may give a file away, and not every file system has owners.
    let is_owner_kept = is_same_owner || fchown(file, Some(old.uid()), Some(old.gid())).is_ok();
    if !is_owner_kept {
        drop(fchown(file, None, Some(old.gid())));
    }
    // Whoever runs the file later must not get the rights of somebody else.
    let kept = if is_owner_kept { 0o7777 } else { 0o777 };
    drop(file.set_permissions(Permissions::from_mode(old.mode() & kept)));
}

/// The rules of the folder apply.
#[cfg(not(unix))]
fn take_over(_file: &File, _old: &Metadata) {}

/// Checks that what is at `path` is of a kind that can be written. Nothing is opened.
///
/// Errors: `path` is a folder, a socket or a block device, or its links lead in a circle.
pub fn check_kind(path: &Path) -> Result<()> {
    Target::of(path).map(drop)
}

/// Checks that a file of any kind can be written to `path`.
///
/// Errors: those of [`check_kind`]; the folder does not exist or cannot be written to; there is no
/// permission to write to a FIFO or a device.
pub fn check_writable(path: &Path) -> Result<()> {
    match Target::of(path)? {
        Target::Stream => check_access(path),
        Target::File { path: target, .. } => temporary_file(path, &target).map(drop),
    }
}

/// Checks the permission to write to what must not be opened yet.
#[cfg(unix)]
fn check_access(path: &Path) -> Result<()> {
    rustix::fs::access(path, rustix::fs::Access::WRITE_OK).map_err(|e| write_error(path, &e.into()))
}

#[cfg(not(unix))]
fn check_access(_path: &Path) -> Result<()> {
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

/// Makes a file in the folder of `target`, with the permissions of an ordinary new file. It is
/// removed again unless it is persisted. Errors call it `path`.
fn temporary_file(path: &Path, target: &Path) -> Result<NamedTempFile> {
    let failed = |problem| Error::Write { path: path.to_owned(), problem };
    let folder = folder_of(target);
    if !folder.is_dir() {
        return Err(failed(format!("there is no folder {}; create it first", folder.display())));
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    if let Some(permissions) = ordinary_permissions() {
        builder.permissions(permissions);
    }
    builder
        .tempfile_in(folder)
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
