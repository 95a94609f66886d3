//! The kernels: the only unsafe code of the program.
//!
//! An algorithm is written once, over the operations of [`simd::Simd`]. A thin file for each
//! instruction set implements these operations. Everything that leaves this module is safe to call,
//! because a kernel checks the shapes of its arguments before it begins.
#![allow(unsafe_code, reason = "vector instructions, and disjoint writes from several threads")]

pub(crate) mod buffer;
pub(crate) mod feature_map;
pub(crate) mod first_layer;
mod gemm;
pub(crate) mod gram;
pub(crate) mod isa;
pub(crate) mod maps;
pub(crate) mod matches;
mod portable;
mod simd;
pub(crate) mod transform;
pub(crate) mod winograd;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;

#[cfg(test)]
mod tests;
