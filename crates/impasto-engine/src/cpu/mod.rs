//! The network on the CPU.

mod elementwise;
pub mod evaluator;
mod feature_file;
pub mod gram;
#[doc(hidden)]
pub mod internals;
mod kernels;
pub mod packed_filters;
mod padded_image;
mod stage;
mod strip;

pub use kernels::feature_map::FeatureMap;
pub use kernels::isa::{Isa, IsaError};
pub use stage::LayerTime;
