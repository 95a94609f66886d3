//! 3x3 convolution, stride 1, zero padding of 1, by Winograd's minimal filtering.
//!
//! `Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A` for every tile of `M x M` outputs, from `N x N` inputs, `N = M + 2` (Lavin & Gray, CVPR 2016).
//! The products over channels become `N²` matrix products `[tiles x C] * [C x K]`.
//!
//! A convolution's input comes through a [`Source`], its output goes into a [`Sink`]: bias, rectifier, pooling and masks are fused
//! there, so that no map is walked twice. The gradient with respect to the input is the same convolution with the filters turned by
//! 180 degrees and the two channel axes swapped.

use std::marker::PhantomData;

use rayon::prelude::*;

use super::buffer::{LINE, Scratch};
use super::gemm::Gemm;
use super::simd::{Kernel, Simd};

/// Channels come in groups of this many: the columns of one product, and one 64-bit word of a mask.
pub(crate) const GROUP: usize = 64;

/// Where a convolution reads its input: vectors of channels at a position.
pub(crate) trait Source: Sync {
    /// Height, width and channels.
    fn shape(&self) -> [usize; 3];

    /// # Safety
    /// `y`, `x` are within the map, `c + LANES` within its channels.
    unsafe fn load<S: Simd>(&self, s: S, y: usize, x: usize, c: usize) -> S::F;
}

/// Where a convolution's results go, tile by tile.
pub(crate) trait Sink: Sync {
    /// Height, width and channels of the convolution's output.
    fn shape(&self) -> [usize; 3];

    /// Takes the vectors of channels `k..k + LANES` of the tile whose first output is at (`y`, `x`), rows and columns that lie
    /// outside the map included.
    ///
    /// # Safety
    /// `y`, `x` are within the map and multiples of `M`, `k + LANES` within its channels; no other call has the same tile and channels.
    unsafe fn store<S: Simd, const M: usize>(&self, s: S, y: usize, x: usize, k: usize, tile: &[[S::F; M]; M]);
}

/// The one-dimensional transforms of `F(M, 3)`; two-dimensional ones apply them to columns, then to rows.
pub(crate) trait Transform<const M: usize, const N: usize> {
    /// `Bᵀ d`
    fn input<S: Simd>(s: S, d: [S::F; N]) -> [S::F; N];
    /// `G g`
    fn filter<S: Simd>(s: S, g: [S::F; 3]) -> [S::F; N];
    /// `Aᵀ m`
    fn output<S: Simd>(s: S, m: [S::F; N]) -> [S::F; M];
}

/// F(4, 3) on the points 0, `±P`, `±Q` and infinity: 2.25 multiplications an output instead of 9.
///
/// With `P = 1`, `Q = 2` it is the transform of Lavin & Gray; these points lose fewer bits (docs/numerics.md).
pub(crate) struct F4;

impl F4 {
    const P: f32 = std::f32::consts::FRAC_1_SQRT_2;
    const Q: f32 = std::f32::consts::SQRT_2;
    /// Exact, which `P * P` is not.
    const P2: f32 = 0.5;
    /// Exact, which `Q * Q` is not.
    const Q2: f32 = 2.0;
}

impl Transform<4, 6> for F4 {
    #[inline(always)]
    fn input<S: Simd>(s: S, d: [S::F; 6]) -> [S::F; 6] {
        let (p, q, p2, q2) = (s.splat(Self::P), s.splat(Self::Q), s.splat(Self::P2), s.splat(Self::Q2));
        let (sum, product) = (s.splat(Self::P2 + Self::Q2), s.splat(Self::P2 * Self::Q2));
        let (even_p, odd_p) = (s.neg_mul_add(q2, d[2], d[4]), s.neg_mul_add(q2, d[1], d[3]));
        let (even_q, odd_q) = (s.neg_mul_add(p2, d[2], d[4]), s.neg_mul_add(p2, d[1], d[3]));
        [
            s.mul_add(product, d[0], s.neg_mul_add(sum, d[2], d[4])),
            s.mul_add(p, odd_p, even_p),
            s.neg_mul_add(p, odd_p, even_p),
            s.mul_add(q, odd_q, even_q),
            s.neg_mul_add(q, odd_q, even_q),
            s.mul_add(product, d[1], s.neg_mul_add(sum, d[3], d[5])),
        ]
    }

    #[inline(always)]
    fn filter<S: Simd>(s: S, g: [S::F; 3]) -> [S::F; 6] {
        let norm_p = 1.0 / (2.0 * Self::P2 * (Self::P2 - Self::Q2));
        let norm_q = 1.0 / (2.0 * Self::Q2 * (Self::Q2 - Self::P2));
        let even_p = s.mul_add(s.splat(norm_p * Self::P2), g[2], s.mul(s.splat(norm_p), g[0]));
        let even_q = s.mul_add(s.splat(norm_q * Self::Q2), g[2], s.mul(s.splat(norm_q), g[0]));
        let (odd_p, odd_q) = (s.splat(norm_p * Self::P), s.splat(norm_q * Self::Q));
        [
            s.mul(s.splat(1.0 / (Self::P2 * Self::Q2)), g[0]),
            s.mul_add(odd_p, g[1], even_p),
            s.neg_mul_add(odd_p, g[1], even_p),
            s.mul_add(odd_q, g[1], even_q),
            s.neg_mul_add(odd_q, g[1], even_q),
            g[2],
        ]
    }

    #[inline(always)]
    fn output<S: Simd>(s: S, m: [S::F; 6]) -> [S::F; 4] {
        let (sum_p, odd_p) = (s.add(m[1], m[2]), s.mul(s.splat(Self::P), s.sub(m[1], m[2])));
        let (sum_q, odd_q) = (s.add(m[3], m[4]), s.mul(s.splat(Self::Q), s.sub(m[3], m[4])));
        let (p2, q2) = (s.splat(Self::P2), s.splat(Self::Q2));
        [
            s.add(m[0], s.add(sum_p, sum_q)),
            s.add(odd_p, odd_q),
            s.mul_add(p2, sum_p, s.mul(q2, sum_q)),
            s.mul_add(p2, odd_p, s.mul_add(q2, odd_q, m[5])),
        ]
    }
}

/// F(6, 3) on the points 0, ±1/2, ±1, ±2 and infinity: 1.78 multiplications an output.
pub(crate) struct F6;

impl F6 {
    /// The points above 0.
    const POINTS: [f32; 3] = [0.5, 1.0, 2.0];

    const SQUARES: [f64; 3] = [0.25, 1.0, 4.0];

    /// Sum and product of the squares of the two points besides point `i`.
    const fn others(i: usize) -> (f64, f64) {
        let (a, b) = (Self::SQUARES[(i + 1) % 3], Self::SQUARES[(i + 2) % 3]);
        (a + b, a * b)
    }

    /// Elementary symmetric polynomials of the squares.
    const SYMMETRIC: [f32; 3] = {
        let [p, q, r] = Self::SQUARES;
        [(p + q + r) as f32, (p * q + p * r + q * r) as f32, (p * q * r) as f32]
    };
}

impl Transform<6, 8> for F6 {
    #[inline(always)]
    fn input<S: Simd>(s: S, d: [S::F; 8]) -> [S::F; 8] {
        let [e1, e2, e3] = Self::SYMMETRIC;
        let (e1, e2, e3) = (s.splat(e1), s.splat(e2), s.splat(e3));
        let mut out = d;
        // x^6 - e1 x^4 + e2 x^2 - e3, and the same times x
        out[0] = s.neg_mul_add(e3, d[0], s.mul_add(e2, d[2], s.neg_mul_add(e1, d[4], d[6])));
        out[7] = s.neg_mul_add(e3, d[1], s.mul_add(e2, d[3], s.neg_mul_add(e1, d[5], d[7])));
        for i in 0..3 {
            let (sum, product) = Self::others(i);
            let (sum, product, point) = (s.splat(sum as f32), s.splat(product as f32), s.splat(Self::POINTS[i]));
            let even = s.mul_add(product, d[2], s.neg_mul_add(sum, d[4], d[6]));
            let odd = s.mul_add(product, d[1], s.neg_mul_add(sum, d[3], d[5]));
            out[1 + 2 * i] = s.mul_add(point, odd, even);
            out[2 + 2 * i] = s.neg_mul_add(point, odd, even);
        }
        out
    }

    #[inline(always)]
    fn filter<S: Simd>(s: S, g: [S::F; 3]) -> [S::F; 8] {
        let mut out = [g[2]; 8];
        out[0] = s.mul(s.splat(-1.0 / Self::SYMMETRIC[2]), g[0]);
        for i in 0..3 {
            let (sum, product) = Self::others(i);
            let square = Self::SQUARES[i];
            let norm = 1.0 / (2.0 * square * (square * square - sum * square + product));
            let even = s.mul_add(s.splat((norm * square) as f32), g[2], s.mul(s.splat(norm as f32), g[0]));
            let odd = s.splat((norm * f64::from(Self::POINTS[i])) as f32);
            out[1 + 2 * i] = s.mul_add(odd, g[1], even);
            out[2 + 2 * i] = s.neg_mul_add(odd, g[1], even);
        }
        out
    }

    #[inline(always)]
    fn output<S: Simd>(s: S, m: [S::F; 8]) -> [S::F; 6] {
        let mut out = [m[0], s.splat(0.0), s.splat(0.0), s.splat(0.0), s.splat(0.0), m[7]];
        for i in 0..3 {
            let sum = s.add(m[1 + 2 * i], m[2 + 2 * i]);
            let odd = s.mul(s.splat(Self::POINTS[i]), s.sub(m[1 + 2 * i], m[2 + 2 * i]));
            let square = Self::SQUARES[i];
            let (square, fourth) = (s.splat(square as f32), s.splat((square * square) as f32));
            out[0] = s.add(out[0], sum);
            out[1] = s.add(out[1], odd);
            out[2] = s.mul_add(square, sum, out[2]);
            out[3] = s.mul_add(square, odd, out[3]);
            out[4] = s.mul_add(fourth, sum, out[4]);
            out[5] = s.mul_add(fourth, odd, out[5]);
        }
        out
    }
}

/// Tiles that one thread takes through the stages at a time, a multiple of the rows of a register tile. The fewer, the more of their
/// matrices stay in the level-2 cache (12 with 256 channels fill 768 KiB in 8x8 matrices); but each chunk reads the filters anew, which
/// counts where those are in the level-3 cache.
fn tiles_per_chunk(channels: usize) -> usize {
    if channels <= 256 { 12 } else { 24 }
}

/// Tiles of one round of [`Convolution::filters_outer`], whose transformed inputs are to stay in the L3 cache.
const TILES_PER_ROUND: usize = 256;

/// Transformed filters of more values than this are made group by group where they are used, instead of all at once.
const RESIDENT_FILTERS: usize = 64 * 256 * 256;

/// A row of `N²` matrices one after the other.
#[derive(Clone, Copy)]
struct Matrices {
    /// From the start of one matrix to that of the next.
    stride: usize,
}

impl Matrices {
    /// One more cache line than the matrix needs: the vectors of one tile, `stride` apart, would otherwise share a cache set.
    fn new(rows: usize, columns: usize) -> Self {
        Self { stride: rows * columns + LINE }
    }
}

/// From one matrix of transformed filters to the next. One more cache line than the matrix needs, as in [`Matrices::new`]: at a
/// power of two, the places that a filter is written to would share one set of the level-2 cache.
fn filter_stride(channels_in: usize) -> usize {
    channels_in * GROUP + LINE
}

/// A convolution to be run.
pub(crate) struct Convolution<'a, I, O> {
    source: I,
    sink: O,
    /// `[channels_in][3][3][channels_out]`
    filters: &'a [f32],
    height: usize,
    width: usize,
    channels_in: usize,
    channels_out: usize,
}

/// One stage of a convolution, on one thread. `v`, `u` and `m` are rows of `N²` matrices: transformed inputs `[tiles][C]`,
/// transformed filters of a group as panels `[GROUP / NR][C][NR]`, and products `[tiles][GROUP]`.
#[derive(Clone, Copy)]
enum Stage {
    /// Transforms the inputs of `count` tiles, in raster order from `first` on.
    Inputs { first: usize, count: usize, inputs: Matrices, v: *mut f32 },
    /// Transforms the filters of `group` for `count` input channels from `first` on.
    Filters { group: usize, first: usize, count: usize, u: *mut f32 },
    /// `m = v * u` for `count` tiles.
    Products { count: usize, inputs: Matrices, v: *const f32, u: *const f32, products: Matrices, m: *mut f32 },
    /// Transforms the products of `count` tiles back and hands them to the sink.
    Outputs { group: usize, first: usize, count: usize, products: Matrices, m: *const f32 },
}

impl<'a, I: Source, O: Sink> Convolution<'a, I, O> {
    /// Convolves `source` with `filters`, `[channels_in][3][3][channels_out]`, into `sink`, on the current rayon pool.
    ///
    /// # Panics
    /// If the shapes do not fit each other, or channels are no multiple of [`GROUP`].
    pub(crate) fn run<S: Simd, T: Transform<M, N>, const M: usize, const N: usize>(
        s: S,
        source: I,
        sink: O,
        filters: &'a [f32],
        scratch: &mut Scratch,
    ) {
        Self::run_with::<S, T, M, N>(s, source, sink, filters, scratch, RESIDENT_FILTERS);
    }

    /// [`Convolution::run`] with another bound than [`RESIDENT_FILTERS`].
    pub(crate) fn run_with<S: Simd, T: Transform<M, N>, const M: usize, const N: usize>(
        s: S,
        source: I,
        sink: O,
        filters: &'a [f32],
        scratch: &mut Scratch,
        resident_filters: usize,
    ) {
        let ([height, width, channels_in], [sink_height, sink_width, channels_out]) = (source.shape(), sink.shape());
        assert_eq!((height, width), (sink_height, sink_width));
        assert!(channels_in.is_multiple_of(GROUP) && channels_out.is_multiple_of(GROUP));
        assert_eq!(filters.len(), 9 * channels_in * channels_out);
        let convolution = Self { source, sink, filters, height, width, channels_in, channels_out };
        if N * N * channels_in * channels_out <= resident_filters {
            convolution.tiles_outer::<S, T, M, N>(s, scratch);
        } else {
            convolution.filters_outer::<S, T, M, N>(s, scratch);
        }
    }

    /// For few filters: they are transformed first, all of them; then every thread takes chunks of tiles through the other stages.
    fn tiles_outer<S: Simd, T: Transform<M, N>, const M: usize, const N: usize>(&self, s: S, scratch: &mut Scratch) {
        let tiles = self.tiles(M);
        let chunk = tiles_per_chunk(self.channels_in).min(tiles);
        let groups = self.channels_out / GROUP;
        let panel = N * N * filter_stride(self.channels_in);
        let inputs = Matrices::new(chunk, self.channels_in);
        let products = Matrices::new(chunk, GROUP);
        let (shared, threads) = scratch.parts(groups * panel, N * N * (inputs.stride + products.stride));

        // SAFETY: no two tasks share filters, or a tile.
        unsafe {
            let parts = self.channels_in / LINE;
            (0..groups * parts).into_par_iter().for_each(|task| {
                let (group, first) = (task / parts, task % parts * LINE);
                let u = shared.at(group * panel);
                self.stage::<S, T, M, N>(s, Stage::Filters { group, first, count: LINE, u });
            });
            (0..tiles.div_ceil(chunk)).into_par_iter().for_each(|task| {
                let first = task * chunk;
                let count = chunk.min(tiles - first);
                threads.with(|v| {
                    let m = v.add(N * N * inputs.stride);
                    self.stage::<S, T, M, N>(s, Stage::Inputs { first, count, inputs, v });
                    for group in 0..groups {
                        let u = shared.at(group * panel);
                        self.stage::<S, T, M, N>(s, Stage::Products { count, inputs, v, u, products, m });
                        self.stage::<S, T, M, N>(s, Stage::Outputs { group, first, count, products, m });
                    }
                });
            });
        }
    }

    /// For many filters: the inputs of a round of tiles are transformed first; then every thread takes groups of filters,
    /// transforms them for itself, and takes the tiles of the round through the other stages.
    fn filters_outer<S: Simd, T: Transform<M, N>, const M: usize, const N: usize>(&self, s: S, scratch: &mut Scratch) {
        let tiles = self.tiles(M);
        let groups = self.channels_out / GROUP;
        let round = TILES_PER_ROUND.min(tiles);
        let chunk = tiles_per_chunk(self.channels_in).min(tiles);
        let panel = N * N * filter_stride(self.channels_in);
        let inputs = Matrices::new(round, self.channels_in);
        let products = Matrices::new(chunk, GROUP);
        let (shared, threads) = scratch.parts(N * N * inputs.stride, panel + N * N * products.stride);

        // Enough tasks for every thread, and no more: each transforms its filters anew.
        let parts = (2 * rayon::current_num_threads()).div_ceil(groups);
        for start in (0..tiles).step_by(round) {
            let tiles = round.min(tiles - start);
            let part = tiles.div_ceil(parts);
            // SAFETY: no two tasks share a tile, or a tile and a group.
            unsafe {
                (0..tiles.div_ceil(8)).into_par_iter().for_each(|task| {
                    let first = task * 8;
                    let (count, v) = (8.min(tiles - first), shared.at(first * self.channels_in));
                    self.stage::<S, T, M, N>(s, Stage::Inputs { first: start + first, count, inputs, v });
                });
                (0..groups * parts).into_par_iter().for_each(|task| {
                    let (group, part) = (task / parts, task % parts * part..tiles.min((task % parts + 1) * part));
                    threads.with(|u| {
                        let m = u.add(panel);
                        self.stage::<S, T, M, N>(s, Stage::Filters { group, first: 0, count: self.channels_in, u });
                        for tile in part.clone().step_by(chunk) {
                            let count = chunk.min(part.end - tile);
                            let v = shared.at(tile * self.channels_in);
                            self.stage::<S, T, M, N>(s, Stage::Products { count, inputs, v, u, products, m });
                            self.stage::<S, T, M, N>(
                                s,
                                Stage::Outputs { group, first: start + tile, count, products, m },
                            );
                        }
                    });
                });
            }
        }
    }

    /// Tiles of the whole map.
    fn tiles(&self, m: usize) -> usize {
        self.height.div_ceil(m) * self.width.div_ceil(m)
    }

    /// Runs one stage.
    ///
    /// # Safety
    /// The tiles, the group and the channels exist, the matrices have room for them, and what the stage writes is this thread's alone.
    unsafe fn stage<S: Simd, T: Transform<M, N>, const M: usize, const N: usize>(&self, s: S, stage: Stage) {
        s.vectorize(StageKernel::<_, T, M, N> { convolution: self, stage, transform: PhantomData });
    }

    /// Row and column of a tile's first output.
    #[inline(always)]
    fn place(&self, m: usize, tile: usize) -> (usize, usize) {
        let across = self.width.div_ceil(m);
        (tile / across * m, tile % across * m)
    }

    #[inline(always)]
    unsafe fn transform_input<S: Simd, T: Transform<M, N>, const M: usize, const N: usize>(
        &self,
        s: S,
        (y, x): (usize, usize),
        inputs: Matrices,
        v: *mut f32,
    ) {
        // The inputs begin one row above and one column left of the first output, so `y + i` is one more than the row.
        let inside = y >= 1 && x >= 1 && y + N <= self.height + 1 && x + N <= self.width + 1;
        let zero = s.splat(0.0);
        for c in (0..self.channels_in).step_by(S::LANES) {
            let mut half = [[zero; N]; N];
            for j in 0..N {
                let mut d = [zero; N];
                for i in 0..N {
                    if inside || (1..=self.height).contains(&(y + i)) && (1..=self.width).contains(&(x + j)) {
                        // SAFETY: the position was just found to be inside.
                        d[i] = unsafe { self.source.load(s, y + i - 1, x + j - 1, c) };
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
                    unsafe { s.store(v.add((i * N + j) * inputs.stride + c), row[j]) };
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn transform_filter<S: Simd, T: Transform<M, N>, const M: usize, const N: usize>(
        &self,
        s: S,
        group: usize,
        c: usize,
        u: *mut f32,
    ) {
        let zero = s.splat(0.0);
        for k in (0..GROUP).step_by(S::LANES) {
            // SAFETY: channel, group and the vector in it are inside the filters and the matrices.
            unsafe {
                let g = self.filters.as_ptr().add(9 * c * self.channels_out + group * GROUP + k);
                let mut half = [[zero; 3]; N];
                for j in 0..3 {
                    let mut column = [zero; 3];
                    for i in 0..3 {
                        column[i] = s.load(g.add((3 * i + j) * self.channels_out));
                    }
                    let column = T::filter(s, column);
                    for i in 0..N {
                        half[i][j] = column[i];
                    }
                }
                let u = u.add((k / S::NR * self.channels_in + c) * S::NR + k % S::NR);
                for i in 0..N {
                    let row = T::filter(s, half[i]);
                    for j in 0..N {
                        let place = u.add((i * N + j) * filter_stride(self.channels_in));
                        s.store(place, row[j]);
                        // More places than a hardware prefetcher follows.
                        s.prefetch_for_writing(place.wrapping_add(2 * S::NR));
                    }
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

/// A stage as a [`Kernel`].
struct StageKernel<'a, C, T, const M: usize, const N: usize> {
    convolution: &'a C,
    stage: Stage,
    transform: PhantomData<T>,
}

impl<I: Source, O: Sink, T: Transform<M, N>, const M: usize, const N: usize> Kernel
    for StageKernel<'_, Convolution<'_, I, O>, T, M, N>
{
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let convolution = self.convolution;
        let channels = convolution.channels_in;
        // SAFETY: the promises of [`Convolution::stage`], which alone makes these.
        unsafe {
            match self.stage {
                Stage::Inputs { first, count, inputs, v } => {
                    for i in 0..count {
                        let place = convolution.place(M, first + i);
                        convolution.transform_input::<S, T, M, N>(s, place, inputs, v.add(i * channels));
                    }
                }
                Stage::Filters { group, first, count, u } => {
                    for c in first..first + count {
                        convolution.transform_filter::<S, T, M, N>(s, group, c, u);
                    }
                }
                Stage::Products { count, inputs, v, u, products, m } => {
                    for p in 0..N * N {
                        for panel in 0..GROUP / S::NR {
                            s.gemm(Gemm {
                                rows: count,
                                cols: S::NR,
                                depth: channels,
                                a: v.add(p * inputs.stride),
                                a_row: channels,
                                a_col: 1,
                                b: u.add(p * filter_stride(channels) + panel * S::NR * channels),
                                b_row: S::NR,
                                c: m.add(p * products.stride + panel * S::NR),
                                c_row: GROUP,
                                accumulate: false,
                            });
                        }
                    }
                }
                Stage::Outputs { group, first, count, products, m } => {
                    for i in 0..count {
                        let place = convolution.place(M, first + i);
                        convolution.transform_output::<S, T, M, N>(s, place, group, products, m.add(i * GROUP));
                    }
                }
            }
        }
    }
}
