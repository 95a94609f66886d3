//! The losses of eqs. (1) to (3) and (5): values in f64, gradients in f32.

mod content;
mod gram;
mod moments;
mod statistics;
mod total_variation;

pub(crate) use content::ContentLoss;
pub(crate) use gram::GramLoss;
pub(crate) use moments::MomentsLoss;
pub(crate) use statistics::{Statistics, Sums, Weights};
pub(crate) use total_variation::{add_total_variation_gradient, total_variation};

use impasto_engine::Layer;

/// A style loss on one layer's feature map, which it sees in parts: first all of it for the sums, then all of it for the gradient.
pub(crate) trait StyleLoss: Send + Sync {
    /// The sums over the map, with the positions that count.
    fn sums(&mut self) -> &mut Sums;

    /// Takes the units of [`Objective::Balanced`](crate::Objective::Balanced) from the sums, which are those of the content picture's map:
    /// from now on every part of the loss counts in units of what is neither small nor large for it. Without this the units are 1.
    fn calibrate(&mut self);

    /// The loss of the map whose sums these are. What the gradient there needs is kept for [`StyleLoss::add_gradient`], times `weight`.
    fn evaluate(&mut self, weight: f64) -> LayerValue;

    /// `gradient += weight · d(in units)/dfeatures` at some positions of the map, on the calling thread.
    ///
    /// `features` and `gradient`: `[positions, C]`; the first value has index `first` in the map.
    fn add_gradient(&self, first: usize, features: &[f32], gradient: &mut [f32]);
}

/// Adds up what the bands of a picture contribute, where they are not all evaluated in one place.
pub(crate) trait Reduction: Send + Sync {
    /// `values += those of all other places`: matrices and scalars, in the same order everywhere.
    fn sum(&self, values: &mut [f64]);
}

/// All bands are evaluated here.
pub(crate) struct Local;

impl Reduction for Local {
    fn sum(&self, _: &mut [f64]) {}
}

/// What a layer's loss is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct LayerValue {
    /// By the formula.
    pub(crate) raw: f64,
    /// In the units of calibration.
    pub(crate) in_units: f64,
}

impl LayerValue {
    fn new(raw: f64, unit: f64) -> Self {
        Self { raw, in_units: raw / unit }
    }
}

/// The losses of a picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Losses {
    /// Eq. (1) by layer, unweighted, in the order the layers were given. Empty where the content does not count.
    pub content: Vec<(Layer, f64)>,
    /// The style loss by layer, eq. (2) or that of the moments, unweighted, in the order the layers were given. Empty where the style
    /// does not count.
    pub style: Vec<(Layer, f64)>,
    /// Eq. (5), unweighted.
    pub tv: f64,
    /// What is minimised: alpha times content, plus beta times style, plus `tv_weight` times `tv`, each loss in the
    /// objective's unit.
    pub total: f64,
    pub(crate) content_sum: Sum,
    pub(crate) style_sum: Sum,
}

/// One of the two sums of eq. (4), layers counting by their weights.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sum {
    pub(crate) raw: f64,
    /// Over the sum of the layers' weights, so that it says the same for any number of layers.
    pub(crate) mean_in_units: f64,
}

impl Losses {
    /// The first sum of eq. (4): each content layer's loss times the layer's weight, before alpha.
    pub fn content_loss(&self) -> f64 {
        self.content_sum.raw
    }

    /// The second sum of eq. (4): each style layer's loss times the layer's weight, before beta.
    pub fn style_loss(&self) -> f64 {
        self.style_sum.raw
    }

    /// Mean of the content layers' losses in the objective's units, by the layers' weights. With
    /// [`Objective::Balanced`](crate::Objective::Balanced): 0 = the content itself, 1 = nothing of its layout is left.
    pub fn content_in_units(&self) -> f64 {
        self.content_sum.mean_in_units
    }

    /// Mean of the style layers' losses in the objective's units, by the layers' weights. With
    /// [`Objective::Balanced`](crate::Objective::Balanced): 0 = the style itself, 1 = as far from it as the content is.
    pub fn style_in_units(&self) -> f64 {
        self.style_sum.mean_in_units
    }
}

/// Central differences, for the tests of every loss.
#[cfg(test)]
pub(crate) mod testing {
    use impasto_engine::cpu::FeatureMap;

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

    /// The value of a style loss on a map, which it sees in two parts.
    pub(crate) fn evaluate(loss: &mut dyn StyleLoss, features: &FeatureMap, weight: f64) -> LayerValue {
        let values = features.as_slice();
        let half = features.positions() / 2 * features.channels();
        loss.sums().clear();
        loss.sums().add(0, &values[..half]);
        loss.sums().add(half, &values[half..]);
        loss.evaluate(weight)
    }

    /// A style loss against its naive form: value, and gradient in two parts on top of what is there.
    pub(crate) fn check_style_loss(features: &FeatureMap, loss: &mut dyn StyleLoss, naive: impl Fn(&[f64]) -> f64) {
        let LayerValue { raw, in_units } = evaluate(loss, features, WEIGHT);
        assert_eq!(in_units, raw, "not calibrated");
        check_loss(features, raw, |first, values, gradient| loss.add_gradient(first, values, gradient), naive);
    }

    /// What the losses are weighted with.
    pub(crate) const WEIGHT: f64 = 0.75;

    /// A value, and the gradient of [`WEIGHT`] times the loss, against the naive form.
    pub(crate) fn check_loss(
        features: &FeatureMap,
        value: f64,
        add_gradient: impl Fn(usize, &[f32], &mut [f32]),
        naive: impl Fn(&[f64]) -> f64,
    ) {
        let values = features.as_slice();
        let exact: Vec<f64> = values.iter().map(|&v| v.into()).collect();
        assert!((value - naive(&exact)).abs() <= 1e-5 * value, "{value} {}", naive(&exact));

        let mut gradient = vec![0.0; values.len()];
        let half = features.positions() / 2 * features.channels();
        for part in [0..half, half..values.len()] {
            add_gradient(part.start, &values[part.clone()], &mut gradient[part]);
        }
        check_gradient(values, &gradient, 1e-4, |x| WEIGHT * naive(x));
        let once = gradient.clone();
        add_gradient(0, values, &mut gradient);
        for (twice, once) in gradient.iter().zip(once) {
            assert!((twice - 2.0 * once).abs() <= 1e-5 * once.abs(), "{twice} {once}");
        }
    }
}
