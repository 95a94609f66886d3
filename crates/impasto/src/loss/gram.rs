//! The style as Gram matrices, eqs. (2) and (3).

use impasto_engine::network::{StyleChange, StyleSums};

use crate::loss::statistics::{Statistics, gram_matrix};
use crate::loss::style_loss::{LayerValue, StyleLoss, take_differences, unit_of, unlikeness};

/// `Σ_ij (G_ij(X) - G_ij(Y))²`, eq. (2), with the Gram matrices of eq. (3): which channels fire
/// together, wherever that is.
///
/// Gradient: `F S` with `S = 4 / (H·W·C) · (G(X) - G(Y))`, where `F` is `[H·W, C]`.
///
/// If positions have weights, their sum stands for `H·W`, and the gradient at a position is
/// multiplied by its weight.
pub(crate) struct GramLoss {
    /// `G(Y)`, `[C, C]`.
    target: Vec<f64>,
    unit: f64,
    /// `weight · S`, `[C, C]`.
    s: Vec<f32>,
}

impl GramLoss {
    /// `target`: the statistics of Y.
    pub(crate) fn new(target: Statistics) -> Self {
        let target = target.matrix;
        Self { s: vec![0.0; target.len()], target, unit: 1.0 }
    }
}

impl StyleLoss for GramLoss {
    /// The unit is `Σ_ij (G_ij(content) - G_ij(Y))²`: the loss of a run that starts from the
    /// content.
    fn calibrate(&mut self, content: &StyleSums) -> f64 {
        let content = gram_matrix(content);
        self.unit = unit_of(&content, &self.target);
        unlikeness(&content, &self.target).ln()
    }

    fn evaluate(&mut self, sums: &StyleSums, weight: f64) -> LayerValue {
        let channels = sums.channels();
        let per_value = 1.0 / (sums.total * channels as f64);
        let scale = weight / self.unit * 4.0 * per_value;
        let matrices = [sums.products.as_slice(), &self.target];
        let sum = take_differences(channels, &mut self.s, scale, matrices, |_, _, sum| sum * per_value);
        LayerValue::new(sum, self.unit)
    }

    fn change(&self) -> StyleChange<'_> {
        StyleChange { s: &self.s, b: &[] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StyleLossKind;
    use crate::loss::style_loss::MIN_DISTANCE;
    use crate::loss::testing::{TestMap, check_style_loss, map, naive_sums, sums_of, weights};

    fn loss(style: &TestMap) -> GramLoss {
        GramLoss::new(Statistics::of(StyleLossKind::Gram, &sums_of(style, None)))
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
        // The style has a size of its own.
        for shape in [[1, 1, 64], [3, 5, 64], [17, 23, 64], [1, 4, 128]] {
            let style = map([4, 3, shape[2]], 2);
            let target = naive_gram(&style.exact(), shape[2]);
            check_style_loss(&map(shape, 1), None, &mut loss(&style), |x| {
                naive_gram(x, shape[2]).iter().zip(&target).map(|(g, t)| (g - t).powi(2)).sum()
            });
        }
    }

    #[test]
    fn weighted_value_and_gradient_are_those_of_the_formula() {
        for shape in [[3, 5, 64], [17, 23, 64], [1, 7, 128]] {
            let weights = weights(shape[0] * shape[1]);
            let mut loss = loss(&map([4, 3, shape[2]], 2));
            let target = loss.target.clone();
            check_style_loss(&map(shape, 1), Some(&weights), &mut loss, |x| {
                let (_, products) = naive_sums(x, &weights, shape[2]);
                products.iter().zip(&target).map(|(p, t)| (p / shape[2] as f64 - t).powi(2)).sum()
            });
        }
    }

    #[test]
    fn the_unit_is_the_contents_loss_but_never_next_to_nothing() {
        let (content, style) = (map([5, 7, 64], 1), map([4, 3, 64], 2));
        let mut loss = loss(&style);
        let (content, style) = (sums_of(&content, None), sums_of(&style, None));
        let at_start = loss.evaluate(&content, 1.0).raw;
        loss.calibrate(&content);
        assert!((loss.unit / at_start - 1.0).abs() < 1e-12);
        assert!((loss.evaluate(&content, 1.0).in_units - 1.0).abs() < 1e-12);
        loss.calibrate(&style);
        assert_eq!(loss.unit, MIN_DISTANCE * loss.target.iter().map(|g| g * g).sum::<f64>());
    }
}
