//! How a picture goes through the network: whole, or in bands whose maps fit the memory that there is.

use crate::layer::{CONVS_PER_BLOCK, Layer};
use crate::plan::bands::{BandCursor, BandPass};
use crate::plan::feature_store::{FeatureStore, file_bytes, file_memory};
use crate::plan::stage_plan::StagePlan;
use crate::weights::Weights;

/// The parts that the network is taken apart into, each evaluated whole or in bands of rows before the next one is.
///
/// Bands change no feature by a bit, and gradients by rounding only: a band goes on where the one before it ended, in every map at a row of
/// its own, and the few rows that convolutions read again stay; the map at the end of a part is kept whole. A part in bands goes forward
/// once more while it goes back, as far as a loss looks at its maps, which do not last that long; the masks behind are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// In network order.
    pub parts: Vec<LayoutPart>,
    /// The first block of which the reference's features are kept in memory in parts with bands too.
    pub reference_from: usize,
    /// Those of the blocks before it are read from a file there ([`Evaluator::set_reference`](crate::cpu::evaluator::Evaluator::set_reference)), on every way
    /// back, instead of being computed anew.
    pub reference_file: bool,
}

/// What an evaluator takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvaluationMemory {
    /// Bytes from one evaluation to the next.
    pub lasting: usize,
    /// Bytes that are there besides during an evaluation in bands.
    pub passing: usize,
}

/// Some consecutive blocks of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayoutPart {
    /// The last block, 1..=5; the pooling after it belongs to the part, unless it is the last part.
    pub last_block: usize,
    /// Rows of the picture that a band takes at most; a little more or less, so that tiles and poolings come out even. `None`: all at once.
    pub rows: Option<usize>,
}

impl Layout {
    /// The whole network at once.
    pub fn whole() -> Self {
        let parts = vec![LayoutPart { last_block: CONVS_PER_BLOCK.len(), rows: None }];
        Self { parts, reference_from: 1, reference_file: false }
    }

    /// Whether any part is in bands of fewer rows than a picture of that height has.
    pub fn has_bands(&self, width: usize, height: usize, layers: &[Layer]) -> bool {
        self.stages(width, height, layers).iter().any(|stage| !stage.is_whole())
    }

    /// Memory in bytes of an evaluator for pictures of this size: maps, masks, gradients, and what Gram matrices take on the way.
    /// `reference`: the layers of the reference, if there is one. Weights and what every thread has for itself are not in it.
    pub fn memory(&self, width: usize, height: usize, layers: &[Layer], reference: &[Layer]) -> EvaluationMemory {
        let stages = self.stages(width, height, layers);
        let value = size_of::<f32>();
        let mut lasting = 0;
        let mut passing = 0;
        for (i, stage) in stages.iter().enumerate() {
            let (kept, anew) = (
                self.reference(stage, reference, FeatureStore::Memory),
                self.reference(stage, reference, FeatureStore::Recompute),
            );
            let map = |layer: &Layer| {
                let level = layer.block() - 1;
                value * (height >> level) * (width >> level) * layer.channels()
            };
            lasting += kept.iter().map(map).sum::<usize>();
            // Of the reference's features in a file, what is written and read at a time.
            let (mut written, mut read) = (0, 0);
            for layer in self.reference(stage, reference, FeatureStore::File) {
                let (level, n) = (layer.block() - 1, layer.convolution() - stage.plan.first);
                let row = (width >> level) * layer.channels();
                let starts = std::iter::once(0).chain(stage.second.iter().map(|band| band.gradient[n]));
                let rows = stage.second.iter().zip(starts).map(|(band, start)| band.gradient[n] - start);
                written = written.max(file_memory(height >> level, row));
                read = read.max(value * row * rows.max().unwrap_or(0) + file_memory(height >> level, row));
            }
            if i > 0 {
                let input = value * stage.height * stage.width * stage.channels;
                lasting += input * (1 + usize::from(!anew.is_empty()));
            }
            // What a band reads of the image, and partial sums of Gram matrices.
            let most = |bands: &[BandCursor]| {
                let start = BandCursor::start(&stage.plan);
                let before = [&start].into_iter().chain(bands);
                bands.iter().zip(before).map(|(now, before)| now.forward[0] - before.forward[0]).max().unwrap_or(0)
            };
            let rows = most(&stage.first).max(most(&stage.second));
            let image = if i == 0 { 3 * value * (rows + 2) * (width + 2) } else { 0 };
            let sums = GRAM_BYTES * rows * stage.width;
            if stage.is_whole() {
                lasting += image + sums + stage.plan.bytes(stage.width, stage.height, true);
                continue;
            }
            lasting += stage.plan.unseen_mask_bytes(stage.width, stage.height);
            let until = Some(stage.plan.last());
            let once = stage.plan.band_bytes(stage.width, until, BandPass::Once, &stage.first) + written;
            let mut again =
                stage.plan.band_bytes(stage.width, stage.plan.last_seen(), BandPass::ThereAndBack, &stage.second);
            if let Some((plan, bands)) = stage.reference(&anew) {
                again += plan.band_bytes(stage.width, Some(plan.last()), BandPass::Reference, &bands);
            }
            again += read;
            passing = passing.max(image + sums + once.max(again));
        }
        EvaluationMemory { lasting, passing }
    }

    /// Bytes that the reference's features take in a file at most.
    pub fn file_bytes(&self, width: usize, height: usize, layers: &[Layer], reference: &[Layer]) -> u64 {
        let stages = self.stages(width, height, layers);
        let read = stages.iter().flat_map(|stage| self.reference(stage, reference, FeatureStore::File));
        let bytes = |layer: Layer| {
            let level = layer.block() - 1;
            file_bytes(height >> level, (width >> level) * layer.channels())
        };
        read.map(bytes).sum()
    }

    /// Memory in bytes of an evaluator that has whole maps and only goes forward, with the filters that it lays out.
    pub fn forward_memory(width: usize, height: usize, layers: &[Layer]) -> usize {
        let bytes = |stage: &StageLayout| {
            let image = 3 * size_of::<f32>() * (height + 2) * (width + 2);
            let sums = GRAM_BYTES * height * width;
            let filters = (0..=stage.plan.last()).map(|n| Weights::shape(n).iter().product::<usize>()).sum::<usize>();
            image + sums + stage.plan.bytes(width, height, false) + size_of::<f32>() * filters
        };
        Self::whole().stages(width, height, layers).iter().map(bytes).sum()
    }

    /// Work of an evaluation, as a multiple of that of the whole picture at once; 1 where there is none.
    pub fn work(&self, width: usize, height: usize, layers: &[Layer], reference: &[Layer]) -> f64 {
        let work = |layout: &Self| -> f64 {
            let stages = layout.stages(width, height, layers);
            let of_stage = |stage: &StageLayout| -> f64 {
                let plan = &stage.plan;
                let of_maps = |n: usize| plan.work_of(n, stage.width, stage.height);
                let last = plan.last();
                if stage.is_whole() {
                    return 2.0 * (0..=last).map(|n| of_maps(n) + plan.filters_of(n)).sum::<f64>();
                }
                let forward = |until: Option<usize>, bands: &[BandCursor]| -> f64 {
                    let work =
                        |n: usize| of_maps(n) + plan.filters_of(n) * BandCursor::passes(bands, |band| band.forward[n]);
                    until.map_or(0.0, |until| (0..=until).map(work).sum())
                };
                let back = |n: usize| {
                    let passes = BandCursor::passes(&stage.second, |band| band.back[n]);
                    of_maps(n) * plan.work_back(n, &stage.second) + plan.filters_of(n) * passes
                };
                let anew = layout.reference(stage, reference, FeatureStore::Recompute);
                forward(Some(last), &stage.first)
                    + forward(plan.last_seen(), &stage.second)
                    + forward(plan.deepest(&anew), &stage.second)
                    + (0..=last).map(back).sum::<f64>()
            };
            stages.iter().map(of_stage).sum()
        };
        let whole = work(&Self::whole());
        if whole > 0.0 { work(self) / whole } else { 1.0 }
    }

    /// The layers of a reference that belong to a part and whose features are there.
    fn reference(&self, stage: &StageLayout, reference: &[Layer], store: FeatureStore) -> Vec<Layer> {
        let here = reference.iter().copied().filter(|layer| stage.plan.layers().any(|other| other == *layer));
        here.filter(|layer| self.feature_store(stage, *layer) == store).collect()
    }

    /// Where the reference's features at a layer are.
    pub(crate) fn feature_store(&self, stage: &StageLayout, layer: Layer) -> FeatureStore {
        match self.reference_file {
            _ if stage.is_whole() || layer.block() >= self.reference_from => FeatureStore::Memory,
            true => FeatureStore::File,
            false => FeatureStore::Recompute,
        }
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
            let picture = (width, height);
            let plan = StagePlan::new(first..=last, layers, !is_last, picture);
            let level = first_block - 1;
            let (width, height) = (width >> level, height >> level);
            let rows = part.rows.map(|rows| rows >> level);
            let first = BandCursor::bands(&plan, height, Some(plan.last()), rows);
            let second =
                if first.len() == 1 { vec![] } else { BandCursor::bands(&plan, height, plan.last_seen(), rows) };
            let channels = if first_block == 1 { 3 } else { Layer::channels_of_block(first_block - 1) };
            stages.push(StageLayout { plan, picture, first_block, width, height, channels, first, second });
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
    pub(crate) plan: StagePlan,
    /// Width and height of the whole picture.
    picture: (usize, usize),
    pub(crate) first_block: usize,
    /// Of its input.
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) channels: usize,
    /// Bands of the way forward; where there is one alone, it is the whole way.
    pub(crate) first: Vec<BandCursor>,
    /// Bands of the way back, with another way forward before each.
    pub(crate) second: Vec<BandCursor>,
}

impl StageLayout {
    pub(crate) fn is_whole(&self) -> bool {
        self.second.is_empty()
    }

    /// How the features at these layers of a reference come about once more, and how far each band of the way back brings them; `None` where
    /// there is nothing to do.
    pub(crate) fn reference(&self, layers: &[Layer]) -> Option<(StagePlan, Vec<BandCursor>)> {
        let last = self.plan.deepest(layers)?;
        let plan = StagePlan::new(self.plan.first..=self.plan.first + last, layers, false, self.picture);
        let bands = self.second.iter().map(|of_picture| {
            let mut ends = BandCursor::of(&plan, self.height, Some(last), of_picture.gradient[last] as isize);
            // They stay until the picture's own have been compared with them.
            ends.gradient.copy_from_slice(&of_picture.gradient[..=last]);
            ends.back.copy_from_slice(&of_picture.back[..=last]);
            ends
        });
        let bands = bands.collect();
        Some((plan, bands))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a band reads is there when it reads it, no row is computed twice, and the last band has all.
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
                // Of a gradient that is whole before the way back begins, all is there.
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
