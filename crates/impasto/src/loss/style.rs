//! Eqs. (2) and (3).

use impasto_engine::gram::{gram, gram_gradient};
use impasto_engine::{FeatureMap, Isa};

use super::LayerLoss;

/// `sum_ij (G_ij(X) - G_ij(Y))^2`, eq. (2), with the Gram matrices of eq. (3): which channels fire together, wherever that is.
///
/// Gradient: `F·S` with `S = 4/(H·W·C) · (G(X) - G(Y))`, `F` being `[H·W, C]`.
pub(crate) struct StyleLoss {
    /// The instruction set to work with.
    isa: Isa,
    /// G(Y), `[C, C]`.
    target: Vec<f64>,
    /// `weight · S`, `[C, C]`.
    s: Vec<f32>,
}

impl StyleLoss {
    /// `style`: Y, the style picture's map, of any height and width.
    pub(crate) fn new(isa: Isa, style: &FeatureMap) -> Self {
        let target = gram(isa, style);
        let s = vec![0.0; target.len()];
        Self { isa, target, s }
    }
}

impl LayerLoss for StyleLoss {
    fn evaluate(&mut self, features: &FeatureMap, weight: f64, gradient: &mut FeatureMap, accumulate: bool) -> f64 {
        let gram = gram(self.isa, features);
        let scale = weight * 4.0 / features.as_slice().len() as f64;
        let mut sum = 0.0;
        for ((s, gram), target) in self.s.iter_mut().zip(&gram).zip(&self.target) {
            let difference = gram - target;
            sum += difference * difference;
            *s = (scale * difference) as f32;
        }
        gram_gradient(self.isa, features, &self.s, gradient, accumulate);
        sum
    }
}

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
}
