//! VGG-19: an image goes in, sums over its feature maps come out. Losses answer with how they
//! change with the features, and the gradient with respect to the image comes out.
//!
//! The engine knows no losses, no file names and no codecs. Its rooms, from the ground up:
//! - the ground floor: [`Layer`], [`Pooling`], [`Padding`], [`Image`], [`weights`]
//! - [`plan`]: what an evaluation takes, and how it is cut into bands of rows
//! - [`network`]: the seam between losses and whatever evaluates the network
//! - [`cpu`]: the CPU behind the seam, and the only unsafe code of the program
//! - `gpu`: a graphics card behind the seam, with the feature `gpu`
//!
//! ```
//! use std::sync::Arc;
//!
//! use impasto_engine::cpu::{CpuBackend, Isa};
//! use impasto_engine::network::{Backend, Changes, StyleChange, StyleTerm, WorkspaceSpec};
//! use impasto_engine::weights::Weights;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let weights = Arc::new(Weights::from_static(impasto_weights::VGG19)?);
//! let backend = CpuBackend::new(weights, Isa::select()?);
//! let term = StyleTerm { layer: "relu2_1".parse()?, means: false, window: None, weights: None };
//! let mut workspace = backend.workspace(WorkspaceSpec { styles: vec![term], ..WorkspaceSpec::new(24, 16) })?;
//!
//! // The loss `½ Σ f·f` at relu2_1 has the gradient `f`, so `S` is the identity.
//! let image = vec![128.0; 3 * 24 * 16];
//! let sums = workspace.forward(&image)?;
//! let channels = sums[0].channels();
//! let loss: f64 = (0..channels).map(|c| 0.5 * sums[0].products[c * channels + c]).sum();
//! let mut s = vec![0.0; channels * channels];
//! s.iter_mut().step_by(channels + 1).for_each(|v| *v = 1.0);
//! let changes = Changes { styles: vec![StyleChange { s: &s, b: &[] }], ..Changes::default() };
//! let mut gradient = vec![0.0; image.len()];
//! workspace.backward(&image, &changes, &mut gradient)?;
//! assert!(loss > 0.0 && gradient.iter().any(|&g| g != 0.0));
//! # Ok(())
//! # }
//! ```

pub mod cpu;
#[cfg(feature = "gpu")]
pub mod gpu;
mod layer;
pub mod network;
pub mod ordered_sum;
mod padding;
pub mod plan;
mod pooling;
mod tensor;
pub mod weights;
mod words;

#[cfg(test)]
#[path = "../tests/reference/mod.rs"]
mod reference;

pub use layer::{CONVOLUTIONS, Layer, LayerKind, ParseLayerError};
pub use padding::Padding;
pub use pooling::Pooling;
pub use tensor::Image;
pub use words::UnknownWord;
