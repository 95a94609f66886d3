//! The style as mean and covariance of the features.

use impasto_engine::network::{StyleChange, StyleSums};
use rayon::prelude::*;

use crate::loss::statistics::Statistics;
use crate::loss::style_loss::{LayerValue, StyleLoss, take_differences, unit_of, unlikeness};
use crate::options::StyleLossKind;
use crate::reduce::CHUNK;

/// `1/C · Σ_i (m_i(X) - m_i(Y))² + 1/C² · Σ_ij (K_ij(X) - K_ij(Y))²`, with the mean `m` of each
/// channel and the covariance `K` between channels over all positions.
///
/// A Gram matrix is `K + m mᵀ`. In a rectified layer the means outweigh the covariances, so here
/// each has a share of its own (Li, Wang, Liu and Hou, *Demystifying Neural Style Transfer*, IJCAI
/// 2017, compare such statistics).
///
/// Gradient: `(F - m) S + b`, where `F` is `[N, C]`, with `S = 4 / (N·C²) · (K(X) - K(Y))` and `b =
/// 2 / (N·C) · (m(X) - m(Y))`.
///
/// If positions have weights, `N` is their sum, and the gradient at a position is multiplied by its
/// weight.
pub(crate) struct MomentsLoss {
    target: Statistics,
    /// Of the means, and of the covariances.
    units: [f64; 2],
    /// How much of a loss in units the means and the covariances make up.
    shares: [f64; 2],
    /// `weight · S`, `[C, C]`.
    s: Vec<f32>,
    /// `weight · (b - m S)`, `[C]`: the part of the gradient that is the same at every position.
    offset: Vec<f32>,
}

impl MomentsLoss {
    /// `target`: the moments of Y.
    pub(crate) fn new(target: Statistics) -> Self {
        Self {
            units: [1.0; 2],
            shares: [1.0; 2],
            s: vec![0.0; target.matrix.len()],
            offset: vec![0.0; target.mean.len()],
            target,
        }
    }
}

impl StyleLoss for MomentsLoss {
    /// Means and covariances count half each. Their units are their squared distances from those of
    /// the style at a start from the content.
    fn calibrate(&mut self, content: &StyleSums) -> f64 {
        let channels = content.channels() as f64;
        let content = Statistics::of(StyleLossKind::Moments, content);
        self.units = [
            unit_of(&content.mean, &self.target.mean) / channels,
            unit_of(&content.matrix, &self.target.matrix) / (channels * channels),
        ];
        self.shares = [0.5; 2];
        let parts = [(&content.mean, &self.target.mean), (&content.matrix, &self.target.matrix)];
        parts.map(|(content, style)| unlikeness(content, style).ln()).iter().sum::<f64>() / parts.len() as f64
    }

    fn evaluate(&mut self, sums: &StyleSums, weight: f64) -> LayerValue {
        let positions = sums.total;
        let mean: Vec<f64> = sums.features.iter().map(|sum| sum / positions).collect();
        let channels = mean.len() as f64;
        let [mean_weight, covariance_weight] = [0, 1].map(|i| weight * self.shares[i] / self.units[i] / positions);

        let scale = 4.0 * covariance_weight / (channels * channels);
        let matrices = [sums.products.as_slice(), &self.target.matrix];
        let covariance = |i: usize, j: usize, sum: f64| sum / positions - mean[i] * mean[j];
        let covariances = take_differences(mean.len(), &mut self.s, scale, matrices, covariance);
        let scale = 2.0 * mean_weight / channels;
        let differences: Vec<f64> = mean.iter().zip(&self.target.mean).map(|(mean, target)| mean - target).collect();
        let means: f64 = differences.iter().map(|difference| difference * difference).sum();
        let offsets = self.offset.par_iter_mut().zip(&differences).zip(self.s.par_chunks(mean.len()));
        offsets.with_min_len(CHUNK.div_ceil(mean.len())).for_each(|((offset, difference), row)| {
            let common: f64 = row.iter().zip(&mean).map(|(&s, m)| f64::from(s) * m).sum();
            *offset = (scale * difference - common) as f32;
        });
        let [means, covariances] = [means / channels, covariances / (channels * channels)];
        LayerValue {
            raw: means + covariances,
            in_units: self.shares[0] * means / self.units[0] + self.shares[1] * covariances / self.units[1],
        }
    }

    fn change(&self) -> StyleChange<'_> {
        StyleChange { s: &self.s, b: &self.offset }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::testing::{TestMap, check_style_loss, map, naive_sums, sums_of, weights};

    fn moments_of(map: &TestMap) -> Statistics {
        Statistics::of(StyleLossKind::Moments, &sums_of(map, None))
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
        for shape in [[1, 1, 64], [3, 5, 64], [17, 23, 64], [1, 4, 128], [33, 35, 64]] {
            let style = map([4, 3, shape[2]], 2);
            let (mean, covariance) = naive_moments(&style.exact(), shape[2]);
            check_style_loss(&map(shape, 1), None, &mut MomentsLoss::new(moments_of(&style)), |x| {
                let moments = naive_moments(x, shape[2]);
                distance(&moments.0, &mean) + distance(&moments.1, &covariance)
            });
        }
    }

    #[test]
    fn weighted_value_and_gradient_are_those_of_the_formula() {
        for shape in [[3, 5, 64], [17, 23, 64], [33, 35, 64]] {
            let style = moments_of(&map([4, 3, shape[2]], 2));
            let weights = weights(shape[0] * shape[1]);
            let moments = |x: &[f64]| {
                let (mean, mut products) = naive_sums(x, &weights, 64);
                (0..64 * 64).for_each(|i| products[i] -= mean[i / 64] * mean[i % 64]);
                (mean, products)
            };
            let mut loss = MomentsLoss::new(style.clone());
            check_style_loss(&map(shape, 1), Some(&weights), &mut loss, |x| {
                let moments = moments(x);
                distance(&moments.0, &style.mean) + distance(&moments.1, &style.matrix)
            });
        }
    }

    #[test]
    fn both_moments_count_half_for_the_content() {
        let (content, style) = (map([5, 7, 64], 1), map([4, 3, 64], 2));
        let mut loss = MomentsLoss::new(moments_of(&style));
        let content = sums_of(&content, None);
        let raw = loss.evaluate(&content, 1.0).raw;
        loss.calibrate(&content);
        assert!((loss.units.iter().sum::<f64>() / raw - 1.0).abs() < 1e-12);
        assert!((loss.evaluate(&content, 1.0).in_units - 1.0).abs() < 1e-12);
        // A shift changes the means alone.
        let mut shifted = style.clone();
        shifted.values.iter_mut().for_each(|v| *v += 1.0);
        let in_units = loss.evaluate(&sums_of(&shifted, None), 1.0).in_units;
        assert!((in_units * loss.units[0] / 0.5 - 1.0).abs() < 1e-4, "{in_units}");
    }
}
