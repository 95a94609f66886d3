//! Feature maps: dense arrays with their shape, on memory that is aligned for the kernels.

use std::fmt;
use std::ops::Range;

use rayon::prelude::*;

use super::buffer::AlignedBuffer;

/// Positions that [`FeatureMap::replace`] hands to a thread at a time. With 512 channels they fill
/// a fifth of a level-2 cache.
const POSITIONS_AT_ONCE: usize = 96;

/// A feature map, `[H, W, C]`, f32. It begins on a 64-byte boundary.
#[derive(Clone, Default)]
pub struct FeatureMap {
    height: usize,
    width: usize,
    channels: usize,
    data: AlignedBuffer,
}

impl FeatureMap {
    /// Returns a map of zeros.
    pub fn zeros(height: usize, width: usize, channels: usize) -> Self {
        Self { height, width, channels, data: AlignedBuffer::zeros(height * width * channels) }
    }

    /// Returns the number of rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Returns the number of columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Returns the number of channels.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Returns rows times columns.
    pub fn positions(&self) -> usize {
        self.height * self.width
    }

    /// Returns the values, `[H, W, C]`.
    pub fn as_slice(&self) -> &[f32] {
        &self.data
    }

    /// Returns the values, `[H, W, C]`, to change.
    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        &mut self.data
    }

    /// Overwrites some of the values with a function of themselves, position by position, in
    /// parallel.
    ///
    /// `compute(first, features, out)` gets the values of some positions, `[positions, C]`, and
    /// `out` of the same length and unspecified content. `first` is the index of the first value in
    /// `range`.
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

    /// Gives the map another shape, on the same memory if that is large enough. The content is
    /// unspecified afterwards.
    pub(crate) fn reshape(&mut self, height: usize, width: usize, channels: usize) {
        self.data.resize(height * width * channels);
        (self.height, self.width, self.channels) = (height, width, channels);
    }

    /// Moves the `kept` rows from row `first` on to the top, and gives the map `height` rows of
    /// this shape, with room for `most`. The content of the other rows is unspecified afterwards.
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

    /// Returns how many values there is room for.
    pub(crate) fn capacity(&self) -> usize {
        self.data.capacity()
    }
}

impl fmt::Debug for FeatureMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FeatureMap {{ height: {}, width: {}, channels: {} }}", self.height, self.width, self.channels)
    }
}
