//! What can go wrong with a job, and whose turn it is to act.
//!
//! An error has two parts. [`Whose`] says who can put it right: a caller maps it to an exit status
//! or an HTTP status. [`Cause`] says what happened. Its text is one line that names the thing, says
//! what was found and what to do. Fields of a [`Job`](crate::job::Job) are named in backquotes by
//! their path, so that a caller with other words for them (`--strength`) can put those in.

use std::fmt;
use std::path::{Path, PathBuf};

/// The result of everything here that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a job was not done.
#[derive(Debug)]
pub struct Error {
    /// Who can put it right.
    pub whose: Whose,
    /// What happened.
    pub cause: Cause,
}

/// Who can put an error right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The person who asked: a field, a file or an option has to change.
    User,
    /// Not the person who asked: the disk is full, say.
    Program,
    /// Nobody has to: the person ended the run before there was a result.
    Interrupted,
}

/// What happened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// A field holds a value that cannot be meant.
    #[error("`{field}` {problem}")]
    Field {
        /// Path of the field in the job: `options.strength`.
        field: String,
        /// What is wrong, and what to give instead.
        problem: String,
    },
    /// Anything that is said in words alone.
    #[error("{0}")]
    Text(String),
    /// The numerics refused or failed.
    #[error("{}{error}", about.as_ref().map(|path| format!("{}: ", path.display())).unwrap_or_default())]
    Numerics {
        /// The file that the error is about, if the error itself does not name it.
        about: Option<PathBuf>,
        /// The error of the library.
        error: Box<impasto::Error>,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)
    }
}

impl std::error::Error for Error {}

impl From<String> for Cause {
    fn from(text: String) -> Cause {
        Cause::Text(text)
    }
}

impl From<impasto::Error> for Cause {
    fn from(error: impasto::Error) -> Cause {
        Cause::Numerics { about: None, error: Box::new(error) }
    }
}

impl From<impasto::Error> for Error {
    /// The error of a person: most errors of the numerics are about pictures and options.
    fn from(error: impasto::Error) -> Error {
        Error { whose: Whose::User, cause: error.into() }
    }
}

impl Error {
    /// The person who asked has to change something; `text` says what.
    pub fn user(text: impl Into<String>) -> Error {
        Error { whose: Whose::User, cause: Cause::Text(text.into()) }
    }

    /// The program or the machine failed.
    pub fn program(text: impl Into<String>) -> Error {
        Error { whose: Whose::Program, cause: Cause::Text(text.into()) }
    }

    /// The person ended the run before there was a result.
    pub fn interrupted(text: impl Into<String>) -> Error {
        Error { whose: Whose::Interrupted, cause: Cause::Text(text.into()) }
    }

    /// A field of a job holds a value that cannot be meant.
    pub fn field(field: impl Into<String>, problem: impl Into<String>) -> Error {
        Error { whose: Whose::User, cause: Cause::Field { field: field.into(), problem: problem.into() } }
    }

    /// The same error about a file that the library does not know.
    #[must_use]
    pub(crate) fn about(self, path: &Path) -> Error {
        match self.cause {
            Cause::Numerics { about: None, error } => {
                Error { cause: Cause::Numerics { about: Some(path.to_owned()), error }, ..self }
            }
            cause => Error { cause, ..self },
        }
    }
}

/// Says whose error it is.
pub(crate) trait OrWhose<T> {
    /// The person who asked can put it right.
    fn or_user(self) -> Result<T>;
    /// The person who asked cannot.
    fn or_program(self) -> Result<T>;
}

impl<T, E: Into<Cause>> OrWhose<T> for std::result::Result<T, E> {
    fn or_user(self) -> Result<T> {
        self.map_err(|error| Error { whose: Whose::User, cause: error.into() })
    }

    fn or_program(self) -> Result<T> {
        self.map_err(|error| Error { whose: Whose::Program, cause: error.into() })
    }
}
