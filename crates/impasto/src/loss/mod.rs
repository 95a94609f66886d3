//! The losses of eqs. (1) to (3) and (5): values in f64, gradients in f32.

mod content;
mod style;
mod total_variation;

pub(crate) use content::ContentLoss;
pub(crate) use style::StyleLoss;
pub(crate) use total_variation::{add_total_variation_gradient, total_variation};

use impasto_engine::{FeatureMap, Layer};

/// A loss on one layer's feature map, against a target that it keeps.
pub(crate) trait LayerLoss: Send {
    /// The loss of `features`; and `gradient (+)= weight * dL/dfeatures`.
    ///
    /// `accumulate`: add to what is in `gradient`, else overwrite it. `gradient` has the shape of `features`.
    fn evaluate(&mut self, features: &FeatureMap, weight: f64, gradient: &mut FeatureMap, accumulate: bool) -> f64;

    /// A loss of this kind that is neither small nor large: the unit for [`Objective::Balanced`](crate::Objective::Balanced).
    /// Above 0. `content`: the content picture's map.
    fn unit(&self, content: &FeatureMap) -> f64;
}

/// The losses of a picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Losses {
    /// Eq. (1) by layer, unweighted, in the order the layers were given. Empty where the content does not count.
    pub content: Vec<(Layer, f64)>,
    /// Eq. (2) by layer, unweighted, in the order the layers were given. Empty where the style does not count.
    pub style: Vec<(Layer, f64)>,
    /// Eq. (5), unweighted.
    pub tv: f64,
    /// What is minimised: alpha times content, plus beta times style, plus `tv_weight` times `tv`, each loss in the
    /// objective's unit.
    pub total: f64,
    pub(crate) content_sum: f64,
    pub(crate) style_sum: f64,
}

impl Losses {
    /// The first sum of eq. (4): each content layer's loss times the layer's weight, before alpha.
    pub fn content_loss(&self) -> f64 {
        self.content_sum
    }

    /// The second sum of eq. (4): each style layer's loss times the layer's weight, before beta.
    pub fn style_loss(&self) -> f64 {
        self.style_sum
    }
}

/// Central differences, for the tests of every loss.
#[cfg(test)]
pub(crate) mod testing {
    use super::*;
    use crate::noise::test_values;

    /// Height, width and channels that no vector width or chunk divides.
    pub(crate) const UGLY_SHAPES: [[usize; 3]; 5] = [[1, 1, 1], [3, 5, 1], [1, 4, 3], [17, 23, 3], [5, 3, 64]];

    pub(crate) fn map([height, width, channels]: [usize; 3], seed: u64) -> FeatureMap {
        let mut map = FeatureMap::zeros(height, width, channels);
        let values = test_values(height * width * channels, seed);
        map.as_mut_slice().copy_from_slice(&values);
        map
    }

    /// `(f(x + h e_i) - f(x - h e_i)) / 2h` for some `i`, against `gradient`, to within `tolerance` of its largest entry.
    ///
    /// `f` is the naive f64 form of the function, so that the differences are exact for a quadratic and good for a quartic.
    pub(crate) fn check_gradient(x: &[f32], gradient: &[f32], tolerance: f64, f: impl Fn(&[f64]) -> f64) {
        const STEP: f64 = 1e-4;
        assert_eq!(x.len(), gradient.len());
        let mut x: Vec<f64> = x.iter().map(|&v| v.into()).collect();
        let largest = gradient.iter().fold(0.0, |m, v| v.abs().max(m));
        for i in (0..x.len()).step_by(x.len().div_ceil(50)) {
            let at = x[i];
            x[i] = at + STEP;
            let above = f(&x);
            x[i] = at - STEP;
            let below = f(&x);
            x[i] = at;
            let difference = (above - below) / (2.0 * STEP);
            let error = (difference - f64::from(gradient[i])).abs();
            assert!(error <= tolerance * f64::from(largest) + 1e-9, "{i}: {difference} {}", gradient[i]);
        }
    }

    /// A layer loss against its naive form, value and gradient, overwriting and accumulating.
    pub(crate) fn check_layer_loss(features: &FeatureMap, loss: &mut dyn LayerLoss, naive: impl Fn(&[f64]) -> f64) {
        const WEIGHT: f64 = 0.75;
        let mut gradient = FeatureMap::zeros(features.height(), features.width(), features.channels());
        gradient.as_mut_slice().fill(f32::NAN);
        let value = loss.evaluate(features, WEIGHT, &mut gradient, false);
        let exact: Vec<f64> = features.as_slice().iter().map(|&v| v.into()).collect();
        assert!((value - naive(&exact)).abs() <= 1e-5 * value, "{value} {}", naive(&exact));
        check_gradient(features.as_slice(), gradient.as_slice(), 1e-4, |x| WEIGHT * naive(x));

        let once: Vec<f32> = gradient.as_slice().to_vec();
        loss.evaluate(features, WEIGHT, &mut gradient, true);
        for (twice, once) in gradient.as_slice().iter().zip(once) {
            assert!((twice - 2.0 * once).abs() <= 1e-5 * once.abs(), "{twice} {once}");
        }
    }
}
