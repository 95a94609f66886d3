//! Matched strokes: each position of the picture is drawn to the position of the style that is most
//! like it.
//!
//! The loss is a [`MeanSquareLoss`](crate::loss::mean_square::MeanSquareLoss),
//! `1/(C Σ w) · Σ w |F(p) - Y(m(p))|²`: the mean squared difference of the picture's features from
//! those of their matches in the style. Its gradient is that for matches that stay.
//!
//! `m(p)` is the position of the style whose patch of 3x3 positions has the largest cosine with
//! that around `p`. Li and Wand, *Combining Markov Random Fields and Convolutional Neural Networks
//! for Image Synthesis* (CVPR 2016), compare such patches. Kolkin, Kucera, Paris, Sýkora, Shechtman
//! and Shakhnarovich, *Neural Neighbor Style Transfer* (2022), compare single positions, less their
//! mean. Here the patch decides the match, and the position is compared. The loss stands beside
//! that of the moments, because neighbours have different matches whose mean is dull. The network's
//! workspace finds the matches.

use std::sync::LazyLock;

use impasto_engine::Layer;

/// Least unit, as a part of the style's variance. Without it a photo that is its own style would
/// make the layer count without end.
const MIN_DISTANCE: f64 = 1e-3;

/// Layers that are matched. They are deep enough to show strokes, and fine enough to place them.
const LAYERS: [&str; 2] = ["relu3_1", "relu4_1"];

/// Weight of a layer's loss in its unit, beside layers of the style that weigh 1. At 1.25 a moon
/// takes the place of an eye. At 0.25 there is hardly a difference to the moments alone.
pub(crate) const WEIGHT: f64 = 0.5;

/// Returns the layers that are matched.
pub(crate) fn layers() -> &'static [Layer] {
    static PARSED: LazyLock<Vec<Layer>> =
        LazyLock::new(|| LAYERS.iter().map(|name| name.parse().expect("a layer of VGG-19")).collect());
    &PARSED
}

/// Returns the unit of a layer's loss: that of the content picture with matches of its own.
///
/// `content`: that loss. `variance`: of the style's features around their channels' means.
pub(crate) fn unit(content: f64, variance: f64) -> f64 {
    content.max(MIN_DISTANCE * variance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_is_the_contents_loss_but_never_next_to_nothing() {
        assert_eq!(unit(3.0, 5.0), 3.0);
        assert_eq!(unit(0.0, 5.0), MIN_DISTANCE * 5.0);
    }
}
