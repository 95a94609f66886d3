//! Gram matrices, and their gradient.

use rayon::prelude::*;

use super::buffer::{AlignedBuffer, Shared};
use super::gemm::Gemm;
use super::isa::{Isa, dispatch};
use super::simd::{Kernel, Simd};
use super::winograd::GROUP;
use crate::FeatureMap;

/// Positions whose products are added up in registers before they leave them.
const RUN: usize = 256;

/// Positions whose f32 sums are added to the f64 sums together: it bounds the rounding errors, and how the positions are shared
/// among threads must not depend on how many there are.
const BAND: usize = 16 * RUN;

/// Positions that one thread multiplies with S at a time.
const GRADIENT_ROWS: usize = 96;

/// `Fᵀ F`, `[C, C]`, for `features` `[H, W, C]`: products and sums of up to [`BAND`] positions in f32, the rest in f64.
pub(crate) fn gram(isa: Isa, features: &FeatureMap) -> Vec<f64> {
    let channels = features.channels();
    assert!(channels.is_multiple_of(GROUP));
    let groups = channels / GROUP;
    // A pair of groups is computed once: the matrix is symmetric.
    let pairs: Vec<(usize, usize)> = (0..groups).flat_map(|i| (i..groups).map(move |j| (i, j))).collect();
    let blocks: Vec<Vec<f64>> = pairs
        .par_iter()
        .map(|&(i, j)| {
            let bands: Vec<AlignedBuffer> = features
                .as_slice()
                .par_chunks(BAND * channels)
                .map(|band| {
                    let mut block = AlignedBuffer::zeros(GROUP * GROUP);
                    let target = Shared::new(&mut block);
                    dispatch!(isa, s => s.vectorize(BandBlock { band, channels, i, j, target }));
                    block
                })
                .collect();
            let mut sum = vec![0.0; GROUP * GROUP];
            for band in bands {
                for (sum, &v) in sum.iter_mut().zip(band.iter()) {
                    *sum += f64::from(v);
                }
            }
            sum
        })
        .collect();
    let mut gram = vec![0.0; channels * channels];
    for (&(i, j), block) in pairs.iter().zip(&blocks) {
        for r in 0..GROUP {
            for c in 0..GROUP {
                let (row, column) = (i * GROUP + r, j * GROUP + c);
                // Where a block lies on the diagonal both places get the same sum: the products commute.
                gram[row * channels + column] = block[r * GROUP + c];
                gram[column * channels + row] = block[r * GROUP + c];
            }
        }
    }
    gram
}

/// `gradient (+)= F S` for symmetric `S`, `[C, C]`.
pub(crate) fn gram_gradient(isa: Isa, features: &FeatureMap, s: &[f32], gradient: &mut FeatureMap, accumulate: bool) {
    let channels = features.channels();
    assert!(channels.is_multiple_of(GROUP));
    assert_eq!(s.len(), channels * channels);
    assert_eq!(features.as_slice().len(), gradient.as_slice().len());
    let rows = GRADIENT_ROWS * channels;
    let bands = features.as_slice().par_chunks(rows).zip(gradient.as_mut_slice().par_chunks_mut(rows));
    bands.for_each(|(features, gradient)| {
        let target = Shared::new(gradient);
        dispatch!(isa, simd => simd.vectorize(GradientBand { features, s, channels, accumulate, target }));
    });
}

/// A block of [`GROUP`] x [`GROUP`] of the Gram matrix of a band of positions.
struct BandBlock<'a> {
    band: &'a [f32],
    channels: usize,
    i: usize,
    j: usize,
    target: Shared<f32>,
}

impl Kernel for BandBlock<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for (n, run) in self.band.chunks(RUN * self.channels).enumerate() {
            // SAFETY: both groups are inside the positions' channels; the target is a matrix of GROUP x GROUP.
            unsafe {
                s.gemm(Gemm {
                    rows: GROUP,
                    cols: GROUP,
                    depth: run.len() / self.channels,
                    a: run.as_ptr().add(self.i * GROUP),
                    a_row: 1,
                    a_col: self.channels,
                    b: run.as_ptr().add(self.j * GROUP),
                    b_row: self.channels,
                    c: self.target.at(0),
                    c_row: GROUP,
                    accumulate: n > 0,
                });
            }
        }
    }
}

/// A band of positions of [`gram_gradient`].
struct GradientBand<'a> {
    features: &'a [f32],
    s: &'a [f32],
    channels: usize,
    accumulate: bool,
    target: Shared<f32>,
}

impl Kernel for GradientBand<'_> {
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
                b: self.s.as_ptr(),
                b_row: self.channels,
                c: self.target.at(0),
                c_row: self.channels,
                accumulate: self.accumulate,
            });
        }
    }
}
