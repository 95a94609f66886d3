//! The kernels: the only place in the workspace with `unsafe`.
//!
//! Algorithms are written once over [`simd::Simd`]; a file per instruction set holds its vector operations. Everything that leaves
//! this module is safe to call: shapes are checked where a kernel is entered.
#![allow(unsafe_code, reason = "vector instructions, and disjoint writes from several threads")]

pub(crate) mod buffer;
pub(crate) mod feature_map;
pub(crate) mod first_layer;
mod gemm;
pub(crate) mod gram;
pub(crate) mod isa;
pub(crate) mod maps;
mod portable;
mod simd;
mod transform;
pub(crate) mod winograd;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;

#[cfg(test)]
mod tests;
