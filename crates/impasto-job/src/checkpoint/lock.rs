//! The right to write to a folder of checkpoints.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, Result};

/// The file that is locked.
pub(crate) const LOCK: &str = "lock";

/// The right to write to a folder of checkpoints, until the process ends, however that happens, or
/// this is dropped.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "held for its lock")] File);

impl Lock {
    /// Errors: another process has it.
    pub(crate) fn of(folder: &Path) -> Result<Arc<Lock>> {
        let path = folder.join(LOCK);
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|error| Error::user(format!("cannot write {}: {error}", path.display())))?;
        match file.try_lock() {
            Ok(()) => Ok(Arc::new(Lock(file))),
            Err(TryLockError::WouldBlock) => Err(Error::user(format!(
                "another process is at work on the run in {}; wait for it, or end it first",
                folder.display()
            ))),
            Err(TryLockError::Error(error)) => Err(Error::user(format!(
                "cannot lock {}: {error}; name a folder on another disk with `checkpoint`",
                path.display()
            ))),
        }
    }
}
