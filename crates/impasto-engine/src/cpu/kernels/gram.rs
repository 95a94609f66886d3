//! Gram matrices and their gradient.
//!
//! A Gram matrix is a sum over positions. It is taken in bands of a fixed number of positions, each
//! with f32 sums in registers, and the bands are added in f64. So its bits do not depend on the
//! number of threads, and its rounding error not on the size of the map.

use rayon::prelude::*;

use super::buffer::{AlignedBuffer, LINE, Shared};
use super::isa::{Isa, dispatch};
use super::simd::{Gemm, Kernel, Simd};
use super::winograd::GROUP;

/// Positions whose products are summed in registers. With 512 channels they fill half a level-2
/// cache, from which every pair of channel groups reads them.
const RUN: usize = 256;

/// Positions that are summed in f32 before they are added to the f64 sums, which bounds the
/// rounding errors. How positions are shared among threads must not depend on how many threads
/// there are.
const BAND: usize = 4 * RUN;

/// Pairs of channel groups that a task takes through a band.
const PAIRS: usize = 9;

/// Rows of a block on the diagonal that begin at the same column. Symmetry gives the values on the
/// left.
const DIAGONAL_ROWS: usize = 16;

/// `gram += Fᵀ F` for some positions, not divided by anything.
///
/// `features`: `[positions, C]`, `C` a multiple of 64. `gram`: `[C, C]`, symmetric to the bit
/// before and after. Products and sums of up to 1,024 positions are f32, all other sums f64.
///
/// # Panics
/// If the features are not whole positions, or the lengths do not fit each other.
pub fn add_gram(isa: Isa, channels: usize, features: &[f32], gram: &mut [f64]) {
    assert!(channels.is_multiple_of(GROUP) && features.len().is_multiple_of(channels));
    assert_eq!(gram.len(), channels * channels);
    let groups = channels / GROUP;
    // The matrix is symmetric, so a pair of groups is computed once.
    let pairs: Vec<(usize, usize)> = (0..groups).flat_map(|i| (i..groups).map(move |j| (i, j))).collect();
    let bands = features.chunks(BAND * channels);
    let tasks: Vec<_> = bands.flat_map(|band| pairs.chunks(PAIRS).map(move |pairs| (band, pairs))).collect();
    // For each task, a block of GROUP x GROUP for each of its pairs. The tasks of a band follow
    // each other.
    let blocks: Vec<AlignedBuffer> = tasks
        .into_par_iter()
        .map(|(band, pairs)| {
            let mut blocks = AlignedBuffer::zeros(pairs.len() * GROUP * GROUP);
            let target = Shared::new(&mut blocks);
            dispatch!(isa, s => s.vectorize(BandBlocks { band, channels, pairs, target }));
            blocks
        })
        .collect();
    let tasks_a_band = pairs.len().div_ceil(PAIRS);
    let number = |i: usize, j: usize| pairs.partition_point(|&pair| pair < (i, j));
    gram.par_chunks_mut(GROUP * channels).enumerate().for_each(|(i, rows)| {
        let mut sum = vec![0.0; GROUP * GROUP];
        for j in 0..groups {
            let n = number(i.min(j), i.max(j));
            sum.fill(0.0);
            for blocks in blocks.iter().skip(n / PAIRS).step_by(tasks_a_band) {
                for (sum, &v) in sum.iter_mut().zip(&blocks[n % PAIRS * GROUP * GROUP..]) {
                    *sum += f64::from(v);
                }
            }
            for (r, row) in rows.chunks_exact_mut(channels).enumerate() {
                for (c, value) in row[j * GROUP..][..GROUP].iter_mut().enumerate() {
                    // On the left of the diagonal there is the mirror image of the right.
                    let is_right = i < j || i == j && r <= c;
                    *value += if is_right { sum[r * GROUP + c] } else { sum[c * GROUP + r] };
                }
            }
        }
    });
}

/// `gradient (+)= F S` at some positions, for a symmetric `S`. It works on the calling thread
/// alone.
///
/// With `S = 4 / (H·W·C) · (G - G_style)` this is the gradient of eq. (2), `Σ (G - G_style)²`, with
/// respect to `F`. `features` and `gradient`: `[positions, C]`. `s`: `[C, C]`. `accumulate`: the
/// product is added to `gradient`, otherwise it overwrites it.
///
/// # Panics
/// If the lengths do not fit each other.
pub fn gram_gradient(isa: Isa, channels: usize, features: &[f32], s: &[f32], gradient: &mut [f32], accumulate: bool) {
    assert!(channels.is_multiple_of(GROUP) && features.len().is_multiple_of(channels));
    assert_eq!(s.len(), channels * channels);
    assert_eq!(features.len(), gradient.len());
    let target = Shared::new(gradient);
    dispatch!(isa, simd => simd.vectorize(GradientRows { features, s, channels, accumulate, target }));
}

/// Blocks of [`GROUP`] x [`GROUP`] of the Gram matrix of a band of positions. Of blocks on the
/// diagonal, the values on the right of it are computed, and some more.
struct BandBlocks<'a> {
    band: &'a [f32],
    channels: usize,
    pairs: &'a [(usize, usize)],
    target: Shared<f32>,
}

impl Kernel for BandBlocks<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for (n, run) in self.band.chunks(RUN * self.channels).enumerate() {
            for (place, &(i, j)) in self.pairs.iter().enumerate() {
                let rows = if i == j { DIAGONAL_ROWS } else { GROUP };
                for row in (0..GROUP).step_by(rows) {
                    let column = if i == j { row } else { 0 };
                    // SAFETY: both groups are inside the positions' channels, and the target holds
                    // a block for each pair.
                    unsafe {
                        s.gemm(Gemm {
                            rows,
                            cols: GROUP - column,
                            depth: run.len() / self.channels,
                            a: run.as_ptr().add(i * GROUP + row),
                            a_row: 1,
                            a_col: self.channels,
                            a_line: LINE * self.channels,
                            b: run.as_ptr().add(j * GROUP + column),
                            b_row: self.channels,
                            c: self.target.at((place * GROUP + row) * GROUP + column),
                            c_row: GROUP,
                            accumulate: n > 0,
                        });
                    }
                }
            }
        }
    }
}

/// The work of [`gram_gradient`].
struct GradientRows<'a> {
    features: &'a [f32],
    s: &'a [f32],
    channels: usize,
    accumulate: bool,
    target: Shared<f32>,
}

impl Kernel for GradientRows<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        // SAFETY: features and target are `[positions][C]`, `s` is `[C][C]`.
        unsafe {
            s.gemm(Gemm {
                rows: self.features.len() / self.channels,
                cols: self.channels,
                depth: self.channels,
                a: self.features.as_ptr(),
                a_row: self.channels,
                a_col: 1,
                a_line: LINE,
                b: self.s.as_ptr(),
                b_row: self.channels,
                c: self.target.at(0),
                c_row: self.channels,
                accumulate: self.accumulate,
            });
        }
    }
}
