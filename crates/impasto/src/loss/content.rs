//! Eq. (1).

use std::sync::Arc;

use impasto_engine::FeatureMap;

use super::statistics::{Weights, channel_means};
use super::{LayerLoss, LayerValue};
use crate::reduce::{CHUNK, dot, sum_ranges};

/// `1/(H·W·C) · sum (X - Y)^2`, eq. (1): the mean squared difference of two feature maps, place by place.
///
/// Gradient: `2/(H·W·C) · (X - Y)`.
///
/// Where positions have weights `w`, it is `1/(C sum w) · sum w (X - Y)^2`.
pub(crate) struct ContentLoss {
    target: FeatureMap,
    /// Of the positions; `None`: all count 1.
    weights: Option<Arc<Weights>>,
    unit: f64,
    /// `weight · 2/(H·W·C)` of the last evaluation.
    scale: f32,
}

impl ContentLoss {
    /// `target`: Y, the content picture's map, of the same shape as every X. `weights`: of its positions.
    pub(crate) fn new(target: FeatureMap, weights: Option<Arc<Weights>>) -> Self {
        Self { target, weights, unit: 1.0, scale: 0.0 }
    }

    /// `sum w v` over all values, in chunks of whole positions.
    fn weighted_sum(&self, weights: &Weights, value: impl Fn(usize) -> f64 + Sync) -> f64 {
        let channels = self.target.channels();
        let weights = weights.values();
        sum_ranges(weights.len(), CHUNK.div_ceil(channels), |range| {
            range.map(|p| f64::from(weights[p]) * (p * channels..(p + 1) * channels).map(&value).sum::<f64>()).sum()
        })
    }

    /// Mean over the channels of their variance, never next to nothing.
    fn variance(&self, content: &FeatureMap) -> f64 {
        let values = content.as_slice();
        let (squares, positions) = match &self.weights {
            None => (dot(values, values), content.positions() as f64),
            Some(w) => (self.weighted_sum(w, |i| f64::from(values[i]) * f64::from(values[i])), w.total()),
        };
        let means = channel_means(content, self.weights.as_deref());
        let of_means: f64 = means.iter().map(|mean| mean * mean * positions).sum();
        let count = positions * content.channels() as f64;
        // A content of one colour has no variance; its mean square keeps the unit above 0.
        ((squares - of_means) / count).max(MIN_VARIANCE * squares / count).max(f64::MIN_POSITIVE)
    }
}

impl LayerLoss for ContentLoss {
    /// The unit is `1/(H·W·C) · sum (Y - mean of Y's channel)^2`: the loss of a picture that has lost every place of the content, and
    /// kept how strongly each channel fires.
    fn calibrate(&mut self, content: &FeatureMap) {
        self.unit = self.variance(content);
    }

    fn evaluate(&mut self, features: &FeatureMap, weight: f64) -> LayerValue {
        let (x, y) = (features.as_slice(), self.target.as_slice());
        assert_eq!(x.len(), y.len(), "both maps are of pictures of one size");
        let square = |i: usize| f64::from(x[i] - y[i]) * f64::from(x[i] - y[i]);
        let (sum, count) = match &self.weights {
            None => (sum_ranges(x.len(), CHUNK, |range| range.map(square).sum()), x.len() as f64),
            Some(weights) => (self.weighted_sum(weights, square), weights.total() * features.channels() as f64),
        };
        self.scale = (weight / self.unit * 2.0 / count) as f32;
        LayerValue::new(sum / count, self.unit)
    }

    fn add_gradient(&self, first: usize, features: &[f32], gradient: &mut [f32]) {
        let target = &self.target.as_slice()[first..first + features.len()];
        let Some(weights) = &self.weights else {
            for ((gradient, x), y) in gradient.iter_mut().zip(features).zip(target) {
                *gradient += self.scale * (x - y);
            }
            return;
        };
        let channels = self.target.channels();
        let values = gradient.iter_mut().zip(features).zip(target);
        for (i, ((gradient, x), y)) in values.enumerate() {
            *gradient += weights.of(first, channels)[i / channels] * self.scale * (x - y);
        }
    }
}

/// Part of the mean square of the features that their variance is taken to have at least.
const MIN_VARIANCE: f64 = 1e-3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::statistics::testing::weights;
    use crate::loss::testing::{UGLY_SHAPES, check_layer_loss, map};

    #[test]
    fn value_and_gradient_are_those_of_the_formula() {
        for shape in UGLY_SHAPES.into_iter().chain([[70, 61, 5]]) {
            let (features, target) = (map(shape, 1), map(shape, 2));
            let y = target.clone();
            check_layer_loss(&features, &mut ContentLoss::new(target, None), |x| {
                let squares = x.iter().zip(y.as_slice()).map(|(x, &y)| (x - f64::from(y)).powi(2));
                squares.sum::<f64>() / x.len() as f64
            });
        }
    }

    #[test]
    fn weighted_value_and_gradient_are_those_of_the_formula() {
        for shape in [[3, 5, 1], [17, 23, 3], [70, 61, 5]] {
            let (features, y, weights) = (map(shape, 1), map(shape, 2), weights(shape[0] * shape[1]));
            let total: f64 = weights.values().iter().map(|&w| f64::from(w)).sum();
            check_layer_loss(&features, &mut ContentLoss::new(y.clone(), Some(weights.clone())), |x| {
                let squares = x.iter().zip(y.as_slice()).map(|(x, &y)| (x - f64::from(y)).powi(2));
                let weighted = squares.enumerate().map(|(i, v)| f64::from(weights.values()[i / shape[2]]) * v);
                weighted.sum::<f64>() / (total * shape[2] as f64)
            });
        }
    }

    #[test]
    fn the_unit_is_the_variance_around_the_channels_means() {
        let content = map([17, 23, 5], 1);
        let mut blurred = content.clone();
        for c in 0..5 {
            let values = || content.as_slice().iter().skip(c).step_by(5);
            let mean = values().sum::<f32>() / values().count() as f32;
            blurred.as_mut_slice().iter_mut().skip(c).step_by(5).for_each(|v| *v = mean);
        }
        let mut loss = ContentLoss::new(content.clone(), None);
        let expected = loss.evaluate(&blurred, 1.0).raw;
        assert!((loss.variance(&content) / expected - 1.0).abs() < 1e-5);
        loss.calibrate(&content);
        assert!((loss.evaluate(&blurred, 1.0).in_units - 1.0).abs() < 1e-5);
        // Of one value, and of zeros: small, but above 0.
        for value in [3.0, 0.0] {
            blurred.as_mut_slice().fill(value);
            let unit = loss.variance(&blurred);
            assert!(unit > 0.0 && unit < 0.01 * f64::from(value * value) + 1e-300, "{unit}");
        }
    }

    #[test]
    fn the_target_itself_has_no_loss() {
        let features = map([4, 5, 3], 1);
        let mut loss = ContentLoss::new(features.clone(), None);
        assert_eq!(loss.evaluate(&features, 1.0), LayerValue::default());
        let mut gradient = vec![0.0; features.as_slice().len()];
        loss.add_gradient(0, features.as_slice(), &mut gradient);
        assert!(gradient.iter().all(|&g| g == 0.0));
    }
}
