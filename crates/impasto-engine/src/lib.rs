//! VGG-19 on the CPU: an image goes in, feature maps come out; gradients of any loss on those maps go in, the gradient with
//! respect to the image comes out. No file names, no codecs, no losses.

mod bands;
mod elementwise;
mod evaluator;
mod feature_file;
mod kernels;
mod layer;
mod layout;
mod padding;
mod plan;
mod pooling;
mod stage;
mod strip;
mod tensor;
mod vgg19;
mod words;

#[cfg(test)]
#[path = "../tests/reference/mod.rs"]
mod reference;

pub mod gram;
#[doc(hidden)]
pub mod internals;
pub mod weights;

pub use evaluator::{Evaluator, EvaluatorError, Features, GradientBand};
pub use kernels::{Isa, IsaError};
pub use layer::{CONVOLUTIONS, Layer, LayerKind, ParseLayerError};
pub use layout::{Layout, Memory, Part};
pub use padding::Padding;
pub use pooling::Pooling;
pub use stage::LayerTime;
pub use tensor::{FeatureMap, Image};
pub use vgg19::Vgg19;
pub use words::UnknownWord;
