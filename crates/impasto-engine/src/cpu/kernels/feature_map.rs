//! Feature maps: dense arrays with their shape, aligned for the kernels.

use std::fmt;
use std::ops::Range;

use rayon::prelude::*;

use super::buffer::AlignedBuffer;

/// Positions that [`FeatureMap::replace`] hands to a thread at a time: with 512 channels they fill a fifth of an L2 cache.
const POSITIONS_AT_ONCE: usize = 96;

/// A feature map, channels-last `[H, W, C]`, f32, beginning on a 64-byte boundary.
#[derive(Clone, Default)]
pub struct FeatureMap {
    height: usize,
    width: usize,
    channels: usize,
    data: AlignedBuffer,
}

impl FeatureMap {
    /// A map of zeros.
    pub fn zeros(height: usize, width: usize, channels: usize) -> Self {
        Self { height, width, channels, data: AlignedBuffer::zeros(height * width * channels) }
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Channels.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Rows times columns.
    pub fn positions(&self) -> usize {
        self.height * self.width
    }

    /// The values, `[H, W, C]`.
    pub fn as_slice(&self) -> &[f32] {
        &self.data
    }

    /// The values, `[H, W, C]`, to change.
    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        &mut self.data
    }

    /// Overwrites some of the values with a function of themselves, position by position, in parallel.
    ///
    /// `compute(first, features, out)` gets the values of some positions, `[positions, C]`, of which the first has index `first` in
    /// `range`, and `out` of the same length and unspecified content.
    pub fn replace(&mut self, range: Range<usize>, compute: impl Fn(usize, &[f32], &mut [f32]) + Sync) {
        let chunk = POSITIONS_AT_ONCE * self.channels;
        self.data[range].par_chunks_mut(chunk).enumerate().for_each_init(
            || AlignedBuffer::zeros(chunk),
            |out, (i, features)| {
                let out = &mut out[..features.len()];
                compute(i * chunk, features, out);
                features.copy_from_slice(out);
            },
        );
    }

    /// Gives the map another shape, on the same memory where it is large enough. The content is then unspecified.
    pub(crate) fn reshape(&mut self, height: usize, width: usize, channels: usize) {
        self.data.resize(height * width * channels);
        (self.height, self.width, self.channels) = (height, width, channels);
    }

    /// Moves the row `first` to the top, with the `kept` rows from there on, and gives the map `height` rows of this shape in all, with
    /// room for `most`. What else it holds is unspecified then.
    pub(crate) fn roll(
        &mut self,
        first: usize,
        kept: usize,
        height: usize,
        [width, channels]: [usize; 2],
        most: usize,
    ) {
        let row = width * channels;
        self.data.copy_within(first * row..(first + kept) * row, 0);
        self.data.grow(height * row, kept * row, most * row);
        (self.height, self.width, self.channels) = (height, width, channels);
    }

    /// Values that there is room for.
    pub(crate) fn capacity(&self) -> usize {
        self.data.capacity()
    }
}

impl fmt::Debug for FeatureMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FeatureMap {{ height: {}, width: {}, channels: {} }}", self.height, self.width, self.channels)
    }
}
