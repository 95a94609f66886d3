//! Sums over long arrays: in f64, on all threads, with the same bits at any number of threads.

pub(crate) use impasto_engine::ordered_sum::{CHUNK, sum_ranges};

/// Partial sums side by side, so that the compiler can use vector registers.
const LANES: usize = 8;

/// `sum a_i * b_i`, products and sums in f64.
///
/// # Panics
/// If the lengths differ.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    sum_ranges(a.len(), CHUNK, |range| {
        let (a, a_rest) = a[range.clone()].as_chunks::<LANES>();
        let (b, b_rest) = b[range].as_chunks::<LANES>();
        let mut lanes = [0.0; LANES];
        for (a, b) in a.iter().zip(b) {
            for i in 0..LANES {
                lanes[i] += f64::from(a[i]) * f64::from(b[i]);
            }
        }
        let rest: f64 = a_rest.iter().zip(b_rest).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
        lanes.iter().sum::<f64>() + rest
    })
}

/// `sum (a_i - b_i) * (c_i - d_i)`, differences in f32, products and sums in f64.
///
/// It has the bits of [`dot`] of the two differences.
///
/// # Panics
/// If the lengths differ.
pub(crate) fn dot_of_differences([a, b]: [&[f32]; 2], [c, d]: [&[f32]; 2]) -> f64 {
    assert!([b, c, d].iter().all(|other| other.len() == a.len()));
    sum_ranges(a.len(), CHUNK, |range| {
        let [(a, a_rest), (b, b_rest), (c, c_rest), (d, d_rest)] =
            [a, b, c, d].map(|values| values[range.clone()].as_chunks::<LANES>());
        let product = |a: f32, b: f32, c: f32, d: f32| f64::from(a - b) * f64::from(c - d);
        let mut lanes = [0.0; LANES];
        for (a, (b, (c, d))) in a.iter().zip(b.iter().zip(c.iter().zip(d))) {
            for i in 0..LANES {
                lanes[i] += product(a[i], b[i], c[i], d[i]);
            }
        }
        let rest = a_rest.iter().zip(b_rest.iter().zip(c_rest.iter().zip(d_rest)));
        lanes.iter().sum::<f64>() + rest.map(|(&a, (&b, (&c, &d)))| product(a, b, c, d)).sum::<f64>()
    })
}

/// `to = of(to, from)`, then `sum to_i * with_i`, products and sums in f64.
///
/// It runs on the calling thread and is meant for one chunk.
///
/// # Panics
/// If `with` or `from` is shorter than `to`.
pub(crate) fn dot_after(to: &mut [f32], with: &[f32], from: &[f32], of: impl Fn(f32, f32) -> f32) -> f64 {
    let (with, with_rest) = with[..to.len()].as_chunks::<LANES>();
    let (from, from_rest) = from[..to.len()].as_chunks::<LANES>();
    let (to, to_rest) = to.as_chunks_mut::<LANES>();
    let mut lanes = [0.0; LANES];
    for (to, (with, from)) in to.iter_mut().zip(with.iter().zip(from)) {
        // Nothing that is written to `to` can change this array, so it stays in vector registers.
        let changed: [f32; LANES] = std::array::from_fn(|i| of(to[i], from[i]));
        *to = changed;
        for i in 0..LANES {
            lanes[i] += f64::from(changed[i]) * f64::from(with[i]);
        }
    }
    let mut rest = 0.0;
    for (to, (with, from)) in to_rest.iter_mut().zip(with_rest.iter().zip(from_rest)) {
        *to = of(*to, *from);
        rest += f64::from(*to) * f64::from(*with);
    }
    lanes.iter().sum::<f64>() + rest
}

/// Euclidean norm, in f64.
pub(crate) fn norm(a: &[f32]) -> f64 {
    dot(a, a).sqrt()
}

/// `sum |a_i|`, in f64.
pub(crate) fn sum_abs(a: &[f32]) -> f64 {
    sum_ranges(a.len(), CHUNK, |range| a[range].iter().map(|&v| f64::from(v.abs())).sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::test_values;

    #[test]
    fn sums_are_those_of_a_plain_loop() {
        for len in [0, 1, 3, 7, 8, 9, 17, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 5] {
            let (a, b) = (test_values(len, 1), test_values(len, 2));
            let plain: f64 = a.iter().zip(&b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
            assert!((dot(&a, &b) - plain).abs() <= 1e-12 * len as f64, "{len}");
            let plain: f64 = a.iter().map(|&a| f64::from(a.abs())).sum();
            assert!((sum_abs(&a) - plain).abs() <= 1e-12 * len as f64, "{len}");
        }
    }

    #[test]
    fn a_dot_of_differences_has_the_bits_of_both_in_turn() {
        for len in [0, 1, 7, 8, 17, CHUNK + 5] {
            let [a, b, c, d] = [1, 2, 3, 4].map(|seed| test_values(len, seed));
            let difference = |a: &[f32], b: &[f32]| -> Vec<f32> { a.iter().zip(b).map(|(a, b)| a - b).collect() };
            let apart = dot(&difference(&a, &b), &difference(&c, &d));
            assert_eq!(dot_of_differences([&a, &b], [&c, &d]).to_bits(), apart.to_bits(), "{len}");
        }
    }

    #[test]
    fn a_dot_after_a_change_is_that_of_both_in_turn() {
        for len in [0, 1, 7, 8, 17, 100] {
            let [mut to, with, from] = [1, 2, 3].map(|seed| test_values(len, seed));
            let changed: Vec<f32> = to.iter().zip(&from).map(|(to, from)| to - 3.0 * from).collect();
            let sum = dot_after(&mut to, &with, &from, |to, from| to - 3.0 * from);
            assert_eq!(to, changed);
            assert!((sum - dot(&changed, &with)).abs() <= 1e-12 * len as f64, "{len}");
        }
    }

    #[test]
    fn bits_do_not_depend_on_the_threads() {
        let (a, b) = (test_values(100_003, 3), test_values(100_003, 4));
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| dot(&a, &b)).to_bits()
        };
        assert_eq!(on(1), on(2));
        assert_eq!(on(1), on(5));
    }
}
