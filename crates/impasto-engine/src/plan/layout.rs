//! How an image goes through the network: whole, or in bands of rows that fit the memory.
//!
//! A [`Layout`] cuts the network into parts, which are evaluated one after the other. The map at
//! the end of a part is kept whole, so each part can have bands of its own. From a layout and the
//! size of an image follow its stages (`StageLayout`): which convolutions each part has, and how
//! far each of its bands comes. Choosing a layout is the business of `choice`, estimating it that
//! of `estimate`.

use crate::layer::{CONVS_PER_BLOCK, Layer};
use crate::plan::bands::BandCursor;
use crate::plan::feature_store::FeatureStore;
use crate::plan::stage_plan::StagePlan;

/// The parts that the network is taken apart into. Each is evaluated, whole or in bands of rows,
/// before the next one is.
///
/// Bands change no feature by a bit, and gradients by rounding only. A band starts where the band
/// before it ended, in every map at a row of its own. The few rows that convolutions read again
/// stay. On its way back a part in bands goes forward again, band by band, as far as a loss looks
/// at its maps, because these do not last that long. The masks behind are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The parts, in network order.
    pub parts: Vec<LayoutPart>,
    /// The first block whose reference features are kept in memory also in parts with bands.
    pub reference_from: usize,
    /// Whether the reference's features of the blocks before it go to a file, from which they are
    /// read on every way back. Otherwise they are computed again.
    pub reference_file: bool,
}

/// Some consecutive blocks of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayoutPart {
    /// The last block, 1..=5. The pooling after it belongs to the part, unless the part is the
    /// last.
    pub last_block: usize,
    /// Most rows of the image that a band takes. It can be a few more or less, because tiles and
    /// poolings have to come out even. `None`: all rows at once.
    pub rows: Option<usize>,
}

/// Bytes that an evaluation takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvaluationMemory {
    /// Bytes that stay from one evaluation to the next.
    pub lasting: usize,
    /// More bytes during an evaluation in bands.
    pub passing: usize,
}

impl Layout {
    /// Returns the layout with the whole network at once.
    pub fn whole() -> Self {
        let parts = vec![LayoutPart { last_block: CONVS_PER_BLOCK.len(), rows: None }];
        Self { parts, reference_from: 1, reference_file: false }
    }

    /// Returns whether any part has more than one band for an image of this size.
    pub fn has_bands(&self, width: usize, height: usize, layers: &[Layer]) -> bool {
        self.stages(width, height, layers).iter().any(|stage| !stage.is_whole())
    }

    /// Where the reference's features at a layer are.
    pub(crate) fn feature_store(&self, stage: &StageLayout, layer: Layer) -> FeatureStore {
        match self.reference_file {
            _ if stage.is_whole() || layer.block() >= self.reference_from => FeatureStore::Memory,
            true => FeatureStore::File,
            false => FeatureStore::Recompute,
        }
    }

    /// Returns the parts for images of one size, as far as the deepest of `layers`.
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
            let picture = (width, height);
            let plan = StagePlan::new(first..=last, layers, !is_last, picture);
            stages.push(StageLayout::new(plan, picture, first_block, part.rows));
            first_block = part.last_block + 1;
        }
        stages
    }
}

/// A part of the network for images of one size.
pub(crate) struct StageLayout {
    pub(crate) plan: StagePlan,
    /// Width and height of the whole image.
    picture: (usize, usize),
    pub(crate) first_block: usize,
    /// Width of the part's input.
    pub(crate) width: usize,
    /// Height of the part's input.
    pub(crate) height: usize,
    /// Channels of the part's input.
    pub(crate) channels: usize,
    /// Bands of the way forward. If there is only one, the part is evaluated whole.
    pub(crate) first: Vec<BandCursor>,
    /// Bands of the way back, with another way forward before each. None if the part is evaluated
    /// whole.
    pub(crate) second: Vec<BandCursor>,
}

impl StageLayout {
    /// `rows`: most rows of the image in a band.
    fn new(plan: StagePlan, picture: (usize, usize), first_block: usize, rows: Option<usize>) -> Self {
        let level = first_block - 1;
        let (width, height) = (picture.0 >> level, picture.1 >> level);
        let rows = rows.map(|rows| rows >> level);
        let first = BandCursor::bands(&plan, height, Some(plan.last()), rows);
        let second = match first.len() {
            1 => vec![],
            _ => BandCursor::bands(&plan, height, plan.last_seen(), rows),
        };
        let channels = if first_block == 1 { 3 } else { Layer::channels_of_block(first_block - 1) };
        Self { plan, picture, first_block, width, height, channels, first, second }
    }

    /// Whether the part has one band, with all rows.
    pub(crate) fn is_whole(&self) -> bool {
        self.second.is_empty()
    }

    /// Returns the way forward that computes a reference's features at these layers again, and how
    /// far each band of the way back brings them. Returns `None` if none of the layers is in the
    /// part.
    pub(crate) fn reference(&self, layers: &[Layer]) -> Option<(StagePlan, Vec<BandCursor>)> {
        let last = self.plan.deepest(layers)?;
        let plan = StagePlan::new(self.plan.first..=self.plan.first + last, layers, false, self.picture);
        let bands = self.second.iter().map(|of_picture| {
            let mut cursor = BandCursor::of(&plan, self.height, Some(last), of_picture.gradient[last] as isize);
            // They stay until the picture's own features have been compared with them.
            cursor.gradient.copy_from_slice(&of_picture.gradient[..=last]);
            cursor.back.copy_from_slice(&of_picture.back[..=last]);
            cursor
        });
        let bands = bands.collect();
        Some((plan, bands))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows that a band reads are there, no row is computed twice, and the last band ends with
    /// all.
    #[test]
    fn bands_follow_on_each_other() {
        let sets: [&[&str]; 4] = [
            &["relu1_1", "relu2_2", "relu3_1", "relu4_2", "relu5_1"],
            &["conv1_2", "relu4_4"],
            &["relu5_3"],
            &["relu2_1"],
        ];
        let cuts: [&[usize]; 4] = [&[5], &[2, 5], &[1, 3, 4, 5], &[3, 5]];
        for (names, cut, height, rows) in
            sets.into_iter().flat_map(|names| cuts.into_iter().map(move |cut| (names, cut))).flat_map(|(names, cut)| {
                [(333, 1), (1024, 48), (401, 100)].map(|(height, rows)| (names, cut, height, rows))
            })
        {
            let layers: Vec<Layer> = names.iter().map(|name| name.parse().expect("a layer")).collect();
            let parts = cut.iter().map(|&last_block| LayoutPart { last_block, rows: Some(rows) });
            let layout = Layout { parts: parts.collect(), reference_from: 6, reference_file: false };
            for stage in layout.stages(200, height, &layers) {
                let (plan, last) = (&stage.plan, stage.plan.last());
                check(plan, stage.height, Some(last), &stage.first);
                if !stage.is_whole() {
                    check(plan, stage.height, plan.last_seen(), &stage.second);
                }
            }
        }
    }

    fn check(plan: &StagePlan, height: usize, until: Option<usize>, bands: &[BandCursor]) {
        let last = plan.last();
        let rows = |n: usize| height >> plan.steps[n].level;
        let after = |n: usize, end: usize| if plan.steps[n].pooled { end / 2 } else { end };
        let mut before = BandCursor::start(plan);
        for band in bands {
            let BandCursor { forward, gradient, back } = band;
            for n in 0..=last {
                assert!(forward[n] >= before.forward[n] && gradient[n] >= before.gradient[n], "{band:?}");
                assert!(back[n] >= before.back[n], "{band:?}");
                if Some(n) <= until {
                    assert!(forward[n].is_multiple_of(plan.steps[n].tile) || forward[n] == rows(n), "{band:?}");
                    assert!(gradient[n] <= forward[n], "there are features where the gradient is to come: {band:?}");
                    if n > 0 {
                        let read = if forward[n] == 0 { 0 } else { (forward[n] + 1).min(rows(n)) };
                        assert!(after(n - 1, forward[n - 1]) >= read, "{n}: {band:?}");
                    }
                }
                // A gradient that is whole before the way back begins is there.
                if !(n == last && plan.steps[n].fused()) {
                    let read = if back[n] == 0 { 0 } else { (back[n] + 1).min(rows(n)) };
                    assert!(gradient[n] >= read, "{n}: {band:?}");
                }
                if n < last {
                    assert!(after(n, gradient[n]) <= back[n + 1], "{n}: {band:?}");
                }
            }
            before = band.clone();
        }
        assert_eq!(before.back[0], rows(0));
        for n in 0..=last {
            assert!(before.gradient[n] == rows(n) && before.back[n] == rows(n), "{before:?}");
            assert!(Some(n) > until || before.forward[n] == rows(n), "{before:?}");
        }
    }
}
