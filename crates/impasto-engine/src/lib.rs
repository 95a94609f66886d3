//! VGG-19: an image goes in, feature maps come out; gradients of any loss on those maps go in, the gradient with respect to the image
//! comes out. No file names, no codecs, no losses.

pub mod cpu;
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
