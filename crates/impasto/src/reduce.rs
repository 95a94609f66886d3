//! Sums over long arrays: f64, in parallel, and with the same bits at any number of threads.

use std::ops::Range;

use rayon::prelude::*;

/// Values that one task adds up. Where chunks begin must not depend on the number of threads, as the order of the additions
/// decides the last bits. 64 KiB of f32: enough work for a task, and two such arrays fit a level-2 cache.
pub(crate) const CHUNK: usize = 1 << 14;

/// Partial sums side by side, so that the compiler can use vector registers.
const LANES: usize = 8;

/// `sum of chunk_sum(range)` over 0..len in ranges of `step`, the last one shorter; added in ascending order.
pub(crate) fn sum_ranges(len: usize, step: usize, chunk_sum: impl Fn(Range<usize>) -> f64 + Sync) -> f64 {
    let partial: Vec<f64> =
        (0..len.div_ceil(step)).into_par_iter().map(|i| chunk_sum(i * step..((i + 1) * step).min(len))).collect();
    partial.iter().sum()
}

/// `sum a_i * b_i`, products and sums in f64.
///
/// # Panics
/// If the lengths differ.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    sum_ranges(a.len(), CHUNK, |range| {
        let (a, a_rest) = a[range.clone()].as_chunks::<LANES>();
        let (b, b_rest) = b[range].as_chunks::<LANES>();
        let mut lanes = [0.0; LANES];
        for (a, b) in a.iter().zip(b) {
            for i in 0..LANES {
                lanes[i] += f64::from(a[i]) * f64::from(b[i]);
            }
        }
        let rest: f64 = a_rest.iter().zip(b_rest).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
        lanes.iter().sum::<f64>() + rest
    })
}

/// Euclidean norm, in f64.
pub(crate) fn norm(a: &[f32]) -> f64 {
    dot(a, a).sqrt()
}

/// `sum |a_i|`, in f64.
pub(crate) fn sum_abs(a: &[f32]) -> f64 {
    sum_ranges(a.len(), CHUNK, |range| a[range].iter().map(|&v| f64::from(v.abs())).sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::test_values;

    #[test]
    fn sums_are_those_of_a_plain_loop() {
        for len in [0, 1, 3, 7, 8, 9, 17, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 5] {
            let (a, b) = (test_values(len, 1), test_values(len, 2));
            let plain: f64 = a.iter().zip(&b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
            assert!((dot(&a, &b) - plain).abs() <= 1e-12 * len as f64, "{len}");
            let plain: f64 = a.iter().map(|&a| f64::from(a.abs())).sum();
            assert!((sum_abs(&a) - plain).abs() <= 1e-12 * len as f64, "{len}");
        }
    }

    #[test]
    fn bits_do_not_depend_on_the_threads() {
        let (a, b) = (test_values(100_003, 3), test_values(100_003, 4));
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| dot(&a, &b)).to_bits()
        };
        assert_eq!(on(1), on(2));
        assert_eq!(on(1), on(5));
    }
}
