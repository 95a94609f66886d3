//! Pictures on a torus, for [`Padding::Circular`]: the first row follows the last one, and the
//! first column the last one.

use impasto_engine::network::MapWindow;
use impasto_engine::{Image, Layer, Padding};

use crate::picture::resize as flat;

/// Pixels beyond the border that a resized pixel can depend on, in the coarser of the two sizes.
/// Lanczos-3 reaches three.
const REACH: usize = 4;

/// Resizes as [`picture::resize`](crate::picture::resize()) does, around the torus if `padding` is
/// [`Padding::Circular`].
pub(crate) fn resize(image: &Image, width: usize, height: usize, padding: Padding) -> Image {
    if padding != Padding::Circular || (image.width(), image.height()) == (width, height) {
        return flat::resize(image, width, height);
    }
    let (horizontal, vertical) = (margins(image.width(), width), margins(image.height(), height));
    let padded = padded(image, horizontal.0, vertical.0);
    let resized = flat::resize(&padded, width + 2 * horizontal.1, height + 2 * vertical.1);
    cropped(&resized, (horizontal.1, vertical.1), width, height)
}

/// Margin around a style, in pixels, while the network looks at it for a picture on a torus: four
/// values of the deepest maps.
///
/// A picture on a torus has no border. The style has one, and its deep maps end in zeros there. If
/// those zeros were in the statistics, the result would get frames in its middle.
pub(crate) const STYLE_MARGIN: usize = 64;

/// Adds [`STYLE_MARGIN`] pixels on every side, as a mirror image.
pub(crate) fn with_mirrored_margin(image: &Image) -> Image {
    // The way there and back has twice the length.
    let mirrored = |at: usize, margin: usize, len: usize| {
        let at = (at + 2 * len - margin % (2 * len)) % (2 * len);
        at.min(2 * len - 1 - at)
    };
    extended(image, STYLE_MARGIN, STYLE_MARGIN, mirrored)
}

/// Returns the window of a layer's map inside [`STYLE_MARGIN`]. The size is that of the picture
/// without the margin.
pub(crate) fn inside_margin(layer: Layer, width: usize, height: usize) -> MapWindow {
    let (poolings, margin) = (layer.poolings(), STYLE_MARGIN >> layer.poolings());
    MapWindow { top: margin, left: margin, height: height >> poolings, width: width >> poolings }
}

/// Returns margins in pixels before and after resizing from `from` to `to` pixels. Both have the
/// same length in the picture, and at least [`REACH`] pixels. They are the smallest such margins.
fn margins(from: usize, to: usize) -> (usize, usize) {
    let common = gcd(from, to);
    let (from, to) = (from / common, to / common);
    let times = REACH.div_ceil(from.min(to));
    (from * times, to * times)
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Adds a margin that continues the torus.
fn padded(image: &Image, left: usize, top: usize) -> Image {
    // The margin may be wider than the picture.
    extended(image, left, top, |at, margin, len| (at + len - margin % len) % len)
}

/// Adds a margin of the picture's own pixels. On each axis, `index(at, margin, len)` is the pixel
/// that is shown.
fn extended(image: &Image, left: usize, top: usize, index: impl Fn(usize, usize, usize) -> usize) -> Image {
    let (width, height) = (image.width() + 2 * left, image.height() + 2 * top);
    let mut values = Vec::with_capacity(3 * width * height);
    for y in 0..height {
        let row = &image.as_slice()[3 * image.width() * index(y, top, image.height())..][..3 * image.width()];
        for x in 0..width {
            values.extend_from_slice(&row[3 * index(x, left, image.width())..][..3]);
        }
    }
    Image::new(width, height, values)
}

fn cropped(image: &Image, (left, top): (usize, usize), width: usize, height: usize) -> Image {
    let rows = image.as_slice().chunks_exact(3 * image.width()).skip(top).take(height);
    Image::new(width, height, rows.flat_map(|row| &row[3 * left..][..3 * width]).copied().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::white_noise;

    fn rolled(image: &Image, right: usize, down: usize) -> Image {
        let (width, height) = (image.width(), image.height());
        let mut out = image.clone();
        for (i, pixel) in image.as_slice().chunks_exact(3).enumerate() {
            let (x, y) = ((i % width + right) % width, (i / width + down) % height);
            out.as_mut_slice()[3 * (y * width + x)..][..3].copy_from_slice(pixel);
        }
        out
    }

    fn difference(a: &Image, b: &Image) -> f32 {
        a.as_slice().iter().zip(b.as_slice()).fold(0.0, |most, (a, b)| most.max((a - b).abs()))
    }

    #[test]
    fn a_torus_has_no_border_at_any_size() {
        let image = white_noise(12, 8, 1);
        // By a quarter of the picture, which is a whole number of pixels in each size.
        let moved = rolled(&image, 3, 2);
        for (width, height) in [(24, 16), (4, 4), (8, 12), (36, 4)] {
            for (padding, least, most) in [(Padding::Circular, 0.0, 0.01), (Padding::Replicate, 1.0, 255.0)] {
                let here = rolled(&resize(&image, width, height, padding), width / 4, height / 4);
                let difference = difference(&here, &resize(&moved, width, height, padding));
                assert!((least..most).contains(&difference), "{width}x{height} {padding:?}: {difference}");
            }
        }
    }

    #[test]
    fn a_margin_mirrors_and_is_taken_off_again() {
        let image = Image::new(3, 1, (0..9).map(|v| v as f32).collect());
        let wide = with_mirrored_margin(&image);
        assert_eq!((wide.width(), wide.height()), (3 + 2 * STYLE_MARGIN, 1 + 2 * STYLE_MARGIN));
        let row: Vec<f32> = wide.as_slice().chunks_exact(3).map(|v| v[0] / 3.0).take(wide.width()).collect();
        assert_eq!(row[STYLE_MARGIN - 4..][..11], [2.0, 2.0, 1.0, 0.0, 0.0, 1.0, 2.0, 2.0, 1.0, 0.0, 0.0]);

        let inner = inside_margin("relu3_1".parse().unwrap(), 9, 14);
        assert_eq!(inner, MapWindow { top: 16, left: 16, height: 3, width: 2 });
    }

    #[test]
    fn margins_are_as_long_before_as_after() {
        for (from, to) in [(1, 1), (128, 256), (144, 272), (7, 13), (300, 10), (5, 1)] {
            let (before, after) = margins(from, to);
            assert_eq!(before * to, after * from, "{from} {to}");
            assert!(before.min(after) >= REACH, "{from} {to}: {before} {after}");
        }
        let image = Image::new(2, 1, vec![1.0, 1.0, 1.0, 2.0, 2.0, 2.0]);
        let wide = padded(&image, 3, 1);
        assert_eq!((wide.width(), wide.height()), (8, 3));
        assert!(wide.as_slice().chunks_exact(3).enumerate().all(|(i, v)| v[0] == if i % 2 == 1 { 1.0 } else { 2.0 }));
        assert_eq!(cropped(&wide, (3, 1), 2, 1), image);
    }
}
