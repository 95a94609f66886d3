//! 3x3 convolution, stride 1, padding of 1, by Winograd's minimal filtering.
//!
//! `Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A` for every tile of `M x M` outputs, from `N x N` inputs, `N = M +
//! 2` (Lavin and Gray, CVPR 2016). The products over channels become `N²` matrix products `[tiles x
//! C] * [C x K]`.
//!
//! A convolution reads its input through a [`Source`] and writes its output through a [`Sink`],
//! which fuse bias, rectifier, pooling and masks. The gradient with respect to the input is the
//! same convolution, with the filters turned by 180 degrees and the two channel axes swapped.

use std::marker::PhantomData;
use std::ops::Range;

use rayon::prelude::*;

use super::buffer::{AlignedBuffer, LINE, Scratch};
use super::isa::{Isa, dispatch};
use super::simd::{Gemm, Kernel, Simd};
use super::transform::{F4, F6, F8, Transform};
use crate::padding::Padding;
use crate::plan::tile::WinogradTile;

/// Channels of a group: the columns of one product, and one 64-bit word of a mask.
pub(crate) const GROUP: usize = 64;

/// What a convolution reads in the row or column beyond its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Border {
    /// Zeros.
    Zero,
    /// The row or column at the other end: the map lies on a torus.
    Wrap,
}

impl Border {
    /// Returns what the convolutions behind the first one read beyond their maps.
    pub(crate) fn of_maps(padding: Padding) -> Self {
        match padding {
            Padding::Zero | Padding::Replicate => Self::Zero,
            Padding::Circular => Self::Wrap,
        }
    }

    /// Returns the index of the value that is read at `place` along an axis of `len` values. The
    /// values are at the places `1..=len`. `None` stands for zero. A tile may reach further beyond
    /// the end than any of its outputs inside the map needs. What is read there does not matter.
    #[inline(always)]
    fn index(self, place: usize, len: usize) -> Option<usize> {
        match place {
            _ if (1..=len).contains(&place) => Some(place - 1),
            0 if self == Border::Wrap => Some(len - 1),
            _ if self == Border::Wrap && place == len + 1 => Some(0),
            _ => None,
        }
    }
}

/// The input of a convolution: vectors of channels at a position.
pub(crate) trait Source: Sync {
    /// Returns height, width and channels of the whole map.
    fn shape(&self) -> [usize; 3];

    /// Returns the rows that are there. The other rows of the map read as zeros.
    fn rows(&self) -> Range<usize>;

    /// Returns what lies beyond the whole map.
    fn border(&self) -> Border;

    /// Reads `LANES` channels from `c` on at a position.
    ///
    /// # Safety
    /// `y` is one of the rows that are there, `x` within the map, `c + LANES` within its channels.
    unsafe fn load<S: Simd>(&self, s: S, y: usize, x: usize, c: usize) -> S::F;
}

/// The output of a convolution, tile by tile.
pub(crate) trait Sink: Sync {
    /// Returns height, width and channels of the whole output.
    fn shape(&self) -> [usize; 3];

    /// Returns the rows that are wanted.
    fn rows(&self) -> Range<usize>;

    /// Takes the vectors of channels `k..k + LANES` of the tile whose first output is at (`y`,
    /// `x`). Some of its rows and columns may not be wanted, or lie outside the map.
    ///
    /// # Safety
    /// `y` is a wanted row, a multiple of `M` behind the first of them. `x` is within the map and a
    /// multiple of `M`, and `k + LANES` is within its channels. No other call has the same tile and
    /// channels.
    unsafe fn store<S: Simd, const M: usize>(&self, s: S, y: usize, x: usize, k: usize, tile: &[[S::F; M]; M]);
}

/// Tiles that one thread takes through the steps of [`Convolution::tiles_outer`] at a time, a
/// multiple of [`ROWS`]. With fewer tiles, more of their matrices stay in the level-2 cache: 12
/// tiles with 256 channels fill 768 KiB in 8x8 matrices. But each chunk reads the filters again.
const TILES_PER_CHUNK: usize = 2 * ROWS;

/// Values of the transformed inputs in one round of [`Convolution::filters_outer`]. They have to
/// stay in the level-3 cache.
const ROUND: usize = 3 << 20;

/// Input channels whose filters [`Convolution::filters_outer`] transforms at a time. With 64
/// outputs, a row of matrices stays in the level-2 cache.
const FILTER_DEPTH: usize = 256;

/// Most values of transformed filters that are made all at once. Beyond that they are made group by
/// group where they are used. They are read from the level-3 cache for every chunk of tiles, and
/// virtual machines have little of it: with four times as many, 256 channels took a third longer.
const RESIDENT_FILTERS: usize = 64 * 128 * 128;

/// Rows of the products, in all matrices, up to which [`Convolution::channels_outer`] is the order
/// of work. Those of a group stay in the level-2 cache.
const FEW_MATRIX_ROWS: usize = 36 * 20;

/// Values of the transformed filters of a group that [`Convolution::channels_outer`] makes at a
/// time. They stay in the level-2 cache.
const GROUP_FILTERS: usize = 72 << 10;

/// Channels that the filters are asked for ahead of their transform.
const FILTERS_AHEAD: usize = 3;

/// Rows of a block of transformed inputs: as many as a register tile of the widest kernels has.
const ROWS: usize = 6;

/// Returns where the row of a tile is in a matrix of transformed inputs,
/// `[tiles / ROWS][C / LINE][ROWS][LINE]`. A register tile reads a block from start to end, and the
/// hardware's prefetchers follow.
fn input_row(tile: usize, channels: usize) -> usize {
    tile / ROWS * ROWS * channels + tile % ROWS * LINE
}

/// A row of `N²` matrices one after the other.
#[derive(Clone, Copy)]
struct Matrices {
    /// Values from the start of one matrix to that of the next.
    stride: usize,
}

impl Matrices {
    /// The stride is one cache line more than a matrix needs. Otherwise the vectors of one tile,
    /// `stride` apart, would share a cache set.
    fn new(rows: usize, columns: usize) -> Self {
        Self { stride: rows * columns + LINE }
    }
}

/// Input channels `first..first + count`.
#[derive(Clone, Copy)]
struct Depth {
    first: usize,
    count: usize,
}

/// The filters of a convolution as its transforms read them.
pub(crate) struct Filters {
    /// `[channels_out / GROUP][channels_in][9][GROUP]`
    values: AlignedBuffer,
    channels_in: usize,
    channels_out: usize,
}

impl Filters {
    /// Lays out filters. `filter` returns the 3x3 filter from an input channel to an output
    /// channel, row by row.
    ///
    /// # Panics
    /// If the channels are not multiples of [`GROUP`].
    pub(crate) fn new(
        channels_in: usize,
        channels_out: usize,
        filter: impl Fn(usize, usize) -> [f32; 9] + Sync,
    ) -> Self {
        assert!(channels_in.is_multiple_of(GROUP) && channels_out.is_multiple_of(GROUP));
        let mut values = AlignedBuffer::zeros(9 * channels_in * channels_out);
        values.par_chunks_mut(9 * GROUP).enumerate().for_each(|(block, out)| {
            let (group, c) = (block / channels_in, block % channels_in);
            for k in 0..GROUP {
                for (place, w) in filter(c, group * GROUP + k).into_iter().enumerate() {
                    out[place * GROUP + k] = w;
                }
            }
        });
        Self { values, channels_in, channels_out }
    }

    /// Returns where the 9 vectors of [`GROUP`] outputs of an input channel are.
    ///
    /// # Safety
    /// The group and the channel exist.
    #[inline(always)]
    unsafe fn at(&self, group: usize, c: usize) -> *const f32 {
        // SAFETY: the caller's promise.
        unsafe { self.values.as_ptr().add((group * self.channels_in + c) * 9 * GROUP) }
    }
}

/// The order in which a convolution goes through its tiles, its filters and its input channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WorkOrder {
    /// [`Convolution::tiles_outer`]
    Tiles,
    /// [`Convolution::filters_outer`]
    Filters,
    /// [`Convolution::channels_outer`]
    Channels,
}

impl WorkOrder {
    /// Returns the fastest order. `matrices`: `N²`. `tiles`: those of the whole map, because a band
    /// must have the bits of the whole.
    fn choose(matrices: usize, tiles: usize, channels_in: usize, channels_out: usize) -> Self {
        if matrices * tiles <= FEW_MATRIX_ROWS {
            Self::Channels
        } else if matrices * channels_in * channels_out <= RESIDENT_FILTERS {
            Self::Tiles
        } else {
            Self::Filters
        }
    }
}

/// 3x3 convolution of `source` with `filters` into the rows that `sink` wants, on the current rayon
/// pool. Tiles that begin where tiles of the whole map begin have the same bits.
pub(crate) fn convolve<I: Source, O: Sink>(
    tile: WinogradTile,
    isa: Isa,
    source: I,
    sink: O,
    filters: &Filters,
    scratch: &mut Scratch,
) {
    let ([height, width, _], side) = (source.shape(), tile as usize);
    let tiles = height.div_ceil(side) * width.div_ceil(side);
    let order = WorkOrder::choose((side + 2).pow(2), tiles, filters.channels_in, filters.channels_out);
    convolve_in(order, tile, isa, source, sink, filters, scratch);
}

/// [`convolve`] in an order of work.
pub(crate) fn convolve_in<I: Source, O: Sink>(
    order: WorkOrder,
    tile: WinogradTile,
    isa: Isa,
    source: I,
    sink: O,
    filters: &Filters,
    scratch: &mut Scratch,
) {
    let convolution = Convolution::new(source, sink, filters);
    match tile {
        WinogradTile::Four => dispatch!(isa, s => convolution.run::<_, F4, 4, 6>(s, order, scratch)),
        WinogradTile::Six => dispatch!(isa, s => convolution.run::<_, F6, 6, 8>(s, order, scratch)),
        WinogradTile::Eight => dispatch!(isa, s => convolution.run::<_, F8, 8, 10>(s, order, scratch)),
    }
}

/// A convolution that runs.
pub(crate) struct Convolution<'a, I, O> {
    source: I,
    sink: O,
    filters: &'a Filters,
    height: usize,
    width: usize,
    /// Rows of the output that are wanted.
    rows: Range<usize>,
    channels_in: usize,
    channels_out: usize,
}

/// One step of a convolution, on one thread. `v`, `u` and `m` are rows of `N²` matrices:
/// transformed inputs ([`input_row`]), transformed filters of a group as panels `[GROUP /
/// NR][depth][NR]`, and products `[tiles][GROUP]`. Of the filters, `u` may hold only one row of the
/// `N x N` matrices.
#[derive(Clone, Copy)]
enum WinogradStep {
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

impl<'a, I: Source, O: Sink> Convolution<'a, I, O> {
    /// A convolution of `source` with `filters` into `sink`.
    ///
    /// # Panics
    /// If the shapes do not fit each other.
    fn new(source: I, sink: O, filters: &'a Filters) -> Self {
        let ([height, width, channels_in], [sink_height, sink_width, channels_out]) = (source.shape(), sink.shape());
        assert_eq!((height, width), (sink_height, sink_width));
        assert_eq!((channels_in, channels_out), (filters.channels_in, filters.channels_out));
        let rows = sink.rows();
        assert!(rows.end <= height);
        Self { source, sink, filters, height, width, rows, channels_in, channels_out }
    }

    /// Convolves on the current rayon pool.
    fn run<S: Simd, T: Transform<M, N>, const M: usize, const N: usize>(
        &self,
        s: S,
        order: WorkOrder,
        scratch: &mut Scratch,
    ) {
        match order {
            WorkOrder::Tiles => self.tiles_outer::<S, T, M, N>(s, scratch),
            WorkOrder::Filters => self.filters_outer::<S, T, M, N>(s, scratch),
            WorkOrder::Channels => self.channels_outer::<S, T, M, N>(s, scratch),
        }
    }

    /// The order of work for few filters. First all filters are transformed, then every thread
    /// takes chunks of tiles through the other steps.
    fn tiles_outer<S: Simd, T: Transform<M, N>, const M: usize, const N: usize>(&self, s: S, scratch: &mut Scratch) {
        let tiles = self.tiles(M);
        if tiles == 0 {
            return;
        }
        // Every thread has about as many tiles as the others.
        let chunks = tiles.div_ceil(TILES_PER_CHUNK).next_multiple_of(rayon::current_num_threads());
        let chunk = tiles.div_ceil(chunks);
        let groups = self.channels_out / GROUP;
        let filters = Matrices::new(self.channels_in, GROUP);
        let inputs = Matrices::new(chunk.next_multiple_of(ROWS), self.channels_in);
        let products = Matrices::new(chunk, GROUP);
        let group_filters = N * N * filters.stride;
        let (shared, threads) = scratch.parts(groups * group_filters, N * N * (inputs.stride + products.stride));
        let channels = Depth { first: 0, count: self.channels_in };

        // SAFETY: no two tasks share filters, or a tile.
        unsafe {
            let parts = self.channels_in / LINE;
            (0..groups * parts).into_par_iter().for_each(|task| {
                let (group, part) = (task / parts, Depth { first: task % parts * LINE, count: LINE });
                let u = shared.at(group * group_filters);
                let step = WinogradStep::Filters { group, channels: part, panel: channels, filters, u };
                self.step::<S, T, M, N>(s, step);
            });
            (0..tiles.div_ceil(chunk)).into_par_iter().for_each(|task| {
                let first = task * chunk;
                let count = chunk.min(tiles - first);
                threads.with(|v| {
                    let m = v.add(N * N * inputs.stride);
                    self.step::<S, T, M, N>(s, WinogradStep::Inputs { first, count, inputs, v });
                    for group in 0..groups {
                        let u = shared.at(group * group_filters);
                        let row = None;
                        self.step::<S, T, M, N>(
                            s,
                            WinogradStep::Products { row, channels, count, inputs, v, filters, u, products, m },
                        );
                        self.step::<S, T, M, N>(s, WinogradStep::Outputs { group, first, count, products, m });
                    }
                });
            });
        }
    }

    /// The order of work for many filters. First the inputs of a round of tiles are transformed.
    /// Then every thread takes groups of filters, transforms them row of matrices by row of
    /// matrices, and multiplies each row with all tiles of the round.
    fn filters_outer<S: Simd, T: Transform<M, N>, const M: usize, const N: usize>(&self, s: S, scratch: &mut Scratch) {
        let tiles = self.tiles(M);
        if tiles == 0 {
            return;
        }
        let groups = self.channels_out / GROUP;
        let round = (ROUND / (N * N * self.channels_in)).clamp(1, tiles);
        // Enough tasks for every thread and no more, because each task transforms its filters
        // again.
        let part = round.div_ceil(rayon::current_num_threads().div_ceil(groups)).next_multiple_of(ROWS);
        let parts = round.div_ceil(part);
        let inputs = Matrices::new(round.next_multiple_of(ROWS), self.channels_in);
        let filters = Matrices::new(FILTER_DEPTH.min(self.channels_in), GROUP);
        let products = Matrices::new(part, GROUP);
        let (shared, threads) = scratch.parts(N * N * inputs.stride, N * filters.stride + N * N * products.stride);

        for start in (0..tiles).step_by(round) {
            let tiles = round.min(tiles - start);
            // SAFETY: no two tasks share a tile, or a tile and a group.
            unsafe {
                (0..tiles.div_ceil(ROWS)).into_par_iter().for_each(|task| {
                    let first = task * ROWS;
                    let (count, v) = (ROWS.min(tiles - first), shared.at(first * self.channels_in));
                    self.step::<S, T, M, N>(s, WinogradStep::Inputs { first: start + first, count, inputs, v });
                });
                (0..groups * parts).into_par_iter().for_each(|task| {
                    let (group, first) = (task / parts, task % parts * part);
                    let count = part.min(tiles.saturating_sub(first));
                    threads.with(|u| {
                        let m = u.add(N * filters.stride);
                        let v = shared.at(first * self.channels_in);
                        for row in 0..N {
                            for channel in (0..self.channels_in).step_by(FILTER_DEPTH) {
                                let channels =
                                    Depth { first: channel, count: FILTER_DEPTH.min(self.channels_in - channel) };
                                self.step::<S, T, M, N>(
                                    s,
                                    WinogradStep::FilterRow { group, row, channels, filters, u },
                                );
                                let row = Some(row);
                                self.step::<S, T, M, N>(
                                    s,
                                    WinogradStep::Products { row, channels, count, inputs, v, filters, u, products, m },
                                );
                            }
                        }
                        self.step::<S, T, M, N>(
                            s,
                            WinogradStep::Outputs { group, first: start + first, count, products, m },
                        );
                    });
                });
            }
        }
    }

    /// The order of work for few tiles. First all inputs are transformed. Then every thread takes
    /// groups of filters, transforms them for a few input channels at a time, and adds the products
    /// to those of the channels before.
    fn channels_outer<S: Simd, T: Transform<M, N>, const M: usize, const N: usize>(&self, s: S, scratch: &mut Scratch) {
        let tiles = self.tiles(M);
        if tiles == 0 {
            return;
        }
        let groups = self.channels_out / GROUP;
        let part = tiles.div_ceil(rayon::current_num_threads().div_ceil(groups)).next_multiple_of(ROWS);
        let parts = tiles.div_ceil(part);
        let depth = (GROUP_FILTERS / (N * N * GROUP) / LINE * LINE).clamp(LINE, self.channels_in);
        let inputs = Matrices::new(tiles.next_multiple_of(ROWS), self.channels_in);
        let filters = Matrices::new(depth, GROUP);
        let products = Matrices::new(part, GROUP);
        let (shared, threads) = scratch.parts(N * N * inputs.stride, N * N * (filters.stride + products.stride));
        // SAFETY: no two tasks share inputs, or a tile and a group.
        unsafe {
            (0..tiles.div_ceil(ROWS)).into_par_iter().for_each(|task| {
                let first = task * ROWS;
                let (count, v) = (ROWS.min(tiles - first), shared.at(first * self.channels_in));
                self.step::<S, T, M, N>(s, WinogradStep::Inputs { first, count, inputs, v });
            });
            (0..groups * parts).into_par_iter().for_each(|task| {
                let (group, first) = (task / parts, task % parts * part);
                let count = part.min(tiles - first);
                threads.with(|u| {
                    let m = u.add(N * N * filters.stride);
                    let v = shared.at(first * self.channels_in);
                    for channel in (0..self.channels_in).step_by(depth) {
                        let channels = Depth { first: channel, count: depth.min(self.channels_in - channel) };
                        let step = WinogradStep::Filters { group, channels, panel: channels, filters, u };
                        self.step::<S, T, M, N>(s, step);
                        let row = None;
                        self.step::<S, T, M, N>(
                            s,
                            WinogradStep::Products { row, channels, count, inputs, v, filters, u, products, m },
                        );
                    }
                    self.step::<S, T, M, N>(s, WinogradStep::Outputs { group, first, count, products, m });
                });
            });
        }
    }

    /// Returns the number of tiles in the rows that are wanted.
    fn tiles(&self, m: usize) -> usize {
        self.rows.len().div_ceil(m) * self.width.div_ceil(m)
    }

    /// Runs one step.
    ///
    /// # Safety
    /// The tiles, the group and the channels exist, the matrices have room for them, and no other
    /// thread touches what the step writes.
    unsafe fn step<S: Simd, T: Transform<M, N>, const M: usize, const N: usize>(&self, s: S, step: WinogradStep) {
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
