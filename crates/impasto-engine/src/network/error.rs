//! Errors of the seam.

use std::io;

use crate::layer::Layer;

/// Why a card cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// The driver does not open the card.
    #[error("{name} cannot be opened: {reason}")]
    Open {
        /// The card.
        name: String,
        /// What the driver says.
        reason: String,
    },
    /// The card's memory is full.
    #[error("{name} has too little free memory for an image of this size")]
    Memory {
        /// The card.
        name: String,
    },
    /// A map is larger than a buffer may be.
    #[error(
        "an image of {width}x{height} px has maps of {} MiB, and a buffer of {name} holds at most {} MiB",
        needed.div_ceil(1 << 20),
        largest >> 20
    )]
    MapTooLarge {
        /// The card.
        name: String,
        /// Width of the image in pixels.
        width: usize,
        /// Height of the image in pixels.
        height: usize,
        /// Bytes of the largest map.
        needed: u64,
        /// Bytes of the largest buffer.
        largest: u64,
    },
    /// The card failed in the middle of its work.
    #[error("{name} failed: {reason}")]
    Failed {
        /// The card.
        name: String,
        /// What the driver says.
        reason: String,
    },
}

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
    /// The card that the workspace was to be on.
    #[error(transparent)]
    Device(#[from] DeviceError),
}

/// Why an evaluation failed.
#[derive(Debug, thiserror::Error)]
pub enum EvaluationError {
    /// The file with the features of the reference cannot be made, written or read.
    #[error("the features of the reference cannot be kept in a file: {0}")]
    FeatureFile(#[from] io::Error),
    /// The card that the workspace is on.
    #[error(transparent)]
    Device(#[from] DeviceError),
}
