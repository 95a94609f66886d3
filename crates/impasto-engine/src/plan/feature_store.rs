//! Where the reference's features are between one way back and the next, and what a file takes.
//!
//! A file holds a bit for every value and the values that are not zero: rectifiers leave about
//! half. The bounds here are those of maps without zeros.

/// Where the reference's features at a layer are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FeatureStore {
    /// In memory, whole.
    Memory,
    /// In a file, from which a band reads its rows.
    File,
    /// Nowhere: every way back computes them again.
    Recompute,
}

/// Values whose zeros one word of bits in a file tells.
pub(crate) const WORD: usize = u64::BITS as usize;

/// Rows of a map that are written or read at a time.
pub(crate) const ROWS_AT_ONCE: usize = 16;

/// Returns the bytes that a map of `height` rows of `row` values takes in a file, at most.
pub(crate) fn file_bytes(height: usize, row: usize) -> u64 {
    (height * (size_of::<u64>() * row.div_ceil(WORD) + size_of::<f32>() * row)) as u64
}

/// Returns the bytes of memory that writing and reading such a map takes, at most.
pub(crate) fn file_memory(height: usize, row: usize) -> usize {
    file_bytes(height.min(ROWS_AT_ONCE), row) as usize
}
