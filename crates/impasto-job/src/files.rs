//! Files by their names: standard streams, checksums, and whether two names are one file.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, IsTerminal, Read};
use std::path::{Component, Path, PathBuf};

use impasto::picture;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// Whether the name is that of standard input or output, `-`. A file with that name is `./-`.
pub fn is_stream(path: &Path) -> bool {
    path == Path::new("-")
}

/// Whether what is written to an output goes on at once, to a program or a device, and is no file
/// that has others beside it.
pub fn is_passed_on(output: &Path) -> bool {
    is_stream(output) || picture::is_written_through(output)
}

/// Whether an output is standard output, by whatever name.
pub fn is_stdout(output: &Path) -> bool {
    is_stream(output) || picture::is_written_through(output) && is_open_as_stdout(output)
}

#[cfg(unix)]
fn is_open_as_stdout(path: &Path) -> bool {
    use std::os::fd::AsFd;
    use std::os::unix::fs::MetadataExt;
    let stdout = io::stdout().as_fd().try_clone_to_owned().and_then(|stdout| File::from(stdout).metadata());
    let behind = stdout.and_then(|stdout| Ok((stdout, fs::metadata(path)?)));
    behind.is_ok_and(|(stdout, file)| (stdout.dev(), stdout.ino()) == (file.dev(), file.ino()))
}

#[cfg(not(unix))]
fn is_open_as_stdout(_path: &Path) -> bool {
    false
}

/// Whether reading the file a second time would give something else: standard input, pipes and
/// devices are gone after the first.
pub(crate) fn is_read_once(path: &Path) -> bool {
    is_stream(path) || fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

/// The folder that a file is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Refuses more than one picture from standard input, and a terminal there.
pub fn check_stdin<'a>(inputs: impl IntoIterator<Item = &'a Path>) -> Result<()> {
    match inputs.into_iter().filter(|path| is_stream(path)).count() {
        0 => Ok(()),
        1 if io::stdin().is_terminal() => {
            Err(Error::user("`-` reads a picture from standard input, which is the terminal; redirect a file to it"))
        }
        1 => Ok(()),
        _ => Err(Error::user("`-` is given more than once; standard input holds one picture")),
    }
}

/// Whether a text can be what [`sha256`] gives, in capital letters as well.
pub(crate) fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// SHA-256 of a file's bytes, in hexadecimal.
///
/// Errors: a file that cannot be read.
pub(crate) fn sha256(path: &Path) -> Result<String> {
    let name = path.display();
    let read_error = |error: io::Error| match error.kind() {
        ErrorKind::NotFound => Error::user(format!("there is no file {name}")),
        ErrorKind::IsADirectory => Error::user(format!("{name} is a folder, not a file")),
        _ => Error::user(format!("cannot read {name}: {error}")),
    };
    let mut file = File::open(path).map_err(read_error)?;
    let mut hasher = Sha256::new();
    let mut bytes = vec![0; 1 << 16];
    loop {
        match file.read(&mut bytes).map_err(read_error)? {
            0 => break,
            count => hasher.update(&bytes[..count]),
        }
    }
    Ok(hexadecimal(&hasher.finalize()))
}

/// SHA-256 of bytes, in hexadecimal.
pub(crate) fn sha256_of(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Input files by what is behind their names: two spellings of one path and links to it are one.
pub struct InputFiles<'a>(HashMap<PathBuf, &'a Path>);

impl<'a> InputFiles<'a> {
    /// The files behind these names. Standard input is none.
    pub fn new(paths: impl IntoIterator<Item = &'a Path>) -> InputFiles<'a> {
        let paths = paths.into_iter().filter(|path| !is_stream(path));
        InputFiles(paths.flat_map(|path| behind(path).into_iter().flatten().map(move |file| (file, path))).collect())
    }

    /// Refuses an output that would destroy one of them.
    pub fn refuse_overwriting(&self, output: &Path) -> Result<()> {
        match behind(output).into_iter().flatten().find_map(|file| self.0.get(&file)) {
            Some(input) => Err(Error::user(format!(
                "{} is to be written, but it is also an input ({}); choose another name for `output.file`",
                output.display(),
                input.display()
            ))),
            None => Ok(()),
        }
    }
}

/// The file behind a name, at the end of all links, and the name in its real folder.
fn behind(path: &Path) -> [Option<PathBuf>; 2] {
    [fs::canonicalize(path).ok(), entry(path)]
}

/// The name in its real folder: what a rename replaces, be it a link or a file.
pub(crate) fn entry(path: &Path) -> Option<PathBuf> {
    Some(fs::canonicalize(folder_of(path)).ok()?.join(path.file_name()?))
}

/// The name behind all links of an output, in its real folder: the file that is replaced.
pub(crate) fn replaced(path: &Path) -> Option<PathBuf> {
    fs::canonicalize(path).ok().or_else(|| entry(path))
}

/// The folder that the paths of a recipe lead from: that of the output, or the current one if the
/// output has none.
pub(crate) fn folder_of_recipe(output: &Path) -> &Path {
    if is_passed_on(output) { Path::new(".") } else { folder_of(output) }
}

/// `path` as seen from `folder`; absolute if there is no way from one to the other.
pub(crate) fn from_folder(folder: &Path, path: &Path) -> PathBuf {
    let (Ok(folder), Ok(path)) = (fs::canonicalize(folder), fs::canonicalize(path)) else {
        return path.to_owned();
    };
    let (from, to): (Vec<Component>, Vec<Component>) = (folder.components().collect(), path.components().collect());
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    if common == 0 {
        return path;
    }
    let up = from[common..].iter().map(|_| Component::ParentDir);
    up.chain(to[common..].iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_spelling_is_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        let photo = folder.path().join("photo.png");
        fs::write(&photo, "x").unwrap();
        fs::create_dir(folder.path().join("sub")).unwrap();
        let spelling = folder.path().join("sub/../photo.png");
        let other = folder.path().join("other.png");
        let inputs = InputFiles::new([photo.as_path()]);
        let message = inputs.refuse_overwriting(&spelling).unwrap_err().to_string();
        assert!(message.contains(&format!("also an input ({})", photo.display())), "{message}");
        assert!(inputs.refuse_overwriting(&other).is_ok());
    }

    #[test]
    fn a_file_is_found_from_the_folder_of_another() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("photos/old")).unwrap();
        fs::create_dir(at("out")).unwrap();
        fs::write(at("photos/old/a.jpg"), "abc").unwrap();
        let path = at("photos/old/a.jpg");
        assert_eq!(from_folder(&at("out"), &path), Path::new("../photos/old/a.jpg"));
        assert_eq!(from_folder(&at("photos"), &path), Path::new("old/a.jpg"));
        assert_eq!(sha256(&path).unwrap(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(sha256(&path).unwrap(), sha256_of(b"abc"));
        assert!(!is_read_once(&path) && is_read_once(Path::new("-")) && !is_read_once(folder.path()));
    }
}
