//! Checks that every picture has to pass before the network looks at it.

use impasto_engine::{Image, Layer};

use crate::error::{Error, PictureRole, Result};

/// Refuses pictures that would poison every sum: without pixels, or with values outside 0..255.
pub(crate) fn check_image(input: PictureRole, image: &Image) -> Result<()> {
    if image.as_slice().is_empty() {
        return Err(Error::Empty { input });
    }
    match image.as_slice().iter().find(|v| !(0.0..=255.0).contains(*v)) {
        Some(&value) => Err(Error::Values { input, value }),
        None => Ok(()),
    }
}

/// Refuses a picture that is too small for one of the layers.
pub(crate) fn check_room(input: PictureRole, image: &Image, layers: &[Layer]) -> Result<()> {
    let (width, height) = (image.width(), image.height());
    match layers.iter().max() {
        Some(&layer) if width.min(height) < layer.min_side() => Err(Error::TooSmall { input, width, height, layer }),
        _ => Ok(()),
    }
}
