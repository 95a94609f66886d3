//! The steps of a convolution, on one thread: transforms of inputs, filters and outputs, and the
//! products between them.

use std::marker::PhantomData;

use super::{Convolution, GROUP, Sink, Source};
use crate::cpu::kernels::buffer::LINE;
use crate::cpu::kernels::simd::{Gemm, Kernel, Simd};
use crate::cpu::kernels::transform::Transform;

/// Channels that the filters are asked for ahead of their transform.
const FILTERS_AHEAD: usize = 3;

/// Rows of a block of transformed inputs: as many as a register tile of the widest kernels has.
pub(super) const ROWS: usize = 6;

/// Returns where the row of a tile is in a matrix of transformed inputs,
/// `[tiles / ROWS][C / LINE][ROWS][LINE]`. A register tile reads a block from start to end, and the
/// hardware's prefetchers follow.
fn input_row(tile: usize, channels: usize) -> usize {
    tile / ROWS * ROWS * channels + tile % ROWS * LINE
}

/// A row of `N²` matrices one after the other.
#[derive(Clone, Copy)]
pub(super) struct Matrices {
    /// Values from the start of one matrix to that of the next.
    pub(super) stride: usize,
}

impl Matrices {
    /// The stride is one cache line more than a matrix needs. Otherwise the vectors of one tile,
    /// `stride` apart, would share a cache set.
    pub(super) fn new(rows: usize, columns: usize) -> Self {
        Self { stride: rows * columns + LINE }
    }
}

/// Input channels `first..first + count`.
#[derive(Clone, Copy)]
pub(super) struct Depth {
    pub(super) first: usize,
    pub(super) count: usize,
}

/// One step of a convolution, on one thread. `v`, `u` and `m` are rows of `N²` matrices:
/// transformed inputs ([`input_row`]), transformed filters of a group as panels `[GROUP /
/// NR][depth][NR]`, and products `[tiles][GROUP]`. Of the filters, `u` may hold only one row of the
/// `N x N` matrices.
#[derive(Clone, Copy)]
pub(super) enum WinogradStep {
    /// Transforms the inputs of `count` tiles, in raster order from `first` on.
    Inputs { first: usize, count: usize, inputs: Matrices, v: *mut f32 },
    /// Transforms the filters of `group` for some input channels, into panels of the channels
    /// `panel`.
    Filters { group: usize, channels: Depth, panel: Depth, filters: Matrices, u: *mut f32 },
    /// Makes one row of the transformed filters of `group`, for the input channels of a panel.
    FilterRow { group: usize, row: usize, channels: Depth, filters: Matrices, u: *mut f32 },
    /// `m (+)= v * u` for `count` tiles and some of the channels: all matrices, or those of one
    /// row.
    Products {
        row: Option<usize>,
        channels: Depth,
        count: usize,
        inputs: Matrices,
        v: *const f32,
        filters: Matrices,
        u: *const f32,
        products: Matrices,
        m: *mut f32,
    },
    /// Transforms the products of `count` tiles back and hands them to the sink.
    Outputs { group: usize, first: usize, count: usize, products: Matrices, m: *const f32 },
}

impl<I: Source, O: Sink> Convolution<'_, I, O> {
    /// Runs one step.
    ///
    /// # Safety
    /// The tiles, the group and the channels exist, the matrices have room for them, and no other
    /// thread touches what the step writes.
    pub(super) unsafe fn step<S: Simd, T: Transform<M, N>, const M: usize, const N: usize>(
        &self,
        s: S,
        step: WinogradStep,
    ) {
        s.vectorize(StepKernel::<_, T, M, N> { convolution: self, step, transform: PhantomData });
    }

    /// Returns row and column of a tile's first output.
    #[inline(always)]
    fn place(&self, m: usize, tile: usize) -> (usize, usize) {
        let across = self.width.div_ceil(m);
        (self.rows.start + tile / across * m, tile % across * m)
    }

    #[inline(always)]
    unsafe fn transform_input<S: Simd, T: Transform<M, N>, const M: usize, const N: usize>(
        &self,
        s: S,
        (y, x): (usize, usize),
        inputs: Matrices,
        v: *mut f32,
    ) {
        // The inputs begin one row above and one column left of the first output, so `y + i` is one
        // more than the row.
        let rows = self.source.rows();
        let inside = y > rows.start && x >= 1 && y + N <= rows.end + 1 && x + N <= self.width + 1;
        let border = self.source.border();
        let zero = s.splat(0.0);
        for c in (0..self.channels_in).step_by(S::LANES) {
            let mut half = [[zero; N]; N];
            for j in 0..N {
                let mut d = [zero; N];
                for i in 0..N {
                    if inside {
                        // SAFETY: the whole tile was found to be inside.
                        d[i] = unsafe { self.source.load(s, y + i - 1, x + j - 1, c) };
                    } else if let (Some(y), Some(x)) =
                        (border.index(y + i, self.height), border.index(x + j, self.width))
                        && rows.contains(&y)
                    {
                        // SAFETY: the row is there, and the column exists.
                        d[i] = unsafe { self.source.load(s, y, x, c) };
                    }
                }
                let d = T::input(s, d);
                for i in 0..N {
                    half[i][j] = d[i];
                }
            }
            for i in 0..N {
                let row = T::input(s, half[i]);
                for j in 0..N {
                    // SAFETY: the caller's promise on `v`.
                    unsafe { s.store(v.add((i * N + j) * inputs.stride + c / LINE * LINE * ROWS + c % LINE), row[j]) };
                }
            }
        }
    }

    /// Makes the transformed filters of channel `c`, as number `place` of a panel of `depth`
    /// channels.
    #[inline(always)]
    unsafe fn transform_filter<S: Simd, T: Transform<M, N>, const M: usize, const N: usize>(
        &self,
        s: S,
        group: usize,
        (c, place, depth): (usize, usize, usize),
        filters: Matrices,
        u: *mut f32,
    ) {
        let zero = s.splat(0.0);
        for k in (0..GROUP).step_by(S::LANES) {
            // SAFETY: channel, group and the vector in it are inside the filters and the matrices.
            unsafe {
                let g = self.filters.at(group, c).add(k);
                self.prefetch_filter(s, g);
                let mut half = [[zero; 3]; N];
                for j in 0..3 {
                    let mut column = [zero; 3];
                    for i in 0..3 {
                        column[i] = s.load(g.add((3 * i + j) * GROUP));
                    }
                    let column = T::filter(s, column);
                    for i in 0..N {
                        half[i][j] = column[i];
                    }
                }
                let u = u.add((k / S::NR * depth + place) * S::NR + k % S::NR);
                for i in 0..N {
                    let row = T::filter(s, half[i]);
                    for j in 0..N {
                        let place = u.add((i * N + j) * filters.stride);
                        s.store(place, row[j]);
                        // There are more places than a hardware prefetcher follows.
                        s.prefetch_for_writing(place.wrapping_add(2 * S::NR));
                    }
                }
            }
        }
    }

    /// Asks for the vectors that lie [`FILTERS_AHEAD`] channels behind those at `g`. No hardware
    /// prefetcher follows nine rows at a time.
    #[inline(always)]
    fn prefetch_filter<S: Simd>(&self, s: S, g: *const f32) {
        for place in 0..9 {
            s.prefetch(g.wrapping_add((9 * FILTERS_AHEAD + place) * GROUP));
        }
    }

    /// Makes row `row` of the transformed filters of channel `c`, as number `place` of a panel of
    /// `depth` channels.
    #[inline(always)]
    unsafe fn transform_filter_row<S: Simd, T: Transform<M, N>, const M: usize, const N: usize>(
        &self,
        s: S,
        group: usize,
        row: usize,
        (c, place, depth): (usize, usize, usize),
        filters: Matrices,
        u: *mut f32,
    ) {
        let weights = T::FILTER[row].map(|weight| s.splat(weight));
        for k in (0..GROUP).step_by(S::LANES) {
            // SAFETY: channel, group and the vector in it are inside the filters and the matrices.
            unsafe {
                let g = self.filters.at(group, c).add(k);
                if row == 0 {
                    self.prefetch_filter(s, g);
                }
                let mut half = weights;
                for j in 0..3 {
                    // The order is that of [`Transform::filter`], so that the bits are the same.
                    let mut column = weights;
                    for i in 0..3 {
                        column[i] = s.load(g.add((3 * i + j) * GROUP));
                    }
                    let even = s.mul_add(weights[2], column[2], s.mul(weights[0], column[0]));
                    half[j] = s.mul_add(weights[1], column[1], even);
                }
                let values = T::filter(s, half);
                let u = u.add((k / S::NR * depth + place) * S::NR + k % S::NR);
                for j in 0..N {
                    s.store(u.add(j * filters.stride), values[j]);
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn transform_output<S: Simd, T: Transform<M, N>, const M: usize, const N: usize>(
        &self,
        s: S,
        (y, x): (usize, usize),
        group: usize,
        products: Matrices,
        m: *const f32,
    ) {
        let zero = s.splat(0.0);
        for k in (0..GROUP).step_by(S::LANES) {
            let mut half = [[zero; N]; M];
            for j in 0..N {
                let mut column = [zero; N];
                for i in 0..N {
                    // SAFETY: the caller's promise on `m`.
                    column[i] = unsafe { s.load(m.add((i * N + j) * products.stride + k)) };
                }
                let column = T::output(s, column);
                for i in 0..M {
                    half[i][j] = column[i];
                }
            }
            let mut tile = [[zero; M]; M];
            for i in 0..M {
                tile[i] = T::output(s, half[i]);
            }
            // SAFETY: the tile exists, and is this thread's.
            unsafe { self.sink.store(s, y, x, group * GROUP + k, &tile) };
        }
    }
}

/// A step as a [`Kernel`].
struct StepKernel<'a, C, T, const M: usize, const N: usize> {
    convolution: &'a C,
    step: WinogradStep,
    transform: PhantomData<T>,
}

impl<I: Source, O: Sink, T: Transform<M, N>, const M: usize, const N: usize> Kernel
    for StepKernel<'_, Convolution<'_, I, O>, T, M, N>
{
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let convolution = self.convolution;
        let channels = convolution.channels_in;
        // SAFETY: only [`Convolution::step`] makes steps, and its callers promise what they need.
        unsafe {
            match self.step {
                WinogradStep::Inputs { first, count, inputs, v } => {
                    for i in 0..count {
                        let place = convolution.place(M, first + i);
                        convolution.transform_input::<S, T, M, N>(s, place, inputs, v.add(input_row(i, channels)));
                    }
                }
                WinogradStep::Filters { group, channels: Depth { first, count }, panel, filters, u } => {
                    for c in first..first + count {
                        let channel = (c, c - panel.first, panel.count);
                        convolution.transform_filter::<S, T, M, N>(s, group, channel, filters, u);
                    }
                }
                WinogradStep::FilterRow { group, row, channels: Depth { first, count }, filters, u } => {
                    for place in 0..count {
                        let channel = (first + place, place, count);
                        convolution.transform_filter_row::<S, T, M, N>(s, group, row, channel, filters, u);
                    }
                }
                WinogradStep::Products {
                    row,
                    channels: Depth { first, count: depth },
                    count,
                    inputs,
                    v,
                    filters,
                    u,
                    products,
                    m,
                } => {
                    let matrices = row.map_or(0..N * N, |row| row * N..(row + 1) * N);
                    let start = matrices.start;
                    for p in matrices {
                        for panel in 0..GROUP / S::NR {
                            for tile in (0..count).step_by(ROWS) {
                                // While this block of inputs is multiplied with all panels of its
                                // matrix, the same block of the next matrix comes from the level-3
                                // cache, a part with each panel.
                                let part = ROWS * depth / (GROUP / S::NR);
                                let next = (p + 1) * inputs.stride + tile * channels + first * ROWS + panel * part;
                                for value in (0..part).step_by(LINE) {
                                    s.prefetch(v.wrapping_add(next + value));
                                }
                                s.gemm(Gemm {
                                    rows: ROWS.min(count - tile),
                                    cols: S::NR,
                                    depth,
                                    a: v.add(p * inputs.stride + tile * channels + first * ROWS),
                                    a_row: LINE,
                                    a_col: 1,
                                    a_line: LINE * ROWS,
                                    b: u.add((p - start) * filters.stride + panel * S::NR * depth),
                                    b_row: S::NR,
                                    c: m.add(p * products.stride + tile * GROUP + panel * S::NR),
                                    c_row: GROUP,
                                    accumulate: first > 0,
                                });
                            }
                        }
                    }
                }
                WinogradStep::Outputs { group, first, count, products, m } => {
                    for i in 0..count {
                        let place = convolution.place(M, first + i);
                        convolution.transform_output::<S, T, M, N>(s, place, group, products, m.add(i * GROUP));
                    }
                }
            }
        }
    }
}
