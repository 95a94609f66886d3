//! Eq. (1).

use impasto_engine::FeatureMap;
use rayon::prelude::*;

use super::LayerLoss;
use crate::reduce::CHUNK;

/// `1/(H·W·C) · sum (X - Y)^2`, eq. (1): the mean squared difference of two feature maps, place by place.
///
/// Gradient: `2/(H·W·C) · (X - Y)`.
pub(crate) struct ContentLoss {
    target: FeatureMap,
}

impl ContentLoss {
    /// `target`: Y, the content picture's map, of the same shape as every X.
    pub(crate) fn new(target: FeatureMap) -> Self {
        Self { target }
    }
}

impl LayerLoss for ContentLoss {
    fn evaluate(&mut self, features: &FeatureMap, weight: f64, gradient: &mut FeatureMap, accumulate: bool) -> f64 {
        let (x, y) = (features.as_slice(), self.target.as_slice());
        assert_eq!(x.len(), y.len(), "both maps are of pictures of one size");
        let count = x.len() as f64;
        let scale = (weight * 2.0 / count) as f32;
        // Added up in the order of the chunks, whichever thread finishes first.
        let partial: Vec<f64> = gradient
            .as_mut_slice()
            .par_chunks_mut(CHUNK)
            .zip(x.par_chunks(CHUNK).zip(y.par_chunks(CHUNK)))
            .map(|(gradient, (x, y))| {
                let mut sum = 0.0;
                for ((gradient, x), y) in gradient.iter_mut().zip(x).zip(y) {
                    let difference = x - y;
                    sum += f64::from(difference) * f64::from(difference);
                    let before = if accumulate { *gradient } else { 0.0 };
                    *gradient = before + scale * difference;
                }
                sum
            })
            .collect();
        partial.iter().sum::<f64>() / count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::testing::{UGLY_SHAPES, check_layer_loss, map};

    #[test]
    fn value_and_gradient_are_those_of_the_formula() {
        for shape in UGLY_SHAPES.into_iter().chain([[70, 61, 5]]) {
            let (features, target) = (map(shape, 1), map(shape, 2));
            let y = target.clone();
            check_layer_loss(&features, &mut ContentLoss::new(target), |x| {
                let squares = x.iter().zip(y.as_slice()).map(|(x, &y)| (x - f64::from(y)).powi(2));
                squares.sum::<f64>() / x.len() as f64
            });
        }
    }

    #[test]
    fn the_target_itself_has_no_loss() {
        let features = map([4, 5, 3], 1);
        let mut gradient = features.clone();
        assert_eq!(ContentLoss::new(features.clone()).evaluate(&features, 1.0, &mut gradient, false), 0.0);
        assert!(gradient.as_slice().iter().all(|&g| g == 0.0));
    }
}
