//! What an evaluation with a layout takes: bytes of memory, bytes in a file, and work.
//!
//! The estimates follow the passes of the CPU stage by stage. Weights are not counted, nor what
//! every thread has for itself. Measurements against the whole process are in docs/reliability.md.

use crate::layer::Layer;
use crate::plan::bands::{Band, BandCursor, BandPass};
use crate::plan::feature_store::{FeatureStore, file_bytes, file_memory};
use crate::plan::layout::{EvaluationMemory, Layout, StageLayout};
use crate::weights::Weights;

/// Bytes of a value.
const VALUE: usize = size_of::<f32>();

/// Bytes of a Gram matrix's partial sums for each pixel of a band: blocks of 64x64 f32 for 1,024
/// positions of relu1_1, the layer with the most of them.
const GRAM_BYTES: usize = 16;

/// Rows and columns of a map that are matched together. With a border of one position they make
/// products with a row of 128 candidates that fit a level-2 cache.
pub(crate) const MATCH_BLOCK: [usize; 2] = [8, 62];

/// Returns the most bytes that a thread takes to search for matches among maps with this many
/// channels and columns.
pub fn search_bytes(channels: usize, columns: usize) -> usize {
    let positions = (MATCH_BLOCK[0] + 2) * (MATCH_BLOCK[1] + 2);
    // The block, its products with a row of candidates, and three rows of sums of them.
    VALUE * positions * (channels + 4 * columns)
}

impl Layout {
    /// Returns the bytes of an evaluation of images of this size: maps, masks, gradients, and the
    /// partial sums of Gram matrices. `reference`: the layers that are compared with a reference.
    pub fn memory(&self, width: usize, height: usize, layers: &[Layer], reference: &[Layer]) -> EvaluationMemory {
        let picture = (width, height);
        let (mut lasting, mut passing) = (0, 0);
        for stage in &self.stages(width, height, layers) {
            lasting += self.lasting_of(stage, picture, reference);
            let besides = band_bytes_of_image(stage, picture);
            if stage.is_whole() {
                lasting += besides + stage.plan.bytes(stage.width, stage.height, true);
            } else {
                lasting += stage.plan.unseen_mask_bytes(stage.width, stage.height);
                passing = passing.max(besides + self.bytes_in_bands(stage, picture, reference));
            }
        }
        EvaluationMemory { lasting, passing }
    }

    /// Returns the bytes that the reference's features take in a file, at most.
    pub fn file_bytes(&self, width: usize, height: usize, layers: &[Layer], reference: &[Layer]) -> u64 {
        let stages = self.stages(width, height, layers);
        let in_file = stages.iter().flat_map(|stage| self.reference(stage, reference, FeatureStore::File));
        in_file.map(|layer| file_bytes(height >> layer.poolings(), row_of(layer, width))).sum()
    }

    /// Returns the bytes of an evaluation of whole images that only goes forward, with the filters
    /// that it lays out.
    pub fn forward_memory(width: usize, height: usize, layers: &[Layer]) -> usize {
        let bytes = |stage: &StageLayout| {
            let image = 3 * VALUE * (height + 2) * (width + 2);
            let sums = GRAM_BYTES * height * width;
            let filters = (0..=stage.plan.last()).map(|n| Weights::shape(n).iter().product::<usize>()).sum::<usize>();
            image + sums + stage.plan.bytes(width, height, false) + VALUE * filters
        };
        Self::whole().stages(width, height, layers).iter().map(bytes).sum()
    }

    /// Returns the work of an evaluation as a multiple of that of the whole image at once. Returns
    /// 1 if there are no layers.
    pub fn work(&self, width: usize, height: usize, layers: &[Layer], reference: &[Layer]) -> f64 {
        let work = |layout: &Self| -> f64 {
            let stages = layout.stages(width, height, layers);
            stages.iter().map(|stage| layout.work_of(stage, reference)).sum()
        };
        let whole = work(&Self::whole());
        if whole > 0.0 { work(self) / whole } else { 1.0 }
    }

    /// Bytes of a stage that stay from one evaluation to the next, besides maps and masks: features
    /// of the reference, and the stage's input.
    fn lasting_of(&self, stage: &StageLayout, (width, height): (usize, usize), reference: &[Layer]) -> usize {
        let kept = self.reference(stage, reference, FeatureStore::Memory);
        let map = |layer: &Layer| VALUE * (height >> layer.poolings()) * row_of(*layer, width);
        let kept: usize = kept.iter().map(map).sum();
        let is_first = stage.first_block == 1;
        let input = if is_first { 0 } else { VALUE * stage.height * stage.width * stage.channels };
        let recomputes = !self.reference(stage, reference, FeatureStore::Recompute).is_empty();
        // A reference that is computed again needs its own input.
        kept + input * (1 + usize::from(recomputes))
    }

    /// Bytes of maps and masks on the ways through a stage in bands, and of what is read from and
    /// written to a file at a time.
    fn bytes_in_bands(&self, stage: &StageLayout, picture: (usize, usize), reference: &[Layer]) -> usize {
        let StageLayout { plan, width, first, second, .. } = stage;
        let [written, read] = self.file_buffers(stage, picture, reference);
        let once = plan.band_bytes(*width, Some(plan.last()), BandPass::Once, first) + written;
        let mut again = plan.band_bytes(*width, plan.last_seen(), BandPass::ThereAndBack, second) + read;
        if let Some((plan, bands)) = stage.reference(&self.reference(stage, reference, FeatureStore::Recompute)) {
            again += plan.band_bytes(*width, Some(plan.last()), BandPass::Reference, &bands);
        }
        once.max(again)
    }

    /// Bytes of the reference's features that are written to a file, and read from it, at a time.
    fn file_buffers(&self, stage: &StageLayout, picture: (usize, usize), reference: &[Layer]) -> [usize; 2] {
        let start = BandCursor::start(&stage.plan);
        let (mut written, mut read) = (0, 0);
        for layer in self.reference(stage, reference, FeatureStore::File) {
            let (n, row) = (layer.convolution() - stage.plan.first, row_of(layer, picture.0));
            let rows = Band::each(&start, &stage.second).map(|band| band.gradient(n).len());
            let buffer = file_memory(picture.1 >> layer.poolings(), row);
            written = written.max(buffer);
            read = read.max(VALUE * row * rows.max().unwrap_or(0) + buffer);
        }
        [written, read]
    }

    /// Work of an evaluation of a stage, in multiply-adds of the direct form.
    fn work_of(&self, stage: &StageLayout, reference: &[Layer]) -> f64 {
        let (plan, last) = (&stage.plan, stage.plan.last());
        let of_maps = |n: usize| plan.work_of(n, stage.width, stage.height);
        if stage.is_whole() {
            return 2.0 * (0..=last).map(|n| of_maps(n) + plan.filters_of(n)).sum::<f64>();
        }
        let forward = |until: Option<usize>, bands: &[BandCursor]| -> f64 {
            let passes = |n: usize| BandCursor::passes(bands, |band| band.forward[n]);
            let work = |n: usize| of_maps(n) + plan.filters_of(n) * passes(n);
            until.map_or(0.0, |until| (0..=until).map(work).sum())
        };
        let back = |n: usize| {
            let passes = BandCursor::passes(&stage.second, |band| band.back[n]);
            of_maps(n) * plan.work_back(n, &stage.second) + plan.filters_of(n) * passes
        };
        let recomputed = self.reference(stage, reference, FeatureStore::Recompute);
        forward(Some(last), &stage.first)
            + forward(plan.last_seen(), &stage.second)
            + forward(plan.deepest(&recomputed), &stage.second)
            + (0..=last).map(back).sum::<f64>()
    }

    /// Layers of a reference that are in a stage and whose features are in this store.
    fn reference(&self, stage: &StageLayout, reference: &[Layer], store: FeatureStore) -> Vec<Layer> {
        let here = reference.iter().copied().filter(|layer| stage.plan.layers().any(|other| other == *layer));
        here.filter(|layer| self.feature_store(stage, *layer) == store).collect()
    }
}

/// Values of a row of a layer's map, for an image of this width.
fn row_of(layer: Layer, width: usize) -> usize {
    (width >> layer.poolings()) * layer.channels()
}

/// Bytes of the rows of the image that a band reads, and of the partial sums of Gram matrices.
fn band_bytes_of_image(stage: &StageLayout, (width, _): (usize, usize)) -> usize {
    let start = BandCursor::start(&stage.plan);
    let most = |bands| Band::each(&start, bands).map(|band| band.forward(0).len()).max().unwrap_or(0);
    let rows = most(&stage.first).max(most(&stage.second));
    let image = if stage.first_block == 1 { 3 * VALUE * (rows + 2) * (width + 2) } else { 0 };
    image + GRAM_BYTES * rows * stage.width
}
