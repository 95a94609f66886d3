//! A style: what it is taken from, how much of it, and where it goes.

use std::sync::Arc;

use impasto_engine::Image;

use crate::error::{Error, Result};
use crate::picture::mask::Mask;
use crate::style::picture::{Appearance, StylePicture};
use crate::style::statistics::StyleStatistics;

/// A style, how much of it, and where.
///
/// Styles with the same region are blended there by their weights. So are styles without one, everywhere.
#[derive(Clone, Debug)]
pub struct Style {
    /// What the style is taken from.
    pub source: StyleSource,
    /// Part in the blend, relative to the other styles of the region: finite, not negative; not 0 for all of them. Alone in its region a
    /// style has all of it.
    pub weight: f64,
    /// Which part of the content it goes to, in any size; `None`: all.
    pub region: Option<Mask>,
}

/// What a style is taken from.
#[derive(Clone, Debug)]
pub enum StyleSource {
    /// A picture.
    Picture(StylePicture),
    /// What was taken from a picture before.
    Statistics {
        /// Shared: they are large, and the same for every photo.
        statistics: Arc<StyleStatistics>,
        /// Longest side of the style in pixels at the finest scale, for which a picture would have been resized to it.
        size: usize,
    },
}

impl From<StylePicture> for Style {
    /// The picture with the weight 1, everywhere.
    fn from(picture: StylePicture) -> Self {
        Self { source: StyleSource::Picture(picture), weight: 1.0, region: None }
    }
}

impl From<&Image> for Style {
    /// All of the picture with the weight 1, everywhere.
    fn from(image: &Image) -> Self {
        StylePicture::from(image).into()
    }
}

impl Style {
    /// Statistics with the weight 1, everywhere; `size`: longest side of the style in pixels at the finest scale.
    pub fn from_statistics(statistics: Arc<StyleStatistics>, size: usize) -> Self {
        Self { source: StyleSource::Statistics { statistics, size }, weight: 1.0, region: None }
    }

    /// Width and height in pixels at the finest scale; `None` where the statistics are of other sizes.
    pub(crate) fn size(&self) -> Option<(usize, usize)> {
        match &self.source {
            StyleSource::Picture(picture) => Some((picture.image.width(), picture.image.height())),
            StyleSource::Statistics { statistics, size } => {
                statistics.nearest(*size).map(|found| (found.width, found.height))
            }
        }
    }

    /// What it is without the network at the finest scale; `style`: its place among all, from 0.
    ///
    /// Errors: statistics that are of other sizes.
    pub(crate) fn appearance(&self, style: usize) -> Result<Appearance> {
        match &self.source {
            StyleSource::Picture(picture) => Ok(picture.appearance((picture.image.width(), picture.image.height()))),
            StyleSource::Statistics { statistics, size } => match statistics.of_size(*size) {
                Ok(found) => Ok(found.appearance),
                Err(problem) => Err(Error::UnfitStatistics { style: style + 1, problem }),
            },
        }
    }

    /// The same style with another weight.
    #[must_use]
    pub fn with_weight(self, weight: f64) -> Self {
        Self { weight, ..self }
    }

    /// The same style in a part of the content.
    #[must_use]
    pub fn with_region(self, region: Mask) -> Self {
        Self { region: Some(region), ..self }
    }
}
