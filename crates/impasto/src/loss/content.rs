//! Eq. (1).

use impasto_engine::FeatureMap;

use super::moments::channel_means;
use super::{LayerLoss, LayerValue};
use crate::reduce::{CHUNK, dot, sum_ranges};

/// `1/(H·W·C) · sum (X - Y)^2`, eq. (1): the mean squared difference of two feature maps, place by place.
///
/// Gradient: `2/(H·W·C) · (X - Y)`.
pub(crate) struct ContentLoss {
    target: FeatureMap,
    unit: f64,
    /// `weight · 2/(H·W·C)` of the last evaluation.
    scale: f32,
}

impl ContentLoss {
    /// `target`: Y, the content picture's map, of the same shape as every X.
    pub(crate) fn new(target: FeatureMap) -> Self {
        Self { target, unit: 1.0, scale: 0.0 }
    }
}

impl LayerLoss for ContentLoss {
    /// The unit is `1/(H·W·C) · sum (Y - mean of Y's channel)^2`: the loss of a picture that has lost every place of the content, and
    /// kept how strongly each channel fires.
    fn calibrate(&mut self, content: &FeatureMap) {
        self.unit = variance(content);
    }

    fn evaluate(&mut self, features: &FeatureMap, weight: f64) -> LayerValue {
        let (x, y) = (features.as_slice(), self.target.as_slice());
        assert_eq!(x.len(), y.len(), "both maps are of pictures of one size");
        let count = x.len() as f64;
        self.scale = (weight / self.unit * 2.0 / count) as f32;
        let square = |i: usize| f64::from(x[i] - y[i]) * f64::from(x[i] - y[i]);
        LayerValue::new(sum_ranges(x.len(), CHUNK, |range| range.map(square).sum()) / count, self.unit)
    }

    fn add_gradient(&self, first: usize, features: &[f32], gradient: &mut [f32]) {
        let target = &self.target.as_slice()[first..first + features.len()];
        for ((gradient, x), y) in gradient.iter_mut().zip(features).zip(target) {
            *gradient += self.scale * (x - y);
        }
    }
}

/// Mean over the channels of their variance, never next to nothing.
fn variance(content: &FeatureMap) -> f64 {
    let positions = content.positions() as f64;
    let squares = dot(content.as_slice(), content.as_slice());
    let of_means: f64 = channel_means(content).iter().map(|mean| mean * mean * positions).sum();
    let count = content.as_slice().len() as f64;
    // A content of one colour has no variance; its mean square keeps the unit above 0.
    ((squares - of_means) / count).max(MIN_VARIANCE * squares / count).max(f64::MIN_POSITIVE)
}

/// Part of the mean square of the features that their variance is taken to have at least.
const MIN_VARIANCE: f64 = 1e-3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::testing::{UGLY_SHAPES, check_layer_loss, map};

    #[test]
    fn value_and_gradient_are_those_of_the_formula() {
        for shape in UGLY_SHAPES.into_iter().chain([[70, 61, 5]]) {
            let (features, target) = (map(shape, 1), map(shape, 2));
            let y = target.clone();
            check_layer_loss(&features, &mut ContentLoss::new(target), |x| {
                let squares = x.iter().zip(y.as_slice()).map(|(x, &y)| (x - f64::from(y)).powi(2));
                squares.sum::<f64>() / x.len() as f64
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
        let mut loss = ContentLoss::new(content.clone());
        let expected = loss.evaluate(&blurred, 1.0).raw;
        assert!((variance(&content) / expected - 1.0).abs() < 1e-5);
        loss.calibrate(&content);
        assert!((loss.evaluate(&blurred, 1.0).in_units - 1.0).abs() < 1e-5);
        // Of one value, and of zeros: small, but above 0.
        for value in [3.0, 0.0] {
            blurred.as_mut_slice().fill(value);
            let unit = variance(&blurred);
            assert!(unit > 0.0 && unit < 0.01 * f64::from(value * value) + 1e-300, "{unit}");
        }
    }

    #[test]
    fn the_target_itself_has_no_loss() {
        let features = map([4, 5, 3], 1);
        let mut loss = ContentLoss::new(features.clone());
        assert_eq!(loss.evaluate(&features, 1.0), LayerValue::default());
        let mut gradient = vec![0.0; features.as_slice().len()];
        loss.add_gradient(0, features.as_slice(), &mut gradient);
        assert!(gradient.iter().all(|&g| g == 0.0));
    }
}
