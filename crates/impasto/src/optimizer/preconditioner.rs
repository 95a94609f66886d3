//! What L-BFGS takes the curvature to be before it has seen any.

use std::sync::Arc;

use rayon::prelude::*;
use rustdct::rustfft::num_complex::Complex;
use rustdct::rustfft::{Fft, FftPlanner};
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

/// Lines that a thread changes at a time.
const LINES: usize = 8;

/// An operator `P` on pictures `[H, W, 3]`: in the discrete cosine transform of each colour of an orthonormal basis it divides by the
/// curvature that style transfer has at that frequency. On a torus the Hartley transform takes the cosine transform's place. Symmetric and
/// positive definite.
///
/// The losses bend little along coarse changes of brightness and along fine changes of colour, and much in between; steps in
/// proportion to `P` go equally far in all.
pub(crate) struct Preconditioner {
    width: usize,
    height: usize,
    /// Inverse curvature by colour and frequency, [`TABLE`] values each.
    inverse: [Vec<f32>; RGB],
    rows: Waves,
    columns: Waves,
    /// One colour, `[H, W]`.
    plane: Vec<f32>,
    /// The same, `[W, H]`.
    turned: Vec<f32>,
}

/// Waves that a line of values is taken apart into: even beyond its ends, or periodic on a torus.
enum Waves {
    Cosine(Arc<dyn TransformType2And3<f32>>),
    /// `sum_n x_n (cos(2 pi k n / N) + sin(2 pi k n / N))`: real, its own inverse, and a convolution with an even kernel multiplies its
    /// values (Bracewell, *Discrete Hartley transform*, 1983).
    Hartley(Arc<dyn Fft<f32>>),
}

/// Memory of a thread for [`Waves`].
#[derive(Default)]
struct Scratch {
    real: Vec<f32>,
    complex: Vec<Complex<f32>>,
}

impl Waves {
    fn new(len: usize, wraps: bool) -> Self {
        if wraps {
            Self::Hartley(FftPlanner::new().plan_fft_forward(len))
        } else {
            Self::Cosine(DctPlanner::new().plan_dct2(len))
        }
    }

    /// What [`Waves::forward`] and then [`Waves::back`] multiply the values by.
    fn gain(&self) -> f64 {
        match self {
            Self::Cosine(transform) => transform.len() as f64 / 2.0,
            Self::Hartley(transform) => transform.len() as f64,
        }
    }

    /// Cycles a pixel of the wave `index`.
    fn frequency(&self, index: usize) -> f32 {
        match self {
            Self::Cosine(transform) => index as f32 / (2 * transform.len()) as f32,
            Self::Hartley(transform) => index.min(transform.len() - index) as f32 / transform.len() as f32,
        }
    }

    fn forward(&self, line: &mut [f32], scratch: &mut Scratch) {
        match self {
            Self::Cosine(transform) => {
                scratch.real.resize(transform.get_scratch_len(), 0.0);
                transform.process_dct2_with_scratch(line, &mut scratch.real);
            }
            Self::Hartley(transform) => hartley(&**transform, line, &mut scratch.complex),
        }
    }

    fn back(&self, line: &mut [f32], scratch: &mut Scratch) {
        match self {
            Self::Cosine(transform) => {
                scratch.real.resize(transform.get_scratch_len(), 0.0);
                transform.process_dct3_with_scratch(line, &mut scratch.real);
            }
            Self::Hartley(transform) => hartley(&**transform, line, &mut scratch.complex),
        }
    }
}

fn hartley(transform: &dyn Fft<f32>, line: &mut [f32], memory: &mut Vec<Complex<f32>>) {
    memory.resize(line.len() + transform.get_inplace_scratch_len(), Complex::default());
    let (values, scratch) = memory.split_at_mut(line.len());
    for (complex, real) in values.iter_mut().zip(&*line) {
        *complex = Complex::new(*real, 0.0);
    }
    transform.process_with_scratch(values, scratch);
    for (real, complex) in line.iter_mut().zip(&*values) {
        *real = complex.re - complex.im;
    }
}

impl Preconditioner {
    /// For pictures of this size, in pixels; `wraps`: of a torus.
    pub(crate) fn new(width: usize, height: usize, wraps: bool) -> Self {
        let (rows, columns) = (Waves::new(width, wraps), Waves::new(height, wraps));
        let unit = 1.0 / (rows.gain() * columns.gain());
        let inverse = CURVATURE.map(|curvature| {
            let at = |i| i as f64 / (TABLE - 1) as f64 * std::f64::consts::FRAC_1_SQRT_2;
            (0..TABLE).map(|i| (unit / interpolated(&curvature, at(i))) as f32).collect()
        });
        let plane = vec![0.0; width * height];
        Self { width, height, inverse, rows, columns, turned: plane.clone(), plane }
    }

    /// `x = P x`
    pub(crate) fn apply(&mut self, x: &mut [f32]) {
        let (pixels, _) = x.as_chunks_mut::<RGB>();
        for (color, inverse) in COLORS.iter().zip(&self.inverse) {
            let Self { width, height, rows, columns, plane, turned, .. } = self;
            let (width, height) = (*width, *height);
            let amount = |pixel: &[f32; RGB]| -> f32 { pixel.iter().zip(color).map(|(v, c)| v * c).sum() };
            plane.par_iter_mut().zip(&*pixels).for_each(|(value, pixel)| *value = amount(pixel));

            each_line(plane, width, |_, row, scratch| rows.forward(row, scratch));
            transpose(plane, turned, width, height);
            each_line(turned, height, |x, column, scratch| {
                columns.forward(column, scratch);
                let horizontal = rows.frequency(x);
                for (y, value) in column.iter_mut().enumerate() {
                    *value *= inverse[table_index(horizontal, columns.frequency(y))];
                }
                columns.back(column, scratch);
            });
            transpose(turned, plane, height, width);
            each_line(plane, width, |_, row, scratch| rows.back(row, scratch));

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

/// Every line of `len` values in place, with its index.
fn each_line(plane: &mut [f32], len: usize, change: impl Fn(usize, &mut [f32], &mut Scratch) + Sync) {
    plane.par_chunks_mut(LINES * len).enumerate().for_each_init(Scratch::default, |scratch, (block, lines)| {
        for (i, line) in lines.chunks_exact_mut(len).enumerate() {
            change(block * LINES + i, line, scratch);
        }
    });
}

/// `to[x][y] = from[y][x]`
fn transpose(from: &[f32], to: &mut [f32], width: usize, height: usize) {
    to.par_chunks_mut(LINES * height).enumerate().for_each(|(block, to)| {
        let first = block * LINES;
        // Along a row of `from`, so that its cache lines are read once.
        for (y, row) in from.chunks_exact(width).enumerate() {
            for (column, value) in to[y..].iter_mut().step_by(height).zip(&row[first..]) {
                *column = *value;
            }
        }
    });
}

/// Where the frequency of a wave is in the table.
fn table_index(horizontal: f32, vertical: f32) -> usize {
    let part_of_diagonal = (2.0 * (horizontal * horizontal + vertical * vertical)).sqrt();
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

    fn applied(x: &[f32], (width, height): (usize, usize), wraps: bool) -> Vec<f32> {
        let mut y = x.to_vec();
        Preconditioner::new(width, height, wraps).apply(&mut y);
        y
    }

    #[test]
    fn it_is_symmetric_and_positive_definite() {
        let largest = CURVATURE.iter().flatten().fold(0.0, |m: f64, v| m.max(*v));
        for (size, wraps) in SIZES.iter().flat_map(|&size| [(size, false), (size, true)]) {
            let [a, b] = [1, 2].map(|seed| test_values(RGB * size.0 * size.1, seed));
            let [pa, pb] = [&a, &b].map(|v| applied(v, size, wraps));
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
                let found = dot(&x, &applied(&x, (width, height), false)) / dot(&x, &x);
                // The table has steps.
                assert!((found / expected - 1.0).abs() < 0.02, "{across} {down}: {found} {expected}");
            }
        }
    }

    #[test]
    fn a_torus_has_no_border() {
        let (width, height) = (24, 18);
        let x = test_values(RGB * width * height, 4);
        let rolled = |x: &[f32]| -> Vec<f32> {
            let from = |i: usize| (i / RGB % width + 5) % width + width * ((i / RGB / width + 7) % height);
            (0..x.len()).map(|i| x[RGB * from(i) + i % RGB]).collect()
        };
        let difference = |wraps| {
            let (a, b) = (rolled(&applied(&x, (width, height), wraps)), applied(&rolled(&x), (width, height), wraps));
            a.iter().zip(&b).fold(0.0f32, |most, (a, b)| most.max((a - b).abs()))
        };
        assert!(difference(true) < 1e-4, "{}", difference(true));
        assert!(difference(false) > 0.1, "{}", difference(false));
    }

    #[test]
    fn the_number_of_threads_does_not_change_a_bit() {
        let x = test_values(RGB * 61 * 43, 3);
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| [false, true].map(|wraps| applied(&x, (61, 43), wraps)))
        };
        assert!(on(1) == on(3));
    }
}
