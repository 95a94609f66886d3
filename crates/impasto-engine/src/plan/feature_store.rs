//! Where the reference's features are between one way back and the next, and what they take in a file.

/// Where the reference's features at a layer are between one way back and the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FeatureStore {
    Memory,
    File,
    /// Nowhere: they are computed anew.
    Recompute,
}

/// Values whose zeros are told by one word of bits in a file.
pub(crate) const WORD: usize = u64::BITS as usize;

/// Rows of a map that are written or read at a time.
pub(crate) const ROWS_AT_ONCE: usize = 16;

/// Bytes that a map of `height` rows of `row` values takes in a file at most.
pub(crate) fn file_bytes(height: usize, row: usize) -> u64 {
    (height * (size_of::<u64>() * row.div_ceil(WORD) + size_of::<f32>() * row)) as u64
}

/// Bytes of memory that writing and reading rows of a map takes at most.
pub(crate) fn file_memory(height: usize, row: usize) -> usize {
    file_bytes(height.min(ROWS_AT_ONCE), row) as usize
}
