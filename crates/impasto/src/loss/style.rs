//! Eqs. (2) and (3).

use impasto_engine::gram::{gram, gram_gradient};
use impasto_engine::{FeatureMap, Isa};

use super::{LayerLoss, LayerValue};

/// `sum_ij (G_ij(X) - G_ij(Y))^2`, eq. (2), with the Gram matrices of eq. (3): which channels fire together, wherever that is.
///
/// Gradient: `F·S` with `S = 4/(H·W·C) · (G(X) - G(Y))`, `F` being `[H·W, C]`.
pub(crate) struct StyleLoss {
    /// The instruction set to work with.
    isa: Isa,
    channels: usize,
    /// G(Y), `[C, C]`.
    target: Vec<f64>,
    unit: f64,
    /// `weight · S`, `[C, C]`.
    s: Vec<f32>,
}

impl StyleLoss {
    /// `style`: Y, the style picture's map, of any height and width.
    pub(crate) fn new(isa: Isa, style: &FeatureMap) -> Self {
        let target = gram(isa, style);
        let s = vec![0.0; target.len()];
        Self { isa, channels: style.channels(), target, unit: 1.0, s }
    }
}

impl LayerLoss for StyleLoss {
    /// The unit is `sum_ij (G_ij(content) - G_ij(Y))^2`: the loss at the start from the content.
    fn calibrate(&mut self, content: &FeatureMap) {
        let gram = gram(self.isa, content);
        self.unit = unit_of(&gram, &self.target);
    }

    fn evaluate(&mut self, features: &FeatureMap, weight: f64) -> LayerValue {
        let gram = gram(self.isa, features);
        let scale = weight / self.unit * 4.0 / features.as_slice().len() as f64;
        let mut sum = 0.0;
        for ((s, gram), target) in self.s.iter_mut().zip(&gram).zip(&self.target) {
            let difference = gram - target;
            sum += difference * difference;
            *s = (scale * difference) as f32;
        }
        LayerValue::new(sum, self.unit)
    }

    fn add_gradient(&self, _first: usize, features: &[f32], gradient: &mut [f32]) {
        gram_gradient(self.isa, self.channels, features, &self.s, gradient, true);
    }
}

/// Squared distance of the content's statistics from the style's, but never next to nothing.
pub(super) fn unit_of(content: &[f64], style: &[f64]) -> f64 {
    let distance: f64 = content.iter().zip(style).map(|(a, b)| (a - b) * (a - b)).sum();
    let norm: f64 = style.iter().map(|v| v * v).sum();
    distance.max(MIN_DISTANCE * norm).max(f64::MIN_POSITIVE)
}

/// Part of the style's squared norm that the distance is taken to be at least: a content that has the style already would make its
/// layer count without end.
const MIN_DISTANCE: f64 = 1e-3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::testing::{check_layer_loss, map};

    /// Eq. (3) as it is written.
    fn naive_gram(a: &[f64], channels: usize) -> Vec<f64> {
        let mut gram = vec![0.0; channels * channels];
        for position in a.chunks(channels) {
            for i in 0..channels {
                for j in 0..channels {
                    gram[i * channels + j] += position[i] * position[j] / a.len() as f64;
                }
            }
        }
        gram
    }

    #[test]
    fn value_and_gradient_are_those_of_the_formula() {
        // The network's maps have multiples of 64 channels; the style has a size of its own.
        for shape in [[1, 1, 64], [3, 5, 64], [17, 23, 64], [1, 4, 128]] {
            let style = map([4, 3, shape[2]], 2);
            let y: Vec<f64> = style.as_slice().iter().map(|&v| v.into()).collect();
            let target = naive_gram(&y, shape[2]);
            check_layer_loss(&map(shape, 1), &mut StyleLoss::new(Isa::select().unwrap(), &style), |x| {
                naive_gram(x, shape[2]).iter().zip(&target).map(|(g, t)| (g - t).powi(2)).sum()
            });
        }
    }

    #[test]
    fn the_unit_is_the_contents_loss_but_never_next_to_nothing() {
        let (content, style) = (map([5, 7, 64], 1), map([4, 3, 64], 2));
        let mut loss = StyleLoss::new(Isa::select().unwrap(), &style);
        let at_start = loss.evaluate(&content, 1.0).raw;
        loss.calibrate(&content);
        assert!((loss.unit / at_start - 1.0).abs() < 1e-12);
        assert!((loss.evaluate(&content, 1.0).in_units - 1.0).abs() < 1e-12);
        loss.calibrate(&style);
        assert_eq!(loss.unit, MIN_DISTANCE * loss.target.iter().map(|g| g * g).sum::<f64>());
    }
}
