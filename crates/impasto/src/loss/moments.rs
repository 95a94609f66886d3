//! The style as mean and covariance of the features.

use impasto_engine::gram::{gram, gram_gradient};
use impasto_engine::{FeatureMap, Isa};
use rayon::prelude::*;

use super::style::unit_of;
use super::{LayerLoss, LayerValue};

/// `1/C · sum_i (m_i(X) - m_i(Y))^2 + 1/C^2 · sum_ij (K_ij(X) - K_ij(Y))^2`, with the mean `m` of each channel and the covariance `K`
/// between channels over all positions.
///
/// A Gram matrix is `K + m mᵀ`, in which a rectified layer's means outweigh its covariances: apart, each has its say (Li, Wang, Liu and
/// Hou, *Demystifying Neural Style Transfer*, IJCAI 2017, compare such statistics).
///
/// Gradient: `(F - m) S + b`, `F` being `[N, C]`, with `S = 4/(N·C^2) · (K(X) - K(Y))` and `b = 2/(N·C) · (m(X) - m(Y))`.
pub(crate) struct MomentsLoss {
    /// The instruction set to work with.
    isa: Isa,
    target: Moments,
    /// Of the means, and of the covariances.
    units: [f64; 2],
    /// How much of a loss in units each of the two makes up.
    shares: [f64; 2],
    /// `weight · S`, `[C, C]`.
    s: Vec<f32>,
    /// `weight · (b - m S)`, `[C]`: what every position has in common.
    offset: Vec<f32>,
}

/// Statistics of a map.
struct Moments {
    /// `[C]`
    mean: Vec<f64>,
    /// `[C, C]`
    covariance: Vec<f64>,
}

impl Moments {
    fn new(isa: Isa, map: &FeatureMap) -> Self {
        let channels = map.channels();
        let mean = channel_means(map);
        let mut covariance = gram(isa, map);
        for (i, row) in covariance.chunks_exact_mut(channels).enumerate() {
            for (value, &other) in row.iter_mut().zip(&mean) {
                // The Gram matrix of eq. (3) is divided by the channels too.
                *value = *value * channels as f64 - mean[i] * other;
            }
        }
        Self { mean, covariance }
    }
}

impl MomentsLoss {
    /// `style`: Y, the style picture's map, of any height and width.
    pub(crate) fn new(isa: Isa, style: &FeatureMap) -> Self {
        let target = Moments::new(isa, style);
        let channels = style.channels();
        Self {
            isa,
            units: [1.0; 2],
            shares: [1.0; 2],
            s: vec![0.0; target.covariance.len()],
            offset: vec![0.0; channels],
            target,
        }
    }
}

impl LayerLoss for MomentsLoss {
    /// Means and covariances count half each, in units of their squared distance from the style's at the start from the content.
    fn calibrate(&mut self, content: &FeatureMap) {
        let channels = content.channels() as f64;
        let content = Moments::new(self.isa, content);
        self.units = [
            unit_of(&content.mean, &self.target.mean) / channels,
            unit_of(&content.covariance, &self.target.covariance) / (channels * channels),
        ];
        self.shares = [0.5; 2];
    }

    fn evaluate(&mut self, features: &FeatureMap, weight: f64) -> LayerValue {
        let Moments { mean, covariance } = Moments::new(self.isa, features);
        let (channels, positions) = (mean.len() as f64, features.positions() as f64);
        let [mean_weight, covariance_weight] = [0, 1].map(|i| weight * self.shares[i] / self.units[i] / positions);

        let scale = 4.0 * covariance_weight / (channels * channels);
        let mut covariances = 0.0;
        for ((s, value), target) in self.s.iter_mut().zip(&covariance).zip(&self.target.covariance) {
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

    fn add_gradient(&self, _first: usize, features: &[f32], gradient: &mut [f32]) {
        for position in gradient.chunks_exact_mut(self.offset.len()) {
            for (gradient, offset) in position.iter_mut().zip(&self.offset) {
                *gradient += offset;
            }
        }
        gram_gradient(self.isa, self.offset.len(), features, &self.s, gradient, true);
    }
}

/// Positions whose sums are taken together: what is shared among threads must not depend on how many there are.
const BAND: usize = 1024;

/// Positions summed in f32 before they are added to f64 sums.
const RUN: usize = 32;

/// Mean of each channel over all positions, `[C]`.
pub(super) fn channel_means(map: &FeatureMap) -> Vec<f64> {
    let channels = map.channels();
    let bands: Vec<Vec<f64>> = map
        .as_slice()
        .par_chunks(BAND * channels)
        .map(|band| {
            let mut sums = vec![0.0; channels];
            let mut run_sums = vec![0.0f32; channels];
            for run in band.chunks(RUN * channels) {
                run_sums.fill(0.0);
                for position in run.chunks_exact(channels) {
                    for (sum, v) in run_sums.iter_mut().zip(position) {
                        *sum += v;
                    }
                }
                for (sum, &run) in sums.iter_mut().zip(&run_sums) {
                    *sum += f64::from(run);
                }
            }
            sums
        })
        .collect();
    let mut means = vec![0.0; channels];
    for band in bands {
        for (mean, sum) in means.iter_mut().zip(band) {
            *mean += sum / map.positions() as f64;
        }
    }
    means
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::testing::{check_layer_loss, map};

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
            check_layer_loss(&map(shape, 1), &mut MomentsLoss::new(Isa::select().unwrap(), &style), |x| {
                let moments = naive_moments(x, shape[2]);
                distance(&moments.0, &mean) + distance(&moments.1, &covariance)
            });
        }
    }

    #[test]
    fn both_moments_count_half_for_the_content() {
        let (content, style) = (map([5, 7, 64], 1), map([4, 3, 64], 2));
        let mut loss = MomentsLoss::new(Isa::select().unwrap(), &style);
        let raw = loss.evaluate(&content, 1.0).raw;
        loss.calibrate(&content);
        assert!((loss.units.iter().sum::<f64>() / raw - 1.0).abs() < 1e-12);
        assert!((loss.evaluate(&content, 1.0).in_units - 1.0).abs() < 1e-12);
        // A shift changes the means alone.
        let mut shifted = style.clone();
        shifted.as_mut_slice().iter_mut().for_each(|v| *v += 1.0);
        let in_units = loss.evaluate(&shifted, 1.0).in_units;
        assert!((in_units * loss.units[0] / 0.5 - 1.0).abs() < 1e-4, "{in_units}");
    }
}
