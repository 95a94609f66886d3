//! What L-BFGS takes the curvature to be before it has seen any.
//!
//! It costs two transforms there and one back for each step, so how it moves memory matters as much
//! as its arithmetic. Columns are transformed first, a cache line at a time, then rows, a few at a
//! time.

use std::sync::Arc;

use impasto_engine::network::WavePreconditioner;
use rayon::prelude::*;
use rustdct::rustfft::num_complex::Complex;
use rustdct::rustfft::{Fft, FftPlanner};

/// Values in a pixel.
const RGB: usize = 3;

/// An orthonormal basis of colours: brightness, red against blue, and green against both.
const COLORS: [[f32; RGB]; RGB] = [
    [0.577_350_26, 0.577_350_26, 0.577_350_26],
    [0.707_106_77, 0.0, -0.707_106_77],
    [0.408_248_3, -0.816_496_6, 0.408_248_3],
];

/// Spatial frequencies, in cycles a pixel, for which [`CURVATURE`] is known.
const FREQUENCIES: [f64; 8] = [0.004, 0.012, 0.023, 0.047, 0.094, 0.1875, 0.375, 0.6];

/// How much the gradient changes with a change of the picture, by colour of [`COLORS`] and by
/// frequency, up to a common factor.
///
/// It was measured as the root mean square of the gradient's change divided by that of the
/// picture's, over steps 40 to 160 of runs with either objective on a photo and a painting at 256
/// px. The figures are the geometric mean of the two objectives.
const CURVATURE: [[f64; FREQUENCIES.len()]; RGB] = [
    [0.2, 0.25, 0.45, 1.1, 2.4, 3.0, 2.6, 1.0],
    [0.25, 0.5, 1.2, 2.1, 2.1, 1.4, 0.6, 0.15],
    [1.4, 1.5, 3.1, 3.7, 3.3, 2.2, 1.1, 0.25],
];

/// Number of frequencies, from 0 to the diagonal's 1/√2 cycles a pixel, in the table of the inverse
/// curvature.
const TABLE: usize = 2048;

/// Values of a row that lie next to each other in [`Preconditioner::bands`]: a cache line.
const BAND: usize = 16;

/// Complex numbers between the lines of a task. With powers of two, all lines would share one set
/// of the cache.
const GAP: usize = 8;

/// Rows that a task reads and changes together, an even number.
const ROWS: usize = 8;

/// An operator `P` on pictures `[H, W, 3]`, symmetric and positive definite.
///
/// It takes the discrete cosine transform of each colour of an orthonormal basis, and divides it by
/// the curvature that style transfer has at each frequency. On a torus it takes the Hartley
/// transform instead.
///
/// The losses bend little along coarse changes of brightness and along fine changes of colour, and
/// much in between. Steps in proportion to `P` go equally far in all.
pub(crate) struct Preconditioner {
    width: usize,
    height: usize,
    /// Inverse curvature by frequency and colour.
    inverse: Vec<[f32; RGB]>,
    rows: Waves,
    columns: Waves,
    /// A picture whose rows are cut into pieces of [`BAND`], the last one filled up: `[bands,
    /// band_rows(H), BAND]`. A task that transforms some columns writes to one place.
    bands: Vec<f32>,
}

/// Returns the rows of a band in memory, an odd number. With a power of two, the pieces of a row
/// would share a few sets of the cache.
fn band_rows(height: usize) -> usize {
    height | 1
}

/// The waves that a line of values is made of. They are even beyond the line's ends, or periodic on
/// a torus.
///
/// The values are complex: the real parts are one line, the imaginary parts another. Both kinds of
/// waves come from a Fourier transform `F` as `X_k = u_k F_k + conj(u_k) F_(N-k)`.
struct Waves {
    /// Whether the waves are those of the cosine transform, `sum_n x_n cos(pi (n + 1/2) k / N)`.
    /// Then `u_k = exp(-i pi k / 2N) / 2`, with the values in another order (Makhoul, *A fast
    /// cosine transform in one and two dimensions*, 1980).
    ///
    /// Otherwise they are `sum_n x_n (cos(2 pi k n / N) + sin(2 pi k n / N))` with `u_k = (1 + i) /
    /// 2`. A convolution with an even kernel multiplies them (Bracewell, *Discrete Hartley
    /// transform*, 1983).
    cosine: bool,
    forward: Arc<dyn Fft<f32>>,
    back: Arc<dyn Fft<f32>>,
    /// The factors `u`.
    turns: Vec<Complex<f32>>,
    /// The square of each [`Waves::frequency`].
    squares: Vec<f32>,
}

/// Memory of a task.
#[derive(Default)]
struct LineBuffers {
    lines: Vec<Complex<f32>>,
    transform: Vec<Complex<f32>>,
    /// [`ROWS`] rows, with zeros below the last one of the picture.
    rows: Vec<f32>,
    /// For each wave of two rows, the inverse curvature of each colour in the first and the second
    /// row.
    scales: Vec<[[f32; 2]; RGB]>,
}

impl Waves {
    fn new(len: usize, wraps: bool) -> Self {
        let mut planner = FftPlanner::new();
        let turn = |k: usize| {
            if wraps {
                return Complex::new(0.5, 0.5);
            }
            let (sin, cos) = (-std::f64::consts::FRAC_PI_2 * k as f64 / len as f64).sin_cos();
            Complex::new((0.5 * cos) as f32, (0.5 * sin) as f32)
        };
        let mut waves = Self {
            cosine: !wraps,
            forward: planner.plan_fft_forward(len),
            back: planner.plan_fft_inverse(len),
            turns: (0..len).map(turn).collect(),
            squares: vec![],
        };
        waves.squares = (0..len).map(|index| waves.frequency(index).powi(2)).collect();
        waves
    }

    fn len(&self) -> usize {
        self.turns.len()
    }

    /// Returns the factor that [`Waves::forward`] followed by [`Waves::back`] applies to the
    /// values.
    fn gain(&self) -> f64 {
        self.len() as f64
    }

    /// Returns the factor of a squared wave in `xᵀ back(forward(x))`.
    fn weight(&self, index: usize) -> f64 {
        if self.cosine && index > 0 { 2.0 } else { 1.0 }
    }

    /// Returns the cycles a pixel of the wave `index`.
    fn frequency(&self, index: usize) -> f32 {
        if self.cosine {
            index as f32 / (2 * self.len()) as f32
        } else {
            index.min(self.len() - index) as f32 / self.len() as f32
        }
    }

    /// Returns the waves as an orthonormal basis, `[waves, values]`.
    fn basis(&self) -> Vec<f32> {
        let len = self.len();
        // Whole turns say nothing, so every value is one of a few.
        let turns = if self.cosine { 4 * len } else { len };
        let angle = |part: usize| std::f64::consts::TAU * part as f64 / turns as f64;
        let circle: Vec<[f64; 2]> = (0..turns).map(|part| [angle(part).cos(), angle(part).sin()]).collect();
        let mut basis = vec![0.0; len * len];
        basis.par_chunks_mut(len).enumerate().for_each(|(k, wave)| {
            let norm = (self.weight(k) / len as f64).sqrt();
            for (n, value) in wave.iter_mut().enumerate() {
                let part = if self.cosine { (2 * n + 1) * k } else { n * k };
                let [cos, sin] = circle[part % turns];
                *value = (norm * if self.cosine { cos } else { cos + sin }) as f32;
            }
        });
        basis
    }

    /// Returns the place where the Fourier transform wants the value `n` of a line.
    fn place(&self, n: usize) -> usize {
        match (self.cosine, n % 2) {
            (false, _) => n,
            (true, 0) => n / 2,
            (true, _) => self.len() - 1 - n / 2,
        }
    }

    /// Turns values, each in its [`Waves::place`], into waves.
    fn forward(&self, line: &mut [Complex<f32>], scratch: &mut Vec<Complex<f32>>) {
        transform(&*self.forward, line, scratch);
        self.mirrored(line, |turn, near, far| turn * near + turn.conj() * far);
    }

    /// Turns waves into values, each in its [`Waves::place`].
    fn back(&self, line: &mut [Complex<f32>], scratch: &mut Vec<Complex<f32>>) {
        if self.cosine {
            self.mirrored(line, |turn, near, far| turn.conj() * 2.0 * Complex::new(near.re + far.im, near.im - far.re));
        } else {
            self.mirrored(line, |turn, near, far| turn.conj() * near + turn * far);
        }
        transform(&*self.back, line, scratch);
    }

    /// `line_k = of(u_k, line_k, line_(N-k))` for all k except 0, which stays.
    fn mirrored(
        &self,
        line: &mut [Complex<f32>],
        of: impl Fn(Complex<f32>, Complex<f32>, Complex<f32>) -> Complex<f32>,
    ) {
        let (line, turns) = (&mut line[1..], &self.turns[1..]);
        let len = line.len();
        // The value in the middle is its own mirror image.
        if len % 2 == 1 {
            let middle = line[len / 2];
            line[len / 2] = of(turns[len / 2], middle, middle);
        }
        let (low, high) = line.split_at_mut(len / 2 + len % 2);
        let (low_turns, high_turns) = turns.split_at(len / 2 + len % 2);
        let ends = low.iter_mut().zip(high.iter_mut().rev()).zip(low_turns.iter().zip(high_turns.iter().rev()));
        for ((low, high), (&low_turn, &high_turn)) in ends {
            (*low, *high) = (of(low_turn, *low, *high), of(high_turn, *high, *low));
        }
    }
}

fn transform(fft: &dyn Fft<f32>, line: &mut [Complex<f32>], scratch: &mut Vec<Complex<f32>>) {
    scratch.resize(fft.get_inplace_scratch_len(), Complex::default());
    fft.process_with_scratch(line, scratch);
}

impl Preconditioner {
    /// Makes one for pictures of this size in pixels. With `wraps` they lie on a torus.
    pub(crate) fn new(width: usize, height: usize, wraps: bool) -> Self {
        let (rows, columns) = (Waves::new(width, wraps), Waves::new(height, wraps));
        let inverse = inverse_curvature(1.0 / (rows.gain() * columns.gain()));
        let bands = vec![0.0; (RGB * width).next_multiple_of(BAND) * band_rows(height)];
        Self { width, height, inverse, rows, columns, bands }
    }

    /// Returns `P` for pictures of this size as orthonormal bases and gains.
    pub(crate) fn as_bases(width: usize, height: usize, wraps: bool) -> WavePreconditioner {
        let [rows, columns] = [width, height].map(|len| Waves::new(len, wraps));
        let inverse = inverse_curvature(1.0);
        let mut gains = vec![0.0; RGB * width * height];
        gains.par_chunks_mut(RGB * width).zip(&columns.squares).for_each(|(gains, &vertical)| {
            for (c, gains) in gains.chunks_mut(width).enumerate() {
                for (gain, &horizontal) in gains.iter_mut().zip(&rows.squares) {
                    *gain = inverse[table_index(horizontal, vertical)][c];
                }
            }
        });
        WavePreconditioner { colors: COLORS, rows: rows.basis(), columns: columns.basis(), gains }
    }

    /// `x = P x`.
    pub(crate) fn apply(&mut self, x: &mut [f32]) {
        let Self { width, height, inverse, rows, columns, bands } = self;
        let row = RGB * *width;
        each_column(bands, columns, row, x, true);
        x.par_chunks_mut(ROWS * row).enumerate().for_each_init(LineBuffers::default, |scratch, (block, x)| {
            scratch.read_rows(bands, *height, block, row);
            for (pair, x) in x.chunks_mut(2 * row).enumerate() {
                let y = block * ROWS + 2 * pair;
                scratch.forward(rows, pair);
                look_up(inverse, rows, [y, (y + 1).min(*height - 1)].map(|y| columns.squares[y]), &mut scratch.scales);
                let [mut red, mut green, mut blue] = lines(&mut scratch.lines, *width);
                divide(red, green, blue, &scratch.scales);
                for line in [&mut red, &mut green, &mut blue] {
                    rows.back(line, &mut scratch.transform);
                }
                let (first, second) = x.split_at_mut(row);
                let (first, _) = first.as_chunks_mut::<RGB>();
                for (n, pixel) in first.iter_mut().enumerate() {
                    let at = rows.place(n);
                    *pixel = [red[at].re, green[at].re, blue[at].re];
                }
                let (second, _) = second.as_chunks_mut::<RGB>();
                for (n, pixel) in second.iter_mut().enumerate() {
                    let at = rows.place(n);
                    *pixel = [red[at].im, green[at].im, blue[at].im];
                }
            }
        });
        each_column(bands, columns, row, x, false);
        x.par_chunks_mut(ROWS * row).enumerate().for_each(|(block, x)| copy_rows(bands, *height, block, row, x));
    }

    /// Returns `xᵀ P x`. By Parseval's theorem the waves need not be turned back.
    pub(crate) fn square(&mut self, x: &[f32]) -> f64 {
        let Self { width, height, inverse, rows, columns, bands } = self;
        each_column(bands, columns, RGB * *width, x, true);
        let of_pair = |scratch: &mut LineBuffers, block: usize, pair: usize| -> f64 {
            let y = block * ROWS + 2 * pair;
            scratch.forward(rows, pair);
            let below = (y + 1).min(*height - 1);
            look_up(inverse, rows, [y, below].map(|y| columns.squares[y]), &mut scratch.scales);
            let [red, green, blue] = lines(&mut scratch.lines, *width);
            let mut sum = 0.0;
            for (k, scales) in scratch.scales.iter().enumerate() {
                let pixel = [red[k], green[k], blue[k]];
                let mut sums = [0.0; 2];
                for (color, [first, second]) in COLORS.iter().zip(scales) {
                    let Complex { re, im } = amount(&pixel, color);
                    sums[0] += f64::from(*first) * f64::from(re) * f64::from(re);
                    sums[1] += f64::from(*second) * f64::from(im) * f64::from(im);
                }
                sum += rows.weight(k) * (columns.weight(y) * sums[0] + columns.weight(below) * sums[1]);
            }
            sum
        };
        let sums: Vec<Vec<f64>> = (0..height.div_ceil(ROWS))
            .into_par_iter()
            .map_init(LineBuffers::default, |scratch, block| {
                scratch.read_rows(bands, *height, block, RGB * *width);
                let pairs = (*height - block * ROWS).min(ROWS).div_ceil(2);
                (0..pairs).map(|pair| of_pair(scratch, block, pair)).collect()
            })
            .collect();
        sums.iter().flatten().sum()
    }
}

/// Returns how much of a colour is in a pixel of two pictures.
fn amount(pixel: &[Complex<f32>; RGB], color: &[f32; RGB]) -> Complex<f32> {
    pixel[0] * color[0] + pixel[1] * color[1] + pixel[2] * color[2]
}

/// Looks up the inverse curvature of each wave of two rows. `vertical` holds the squares of their
/// vertical frequencies.
fn look_up(inverse: &[[f32; RGB]], rows: &Waves, vertical: [f32; 2], scales: &mut Vec<[[f32; 2]; RGB]>) {
    scales.clear();
    scales.extend(rows.squares.iter().map(|&horizontal| {
        let [first, second] = vertical.map(|vertical| inverse[table_index(horizontal, vertical)]);
        std::array::from_fn(|c| [first[c], second[c]])
    }));
}

/// Divides the waves of two rows by the curvature of each colour.
fn divide(red: &mut [Complex<f32>], green: &mut [Complex<f32>], blue: &mut [Complex<f32>], scales: &[[[f32; 2]; RGB]]) {
    for (((red, green), blue), scales) in red.iter_mut().zip(green).zip(blue).zip(scales) {
        let pixel = [*red, *green, *blue];
        let mut changed = [Complex::default(); RGB];
        for (color, [first, second]) in COLORS.iter().zip(scales) {
            let Complex { re, im } = amount(&pixel, color);
            let scaled = Complex::new(re * first, im * second);
            for (changed, part) in changed.iter_mut().zip(color) {
                *changed += scaled * part;
            }
        }
        [*red, *green, *blue] = changed;
    }
}

/// Returns the lines that [`LineBuffers::forward`] has laid out.
fn lines(memory: &mut [Complex<f32>], width: usize) -> [&mut [Complex<f32>]; RGB] {
    let mut lines = memory.chunks_mut(width + GAP).map(|line| &mut line[..width]);
    std::array::from_fn(|_| lines.next().expect("a line for each channel"))
}

/// Turns every column of a picture with `row` values in a row into waves, or back, and puts the
/// result in `bands`.
fn each_column(bands: &mut [f32], waves: &Waves, row: usize, x: &[f32], forward: bool) {
    let height = waves.len();
    bands.par_chunks_mut(band_rows(height) * BAND).enumerate().for_each_init(
        LineBuffers::default,
        |scratch, (band, to)| {
            let LineBuffers { lines, transform, .. } = scratch;
            lines.resize(BAND / 2 * (height + GAP), Complex::default());
            let columns = (row - band * BAND).min(BAND);
            for y in 0..height {
                let place = if forward { waves.place(y) } else { y };
                let first = y * row + band * BAND;
                let mut values = [0.0; BAND];
                values[..columns].copy_from_slice(&x[first..first + columns]);
                for (pair, line) in values.as_chunks::<2>().0.iter().zip(lines.chunks_exact_mut(height + GAP)) {
                    line[place] = Complex::new(pair[0], pair[1]);
                }
            }
            for line in lines.chunks_exact_mut(height + GAP) {
                if forward {
                    waves.forward(&mut line[..height], transform);
                } else {
                    waves.back(&mut line[..height], transform);
                }
            }
            for (y, to) in to.as_chunks_mut::<BAND>().0[..height].iter_mut().enumerate() {
                let place = if forward { y } else { waves.place(y) };
                for (pair, line) in to.as_chunks_mut::<2>().0.iter_mut().zip(lines.chunks_exact(height + GAP)) {
                    *pair = [line[place].re, line[place].im];
                }
            }
        },
    );
}

impl LineBuffers {
    /// Reads the rows of a block of [`ROWS`] rows, with `row` values each.
    fn read_rows(&mut self, bands: &[f32], height: usize, block: usize, row: usize) {
        let count = (height - block * ROWS).min(ROWS);
        self.rows.resize(ROWS * row, 0.0);
        let (rows, below) = self.rows.split_at_mut(count * row);
        copy_rows(bands, height, block, row, rows);
        below.fill(0.0);
    }

    /// Turns a pair of the rows that were read into waves. Each channel has a line, [`GAP`] apart.
    fn forward(&mut self, waves: &Waves, pair: usize) {
        let width = waves.len();
        let row = RGB * width;
        let (first, second) = self.rows[2 * pair * row..][..2 * row].split_at(row);
        let (first, second) = (first.as_chunks::<RGB>().0, second.as_chunks::<RGB>().0);
        self.lines.resize(RGB * (width + GAP), Complex::default());
        let [red, green, blue] = lines(&mut self.lines, width);
        for (n, (first, second)) in first.iter().zip(second).enumerate() {
            let place = waves.place(n);
            red[place] = Complex::new(first[0], second[0]);
            green[place] = Complex::new(first[1], second[1]);
            blue[place] = Complex::new(first[2], second[2]);
        }
        for line in [red, green, blue] {
            waves.forward(line, &mut self.transform);
        }
    }
}

/// Copies the rows of a block of [`ROWS`] rows, with `row` values each, from a picture in bands. In
/// a band they lie one after the other.
fn copy_rows(bands: &[f32], height: usize, block: usize, row: usize, to: &mut [f32]) {
    for (band, values) in bands.chunks_exact(band_rows(height) * BAND).enumerate() {
        let values = values[block * ROWS * BAND..].as_chunks::<BAND>().0;
        for (values, to) in values.iter().zip(to.chunks_exact_mut(row)) {
            match to[band * BAND..].first_chunk_mut::<BAND>() {
                Some(to) => *to = *values,
                None => {
                    let to = &mut to[band * BAND..];
                    to.copy_from_slice(&values[..to.len()]);
                }
            }
        }
    }
}

/// Returns the place of a wave in the table, from the squares of its frequencies.
fn table_index(horizontal: f32, vertical: f32) -> usize {
    let part_of_diagonal = (2.0 * (horizontal + vertical)).sqrt();
    // This rounds. Without SSE4.1 `round` is a call.
    (part_of_diagonal * (TABLE - 1) as f32 + 0.5) as usize
}

/// Returns the table of the inverse curvature, times a factor.
fn inverse_curvature(factor: f64) -> Vec<[f32; RGB]> {
    let at = |i| i as f64 / (TABLE - 1) as f64 * std::f64::consts::FRAC_1_SQRT_2;
    let of = |i| CURVATURE.each_ref().map(|curvature| (factor / interpolated(curvature, at(i))) as f32);
    (0..TABLE).map(of).collect()
}

/// Interpolates linearly between the known points on a doubly logarithmic scale. It is constant
/// beyond them.
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

    /// `P x`, by the bases.
    fn by_bases(of: &WavePreconditioner, width: usize, height: usize, x: &[f32]) -> Vec<f64> {
        let along_rows = |plane: &[f64], at: &dyn Fn(usize, usize) -> f64| -> Vec<f64> {
            let sum = |i: usize| (0..width).map(|n| at(i % width, n) * plane[i / width * width + n]).sum();
            (0..plane.len()).map(sum).collect()
        };
        let along_columns = |plane: &[f64], at: &dyn Fn(usize, usize) -> f64| -> Vec<f64> {
            let sum = |i: usize| (0..height).map(|n| at(i / width, n) * plane[n * width + i % width]).sum();
            (0..plane.len()).map(sum).collect()
        };
        let row = |k: usize, n: usize| f64::from(of.rows[k * width + n]);
        let column = |k: usize, n: usize| f64::from(of.columns[k * height + n]);
        let mut result = vec![0.0; x.len()];
        for (c, color) in of.colors.iter().enumerate() {
            let (pixels, _) = x.as_chunks::<RGB>();
            let amount = |pixel: &[f32; RGB]| pixel.iter().zip(color).map(|(x, c)| f64::from(*x) * f64::from(*c)).sum();
            let plane: Vec<f64> = pixels.iter().map(amount).collect();
            let mut waves = along_columns(&along_rows(&plane, &row), &column);
            for (i, wave) in waves.iter_mut().enumerate() {
                *wave *= f64::from(of.gains[(i / width * RGB + c) * width + i % width]);
            }
            let plane = along_rows(&along_columns(&waves, &|n, k| column(k, n)), &|n, k| row(k, n));
            for (result, value) in result.chunks_mut(RGB).zip(plane) {
                result.iter_mut().zip(color).for_each(|(result, c)| *result += value * f64::from(*c));
            }
        }
        result
    }

    #[test]
    fn the_bases_make_the_same_operator() {
        for (width, height) in SIZES {
            for wraps in [false, true] {
                let x = test_values(RGB * width * height, 3);
                let expected = by_bases(&Preconditioner::as_bases(width, height, wraps), width, height, &x);
                let mut found = x.clone();
                Preconditioner::new(width, height, wraps).apply(&mut found);
                let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
                let error = norm(&mut found.iter().zip(&expected).map(|(a, b)| f64::from(*a) - b));
                let error = error / norm(&mut expected.iter().copied());
                assert!(error < 1e-6, "{width}x{height} {wraps}: {error:e}");
            }
        }
    }

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
    fn the_square_is_the_product_with_what_is_applied() {
        for (size, wraps) in SIZES.iter().flat_map(|&size| [(size, false), (size, true)]) {
            let x = test_values(RGB * size.0 * size.1, 6);
            let expected = dot(&x, &applied(&x, size, wraps));
            let found = Preconditioner::new(size.0, size.1, wraps).square(&x);
            assert!((found / expected - 1.0).abs() < 1e-5, "{size:?} {wraps}: {found} {expected}");
        }
    }

    #[test]
    fn waves_are_the_sums_they_stand_for() {
        for (len, wraps) in [1, 2, 3, 8, 13].into_iter().flat_map(|len| [(len, false), (len, true)]) {
            let waves = Waves::new(len, wraps);
            let values = [1, 2].map(|seed| test_values(len, seed));
            let mut line = vec![Complex::default(); len];
            for n in 0..len {
                line[waves.place(n)] = Complex::new(values[0][n], values[1][n]);
            }
            waves.forward(&mut line, &mut vec![]);
            for k in 0..len {
                let wave = |n: usize| {
                    let turn = std::f64::consts::PI * k as f64 / len as f64;
                    if wraps {
                        (2.0 * turn * n as f64).cos() + (2.0 * turn * n as f64).sin()
                    } else {
                        (turn * (n as f64 + 0.5)).cos()
                    }
                };
                let [re, im] =
                    values.each_ref().map(|v| v.iter().enumerate().map(|(n, v)| f64::from(*v) * wave(n)).sum::<f64>());
                let error = (f64::from(line[k].re) - re).hypot(f64::from(line[k].im) - im);
                assert!(error < 1e-5, "{len} {wraps} {k}: {} {re} {im}", line[k]);
            }
            waves.back(&mut line, &mut vec![]);
            for n in 0..len {
                let found = line[waves.place(n)] / waves.gain() as f32;
                assert!((found - Complex::new(values[0][n], values[1][n])).norm() < 1e-6, "{len} {wraps} {n}: {found}");
            }
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
            pool.install(|| {
                [false, true].map(|wraps| {
                    let square = Preconditioner::new(61, 43, wraps).square(&x);
                    (applied(&x, (61, 43), wraps), square.to_bits())
                })
            })
        };
        assert!(on(1) == on(3));
    }
}
