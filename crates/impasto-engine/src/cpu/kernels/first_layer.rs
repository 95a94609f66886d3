//! conv1_1 and its gradient with respect to the image.
//!
//! Its 3 input channels do not fill a vector, so it has kernels of its own: vectors are along the
//! output channels. They are direct, without tiles.

use std::ops::Range;

use rayon::prelude::*;

use super::buffer::{AlignedBuffer, LINE, Shared};
use super::feature_map::FeatureMap;
use super::isa::{Isa, dispatch};
use super::maps::{MapSink, Rows};
use super::simd::{Gemm, Kernel, Simd};
use super::winograd::{GROUP, Sink};
use crate::padding::Padding;

/// Channels of a pixel in the padded image.
pub(crate) const PADDED_CHANNELS: usize = 3;

/// Values of a filter: 3 rows of 3 pixels of 3 channels.
const TAPS: usize = 27;

/// Columns of the gradient's product: the taps, padded to a multiple of every vector length.
const SPREAD: usize = 32;

/// Rows of the image that one thread takes at a time for the gradient. The rows above and below are
/// computed again.
const GRADIENT_ROWS: usize = 16;

/// The filters of conv1_1, laid out for both directions.
pub(crate) struct FirstLayer {
    /// `[ky][kx][c][k]`
    forward: AlignedBuffer,
    /// `[k][SPREAD]`: column `3 * (3 * ky + kx) + c`.
    backward: AlignedBuffer,
}

impl FirstLayer {
    /// Lays out weights `[64, 3, 3, 3]`, OIHW.
    pub(crate) fn new(weights: &[f32]) -> Self {
        assert_eq!(weights.len(), GROUP * TAPS);
        let mut forward = AlignedBuffer::zeros(TAPS * GROUP);
        let mut backward = AlignedBuffer::zeros(GROUP * SPREAD);
        for k in 0..GROUP {
            for c in 0..3 {
                for place in 0..9 {
                    let w = weights[(k * 3 + c) * 9 + place];
                    forward[(place * 3 + c) * GROUP + k] = w;
                    backward[k * SPREAD + 3 * place + c] = w;
                }
            }
        }
        Self { forward, backward }
    }

    /// Convolves `padded`, `[rows + 2, W + 2, 3]`, into the rows that `sink` wants.
    pub(crate) fn forward(&self, isa: Isa, padded: &[f32], sink: &MapSink<'_>) {
        let ([_, width, channels], rows) = (sink.shape(), sink.rows());
        assert_eq!(padded.len(), (rows.len() + 2) * (width + 2) * PADDED_CHANNELS);
        assert_eq!(channels, GROUP);
        let row = (width + 2) * PADDED_CHANNELS;
        dispatch!(isa, s => rows.clone().into_par_iter().for_each(|y| {
            let padded = &padded[(y - rows.start) * row..][..3 * row];
            s.vectorize(ForwardRow { filters: &self.forward, padded, sink, y, width });
        }));
    }

    /// Gradient with respect to the rows of the image from `start` on, `[rows, W, 3]`. `gradient`
    /// holds the rows `of_gradient` of the gradient with respect to the output: at least one row
    /// more above and below, except at the border.
    pub(crate) fn input_gradient(
        &self,
        isa: Isa,
        gradient: &FeatureMap,
        of_gradient: Rows,
        start: usize,
        image_gradient: &mut [f32],
    ) {
        let (width, height) = (gradient.width(), of_gradient.height);
        assert_eq!(gradient.channels(), GROUP);
        check_rows(gradient, of_gradient, &(start..start + image_gradient.len() / (3 * width)));
        image_gradient.par_chunks_mut(3 * width * GRADIENT_ROWS).enumerate().for_each(|(band, out)| {
            let first = start + band * GRADIENT_ROWS;
            let rows = out.len() / (3 * width);
            // A margin of one column on the left and on the right.
            let stride = 3 * (width + 2);
            let mut sums = vec![0.0; rows * stride];
            let mut spread = AlignedBuffer::zeros(width * SPREAD);
            for y in first.saturating_sub(1)..height.min(first + rows + 1) {
                let row = &gradient.as_slice()[(y - of_gradient.first) * width * GROUP..][..width * GROUP];
                let target = Shared::new(&mut spread);
                dispatch!(isa, s => s.vectorize(Spread { filters: &self.backward, row, width, target }));
                for ky in 0..3 {
                    let Some(target) = (y + ky).checked_sub(first + 1).filter(|&i| i < rows) else { continue };
                    let sums = &mut sums[target * stride..][..stride];
                    for (x, spread) in spread.chunks_exact(SPREAD).enumerate() {
                        let taps = &spread[9 * ky..][..9];
                        for (sum, tap) in sums[3 * x..][..9].iter_mut().zip(taps) {
                            *sum += tap;
                        }
                    }
                }
            }
            for (out, sums) in out.chunks_exact_mut(3 * width).zip(sums.chunks_exact(stride)) {
                out.copy_from_slice(&sums[3..][..3 * width]);
            }
        });
    }

    /// Adds the gradient with respect to the margin to that of the pixels that the margin repeats;
    /// other arguments as in [`FirstLayer::input_gradient`].
    pub(crate) fn add_margin_gradient(
        &self,
        padding: Padding,
        gradient: &FeatureMap,
        of_gradient: Rows,
        start: usize,
        image_gradient: &mut [f32],
    ) {
        let (width, height) = (gradient.width(), of_gradient.height);
        let rows = start..start + image_gradient.len() / (3 * width);
        assert_eq!(gradient.channels(), GROUP);
        check_rows(gradient, of_gradient, &rows);
        // Positions in the padded image. They are only as many as the border is long, so one thread
        // takes them all, in a fixed order.
        for y in 0..height + 2 {
            let step = if y == 0 || y == height + 1 { 1 } else { width + 1 };
            for x in (0..width + 2).step_by(step) {
                let (Some(seen_y), Some(seen_x)) = (padding.index(y, height), padding.index(x, width)) else {
                    continue;
                };
                if !rows.contains(&seen_y) {
                    continue;
                }
                let mut sums = [0.0; 3];
                for place in 0..9 {
                    let (Some(from_y), Some(from_x)) = (y.checked_sub(place / 3), x.checked_sub(place % 3)) else {
                        continue;
                    };
                    if from_y >= height || from_x >= width {
                        continue;
                    }
                    let position = (from_y - of_gradient.first) * width + from_x;
                    let upstream = &gradient.as_slice()[position * GROUP..][..GROUP];
                    for (g, taps) in upstream.iter().zip(self.backward.chunks_exact(SPREAD)) {
                        for c in 0..3 {
                            sums[c] += g * taps[3 * place + c];
                        }
                    }
                }
                for c in 0..3 {
                    image_gradient[3 * ((seen_y - start) * width + seen_x) + c] += sums[c];
                }
            }
        }
    }
}

/// Checks that a gradient has the rows that some `rows` of the image depend on.
fn check_rows(gradient: &FeatureMap, of_gradient: Rows, rows: &Range<usize>) {
    let Rows { first, height } = of_gradient;
    assert!(first <= rows.start.saturating_sub(1) && (rows.end + 1).min(height) <= first + gradient.height());
}

/// Pixels of one register tile of the forward kernel.
const PIXELS: usize = 6;

/// One row of the forward convolution.
struct ForwardRow<'a, 'b> {
    filters: &'a [f32],
    /// Rows of the image that the row of the output reads.
    padded: &'a [f32],
    sink: &'a MapSink<'b>,
    y: usize,
    width: usize,
}

impl Kernel for ForwardRow<'_, '_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let row = (self.width + 2) * PADDED_CHANNELS;
        let zero = s.splat(0.0);
        for k in (0..GROUP).step_by(2 * S::LANES) {
            for x in (0..self.width).step_by(PIXELS) {
                let mut acc = [[zero; 2]; PIXELS];
                for ky in 0..3 {
                    for t in 0..9 {
                        // SAFETY: tap, row and channels are inside filters and image. Beyond the
                        // last pixel the last one is read again.
                        unsafe {
                            let w = self.filters.as_ptr().add((ky * 9 + t) * GROUP + k);
                            let (w0, w1) = (s.load(w), s.load(w.add(S::LANES)));
                            for i in 0..PIXELS {
                                let pixel = (x + i).min(self.width - 1) * PADDED_CHANNELS;
                                let v = s.splat(*self.padded.as_ptr().add(ky * row + pixel + t));
                                acc[i][0] = s.mul_add(v, w0, acc[i][0]);
                                acc[i][1] = s.mul_add(v, w1, acc[i][1]);
                            }
                        }
                    }
                }
                for i in 0..PIXELS.min(self.width - x) {
                    // SAFETY: the position is inside the map, and this row is this thread's.
                    unsafe {
                        self.sink.store::<S, 1>(s, self.y, x + i, k, &[[acc[i][0]]]);
                        self.sink.store::<S, 1>(s, self.y, x + i, k + S::LANES, &[[acc[i][1]]]);
                    }
                }
            }
        }
    }
}

/// The product of every position of one row of the gradient with each of the 9 places of the
/// filter.
struct Spread<'a> {
    filters: &'a [f32],
    row: &'a [f32],
    width: usize,
    target: Shared<f32>,
}

impl Kernel for Spread<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        // SAFETY: `row` is `[width][GROUP]`, the filters `[GROUP][SPREAD]`, the target
        // `[width][SPREAD]`.
        unsafe {
            s.gemm(Gemm {
                rows: self.width,
                cols: SPREAD,
                depth: GROUP,
                a: self.row.as_ptr(),
                a_row: GROUP,
                a_col: 1,
                a_line: LINE,
                b: self.filters.as_ptr(),
                b_row: SPREAD,
                c: self.target.at(0),
                c_row: SPREAD,
                accumulate: false,
            });
        }
    }
}
