//! What L-BFGS takes the curvature to be before it has seen any.

use rayon::prelude::*;

/// Values in a pixel.
const RGB: usize = 3;

/// Halvings of the picture that are told apart.
const LEVELS: usize = 3;

/// A smoothing operator `P = I + 1/4 U P' Uᵀ` on pictures `[H, W, 3]`: `Uᵀ` halves a picture, `U` interpolates it back, `P'` is the same
/// at half the size, and at an eighth of the size the identity. Symmetric, with eigenvalues from 1 at the finest detail to 4 at flat
/// colour. On a torus the last row and column have the first beside them, at every level whose length is even.
///
/// The losses of a deep network bend little along coarse changes of the picture, and much along fine ones; steps in proportion to
/// `P` take the coarse ones further.
pub(crate) struct Preconditioner {
    /// Width and height of each level, finest first.
    sizes: Vec<(usize, usize)>,
    /// A picture for each level below the finest.
    coarse: Vec<Vec<f32>>,
    wraps: bool,
}

impl Preconditioner {
    /// For pictures of this size, in pixels; `wraps`: of a torus.
    pub(crate) fn new(width: usize, height: usize, wraps: bool) -> Self {
        let sizes: Vec<(usize, usize)> =
            (0..=LEVELS).map(|level| (width.div_ceil(1 << level), height.div_ceil(1 << level))).collect();
        let coarse = sizes[1..].iter().map(|(width, height)| vec![0.0; RGB * width * height]).collect();
        Self { sizes, coarse, wraps }
    }

    /// `x = P x`
    pub(crate) fn apply(&mut self, x: &mut [f32]) {
        let Self { sizes, coarse, wraps } = self;
        for level in 0..LEVELS {
            let (above, below) = coarse.split_at_mut(level);
            let fine = above.last().map_or(&*x, |fine| fine.as_slice());
            restrict(fine, sizes[level], &mut below[0], sizes[level + 1], *wraps);
        }
        for level in (0..LEVELS).rev() {
            let (above, below) = coarse.split_at_mut(level);
            let fine = above.last_mut().map_or(&mut *x, |fine| fine.as_mut_slice());
            add_interpolated(&below[0], sizes[level + 1], fine, sizes[level], *wraps);
        }
    }
}

/// The indices of one axis, fine and half as fine.
#[derive(Clone, Copy)]
struct Axis {
    len: usize,
    coarse_len: usize,
    /// Beyond the last index comes the first.
    wraps: bool,
}

impl Axis {
    fn new(len: usize, coarse_len: usize, wraps: bool) -> Self {
        // A single coarse index is beside itself either way.
        Self { len, coarse_len, wraps: wraps && len == 2 * coarse_len && coarse_len > 1 }
    }

    /// Where a fine index lies between coarse ones: in the middle of two, or on one.
    fn neighbours(self, fine: usize) -> [usize; 2] {
        let next = fine.div_ceil(2);
        let beyond = if self.wraps { 0 } else { self.coarse_len - 1 };
        [fine / 2, if next < self.coarse_len { next } else { beyond }]
    }

    /// The fine indices that a coarse one has a part in, and the part.
    fn shares(self, coarse: usize) -> impl Iterator<Item = (usize, f32)> {
        let before = match (2 * coarse).checked_sub(1) {
            None if self.wraps => Some(self.len - 1),
            before => before,
        };
        let inside = (2 * coarse..2 * coarse + 2).filter(move |&fine| fine < self.len);
        before.into_iter().chain(inside).map(move |fine| {
            let count = self.neighbours(fine).iter().filter(|&&neighbour| neighbour == coarse).count();
            (fine, count as f32 / 2.0)
        })
    }
}

/// `fine += 1/4 · U coarse`
fn add_interpolated(
    coarse: &[f32],
    (coarse_width, coarse_height): (usize, usize),
    fine: &mut [f32],
    (width, height): (usize, usize),
    wraps: bool,
) {
    let (vertical, horizontal) = (Axis::new(height, coarse_height, wraps), Axis::new(width, coarse_width, wraps));
    fine.par_chunks_mut(RGB * width).enumerate().for_each(|(y, row)| {
        let rows = vertical.neighbours(y).map(|y| &coarse[RGB * coarse_width * y..][..RGB * coarse_width]);
        for (x, pixel) in row.chunks_exact_mut(RGB).enumerate() {
            let columns = horizontal.neighbours(x);
            for c in 0..RGB {
                let at = |row: &[f32]| row[RGB * columns[0] + c] + row[RGB * columns[1] + c];
                pixel[c] += (at(rows[0]) + at(rows[1])) / 16.0;
            }
        }
    });
}

/// `coarse = Uᵀ fine`
fn restrict(
    fine: &[f32],
    (width, height): (usize, usize),
    coarse: &mut [f32],
    (coarse_width, coarse_height): (usize, usize),
    wraps: bool,
) {
    let (vertical, horizontal) = (Axis::new(height, coarse_height, wraps), Axis::new(width, coarse_width, wraps));
    coarse.par_chunks_mut(RGB * coarse_width).enumerate().for_each(|(coarse_y, row)| {
        row.fill(0.0);
        for (y, share_y) in vertical.shares(coarse_y) {
            let fine = &fine[RGB * width * y..][..RGB * width];
            for (coarse_x, pixel) in row.chunks_exact_mut(RGB).enumerate() {
                for (x, share_x) in horizontal.shares(coarse_x) {
                    let weight = share_y * share_x;
                    for c in 0..RGB {
                        pixel[c] += weight * fine[RGB * x + c];
                    }
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::test_values;
    use crate::reduce::dot;

    const SIZES: [(usize, usize); 6] = [(1, 1), (2, 1), (3, 5), (16, 16), (17, 23), (40, 9)];

    fn applied(x: &[f32], size: (usize, usize)) -> Vec<f32> {
        applied_on(x, size, false)
    }

    fn applied_on(x: &[f32], (width, height): (usize, usize), torus: bool) -> Vec<f32> {
        let mut y = x.to_vec();
        Preconditioner::new(width, height, torus).apply(&mut y);
        y
    }

    #[test]
    fn it_is_symmetric_and_never_less_than_the_identity() {
        for (size, torus) in SIZES.into_iter().flat_map(|size| [(size, false), (size, true)]) {
            let [a, b] = [1, 2].map(|seed| test_values(RGB * size.0 * size.1, seed));
            let [pa, pb] = [&a, &b].map(|v| applied_on(v, size, torus));
            let scale = dot(&pa, &pa).sqrt() * dot(&b, &b).sqrt();
            assert!((dot(&pa, &b) - dot(&a, &pb)).abs() < 1e-5 * scale, "{size:?} {torus}");
            assert!(dot(&a, &pa) >= dot(&a, &a), "{size:?} {torus}");
        }
    }

    #[test]
    fn on_a_torus_it_moves_with_the_picture() {
        let (width, height) = (32, 16);
        let x = test_values(RGB * width * height, 4);
        // By 8 px, the size of a place at the coarsest level.
        let moved = |x: &[f32]| {
            let mut x = x.to_vec();
            x.chunks_exact_mut(RGB * width).for_each(|row| row.rotate_right(RGB * 8));
            x.rotate_right(RGB * width * 8);
            x
        };
        let difference = |torus| {
            let (a, b) =
                (moved(&applied_on(&x, (width, height), torus)), applied_on(&moved(&x), (width, height), torus));
            a.iter().zip(&b).fold(0.0, |most: f32, (a, b)| most.max((a - b).abs()))
        };
        assert!(difference(true) < 1e-5, "{}", difference(true));
        assert!(difference(false) > 0.1);
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
