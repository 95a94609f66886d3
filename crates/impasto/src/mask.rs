//! Where something counts, and how much.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::F32;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};

use crate::Image;

/// A weight from 0 to 1 for every pixel of a picture: opacity, or a region with soft edges.
#[derive(Clone, Debug, PartialEq)]
pub struct Mask {
    width: usize,
    height: usize,
    data: Vec<f32>,
}

impl Mask {
    /// From weights `[H, W]`, clamped to 0..1; what is not a number becomes 0.
    ///
    /// # Panics
    /// If `data` does not have `width · height` values.
    pub fn new(width: usize, height: usize, mut data: Vec<f32>) -> Self {
        assert_eq!(data.len(), width * height, "one weight a pixel");
        data.iter_mut().for_each(|v| *v = if v.is_nan() { 0.0 } else { v.clamp(0.0, 1.0) });
        Self { width, height, data }
    }

    /// The same weight everywhere.
    pub fn filled(width: usize, height: usize, weight: f32) -> Self {
        Self::new(width, height, vec![weight; width * height])
    }

    /// The brightness of a picture, as encoded: white = 1, black = 0 (luma of Rec. 601).
    pub fn from_brightness(image: &Image) -> Self {
        let (pixels, _) = image.as_slice().as_chunks::<3>();
        let weight = |&[r, g, b]: &[f32; 3]| (0.299 * r + 0.587 * g + 0.114 * b) / 255.0;
        Self::new(image.width(), image.height(), pixels.iter().map(weight).collect())
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The weights, `[H, W]`, 0..1.
    pub fn as_slice(&self) -> &[f32] {
        &self.data
    }

    /// The mask at another size: each weight is the mean over what it stands for, or interpolated where the mask grows.
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
        Self::new(width, height, target.pixels().iter().map(|v| v.0).collect())
    }
}

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
    fn resizing_keeps_the_mean_and_softens_edges() {
        let mask = Mask::new(8, 2, (0..16).map(|i| if i % 8 < 4 { 1.0 } else { 0.0 }).collect());
        let smaller = mask.resized(4, 1);
        assert!((smaller.as_slice().iter().sum::<f32>() / 4.0 - 0.5).abs() < 1e-5, "{smaller:?}");
        assert!(smaller.as_slice().windows(2).all(|pair| pair[0] >= pair[1]));
        assert_eq!(mask.resized(8, 2), mask);
        assert_eq!(Mask::filled(3, 3, 1.0).resized(7, 5), Mask::filled(7, 5, 1.0));
    }
}
