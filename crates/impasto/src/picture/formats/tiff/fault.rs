//! Why a TIFF file has no pixels.

use std::io::ErrorKind;
use std::path::Path;

use tiff::TiffError;

use crate::error::Error;
use crate::picture::formats::decoder_error::{CUT_SHORT, one_line, too_much_memory};

/// Says why there are no pixels.
pub(crate) enum TiffFault {
    Decoder(TiffError),
    Damaged(String),
    Unsupported(String),
}

impl From<TiffError> for TiffFault {
    fn from(error: TiffError) -> Self {
        Self::Decoder(error)
    }
}

impl TiffFault {
    /// Makes it an error about the file of this name.
    pub(crate) fn of(self, name: &Path) -> Error {
        let path = name.to_owned();
        match self {
            Self::Decoder(error) => failed(name, error),
            Self::Damaged(reason) => Error::Damaged { path, reason },
            Self::Unsupported(reason) => Error::Unsupported { path, reason },
        }
    }
}

/// Makes an error about the file of this name, which the `tiff` crate cannot read.
pub(crate) fn failed(name: &Path, error: TiffError) -> Error {
    let path = name.to_owned();
    match error {
        TiffError::IoError(e) if e.kind() == ErrorKind::UnexpectedEof => {
            Error::Damaged { path, reason: CUT_SHORT.into() }
        }
        TiffError::UnsupportedError(e) => Error::Unsupported { path, reason: one_line(&e) },
        TiffError::LimitsExceeded => too_much_memory(name),
        other => Error::Damaged { path, reason: one_line(&other) },
    }
}
