//! Total variation, eq. (5): the one loss on pixels.

use rayon::prelude::*;

use crate::reduce::sum_ranges;

/// Values of a pixel.
const RGB: usize = 3;

/// `TV(X) = 1/(3·H·W) · sum [ (x_{i+1,j} - x_{i,j})^2 + (x_{i,j+1} - x_{i,j})^2 ]`, eq. (5), over
/// the three channels.
///
/// `pixels`: `[H, W, 3]`, 0..255. `wraps`: the last row and column have the first beside them.
pub(crate) fn total_variation(pixels: &[f32], width: usize, wraps: bool) -> f64 {
    let row = RGB * width;
    let squares = |a: &[f32], b: &[f32]| -> f64 { a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum() };
    let sum = sum_ranges(pixels.len(), row, |range| {
        let (here, below) = (&pixels[range.clone()], &pixels[range.end..]);
        // The last row has none below it, the last pixel none to its right, unless they wrap
        // around.
        let first_row = if wraps { &pixels[..row] } else { &[] };
        let first = if wraps { &here[..RGB] } else { &[] };
        squares(&here[RGB..], here)
            + squares(first, &here[row - RGB..])
            + squares(below.get(..row).unwrap_or(first_row), here)
    });
    sum / pixels.len() as f64
}

/// Returns the factor of the differences `x - n` in the gradient of `weight · TV`, for a picture
/// with so many values.
pub(crate) fn gradient_factor(weight: f64, values: usize) -> f32 {
    (weight * 2.0 / values as f64) as f32
}

/// `gradient += weight · dTV/dX`.
///
/// `dTV/dx = 2/(3·H·W) · sum (x - n)` over the up to four neighbours `n` of `x`, all four where the
/// picture `wraps` around.
pub(crate) fn add_total_variation_gradient(
    pixels: &[f32],
    width: usize,
    wraps: bool,
    weight: f64,
    gradient: &mut [f32],
) {
    assert_eq!(pixels.len(), gradient.len());
    let row = RGB * width;
    let scale = gradient_factor(weight, pixels.len());
    gradient.par_chunks_mut(row).enumerate().for_each(|(y, gradient)| {
        let start = y * row;
        let here = &pixels[start..start + row];
        // Beyond a border the pixel meets itself, which adds nothing.
        let first = if wraps { &pixels[..row] } else { here };
        let last = if wraps { &pixels[pixels.len() - row..] } else { here };
        let above = if y > 0 { &pixels[start - row..start] } else { last };
        let below = pixels.get(start + row..start + 2 * row).unwrap_or(first);
        let around = if wraps { row - RGB } else { 0 };
        for i in 0..row {
            let left = here[if i < RGB { i + around } else { i - RGB }];
            let right = here[if i + RGB < row { i + RGB } else { i - around }];
            let x = here[i];
            gradient[i] += scale * ((x - above[i]) + (x - below[i]) + (x - left) + (x - right));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::testing::check_gradient;
    use crate::noise::white_noise;

    /// Eq. (5) as it is written, on a torus with the indices taken modulo the size.
    fn naive(x: &[f64], width: usize, wraps: bool) -> f64 {
        let height = x.len() / RGB / width;
        let at = |i: usize, j: usize, c: usize| x[(i % height * width + j % width) * RGB + c];
        let mut sum = 0.0;
        for i in 0..height {
            for j in 0..width {
                for c in 0..RGB {
                    if wraps || i + 1 < height {
                        sum += (at(i + 1, j, c) - at(i, j, c)).powi(2);
                    }
                    if wraps || j + 1 < width {
                        sum += (at(i, j + 1, c) - at(i, j, c)).powi(2);
                    }
                }
            }
        }
        sum / x.len() as f64
    }

    #[test]
    fn value_and_gradient_are_those_of_the_formula() {
        for (width, height) in [(1, 1), (1, 5), (4, 1), (2, 2), (17, 23), (40, 3)] {
            let image = white_noise(width, height, 1);
            let x = image.as_slice();
            let exact: Vec<f64> = x.iter().map(|&v| v.into()).collect();
            for wraps in [false, true] {
                let (value, expected) = (total_variation(x, width, wraps), naive(&exact, width, wraps));
                assert!((value - expected).abs() <= 1e-6 * expected, "{width}x{height}: {value} {expected}");

                let mut gradient = vec![0.0; x.len()];
                add_total_variation_gradient(x, width, wraps, 0.75, &mut gradient);
                check_gradient(x, &gradient, 1e-5, |x| 0.75 * naive(x, width, wraps));
            }
        }
    }

    #[test]
    fn the_gradient_is_added_to_what_is_there() {
        let image = white_noise(5, 4, 1);
        let (mut alone, mut added) = (vec![0.0; 60], vec![8.0; 60]);
        add_total_variation_gradient(image.as_slice(), 5, false, 1.0, &mut alone);
        add_total_variation_gradient(image.as_slice(), 5, false, 1.0, &mut added);
        for (alone, added) in alone.iter().zip(added) {
            assert_eq!(8.0 + alone, added);
        }
    }
}
