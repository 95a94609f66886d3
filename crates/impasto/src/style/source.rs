//! A style: what it is taken from, how much it counts, and where it goes.

use std::sync::Arc;

use impasto_engine::Image;

use crate::error::{Error, Result};
use crate::picture::mask::Mask;
use crate::style::picture::{Appearance, StylePicture};
use crate::style::statistics::StyleStatistics;

/// A style, how much it counts, and where it goes.
///
/// Styles with the same region are blended there by their weights. Styles without a region are
/// blended everywhere.
#[derive(Clone, Debug)]
pub struct Style {
    /// What the style is taken from.
    pub source: StyleSource,
    /// Part in the blend, relative to the other styles of the region: finite, not negative, and not
    /// 0 for all of them. A style that is alone in its region has all of it.
    pub weight: f64,
    /// The part of the content that it goes to, in any size, or `None` for all of it.
    pub region: Option<Mask>,
}

/// What a style is taken from.
#[derive(Clone, Debug)]
pub enum StyleSource {
    /// A picture.
    Picture(StylePicture),
    /// Statistics that were taken from a picture before.
    Statistics {
        /// Shared, because they are large, and the same for every photo.
        statistics: Arc<StyleStatistics>,
        /// [Nominal side](crate::picture::nominal_side) of the style, in pixels, at the finest
        /// scale. A picture would have been resized to it.
        size: usize,
    },
}

impl From<StylePicture> for Style {
    /// Takes the picture with the weight 1, everywhere.
    fn from(picture: StylePicture) -> Self {
        Self { source: StyleSource::Picture(picture), weight: 1.0, region: None }
    }
}

impl From<&Image> for Style {
    /// Takes all of the picture with the weight 1, everywhere.
    fn from(image: &Image) -> Self {
        StylePicture::from(image).into()
    }
}

impl Style {
    /// Takes statistics with the weight 1, everywhere. `size` is the [nominal
    /// side](crate::picture::nominal_side) of the style, in pixels, at the finest scale.
    pub fn from_statistics(statistics: Arc<StyleStatistics>, size: usize) -> Self {
        Self { source: StyleSource::Statistics { statistics, size }, weight: 1.0, region: None }
    }

    /// Returns width and height in pixels at the finest scale, `None` if the statistics have other
    /// sizes.
    pub(crate) fn size(&self) -> Option<(usize, usize)> {
        match &self.source {
            StyleSource::Picture(picture) => Some((picture.image.width(), picture.image.height())),
            StyleSource::Statistics { statistics, size } => {
                statistics.nearest(*size).map(|found| (found.width, found.height))
            }
        }
    }

    /// Returns what it is without the network at the finest scale. `style` is its place among all,
    /// from 0.
    ///
    /// Errors: the statistics have other sizes.
    pub(crate) fn appearance(&self, style: usize) -> Result<Appearance> {
        match &self.source {
            StyleSource::Picture(picture) => Ok(picture.appearance((picture.image.width(), picture.image.height()))),
            StyleSource::Statistics { statistics, size } => match statistics.of_size(*size) {
                Ok(found) => Ok(found.appearance),
                Err(problem) => Err(Error::UnfitStatistics { style: style + 1, problem }),
            },
        }
    }

    /// Returns the style with another weight.
    #[must_use]
    pub fn with_weight(self, weight: f64) -> Self {
        Self { weight, ..self }
    }

    /// Returns the style in a part of the content.
    #[must_use]
    pub fn with_region(self, region: Mask) -> Self {
        Self { region: Some(region), ..self }
    }
}
