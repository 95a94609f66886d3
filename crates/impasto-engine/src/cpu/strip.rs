//! Maps and masks of which only some rows are in memory.
//!
//! Bands move down an image: new rows come at the bottom, and rows that nothing reads any more go
//! at the top. A strip of all rows is an ordinary map.

use std::ops::Range;

use crate::cpu::kernels::feature_map::FeatureMap;
use crate::cpu::kernels::maps::{BitMask, Rows};

/// Some rows of a map.
#[derive(Default)]
pub(crate) struct Strip {
    map: FeatureMap,
    first: usize,
}

impl Strip {
    /// A strip with all rows of a map.
    pub(crate) fn whole(map: FeatureMap) -> Self {
        Self { map, first: 0 }
    }

    /// If the strip has no memory, takes some from `free`. This is for maps that are given back
    /// before the way ends: maps that stay would keep more memory than they need.
    pub(crate) fn reuse(&mut self, shape: [usize; 2], free: &mut Vec<FeatureMap>) {
        if self.map.capacity() == 0
            && let Some(largest) = (0..free.len()).max_by_key(|&i| free[i].capacity())
        {
            self.map = free.swap_remove(largest);
            self.map.roll(0, 0, 0, shape, 0);
        }
    }

    /// Drops the rows before `keep` and makes room for those up to `end`. A row is `[width,
    /// channels]`. The strip will never have more than `most` rows.
    pub(crate) fn extend(&mut self, (keep, end, most): (usize, usize, usize), shape: [usize; 2]) {
        let old_end = self.first + self.map.height();
        let gone = keep.clamp(self.first, old_end) - self.first;
        let kept = self.map.height() - gone;
        // A strip without rows begins with the first row to come.
        let first = if kept > 0 { self.first + gone } else { keep };
        self.map.roll(gone, kept, end.max(first) - first, shape, most);
        self.first = first;
    }

    /// Gives the memory to `free`.
    pub(crate) fn release(&mut self, free: &mut Vec<FeatureMap>) {
        if self.map.capacity() > 0 {
            free.push(std::mem::take(&mut self.map));
        }
        self.first = 0;
    }

    pub(crate) fn into_map(self) -> FeatureMap {
        self.map
    }

    pub(crate) fn map(&self) -> &FeatureMap {
        &self.map
    }

    pub(crate) fn map_mut(&mut self) -> &mut FeatureMap {
        &mut self.map
    }

    /// Returns the first row that is there.
    pub(crate) fn first(&self) -> usize {
        self.first
    }

    /// Returns where the rows belong in a map of `height` rows.
    pub(crate) fn rows(&self, height: usize) -> Rows {
        Rows { first: self.first, height }
    }

    /// Returns where some rows of the whole map are among the rows that are there.
    pub(crate) fn places(&self, rows: &Range<usize>) -> Range<usize> {
        rows.start - self.first..rows.end - self.first
    }

    /// Returns where the values of some rows of the whole map are.
    fn range(&self, rows: &Range<usize>) -> Range<usize> {
        let row = self.map.width() * self.map.channels();
        (rows.start - self.first) * row..(rows.end - self.first) * row
    }

    /// Returns the values of some rows of the whole map.
    pub(crate) fn values(&self, rows: &Range<usize>) -> &[f32] {
        &self.map.as_slice()[self.range(rows)]
    }

    /// [`Strip::values`], to change.
    pub(crate) fn values_mut(&mut self, rows: &Range<usize>) -> &mut [f32] {
        let range = self.range(rows);
        &mut self.map.as_mut_slice()[range]
    }
}

/// Some rows of a mask.
#[derive(Default)]
pub(crate) struct MaskStrip {
    bits: BitMask,
    first: usize,
    /// Bytes of a row.
    row: usize,
}

impl MaskStrip {
    /// As [`Strip::extend`], for rows of `row` bytes.
    pub(crate) fn extend(&mut self, (keep, end, most): (usize, usize, usize), row: usize) {
        self.row = row;
        let gone = ((keep.max(self.first) - self.first) * row).min(self.bits.len());
        self.bits.drain(..gone);
        self.first = if self.bits.is_empty() { keep } else { self.first + gone / row };
        let len = (end.max(self.first) - self.first) * row;
        self.bits.reserve_exact((most * row).max(len) - self.bits.len());
        self.bits.resize(len, 0);
    }

    /// Returns the bits from a row of the whole mask on.
    pub(crate) fn below(&self, row: usize) -> &[u8] {
        &self.bits[(row - self.first) * self.row..]
    }

    /// [`MaskStrip::below`], to change.
    pub(crate) fn below_mut(&mut self, row: usize) -> &mut [u8] {
        &mut self.bits[(row - self.first) * self.row..]
    }

    /// Returns the bits of some rows of the whole mask.
    pub(crate) fn bits(&self, rows: &Range<usize>) -> &[u8] {
        &self.below(rows.start)[..rows.len() * self.row]
    }

    /// [`MaskStrip::bits`], to change.
    pub(crate) fn bits_mut(&mut self, rows: &Range<usize>) -> &mut [u8] {
        let len = rows.len() * self.row;
        &mut self.below_mut(rows.start)[..len]
    }
}
