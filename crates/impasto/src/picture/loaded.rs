//! A picture as it came from a file.

use std::fmt;

use impasto_engine::Image;

use crate::picture::exif::Exif;
use crate::picture::mask::Mask;
use crate::picture::profile::Profile;
use crate::picture::resize::{resize, resize_visible};

/// A picture as it came from a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// The colours, converted to sRGB, never multiplied by the opacity. Where nothing is visible they are the mean colour of what
    /// is (white where nothing is at all), so that whatever the file hides there cannot matter.
    pub image: Image,
    /// The opacity, of the size of the image; `None` where all of the picture is opaque.
    pub alpha: Option<Mask>,
    /// The RGB profile that the file's values were in, to write the result in the same; `None` for values that are sRGB without
    /// saying so, and for grey and CMYK.
    pub profile: Option<Profile>,
    /// The camera's notes, if there are any.
    pub exif: Option<Exif>,
    /// What could not be used of the file.
    pub warnings: Vec<Warning>,
}

impl Picture {
    /// From pixels alone: opaque, sRGB.
    pub fn new(image: Image) -> Self {
        Self { image, alpha: None, profile: None, exif: None, warnings: Vec::new() }
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.image.width()
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.image.height()
    }

    /// The picture at another size: colours as by [`resize`], but each weighed by its opacity, so that hidden colours do not
    /// shine through at the edges; the opacity as by [`Mask::resized`].
    ///
    /// # Panics
    /// If a side of the picture or of the result is 0, or above `u32::MAX`.
    pub fn resized(&self, width: usize, height: usize) -> Self {
        let image = match &self.alpha {
            Some(alpha) => resize_visible(&self.image, alpha, width, height),
            None => resize(&self.image, width, height),
        };
        let alpha = self.alpha.as_ref().map(|alpha| alpha.resized(width, height));
        Self { image, alpha, ..self.clone() }
    }
}

/// A part of a file that could not be used. The picture itself is in order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// The colour profile; the colours were taken as sRGB (or grey, or CMYK, without a profile).
    Profile {
        /// What is wrong with it.
        reason: String,
    },
    /// The EXIF block; the result will have none, and the picture was not turned, unless it is a TIFF, which says so elsewhere.
    Exif {
        /// What is wrong with it.
        reason: String,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Profile { reason } => {
                write!(f, "its colour profile is left aside ({reason}); its colours may look different")
            }
            Self::Exif { reason } => write!(f, "its EXIF block is left aside ({reason})"),
        }
    }
}
