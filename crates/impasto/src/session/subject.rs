//! What is painted: the photo, and the parts of it that take part.

use impasto_engine::{Image, Layer, Padding};

use crate::error::{Error, PictureRole, Result};
use crate::picture::mask::{Mask, partial, sized};
use crate::picture::resize::paint_hidden;
use crate::torus::resize;

/// A content picture, and the parts of it that count. Masks of another size are resized to the
/// picture's.
#[derive(Clone, Debug, PartialEq)]
pub struct Subject {
    /// The content picture.
    pub content: Image,
    /// How opaque each pixel is, or `None` if all are. Transparent pixels count neither for the
    /// content nor for the style. If the opacity is 0, the colour does not matter.
    pub opacity: Option<Mask>,
    /// The part that stays as it is. The result is `keep · content + (1 - keep) · painted`. Kept
    /// parts do not count for the style.
    pub keep: Option<Mask>,
}

impl From<Image> for Subject {
    /// Takes all of the picture.
    fn from(content: Image) -> Self {
        Self { content, opacity: None, keep: None }
    }
}

impl From<&Image> for Subject {
    /// Takes all of the picture.
    fn from(content: &Image) -> Self {
        content.clone().into()
    }
}

impl Subject {
    /// Resizes the masks to the picture, drops those that leave nothing out, and gives transparent
    /// pixels one colour.
    ///
    /// Errors: masks without pixels; nothing visible.
    pub(crate) fn normalised(&self) -> Result<Self> {
        let (width, height) = (self.content.width(), self.content.height());
        let opacity = partial(&self.opacity, PictureRole::Opacity, width, height)?;
        let keep = sized(&self.keep, PictureRole::Keep, width, height)?.filter(|mask| mask.coverage() > 0.0);
        let mut content = self.content.clone();
        if let Some(opacity) = &opacity {
            if opacity.coverage() == 0.0 {
                return Err(Error::NothingVisible { input: PictureRole::Content });
            }
            paint_hidden(&mut content, opacity);
        }
        Ok(Self { content, opacity, keep })
    }

    /// Resizes the subject. `padding` says whether the content lies on a torus.
    pub(crate) fn resized(&self, width: usize, height: usize, padding: Padding) -> Self {
        let mask = |mask: &Option<Mask>| mask.as_ref().map(|mask| mask.resized(width, height));
        Self {
            content: resize(&self.content, width, height, padding),
            opacity: mask(&self.opacity),
            keep: mask(&self.keep),
        }
    }

    /// Returns where the style counts: the visible part that is not kept, or `None` for everywhere.
    pub(crate) fn painted(&self) -> Option<Mask> {
        painted(&self.opacity, &self.keep)
    }

    /// Returns the opacity, and where the style counts, in another size.
    pub(crate) fn masks(&self, (width, height): (usize, usize)) -> (Option<Mask>, Option<Mask>) {
        let mask = |mask: &Option<Mask>| mask.as_ref().map(|mask| mask.resized(width, height));
        let (opacity, keep) = (mask(&self.opacity), mask(&self.keep));
        let painted = painted(&opacity, &keep);
        (opacity, painted)
    }

    /// Says why less than one position of a layer is left for a style.
    pub(crate) fn vanished(&self, layer: Layer) -> Error {
        if self.keep.as_ref().is_some_and(|keep| keep.coverage() == 1.0) {
            return Error::NothingPainted;
        }
        let leaves_nothing = |mask: Option<&Mask>| mask.is_some_and(|mask| mask.weights(layer).is_none());
        let input = if leaves_nothing(self.opacity.as_ref()) {
            PictureRole::Opacity
        } else if leaves_nothing(self.painted().as_ref()) {
            PictureRole::Keep
        } else {
            PictureRole::Mask
        };
        Error::MaskVanishes { input, layer, width: self.content.width(), height: self.content.height() }
    }

    /// `picture := keep · content + (1 - keep) · picture`, both of one size.
    pub(crate) fn keep_in(&self, picture: &mut [f32]) {
        let Some(keep) = &self.keep else {
            return;
        };
        let pixels = picture.as_chunks_mut::<3>().0.iter_mut().zip(self.content.as_slice().as_chunks::<3>().0);
        for ((pixel, content), &keep) in pixels.zip(keep.as_slice()) {
            for c in 0..3 {
                pixel[c] = keep * content[c] + (1.0 - keep) * pixel[c];
            }
        }
    }

    /// Turns the gradient with respect to the picture into that with respect to what is painted.
    pub(crate) fn keep_out(&self, gradient: &mut [f32]) {
        if let Some(keep) = &self.keep {
            for (pixel, &keep) in gradient.as_chunks_mut::<3>().0.iter_mut().zip(keep.as_slice()) {
                pixel.iter_mut().for_each(|g| *g *= 1.0 - keep);
            }
        }
    }
}

fn painted(opacity: &Option<Mask>, keep: &Option<Mask>) -> Option<Mask> {
    let painted = keep.as_ref().map(Mask::inverted);
    match (opacity, painted) {
        (Some(opacity), Some(painted)) => Some(opacity.times(&painted)),
        (opacity, painted) => opacity.clone().or(painted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_composition_is_exact_where_it_is_kept_and_its_gradient_is_that_of_the_formula() {
        let content = Image::new(3, 1, vec![10.1, 20.2, 30.3, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0]);
        let keep = Some(Mask::new(3, 1, vec![1.0, 0.25, 0.0]));
        let subject = Subject { keep, ..content.clone().into() };
        let mut picture = vec![200.0; 9];
        subject.keep_in(&mut picture);
        assert_eq!(picture, [10.1, 20.2, 30.3, 160.0, 162.5, 165.0, 200.0, 200.0, 200.0]);
        let mut gradient = vec![8.0; 9];
        subject.keep_out(&mut gradient);
        assert_eq!(gradient, [0.0, 0.0, 0.0, 6.0, 6.0, 6.0, 8.0, 8.0, 8.0]);
    }

    #[test]
    fn hidden_colours_are_forgotten_and_full_masks_taken_away() {
        let mut content = Image::new(3, 1, vec![10.0, 20.0, 30.0, 30.0, 40.0, 50.0, 1.0, 2.0, 3.0]);
        let subject =
            |content: &Image, opacity| Subject { opacity: Some(opacity), ..content.into() }.normalised().unwrap();
        let opacity = || Mask::new(3, 1, vec![1.0, 1.0, 0.0]);
        let first = subject(&content, opacity());
        // The means in linear light are higher than those of the encoded values.
        for (value, expected) in first.content.as_slice()[6..].iter().zip([21.974, 31.550, 41.274]) {
            assert!((value - expected).abs() < 0.001, "{value} {expected}");
        }
        content.as_mut_slice()[7] = 255.0;
        assert_eq!(subject(&content, opacity()), first);
        assert_eq!(subject(&content, Mask::filled(9, 9, 1.0)), Subject::from(&content));
        let nothing = Subject { opacity: Some(Mask::filled(2, 2, 0.0)), ..content.into() };
        assert_eq!(
            nothing.normalised().unwrap_err().to_string(),
            "the content picture has no visible part; its opacity is 0 everywhere"
        );
    }
}
