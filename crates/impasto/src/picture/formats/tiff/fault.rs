//! Why a TIFF file has no pixels.

use std::path::Path;

use crate::error::Error;
use crate::picture::formats::decoder_error::too_much_memory;

/// Says why there are no pixels.
#[derive(Debug)]
pub(crate) enum TiffFault {
    Damaged(String),
    Unsupported(String),
    /// A camera's raw file, by the name of its format.
    CameraRaw(&'static str),
    TooMuchMemory,
}

impl TiffFault {
    /// Says what is wrong with a part of the file.
    pub(crate) fn reason(self) -> String {
        match self {
            Self::Damaged(reason) | Self::Unsupported(reason) => reason,
            Self::CameraRaw(kind) => kind.to_owned(),
            Self::TooMuchMemory => "it takes too much memory".to_owned(),
        }
    }

    /// Makes it an error about the file of this name.
    pub(crate) fn of(self, name: &Path) -> Error {
        let path = name.to_owned();
        match self {
            Self::Damaged(reason) => Error::Damaged { path, reason },
            Self::Unsupported(reason) => Error::Unsupported { path, reason },
            Self::CameraRaw(kind) => Error::CameraRaw { path, kind },
            Self::TooMuchMemory => too_much_memory(name),
        }
    }
}
