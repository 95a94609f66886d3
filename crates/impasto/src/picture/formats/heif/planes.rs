//! From planes of YCbCr to pixels.

use heic_decoder::{ColorInfo, DecodedImage, RgbOptions};
use image::{DynamicImage, ImageBuffer, Pixel};

use crate::picture::formats::heif::fault::Fault;

/// The code point of ITU-T H.273 for "not said".
const UNSPECIFIED: u16 = 2;
/// That of the matrix of BT.601, which JPEG has, too.
const BT601: u16 = 6;

/// Converts planes to pixels of 8 bits, or of 16 if any plane has more than 8.
///
/// If the file does not say otherwise, the matrix is that of BT.601 and the range is full
/// (ISO/IEC 23000-22, section 7.3.6.4).
pub(super) fn pixels(image: &DecodedImage) -> Result<DynamicImage, Fault> {
    let unlabelled = ColorInfo { matrix_coefficients: UNSPECIFIED, full_range: true, ..ColorInfo::default() };
    let mut colour = image.color_info.unwrap_or(unlabelled);
    if colour.matrix_coefficients == UNSPECIFIED {
        colour.matrix_coefficients = BT601;
    }
    let options = RgbOptions { color: Some(colour), ..RgbOptions::default() };
    let alpha_bits = image.alpha.as_ref().map_or(0, |alpha| alpha.bit_depth);
    let is_byte = image.bit_depth_luma.max(image.bit_depth_chroma).max(alpha_bits) <= 8;
    let is_grey = image.chroma_format_idc == 0;
    let size = (image.width, image.height);
    match (is_byte, image.alpha.is_some(), is_grey) {
        (true, false, false) => buffer::<image::Rgb<u8>>(size, image.to_rgb8_with_options(&options)?.data),
        (true, false, true) => {
            buffer::<image::Luma<u8>>(size, first_of(image.to_rgb8_with_options(&options)?.data, false))
        }
        (true, true, false) => buffer::<image::Rgba<u8>>(size, image.to_rgba8_with_options(&options)?.data),
        (true, true, true) => {
            buffer::<image::LumaA<u8>>(size, first_of(image.to_rgba8_with_options(&options)?.data, true))
        }
        (false, false, false) => buffer::<image::Rgb<u16>>(size, image.to_rgb16_with_options(&options)?.data),
        (false, false, true) => {
            buffer::<image::Luma<u16>>(size, first_of(image.to_rgb16_with_options(&options)?.data, false))
        }
        (false, true, false) => buffer::<image::Rgba<u16>>(size, image.to_rgba16_with_options(&options)?.data),
        (false, true, true) => {
            buffer::<image::LumaA<u16>>(size, first_of(image.to_rgba16_with_options(&options)?.data, true))
        }
    }
}

fn buffer<P: Pixel>((width, height): (usize, usize), values: Vec<P::Subpixel>) -> Result<DynamicImage, Fault>
where
    DynamicImage: From<ImageBuffer<P, Vec<P::Subpixel>>>,
{
    let buffer = ImageBuffer::from_raw(width as u32, height as u32, values);
    Ok(buffer.ok_or_else(|| Fault::Damaged("it has fewer pixels than it says".into()))?.into())
}

/// Takes the first of three equal channels, and the opacity if there is one.
fn first_of<T: Copy>(values: Vec<T>, has_alpha: bool) -> Vec<T> {
    match has_alpha {
        false => values.as_chunks::<3>().0.iter().map(|&[v, ..]| v).collect(),
        true => values.as_chunks::<4>().0.iter().flat_map(|&[v, .., a]| [v, a]).collect(),
    }
}
