//! Eq. (5).

use rayon::prelude::*;

use crate::reduce::sum_ranges;

/// Values in a pixel.
const RGB: usize = 3;

/// `TV(X) = 1/(3·H·W) · sum [ (x_{i+1,j} - x_{i,j})^2 + (x_{i,j+1} - x_{i,j})^2 ]`, eq. (5), over the three channels.
///
/// `pixels`: `[H, W, 3]`, 0..255.
pub(crate) fn total_variation(pixels: &[f32], width: usize) -> f64 {
    let row = RGB * width;
    let squares = |a: &[f32], b: &[f32]| -> f64 { a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum() };
    let sum = sum_ranges(pixels.len(), row, |range| {
        let (here, below) = (&pixels[range.clone()], &pixels[range.end..]);
        // The last row has none below it, the last pixel none to its right.
        squares(&here[RGB..], here) + squares(below.get(..row).unwrap_or_default(), here)
    });
    sum / pixels.len() as f64
}

/// `gradient += weight · dTV/dX`.
///
/// `dTV/dx = 2/(3·H·W) · sum (x - n)` over the up to four neighbours `n` of `x`.
pub(crate) fn add_total_variation_gradient(pixels: &[f32], width: usize, weight: f64, gradient: &mut [f32]) {
    assert_eq!(pixels.len(), gradient.len());
    let row = RGB * width;
    let scale = (weight * 2.0 / pixels.len() as f64) as f32;
    gradient.par_chunks_mut(row).enumerate().for_each(|(y, gradient)| {
        let start = y * row;
        let here = &pixels[start..start + row];
        let above = if y > 0 { &pixels[start - row..start] } else { here };
        let below = pixels.get(start + row..start + 2 * row).unwrap_or(here);
        for i in 0..row {
            // Beyond the border the pixel meets itself, which adds nothing.
            let left = here[if i < RGB { i } else { i - RGB }];
            let right = here[if i + RGB < row { i + RGB } else { i }];
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

    /// Eq. (5) as it is written.
    fn naive(x: &[f64], width: usize) -> f64 {
        let height = x.len() / RGB / width;
        let at = |i: usize, j: usize, c: usize| x[(i * width + j) * RGB + c];
        let mut sum = 0.0;
        for i in 0..height {
            for j in 0..width {
                for c in 0..RGB {
                    if i + 1 < height {
                        sum += (at(i + 1, j, c) - at(i, j, c)).powi(2);
                    }
                    if j + 1 < width {
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
            let (value, expected) = (total_variation(x, width), naive(&exact, width));
            assert!((value - expected).abs() <= 1e-6 * expected, "{width}x{height}: {value} {expected}");

            let mut gradient = vec![0.0; x.len()];
            add_total_variation_gradient(x, width, 0.75, &mut gradient);
            check_gradient(x, &gradient, 1e-5, |x| 0.75 * naive(x, width));
        }
    }

    #[test]
    fn the_gradient_is_added_to_what_is_there() {
        let image = white_noise(5, 4, 1);
        let (mut alone, mut added) = (vec![0.0; 60], vec![8.0; 60]);
        add_total_variation_gradient(image.as_slice(), 5, 1.0, &mut alone);
        add_total_variation_gradient(image.as_slice(), 5, 1.0, &mut added);
        for (alone, added) in alone.iter().zip(added) {
            assert_eq!(8.0 + alone, added);
        }
    }
}
