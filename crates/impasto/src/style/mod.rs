//! What it is painted like: pictures or statistics taken from them, and where each goes.

mod file;
pub(crate) mod regions;
pub(crate) mod statistics;
mod turn;

use std::sync::Arc;

use impasto_engine::{Layer, Layout};

use crate::loss::{Statistics, Sums, Weights, total_variation};
use crate::options::problem;
use crate::picture::{paint_hidden, resize};
use crate::session::subject::partial;
use crate::session::task::{check_image, check_room, evaluator};
use crate::style::turn::turns;
use crate::torus::{with_mirrored_margin, without_margin};
use crate::{Error, Image, Mask, Network, Options, Padding, PictureRole, Result, StyleStatistics};

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

/// A style picture and what of it counts. Masks of another size are stretched to the picture's.
#[derive(Clone, Debug, PartialEq)]
pub struct StylePicture {
    /// The picture.
    pub image: Image,
    /// How opaque each pixel is; `None`: all are. Where it is 0, the colour does not matter.
    pub opacity: Option<Mask>,
    /// Which part counts; `None`: all.
    pub mask: Option<Mask>,
    /// Copies over which the statistics are averaged: 1, or 2 or 4 turned by equal angles, or 8: 4, and 4 mirrored. Strokes then run in
    /// more directions than in the picture.
    pub rotations: usize,
}

/// What a style is without the network: what a texture starts its units from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Appearance {
    /// Mean of each channel over what counts of the picture, 0..255.
    pub(crate) colour: [f32; 3],
    /// Eq. (5) of the picture, in squared levels.
    pub(crate) total_variation: f64,
}

impl From<Image> for StylePicture {
    /// All of the picture, as it is.
    fn from(image: Image) -> Self {
        Self { image, opacity: None, mask: None, rotations: 1 }
    }
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

impl From<&Image> for StylePicture {
    /// All of the picture, as it is.
    fn from(image: &Image) -> Self {
        image.clone().into()
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

impl StylePicture {
    /// The same with masks of the picture's size, those that leave nothing out taken away, and one colour in transparent pixels.
    ///
    /// Errors: a picture or masks without pixels, values outside 0..255, nothing visible, a number of rotations that there is not.
    pub(crate) fn normalised(&self) -> Result<Self> {
        check_image(PictureRole::Style, &self.image)?;
        if ![1, 2, 4, 8].contains(&self.rotations) {
            return Err(problem("style_rotations", format!("is {}; give 1, 2, 4 or 8", self.rotations)));
        }
        let (width, height) = (self.image.width(), self.image.height());
        let opacity = partial(&self.opacity, PictureRole::Opacity, width, height)?;
        let mask = partial(&self.mask, PictureRole::StyleMask, width, height)?;
        let mut image = self.image.clone();
        if let Some(opacity) = &opacity {
            if opacity.coverage() == 0.0 {
                return Err(Error::NothingVisible { input: PictureRole::Style });
            }
            paint_hidden(&mut image, opacity);
        }
        Ok(Self { image, opacity, mask, rotations: self.rotations })
    }

    /// What counts: what is visible and in the mask; `None`: all.
    fn counts(&self) -> Option<Mask> {
        match (&self.opacity, &self.mask) {
            (Some(opacity), Some(mask)) => Some(opacity.times(mask)),
            (opacity, mask) => opacity.clone().or_else(|| mask.clone()),
        }
    }

    /// What a normalised picture is without the network in another size.
    pub(crate) fn appearance(&self, (width, height): (usize, usize)) -> Appearance {
        let image = resize(&self.image, width, height);
        let counts = self.counts().map(|mask| mask.resized(width, height));
        let weight = |i: usize| counts.as_ref().map_or(1.0, |mask| f64::from(mask.as_slice()[i]));
        let (mut sums, mut total) = ([0.0; 3], 0.0);
        for (i, pixel) in image.as_slice().as_chunks::<3>().0.iter().enumerate() {
            let weight = weight(i);
            total += weight;
            for c in 0..3 {
                sums[c] += weight * f64::from(pixel[c]);
            }
        }
        Appearance {
            // Where nothing counts, no layer sees anything either, and the run is refused.
            colour: sums.map(|sum| if total > 0.0 { (sum / total) as f32 } else { 0.0 }),
            total_variation: total_variation(image.as_slice(), width, false),
        }
    }

    /// What counts of each of the turned copies in another size; none where all does.
    pub(crate) fn masks(&self, (width, height): (usize, usize)) -> Vec<Mask> {
        let counts = self.counts().map(|mask| mask.resized(width, height));
        counts.map_or(vec![], |mask| turns(self.rotations).iter().map(|turn| turn.mask(&mask)).collect())
    }

    /// Statistics of a normalised picture at some size, in the order of `layers`, by an evaluation in `layout`; on the current thread pool.
    ///
    /// Errors: too small for a layer, nothing of the mask left at one.
    pub(crate) fn statistics(
        &self,
        network: &Network,
        (width, height): (usize, usize),
        layers: &[Layer],
        layout: &Layout,
        options: &Options,
    ) -> Result<Vec<Statistics>> {
        let wraps = options.padding == Padding::Circular;
        let padding = if wraps { Padding::Replicate } else { options.padding };
        let image = resize(&self.image, width, height);
        check_room(PictureRole::Style, &image, layers)?;
        let counts = self.counts().map(|mask| mask.resized(width, height));
        let copies: Vec<Vec<Statistics>> = turns(self.rotations)
            .iter()
            .map(|turn| {
                let image = turn.image(&image);
                let (width, height) = (image.width(), image.height());
                let seen = if wraps { with_mirrored_margin(&image) } else { image };
                let mut evaluator =
                    evaluator(network, PictureRole::Style, &seen, layers, layout, options.pooling, padding)?;
                let counts = counts.as_ref().map(|mask| turn.mask(mask));
                let mut sums: Vec<Sums> = layers
                    .iter()
                    .map(|&layer| {
                        let weights = counts.as_ref().map(|mask| {
                            let vanished = Error::MaskVanishes { input: PictureRole::StyleMask, layer, width, height };
                            Weights::new(mask, layer).ok_or(vanished)
                        });
                        let weights = weights.transpose()?;
                        Ok(Sums::new(options.style_loss, evaluator.isa(), layer.channels(), weights))
                    })
                    .collect::<Result<_>>()?;
                if wraps {
                    evaluator.forward(&seen);
                    for (&layer, sums) in layers.iter().zip(&mut sums) {
                        let halvings = layer.block() - 1;
                        let features = evaluator.features(layer);
                        let inner = without_margin(features, halvings, height >> halvings, width >> halvings);
                        sums.add(0, inner.as_slice());
                    }
                } else {
                    evaluator.forward_with(seen.as_slice(), &mut |features| {
                        for (_, sums) in layers.iter().zip(&mut sums).filter(|(layer, _)| **layer == features.layer) {
                            sums.add(features.first, features.values);
                        }
                    });
                }
                Ok(sums.iter().map(Sums::statistics).collect())
            })
            .collect::<Result<_>>()?;
        Ok((0..layers.len())
            .map(|i| Statistics::blend(&copies.iter().map(|copy| (1.0, &copy[i])).collect::<Vec<_>>()))
            .collect())
    }
}
