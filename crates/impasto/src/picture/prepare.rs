//! The sizes that pictures are worked on in.

use crate::brush::{self, DEFAULT_BRUSH};
use crate::error::{Error, PictureRole, Result};
use crate::picture::loaded::Picture;
use crate::picture::resize::{fit, fit_nominal, nominal_side};

/// Longest side, in pixels, that a picture can get. It is far beyond what fits in memory, but keeps
/// a slip of the finger from asking for terabytes.
const MAX_SIZE: usize = 32_768;

/// Sizes to work in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SizeOptions {
    /// Longest side of the result in pixels, 1 to 32768. Default 512.
    pub size: usize,
    /// Whether a content smaller than `size` is enlarged. Otherwise it keeps its own size. Default
    /// no.
    pub upscale: bool,
    /// Size of the style as a multiple of the result's: finite, above 0. Sizes are [nominal
    /// sides](crate::picture::nominal_side). A larger number gives larger brush strokes. Default 1.
    pub style_scale: f64,
    /// How broad the strokes are, 0 (fine) to 100 (broad): a factor of `style_scale`, from 2/3 to
    /// 3/2. [`Options::brush`](crate::Options::brush) is the other part of the dial. Default 50,
    /// the factor 1.
    pub brush: f64,
}

impl Default for SizeOptions {
    fn default() -> Self {
        Self { size: 512, upscale: false, style_scale: 1.0, brush: DEFAULT_BRUSH }
    }
}

impl SizeOptions {
    /// Checks that the sizes make sense. Errors name the field.
    pub fn validate(&self) -> Result<()> {
        if !(1..=MAX_SIZE).contains(&self.size) {
            return Err(Error::option("size", format!("is {}; give 1 to {MAX_SIZE} px", self.size)));
        }
        if !(self.style_scale.is_finite() && self.style_scale > 0.0) {
            return Err(Error::option("style_scale", format!("is {}; give a finite number above 0", self.style_scale)));
        }
        if !(0.0..=100.0).contains(&self.brush) {
            return Err(Error::option("brush", format!("is {}; give a number from 0 to 100", self.brush)));
        }
        Ok(())
    }

    /// Returns the longest side of the result in pixels, for a content of `width` x `height`.
    pub fn content_longest(&self, width: usize, height: usize) -> usize {
        if self.upscale { self.size } else { self.size.min(width.max(height)) }
    }

    /// Returns the [nominal side](crate::picture::nominal_side) of a style in pixels, for a result
    /// with the nominal side `side`.
    ///
    /// Errors: `style_scale` makes it larger than 32768 px.
    pub fn style_side(&self, side: usize) -> Result<usize> {
        let style_side = (side as f64 * self.style_scale * brush::style_scale(self.brush)).round().max(1.0);
        if style_side > MAX_SIZE as f64 {
            let found = self.style_scale;
            let size = format!("makes the style {style_side} px; at most {MAX_SIZE} px are possible, give less");
            return Err(Error::option("style_scale", format!("is {found}, which {size}")));
        }
        Ok(style_side as usize)
    }
}

/// Resizes content and style, with all that belongs to them, and returns them in that order.
///
/// The longest side of the content becomes `size`, but without `upscale` the content never grows.
/// The [nominal side](crate::picture::nominal_side) of the style becomes that of the resized
/// content times `style_scale`.
///
/// Errors: those of [`SizeOptions::validate`]; a picture without pixels; a `style_scale` that makes
/// the style larger than 32768 px.
pub fn prepare(content: &Picture, style: &Picture, options: &SizeOptions) -> Result<(Picture, Picture)> {
    options.validate()?;
    for (input, image) in [(PictureRole::Content, &content.image), (PictureRole::Style, &style.image)] {
        if image.width().min(image.height()) == 0 {
            return Err(Error::Empty { input });
        }
    }
    let (width, height) = (content.width(), content.height());
    let (width, height) = fit(width, height, options.content_longest(width, height));
    let style_side = options.style_side(nominal_side(width, height))?;
    let (style_width, style_height) = fit_nominal(style.width(), style.height(), style_side);
    Ok((content.resized(width, height), style.resized_as_style(style_width, style_height)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use impasto_engine::Image;

    fn sizes(content: (usize, usize), style: (usize, usize), options: SizeOptions) -> [(usize, usize); 2] {
        let image = |(width, height)| Picture::new(Image::filled(width, height, [9.0; 3]));
        let (content, style) = prepare(&image(content), &image(style), &options).unwrap();
        [&content, &style].map(|p| (p.width(), p.height()))
    }

    #[test]
    fn content_shrinks_and_grows_only_on_request() {
        let options = SizeOptions { size: 50, ..SizeOptions::default() };
        assert_eq!(sizes((100, 60), (30, 20), options), [(50, 30), (50, 33)]);
        assert_eq!(sizes((40, 20), (100, 50), options), [(40, 20), (40, 20)]);
        assert_eq!(sizes((40, 20), (100, 50), SizeOptions { upscale: true, ..options }), [(50, 25), (50, 25)]);
    }

    #[test]
    fn the_style_scale_is_relative_to_the_result() {
        let options = SizeOptions { size: 50, style_scale: 0.5, ..SizeOptions::default() };
        assert_eq!(sizes((100, 60), (30, 60), options), [(50, 30), (13, 25)]);
        // A broad brush takes a larger style.
        assert_eq!(sizes((100, 60), (30, 60), SizeOptions { brush: 100.0, ..options }), [(50, 30), (19, 38)]);
    }

    #[test]
    fn a_style_covers_the_area_of_a_long_picture() {
        let options = SizeOptions { size: 2400, ..SizeOptions::default() };
        assert_eq!(sizes((2400, 24), (40, 30), options), [(2400, 24), (339, 254)]);
        assert_eq!(sizes((24, 2400), (30, 40), options), [(24, 2400), (254, 339)]);
        // A long style is as large as any other.
        let options = SizeOptions { size: 50, ..options };
        assert_eq!(sizes((100, 60), (800, 100), options), [(50, 30), (100, 13)]);
        // Up to 2:1 the longest side counts.
        assert_eq!(sizes((100, 50), (50, 100), options), [(50, 25), (25, 50)]);
    }

    #[test]
    fn impossible_sizes_are_refused() {
        let image = Picture::new(Image::filled(4, 4, [0.0; 3]));
        let message = |options: SizeOptions| prepare(&image, &image, &options).unwrap_err().to_string();
        let default = SizeOptions::default();
        assert_eq!(message(SizeOptions { size: 0, ..default }), "`size` is 0; give 1 to 32768 px");
        for style_scale in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let message = message(SizeOptions { style_scale, ..default });
            assert_eq!(message, format!("`style_scale` is {style_scale}; give a finite number above 0"));
        }
        assert!(message(SizeOptions { style_scale: 1e9, ..default }).starts_with("`style_scale` is 1000000000, which"));
        let error = prepare(&Picture::new(Image::new(0, 4, vec![])), &image, &default).unwrap_err().to_string();
        assert_eq!(error, "the content picture has no pixels");
    }
}
