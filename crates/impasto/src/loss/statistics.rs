//! What a style is compared by: statistics over a map's positions, which may count differently.

use impasto_engine::network::StyleSums;

use crate::options::StyleLossKind;

/// Statistics of a layer's map, as a [`StyleLossKind`] compares them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Statistics {
    /// `m = Σ w f / Σ w`, `[C]`. Empty if the kind is [`StyleLossKind::Gram`].
    pub(crate) mean: Vec<f64>,
    /// The Gram matrix `Σ w f fᵀ / (C Σ w)`, or the covariance `Σ w f fᵀ / Σ w - m mᵀ`. `[C, C]`,
    /// symmetric.
    pub(crate) matrix: Vec<f64>,
}

impl Statistics {
    /// Returns the statistics of a map with these sums, which include `Σ w f` if the kind needs it
    /// ([`StyleLossKind::needs_means`]).
    pub(crate) fn of(kind: StyleLossKind, sums: &StyleSums) -> Self {
        match kind {
            StyleLossKind::Gram => Self { mean: vec![], matrix: gram_matrix(sums) },
            StyleLossKind::Moments | StyleLossKind::Strokes => {
                let StyleSums { total, features, products } = sums;
                let mean: Vec<f64> = features.iter().map(|sum| sum / total).collect();
                let rows = products.chunks_exact(features.len()).zip(&mean);
                let covariance = rows.flat_map(|(row, m)| row.iter().zip(&mean).map(move |(v, n)| v / total - m * n));
                Self { matrix: covariance.collect(), mean }
            }
        }
    }

    /// `Σ share · statistics / Σ share`, means and matrices each by themselves. The covariance of a
    /// mixture would also hold the covariance between the parts, a contrast that none of them has.
    ///
    /// `parts`: at least one, with shares above 0, all of one kind and layer.
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

impl StyleLossKind {
    /// Whether the statistics need the sums `Σ w f`.
    pub(crate) fn needs_means(self) -> bool {
        self != Self::Gram
    }
}

/// Gram matrix `Σ w f fᵀ / (C Σ w)`, eq. (3). `[C, C]`.
pub(crate) fn gram_matrix(sums: &StyleSums) -> Vec<f64> {
    let scale = 1.0 / (sums.total * sums.channels() as f64);
    sums.products.iter().map(|v| v * scale).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::testing::{map, sums_of, weights};

    const KINDS: [StyleLossKind; 2] = [StyleLossKind::Gram, StyleLossKind::Moments];

    #[test]
    fn parts_of_a_map_add_up() {
        let map = map([33, 35, 64], 1);
        for weights in [None, Some(weights(33 * 35))] {
            let whole = sums_of(&map, weights.as_deref());
            let cut = 64 * 35 * 12;
            let parts = [0..cut, cut..map.values.len()].map(|part| {
                let positions = part.start / 64..part.end / 64;
                sums_of(&map.part(positions.clone()), weights.as_ref().map(|weights| &weights[positions]))
            });
            let mut sum = parts[0].clone();
            sum.total += parts[1].total;
            sum.features.iter_mut().zip(&parts[1].features).for_each(|(sum, v)| *sum += v);
            sum.products.iter_mut().zip(&parts[1].products).for_each(|(sum, v)| *sum += v);
            for kind in KINDS {
                let (found, expected) = (Statistics::of(kind, &sum), Statistics::of(kind, &whole));
                let largest = expected.matrix.iter().fold(0.0f64, |m, v| m.max(v.abs()));
                let pairs = found.matrix.iter().chain(&found.mean).zip(expected.matrix.iter().chain(&expected.mean));
                for (found, expected) in pairs {
                    assert!((found - expected).abs() < 1e-6 * largest, "{kind:?} {found} {expected}");
                }
            }
        }
    }

    #[test]
    fn a_blend_is_the_weighted_mean_and_of_one_part_that_part() {
        for kind in KINDS {
            let [a, b] = [1, 2].map(|seed| Statistics::of(kind, &sums_of(&map([4, 5, 64], seed), None)));
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
}
