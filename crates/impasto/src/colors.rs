//! Whose colours the result has.
//!
//! The method is that of Gatys, Bethge, Hertzmann and Shechtman, "Preserving Color in Neural
//! Artistic Style Transfer" (2016). The pair is changed before the transfer
//! ([`ColorMode::prepare_content`], [`ColorMode::prepare_style`]), and the picture after it
//! ([`ColorMode::finish`]). A [`Session`](crate::Session) knows nothing of it, so its losses are
//! those of the picture before it is finished.

use impasto_engine::{Image, words};
use rayon::prelude::*;

use crate::reduce::{CHUNK, sum_ranges};

words! {
    /// Whose colours the result has.
    #[derive(Default)]
    pub enum ColorMode {
        /// The style's.
        #[default]
        Style => "style",
        /// The photo's: as `style`, then each pixel gets the photo's colour at the brightness that
        /// it has.
        ///
        /// The colour is the chroma, the brightness the luma.
        Content => "content",
        /// The photo's, and the style's count for nothing: only light and dark are transferred.
        ///
        /// Both pictures are made grey for the transfer, the style's luma is brought to the photo's
        /// mean and standard deviation, then each pixel gets the photo's chroma.
        Luminance => "luminance",
        /// The style's strokes in the photo's palette: the style is recoloured like the photo
        /// first.
        ///
        /// The recoloured style has the photo's mean and covariance.
        Matched => "matched",
    }
}

/// Least variance of a colour along any direction, in squared levels: one level.
///
/// A style is stretched by the inverse of its variance. What is below this is the rounding to 8
/// bits and the noise of compression, which must not become the pattern. A style of one colour is
/// divided by it instead of by 0.
const MIN_VARIANCE: f64 = 1.0;

impl ColorMode {
    /// Returns the content as the transfer should see it, in its size, with values in 0..255.
    pub fn prepare_content(self, content: &Image) -> Image {
        match self {
            ColorMode::Luminance => grey(content),
            ColorMode::Style | ColorMode::Content | ColorMode::Matched => content.clone(),
        }
    }

    /// Returns a style as the transfer should see it, in its size, with values in 0..255.
    ///
    /// Values that the recolouring would lead out of 0..255 are clamped. If one of the pictures has
    /// no pixels, the style is returned as it is.
    pub fn prepare_style(self, content: &Image, style: &Image) -> Image {
        let is_empty = content.as_slice().is_empty() || style.as_slice().is_empty();
        match self {
            _ if is_empty => style.clone(),
            ColorMode::Style | ColorMode::Content => style.clone(),
            ColorMode::Luminance => match_luma(&grey(style), &grey(content)),
            ColorMode::Matched => match_colors(style, content),
        }
    }

    /// Gives the result of the transfer the colours that it should have. Values are in 0..255.
    ///
    /// `content` is the content before [`ColorMode::prepare_content`], in the picture's size. The
    /// luma of the picture stays. If the content's chroma would lead out of 0..255, there is less
    /// of it, in the same hue.
    ///
    /// # Panics
    /// If the sizes differ.
    pub fn finish(self, picture: Image, content: &Image) -> Image {
        assert_eq!((picture.width(), picture.height()), (content.width(), content.height()), "pictures of one size");
        match self {
            ColorMode::Style | ColorMode::Matched => picture,
            ColorMode::Content | ColorMode::Luminance => with_chroma_of(picture, content),
        }
    }
}

/// `Y = 0.299 R + 0.587 G + 0.114 B` of encoded values.
///
/// This is the luma of YIQ, which the paper uses, and of YCbCr (ITU-R BT.601).
pub(crate) fn luma([r, g, b]: [f32; 3]) -> f32 {
    0.299 * r + 0.587 * g + 0.114 * b
}

/// Puts the luma of each pixel in all three channels.
fn grey(image: &Image) -> Image {
    map_pixels(image, |pixel| [luma(pixel); 3])
}

/// `Y + s·(c - Y(c))` for each pixel: the luma `Y` of `picture` and the chroma of `content`.
///
/// `s` is 1, or the largest number that keeps all three values in 0..255. The difference to grey
/// has luma 0, so any `s` keeps `Y` and the hue.
fn with_chroma_of(mut picture: Image, content: &Image) -> Image {
    let (pixels, _) = picture.as_mut_slice().as_chunks_mut::<3>();
    let (colors, _) = content.as_slice().as_chunks::<3>();
    pixels.par_chunks_mut(CHUNK).zip(colors.par_chunks(CHUNK)).for_each(|(pixels, colors)| {
        for (pixel, color) in pixels.iter_mut().zip(colors) {
            let (y, grey) = (luma(*pixel).clamp(0.0, 255.0), luma(*color));
            let chroma = color.map(|v| v - grey);
            let share = chroma.iter().fold(1.0_f32, |share, &c| {
                let room = if c > 0.0 { 255.0 - y } else { y };
                if c.abs() * share > room { room / c.abs() } else { share }
            });
            *pixel = chroma.map(|c| (y + share * c).clamp(0.0, 255.0));
        }
    });
    picture
}

/// `(Y - mean_s)·(sigma_c / sigma_s) + mean_c` for grey pictures, section 5.2 of the paper.
fn match_luma(style: &Image, content: &Image) -> Image {
    let (from, to) = (PixelStatistics::of(style), PixelStatistics::of(content));
    let factor = (to.covariance[0][0] / from.covariance[0][0].max(MIN_VARIANCE)).sqrt();
    map_pixels(style, |[y, ..]| [to_level((f64::from(y) - from.mean[0]) * factor + to.mean[0]); 3])
}

/// `A·(x - mean_s) + mean_c` with `A = C^(1/2)·S^(-1/2)`, the symmetric roots of the covariances.
///
/// This is the "image analogies" form of section 5.1. It keeps hues nearer to where they were than
/// the Cholesky form does. It departs from the paper if the style hardly varies along a direction
/// ([`MIN_VARIANCE`]): then `S` still has an inverse.
fn match_colors(style: &Image, content: &Image) -> Image {
    let (from, to) = (PixelStatistics::of(style), PixelStatistics::of(content));
    let root = map_eigenvalues(to.covariance, |value| value.max(0.0).sqrt());
    let inverse_root = map_eigenvalues(from.covariance, |value| value.max(MIN_VARIANCE).sqrt().recip());
    let a = product(&root, &inverse_root);
    map_pixels(style, |pixel| {
        let x: [f64; 3] = std::array::from_fn(|i| f64::from(pixel[i]) - from.mean[i]);
        std::array::from_fn(|i| to_level(a[i][0] * x[0] + a[i][1] * x[1] + a[i][2] * x[2] + to.mean[i]))
    })
}

fn to_level(value: f64) -> f32 {
    value.clamp(0.0, 255.0) as f32
}

fn map_pixels(image: &Image, f: impl Fn([f32; 3]) -> [f32; 3] + Sync) -> Image {
    let mut image = image.clone();
    let (pixels, _) = image.as_mut_slice().as_chunks_mut::<3>();
    pixels.par_chunks_mut(CHUNK).for_each(|pixels| pixels.iter_mut().for_each(|pixel| *pixel = f(*pixel)));
    image
}

type Matrix = [[f64; 3]; 3];

/// Mean and covariance of a picture's pixels, in levels and squared levels.
struct PixelStatistics {
    mean: [f64; 3],
    /// `sum (x - mean)(x - mean)ᵀ / n`.
    covariance: Matrix,
}

impl PixelStatistics {
    /// Takes the statistics of a picture, which has pixels.
    fn of(image: &Image) -> Self {
        let (pixels, _) = image.as_slice().as_chunks::<3>();
        let mean_of = |f: &(dyn Fn(&[f32; 3]) -> f64 + Sync)| {
            sum_ranges(pixels.len(), CHUNK, |range| pixels[range].iter().map(f).sum()) / pixels.len() as f64
        };
        let mean: [f64; 3] = std::array::from_fn(|i| mean_of(&|pixel| f64::from(pixel[i])));
        let covariance = std::array::from_fn(|i| {
            std::array::from_fn(|j| mean_of(&|pixel| (f64::from(pixel[i]) - mean[i]) * (f64::from(pixel[j]) - mean[j])))
        });
        Self { mean, covariance }
    }
}

fn product(a: &Matrix, b: &Matrix) -> Matrix {
    std::array::from_fn(|i| std::array::from_fn(|j| (0..3).map(|k| a[i][k] * b[k][j]).sum()))
}

/// `V·diag(f(lambda))·Vᵀ` of a symmetric matrix.
fn map_eigenvalues(matrix: Matrix, f: impl Fn(f64) -> f64) -> Matrix {
    let (values, vectors) = eigen(matrix);
    let values = values.map(f);
    std::array::from_fn(|i| std::array::from_fn(|j| (0..3).map(|k| vectors[i][k] * values[k] * vectors[j][k]).sum()))
}

/// Returns the eigenvalues of a symmetric matrix, and its eigenvectors as columns, by cyclic Jacobi
/// rotations (Golub and Van Loan, section 8.5).
fn eigen(mut a: Matrix) -> ([f64; 3], Matrix) {
    /// Convergence is quadratic. Matrices of 3x3 are done after 4 to 6 sweeps.
    const SWEEPS: usize = 12;
    let mut vectors = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    for (p, q) in [(0, 1), (0, 2), (1, 2)].repeat(SWEEPS) {
        if a[p][q] == 0.0 {
            continue;
        }
        // This is the smaller of the two angles that make a[p][q] zero.
        let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
        let tan = theta.signum() / (theta.abs() + theta.hypot(1.0));
        let cos = tan.hypot(1.0).recip();
        let sin = tan * cos;
        let rotate = |row: &mut [f64; 3]| (row[p], row[q]) = (cos * row[p] - sin * row[q], sin * row[p] + cos * row[q]);
        a.iter_mut().for_each(rotate);
        vectors.iter_mut().for_each(rotate);
        for k in 0..3 {
            (a[p][k], a[q][k]) = (cos * a[p][k] - sin * a[q][k], sin * a[p][k] + cos * a[q][k]);
        }
        // They are zero except for rounding, which the next rotations must not take for more.
        (a[p][q], a[q][p]) = (0.0, 0.0);
    }
    ([a[0][0], a[1][1], a[2][2]], vectors)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::test_values;

    const MODES: [ColorMode; 4] = [ColorMode::Style, ColorMode::Content, ColorMode::Luminance, ColorMode::Matched];

    /// Makes noise around `mean`, with channels correlated by `mix`. It stays far enough from 0 and
    /// 255 not to be clamped.
    fn picture(width: usize, height: usize, seed: u64, mean: [f32; 3], mix: Matrix) -> Image {
        let noise = test_values(3 * width * height, seed);
        let (noise, _) = noise.as_chunks::<3>();
        let pixel = |x: &[f32; 3]| -> [f32; 3] {
            std::array::from_fn(|i| mean[i] + (0..3).map(|j| mix[i][j] as f32 * x[j]).sum::<f32>())
        };
        Image::new(width, height, noise.iter().flat_map(pixel).collect())
    }

    fn photo() -> Image {
        picture(61, 43, 1, [120.0, 130.0, 110.0], [[14.0, 3.0, 0.0], [6.0, 9.0, 2.0], [-4.0, 5.0, 11.0]])
    }

    fn painting() -> Image {
        picture(50, 37, 2, [90.0, 80.0, 160.0], [[5.0, 0.0, 8.0], [3.0, 17.0, -2.0], [9.0, 1.0, 6.0]])
    }

    #[track_caller]
    fn assert_close(a: f64, b: f64, scale: f64) {
        assert!((a - b).abs() <= 1e-3 * scale, "{a} is not {b}");
    }

    #[test]
    fn a_matched_style_has_the_contents_mean_and_covariance() {
        assert_eq!(ColorMode::Matched.prepare_content(&photo()), photo());
        let style = ColorMode::Matched.prepare_style(&photo(), &painting());
        assert_ne!(style, painting());
        let (found, wanted) = (PixelStatistics::of(&style), PixelStatistics::of(&photo()));
        for i in 0..3 {
            assert_close(found.mean[i], wanted.mean[i], wanted.mean[i]);
            for j in 0..3 {
                let scale = (wanted.covariance[i][i] * wanted.covariance[j][j]).sqrt();
                assert_close(found.covariance[i][j], wanted.covariance[i][j], scale);
            }
        }
    }

    #[test]
    fn matching_a_picture_to_itself_changes_nothing() {
        let style = ColorMode::Matched.prepare_style(&painting(), &painting());
        for (found, wanted) in style.as_slice().iter().zip(painting().as_slice()) {
            assert_close((*found).into(), (*wanted).into(), 1.0);
        }
    }

    #[test]
    fn luminance_is_grey_with_the_contents_mean_and_deviation() {
        let mode = ColorMode::Luminance;
        let (content, style) = (mode.prepare_content(&photo()), mode.prepare_style(&photo(), &painting()));
        for image in [&content, &style] {
            let (pixels, _) = image.as_slice().as_chunks::<3>();
            assert!(pixels.iter().all(|[r, g, b]| r == g && g == b));
        }
        let (found, wanted) = (PixelStatistics::of(&style), PixelStatistics::of(&content));
        assert_close(found.mean[0], wanted.mean[0], wanted.mean[0]);
        assert_close(found.covariance[0][0], wanted.covariance[0][0], wanted.covariance[0][0]);
    }

    #[test]
    fn a_finished_picture_has_its_own_luma_and_the_contents_chroma() {
        let (content, result) = (photo(), picture(61, 43, 3, [125.0; 3], [[9.0, 0.0, 0.0]; 3]));
        for mode in [ColorMode::Content, ColorMode::Luminance] {
            let finished = mode.finish(result.clone(), &content);
            let pixels = |image: &Image| image.as_slice().as_chunks::<3>().0.to_vec();
            for ((finished, result), content) in pixels(&finished).iter().zip(pixels(&result)).zip(pixels(&content)) {
                assert_close(luma(*finished).into(), luma(result).into(), 1.0);
                for i in 0..3 {
                    let chroma = |pixel: [f32; 3]| f64::from(pixel[i] - luma(pixel));
                    assert_close(chroma(*finished), chroma(content), 1.0);
                }
            }
        }
    }

    #[test]
    fn chroma_that_does_not_fit_is_less_of_the_same_hue() {
        for (level, color) in [(250.0, [255.0, 0.0, 0.0]), (3.0, [255.0, 255.0, 0.0]), (100.0, [0.0, 0.0, 255.0])] {
            let finished = ColorMode::Content.finish(Image::filled(1, 1, [level; 3]), &Image::filled(1, 1, color));
            let pixel = finished.as_slice().as_chunks::<3>().0[0];
            assert_close(luma(pixel).into(), level.into(), 1.0);
            assert!(pixel.iter().all(|v| (0.0..=255.0).contains(v)), "{pixel:?}");
            let share = (pixel[0] - level) / (color[0] - luma(color));
            assert!(0.0 < share && share < 1.0, "{share}");
            for i in 0..3 {
                assert_close((pixel[i] - level).into(), (share * (color[i] - luma(color))).into(), 1.0);
            }
        }
        let white = ColorMode::Content.finish(Image::filled(1, 1, [255.0; 3]), &photo_of(1, [10.0, 200.0, 30.0]));
        assert_eq!(white, Image::filled(1, 1, [255.0; 3]));
    }

    fn photo_of(side: usize, rgb: [f32; 3]) -> Image {
        Image::filled(side, side, rgb)
    }

    #[test]
    fn pictures_without_variance_lead_to_numbers() {
        let grey = picture(20, 20, 4, [100.0; 3], [[20.0, 0.0, 0.0]; 3]);
        let plain = [[0.0; 3], [255.0; 3], [12.0, 200.0, 77.0]].map(|rgb| photo_of(20, rgb));
        for content in [&grey, &plain[0], &plain[2]] {
            for style in [&grey, &plain[0], &plain[1], &plain[2], &painting()] {
                for mode in MODES {
                    let (a, b) = (mode.prepare_content(content), mode.prepare_style(content, style));
                    let finished = mode.finish(a.clone(), content);
                    for image in [a, b, finished] {
                        assert!(image.as_slice().iter().all(|v| (0.0..=255.0).contains(v)), "{mode:?}");
                    }
                }
            }
        }
        // A style of one colour becomes the content's mean.
        let style = ColorMode::Matched.prepare_style(&photo(), &plain[2]);
        let mean = PixelStatistics::of(&photo()).mean;
        for i in 0..3 {
            assert_close(style.as_slice()[i].into(), mean[i], 1.0);
        }
    }

    #[test]
    fn eigenvectors_are_orthonormal_and_make_the_matrix_again() {
        let (photo, diagonal) =
            (PixelStatistics::of(&photo()).covariance, [[4.0, 0.0, 0.0], [0.0, 9.0, 0.0], [0.0; 3]]);
        for matrix in [photo, diagonal, [[1.0; 3]; 3], [[0.0; 3]; 3]] {
            let (_, vectors) = eigen(matrix);
            let transposed = std::array::from_fn(|i| std::array::from_fn(|j| vectors[j][i]));
            let (identity, again) = (product(&transposed, &vectors), map_eigenvalues(matrix, |value| value));
            let scale = matrix.iter().flatten().fold(1.0_f64, |most, v| most.max(v.abs()));
            for (i, j) in (0..9).map(|k| (k / 3, k % 3)) {
                assert!((identity[i][j] - if i == j { 1.0 } else { 0.0 }).abs() < 1e-12);
                assert!((again[i][j] - matrix[i][j]).abs() < 1e-12 * scale, "{again:?}");
            }
        }
    }
}
