//! Gram matrices, and their gradient.

use rayon::prelude::*;

use super::buffer::{AlignedBuffer, LINE, Shared};
use super::isa::{Isa, dispatch};
use super::simd::{Gemm, Kernel, Simd};
use super::winograd::GROUP;

/// Positions whose products are added up in registers before they leave them. With 512 channels they fill half an L2 cache, from which
/// every pair of channel groups takes them.
const RUN: usize = 256;

/// Positions whose f32 sums are added to the f64 sums together: it bounds the rounding errors, and how the positions are shared
/// among threads must not depend on how many there are.
const BAND: usize = 4 * RUN;

/// Pairs of channel groups that a task takes through a band.
const PAIRS: usize = 9;

/// Rows of a block on the diagonal whose columns begin at the same channel: what lies left of them is known by symmetry.
const DIAGONAL_ROWS: usize = 16;

/// `Fᵀ F`, `[C, C]`, for `features` `[positions, C]`: products and sums of up to [`BAND`] positions in f32, the rest in f64.
pub fn gram(isa: Isa, channels: usize, features: &[f32]) -> Vec<f64> {
    assert!(channels.is_multiple_of(GROUP) && features.len().is_multiple_of(channels));
    let groups = channels / GROUP;
    // A pair of groups is computed once: the matrix is symmetric.
    let pairs: Vec<(usize, usize)> = (0..groups).flat_map(|i| (i..groups).map(move |j| (i, j))).collect();
    let bands = features.chunks(BAND * channels);
    let tasks: Vec<_> = bands.flat_map(|band| pairs.chunks(PAIRS).map(move |pairs| (band, pairs))).collect();
    // Per task, a block of GROUP x GROUP for each of its pairs: in this order, the blocks of one band are those of all pairs.
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
    let sums = pairs.par_iter().enumerate().map(|(n, _)| {
        let mut sum = vec![0.0; GROUP * GROUP];
        for blocks in blocks.iter().skip(n / PAIRS).step_by(tasks_a_band) {
            for (sum, &v) in sum.iter_mut().zip(&blocks[n % PAIRS * GROUP * GROUP..]) {
                *sum += f64::from(v);
            }
        }
        sum
    });
    let mut gram = vec![0.0; channels * channels];
    for (&(i, j), block) in pairs.iter().zip(sums.collect::<Vec<_>>()) {
        for r in 0..GROUP {
            for c in if i == j { r } else { 0 }..GROUP {
                let (row, column) = (i * GROUP + r, j * GROUP + c);
                gram[row * channels + column] = block[r * GROUP + c];
                gram[column * channels + row] = block[r * GROUP + c];
            }
        }
    }
    gram
}

/// `gradient (+)= F S` for symmetric `S`, `[C, C]`, at some positions; on the calling thread alone.
pub fn gram_gradient(isa: Isa, channels: usize, features: &[f32], s: &[f32], gradient: &mut [f32], accumulate: bool) {
    assert!(channels.is_multiple_of(GROUP) && features.len().is_multiple_of(channels));
    assert_eq!(s.len(), channels * channels);
    assert_eq!(features.len(), gradient.len());
    let target = Shared::new(gradient);
    dispatch!(isa, simd => simd.vectorize(GradientRows { features, s, channels, accumulate, target }));
}

/// Blocks of [`GROUP`] x [`GROUP`] of the Gram matrix of a band of positions; on the diagonal, what is right of it and some more.
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
                    // SAFETY: both groups are inside the positions' channels; the target holds a block for each pair.
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
