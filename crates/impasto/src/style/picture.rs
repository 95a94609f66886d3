//! A style picture, the part of it that counts, and the statistics that are taken from it.

use std::sync::Arc;

use impasto_engine::network::{
    CandidateMap, LayerFeatures, MapWindow, PositionWeights, StyleTerm, Workspace, WorkspaceSpec,
};
use impasto_engine::plan::layout::Layout;
use impasto_engine::{Image, Layer, Padding};

use crate::checks::{check_image, check_room};
use crate::error::{Error, PictureRole, Result};
use crate::loss::statistics::Statistics;
use crate::loss::total_variation::total_variation;
use crate::network::Network;
use crate::options::Options;
use crate::picture::mask::{Mask, partial};
use crate::picture::resize::{paint_hidden, resize_style};
use crate::style::strokes::{StrokeMaps, thinned};
use crate::style::turn::turns;
use crate::torus::{inside_margin, with_mirrored_margin};

/// A style picture, and the part of it that counts. Masks of another size are resized to the
/// picture's.
#[derive(Clone, Debug, PartialEq)]
pub struct StylePicture {
    /// The picture.
    pub image: Image,
    /// How opaque each pixel is, or `None` if all are. If it is 0, the colour does not matter.
    pub opacity: Option<Mask>,
    /// The part that counts, or `None` for all of it.
    pub mask: Option<Mask>,
    /// Number of copies over which the statistics are averaged: 1, 2, 4 or 8. Two or four are
    /// turned by equal angles. Eight are four and their mirror images. Strokes then run in more
    /// directions than in the picture.
    pub rotations: usize,
}

/// What a style is without the network. A texture takes its units from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Appearance {
    /// Mean of each channel over the part that counts, 0..255.
    pub(crate) colour: [f32; 3],
    /// Total variation of the picture, eq. (5), in squared levels.
    pub(crate) total_variation: f64,
}

impl From<Image> for StylePicture {
    /// Takes all of the picture, as it is.
    fn from(image: Image) -> Self {
        Self { image, opacity: None, mask: None, rotations: 1 }
    }
}

impl From<&Image> for StylePicture {
    /// Takes all of the picture, as it is.
    fn from(image: &Image) -> Self {
        image.clone().into()
    }
}

impl StylePicture {
    /// Resizes the masks to the picture, drops those that leave nothing out, and gives transparent
    /// pixels one colour.
    ///
    /// Errors: a picture or masks without pixels; values outside 0..255; nothing visible; a number
    /// of rotations that is not offered.
    pub(crate) fn normalised(&self) -> Result<Self> {
        check_image(PictureRole::Style, &self.image)?;
        if ![1, 2, 4, 8].contains(&self.rotations) {
            return Err(Error::option("style_rotations", format!("is {}; give 1, 2, 4 or 8", self.rotations)));
        }
        let (width, height) = (self.image.width(), self.image.height());
        let opacity = partial(&self.opacity, PictureRole::StyleOpacity, width, height)?;
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

    /// Returns the part that counts: what is visible and in the mask, or `None` for all of it.
    fn counts(&self) -> Option<Mask> {
        match (&self.opacity, &self.mask) {
            (Some(opacity), Some(mask)) => Some(opacity.times(mask)),
            (opacity, mask) => opacity.clone().or_else(|| mask.clone()),
        }
    }

    /// Names what leaves less of the picture: its mask or its opacity.
    fn smallest(&self) -> PictureRole {
        let coverage = |mask: &Option<Mask>| mask.as_ref().map_or(1.0, Mask::coverage);
        if coverage(&self.opacity) < coverage(&self.mask) { PictureRole::StyleOpacity } else { PictureRole::StyleMask }
    }

    /// Returns what a normalised picture is without the network, in another size.
    pub(crate) fn appearance(&self, (width, height): (usize, usize)) -> Appearance {
        let image = resize_style(&self.image, width, height);
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
            // If nothing counts, no layer sees anything either, and the run is refused.
            colour: sums.map(|sum| if total > 0.0 { (sum / total) as f32 } else { 0.0 }),
            total_variation: total_variation(image.as_slice(), width, false),
        }
    }

    /// Returns the part that counts of each of the turned copies, in another size. There are none
    /// if all of it counts.
    pub(crate) fn masks(&self, (width, height): (usize, usize)) -> Vec<Mask> {
        let counts = self.counts().map(|mask| mask.resized(width, height));
        counts.map_or(vec![], |mask| turns(self.rotations).iter().map(|turn| turn.mask(&mask)).collect())
    }

    /// Takes the statistics of a normalised picture at some size, in the order of `layers`, and its
    /// maps for matched strokes, by an evaluation in `layout`. It runs on the current thread pool.
    ///
    /// Errors: the picture is too small for a layer; the mask leaves nothing of one.
    pub(crate) fn statistics(
        &self,
        network: &Network,
        (width, height): (usize, usize),
        layers: &[Layer],
        layout: &Layout,
        options: &Options,
    ) -> Result<StyleSample> {
        let stroke_layers = options.stroke_layers();
        let wraps = options.padding == Padding::Circular;
        let padding = if wraps { Padding::Replicate } else { options.padding };
        let image = resize_style(&self.image, width, height);
        check_room(PictureRole::Style, &image, &[layers, stroke_layers].concat())?;
        let counts = self.counts().map(|mask| mask.resized(width, height));
        let of_copy = |image: &Image, counts: Option<&Mask>| {
            let (width, height) = (image.width(), image.height());
            let with_margin = wraps.then(|| with_mirrored_margin(image));
            let seen = with_margin.as_ref().unwrap_or(image);
            let mut spec = WorkspaceSpec {
                pooling: options.pooling,
                padding,
                layout: layout.clone(),
                shown: stroke_layers.to_vec(),
                ..WorkspaceSpec::new(seen.width(), seen.height())
            };
            for &layer in layers {
                let vanished = || Error::MaskVanishes { input: self.smallest(), layer, width, height };
                let weights = counts.map(|mask| mask.weights(layer).ok_or_else(vanished)).transpose()?.map(Arc::new);
                let window = wraps.then(|| inside_margin(layer, width, height));
                spec.styles.push(StyleTerm { layer, means: options.style_loss.needs_means(), window, weights });
            }
            let mut workspace = network.workspace(PictureRole::Style, spec)?;
            let sums = workspace.forward(seen.as_slice()).map_err(|error| Error::of_evaluation(None, &error))?;
            let statistics: Vec<Statistics> =
                sums.iter().map(|sums| Statistics::of(options.style_loss, sums)).collect();
            let strokes = stroke_layers.iter().map(|&layer| {
                let window = wraps.then(|| inside_margin(layer, width, height));
                let features = workspace.features(layer).map_err(|error| Error::of_evaluation(None, &error))?;
                let weights = counts.and_then(|mask| mask.weights(layer));
                Ok(candidate_map(features, window, weights.as_ref()))
            });
            Ok((statistics, strokes.collect::<Result<Vec<CandidateMap>>>()?))
        };
        let copies: Vec<(Vec<Statistics>, Vec<CandidateMap>)> = turns(self.rotations)
            .iter()
            .map(|turn| of_copy(&turn.image(&image), counts.as_ref().map(|mask| turn.mask(mask)).as_ref()))
            .collect::<Result<_>>()?;
        let statistics = (0..layers.len())
            .map(|i| Statistics::blend(&copies.iter().map(|(copy, _)| (1.0, &copy[i])).collect::<Vec<_>>()))
            .collect();
        let mut strokes: Vec<StrokeMaps> = stroke_layers.iter().map(|_| vec![]).collect();
        for (_, maps) in copies {
            strokes.iter_mut().zip(maps).for_each(|(strokes, map)| strokes.push(map));
        }
        let thin = |(layer, maps): (&Layer, StrokeMaps)| Arc::new(thinned(maps, layer.channels()));
        Ok(StyleSample { statistics, strokes: stroke_layers.iter().zip(strokes).map(thin).collect() })
    }
}

/// What a run takes from a style at a size.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StyleSample {
    /// In the order of the style's layers.
    pub(crate) statistics: Vec<Statistics>,
    /// In the order of [`Options::stroke_layers`].
    pub(crate) strokes: Vec<Arc<StrokeMaps>>,
}

/// Least weight of a position that strokes are matched with, if there is one. At the edge of a mask
/// a patch shows what the mask leaves out.
const LEAST_WEIGHT: f32 = 0.5;

/// Side of a map up to which the positions at its border are needed too.
const SMALL_MAP: usize = 16;

/// Returns the map of a layer, whose positions count inside the window and where they have weight.
/// `weights`: those of the window, or of the whole map.
fn candidate_map(
    features: LayerFeatures<'_>,
    window: Option<MapWindow>,
    weights: Option<&PositionWeights>,
) -> CandidateMap {
    let LayerFeatures { height, width, values, .. } = features;
    let MapWindow { top, left, height: rows, width: columns } =
        window.unwrap_or(MapWindow { top: 0, left: 0, height, width });
    let weight = |x: usize, y: usize| match (y.checked_sub(top), x.checked_sub(left)) {
        (Some(y), Some(x)) if y < rows && x < columns => {
            weights.map_or(1.0, |weights| weights.values()[y * columns + x])
        }
        _ => 0.0,
    };
    // A patch at the border continues with the border's features, as the picture's patches do at
    // its border. They would match, and the edge of the canvas would be painted there.
    let is_border = |v: usize, side: usize| side > SMALL_MAP && (v == 0 || v + 1 == side);
    let places = || (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let inner = places().map(|(x, y)| if is_border(x, width) || is_border(y, height) { 0.0 } else { weight(x, y) });
    let mut all: Vec<f32> = inner.collect();
    if all.iter().all(|&w| w == 0.0) {
        // The mask leaves nothing but the border.
        all = places().map(|(x, y)| weight(x, y)).collect();
    }
    let largest = all.iter().fold(0.0, |largest: f32, &w| largest.max(w));
    let counts: Vec<bool> = all.iter().map(|&w| w > 0.0 && w >= LEAST_WEIGHT.min(largest)).collect();
    let counts = counts.contains(&false).then_some(counts);
    CandidateMap { height, width, values: values.into_owned(), counts }
}
