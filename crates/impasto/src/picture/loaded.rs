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
    /// The colours in sRGB, never multiplied by the opacity. Transparent pixels have the mean
    /// colour of the visible ones, or white if there are none. So whatever the file hides there
    /// cannot matter.
    pub image: Image,
    /// The opacity, in the size of the image, or `None` if all of the picture is opaque.
    pub alpha: Option<Mask>,
    /// The RGB profile of the file's values, so that the result can be written in the same one. It
    /// is `None` for grey and CMYK, and for values that are sRGB without saying so.
    pub profile: Option<Profile>,
    /// The camera's notes, if there are any.
    pub exif: Option<Exif>,
    /// The parts of the file that could not be used.
    pub warnings: Vec<Warning>,
}

impl Picture {
    /// Makes a picture from pixels alone: opaque, sRGB.
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

    /// Returns the picture at another size. [`resize`] scales the colours and [`Mask::resized`] the
    /// opacity.
    ///
    /// Each colour is weighed by its opacity, so that hidden colours do not shine through at the
    /// edges.
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

/// A part of a file that could not be used, or was guessed. The picture itself is in order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// The colour profile. The colours were taken as sRGB, or as grey or CMYK without a profile.
    Profile {
        /// What is wrong with it.
        reason: String,
    },
    /// Colours that are declared by numbers. They were taken as sRGB.
    Colours {
        /// Why they could not be used.
        reason: String,
    },
    /// The EXIF block. The result will have none. The picture was turned only if the orientation is
    /// noted elsewhere: by a TIFF itself, or in XMP.
    Exif {
        /// What is wrong with it.
        reason: String,
    },
    /// The end of the file is missing. All pixels are there.
    End {
        /// What the format ends with.
        missing: &'static str,
    },
    /// The fourth channel of a TIFF in red, green and blue. The file does not say what it is. It was
    /// taken as the opacity.
    OpacityGuessed,
    /// Channels of a TIFF beside colour and opacity. The file does not say what they are, or they are
    /// inks of their own.
    ChannelsIgnored {
        /// How many there are.
        count: usize,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Profile { reason } => {
                write!(f, "its colour profile is ignored ({reason}); its colours may look different")
            }
            Self::Colours { reason } => {
                write!(f, "the colours that it declares are ignored ({reason}); its colours may look different")
            }
            Self::End { missing } => {
                write!(f, "its end is cut off ({missing} is missing), but all of its pixels are there")
            }
            Self::Exif { reason } => write!(f, "its EXIF block is ignored ({reason})"),
            Self::OpacityGuessed => {
                write!(f, "it does not say what its fourth channel is, so this is taken as the opacity")
            }
            Self::ChannelsIgnored { count: 1 } => {
                write!(f, "one of its channels is ignored, because it is neither a colour nor declared as opacity")
            }
            Self::ChannelsIgnored { count } => {
                write!(
                    f,
                    "{count} of its channels are ignored, because they are neither colours nor declared as opacity"
                )
            }
        }
    }
}
