//! The style as mean and covariance of the features.

use std::sync::Arc;

use impasto_engine::cpu::Isa;
use impasto_engine::cpu::gram::gram_gradient;

use super::gram::unit_of;
use super::statistics::{Statistics, Sums, Weights, add_weighted_gram_gradient};
use super::{LayerValue, StyleLoss};
use crate::StyleLossKind;

/// `1/C · sum_i (m_i(X) - m_i(Y))^2 + 1/C^2 · sum_ij (K_ij(X) - K_ij(Y))^2`, with the mean `m` of each channel and the covariance `K`
/// between channels over all positions.
///
/// A Gram matrix is `K + m mᵀ`, in which a rectified layer's means outweigh its covariances: apart, each has its say (Li, Wang, Liu and
/// Hou, *Demystifying Neural Style Transfer*, IJCAI 2017, compare such statistics).
///
/// Gradient: `(F - m) S + b`, `F` being `[N, C]`, with `S = 4/(N·C^2) · (K(X) - K(Y))` and `b = 2/(N·C) · (m(X) - m(Y))`.
///
/// Where positions have weights, `N` is their sum, and the gradient at a position is that times its weight.
pub(crate) struct MomentsLoss {
    /// The instruction set to work with.
    isa: Isa,
    sums: Sums,
    target: Statistics,
    /// Of the positions of X; `None`: all count 1.
    weights: Option<Arc<Weights>>,
    /// Of the means, and of the covariances.
    units: [f64; 2],
    /// How much of a loss in units each of the two makes up.
    shares: [f64; 2],
    /// `weight · S`, `[C, C]`.
    s: Vec<f32>,
    /// `weight · (b - m S)`, `[C]`: what every position has in common.
    offset: Vec<f32>,
}

impl MomentsLoss {
    /// `target`: the moments of Y. `weights`: of the positions of every X.
    pub(crate) fn new(isa: Isa, target: Statistics, weights: Option<Arc<Weights>>) -> Self {
        let channels = target.mean.len();
        Self {
            isa,
            sums: Sums::new(StyleLossKind::Moments, isa, channels, weights.clone()),
            units: [1.0; 2],
            shares: [1.0; 2],
            s: vec![0.0; target.matrix.len()],
            offset: vec![0.0; channels],
            target,
            weights,
        }
    }
}

impl StyleLoss for MomentsLoss {
    fn sums(&mut self) -> &mut Sums {
        &mut self.sums
    }

    /// Means and covariances count half each, in units of their squared distance from the style's at the start from the content.
    fn calibrate(&mut self) {
        let channels = self.sums.channels() as f64;
        let content = self.sums.statistics();
        self.units = [
            unit_of(&content.mean, &self.target.mean) / channels,
            unit_of(&content.matrix, &self.target.matrix) / (channels * channels),
        ];
        self.shares = [0.5; 2];
    }

    fn evaluate(&mut self, weight: f64) -> LayerValue {
        let Statistics { mean, matrix: covariance } = self.sums.statistics();
        let positions = self.sums.total();
        let channels = mean.len() as f64;
        let [mean_weight, covariance_weight] = [0, 1].map(|i| weight * self.shares[i] / self.units[i] / positions);

        let scale = 4.0 * covariance_weight / (channels * channels);
        let mut covariances = 0.0;
        for ((s, value), target) in self.s.iter_mut().zip(&covariance).zip(&self.target.matrix) {
            let difference = value - target;
            covariances += difference * difference;
            *s = (scale * difference) as f32;
        }
        let scale = 2.0 * mean_weight / channels;
        let mut means = 0.0;
        for (i, offset) in self.offset.iter_mut().enumerate() {
            let difference = mean[i] - self.target.mean[i];
            means += difference * difference;
            let row = &self.s[i * mean.len()..][..mean.len()];
            let common: f64 = row.iter().zip(&mean).map(|(&s, m)| f64::from(s) * m).sum();
            *offset = (scale * difference - common) as f32;
        }
        let [means, covariances] = [means / channels, covariances / (channels * channels)];
        LayerValue {
            raw: means + covariances,
            in_units: self.shares[0] * means / self.units[0] + self.shares[1] * covariances / self.units[1],
        }
    }

    fn add_gradient(&self, first: usize, features: &[f32], gradient: &mut [f32]) {
        let channels = self.offset.len();
        let Some(weights) = &self.weights else {
            for position in gradient.chunks_exact_mut(channels) {
                for (gradient, offset) in position.iter_mut().zip(&self.offset) {
                    *gradient += offset;
                }
            }
            gram_gradient(self.isa, channels, features, &self.s, gradient, true);
            return;
        };
        let weights = weights.of(first, channels);
        for (position, &w) in gradient.chunks_exact_mut(channels).zip(weights) {
            for (gradient, offset) in position.iter_mut().zip(&self.offset) {
                *gradient += w * offset;
            }
        }
        add_weighted_gram_gradient(self.isa, channels, features, weights, &self.s, gradient);
    }
}

#[cfg(test)]
mod tests {
    use impasto_engine::cpu::FeatureMap;

    use super::*;
    use crate::loss::statistics::testing::{naive_sums, weights};
    use crate::loss::testing::{check_style_loss, evaluate, map};

    fn of(map: &FeatureMap) -> Statistics {
        let mut sums = Sums::new(StyleLossKind::Moments, Isa::select().unwrap(), map.channels(), None);
        sums.add(0, map.as_slice());
        sums.statistics()
    }

    fn naive_moments(a: &[f64], channels: usize) -> (Vec<f64>, Vec<f64>) {
        let positions = (a.len() / channels) as f64;
        let mut mean = vec![0.0; channels];
        a.iter().enumerate().for_each(|(i, v)| mean[i % channels] += v / positions);
        let mut covariance = vec![0.0; channels * channels];
        for position in a.chunks(channels) {
            for i in 0..channels {
                for j in 0..channels {
                    covariance[i * channels + j] += (position[i] - mean[i]) * (position[j] - mean[j]) / positions;
                }
            }
        }
        (mean, covariance)
    }

    fn distance(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>() / a.len() as f64
    }

    #[test]
    fn value_and_gradient_are_those_of_the_formula() {
        // More positions than a band, and numbers of them that nothing divides.
        for shape in [[1, 1, 64], [3, 5, 64], [17, 23, 64], [1, 4, 128], [33, 35, 64]] {
            let style = map([4, 3, shape[2]], 2);
            let y: Vec<f64> = style.as_slice().iter().map(|&v| v.into()).collect();
            let (mean, covariance) = naive_moments(&y, shape[2]);
            check_style_loss(&map(shape, 1), &mut MomentsLoss::new(Isa::select().unwrap(), of(&style), None), |x| {
                let moments = naive_moments(x, shape[2]);
                distance(&moments.0, &mean) + distance(&moments.1, &covariance)
            });
        }
    }

    #[test]
    fn weighted_value_and_gradient_are_those_of_the_formula() {
        for shape in [[3, 5, 64], [17, 23, 64], [33, 35, 64]] {
            let style = of(&map([4, 3, shape[2]], 2));
            let weights = weights(shape[0] * shape[1]);
            let moments = |x: &[f64]| {
                let (mean, mut products) = naive_sums(x, weights.values(), 64);
                (0..64 * 64).for_each(|i| products[i] -= mean[i / 64] * mean[i % 64]);
                (mean, products)
            };
            let mut loss = MomentsLoss::new(Isa::select().unwrap(), style.clone(), Some(weights.clone()));
            check_style_loss(&map(shape, 1), &mut loss, |x| {
                let moments = moments(x);
                distance(&moments.0, &style.mean) + distance(&moments.1, &style.matrix)
            });
        }
    }

    #[test]
    fn both_moments_count_half_for_the_content() {
        let (content, style) = (map([5, 7, 64], 1), map([4, 3, 64], 2));
        let mut loss = MomentsLoss::new(Isa::select().unwrap(), of(&style), None);
        let raw = evaluate(&mut loss, &content, 1.0).raw;
        loss.calibrate();
        assert!((loss.units.iter().sum::<f64>() / raw - 1.0).abs() < 1e-12);
        assert!((evaluate(&mut loss, &content, 1.0).in_units - 1.0).abs() < 1e-12);
        // A shift changes the means alone.
        let mut shifted = style.clone();
        shifted.as_mut_slice().iter_mut().for_each(|v| *v += 1.0);
        let in_units = evaluate(&mut loss, &shifted, 1.0).in_units;
        assert!((in_units * loss.units[0] / 0.5 - 1.0).abs() < 1e-4, "{in_units}");
    }
}
