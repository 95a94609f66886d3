//! 3x3 convolution, stride 1, padding of 1, by Winograd's minimal filtering.
//!
//! `Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A` for every tile of `M x M` outputs, from `N x N` inputs, `N = M +
//! 2` (Lavin and Gray, CVPR 2016). The products over channels become `N²` matrix products `[tiles x
//! C] * [C x K]`.
//!
//! A convolution reads its input through a [`Source`] and writes its output through a [`Sink`],
//! which fuse bias, rectifier, pooling and masks. The gradient with respect to the input is the
//! same convolution, with the filters turned by 180 degrees and the two channel axes swapped.

mod filters;
mod step;

use std::ops::Range;

use rayon::prelude::*;

pub(crate) use filters::Filters;
use step::{Depth, Matrices, ROWS, WinogradStep};

use super::buffer::{LINE, Scratch};
use super::isa::{Isa, dispatch};
use super::simd::Simd;
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
}
