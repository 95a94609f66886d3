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
use winograd::{Convolution, F4};

/// 3x3 convolution of `source` with `filters`, `[channels_in][3][3][channels_out]`, into `sink`.
pub(crate) fn convolve<I: Source, O: Sink>(isa: Isa, source: I, sink: O, filters: &[f32], scratch: &mut Scratch) {
    dispatch!(isa, s => Convolution::run::<_, F4, 4, 6>(s, source, sink, filters, scratch));
}
