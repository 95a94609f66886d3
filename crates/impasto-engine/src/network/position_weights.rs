//! How much each position of a map counts.

use crate::layer::Layer;

/// Weights of the positions of a layer's map: the mean of a mask over the pixels that each position
/// stands for.
#[derive(Clone, Debug, PartialEq)]
pub struct PositionWeights {
    /// `[positions]`, 0..1.
    values: Vec<f32>,
    /// Sum of `values`.
    total: f64,
}

/// Least sum of the weights. Statistics over less than one position say nothing.
const MIN_POSITIONS: f64 = 1.0;

impl PositionWeights {
    /// Returns the weights of a layer's positions for a mask `[H, W]` of the image, in 0..1.
    /// Returns `None` if less than one position is left.
    ///
    /// # Panics
    /// If the mask is not whole rows of `width` values.
    pub fn of_mask(mask: &[f32], width: usize, layer: Layer) -> Option<Self> {
        assert!(mask.len().is_multiple_of(width), "a mask has whole rows");
        Self::new(pooled(mask, width, layer.poolings()))
    }

    /// Returns these weights, one for each position. Returns `None` if less than one position is
    /// left.
    pub fn new(values: Vec<f32>) -> Option<Self> {
        let total = values.iter().map(|&w| f64::from(w)).sum();
        (total >= MIN_POSITIONS).then_some(Self { values, total })
    }

    /// Returns the weights, `[positions]`.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Returns the sum of all weights.
    pub fn total(&self) -> f64 {
        self.total
    }
}

/// The mean of a mask over blocks of `2^poolings` pixels a side. A last odd row or column is left
/// out, as in the network's poolings.
fn pooled(mask: &[f32], width: usize, poolings: usize) -> Vec<f32> {
    let side = 1 << poolings;
    let mean = |x: usize, y: usize| {
        let rows = (y * side..(y + 1) * side).map(|row| &mask[row * width + x * side..][..side]);
        rows.flatten().sum::<f32>() / (side * side) as f32
    };
    let (columns, rows) = (width >> poolings, (mask.len() / width) >> poolings);
    (0..rows).flat_map(|y| (0..columns).map(move |x| (x, y))).map(|(x, y)| mean(x, y)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pooling_is_the_mean_of_blocks_without_the_rest() {
        let mask = [1.0, 0.0, 0.0, 0.0, 0.9, 0.5, 0.5, 0.0, 0.0, 0.9];
        assert_eq!(pooled(&mask, 5, 1), [0.5, 0.0]);
        assert_eq!(pooled(&mask, 5, 0), mask);
        assert!(pooled(&mask, 5, 2).is_empty());
    }

    #[test]
    fn less_than_a_position_is_nothing() {
        assert_eq!(PositionWeights::new(vec![0.3, 0.3, 0.3]), None);
        assert_eq!(PositionWeights::new(vec![0.0, 0.5, 0.5]).map(|weights| weights.total()), Some(1.0));
    }
}
