//! A picture as it came from a file.

use std::fmt;
use std::ops::RangeInclusive;

use impasto_engine::Image;

use crate::error::{Error, Result};
use crate::picture::exif::Exif;
use crate::picture::mask::Mask;
use crate::picture::profile::Profile;
use crate::picture::resize::{Filter, resize_visible, softened, specks};

/// A picture as it came from a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// The colours in sRGB, never multiplied by the opacity. Transparent pixels have the mean
    /// colour of the visible ones, or white if there are none. So whatever the file hides there
    /// cannot matter.
    pub image: Image,
    /// The values of the file in [`profile`](Picture::profile), 0..255, in the size of the image.
    /// They hold colours that sRGB has no room for. `None` if they were not asked for, or if there
    /// is no profile.
    pub own_values: Option<Image>,
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

/// A style's size, as a multiple of its file's, about which the file's finest pixels would show.
const OWN_SIZE: RangeInclusive<f64> = 0.75..=1.25;

impl Picture {
    /// Makes a picture from pixels alone: opaque, sRGB.
    pub fn new(image: Image) -> Self {
        Self { image, own_values: None, alpha: None, profile: None, exif: None, warnings: Vec::new() }
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.image.width()
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.image.height()
    }

    /// Returns the picture at another size. [`resize`](crate::picture::resize()) scales the colours
    /// and [`Mask::resized`] the opacity.
    ///
    /// Each colour is weighed by its opacity, so that hidden colours do not shine through at the
    /// edges.
    ///
    /// # Panics
    /// If a side of the picture or of the result is 0, or above `u32::MAX`.
    pub fn resized(&self, width: usize, height: usize) -> Self {
        self.resized_by(Filter::Photo, width, height)
    }

    /// Returns the picture at another size, to be a style: as [`Picture::resized`], but
    /// [`resize_style`](crate::picture::resize_style) scales the colours.
    ///
    /// If the picture has about that size already, between three quarters and five quarters of it,
    /// and is grainy, it is softened by a pixel first. Otherwise the photograph's grain and
    /// sharpening would be a large part of the statistics, and the result would be covered with
    /// bright specks. A picture is grainy if it has more specks than at half its size. Strokes make
    /// no more of them at twice the size. Grain does, because it is one pixel wide.
    ///
    /// # Panics
    /// If a side of the picture or of the result is 0, or above `u32::MAX`.
    pub fn resized_as_style(&self, width: usize, height: usize) -> Self {
        if !OWN_SIZE.contains(&(width as f64 / self.width() as f64)) || !self.is_grainy() {
            return self.resized_by(Filter::Style, width, height);
        }
        let soft = |image: &Image| softened(image, self.alpha.as_ref());
        let soft = Self { image: soft(&self.image), own_values: self.own_values.as_ref().map(soft), ..self.clone() };
        soft.resized_by(Filter::Style, width, height)
    }

    /// Whether there are more specks than at half the size.
    fn is_grainy(&self) -> bool {
        let half = [self.width(), self.height()].map(|side| side.div_ceil(2));
        let half = resize_visible(&self.image, self.alpha.as_ref(), half.into(), Filter::Style);
        specks(&self.image) > specks(&half)
    }

    fn resized_by(&self, filter: Filter, width: usize, height: usize) -> Self {
        let resized = |image: &Image| resize_visible(image, self.alpha.as_ref(), (width, height), filter);
        Self {
            image: resized(&self.image),
            own_values: self.own_values.as_ref().map(resized),
            alpha: self.alpha.as_ref().map(|alpha| alpha.resized(width, height)),
            profile: self.profile.clone(),
            exif: self.exif.clone(),
            warnings: self.warnings.clone(),
        }
    }

    /// Returns what [`SaveOptions::offset`](crate::picture::SaveOptions::offset) has to be if parts
    /// of this picture are in the result and shall have the colours of the file: `keep (v - c)`.
    /// `v` are the [`own_values`](Picture::own_values) and `c` the image in the file's profile.
    /// Both are the same, except for colours outside of sRGB. `None` if there are no such colours.
    ///
    /// `keep` is resized to the picture. Errors: a profile that nothing can be converted to.
    pub fn kept_offset(&self, keep: &Mask) -> Result<Option<Image>> {
        let (Some(own), Some(profile)) = (&self.own_values, &self.profile) else {
            return Ok(None);
        };
        let conversion = profile.conversion().map_err(|reason| Error::option("profile", reason))?;
        let mut offset = conversion.apply(self.image.as_slice());
        let keep = keep.resized(self.width(), self.height());
        let pixels = offset.as_chunks_mut::<3>().0.iter_mut().zip(own.as_slice().as_chunks::<3>().0);
        for ((pixel, own), &keep) in pixels.zip(keep.as_slice()) {
            *pixel = std::array::from_fn(|c| keep * (own[c] - pixel[c]));
        }
        let counts = offset.iter().any(|&v| v != 0.0);
        Ok(counts.then(|| Image::new(self.width(), self.height(), offset)))
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
    /// High dynamic range. What is brighter than white paper (203 cd/m²) became white.
    HighDynamicRange {
        /// The name of its curve: PQ or HLG.
        curve: &'static str,
    },
    /// An animation. Its first picture was read.
    Animation,
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
    /// The fourth channel of a TIFF in red, green and blue. The file does not say what it is. It
    /// was taken as the opacity.
    OpacityGuessed,
    /// Channels of a TIFF beside colour and opacity. The file does not say what they are, or they
    /// are inks of their own.
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
            Self::HighDynamicRange { curve } => {
                write!(f, "it has high dynamic range ({curve}); what is brighter than white paper becomes white")
            }
            Self::Animation => write!(f, "it is an animation; its first picture is taken"),
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
