//! What every loss on a layer has in common.

use impasto_engine::network::{StyleChange, StyleSums};

/// A style loss on one layer's feature map, as a function of the sums over its positions.
pub(crate) trait StyleLoss: Send + Sync {
    /// Takes the units of [`Objective::Balanced`](crate::Objective::Balanced) from the sums of the
    /// content picture's map. From then on every part of the loss counts in units of what is
    /// neither small nor large for it. Without this call the units are 1.
    fn calibrate(&mut self, content: &StyleSums);

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

/// Least unit of a style loss, as a part of the style's squared norm. Without it a content that has
/// the style already would make its layer count without end.
pub(crate) const MIN_DISTANCE: f64 = 1e-3;

/// `max(|content - style|², MIN_DISTANCE |style|²)`: the unit of a part of a style loss.
pub(crate) fn unit_of(content: &[f64], style: &[f64]) -> f64 {
    let distance: f64 = content.iter().zip(style).map(|(a, b)| (a - b) * (a - b)).sum();
    let norm: f64 = style.iter().map(|v| v * v).sum();
    distance.max(MIN_DISTANCE * norm).max(f64::MIN_POSITIVE)
}
