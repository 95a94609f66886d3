//! Sums over long arrays that have the same bits at any number of threads.

use std::ops::Range;

use rayon::prelude::*;

/// Values that one task adds up. Where chunks begin must not depend on the number of threads,
/// because the order of the additions decides the last bits. 64 KiB of f32 are enough work for a
/// task, and two such arrays fit a level-2 cache.
pub const CHUNK: usize = 1 << 14;

/// `Σ chunk_sum(range)` over `0..len` in ranges of `step`, the last one shorter, in ascending
/// order.
pub fn sum_ranges(len: usize, step: usize, chunk_sum: impl Fn(Range<usize>) -> f64 + Sync) -> f64 {
    let partial: Vec<f64> =
        (0..len.div_ceil(step)).into_par_iter().map(|i| chunk_sum(i * step..((i + 1) * step).min(len))).collect();
    partial.iter().sum()
}
