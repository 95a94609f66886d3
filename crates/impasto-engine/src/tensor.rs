//! Images: dense arrays with their shape.

use std::sync::Arc;

/// An RGB image, `[H, W, 3]`, f32 in 0..255: sRGB-encoded values, as in an 8-bit file. Clones share
/// their memory until one of them is changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    width: usize,
    height: usize,
    data: Arc<Vec<f32>>,
}

impl Image {
    /// Returns an image with these values, `[H, W, 3]`.
    ///
    /// # Panics
    /// If `data` does not hold `3 * width * height` values.
    pub fn new(width: usize, height: usize, data: Vec<f32>) -> Self {
        assert_eq!(data.len(), 3 * width * height, "an image of {width}x{height} px has 3 values a pixel");
        Self { width, height, data: Arc::new(data) }
    }

    /// Returns an image of one colour.
    pub fn filled(width: usize, height: usize, rgb: [f32; 3]) -> Self {
        Self::new(width, height, rgb.repeat(width * height))
    }

    /// Returns the width in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Returns the height in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Returns the values, `[H, W, 3]`.
    pub fn as_slice(&self) -> &[f32] {
        &self.data
    }

    /// Returns the values, `[H, W, 3]`, to change.
    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        let values: &mut Vec<f32> = Arc::make_mut(&mut self.data);
        values
    }
}
