//! Where something counts, and how much.
//!
//! A mask says how opaque a picture is, which part of it belongs to a style, or which part stays as
//! it is. It is resized along with its picture. The network's layers see it through
//! [`PositionWeights`].

use std::ops::Range;

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::F32;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use impasto_engine::network::PositionWeights;
use impasto_engine::{Image, Layer};

use crate::colors::luma;
use crate::error::{Error, PictureRole, Result};

/// A weight from 0 to 1 for every pixel of a picture: opacity, or a region with soft edges.
#[derive(Clone, Debug, PartialEq)]
pub struct Mask {
    width: usize,
    height: usize,
    data: Vec<f32>,
}

impl Mask {
    /// Takes weights `[H, W]`, clamped to 0..1. What is not a number becomes 0.
    ///
    /// # Panics
    /// If `data` does not have `width · height` values.
    pub fn new(width: usize, height: usize, mut data: Vec<f32>) -> Self {
        assert_eq!(data.len(), width * height, "one weight a pixel");
        data.iter_mut().for_each(|v| *v = if v.is_nan() { 0.0 } else { v.clamp(0.0, 1.0) });
        Self { width, height, data }
    }

    /// Makes a mask with the same weight everywhere.
    pub fn filled(width: usize, height: usize, weight: f32) -> Self {
        Self::new(width, height, vec![weight; width * height])
    }

    /// Takes the brightness of a picture, as encoded: white is 1, black is 0 (luma of Rec. 601).
    pub fn from_brightness(image: &Image) -> Self {
        let (pixels, _) = image.as_slice().as_chunks::<3>();
        Self::new(image.width(), image.height(), pixels.iter().map(|&pixel| luma(pixel) / 255.0).collect())
    }

    /// Takes the brightness of a picture times its opacity. What is transparent is not painted, so
    /// it counts as black, whatever colour the file hides there.
    pub fn from_painted(image: &Image, opacity: Option<&Mask>) -> Self {
        let brightness = Self::from_brightness(image);
        opacity.iter().fold(brightness, |brightness, opacity| brightness.times(opacity))
    }

    /// Makes one mask for each of `styles` styles, from a picture painted in their colours. The
    /// opacity has the picture's size.
    ///
    /// The colour of a single style is white. Two styles have white and black. More have red,
    /// green, blue, yellow, cyan, magenta, white, black in this order.
    ///
    /// With one or two styles [`Mask::from_painted`] decides, so what is transparent counts as
    /// black. With more styles it belongs to none, and is refused.
    ///
    /// A soft edge has colours in between. Two styles share such a colour: those of the segment in
    /// RGB that is nearest to it. Their shares are those of the nearest point of the segment.
    ///
    /// Errors: more styles than colours; a colour that lies between none of theirs; a transparent
    /// place that belongs to no style.
    pub fn of_styles(image: &Image, opacity: Option<&Mask>, styles: usize) -> Result<Vec<Self>> {
        let place = |i: usize| (i % image.width(), i / image.width());
        let unknown = |i: usize, [r, g, b]: [u8; 3], palette: &[(&str, [f32; 3])]| {
            let (x, y) = place(i);
            Error::MaskColour { found: format!("#{r:02x}{g:02x}{b:02x}"), x, y, styles, palette: names(palette) }
        };
        match styles {
            1 => return Ok(vec![Self::from_painted(image, opacity)]),
            2 => {
                let pixels = image.as_slice().as_chunks::<3>().0;
                let is_seen = |i: usize| opacity.is_none_or(|opacity| opacity.data[i] > 0.0);
                if let Some(i) = (0..pixels.len()).find(|&i| distance_from_grey(pixels[i]) > MAX_TINT && is_seen(i)) {
                    return Err(unknown(i, pixels[i].map(|v| v as u8), &PALETTE[WHITE_AND_BLACK]));
                }
                let first = Self::from_painted(image, opacity);
                let second = first.inverted();
                return Ok(vec![first, second]);
            }
            _ => {}
        }
        let Some(palette) = PALETTE.get(..styles).filter(|palette| !palette.is_empty()) else {
            return Err(Error::option("mask", format!("tells 1 to {} styles apart, not {styles}", PALETTE.len())));
        };
        if let Some(i) = opacity.and_then(|opacity| opacity.data.iter().position(|&a| a == 0.0)) {
            let (x, y) = place(i);
            return Err(Error::MaskTransparent { x, y, styles, palette: names(palette) });
        }
        let mut weights = vec![vec![0.0; image.width() * image.height()]; styles];
        for (i, pixel) in image.as_slice().as_chunks::<3>().0.iter().enumerate() {
            let [(first, share), (second, other_share)] = nearest_mix(pixel.map(|v| v / 255.0), palette)
                .ok_or_else(|| unknown(i, pixel.map(|v| v as u8), palette))?;
            weights[first][i] = share;
            weights[second][i] = other_share;
        }
        Ok(weights.into_iter().map(|weights| Self::new(image.width(), image.height(), weights)).collect())
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The weights, `[H, W]`, in 0..1.
    pub fn as_slice(&self) -> &[f32] {
        &self.data
    }

    /// Returns the fraction of the picture that the mask covers, 0..1.
    pub fn coverage(&self) -> f64 {
        self.data.iter().map(|&w| f64::from(w)).sum::<f64>() / self.data.len().max(1) as f64
    }

    /// Multiplies the weights of two masks: what is left if both count. `other` is resized to this
    /// one's size.
    ///
    /// # Panics
    /// As [`Mask::resized`] does.
    pub fn times(&self, other: &Mask) -> Self {
        let other = other.resized(self.width, self.height);
        Self::new(self.width, self.height, self.data.iter().zip(&other.data).map(|(a, b)| a * b).collect())
    }

    /// Returns what the mask leaves out: 1 - weight.
    pub fn inverted(&self) -> Self {
        Self::new(self.width, self.height, self.data.iter().map(|w| 1.0 - w).collect())
    }

    /// Returns how much each position of a layer counts, for a picture of the mask's size. It is
    /// the mean of the mask over the pixels that the position stands for.
    ///
    /// Returns `None` if less than one position is left.
    pub(crate) fn weights(&self, layer: Layer) -> Option<PositionWeights> {
        PositionWeights::of_mask(&self.data, self.width, layer)
    }

    /// Returns the mask at another size. Each weight is the mean over the weights that it stands
    /// for, or is interpolated if the mask grows.
    ///
    /// # Panics
    /// If a side of the mask or of the result is 0, or above `u32::MAX`.
    pub fn resized(&self, width: usize, height: usize) -> Self {
        assert!(!self.data.is_empty() && width > 0 && height > 0, "a mask has pixels");
        if (self.width, self.height) == (width, height) {
            return self.clone();
        }
        let side = |n: usize| u32::try_from(n).expect("a side fits 32 bits");
        let pixels: Vec<F32> = self.data.iter().map(|&v| F32::new(v)).collect();
        let source = TypedImageRef::new(side(self.width), side(self.height), &pixels).expect("one value per pixel");
        let mut target = TypedImage::<F32>::new(side(width), side(height));
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
        Resizer::new()
            .resize_typed(&source, &mut target, &options)
            .expect("the whole of the source is inside the source");
        // The filter's coefficients are rounded, but 0 and 1 must stay what they are.
        let exact = |v: f32| if (v - v.round()).abs() < ROUNDING { v.round() } else { v };
        Self::new(width, height, target.pixels().iter().map(|v| exact(v.0)).collect())
    }
}

/// Resizes the mask to a picture's size.
pub(crate) fn sized(mask: &Option<Mask>, input: PictureRole, width: usize, height: usize) -> Result<Option<Mask>> {
    match mask {
        Some(mask) if mask.as_slice().is_empty() => Err(Error::Empty { input }),
        mask => Ok(mask.as_ref().map(|mask| mask.resized(width, height))),
    }
}

/// Resizes the mask to a picture's size. Returns `None` if it leaves nothing out.
pub(crate) fn partial(mask: &Option<Mask>, input: PictureRole, width: usize, height: usize) -> Result<Option<Mask>> {
    Ok(sized(mask, input, width, height)?.filter(|mask| mask.as_slice().iter().any(|&w| w < 1.0)))
}

/// Colours of styles in a mask, by their order.
const PALETTE: [(&str, [f32; 3]); 8] = [
    ("red", [1.0, 0.0, 0.0]),
    ("green", [0.0, 1.0, 0.0]),
    ("blue", [0.0, 0.0, 1.0]),
    ("yellow", [1.0, 1.0, 0.0]),
    ("cyan", [0.0, 1.0, 1.0]),
    ("magenta", [1.0, 0.0, 1.0]),
    ("white", [1.0, 1.0, 1.0]),
    ("black", [0.0, 0.0, 0.0]),
];

/// The place of white and black in [`PALETTE`].
const WHITE_AND_BLACK: Range<usize> = 6..8;

/// Joins the names of colours.
fn names(palette: &[(&str, [f32; 3])]) -> String {
    palette.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

/// Largest distance of a colour from the greys between black and white, of 1. The colours of JPEGs
/// of grey masks, and of off-white paper, stay below. Those of other styles are at 0.82.
const MAX_TINT: f32 = 0.25;

/// Returns how far a colour in 0..255 lies from the nearest grey, in 0..1.
fn distance_from_grey(pixel: [f32; 3]) -> f32 {
    let mean = pixel.iter().sum::<f32>() / 3.0;
    pixel.iter().map(|v| (v - mean).powi(2)).sum::<f32>().sqrt() / 255.0
}

/// Largest distance of a colour from the nearest mix. Where three regions meet it is 0.41.
const MAX_DISTANCE: f32 = 0.5;

/// Finds two of the colours and their shares, so that their mix is nearest to `colour`. Of equally
/// near mixes it is the first.
fn nearest_mix(colour: [f32; 3], palette: &[(&str, [f32; 3])]) -> Option<[(usize, f32); 2]> {
    let mut nearest = (MAX_DISTANCE * MAX_DISTANCE, None);
    for i in 0..palette.len() {
        for j in i + 1..palette.len() {
            let (a, b) = (palette[i].1, palette[j].1);
            let along: f32 = (0..3).map(|c| (colour[c] - a[c]) * (b[c] - a[c])).sum();
            let length: f32 = (0..3).map(|c| (b[c] - a[c]).powi(2)).sum();
            let share = (along / length).clamp(0.0, 1.0);
            let distance: f32 = (0..3).map(|c| (colour[c] - a[c] - share * (b[c] - a[c])).powi(2)).sum();
            if distance < nearest.0 {
                nearest = (distance, Some([(i, 1.0 - share), (j, share)]));
            }
        }
    }
    nearest.1
}

/// The most that the rounding of a filter's coefficients changes a weight.
const ROUNDING: f32 = 1e-5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_within_bounds() {
        assert_eq!(
            Mask::new(5, 1, vec![-1.0, 0.25, 1.5, f32::NAN, f32::INFINITY]).as_slice(),
            [0.0, 0.25, 1.0, 0.0, 1.0]
        );
        let image = Image::new(3, 1, vec![255.0, 255.0, 255.0, 0.0, 0.0, 0.0, 0.0, 255.0, 0.0]);
        let mask = Mask::from_brightness(&image);
        for (weight, expected) in mask.as_slice().iter().zip([1.0, 0.0, 0.587]) {
            assert!((weight - expected).abs() < 1e-6, "{weight} {expected}");
        }
    }

    #[test]
    fn colours_go_to_their_styles_and_mixes_to_two() {
        let image =
            |pixels: &[[u8; 3]]| Image::new(pixels.len(), 1, pixels.iter().flatten().map(|&v| f32::from(v)).collect());
        let four = image(&[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0], [102, 0, 153], [250, 9, 3]]);
        let masks = Mask::of_styles(&four, None, 4).unwrap();
        for (i, mask) in masks.iter().enumerate() {
            for (j, &w) in mask.as_slice()[..4].iter().enumerate() {
                assert_eq!(w, f32::from(u8::from(i == j)), "style {i} at {j}");
            }
        }
        assert!((masks[0].as_slice()[4] - 0.4).abs() < 1e-6 && (masks[2].as_slice()[4] - 0.6).abs() < 1e-6);
        assert!(masks[0].as_slice()[5] > 0.95);
        for i in 0..6 {
            assert!((masks.iter().map(|mask| mask.as_slice()[i]).sum::<f32>() - 1.0).abs() < 1e-6);
        }
        let message = Mask::of_styles(&image(&[[255, 0, 0], [0, 0, 0]]), None, 3).unwrap_err().to_string();
        assert_eq!(
            message,
            "the mask has the colour #000000 at 1,0, which belongs to none of the 3 styles; paint it with red, green, blue"
        );
        let two = Mask::of_styles(&image(&[[255; 3], [0; 3]]), None, 2).unwrap();
        assert_eq!(two, [Mask::new(2, 1, vec![1.0, 0.0]), Mask::new(2, 1, vec![0.0, 1.0])]);
        assert!(Mask::of_styles(&four, None, 9).unwrap_err().to_string().contains("1 to 8 styles"));
        // Three colours for two styles. What a JPEG makes of black and white is no colour.
        let message = Mask::of_styles(&image(&[[255; 3], [255, 0, 0], [0; 3]]), None, 2).unwrap_err().to_string();
        assert_eq!(
            message,
            "the mask has the colour #ff0000 at 1,0, which belongs to none of the 2 styles; paint it with white, black"
        );
        assert!(Mask::of_styles(&image(&[[255, 240, 215], [9, 0, 20], [128; 3]]), None, 2).is_ok());
    }

    #[test]
    fn what_is_transparent_is_not_painted() {
        let (white, painted) = (Image::filled(3, 1, [255.0; 3]), Mask::new(3, 1, vec![1.0, 0.25, 0.0]));
        for (a, b) in Mask::from_painted(&white, Some(&painted)).as_slice().iter().zip(painted.as_slice()) {
            assert!((a - b).abs() < 1e-6, "{a} {b}");
        }
        let [first, second] = &Mask::of_styles(&white, Some(&painted), 2).unwrap()[..] else { panic!("two masks") };
        assert_eq!((first, second), (&Mask::from_painted(&white, Some(&painted)), &first.inverted()));
        let red = Image::filled(3, 1, [255.0, 0.0, 0.0]);
        assert_eq!(
            Mask::of_styles(&red, Some(&painted), 3).unwrap_err().to_string(),
            "the mask is transparent at 2,0, which belongs to none of the 3 styles; paint it with red, green, blue"
        );
        // A hidden colour is nobody's.
        let mut hidden = white.clone();
        hidden.as_mut_slice()[6..].copy_from_slice(&[255.0, 0.0, 0.0]);
        assert!(Mask::of_styles(&hidden, Some(&painted), 2).is_ok());
    }

    #[test]
    fn resizing_keeps_the_mean_and_softens_edges() {
        let mask = Mask::new(8, 2, (0..16).map(|i| if i % 8 < 4 { 1.0 } else { 0.0 }).collect());
        let smaller = mask.resized(4, 1);
        assert!((smaller.as_slice().iter().sum::<f32>() / 4.0 - 0.5).abs() < 1e-5, "{smaller:?}");
        assert!(smaller.as_slice().windows(2).all(|pair| pair[0] >= pair[1]));
        assert_eq!(mask.resized(8, 2), mask);
        assert_eq!(Mask::filled(3, 3, 1.0).resized(7, 5), Mask::filled(7, 5, 1.0));
    }
}
