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
pub(crate) use maps::{GradientSink, MapSink, MapSource, Mask, PoolSink, UnpoolSource, WINDOW};
pub(crate) use winograd::{Sink, Source};

use isa::dispatch;
use winograd::{Convolution, F4, F6, GROUP};

/// Side of the tiles that a convolution works in: larger ones need fewer multiplications, and lose more bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tile {
    /// 4x4 outputs.
    Four,
    /// 6x6 outputs.
    Six,
}

impl Tile {
    /// The faster one for a map of this size and these channels.
    fn choose(height: usize, width: usize, channels_in: usize, channels_out: usize) -> Self {
        // The transformed filters of 64 to 64 channels fit the level-2 cache in 6x6 matrices, but not in 8x8.
        if channels_in * channels_out <= GROUP * GROUP {
            return Tile::Four;
        }
        // Multiplications for a pair of channels: those of the tiles, and what transforming the filter costs as much as.
        let cost = |m: usize| (m + 2).pow(2) * (height.div_ceil(m) * width.div_ceil(m) + FILTER_TRANSFORM);
        if cost(6) < cost(4) { Tile::Six } else { Tile::Four }
    }
}

/// Tiles whose products take as long as the transform of the filters they are multiplied with.
const FILTER_TRANSFORM: usize = 4;

/// 3x3 convolution of `source` with `filters`, `[channels_in][3][3][channels_out]`, into `sink`.
pub(crate) fn convolve<I: Source, O: Sink>(isa: Isa, source: I, sink: O, filters: &[f32], scratch: &mut Scratch) {
    let ([height, width, channels_in], [.., channels_out]) = (source.shape(), sink.shape());
    convolve_in(Tile::choose(height, width, channels_in, channels_out), isa, source, sink, filters, scratch);
}

/// [`convolve`] in tiles of a given side.
fn convolve_in<I: Source, O: Sink>(tile: Tile, isa: Isa, source: I, sink: O, filters: &[f32], scratch: &mut Scratch) {
    match tile {
        Tile::Four => dispatch!(isa, s => Convolution::run::<_, F4, 4, 6>(s, source, sink, filters, scratch)),
        Tile::Six => dispatch!(isa, s => Convolution::run::<_, F6, 6, 8>(s, source, sink, filters, scratch)),
    }
}
