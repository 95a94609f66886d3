//! Eq. (1).

use std::sync::Arc;

use super::statistics::{Weights, channel_sums};
use super::{LayerValue, Reduction};
use crate::reduce::{CHUNK, sum_ranges};

/// `1/(H·W·C) · sum (X - Y)^2`, eq. (1): the mean squared difference of two feature maps, place by place.
///
/// Gradient: `2/(H·W·C) · (X - Y)`.
///
/// Where positions have weights `w`, it is `1/(C sum w) · sum w (X - Y)^2`.
///
/// The map of the content picture, Y, is the reference that comes with every part of X.
pub(crate) struct ContentLoss {
    channels: usize,
    /// Positions, by their weights.
    total: f64,
    /// Of the positions; `None`: all count 1.
    weights: Option<Arc<Weights>>,
    unit: f64,
    /// `weight · 2/(H·W·C)`.
    scale: f32,
    /// `sum w (X - Y)^2`.
    sum: f64,
    /// `sum w Y^2`, and of each channel `sum w Y`: what the unit comes from.
    of_reference: Vec<f64>,
}

impl ContentLoss {
    /// For maps of `positions` positions. `weights`: of them.
    pub(crate) fn new(positions: usize, channels: usize, weights: Option<Arc<Weights>>) -> Self {
        let total = weights.as_ref().map_or(positions as f64, |weights| weights.total());
        Self { channels, total, weights, unit: 1.0, scale: 0.0, sum: 0.0, of_reference: vec![0.0; 1 + channels] }
    }

    /// `sum w v` over values of which the first has index `first` in the map, in chunks of whole positions.
    fn weighted_sum(&self, first: usize, len: usize, value: impl Fn(usize) -> f64 + Sync) -> f64 {
        let channels = self.channels;
        match &self.weights {
            None => sum_ranges(len, CHUNK, |range| range.map(&value).sum()),
            Some(weights) => {
                let weights = weights.of(first, channels);
                sum_ranges(len / channels, CHUNK.div_ceil(channels), |range| {
                    let of_position = |p: usize| (p * channels..(p + 1) * channels).map(&value).sum::<f64>();
                    range.map(|p| f64::from(weights[p]) * of_position(p)).sum()
                })
            }
        }
    }

    /// Adds some positions of Y to what the unit comes from: `[positions, C]`, the first value with index `first` in the map.
    pub(crate) fn add_reference(&mut self, first: usize, features: &[f32]) {
        self.of_reference[0] += self.weighted_sum(first, features.len(), |i| f64::from(features[i]).powi(2));
        let sums = channel_sums(self.channels, first, features, self.weights.as_deref());
        self.of_reference[1..].iter_mut().zip(sums).for_each(|(sum, v)| *sum += v);
    }

    /// Takes the unit of [`Objective::Balanced`](crate::Objective::Balanced) from all of Y: `1/(H·W·C) · sum (Y - mean of Y's channel)^2`,
    /// the loss of a picture that has lost every place of the content, and kept how strongly each channel fires. Without this it is 1.
    pub(crate) fn calibrate(&mut self, reduction: &dyn Reduction) {
        reduction.sum(&mut self.of_reference);
        let [squares, ref sums @ ..] = self.of_reference[..] else {
            unreachable!("there is one value and the channels")
        };
        let of_means: f64 = sums.iter().map(|sum| sum / self.total * sum).sum();
        let count = self.count();
        // A content of one colour has no variance; its mean square keeps the unit above 0.
        self.unit = ((squares - of_means) / count).max(MIN_VARIANCE * squares / count).max(f64::MIN_POSITIVE);
    }

    fn count(&self) -> f64 {
        self.total * self.channels as f64
    }

    /// Begins with a picture, whose loss counts `weight`.
    pub(crate) fn begin(&mut self, weight: f64) {
        self.scale = (weight / self.unit * 2.0 / self.count()) as f32;
        self.sum = 0.0;
    }

    /// Adds some positions of X and Y to the value: `[positions, C]`, the first value with index `first` in the map.
    pub(crate) fn add(&mut self, first: usize, features: &[f32], reference: &[f32]) {
        assert_eq!(features.len(), reference.len(), "both maps are of pictures of one size");
        let square = |i: usize| f64::from(features[i] - reference[i]) * f64::from(features[i] - reference[i]);
        self.sum += self.weighted_sum(first, features.len(), square);
    }

    /// The loss of all that was added.
    pub(crate) fn value(&self, reduction: &dyn Reduction) -> LayerValue {
        let mut sum = [self.sum];
        reduction.sum(&mut sum);
        LayerValue::new(sum[0] / self.count(), self.unit)
    }

    /// `gradient += weight · d(in units)/dX` at some positions, on the calling thread; `features` and `reference` as in
    /// [`ContentLoss::add`].
    pub(crate) fn add_gradient(&self, first: usize, features: &[f32], reference: &[f32], gradient: &mut [f32]) {
        let values = gradient.iter_mut().zip(features).zip(reference);
        match &self.weights {
            None => values.for_each(|((gradient, x), y)| *gradient += self.scale * (x - y)),
            Some(weights) => {
                let weights = weights.of(first, self.channels);
                for (i, ((gradient, x), y)) in values.enumerate() {
                    *gradient += weights[i / self.channels] * self.scale * (x - y);
                }
            }
        }
    }
}

/// Part of the mean square of the features that their variance is taken to have at least.
const MIN_VARIANCE: f64 = 1e-3;

#[cfg(test)]
mod tests {
    use impasto_engine::cpu::FeatureMap;

    use super::*;
    use crate::loss::Local;
    use crate::loss::statistics::testing::weights;
    use crate::loss::testing::{UGLY_SHAPES, WEIGHT, check_loss, map};

    fn loss(map: &FeatureMap, weights: Option<Arc<Weights>>) -> ContentLoss {
        ContentLoss::new(map.positions(), map.channels(), weights)
    }

    /// Of the two maps, seen in two parts.
    fn evaluate(loss: &mut ContentLoss, x: &FeatureMap, y: &FeatureMap) -> LayerValue {
        let half = x.positions() / 2 * x.channels();
        loss.begin(WEIGHT);
        loss.add(0, &x.as_slice()[..half], &y.as_slice()[..half]);
        loss.add(half, &x.as_slice()[half..], &y.as_slice()[half..]);
        loss.value(&Local)
    }

    fn check(x: &FeatureMap, y: &FeatureMap, loss: &mut ContentLoss, naive: impl Fn(&[f64]) -> f64) {
        let LayerValue { raw, in_units } = evaluate(loss, x, y);
        assert_eq!(in_units, raw, "not calibrated");
        let gradient = |first: usize, values: &[f32], gradient: &mut [f32]| {
            loss.add_gradient(first, values, &y.as_slice()[first..][..values.len()], gradient);
        };
        check_loss(x, raw, gradient, naive);
    }

    #[test]
    fn value_and_gradient_are_those_of_the_formula() {
        for shape in UGLY_SHAPES.into_iter().chain([[70, 61, 5]]) {
            let (features, y) = (map(shape, 1), map(shape, 2));
            check(&features, &y, &mut loss(&y, None), |x| {
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
            check(&features, &y, &mut loss(&y, Some(weights.clone())), |x| {
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
        let calibrated = |content: &FeatureMap| {
            let mut loss = loss(content, None);
            let half = content.positions() / 2 * content.channels();
            loss.add_reference(0, &content.as_slice()[..half]);
            loss.add_reference(half, &content.as_slice()[half..]);
            loss.calibrate(&Local);
            loss
        };
        let expected = evaluate(&mut loss(&content, None), &blurred, &content).raw;
        let mut loss = calibrated(&content);
        assert!((loss.unit / expected - 1.0).abs() < 1e-5);
        assert!((evaluate(&mut loss, &blurred, &content).in_units - 1.0).abs() < 1e-5);
        // Of one value, and of zeros: small, but above 0.
        for value in [3.0, 0.0] {
            blurred.as_mut_slice().fill(value);
            let unit = calibrated(&blurred).unit;
            assert!(unit > 0.0 && unit < 0.01 * f64::from(value * value) + 1e-300, "{unit}");
        }
    }

    #[test]
    fn the_target_itself_has_no_loss() {
        let features = map([4, 5, 3], 1);
        let mut loss = loss(&features, None);
        assert_eq!(evaluate(&mut loss, &features, &features), LayerValue::default());
        let mut gradient = vec![0.0; features.as_slice().len()];
        loss.add_gradient(0, features.as_slice(), features.as_slice(), &mut gradient);
        assert!(gradient.iter().all(|&g| g == 0.0));
    }
}
