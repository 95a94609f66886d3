//! What the losses that compare a map position by position have in common.

use crate::loss::style_loss::LayerValue;

/// `1/(C Σ w) · Σ w |F - Y|²` in a unit: the mean squared difference of a map from another one,
/// whose positions have weights `w`.
///
/// Gradient: `w c (F - Y)` with `c = 2/(C Σ w)`. The network's workspace compares the maps: this
/// loss only sees `Σ w |F - Y|²`.
pub(crate) struct MeanSquareLoss {
    /// Values that are compared, by the weights of their positions: `C Σ w`.
    count: f64,
    /// Above 0.
    unit: f64,
}

impl MeanSquareLoss {
    /// A loss in no unit yet. `count`: `C Σ w`.
    pub(crate) fn new(count: f64) -> Self {
        Self { count, unit: 1.0 }
    }

    /// Takes the unit of [`Objective::Balanced`](crate::Objective::Balanced), at least the smallest
    /// number above 0.
    pub(crate) fn set_unit(&mut self, unit: f64) {
        self.unit = unit.max(f64::MIN_POSITIVE);
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
    use crate::loss::testing::{WEIGHT, check_gradient, map, weights};

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
            let mut loss = MeanSquareLoss::new(count);
            loss.set_unit(0.5 * squares(&exact) / count);
            let value = loss.value(squares(&exact));
            assert!((value.in_units - 2.0).abs() < 1e-12, "{value:?}");
            let c = loss.change(WEIGHT);
            let gradient = |i: usize| weights[i / channels] * c * (x.values[i] - y.values[i]);
            let gradient: Vec<f32> = (0..exact.len()).map(gradient).collect();
            check_gradient(&x.values, &gradient, 1e-4, |x| WEIGHT * squares(x) / count / loss.unit);
        }
    }

    #[test]
    fn a_unit_is_above_0() {
        let mut loss = MeanSquareLoss::new(12.0);
        loss.set_unit(0.0);
        assert!(loss.unit > 0.0 && loss.value(0.0).in_units == 0.0);
    }
}
