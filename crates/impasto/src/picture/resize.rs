//! Pictures at other sizes, in linear light.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{F32x3, F32x4};
use fast_image_resize::{FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer};
use impasto_engine::Image;
use rayon::prelude::*;

use crate::picture::mask::Mask;
use crate::reduce::CHUNK;

/// How a picture is resampled.
#[derive(Clone, Copy)]
pub(crate) enum Filter {
    /// As [`resize`] does.
    Photo,
    /// As [`resize_style`] does.
    Style,
}

impl Filter {
    fn kernel(self) -> FilterType {
        match self {
            Self::Photo => FilterType::Lanczos3,
            Self::Style => FilterType::Mitchell,
        }
    }
}

/// Resizes `image` to `width` x `height` pixels by Lanczos-3 on linear light. Fine light and dark
/// detail keeps its mean brightness.
///
/// The result is within 0..255. A picture of that size is returned as it is.
///
/// # Panics
/// If a side of `image` or of the result is 0, or above `u32::MAX`.
pub fn resize(image: &Image, width: usize, height: usize) -> Image {
    resize_by(image, (width, height), Filter::Photo)
}

/// Resizes a style picture to `width` x `height` pixels by the cubic filter of Mitchell and
/// Netravali ("Reconstruction Filters in Computer Graphics", SIGGRAPH 1988) on linear light.
///
/// Lanczos-3 is sharper, but it overshoots beside a bright stroke, which is plain to see in linear
/// light because the dark end is stretched when it is encoded. In a photo that looks crisp. In a
/// style, the overshoot becomes part of the statistics, and grains are painted all over the
/// picture.
///
/// The result is within 0..255. A picture of that size is returned as it is.
///
/// # Panics
/// If a side of `image` or of the result is 0, or above `u32::MAX`.
pub fn resize_style(image: &Image, width: usize, height: usize) -> Image {
    resize_by(image, (width, height), Filter::Style)
}

fn resize_by(image: &Image, (width, height): (usize, usize), filter: Filter) -> Image {
    assert!(image.width() > 0 && image.height() > 0 && width > 0 && height > 0, "a picture has pixels");
    if (image.width(), image.height()) == (width, height) {
        return image.clone();
    }
    let (pixels, _) = image.as_slice().as_chunks::<3>();
    let linear = mapped(pixels, F32x3::new([0.0; 3]), |_, p| F32x3::new(linear(p)));
    let target = convolve(&linear, size(image), (width, height), filter.kernel());
    let encoded = mapped(&target, [0.0; 3], |_, l| encoded(l.0));
    Image::new(width, height, encoded.into_flattened())
}

/// Resizes by a filter on linear light, with each colour weighed by its opacity in `alpha`. If all
/// is opaque, `alpha` is `None`.
///
/// The filter is used where all that it looks at is opaque. At edges its negative lobes, divided by
/// a small opacity, would make colours that are nowhere. There a triangle takes its place, which
/// has no such lobes. Where nothing is visible the colour is [`hidden_colour`].
pub(crate) fn resize_visible(
    image: &Image,
    alpha: Option<&Mask>,
    (width, height): (usize, usize),
    filter: Filter,
) -> Image {
    let Some(alpha) = alpha else { return resize_by(image, (width, height), filter) };
    if size(image) == (width, height) {
        return image.clone();
    }
    let (pixels, _) = image.as_slice().as_chunks::<3>();
    let premultiplied = mapped(pixels, F32x4::new([0.0; 4]), |i, p| {
        let a = alpha.as_slice()[i];
        let [r, g, b] = linear(p).map(|v| v * a);
        F32x4::new([r, g, b, a])
    });
    let filtered = convolve(&premultiplied, size(image), (width, height), filter.kernel());
    let safe = convolve(&premultiplied, size(image), (width, height), FilterType::Bilinear);
    let hidden = hidden_colour(image, alpha);
    let colours = mapped(&filtered, [0.0; 3], |i, filtered| {
        let is_opaque = |p: &F32x4| (p.0[3] - 1.0).abs() <= OPAQUE;
        let safe = &safe[i];
        let [r, g, b, a] = if is_opaque(filtered) && is_opaque(safe) { filtered.0 } else { safe.0 };
        if a > 0.0 { encoded([r, g, b].map(|v| v / a)) } else { hidden }
    });
    Image::new(width, height, colours.into_flattened())
}

/// Levels by which a speck differs from the median of its 3x3 neighbours.
const SPECK: f32 = 30.0;

/// Returns the part of the pixels, 0..1, that are specks: their luma (Rec. 601) is more than
/// [`SPECK`] levels from the median of their 3x3 neighbours. Pixels at the border are none.
pub(crate) fn specks(image: &Image) -> f64 {
    let (width, height) = size(image);
    let (pixels, _) = image.as_slice().as_chunks::<3>();
    let luma = mapped(pixels, 0.0, |_, [r, g, b]| 0.299 * r + 0.587 * g + 0.114 * b);
    let is_speck = |x: usize, y: usize| {
        let mut near = [0.0; 9];
        for (i, near) in near.iter_mut().enumerate() {
            *near = luma[(y + i / 3 - 1) * width + x + i % 3 - 1];
        }
        let (_, median, _) = near.select_nth_unstable_by(4, f32::total_cmp);
        (luma[y * width + x] - *median).abs() > SPECK
    };
    let rows = (1..height.saturating_sub(1)).into_par_iter();
    let found: usize = rows.map(|y| (1..width.saturating_sub(1)).filter(|&x| is_speck(x, y)).count()).sum();
    found as f64 / (width * height) as f64
}

/// Returns a style picture without what is one pixel wide.
///
/// The filter is a cubic B-spline at its knots, `[1/6, 2/3, 1/6]` along rows and columns, on linear
/// light. Each colour is weighed by its opacity in `alpha`.
pub(crate) fn softened(image: &Image, alpha: Option<&Mask>) -> Image {
    let (width, height) = size(image);
    let (pixels, _) = image.as_slice().as_chunks::<3>();
    let premultiplied = mapped(pixels, [0.0; 4], |i, p| {
        let a = alpha.map_or(1.0, |alpha| alpha.as_slice()[i]);
        let [r, g, b] = linear(p).map(|v| v * a);
        [r, g, b, a]
    });
    let blend = |before: &[f32; 4], here: &[f32; 4], after: &[f32; 4]| -> [f32; 4] {
        std::array::from_fn(|c| 2.0 / 3.0 * here[c] + (before[c] + after[c]) / 6.0)
    };
    let along_rows = mapped(&premultiplied, [0.0; 4], |i, here| {
        let (row, x) = (i - i % width, i % width);
        let [before, after] = [x.saturating_sub(1), (x + 1).min(width - 1)];
        blend(&premultiplied[row + before], here, &premultiplied[row + after])
    });
    let colours = mapped(&along_rows, [0.0; 3], |i, here| {
        let (x, y) = (i % width, i / width);
        let [before, after] = [y.saturating_sub(1), (y + 1).min(height - 1)];
        let [r, g, b, a] = blend(&along_rows[before * width + x], here, &along_rows[after * width + x]);
        if a > 0.0 { encoded([r, g, b].map(|v| v / a)) } else { pixels[i] }
    });
    Image::new(width, height, colours.into_flattened())
}

/// Largest distance from 1 of a sum of weights that counts as 1: rounding, and a little more.
const OPAQUE: f32 = 1e-4;

/// Returns the mean colour of the visible part, in linear light, as RGB in 0..255. It is white if
/// nothing is visible.
fn hidden_colour(image: &Image, alpha: &Mask) -> [f32; 3] {
    let (pixels, _) = image.as_slice().as_chunks::<3>();
    let mut sum = [0.0; 3];
    let mut weight = 0.0;
    for (pixel, &a) in pixels.iter().zip(alpha.as_slice()) {
        if a > 0.0 {
            let a = f64::from(a);
            weight += a;
            for (sum, v) in sum.iter_mut().zip(linear(pixel)) {
                *sum += a * f64::from(v);
            }
        }
    }
    if weight > 0.0 { encoded(sum.map(|sum| (sum / weight) as f32)) } else { [255.0; 3] }
}

/// Paints the transparent part with the [`hidden_colour`], because the network sees those pixels
/// beside the visible ones.
pub fn paint_hidden(image: &mut Image, alpha: &Mask) {
    let hidden = hidden_colour(image, alpha);
    let (pixels, _) = image.as_mut_slice().as_chunks_mut::<3>();
    for (pixel, _) in pixels.iter_mut().zip(alpha.as_slice()).filter(|(_, a)| **a == 0.0) {
        *pixel = hidden;
    }
}

fn size(image: &Image) -> (usize, usize) {
    (image.width(), image.height())
}

/// Maps each value and its index, on all threads.
fn mapped<A: Sync, B: Clone + Send>(values: &[A], empty: B, map: impl Fn(usize, &A) -> B + Sync) -> Vec<B> {
    let mut result = vec![empty; values.len()];
    result.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, result)| {
        for (i, r) in result.iter_mut().enumerate() {
            let i = chunk * CHUNK + i;
            *r = map(i, &values[i]);
        }
    });
    result
}

/// Resizes `pixels` from one width and height to another.
fn convolve<P: PixelTrait>(pixels: &[P], from: (usize, usize), to: (usize, usize), filter: FilterType) -> Vec<P> {
    let side = |n: usize| u32::try_from(n).expect("a side fits 32 bits");
    let source = TypedImageRef::new(side(from.0), side(from.1), pixels).expect("one value per pixel");
    let mut target = TypedImage::<P>::new(side(to.0), side(to.1));
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter)).use_alpha(false);
    Resizer::new().resize_typed(&source, &mut target, &options).expect("the whole of the source is inside the source");
    target.pixels().to_vec()
}

/// Converts sRGB in 0..255 to linear light in 0..1.
fn linear(pixel: &[f32; 3]) -> [f32; 3] {
    pixel.map(|v| srgb_to_linear(v / 255.0))
}

/// Converts linear light to sRGB in 0..255. Both filters ring beyond the ends of its range.
fn encoded(linear: [f32; 3]) -> [f32; 3] {
    linear.map(|v| 255.0 * linear_to_srgb(v.clamp(0.0, 1.0)))
}

/// The sRGB transfer function (IEC 61966-2-1), 0..1 to 0..1.
fn srgb_to_linear(v: f32) -> f32 {
    if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
}

/// Inverse of [`srgb_to_linear`].
fn linear_to_srgb(v: f32) -> f32 {
    if v <= 0.003_130_8 { 12.92 * v } else { (1.055 * v.powf(1.0 / 2.4) - 0.055).min(1.0) }
}

/// Shape, as longest side over shortest, up to which the nominal side of a picture is its longest
/// side. Cameras stay below.
const ORDINARY_SHAPE: f64 = 2.0;

/// Returns the side that says how large a picture is: its longest side in pixels. If a picture is
/// longer than 2:1, it is the longest side of a 2:1 picture with the same area, `sqrt(2 w h)`.
///
/// Painted pictures and their styles are matched by it. A style is seen as strokes on an area, and
/// its statistics are means over its area. If a panorama of 2400x24 px had its style at 2400 px,
/// the strokes would be larger than the panorama is high, and the style would take thirty times its
/// time and memory.
pub fn nominal_side(width: usize, height: usize) -> usize {
    let (longest, shortest) = (width.max(height), width.min(height));
    if longest as f64 <= ORDINARY_SHAPE * shortest as f64 {
        return longest;
    }
    (ORDINARY_SHAPE * width as f64 * height as f64).sqrt().round() as usize
}

/// Returns the size with the [`nominal_side`] `side` and the shape of `width` x `height`, rounded
/// to whole pixels, at least 1.
///
/// A size without pixels stays without.
pub fn fit_nominal(width: usize, height: usize, side: usize) -> (usize, usize) {
    if side == nominal_side(width, height) {
        return (width, height);
    }
    let shape = width.max(height) as f64 / width.min(height).max(1) as f64;
    let stretch = (shape / ORDINARY_SHAPE).max(1.0).sqrt();
    fit(width, height, (side as f64 * stretch).round() as usize)
}

/// Returns the size with the longest side `longest` and the shape of `width` x `height`, rounded to
/// whole pixels, at least 1.
///
/// A size without pixels stays without.
pub fn fit(width: usize, height: usize, longest: usize) -> (usize, usize) {
    let from = width.max(height);
    if width.min(height) == 0 {
        return (0, 0);
    }
    let scaled = |side: usize| ((side as f64 * longest as f64 / from as f64).round() as usize).max(1);
    (scaled(width), scaled(height))
}
