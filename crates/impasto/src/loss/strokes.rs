//! Matched strokes: each position of the picture is drawn to the position of the style that is most
//! like it.

use std::sync::LazyLock;

use impasto_engine::Layer;

use crate::loss::style_loss::LayerValue;

/// `1/(C Σ w) · Σ w |F(p) - Y(m(p))|²`: the mean squared difference of the picture's features from
/// those of their matches in the style.
///
/// `m(p)` is the position of the style whose patch of 3x3 positions has the largest cosine with
/// that around `p`. Li and Wand, *Combining Markov Random Fields and Convolutional Neural Networks
/// for Image Synthesis* (CVPR 2016), compare such patches. Kolkin, Kucera, Paris, Sýkora, Shechtman
/// and Shakhnarovich, *Neural Neighbor Style Transfer* (2022), compare single positions, less their
/// mean. Here the patch decides the match, and the position is compared. The loss stands beside
/// that of the moments, because neighbours have different matches whose mean is dull.
///
/// Gradient: `w c (F(p) - Y(m(p)))` with `c = 2/(C Σ w)`, for matches that stay. The network's
/// workspace finds them and compares the maps: this loss only sees `Σ w |F - Y|²`.
pub(crate) struct StrokesLoss {
    /// `C Σ w`
    count: f64,
    unit: f64,
}

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

impl StrokesLoss {
    /// `count`: values that are compared, by the weights of their positions, `C Σ w`.
    pub(crate) fn new(count: f64) -> Self {
        Self { count, unit: 1.0 }
    }

    /// Takes the unit of [`Objective::Balanced`](crate::Objective::Balanced): the loss of the
    /// content picture, `squares / (C Σ w)`, with matches of its own. `variance` is that of the
    /// style's features around their channels' means.
    pub(crate) fn calibrate(&mut self, squares: f64, variance: f64) {
        self.unit = (squares / self.count).max(MIN_DISTANCE * variance).max(f64::MIN_POSITIVE);
    }

    /// Returns `weight · c`: how the loss in its unit changes, times `weight`.
    pub(crate) fn change(&self, weight: f64) -> f32 {
        (weight / self.unit * 2.0 / self.count) as f32
    }

    /// Returns the loss for `Σ w |F - Y|²`.
    pub(crate) fn value(&self, squares: f64) -> LayerValue {
        LayerValue::new(squares / self.count, self.unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::testing::{WEIGHT as TEST_WEIGHT, check_gradient, map, weights};

    #[test]
    fn value_and_gradient_are_those_of_the_formula() {
        for shape in [[3, 5, 1], [17, 23, 3], [70, 61, 5]] {
            let (x, y, weights) = (map(shape, 1), map(shape, 2), weights(shape[0] * shape[1]));
            let (exact, targets, channels) = (x.exact(), y.exact(), shape[2]);
            let count = channels as f64 * weights.iter().map(|&w| f64::from(w)).sum::<f64>();
            let squares = |x: &[f64]| -> f64 {
                let values = x.iter().zip(&targets).enumerate();
                values.map(|(i, (x, y))| f64::from(weights[i / channels]) * (x - y).powi(2)).sum()
            };
            let mut loss = StrokesLoss::new(count);
            loss.calibrate(0.5 * squares(&exact), 1.0);
            let value = loss.value(squares(&exact));
            assert!((value.in_units - 2.0).abs() < 1e-12, "{value:?}");
            let c = loss.change(TEST_WEIGHT);
            let gradient = |i: usize| weights[i / channels] * c * (x.values[i] - y.values[i]);
            let gradient: Vec<f32> = (0..exact.len()).map(gradient).collect();
            check_gradient(&x.values, &gradient, 1e-4, |x| TEST_WEIGHT * squares(x) / count / loss.unit);
        }
    }

    #[test]
    fn the_unit_is_never_next_to_nothing() {
        let mut loss = StrokesLoss::new(12.0);
        loss.calibrate(0.0, 5.0);
        assert_eq!(loss.unit, MIN_DISTANCE * 5.0);
        loss.calibrate(0.0, 0.0);
        assert!(loss.unit > 0.0);
    }
}
