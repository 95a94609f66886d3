//! How a picture goes through the network: whole, or in bands whose maps fit the memory that there is.

use std::ops::Range;

use crate::layer::{CONVS_PER_BLOCK, Layer};
use crate::stage::Plan;

/// Bands begin and end at multiples of this many rows of every map of their part that a convolution reads: a multiple of the sides of all
/// tiles of the way forward, so that a band's tiles are those of the whole picture.
const TILE_ROWS: usize = 12;

/// The parts that the network is taken apart into, each evaluated whole or in bands of rows before the next one is.
///
/// Bands change no feature by a bit, and gradients by rounding only: convolutions read a margin beyond the band's own rows, as wide as what
/// these depend on, and the map at the end of a part is kept whole. A part in bands goes forward once more right before it goes back, as far as a
/// loss looks at its maps, which do not last that long; the masks behind are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// In network order.
    pub parts: Vec<Part>,
    /// Features of the reference are kept in parts with bands too; else they are computed anew there, on every way back.
    pub keep_reference: bool,
}

/// Some consecutive blocks of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The last block, 1..=5; the pooling after it belongs to the part, unless it is the last part.
    pub last_block: usize,
    /// Rows of the picture that a band takes at most, without its margin; a little more or less, so that tiles and poolings come out
    /// even. `None`: all at once.
    pub rows: Option<usize>,
}

impl Layout {
    /// The whole network at once.
    pub fn whole() -> Self {
        Self { parts: vec![Part { last_block: CONVS_PER_BLOCK.len(), rows: None }], keep_reference: true }
    }

    /// Whether any part is in bands of fewer rows than a picture of that height has.
    pub fn has_bands(&self, width: usize, height: usize, layers: &[Layer]) -> bool {
        self.stages(width, height, layers).iter().any(|stage| stage.bands.len() > 1)
    }

    /// Peak memory in bytes of an evaluator for pictures of this size: maps, masks, gradients, and what Gram matrices take on the way.
    /// `reference`: the layers of the reference, if there is one. Weights and what every thread has for itself are not in it.
    pub fn memory(&self, width: usize, height: usize, layers: &[Layer], reference: &[Layer]) -> usize {
        let stages = self.stages(width, height, layers);
        let value = size_of::<f32>();
        let mut lasting = 0;
        let mut passing = 0;
        for (i, stage) in stages.iter().enumerate() {
            let most = stage.bands.iter().map(|band| band.rows.len()).max().unwrap_or(0);
            let here = reference.iter().filter(|layer| stage.plan.layers().any(|other| other == **layer));
            let positions = |layer: &Layer, rows: usize| {
                (rows >> (layer.block() - stage.first_block)) * (width >> (layer.block() - 1))
            };
            let of_reference = |rows| here.clone().map(|layer| value * positions(layer, rows) * layer.channels()).sum();
            let keeps_reference = self.keep_reference || stage.bands.len() == 1;
            let kept_reference: usize = if keeps_reference { of_reference(stage.height) } else { 0 };
            let mut own = stage.plan.bytes(stage.width, most) + GRAM_BYTES * most * stage.width;
            own += if i == 0 { 3 * value * (most + 2) * (width + 2) } else { 0 };
            if stage.bands.len() > 1 {
                // The band's input and its gradient.
                own += 2 * value * most * stage.width * stage.channels;
                own += if self.keep_reference { 0 } else { of_reference(most) };
                passing = passing.max(own);
                lasting += stage.plan.unseen_mask_bytes(stage.width, stage.height).iter().sum::<usize>();
            } else {
                lasting += own;
            }
            lasting += kept_reference;
            if i > 0 {
                let input = value * stage.height * stage.width * stage.channels;
                let again = !self.keep_reference && stage.plan.deepest(reference).is_some() && stage.bands.len() > 1;
                lasting += input * (1 + usize::from(again));
            }
        }
        lasting + passing
    }

    /// Work of an evaluation, as a multiple of that of the whole picture at once; 1 where there is none.
    pub fn work(&self, width: usize, height: usize, layers: &[Layer], reference: &[Layer]) -> f64 {
        let work = |layout: &Self| -> f64 {
            let stages = layout.stages(width, height, layers);
            let of_stage = |stage: &StageLayout| -> f64 {
                let last = stage.plan.steps.len() - 1;
                let passes = |rows: usize| {
                    let pass = stage.plan.work(stage.width, rows, last);
                    if stage.bands.len() == 1 {
                        return 2.0 * pass;
                    }
                    let until = |until: Option<usize>| until.map_or(0.0, |n| stage.plan.work(stage.width, rows, n));
                    let of_reference = stage.plan.deepest(reference).filter(|_| !layout.keep_reference);
                    2.0 * pass + until(stage.plan.last_seen()) + until(of_reference)
                };
                stage.bands.iter().map(|band| passes(band.rows.len())).sum()
            };
            stages.iter().map(of_stage).sum()
        };
        let whole = work(&Self::whole());
        if whole > 0.0 { work(self) / whole } else { 1.0 }
    }

    /// The parts for pictures of one size, as far as the deepest of `layers`.
    pub(crate) fn stages(&self, width: usize, height: usize, layers: &[Layer]) -> Vec<StageLayout> {
        let Some(deepest) = layers.iter().max() else {
            return vec![];
        };
        let mut stages = Vec::new();
        let mut first_block = 1;
        for part in &self.parts {
            if first_block > deepest.block() {
                break;
            }
            let is_last = part.last_block >= deepest.block();
            let first = CONVS_PER_BLOCK[..first_block - 1].iter().sum();
            let last = if is_last {
                deepest.convolution()
            } else {
                CONVS_PER_BLOCK[..part.last_block].iter().sum::<usize>() - 1
            };
            let plan = Plan::new(first..=last, layers, !is_last);
            let level = first_block - 1;
            let (width, height) = (width >> level, height >> level);
            let bands = bands(&plan, height, part.rows.map(|rows| rows >> level));
            let channels = if first_block == 1 { 3 } else { Layer::channels_of_block(first_block - 1) };
            stages.push(StageLayout { plan, first_block, width, height, channels, bands });
            first_block = part.last_block + 1;
        }
        stages
    }
}

/// Bytes that a Gram matrix's partial sums take for each pixel of a band: blocks of 64x64 f32 for 1024 positions of relu1_1, the layer
/// with the most of them.
const GRAM_BYTES: usize = 16;

/// A part of the network for pictures of one size.
pub(crate) struct StageLayout {
    pub(crate) plan: Plan,
    pub(crate) first_block: usize,
    /// Of its input.
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) channels: usize,
    pub(crate) bands: Vec<Band>,
}

/// Rows of a part's input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Band {
    /// With the margin.
    pub(crate) rows: Range<usize>,
    /// Those of the band itself; the bands' own rows are all rows, each once.
    pub(crate) own: Range<usize>,
}

/// Bands of about `rows` own rows of an input of `height` rows; one band where that is all.
fn bands(plan: &Plan, height: usize, rows: Option<usize>) -> Vec<Band> {
    // The poolings halve the rows of every band without rest.
    let align = (TILE_ROWS << plan.deepest_level()).next_multiple_of(1 << plan.poolings());
    let margin = plan.margin().next_multiple_of(align);
    let step = rows.map_or(height, |rows| (rows / align).max(1) * align);
    // The first band needs no margin above it: its own rows take the place of that.
    let ends = (1..).map(|i| i * step + margin).take_while(|&end| end + margin < height);
    let mut start = 0;
    let ends: Vec<usize> = ends.chain([height]).collect();
    ends.into_iter()
        .map(|end| {
            let own = start..end;
            start = end;
            Band { rows: own.start.saturating_sub(margin)..height.min(end + margin), own }
        })
        .collect()
}
