//! Eqs. (2) and (3).

use std::sync::Arc;

use impasto_engine::cpu::Isa;
use impasto_engine::cpu::gram::gram_gradient;

use super::statistics::{Statistics, Sums, Weights, add_weighted_gram_gradient};
use super::{LayerValue, StyleLoss};
use crate::StyleLossKind;

/// `sum_ij (G_ij(X) - G_ij(Y))^2`, eq. (2), with the Gram matrices of eq. (3): which channels fire together, wherever that is.
///
/// Gradient: `F·S` with `S = 4/(H·W·C) · (G(X) - G(Y))`, `F` being `[H·W, C]`.
///
/// Where positions have weights, their sum stands for `H·W`, and the gradient at a position is that times its weight.
pub(crate) struct GramLoss {
    /// The instruction set to work with.
    isa: Isa,
    sums: Sums,
    /// G(Y), `[C, C]`.
    target: Vec<f64>,
    /// Of the positions of X; `None`: all count 1.
    weights: Option<Arc<Weights>>,
    unit: f64,
    /// `weight · S`, `[C, C]`.
    s: Vec<f32>,
}

impl GramLoss {
    /// `target`: the Gram matrix of Y. `weights`: of the positions of every X.
    pub(crate) fn new(isa: Isa, channels: usize, target: Statistics, weights: Option<Arc<Weights>>) -> Self {
        let target = target.matrix;
        let sums = Sums::new(StyleLossKind::Gram, isa, channels, weights.clone());
        Self { isa, sums, s: vec![0.0; target.len()], target, weights, unit: 1.0 }
    }
}

impl StyleLoss for GramLoss {
    fn sums(&mut self) -> &mut Sums {
        &mut self.sums
    }

    /// The unit is `sum_ij (G_ij(content) - G_ij(Y))^2`: the loss at the start from the content.
    fn calibrate(&mut self) {
        self.unit = unit_of(&self.sums.statistics().matrix, &self.target);
    }

    fn evaluate(&mut self, weight: f64) -> LayerValue {
        let gram = self.sums.statistics().matrix;
        let scale = weight / self.unit * 4.0 / (self.sums.total() * self.sums.channels() as f64);
        let mut sum = 0.0;
        for ((s, gram), target) in self.s.iter_mut().zip(&gram).zip(&self.target) {
            let difference = gram - target;
            sum += difference * difference;
            *s = (scale * difference) as f32;
        }
        LayerValue::new(sum, self.unit)
    }

    fn add_gradient(&self, first: usize, features: &[f32], gradient: &mut [f32]) {
        match &self.weights {
            None => gram_gradient(self.isa, self.sums.channels(), features, &self.s, gradient, true),
            Some(weights) => {
                let channels = self.sums.channels();
                let weights = weights.of(first, channels);
                add_weighted_gram_gradient(self.isa, channels, features, weights, &self.s, gradient);
            }
        }
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
    use impasto_engine::cpu::FeatureMap;

    use super::*;
    use crate::loss::statistics::testing::{naive_sums, weights};
    use crate::loss::testing::{check_style_loss, evaluate, map};

    fn loss(style: &FeatureMap, weights: Option<Arc<Weights>>) -> GramLoss {
        let (isa, channels) = (Isa::select().unwrap(), style.channels());
        let mut sums = Sums::new(StyleLossKind::Gram, isa, channels, None);
        sums.add(0, style.as_slice());
        GramLoss::new(isa, channels, sums.statistics(), weights)
    }

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
            check_style_loss(&map(shape, 1), &mut loss(&style, None), |x| {
                naive_gram(x, shape[2]).iter().zip(&target).map(|(g, t)| (g - t).powi(2)).sum()
            });
        }
    }

    #[test]
    fn weighted_value_and_gradient_are_those_of_the_formula() {
        for shape in [[3, 5, 64], [17, 23, 64], [1, 7, 128]] {
            let mut loss = loss(&map([4, 3, shape[2]], 2), Some(weights(shape[0] * shape[1])));
            let (target, weights) = (loss.target.clone(), loss.weights.clone().unwrap());
            check_style_loss(&map(shape, 1), &mut loss, |x| {
                let (_, products) = naive_sums(x, weights.values(), shape[2]);
                products.iter().zip(&target).map(|(p, t)| (p / shape[2] as f64 - t).powi(2)).sum()
            });
        }
    }

    #[test]
    fn the_unit_is_the_contents_loss_but_never_next_to_nothing() {
        let (content, style) = (map([5, 7, 64], 1), map([4, 3, 64], 2));
        let mut loss = loss(&style, None);
        let at_start = evaluate(&mut loss, &content, 1.0).raw;
        loss.calibrate();
        assert!((loss.unit / at_start - 1.0).abs() < 1e-12);
        assert!((evaluate(&mut loss, &content, 1.0).in_units - 1.0).abs() < 1e-12);
        evaluate(&mut loss, &style, 1.0);
        loss.calibrate();
        assert_eq!(loss.unit, MIN_DISTANCE * loss.target.iter().map(|g| g * g).sum::<f64>());
    }
}
