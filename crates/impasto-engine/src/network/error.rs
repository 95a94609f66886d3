//! Errors of the seam.

use std::io;

use crate::layer::Layer;

/// Why there is no workspace for a [`WorkspaceSpec`](super::WorkspaceSpec).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpecError {
    /// The poolings before the layer leave nothing of the image.
    #[error("an image of {width}x{height} px is too small: {layer} needs at least {} px a side", layer.min_side())]
    TooSmall {
        /// Width of the image in pixels.
        width: usize,
        /// Height of the image in pixels.
        height: usize,
        /// The deepest layer asked for.
        layer: Layer,
    },
    /// A pooling before the layer leaves out a row or a column, so the image cannot wrap around.
    #[error(
        "an image of {width}x{height} px cannot wrap around: {layer} needs sides that are multiples of {} px",
        layer.min_side()
    )]
    Uneven {
        /// Width of the image in pixels.
        width: usize,
        /// Height of the image in pixels.
        height: usize,
        /// The rectifier of the deepest layer asked for.
        layer: Layer,
    },
    /// The layout has bands, and the image wraps around.
    #[error("an image that wraps around can only be evaluated whole, not in bands")]
    Bands,
    /// There is no term, and no layer to show.
    #[error("no layer to evaluate")]
    NoLayers,
}

/// Why an evaluation failed.
#[derive(Debug, thiserror::Error)]
pub enum EvaluationError {
    /// The file with the features of the reference cannot be made, written or read.
    #[error("the features of the reference cannot be kept in a file: {0}")]
    FeatureFile(#[from] io::Error),
}
