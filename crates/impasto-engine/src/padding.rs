//! What the first convolution sees beyond the image.

/// The values of the pixels around the image that conv1_1 reads. Every deeper convolution reads zeros beyond its map's border.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Padding {
    /// Zeros after the mean has been subtracted: what the network was trained with, to which the border is an edge.
    #[default]
    Zero,
    /// The nearest pixel of the image again: conv1_1 finds no edge at the border.
    Replicate,
}
