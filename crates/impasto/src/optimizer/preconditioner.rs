//! What L-BFGS takes the curvature to be before it has seen any.

use std::sync::Arc;

use rayon::prelude::*;
use rustdct::{DctPlanner, TransformType2And3};

/// Values in a pixel.
const RGB: usize = 3;

/// An orthonormal basis of colours: brightness, red against blue, and green against both.
const COLORS: [[f32; RGB]; RGB] = [
    [0.577_350_26, 0.577_350_26, 0.577_350_26],
    [0.707_106_77, 0.0, -0.707_106_77],
    [0.408_248_3, -0.816_496_6, 0.408_248_3],
];

/// Spatial frequencies, in cycles a pixel, at which [`CURVATURE`] is known.
const FREQUENCIES: [f64; 8] = [0.004, 0.012, 0.023, 0.047, 0.094, 0.1875, 0.375, 0.6];

/// How much the gradient changes with a change of the picture, by colour of [`COLORS`] and frequency, up to a common factor.
///
/// Measured: root mean square of the change of the gradient over that of the picture, over steps 40 to 160 of runs with either
/// objective on a photo and a painting at 256 px, the geometric mean of both.
const CURVATURE: [[f64; FREQUENCIES.len()]; RGB] = [
    [0.2, 0.25, 0.45, 1.1, 2.4, 3.0, 2.6, 1.0],
    [0.25, 0.5, 1.2, 2.1, 2.1, 1.4, 0.6, 0.15],
    [1.4, 1.5, 3.1, 3.7, 3.3, 2.2, 1.1, 0.25],
];

/// Frequencies, from 0 to the diagonal's 1/√2 cycles a pixel, at which the inverse curvature is tabulated.
const TABLE: usize = 2048;

/// Rows that a thread transforms at a time.
const ROWS: usize = 8;

/// An operator `P` on pictures `[H, W, 3]`: in the discrete cosine transform of each colour of an orthonormal basis it divides by the
/// curvature that style transfer has at that frequency. Symmetric and positive definite.
///
/// The losses bend little along coarse changes of brightness and along fine changes of colour, and much in between; steps in
/// proportion to `P` go equally far in all.
pub(crate) struct Preconditioner {
    width: usize,
    height: usize,
    /// Inverse curvature by colour and frequency, [`TABLE`] values each.
    inverse: [Vec<f32>; RGB],
    rows: Arc<dyn TransformType2And3<f32>>,
    columns: Arc<dyn TransformType2And3<f32>>,
    /// One colour, `[H, W]`.
    plane: Vec<f32>,
    /// The same, `[W, H]`.
    turned: Vec<f32>,
}

impl Preconditioner {
    /// For pictures of this size, in pixels.
    pub(crate) fn new(width: usize, height: usize) -> Self {
        let mut planner = DctPlanner::new();
        // Forward and back, a transform of n values multiplies them by n/2.
        let unit = 4.0 / (width * height) as f64;
        let inverse = CURVATURE.map(|curvature| {
            let at = |i| i as f64 / (TABLE - 1) as f64 * std::f64::consts::FRAC_1_SQRT_2;
            (0..TABLE).map(|i| (unit / interpolated(&curvature, at(i))) as f32).collect()
        });
        Self {
            width,
            height,
            inverse,
            rows: planner.plan_dct2(width),
            columns: planner.plan_dct2(height),
            plane: vec![0.0; width * height],
            turned: vec![0.0; width * height],
        }
    }

    /// `x = P x`
    pub(crate) fn apply(&mut self, x: &mut [f32]) {
        let (pixels, _) = x.as_chunks_mut::<RGB>();
        for (color, inverse) in COLORS.iter().zip(&self.inverse) {
            let Self { width, height, rows, columns, plane, turned, .. } = self;
            let (width, height) = (*width, *height);
            let amount = |pixel: &[f32; RGB]| -> f32 { pixel.iter().zip(color).map(|(v, c)| v * c).sum() };
            plane.par_iter_mut().zip(&*pixels).for_each(|(value, pixel)| *value = amount(pixel));

            transform(
                plane,
                width,
                |row, scratch| rows.process_dct2_with_scratch(row, scratch),
                rows.get_scratch_len(),
            );
            transpose(plane, turned, width, height);
            let turned_rows = turned.par_chunks_mut(height).enumerate();
            turned_rows.for_each_init(
                || vec![0.0; columns.get_scratch_len()],
                |scratch, (x, column)| {
                    columns.process_dct2_with_scratch(column, scratch);
                    for (y, value) in column.iter_mut().enumerate() {
                        *value *= inverse[table_index(x, width, y, height)];
                    }
                    columns.process_dct3_with_scratch(column, scratch);
                },
            );
            transpose(turned, plane, height, width);
            transform(
                plane,
                width,
                |row, scratch| rows.process_dct3_with_scratch(row, scratch),
                rows.get_scratch_len(),
            );

            // The other colours' amounts stay as they are: the basis is orthonormal.
            pixels.par_iter_mut().zip(&*plane).for_each(|(pixel, value)| {
                let change = value - amount(pixel);
                for (v, c) in pixel.iter_mut().zip(color) {
                    *v += change * c;
                }
            });
        }
    }
}

/// Every row of `width` values in place.
fn transform(plane: &mut [f32], width: usize, row: impl Fn(&mut [f32], &mut [f32]) + Sync, scratch: usize) {
    plane.par_chunks_mut(ROWS * width).for_each_init(
        || vec![0.0; scratch],
        |scratch, rows| rows.chunks_exact_mut(width).for_each(|values| row(values, scratch)),
    );
}

/// `to[x][y] = from[y][x]`
fn transpose(from: &[f32], to: &mut [f32], width: usize, height: usize) {
    to.par_chunks_mut(ROWS * height).enumerate().for_each(|(block, to)| {
        let first = block * ROWS;
        // Along a row of `from`, so that its cache lines are read once.
        for (y, row) in from.chunks_exact(width).enumerate() {
            for (column, value) in to[y..].iter_mut().step_by(height).zip(&row[first..]) {
                *column = *value;
            }
        }
    });
}

/// Where the frequency of a coefficient is in the table. Coefficient `i` of `n` is a cosine of `i / 2n` cycles a pixel.
fn table_index(x: usize, width: usize, y: usize, height: usize) -> usize {
    let (horizontal, vertical) = (x as f32 / width as f32, y as f32 / height as f32);
    let part_of_diagonal = ((horizontal * horizontal + vertical * vertical) / 2.0).sqrt();
    (part_of_diagonal * (TABLE - 1) as f32).round() as usize
}

/// Straight between the known points on a doubly logarithmic scale, constant beyond.
fn interpolated(curvature: &[f64; FREQUENCIES.len()], frequency: f64) -> f64 {
    let last = FREQUENCIES.len() - 1;
    match FREQUENCIES.iter().position(|&known| known >= frequency) {
        Some(0) => curvature[0],
        None => curvature[last],
        Some(above) => {
            let below = above - 1;
            let part = (frequency / FREQUENCIES[below]).ln() / (FREQUENCIES[above] / FREQUENCIES[below]).ln();
            curvature[below].powf(1.0 - part) * curvature[above].powf(part)
        }
    }
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
    fn it_is_symmetric_and_positive_definite() {
        let largest = CURVATURE.iter().flatten().fold(0.0, |m: f64, v| m.max(*v));
        for size in SIZES {
            let [a, b] = [1, 2].map(|seed| test_values(RGB * size.0 * size.1, seed));
            let [pa, pb] = [&a, &b].map(|v| applied(v, size));
            let scale = dot(&pa, &pa).sqrt() * dot(&b, &b).sqrt();
            assert!((dot(&pa, &b) - dot(&a, &pb)).abs() < 1e-5 * scale, "{size:?}");
            assert!(dot(&a, &pa) >= 0.999 / largest * dot(&a, &a), "{size:?}");
        }
    }

    #[test]
    fn a_wave_is_divided_by_its_curvature() {
        // A cosine of the transform is an eigenvector, whatever its colour.
        let (width, height) = (48, 32);
        for (color, curvature) in COLORS.iter().zip(&CURVATURE) {
            for (across, down) in [(0, 0), (3, 0), (5, 11), (40, 30)] {
                let wave = |n: usize, i: usize, len: usize| {
                    (std::f64::consts::PI * n as f64 * (i as f64 + 0.5) / len as f64).cos()
                };
                let x: Vec<f32> = (0..RGB * width * height)
                    .map(|i| {
                        let (column, row) = (i / RGB % width, i / RGB / width);
                        (wave(across, column, width) * wave(down, row, height) * f64::from(color[i % RGB])) as f32
                    })
                    .collect();
                let frequency = (across as f64 / (2 * width) as f64).hypot(down as f64 / (2 * height) as f64);
                let expected = 1.0 / interpolated(curvature, frequency);
                let found = dot(&x, &applied(&x, (width, height))) / dot(&x, &x);
                // The table has steps.
                assert!((found / expected - 1.0).abs() < 0.02, "{across} {down}: {found} {expected}");
            }
        }
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
