//! What every loss on a layer has in common.

use impasto_engine::network::{StyleChange, StyleSums};
use rayon::prelude::*;

use crate::reduce::CHUNK;

/// A style loss on one layer's feature map, as a function of the sums over its positions.
pub(crate) trait StyleLoss: Send + Sync {
    /// Takes the units of [`Objective::Balanced`](crate::Objective::Balanced) from the sums of the
    /// content picture's map. From then on every part of the loss counts in units of what is
    /// neither small nor large for it. Without this call the units are 1.
    ///
    /// Returns how unlike the content and the style are: the mean logarithm of [`unlikeness`] over
    /// the parts of the loss.
    fn calibrate(&mut self, content: &StyleSums) -> f64;

    /// Returns the loss of a map with these sums. Keeps how the loss in its units changes, times
    /// `weight`, for [`StyleLoss::change`].
    fn evaluate(&mut self, sums: &StyleSums, weight: f64) -> LayerValue;

    /// Returns how the loss of the last evaluation changes with the features.
    fn change(&self) -> StyleChange<'_>;
}

/// The loss of a layer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct LayerValue {
    /// By the formula.
    pub(crate) raw: f64,
    /// In the units of calibration.
    pub(crate) in_units: f64,
}

impl LayerValue {
    pub(crate) fn new(raw: f64, unit: f64) -> Self {
        Self { raw, in_units: raw / unit }
    }
}

/// Takes a matrix of differences: `s = scale · D`. Returns `Σ_ij D_ij²`, with the same bits at any
/// number of threads.
///
/// `s`, `sums` and `target`: `[C, C]`. `D_ij` is `value(i, j, sums_ij) - target_ij`.
pub(crate) fn take_differences(
    channels: usize,
    s: &mut [f32],
    scale: f64,
    [sums, target]: [&[f64]; 2],
    value: impl Fn(usize, usize, f64) -> f64 + Sync,
) -> f64 {
    let of_row = |i: usize, s: &mut [f32]| -> f64 {
        let [sums, target] = [sums, target].map(|matrix| &matrix[i * channels..][..channels]);
        let values = s.iter_mut().zip(sums.iter().zip(target)).enumerate();
        let squares = values.map(|(j, (s, (&sum, target)))| {
            let difference = value(i, j, sum) - target;
            *s = (scale * difference) as f32;
            difference * difference
        });
        squares.sum()
    };
    let rows = s.par_chunks_mut(channels).enumerate().with_min_len(CHUNK.div_ceil(channels));
    let squares: Vec<f64> = rows.map(|(i, s)| of_row(i, s)).collect();
    squares.iter().sum()
}

/// Least unit of a style loss, as a part of the style's squared norm. Without it a content that has
/// the style already would make its layer count without end.
pub(crate) const MIN_DISTANCE: f64 = 1e-3;

/// `min_a |a content - style|² / |content - style|²`: the part of the distance that is left if the
/// content is made as strong as the style. Between [`MIN_UNLIKENESS`] and 1.
///
/// The distance of a bright photo from a dark painting is mostly that the photo's features are
/// stronger. That part says nothing of how different the two are painted.
pub(crate) fn unlikeness(content: &[f64], style: &[f64]) -> f64 {
    let sum = |of: &dyn Fn(f64, f64) -> f64| content.iter().zip(style).map(|(&a, &b)| of(a, b)).sum::<f64>();
    let (own, common, wanted) = (sum(&|a, _| a * a), sum(&|a, b| a * b), sum(&|_, b| b * b));
    let distance = sum(&|a, b| (a - b) * (a - b));
    let left = if own > 0.0 { wanted - common * common / own } else { distance };
    if distance > 0.0 { (left / distance).clamp(MIN_UNLIKENESS, 1.0) } else { 1.0 }
}

/// Least [`unlikeness`]. A style that is the content at another strength would otherwise count
/// without end.
const MIN_UNLIKENESS: f64 = 0.01;

/// `max(|content - style|², MIN_DISTANCE |style|²)`: the unit of a part of a style loss.
pub(crate) fn unit_of(content: &[f64], style: &[f64]) -> f64 {
    let distance: f64 = content.iter().zip(style).map(|(a, b)| (a - b) * (a - b)).sum();
    let norm: f64 = style.iter().map(|v| v * v).sum();
    distance.max(MIN_DISTANCE * norm).max(f64::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_merely_stronger_is_not_unlike() {
        let content = [4.0, 2.0, 0.0];
        // Half as strong, and as unlike as can be.
        assert_eq!(unlikeness(&content, &[2.0, 1.0, 0.0]), MIN_UNLIKENESS);
        assert_eq!(unlikeness(&content, &[0.0, 0.0, 3.0]), 9.0 / 29.0);
        // The style is a tenth as strong, and a right angle away: nearly all of the distance is
        // strength.
        assert!(unlikeness(&content, &[0.0, 0.0, 0.4]) < 0.01 + 1e-3);
        // At the best strength already.
        assert!((unlikeness(&content, &[4.0, 2.0, 3.0]) - 1.0).abs() < 1e-12);
        for (content, style) in [([0.0; 3], [1.0; 3]), ([1.0; 3], [0.0; 3]), ([0.0; 3], [0.0; 3]), ([1.0; 3], [1.0; 3])]
        {
            let found = unlikeness(&content, &style);
            assert!((MIN_UNLIKENESS..=1.0).contains(&found), "{content:?} {style:?} {found}");
        }
    }
}
