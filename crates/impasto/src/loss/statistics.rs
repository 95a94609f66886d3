//! What a style is compared by: statistics over a map's positions, which may count differently.

use std::sync::Arc;

use impasto_engine::Layer;
use impasto_engine::cpu::gram::{gram_gradient, products};
use impasto_engine::cpu::{FeatureMap, Isa};
use rayon::prelude::*;

use super::Reduction;
use crate::{Mask, StyleLossKind};

/// How much each position of a map counts: the mean of a mask over the pixels that the position stands for.
#[derive(Debug)]
pub(crate) struct Weights {
    /// `[positions]`, 0..1.
    values: Vec<f32>,
    /// Positions that count, and the roots of their weights: a product of two features of a position brings in its weight.
    roots: Vec<(usize, f32)>,
    /// Sum of `values`.
    total: f64,
}

/// Positions that must be left, counted by their weights: statistics of less say nothing.
const MIN_POSITIONS: f64 = 1.0;

/// Positions that a thread copies at a time.
const AT_ONCE: usize = 96;

impl Weights {
    /// The weights of a layer's positions for a mask of the picture's size; `None` when less than one position is left.
    pub(crate) fn new(mask: &Mask, layer: Layer) -> Option<Arc<Self>> {
        Self::from_values(mask.pooled(layer.block() - 1).as_slice().to_vec())
    }

    fn from_values(values: Vec<f32>) -> Option<Arc<Self>> {
        let total = values.iter().map(|&w| f64::from(w)).sum();
        let roots = values.iter().enumerate().filter(|(_, w)| **w > 0.0).map(|(i, w)| (i, w.sqrt())).collect();
        (total >= MIN_POSITIONS).then(|| Arc::new(Self { values, roots, total }))
    }

    /// Sum of all weights.
    pub(crate) fn total(&self) -> f64 {
        self.total
    }

    /// The weights, `[positions]`.
    #[cfg(test)]
    pub(crate) fn values(&self) -> &[f32] {
        &self.values
    }

    /// Weights of the positions of which the first value has index `first` in the map, one after the other.
    pub(super) fn of(&self, first: usize, channels: usize) -> &[f32] {
        &self.values[first / channels..]
    }

    /// `sqrt(w) f` of those of some positions that count, `[1, positions, C]`; `first` and `features` as in [`Sums::add`].
    fn gather(&self, channels: usize, first: usize, features: &[f32]) -> FeatureMap {
        let start = first / channels;
        let end = start + features.len() / channels;
        let roots = &self.roots[self.roots.partition_point(|(i, _)| *i < start)..];
        let roots = &roots[..roots.partition_point(|(i, _)| *i < end)];
        let mut gathered = FeatureMap::zeros(1, roots.len(), channels);
        let chunks = gathered.as_mut_slice().par_chunks_mut(AT_ONCE * channels).zip(roots.par_chunks(AT_ONCE));
        chunks.for_each(|(chunk, roots)| {
            for (target, &(i, root)) in chunk.chunks_exact_mut(channels).zip(roots) {
                for (target, v) in target.iter_mut().zip(&features[(i - start) * channels..]) {
                    *target = root * v;
                }
            }
        });
        gathered
    }
}

/// Sums over a map's positions, which may be added in parts: what [`Statistics`] are made of.
#[derive(Clone, Debug)]
pub(crate) struct Sums {
    kind: StyleLossKind,
    isa: Isa,
    channels: usize,
    /// Of the positions; `None`: all count 1.
    weights: Option<Arc<Weights>>,
    /// `sum w f fᵀ`, `[C, C]`; then, of [`StyleLossKind::Moments`], `sum w f`, `[C]`; then `sum w` where there are no weights.
    values: Vec<f64>,
}

impl Sums {
    pub(crate) fn new(kind: StyleLossKind, isa: Isa, channels: usize, weights: Option<Arc<Weights>>) -> Self {
        let means = if kind == StyleLossKind::Moments { channels } else { 0 };
        Self { kind, isa, channels, weights, values: vec![0.0; channels * channels + means + 1] }
    }

    /// Begins anew.
    pub(crate) fn clear(&mut self) {
        self.values.fill(0.0);
    }

    /// Adds some positions: `features` is `[positions, C]`, whose first value has index `first` in the map.
    pub(crate) fn add(&mut self, first: usize, features: &[f32]) {
        let Self { kind, isa, channels, ref weights, .. } = *self;
        let found = match weights {
            None => products(isa, channels, features),
            Some(weights) => products(isa, channels, weights.gather(channels, first, features).as_slice()),
        };
        let positions = (features.len() / channels) as f64;
        let means = match kind {
            StyleLossKind::Moments => channel_sums(channels, first, features, weights.as_deref()),
            StyleLossKind::Gram => vec![],
        };
        let found = found.into_iter().chain(means).chain([positions]);
        self.values.iter_mut().zip(found).for_each(|(sum, v)| *sum += v);
    }

    /// Lets the other parts of the picture add theirs.
    pub(crate) fn reduce(&mut self, reduction: &dyn Reduction) {
        reduction.sum(&mut self.values);
    }

    /// Weights of all positions together.
    pub(crate) fn total(&self) -> f64 {
        match &self.weights {
            None => self.values[self.values.len() - 1],
            Some(weights) => weights.total,
        }
    }

    pub(crate) fn channels(&self) -> usize {
        self.channels
    }

    /// The statistics of all positions added.
    pub(crate) fn statistics(&self) -> Statistics {
        let (channels, total) = (self.channels, self.total());
        let (products, rest) = self.values.split_at(channels * channels);
        match self.kind {
            StyleLossKind::Gram => {
                let scale = 1.0 / (total * channels as f64);
                Statistics { mean: vec![], matrix: products.iter().map(|v| v * scale).collect() }
            }
            StyleLossKind::Moments => {
                let mean: Vec<f64> = rest[..channels].iter().map(|sum| sum / total).collect();
                let covariance = products.iter().enumerate();
                let covariance = covariance.map(|(i, v)| v / total - mean[i / channels] * mean[i % channels]);
                Statistics { matrix: covariance.collect(), mean }
            }
        }
    }
}

/// Statistics of a layer's map, as a [`StyleLossKind`] compares them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Statistics {
    /// `m = sum w f / sum w`, `[C]`; of [`StyleLossKind::Moments`] alone, else empty.
    pub(crate) mean: Vec<f64>,
    /// The Gram matrix `sum w f fᵀ / (C sum w)`, or the covariance `sum w f fᵀ / sum w - m mᵀ`; `[C, C]`, symmetric.
    pub(crate) matrix: Vec<f64>,
}

impl Statistics {
    /// `sum share · statistics / sum share`: means and matrices each by themselves. The covariance of a mixture would add that between
    /// the parts, a contrast that none of them has.
    ///
    /// `parts` has shares above 0, at least one, all of statistics of one kind and layer.
    pub(crate) fn blend(parts: &[(f64, &Self)]) -> Self {
        if let [(_, only)] = parts {
            return (*only).clone();
        }
        let sum: f64 = parts.iter().map(|(share, _)| share).sum();
        let blend = |values: fn(&Self) -> &[f64]| {
            let mut blended = vec![0.0; values(parts[0].1).len()];
            for &(share, part) in parts {
                for (blended, v) in blended.iter_mut().zip(values(part)) {
                    *blended += share / sum * v;
                }
            }
            blended
        };
        Self { mean: blend(|part| &part.mean), matrix: blend(|part| &part.matrix) }
    }
}

/// `gradient += w F·S` at some positions, whose weights are `weights`; as [`gram_gradient`].
pub(super) fn add_weighted_gram_gradient(
    isa: Isa,
    channels: usize,
    features: &[f32],
    weights: &[f32],
    s: &[f32],
    gradient: &mut [f32],
) {
    let positions = features.len() / channels;
    if weights[..positions].iter().all(|&w| w == 0.0) {
        return;
    }
    let weighted: Vec<f32> = features
        .chunks_exact(channels)
        .zip(weights)
        .flat_map(|(position, &w)| position.iter().map(move |v| w * v))
        .collect();
    gram_gradient(isa, channels, &weighted, s, gradient, true);
}

/// Positions whose sums are taken together: what is shared among threads must not depend on how many there are.
const BAND: usize = 1024;

/// Positions summed in f32 before they are added to f64 sums.
const RUN: usize = 32;

/// Sum of each channel over some positions, `[C]`; `first` and `features` as in [`Sums::add`].
pub(super) fn channel_sums(channels: usize, first: usize, features: &[f32], weights: Option<&Weights>) -> Vec<f64> {
    let weights = weights.map(|weights| weights.of(first, channels));
    let bands: Vec<Vec<f64>> = features
        .par_chunks(BAND * channels)
        .enumerate()
        .map(|(b, band)| {
            let mut sums = vec![0.0; channels];
            let mut run_sums = vec![0.0f32; channels];
            for (r, run) in band.chunks(RUN * channels).enumerate() {
                run_sums.fill(0.0);
                for (p, position) in run.chunks_exact(channels).enumerate() {
                    match weights {
                        None => run_sums.iter_mut().zip(position).for_each(|(sum, v)| *sum += v),
                        Some(weights) => {
                            let w = weights[b * BAND + r * RUN + p];
                            run_sums.iter_mut().zip(position).for_each(|(sum, v)| *sum += w * v);
                        }
                    }
                }
                for (sum, &run) in sums.iter_mut().zip(&run_sums) {
                    *sum += f64::from(run);
                }
            }
            sums
        })
        .collect();
    let mut sums = vec![0.0; channels];
    for band in bands {
        sums.iter_mut().zip(band).for_each(|(sum, v)| *sum += v);
    }
    sums
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;
    use crate::noise::test_values;

    /// Weights with zeros among them, of which enough is left.
    pub(crate) fn weights(positions: usize) -> Arc<Weights> {
        let mut values: Vec<f32> = test_values(positions, 9).iter().map(|v| (v.abs() * 0.8).min(1.0)).collect();
        values.iter_mut().skip(1).step_by(3).for_each(|w| *w = 0.0);
        values[0] = 1.0;
        Weights::from_values(values).unwrap()
    }

    /// `(sum w f / sum w, sum w f fᵀ / sum w)` as it is written.
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
}

#[cfg(test)]
mod tests {
    use std::sync::{Barrier, Mutex};

    use super::testing::weights;
    use super::*;
    use crate::loss::testing::map;

    fn of(kind: StyleLossKind, map: &FeatureMap, weights: Option<Arc<Weights>>) -> Statistics {
        let mut sums = Sums::new(kind, Isa::select().unwrap(), map.channels(), weights);
        sums.add(0, map.as_slice());
        sums.statistics()
    }

    const KINDS: [StyleLossKind; 2] = [StyleLossKind::Gram, StyleLossKind::Moments];

    #[test]
    fn positions_of_weight_1_are_all_that_there_is() {
        let (whole, part) = (map([33, 35, 64], 1), map([1, 700, 64], 1));
        let weights = Weights::from_values((0..33 * 35).map(|i| f32::from(u8::from(i < 700))).collect()).unwrap();
        for kind in KINDS {
            let (found, expected) = (of(kind, &whole, Some(weights.clone())), of(kind, &part, None));
            let largest = expected.matrix.iter().fold(0.0f64, |m, v| m.max(v.abs()));
            for (a, b) in found.matrix.iter().zip(&expected.matrix).chain(found.mean.iter().zip(&expected.mean)) {
                assert!((a - b).abs() < 1e-6 * largest, "{kind:?} {a} {b}");
            }
        }
    }

    #[test]
    fn less_than_a_position_is_nothing() {
        assert!(Weights::from_values(vec![0.3, 0.3, 0.3]).is_none());
        assert!(Weights::from_values(vec![0.0, 0.5, 0.5]).is_some());
    }

    #[test]
    fn a_blend_is_the_weighted_mean_and_of_one_part_that_part() {
        for kind in KINDS {
            let [a, b] = [1, 2].map(|seed| of(kind, &map([4, 5, 64], seed), None));
            assert_eq!(Statistics::blend(&[(0.3, &a)]), a);
            let blend = Statistics::blend(&[(3.0, &a), (1.0, &b)]);
            let close = |blend: &[f64], a: &[f64], b: &[f64]| {
                assert!(!blend.is_empty() || kind == StyleLossKind::Gram);
                for ((blend, a), b) in blend.iter().zip(a).zip(b) {
                    assert!((blend - (0.75 * a + 0.25 * b)).abs() < 1e-12);
                }
            };
            close(&blend.mean, &a.mean, &b.mean);
            close(&blend.matrix, &a.matrix, &b.matrix);
        }
    }

    /// Several that evaluate a part of the picture each, in memory that all see.
    struct Shared {
        barrier: Barrier,
        sums: Mutex<Vec<f64>>,
    }

    impl Reduction for Shared {
        fn sum(&self, values: &mut [f64]) {
            {
                let mut sums = self.sums.lock().unwrap();
                sums.resize(values.len(), 0.0);
                sums.iter_mut().zip(&*values).for_each(|(sum, v)| *sum += v);
            }
            self.barrier.wait();
            values.copy_from_slice(&self.sums.lock().unwrap());
        }
    }

    #[test]
    fn parts_of_a_map_add_up_wherever_they_are() {
        let map = map([33, 35, 64], 1);
        let values = map.as_slice();
        for kind in KINDS {
            for weights in [None, Some(weights(33 * 35))] {
                let expected = of(kind, &map, weights.clone());
                let largest = expected.matrix.iter().fold(0.0f64, |m, v| m.max(v.abs()));
                let reduction = Shared { barrier: Barrier::new(2), sums: Mutex::default() };
                let cut = 64 * 35 * 12;
                let part = |first: usize, parts: &[&[f32]]| {
                    let mut sums = Sums::new(kind, Isa::select().unwrap(), 64, weights.clone());
                    let mut first = first;
                    for part in parts {
                        sums.add(first, part);
                        first += part.len();
                    }
                    sums.reduce(&reduction);
                    sums.statistics()
                };
                let [top, bottom] = std::thread::scope(|scope| {
                    let top = scope.spawn(|| part(0, &[&values[..64 * 35], &values[64 * 35..cut]]));
                    let bottom = scope.spawn(|| part(cut, &[&values[cut..]]));
                    [top.join().unwrap(), bottom.join().unwrap()]
                });
                assert_eq!(top, bottom);
                let found = top.matrix.iter().chain(&top.mean).zip(expected.matrix.iter().chain(&expected.mean));
                for (found, expected) in found {
                    assert!((found - expected).abs() < 1e-6 * largest, "{kind:?} {found} {expected}");
                }
            }
        }
    }
}
