//! JPEGs in CMYK. `image` would convert them without their profiles.

use image::{DynamicImage, ImageBuffer};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use crate::picture::formats::decoder_error::one_line;

/// Reads the inks of a JPEG with four components. They take the place of red, green, blue and
/// alpha: 0 is none, 255 is all.
///
/// Returns `None` for any other JPEG. Errors say what is wrong with the file.
pub fn of_jpeg(bytes: &[u8]) -> Result<Option<DynamicImage>, String> {
    let damaged = |e: zune_jpeg::errors::DecodeErrors| one_line(&e);
    let options = DecoderOptions::default().set_strict_mode(false).set_max_width(usize::MAX).set_max_height(usize::MAX);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(damaged)?;
    let space = match decoder.input_colorspace() {
        Some(space @ (ColorSpace::CMYK | ColorSpace::YCCK)) => space,
        _ => return Ok(None),
    };
    decoder.set_options(options.jpeg_set_out_colorspace(space));
    let mut data = decoder.decode().map_err(damaged)?;
    let (width, height) = decoder.dimensions().ok_or("it has no size")?;

    let (pixels, _) = data.as_chunks_mut::<4>();
    if space == ColorSpace::YCCK {
        pixels.iter_mut().for_each(|p| *p = ycck_to_cmyk(*p));
    }
    // Adobe stores inks in this way. All programs follow it, whether Adobe's marker is in the file
    // or not.
    pixels.iter_mut().for_each(|p| *p = p.map(|v| 255 - v));
    let inks = ImageBuffer::from_raw(width as u32, height as u32, data);
    let inks = inks.ok_or("it has fewer pixels than it says")?;
    Ok(Some(DynamicImage::ImageRgba8(inks)))
}

/// Adobe's YCCK (Technical Note 5116): the YCbCr of JFIF for `255 - CMY`, and K as it is.
fn ycck_to_cmyk([y, cb, cr, k]: [u8; 4]) -> [u8; 4] {
    let [y, cb, cr] = [f32::from(y), f32::from(cb) - 128.0, f32::from(cr) - 128.0];
    let rgb = [y + 1.402 * cr, y - 0.344_136 * cb - 0.714_136 * cr, y + 1.772 * cb];
    let [c, m, y] = rgb.map(|v| 255 - (v.clamp(0.0, 255.0) + 0.5) as u8);
    [c, m, y, k]
}
