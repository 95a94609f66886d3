//! What L-BFGS takes the curvature to be before it has seen any.

use rayon::prelude::*;

/// Values in a pixel.
const RGB: usize = 3;

/// Halvings of the picture that are told apart.
const LEVELS: usize = 3;

/// A smoothing operator `P = I + 1/4 U P' Uᵀ` on pictures `[H, W, 3]`: `Uᵀ` halves a picture, `U` interpolates it back, `P'` is the same
/// at half the size, and at an eighth of the size the identity. Symmetric, with eigenvalues from 1 at the finest detail to 4 at flat
/// colour.
///
/// The losses of a deep network bend little along coarse changes of the picture, and much along fine ones; steps in proportion to
/// `P` take the coarse ones further.
pub(crate) struct Preconditioner {
    /// Width and height of each level, finest first.
    sizes: Vec<(usize, usize)>,
    /// A picture for each level below the finest.
    coarse: Vec<Vec<f32>>,
}

impl Preconditioner {
    /// For pictures of this size, in pixels.
    pub(crate) fn new(width: usize, height: usize) -> Self {
        let sizes: Vec<(usize, usize)> =
            (0..=LEVELS).map(|level| (width.div_ceil(1 << level), height.div_ceil(1 << level))).collect();
        let coarse = sizes[1..].iter().map(|(width, height)| vec![0.0; RGB * width * height]).collect();
        Self { sizes, coarse }
    }

    /// `x = P x`
    pub(crate) fn apply(&mut self, x: &mut [f32]) {
        let Self { sizes, coarse } = self;
        for level in 0..LEVELS {
            let (above, below) = coarse.split_at_mut(level);
            let fine = above.last().map_or(&*x, |fine| fine.as_slice());
            restrict(fine, sizes[level], &mut below[0], sizes[level + 1]);
        }
        for level in (0..LEVELS).rev() {
            let (above, below) = coarse.split_at_mut(level);
            let fine = above.last_mut().map_or(&mut *x, |fine| fine.as_mut_slice());
            add_interpolated(&below[0], sizes[level + 1], fine, sizes[level]);
        }
    }
}

/// Where a fine index lies between coarse ones: in the middle of two, or on one.
fn neighbours(fine: usize, coarse_len: usize) -> [usize; 2] {
    [fine / 2, fine.div_ceil(2).min(coarse_len - 1)]
}

/// `fine += 1/4 · U coarse`
fn add_interpolated(
    coarse: &[f32],
    (coarse_width, coarse_height): (usize, usize),
    fine: &mut [f32],
    size: (usize, usize),
) {
    let (width, _) = size;
    fine.par_chunks_mut(RGB * width).enumerate().for_each(|(y, row)| {
        let rows = neighbours(y, coarse_height).map(|y| &coarse[RGB * coarse_width * y..][..RGB * coarse_width]);
        for (x, pixel) in row.chunks_exact_mut(RGB).enumerate() {
            let columns = neighbours(x, coarse_width);
            for c in 0..RGB {
                let at = |row: &[f32]| row[RGB * columns[0] + c] + row[RGB * columns[1] + c];
                pixel[c] += (at(rows[0]) + at(rows[1])) / 16.0;
            }
        }
    });
}

/// `coarse = Uᵀ fine`
fn restrict(fine: &[f32], (width, height): (usize, usize), coarse: &mut [f32], coarse_size: (usize, usize)) {
    let (coarse_width, coarse_height) = coarse_size;
    coarse.par_chunks_mut(RGB * coarse_width).enumerate().for_each(|(coarse_y, row)| {
        row.fill(0.0);
        for y in (2 * coarse_y).saturating_sub(1)..(2 * coarse_y + 2).min(height) {
            let vertical = share(y, coarse_y, coarse_height);
            let fine = &fine[RGB * width * y..][..RGB * width];
            for (coarse_x, pixel) in row.chunks_exact_mut(RGB).enumerate() {
                for x in (2 * coarse_x).saturating_sub(1)..(2 * coarse_x + 2).min(width) {
                    let weight = vertical * share(x, coarse_x, coarse_width);
                    for c in 0..RGB {
                        pixel[c] += weight * fine[RGB * x + c];
                    }
                }
            }
        }
    });
}

/// The part of the coarse value at `coarse` in the interpolated one at `fine`.
fn share(fine: usize, coarse: usize, coarse_len: usize) -> f32 {
    neighbours(fine, coarse_len).iter().filter(|&&neighbour| neighbour == coarse).count() as f32 / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::test_values;
    use crate::reduce::dot;

    const SIZES: [(usize, usize); 6] = [(1, 1), (2, 1), (3, 5), (16, 16), (17, 23), (40, 9)];

    fn applied(x: &[f32], (width, height): (usize, usize)) -> Vec<f32> {
        let mut y = x.to_vec();
        Preconditioner::new(width, height).apply(&mut y);
        y
    }

    #[test]
    fn it_is_symmetric_and_never_less_than_the_identity() {
        for size in SIZES {
            let [a, b] = [1, 2].map(|seed| test_values(RGB * size.0 * size.1, seed));
            let [pa, pb] = [&a, &b].map(|v| applied(v, size));
            let scale = dot(&pa, &pa).sqrt() * dot(&b, &b).sqrt();
            assert!((dot(&pa, &b) - dot(&a, &pb)).abs() < 1e-5 * scale, "{size:?}");
            assert!(dot(&a, &pa) >= dot(&a, &a), "{size:?}");
        }
    }

    #[test]
    fn a_flat_colour_counts_four_times_and_a_chequerboard_once() {
        let size = (32, 32);
        let flat = vec![1.0; RGB * 32 * 32];
        let at = |values: &[f32], x: usize, y: usize| values[RGB * (32 * y + x)];
        assert!((at(&applied(&flat, size), 16, 16) - 4.0).abs() < 1e-5);
        let chequered: Vec<f32> = (0..RGB * 32 * 32)
            .map(|i| if (i / RGB % 32 + i / RGB / 32).is_multiple_of(2) { 1.0 } else { -1.0 })
            .collect();
        assert!((at(&applied(&chequered, size), 16, 16) - 1.0).abs() < 1e-5);
    }

    #[test]
    fn the_number_of_threads_does_not_change_a_bit() {
        let x = test_values(RGB * 61 * 43, 3);
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| applied(&x, (61, 43)))
        };
        assert!(on(1) == on(3));
    }
}
