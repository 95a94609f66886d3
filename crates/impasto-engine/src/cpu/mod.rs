//! The CPU as a backend: Winograd convolutions in f32 with fused rectifiers, poolings and masks.
//!
//! [`backend`](CpuBackend) makes workspaces; a workspace (`workspace`) turns terms into sums and
//! gradients at single layers (`style_work`, `content_work`, `match_work`); an `evaluator` takes an
//! image through the parts of its layout; a `stage` is some consecutive convolutions with their
//! memory; `kernels` compute. Only `kernels` has unsafe code, and only `kernels` knows instruction
//! sets.

mod backend;
mod content_work;
mod elementwise;
mod evaluator;
mod feature_file;
#[doc(hidden)]
pub mod internals;
pub(crate) mod kernels;
mod match_work;
mod packed_filters;
mod padded_image;
mod stage;
mod strip;
mod style_work;
mod term_positions;
mod workspace;

#[cfg(test)]
mod tests;

pub use backend::CpuBackend;
pub use kernels::isa::{Isa, IsaError};
