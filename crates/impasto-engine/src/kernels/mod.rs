//! The kernels: the only place in the workspace with `unsafe`.
//!
//! Algorithms are written once over [`simd::Simd`]; a file per instruction set holds its vector operations. Everything that leaves
//! this module is safe to call: shapes are checked where a kernel is entered.
#![allow(unsafe_code, reason = "vector instructions, and disjoint writes from several threads")]

mod buffer;
mod first_layer;
mod gemm;
mod gram;
mod isa;
mod maps;
mod portable;
mod simd;
mod transform;
mod winograd;

#[cfg(test)]
mod tests;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;

pub(crate) use buffer::{AlignedBuffer, Scratch};
pub(crate) use first_layer::{FirstLayer, PADDED_CHANNELS};
pub(crate) use gram::{gram, gram_gradient};
pub use isa::{Isa, IsaError};
pub(crate) use maps::{GradientSink, MapSink, MapSource, Mask, PoolSink, Rows, UnpoolSource, WINDOW};
pub(crate) use winograd::{Border, Filters, Sink, Source};

use isa::dispatch;
use transform::{F4, F6, F8};
use winograd::{Convolution, GROUP};

/// Side of the tiles that a convolution works in: larger ones need fewer multiplications, and lose more bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tile {
    /// 4x4 outputs.
    Four = 4,
    /// 6x6 outputs.
    Six = 6,
    /// 8x8 outputs.
    Eight = 8,
}

impl Tile {
    /// The fastest one up to `largest` for a map of this size and these channels.
    pub(crate) fn choose(largest: Tile, height: usize, width: usize, channels_in: usize, channels_out: usize) -> Self {
        // The transformed filters of 64 to 64 channels fit the level-2 cache in 6x6 matrices, but not in larger ones.
        let largest = if channels_in * channels_out <= GROUP * GROUP { Tile::Four } else { largest };
        // Multiplications for a pair of channels: those of the tiles, and what transforming the filter costs as much as.
        let cost = |tile: &Tile| {
            let m = *tile as usize;
            (m + 2).pow(2) * (height.div_ceil(m) * width.div_ceil(m) + FILTER_TRANSFORM)
        };
        let tiles = [Tile::Four, Tile::Six, Tile::Eight].into_iter().filter(|&tile| tile <= largest);
        tiles.min_by_key(cost).unwrap_or(Tile::Four)
    }
}

/// Tiles whose products take as long as the transform of the filters they are multiplied with.
const FILTER_TRANSFORM: usize = 4;

/// 3x3 convolution of `source` with `filters` into the rows that `sink` wants. Tiles that begin where those of the whole map do have their
/// bits.
pub(crate) fn convolve<I: Source, O: Sink>(
    tile: Tile,
    isa: Isa,
    source: I,
    sink: O,
    filters: &Filters,
    scratch: &mut Scratch,
) {
    match tile {
        Tile::Four => dispatch!(isa, s => Convolution::run::<_, F4, 4, 6>(s, source, sink, filters, scratch)),
        Tile::Six => dispatch!(isa, s => Convolution::run::<_, F6, 6, 8>(s, source, sink, filters, scratch)),
        Tile::Eight => dispatch!(isa, s => Convolution::run::<_, F8, 8, 10>(s, source, sink, filters, scratch)),
    }
}
