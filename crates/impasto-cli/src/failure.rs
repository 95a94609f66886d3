//! Why the program did not do its job.

use impasto_job::error::{Cause, Error, Whose};

/// Exit status of a process that Ctrl-C ended: 128 + SIGINT.
pub const INTERRUPTED: u8 = 130;

/// Why the program did not do its job.
#[derive(Debug)]
pub enum Failure {
    /// Something the user can put right: exit status 2.
    User(anyhow::Error),
    /// Anything else, a full disk say: exit status 1.
    Program(anyhow::Error),
    /// The user ended it before there was a result: exit status 130.
    Interrupted(anyhow::Error),
}

/// Says on which side an error lies.
pub trait OrFail<T> {
    /// The user can put it right.
    fn or_user(self) -> Result<T, Failure>;
    /// The user cannot.
    fn or_program(self) -> Result<T, Failure>;
}

impl<T, E: Into<anyhow::Error>> OrFail<T> for Result<T, E> {
    fn or_user(self) -> Result<T, Failure> {
        self.map_err(|error| Failure::User(error.into()))
    }

    fn or_program(self) -> Result<T, Failure> {
        self.map_err(|error| Failure::Program(error.into()))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        match error.whose {
            Whose::User => Failure::User(error.into()),
            Whose::Program => Failure::Program(error.into()),
            Whose::Interrupted => Failure::Interrupted(error.into()),
        }
    }
}

impl Failure {
    /// The same failure about a file that was written in the words of a job: its fields keep their
    /// paths.
    #[must_use]
    pub fn in_job_file(self, name: &str) -> Failure {
        let named = |error: anyhow::Error| match error.downcast_ref::<Error>() {
            Some(error) if matches!(error.cause, Cause::Field { .. }) => anyhow::anyhow!("{name}: {error}"),
            _ => error,
        };
        match self {
            Failure::User(error) => Failure::User(named(error)),
            other => other,
        }
    }
}
