//! The folder of a studio on this machine: who may read it, and which process works with it.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use tracing::warn;

use crate::error::{Error, Result};
use crate::server::Token;

/// Makes a folder that is not there, for its owner alone.
pub fn make_folder(folder: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| {
        Error::new(format!("cannot make the folder {}: {error}; choose another with --data", folder.display()))
    })
}

/// The token in the folder, which only its owner may read. It is made if it is not there.
pub fn kept_token(data: &Path) -> Result<Token> {
    let path = data.join("token");
    let unusable = |error: std::io::Error| Error::new(format!("cannot keep the token in {}: {error}", path.display()));
    let mut file = private_file(&path).map_err(unusable)?;
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(unusable)?;
    if text.trim().len() >= 32 {
        return Ok(Token::of(text.trim()));
    }
    let token = Token::random();
    rewrite(&mut file, token.text()).map_err(unusable)?;
    Ok(token)
}

/// Opens a file that only its owner may read. It is made if it is not there.
fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.create(true).truncate(false).read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(file)
}

fn rewrite(file: &mut File, text: &str) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(text.as_bytes())
}

/// The right of one server to a folder. The system takes it back when the process ends.
pub struct Lock {
    /// Where its address is, for those who come later.
    address: PathBuf,
    _file: File,
}

impl Lock {
    /// Takes the right; the inner error is the address of the server that has it.
    pub fn take(data: &Path) -> Result<std::result::Result<Lock, String>> {
        let (path, address) = (data.join("studio.lock"), data.join("address"));
        let file =
            private_file(&path).map_err(|error| Error::new(format!("cannot write {}: {error}", path.display())))?;
        match file.try_lock() {
            Ok(()) => {
                // That of a server that has ended.
                drop(fs::remove_file(&address));
                Ok(Ok(Lock { address, _file: file }))
            }
            Err(TryLockError::WouldBlock) => {
                let words = |_| format!("it has just begun; look into {} in a moment", address.display());
                Ok(Err(fs::read_to_string(&address).unwrap_or_else(words)))
            }
            Err(TryLockError::Error(error)) => Err(Error::new(format!("cannot lock {}: {error}", path.display()))),
        }
    }

    /// Notes the address for those who come later. Without it they are told less.
    pub fn note(&self, address: &str) {
        let written = private_file(&self.address).and_then(|mut file| rewrite(&mut file, address));
        if let Err(error) = written {
            warn!(%error, "cannot note the address of the studio");
        }
    }
}

/// A folder for the files of jobs while they are made. One that a killed process has left is used
/// again.
pub struct Workroom {
    /// The folder.
    pub folder: PathBuf,
    _lock: File,
}

impl Workroom {
    /// Takes one that no other process has.
    pub fn take(data: &Path) -> Result<Workroom> {
        let rooms = data.join("work");
        make_folder(&rooms)?;
        for number in 0.. {
            let path = rooms.join(format!("{number}.lock"));
            let lock = File::options().create(true).truncate(false).write(true).open(&path)?;
            match lock.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => continue,
                Err(TryLockError::Error(error)) => return Err(error.into()),
            }
            let folder = rooms.join(number.to_string());
            drop(fs::remove_dir_all(&folder));
            make_folder(&folder)?;
            return Ok(Workroom { folder, _lock: lock });
        }
        Err(Error::new("all work folders are taken"))
    }
}
