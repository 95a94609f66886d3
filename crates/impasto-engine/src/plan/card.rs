//! What an evaluation takes on a graphics card, and how it is cut into bands there.
//!
//! A card evaluates a band of rows as a picture of its own, together with all rows around it that
//! its features depend on. The terms count the band's own rows alone. Their gradients reach as far
//! as their features do, and those of neighbouring bands are added up in the image. So a band needs
//! nothing of its neighbours, and costs the rows around it, a second way forward, and no more
//! memory than its own maps.

use std::ops::Range;

use crate::layer::{Layer, LayerKind};
use crate::plan::layout::{Layout, LayoutPart};
use crate::weights::Weights;

/// Bytes of a value.
const VALUE: usize = size_of::<f32>();

/// Bands begin at multiples of as many rows of the image. Tiles of Winograd's form, four rows of a
/// map of the fourth block, then lie as in the whole image. So features have the same bits but for
/// the tiles that reach beyond what a band sees.
const ALIGNMENT: usize = 32;

/// The last block whose convolutions have Winograd's form on a card. In the fifth one four rows of
/// a map are 64 of the image.
pub(crate) const LAST_WINOGRAD_BLOCK: usize = 4;

/// Bytes of the transformed inputs and outputs of a round of tiles.
pub(crate) const ROUND_BYTES: usize = 32 << 20;

/// Positions whose sums are f32.
pub(crate) const SUM_CHUNK: usize = 512;

/// Sums that are added up to one on the card at a time.
pub(crate) const SUM_FAN: usize = 16;

/// Sums of one value that come to the CPU, at most.
pub(crate) const SUMS_BACK: usize = 4;

/// The sides of the matrices of a product are multiples of this.
pub(crate) const PRODUCT_SIDE: usize = 64;

/// Rows of a band that are tried, widest first.
const ROWS: [usize; 12] = [4096, 2048, 1536, 1024, 768, 512, 384, 256, 192, 128, 64, 32];

/// Work of an evaluation in bands as a multiple of that of the whole image, without the rows around
/// the bands. A way forward and a way back take the same.
const WORK_IN_BANDS: f64 = 1.5;

/// Part of all buffers that the driver takes besides, by rounding and for its own.
const RESERVE: f64 = 0.05;

/// What a card has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CardLimits {
    /// Bytes that buffers may take; `None`: as many as the driver gives.
    pub memory: Option<u64>,
    /// Bytes of the largest buffer.
    pub largest_buffer: u64,
    /// Whether points can stay on it ([`Workspace::resident`](crate::network::Workspace::resident)).
    pub keeps_points: bool,
}

/// What is evaluated on a card.
#[derive(Clone, Copy, Debug)]
pub struct CardRequest<'a> {
    /// Width of the image in pixels.
    pub width: usize,
    /// Height of the image in pixels.
    pub height: usize,
    /// All layers that a term looks at.
    pub layers: &'a [Layer],
    /// Those that are compared with a reference.
    pub reference: &'a [Layer],
    /// Bytes of what else is on the card: weights of positions, candidates for matches, the arrays
    /// of an optimiser.
    pub besides: usize,
    /// Whether the image may be cut into bands.
    pub may_have_bands: bool,
}

/// A way to evaluate an image on a card.
#[derive(Clone, Debug, PartialEq)]
pub struct CardLayout {
    /// The bands.
    pub layout: Layout,
    /// Work as a multiple of that of the whole image at once.
    pub work: f64,
    /// Bytes on the card.
    pub bytes: u64,
}

impl CardRequest<'_> {
    /// Returns the layout with the least work that fits a card.
    ///
    /// # Errors
    /// None fits. They return the bytes that the smallest one needs.
    pub fn best(&self, limits: &CardLimits) -> Result<CardLayout, u64> {
        let mut least = u64::MAX;
        for layout in self.layouts() {
            let (bytes, largest) = (self.bytes(&layout), self.largest_buffer(&layout));
            if limits.memory.is_none_or(|memory| bytes <= memory) && largest <= limits.largest_buffer {
                return Ok(CardLayout { work: self.work(&layout), layout, bytes });
            }
            least = least.min(bytes);
        }
        Err(least)
    }

    /// All layouts, that with the least work first.
    fn layouts(&self) -> impl Iterator<Item = Layout> {
        let rows = ROWS.into_iter().filter(|&rows| self.may_have_bands && rows < self.height);
        [Layout::whole()].into_iter().chain(rows.map(in_bands))
    }

    fn bands(&self, layout: &Layout) -> Vec<CardBand> {
        self.layers.iter().max().map_or(vec![], |&deepest| CardBand::all(layout, self.height, deepest))
    }

    fn work(&self, layout: &Layout) -> f64 {
        let bands = self.bands(layout);
        let rows: usize = bands.iter().map(|band| band.extent.len()).sum();
        if bands.len() > 1 { WORK_IN_BANDS * rows as f64 / self.height as f64 } else { 1.0 }
    }

    /// Pixels of the widest band, with the rows around it.
    fn positions(&self, layout: &Layout) -> usize {
        self.width * self.bands(layout).iter().map(|band| band.extent.len()).max().unwrap_or(0)
    }

    /// Bytes of the largest buffer: the first maps, or the image.
    fn largest_buffer(&self, layout: &Layout) -> u64 {
        let first_map = Layer::at(0, LayerKind::Relu).channels() * self.positions(layout);
        let reference = self.reference.iter().map(|&layer| map_values(layer, self.positions(layout)));
        let values = reference.chain([first_map, 3 * self.width * self.height]).max().unwrap_or(0);
        (VALUE * values) as u64
    }

    /// Bytes of all buffers.
    fn bytes(&self, layout: &Layout) -> u64 {
        let Some(&deepest) = self.layers.iter().max() else {
            return 0;
        };
        let (image, band) = (self.width * self.height, self.positions(layout));
        let is_whole = self.bands(layout).len() <= 1;
        let images = 6 * image + if is_whole { 0 } else { 6 * band };
        let spare = 2 * Layer::at(0, LayerKind::Relu).channels() * band;
        let mut layers = self.layers.to_vec();
        layers.sort();
        layers.dedup();
        let kept: usize = layers.iter().map(|&layer| map_values(layer, band)).sum();
        let references: usize = self.reference.iter().map(|&layer| map_values(layer, image)).sum();
        let of_convolution = |i: usize| {
            let [outputs, inputs, ..] = Weights::shape(i);
            let layer = Layer::at(i, LayerKind::Relu);
            let taps = if i > 0 && layer.block() <= LAST_WINOGRAD_BLOCK { 36 } else { 9 };
            // Bits of rectifiers, and two bits for each value of a pooled map.
            let masks = map_values(layer, band).div_ceil(32) + map_values(layer, band / 4).div_ceil(16);
            2 * taps * inputs * outputs + masks
        };
        let network: usize = (0..=deepest.convolution()).map(of_convolution).sum();
        let of_sums = |&layer: &Layer| {
            let (channels, positions) = (layer.channels(), band >> (2 * layer.poolings()));
            let chunks = positions.div_ceil(SUM_CHUNK);
            (channels * channels * (chunks + chunks.div_ceil(SUM_FAN)), (SUMS_BACK + 1) * channels * channels)
        };
        let scratch = layers.iter().map(|layer| of_sums(layer).0).max().unwrap_or(0);
        let sums: usize = layers.iter().map(|layer| of_sums(layer).1).sum();
        let bytes = VALUE * (images + spare + kept + references + network + scratch + sums) + ROUND_BYTES;
        ((bytes + self.besides) as f64 * (1.0 + RESERVE)) as u64
    }
}

/// What the arrays of an optimiser take on a card, besides those of an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CardArrays {
    /// Bytes of all.
    pub bytes: usize,
    /// Bytes of the largest buffer.
    pub largest_buffer: u64,
    /// Bytes of the process while they are made.
    pub passing: usize,
}

impl CardArrays {
    /// Those of L-BFGS that remembers so many pairs. `keeps`: whether a part of the picture stays.
    pub fn lbfgs(width: usize, height: usize, history: usize, keeps: bool) -> Self {
        // Point, gradient, trial, direction, and what a direction is made in.
        let arrays = 5 + 2 * history;
        // Two sets of planes and their gains, with sides that products can read. Two bases a side,
        // each in two orders.
        let [rows, columns] = [height, width].map(|side| side.next_multiple_of(PRODUCT_SIDE));
        let waves = 9 * rows * columns + 2 * (rows * rows + columns * columns);
        let free = (3 * width * height).div_ceil(4);
        let bytes = VALUE * (3 * width * height * arrays + waves + free) + kept_bytes(width, height, keeps);
        let largest = [3 * rows * columns, rows * rows, columns * columns].into_iter().max().unwrap_or(0);
        // Each basis as it comes, filled up and turned, and the last two on their way to the card.
        let passing = VALUE * 5 * (rows * rows + columns * columns);
        Self { bytes, largest_buffer: (VALUE * largest) as u64, passing }
    }

    /// Those of Adam. `keeps`: whether a part of the picture stays.
    pub fn adam(width: usize, height: usize, keeps: bool) -> Self {
        let array = VALUE * 3 * width * height;
        // The trial, the best point, the walking one, and two means.
        Self { bytes: 5 * array + kept_bytes(width, height, keeps), largest_buffer: array as u64, passing: 0 }
    }
}

/// A picture, and how much of each pixel stays.
fn kept_bytes(width: usize, height: usize, keeps: bool) -> usize {
    if keeps { VALUE * 4 * width * height } else { 0 }
}

impl Layout {
    /// Returns the layout of a card with fewer rows in a band, for an image with this many rows;
    /// `None`: it cannot have fewer.
    #[must_use]
    pub fn narrower_on_card(&self, height: usize) -> Option<Layout> {
        let rows = self.rows_on_card().unwrap_or(height);
        ROWS.into_iter().find(|&narrower| narrower < rows).map(in_bands)
    }

    /// Rows of a band on a card; `None`: all.
    fn rows_on_card(&self) -> Option<usize> {
        self.parts.first().and_then(|part| part.rows)
    }
}

/// Values of the map of a layer for so many pixels.
fn map_values(layer: Layer, pixels: usize) -> usize {
    (pixels >> (2 * layer.poolings())) * layer.channels()
}

/// The layout with so many rows in a band.
fn in_bands(rows: usize) -> Layout {
    let whole = Layout::whole();
    let parts = whole.parts.iter().map(|part| LayoutPart { rows: Some(rows), ..*part }).collect();
    Layout { parts, ..whole }
}

/// A band of rows of the image.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "gpu"), allow(dead_code, reason = "only a card evaluates these bands"))]
pub(crate) struct CardBand {
    /// The rows whose positions count. Those of all bands are the image.
    pub(crate) rows: Range<usize>,
    /// The rows that are evaluated.
    pub(crate) extent: Range<usize>,
    /// Whether the last row of the image is among them.
    is_last: bool,
}

#[cfg_attr(not(feature = "gpu"), allow(dead_code, reason = "only a card evaluates these bands"))]
impl CardBand {
    /// Returns the bands of an image, from the top down.
    pub(crate) fn all(layout: &Layout, height: usize, deepest: Layer) -> Vec<CardBand> {
        let rows = layout.rows_on_card().unwrap_or(height).max(1).next_multiple_of(ALIGNMENT);
        let reach = reach(deepest).next_multiple_of(ALIGNMENT);
        let band = |top: usize| {
            // What is left below a last row of bands would be a band of few rows.
            let end = if top + rows + ALIGNMENT > height { height } else { top + rows };
            let extent = top.saturating_sub(reach)..(end + reach).min(height);
            (top < height).then_some(CardBand { rows: top..end, extent, is_last: end == height })
        };
        std::iter::successors(band(0), |before| band(before.rows.end)).collect()
    }

    /// Returns the rows of a layer's map of the extent that count.
    pub(crate) fn counted(&self, layer: Layer) -> Range<usize> {
        let level = layer.poolings();
        let end = if self.is_last { self.extent.len() >> level } else { (self.rows.end - self.extent.start) >> level };
        (self.rows.start - self.extent.start) >> level..end
    }

    /// Returns the row of the whole image's map that the counted rows begin at.
    pub(crate) fn first_row(&self, layer: Layer) -> usize {
        self.rows.start >> layer.poolings()
    }
}

/// Rows of the image above or below a feature's own that it depends on. A convolution reads a
/// position on either side, and bands begin where windows of poolings do.
fn reach(deepest: Layer) -> usize {
    (0..=deepest.convolution()).map(|i| 1 << Layer::at(i, LayerKind::Relu).poolings()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers() -> Vec<Layer> {
        let names = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu4_2", "relu5_1"];
        names.map(|name| name.parse().expect("a layer")).to_vec()
    }

    fn request<'a>(side: usize, layers: &'a [Layer]) -> CardRequest<'a> {
        CardRequest { width: side, height: side, layers, reference: &layers[4..5], besides: 0, may_have_bands: true }
    }

    #[test]
    fn bands_cover_the_image_once_and_see_all_around_them() {
        for (height, rows) in [(33, 1), (333, 32), (1024, 96), (1000, 128), (4097, 2048), (64, 64)] {
            for name in ["relu1_1", "relu3_1", "relu5_1", "conv5_4"] {
                let deepest: Layer = name.parse().expect("a layer");
                let bands = CardBand::all(&in_bands(rows), height, deepest);
                let mut end = 0;
                for band in &bands {
                    assert_eq!(band.rows.start, end, "{bands:?}");
                    end = band.rows.end;
                    assert!(band.rows.start.is_multiple_of(32) && band.extent.start.is_multiple_of(32));
                    assert!(band.extent.start == 0 || band.rows.start - band.extent.start >= reach(deepest));
                    assert!(band.extent.end == height || band.extent.end - band.rows.end >= reach(deepest));
                }
                assert_eq!(end, height);
                let counted: usize = bands.iter().map(|band| band.counted(deepest).len()).sum();
                assert_eq!(counted, height >> deepest.poolings());
            }
        }
        assert_eq!(reach("relu5_1".parse().expect("a layer")), 70);
    }

    #[test]
    fn what_fits_is_whole_and_less_memory_is_more_work() {
        let layers = layers();
        let request = request(2048, &layers);
        let limits = |memory| CardLimits { memory: Some(memory), largest_buffer: 2 << 30, keeps_points: true };
        let whole = request.best(&limits(64 << 30)).expect("it fits");
        assert_eq!((whole.layout, whole.work), (Layout::whole(), 1.0));
        let mut work = 1.0;
        for memory in (0..40).rev().map(|n| n * (200 << 20)) {
            match request.best(&limits(memory)) {
                Ok(found) => {
                    assert!(found.bytes <= memory && found.work >= work, "{found:?} after {work}");
                    work = found.work;
                }
                Err(needed) => assert!(needed > memory, "{needed}"),
            }
        }
        assert!(work > 1.5, "{work}");
    }

    #[test]
    fn no_map_is_larger_than_a_buffer() {
        let layers = layers();
        let limits = CardLimits { memory: None, largest_buffer: (2 << 30) - 1, keeps_points: true };
        let found = request(4096, &layers).best(&limits).expect("it fits in bands");
        assert!(found.layout != Layout::whole() && found.work < 2.0, "{found:?}");
        let request = CardRequest { may_have_bands: false, ..request(4096, &layers) };
        assert!(request.best(&limits).is_err());
    }

    #[test]
    fn a_layout_becomes_narrower_until_it_cannot() {
        let narrower = std::iter::successors(Some(Layout::whole()), |layout| layout.narrower_on_card(500));
        let rows: Vec<_> = narrower.map(|layout| layout.rows_on_card()).collect();
        assert_eq!(rows[..3], [None, Some(384), Some(256)]);
        assert_eq!(rows.last(), Some(&Some(32)));
    }
}
