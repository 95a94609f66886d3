//! Pictures from and to files, and to other sizes.
//!
//! In between, a picture is an [`Image`]: RGB, f32, 0..255, as encoded (sRGB), with its opacity beside it in a [`Picture`].
//! Rounding to 8 or 16 bits happens once, when a file is written.
//!
//! What a file carries besides its pixels, and what becomes of it:
//!
//! | | JPEG | PNG | TIFF | WebP |
//! |---|---|---|---|---|
//! | colour profile (RGB) | kept | kept | kept | kept |
//! | EXIF | kept | kept | kept, but for makers' own blocks of TIFF files that are read | kept |
//! | transparency | laid over white | kept | kept | kept |
//! | recipe | comments | iTXt `impasto` | XMP | XMP |
//! | bits a value | 8 | 8, 16 | 8, 16 | 8 |

mod cmyk;
mod decode;
mod encode;
mod exif;
mod file;
mod jpeg;
pub(crate) mod mask;
pub(crate) mod prepare;
mod profile;
mod recipe;
mod resize;
#[cfg(test)]
mod tests;
mod tiff;

use std::fmt;

pub use decode::{MAX_FILE, MAX_PIXELS, decode, decode_within, load, load_within};
pub use encode::{BitDepth, Format, SaveOptions, encode, write};
pub use exif::Exif;
pub use file::{check_output, check_writable, is_part, save, save_with, write_whole};
pub(crate) use file::{read_error, write_error, write_whole_with};
pub use profile::Profile;
pub use recipe::{decode_recipe, recipe};
pub(crate) use resize::paint_hidden;
pub use resize::{fit, resize};

use crate::{Image, Mask};

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
            Some(alpha) => resize::resize_visible(&self.image, alpha, width, height),
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
