//! What can go wrong in the studio besides a job.

/// The result of everything here that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the studio could not do something.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Said in words alone.
    #[error("{0}")]
    Text(String),
    /// The database does not answer or refuses.
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
    /// The store of files does not answer or refuses.
    #[error("the store: {0}")]
    Store(#[from] object_store::Error),
    /// A file of this machine.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

impl Error {
    /// An error in words.
    pub(crate) fn new(text: impl Into<String>) -> Error {
        Error::Text(text.into())
    }

    /// Whether the same may work a moment later: the other side was away, or the disk was busy.
    pub(crate) fn is_passing(&self) -> bool {
        use std::io::ErrorKind::{AlreadyExists, InvalidFilename, IsADirectory, NotADirectory, PermissionDenied};
        match self {
            Error::Text(_) => false,
            Error::Database(_) | Error::Store(_) => true,
            Error::Io(error) => !matches!(
                error.kind(),
                AlreadyExists | InvalidFilename | IsADirectory | NotADirectory | PermissionDenied
            ),
        }
    }
}
