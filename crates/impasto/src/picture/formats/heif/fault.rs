//! Why a HEIF file has no pixels.

use std::path::Path;

use heic_decoder::HeifError;

use crate::error::Error;
use crate::picture::formats::decoder_error::{CUT_SHORT, one_line};

/// Says why there are no pixels.
pub(crate) enum Fault {
    Damaged(String),
    Unsupported(String),
    /// An error that names the file already.
    Whole(Error),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Whole(error)
    }
}

impl From<HeifError> for Fault {
    fn from(error: HeifError) -> Self {
        match error {
            HeifError::Truncated { .. } => Self::Damaged(CUT_SHORT.into()),
            HeifError::Unsupported(reason) => {
                Self::Unsupported(format!("its decoder does not know this kind of HEIC ({reason})"))
            }
            HeifError::LimitExceeded(reason) => Self::Unsupported(format!("it asks for too much ({reason})")),
            other => Self::Damaged(one_line(&other)),
        }
    }
}

impl Fault {
    /// Makes it an error about the file of this name.
    pub(crate) fn of(self, name: &Path) -> Error {
        let path = name.to_owned();
        match self {
            Self::Damaged(reason) => Error::Damaged { path, reason },
            Self::Unsupported(reason) => Error::Unsupported { path, reason },
            Self::Whole(error) => error,
        }
    }
}
