//! The content loss, eq. (1).
//!
//! `1/(H·W·C) · Σ (X - Y)²`: the mean squared difference of two feature maps, position by position,
//! or with weights `1/(C Σ w) · Σ w (X - Y)²`. It is a [`MeanSquareLoss`]. `Y` is the map of the
//! content picture, which never leaves the network's workspace.

use impasto_engine::network::ContentSums;

use crate::loss::mean_square::MeanSquareLoss;

/// Least variance of the features, as a part of their mean square. Without it a content of one
/// colour would have the unit 0.
const MIN_VARIANCE: f64 = 1e-3;

/// Returns the loss, in no unit yet. `reference`: the sums of Y.
pub(crate) fn loss(reference: &ContentSums) -> MeanSquareLoss {
    MeanSquareLoss::new(count(reference))
}

/// Returns the unit of a layer's loss: `1/(H·W·C) · Σ (Y - mean of Y's channel)²`, the loss of a map
/// that has kept nothing of the content's layout. `reference`: the sums of Y.
pub(crate) fn unit(reference: &ContentSums) -> f64 {
    let ContentSums { total, features, squares } = reference;
    let of_means: f64 = features.iter().map(|sum| sum / total * sum).sum();
    let count = count(reference);
    ((squares - of_means) / count).max(MIN_VARIANCE * squares / count)
}

/// `C Σ w`
fn count(reference: &ContentSums) -> f64 {
    reference.total * reference.features.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::testing::{TestMap, UGLY_SHAPES, WEIGHT, check_gradient, map, weights};

    /// Sums of a reference, as they are written.
    fn reference_sums(y: &TestMap, weights: &[f32]) -> ContentSums {
        let channels = y.shape[2];
        let mut sums = ContentSums { total: 0.0, features: vec![0.0; channels], squares: 0.0 };
        for (position, &w) in y.exact().chunks(channels).zip(weights) {
            let w = f64::from(w);
            sums.total += w;
            for (sum, v) in sums.features.iter_mut().zip(position) {
                *sum += w * v;
                sums.squares += w * v * v;
            }
        }
        sums
    }

    fn squares(x: &[f64], y: &[f64], weights: &[f32]) -> f64 {
        let channels = x.len() / weights.len();
        let values = x.iter().zip(y).enumerate();
        values.map(|(i, (x, y))| f64::from(weights[i / channels]) * (x - y).powi(2)).sum()
    }

    fn check(x: &TestMap, y: &TestMap, weights: &[f32]) {
        let (channels, y_sums) = (x.shape[2], reference_sums(y, weights));
        let (exact, y) = (x.exact(), y.exact());
        let loss = loss(&y_sums);
        let total: f64 = weights.iter().map(|&w| f64::from(w)).sum();
        let naive = |x: &[f64]| squares(x, &y, weights) / (total * channels as f64);
        let value = loss.value(squares(&exact, &y, weights));
        assert_eq!(value.in_units, value.raw, "not calibrated");
        assert!((value.raw - naive(&exact)).abs() <= 1e-5 * value.raw, "{value:?} {}", naive(&exact));
        let c = loss.change(WEIGHT);
        let gradient = |i: usize| weights[i / channels] * c * (x.values[i] - y[i] as f32);
        let gradient: Vec<f32> = (0..exact.len()).map(gradient).collect();
        check_gradient(&x.values, &gradient, 1e-4, |x| WEIGHT * naive(x));
    }

    #[test]
    fn value_and_gradient_are_those_of_the_formula() {
        for shape in UGLY_SHAPES.into_iter().chain([[70, 61, 5]]) {
            check(&map(shape, 1), &map(shape, 2), &vec![1.0; shape[0] * shape[1]]);
        }
    }

    #[test]
    fn weighted_value_and_gradient_are_those_of_the_formula() {
        for shape in [[3, 5, 1], [17, 23, 3], [70, 61, 5]] {
            check(&map(shape, 1), &map(shape, 2), &weights(shape[0] * shape[1]));
        }
    }

    #[test]
    fn the_unit_is_the_variance_around_the_channels_means() {
        let content = map([17, 23, 5], 1);
        let weights = vec![1.0; 17 * 23];
        let mut blurred = content.clone();
        for c in 0..5 {
            let values = || content.values.iter().skip(c).step_by(5);
            let mean = values().sum::<f32>() / values().count() as f32;
            blurred.values.iter_mut().skip(c).step_by(5).for_each(|v| *v = mean);
        }
        let calibrated = |content: &TestMap| {
            let sums = reference_sums(content, &weights);
            let mut loss = loss(&sums);
            loss.set_unit(unit(&sums));
            (loss, unit(&sums))
        };
        let (loss, unit) = calibrated(&content);
        let value = loss.value(squares(&blurred.exact(), &content.exact(), &weights));
        assert!((unit / value.raw - 1.0).abs() < 1e-5);
        assert!((value.in_units - 1.0).abs() < 1e-5);
        // Of one value, and of zeros: small, but above 0.
        for value in [3.0, 0.0] {
            blurred.values.fill(value);
            let (loss, unit) = calibrated(&blurred);
            assert!(unit > 0.0 || value == 0.0);
            assert!(loss.value(0.0).in_units == 0.0 && unit < 0.01 * f64::from(value * value) + 1e-300, "{unit}");
        }
    }
}
