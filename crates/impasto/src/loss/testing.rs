//! Maps, sums as they are written, and central differences, for the tests of every loss.

use impasto_engine::network::StyleSums;

use crate::loss::style_loss::{LayerValue, StyleLoss};
use crate::noise::test_values;

/// Height, width and channels that no vector width or chunk divides.
pub(crate) const UGLY_SHAPES: [[usize; 3]; 5] = [[1, 1, 1], [3, 5, 1], [1, 4, 3], [17, 23, 3], [5, 3, 64]];

/// What the losses are weighted with.
pub(crate) const WEIGHT: f64 = 0.75;

/// A feature map, `[H, W, C]`.
#[derive(Clone, Debug)]
pub(crate) struct TestMap {
    pub(crate) shape: [usize; 3],
    pub(crate) values: Vec<f32>,
}

impl TestMap {
    pub(crate) fn exact(&self) -> Vec<f64> {
        self.values.iter().map(|&v| v.into()).collect()
    }

    /// Some positions, in one row.
    pub(crate) fn part(&self, positions: std::ops::Range<usize>) -> Self {
        let channels = self.shape[2];
        let values = self.values[positions.start * channels..positions.end * channels].to_vec();
        Self { shape: [1, positions.len(), channels], values }
    }
}

pub(crate) fn map(shape: [usize; 3], seed: u64) -> TestMap {
    TestMap { shape, values: test_values(shape.iter().product(), seed) }
}

/// Weights with zeros among them, of which enough is left.
pub(crate) fn weights(positions: usize) -> Vec<f32> {
    let mut values: Vec<f32> = test_values(positions, 9).iter().map(|v| (v.abs() * 0.8).min(1.0)).collect();
    values.iter_mut().skip(1).step_by(3).for_each(|w| *w = 0.0);
    values[0] = 1.0;
    values
}

/// `(Σ w f / Σ w, Σ w f fᵀ / Σ w)` as it is written.
pub(crate) fn naive_sums(features: &[f64], weights: &[f32], channels: usize) -> (Vec<f64>, Vec<f64>) {
    let total: f64 = weights.iter().map(|&w| f64::from(w)).sum();
    let (mut mean, mut products) = (vec![0.0; channels], vec![0.0; channels * channels]);
    for (position, &w) in features.chunks(channels).zip(weights) {
        let w = f64::from(w) / total;
        for i in 0..channels {
            mean[i] += w * position[i];
            for j in 0..channels {
                products[i * channels + j] += w * position[i] * position[j];
            }
        }
    }
    (mean, products)
}

/// The sums of a map, as a workspace would return them. `weights`: `None` if each position counts
/// 1.
pub(crate) fn sums_of(map: &TestMap, weights: Option<&[f32]>) -> StyleSums {
    let [height, width, channels] = map.shape;
    let ones = vec![1.0; height * width];
    let weights = weights.unwrap_or(&ones);
    let total: f64 = weights.iter().map(|&w| f64::from(w)).sum();
    let (mean, products) = naive_sums(&map.exact(), weights, channels);
    let times_total = |values: Vec<f64>| values.into_iter().map(|v| v * total).collect();
    StyleSums { total, features: times_total(mean), products: times_total(products) }
}

/// `(f(x + h e_i) - f(x - h e_i)) / 2h` for some `i`, against `gradient`, to within `tolerance` of
/// its largest entry.
///
/// `f` is the naive f64 form of the function, so that the differences are exact for a quadratic and
/// good for a quartic.
pub(crate) fn check_gradient(x: &[f32], gradient: &[f32], tolerance: f64, f: impl Fn(&[f64]) -> f64) {
    const STEP: f64 = 1e-4;
    assert_eq!(x.len(), gradient.len());
    let mut x: Vec<f64> = x.iter().map(|&v| v.into()).collect();
    let largest = gradient.iter().fold(0.0, |m, v| v.abs().max(m));
    for i in (0..x.len()).step_by(x.len().div_ceil(50)) {
        let at = x[i];
        x[i] = at + STEP;
        let above = f(&x);
        x[i] = at - STEP;
        let below = f(&x);
        x[i] = at;
        let difference = (above - below) / (2.0 * STEP);
        let error = (difference - f64::from(gradient[i])).abs();
        assert!(error <= tolerance * f64::from(largest) + 1e-9, "{i}: {difference} {}", gradient[i]);
    }
}

/// A style loss against its naive form: the value, and the gradient `w (F S + b)`.
pub(crate) fn check_style_loss(
    map: &TestMap,
    weights: Option<&[f32]>,
    loss: &mut dyn StyleLoss,
    naive: impl Fn(&[f64]) -> f64,
) {
    let LayerValue { raw, in_units } = loss.evaluate(&sums_of(map, weights), WEIGHT);
    assert_eq!(in_units, raw, "not calibrated");
    let expected = naive(&map.exact());
    assert!((raw - expected).abs() <= 1e-5 * raw, "{raw} {expected}");
    let (change, channels) = (loss.change(), map.shape[2]);
    let mut gradient = Vec::with_capacity(map.values.len());
    for (p, f) in map.values.chunks(channels).enumerate() {
        let w = weights.map_or(1.0, |weights| weights[p]);
        for j in 0..channels {
            let product: f32 = (0..channels).map(|i| f[i] * change.s[i * channels + j]).sum();
            gradient.push(w * (product + change.b.get(j).unwrap_or(&0.0)));
        }
    }
    check_gradient(&map.values, &gradient, 1e-4, |x| WEIGHT * naive(x));
}
