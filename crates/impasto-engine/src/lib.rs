//! VGG-19 on the CPU: an image goes in, feature maps come out; gradients of any loss on those maps go in, the gradient with
//! respect to the image comes out. No files, no codecs, no losses.

mod elementwise;
mod kernels;
mod layer;
mod padding;
mod pooling;
mod tensor;
mod vgg19;

#[cfg(test)]
#[path = "../tests/reference/mod.rs"]
mod reference;

pub mod gram;
#[doc(hidden)]
pub mod internals;
pub mod weights;

pub use kernels::{Isa, IsaError};
pub use layer::{CONVOLUTIONS, Layer, LayerKind, ParseLayerError};
pub use padding::Padding;
pub use pooling::Pooling;
pub use tensor::{FeatureMap, Image};
pub use vgg19::{Evaluator, EvaluatorError, LayerTime, Vgg19};
