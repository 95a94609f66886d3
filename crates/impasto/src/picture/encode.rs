//! From a picture to the bytes of a file.
//!
//! Values are rounded once, here: `(257 * clamp(v) + 0.5) as u16`, or the same in 8 bits. PNG is
//! written row by row. The other formats are put together in memory.

use std::borrow::Cow;
use std::io::Write;
use std::path::Path;

use image::ImageEncoder;
use image::codecs::jpeg::JpegEncoder;
use impasto_engine::Image;

use crate::error::{Error, Result};
use crate::picture::exif::Exif;
use crate::picture::format::{BitDepth, Format};
use crate::picture::formats::decoder_error::one_line;
use crate::picture::formats::jpeg::segments;
use crate::picture::formats::tiff::write::{TiffPicture, TiffValues};
use crate::picture::mask::Mask;
use crate::picture::profile::{Conversion, Profile};
use crate::picture::recipe;

/// Default quality of a JPEG, of 100. Beyond it files grow quickly, and brush strokes look no
/// different.
const JPEG_QUALITY: u8 = 95;

/// How a picture is written, and what goes with it. The default is 8 bits, sRGB, opaque, and
/// nothing else.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SaveOptions {
    /// The format, or `None` for that of the extension.
    pub format: Option<Format>,
    /// Bits a value.
    pub bit_depth: BitDepth,
    /// Quality of a JPEG, 1 to 100, or `None` for 95. For other formats it is `None`.
    pub quality: Option<u8>,
    /// The opacity. If it has another size than the picture, it is resized. JPEG has no opacity, so
    /// the picture is laid over white.
    pub alpha: Option<Mask>,
    /// The profile to write the colours in, or `None` for sRGB, which is not noted in the file.
    pub profile: Option<Profile>,
    /// Added to the values in the profile before they are rounded: [`Picture::kept_offset`]. It has
    /// the picture's size.
    ///
    /// [`Picture::kept_offset`]: crate::picture::Picture::kept_offset
    pub offset: Option<Image>,
    /// The camera's notes.
    pub exif: Option<Exif>,
    /// How the picture was made. [`picture::recipe`](crate::picture::recipe()) reads it back.
    pub recipe: Option<String>,
}

impl SaveOptions {
    /// Checks that a file called `name` can be written like this. Returns the format that it will
    /// have.
    ///
    /// Errors: no format; a quality outside 1 to 100, or with a format other than JPEG; 16 bits in
    /// a format that has 8.
    pub fn validate(&self, name: &Path) -> Result<Format> {
        let format = self.format.map_or_else(|| Format::of(name), Ok)?;
        match self.quality {
            Some(found) if !(1..=100).contains(&found) => {
                return Err(Error::option("quality", format!("is {found}; give 1 to 100")));
            }
            Some(_) if format != Format::Jpeg => {
                return Err(Error::option(
                    "quality",
                    format!("is for JPEG, and {} is lossless; leave it out", format.name()),
                ));
            }
            _ => {}
        }
        if self.bit_depth == BitDepth::Sixteen && !matches!(format, Format::Png | Format::Tiff) {
            let found = format.name();
            return Err(Error::option(
                "bit_depth",
                format!("is 16, and {found} has 8 bits; write PNG or TIFF, or give 8"),
            ));
        }
        Ok(format)
    }
}

impl SaveOptions {
    /// Returns the most bytes that [`save_with`](crate::picture::save_with) and [`encode`] need,
    /// besides the picture of `width` x `height` pixels and the result.
    ///
    /// PNG is written row by row. The others are put together in memory that grows to twice its
    /// content.
    ///
    /// Errors: those of [`SaveOptions::validate`].
    pub fn memory(&self, name: &Path, width: usize, height: usize) -> Result<u64> {
        let format = self.validate(name)?;
        let opacity = usize::from(self.alpha.is_some());
        let sample = match self.bit_depth {
            BitDepth::Eight => 1,
            BitDepth::Sixteen => 2,
        };
        let values = sample * if format == Format::Jpeg { 3 } else { 3 + opacity };
        let copies = match format {
            Format::Png => 0,
            Format::Jpeg | Format::Tiff => 3,
            // They go from a copy with opacity to data apart from the file.
            Format::WebP => 7,
        };
        Ok((copies * values + size_of::<f32>() * opacity) as u64 * (width * height) as u64)
    }
}

/// Returns the bytes of a file with `image` in it. The extension of `name` may choose the format,
/// and errors call the file `name`.
///
/// Values are clamped to 0..255 and rounded to 8 or 16 bits.
///
/// Errors: those of [`SaveOptions::validate`]; a picture too large for the format; values that are
/// not finite.
pub fn encode(image: &Image, name: &Path, options: &SaveOptions) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    write(image, name, options, &mut bytes)?;
    Ok(bytes)
}

/// Encodes as [`encode`] does, and writes to `out`. After an error `out` may have a part of the
/// file; [`save_with`](crate::picture::save_with) writes whole files only.
///
/// Errors: those of [`encode`], and what `out` says.
pub fn write(image: &Image, name: &Path, options: &SaveOptions, out: &mut dyn Write) -> Result<()> {
    let format = options.validate(name)?;
    let failed = |problem: String| Error::Write { path: name.to_owned(), problem };
    if !image.as_slice().iter().all(|v| v.is_finite()) {
        return Err(failed("the picture holds values that are not numbers".into()));
    }
    let (width, height) = (image.width(), image.height());
    let most = format.max_side();
    if width.max(height) > most {
        let name = format.name();
        return Err(failed(format!("{width}x{height} px are too many for {name}, which has room for {most} a side")));
    }
    if let Some(offset) = options.offset.as_ref().filter(|offset| (offset.width(), offset.height()) != (width, height))
    {
        let found =
            format!("is {}x{} px, the picture {width}x{height}; give both one size", offset.width(), offset.height());
        return Err(Error::option("offset", found));
    }
    let conversion = options.profile.as_ref().map(Profile::conversion).transpose();
    let alpha = options.alpha.as_ref().map(|alpha| alpha.resized(width, height));
    let job = PictureEncoder {
        width: width as u32,
        height: height as u32,
        rgb: image.as_slice(),
        alpha: alpha.as_ref().map(Mask::as_slice),
        is_opaque: format == Format::Jpeg || alpha.is_none(),
        conversion: conversion.map_err(|e| failed(format!("its colour profile: {e}")))?,
        offset: options.offset.as_ref().map(Image::as_slice),
        icc: options.profile.as_ref().map(Profile::as_bytes),
        exif: options.exif.as_ref().map(|exif| exif.for_size(width, height)),
        recipe: options.recipe.as_deref(),
    };
    let bytes = match format {
        Format::Png => return job.png(options.bit_depth, out).map_err(|e| failed(one_line(&e))),
        Format::Jpeg => job.jpeg(options.quality.unwrap_or(JPEG_QUALITY)).map_err(|e| one_line(&e)),
        Format::Tiff => job.tiff(options.bit_depth),
        Format::WebP => job.webp().map_err(|e| one_line(&e)),
    };
    out.write_all(&bytes.map_err(failed)?).map_err(|e| failed(e.to_string()))
}

/// `alpha`: the opacity of a picture that was laid over white.
fn add_offset(values: &mut [f32], offset: &[f32], alpha: Option<&[f32]>) {
    let pixels = values.as_chunks_mut::<3>().0.iter_mut().zip(offset.as_chunks::<3>().0);
    for (i, (pixel, offset)) in pixels.enumerate() {
        let weight = alpha.map_or(1.0, |alpha| alpha[i]);
        pixel.iter_mut().zip(offset).for_each(|(value, offset)| *value += weight * offset);
    }
}

fn lay_over_white(rgb: &mut [f32], alpha: &[f32]) {
    let (pixels, _) = rgb.as_chunks_mut::<3>();
    for (pixel, a) in pixels.iter_mut().zip(alpha) {
        *pixel = pixel.map(|v| v * a + 255.0 * (1.0 - a));
    }
}

/// Bytes of compressed pixels in a chunk of a PNG file.
const PNG_CHUNK: usize = 1 << 18;

/// Rounds a value in 0..255 to 8 bits.
fn byte(value: f32) -> u8 {
    (value.clamp(0.0, 255.0) + 0.5) as u8
}

/// Rounds a value in 0..255 to 16 bits.
fn word(value: f32) -> u16 {
    (257.0 * value.clamp(0.0, 255.0) + 0.5) as u16
}

/// What is to be written.
struct PictureEncoder<'a> {
    width: u32,
    height: u32,
    /// sRGB in 0..255.
    rgb: &'a [f32],
    /// Opacity in 0..1.
    alpha: Option<&'a [f32]>,
    /// Whether the file has no opacity. The picture is then laid over white.
    is_opaque: bool,
    /// Converts to the values of the file's profile.
    conversion: Option<Conversion>,
    /// Added to these values.
    offset: Option<&'a [f32]>,
    icc: Option<&'a [u8]>,
    exif: Option<Vec<u8>>,
    recipe: Option<&'a str>,
}

/// Pixels that are converted at a time, roughly.
const PIXELS_AT_ONCE: usize = 1 << 17;

impl PictureEncoder<'_> {
    /// Returns RGB or RGBA, rounded by `round` from 0..255, some rows at a time.
    fn parts<T>(&self, round: impl Fn(f32) -> T) -> impl Iterator<Item = Vec<T>> {
        let width = self.width as usize;
        let pixels = (PIXELS_AT_ONCE / width.max(1)).max(1) * width;
        (0..self.rgb.len() / 3).step_by(pixels.max(1)).map(move |first| {
            let places = first..(first + pixels).min(self.rgb.len() / 3);
            let mut rgb = Cow::Borrowed(&self.rgb[3 * places.start..3 * places.end]);
            let alpha = self.alpha.map(|alpha| &alpha[places.clone()]);
            if let (true, Some(alpha)) = (self.is_opaque, alpha) {
                lay_over_white(rgb.to_mut(), alpha);
            }
            if let Some(conversion) = &self.conversion {
                rgb = Cow::Owned(conversion.apply(&rgb));
            }
            if let Some(offset) = self.offset {
                add_offset(rgb.to_mut(), &offset[3 * places.start..3 * places.end], alpha.filter(|_| self.is_opaque));
            }
            let alpha = alpha.filter(|_| !self.is_opaque);
            let (pixels, _) = rgb.as_chunks::<3>();
            let mut samples = Vec::with_capacity(self.channels() * pixels.len());
            for (i, pixel) in pixels.iter().enumerate() {
                samples.extend(pixel.iter().map(|&v| round(v)));
                samples.extend(alpha.map(|alpha| round(255.0 * alpha[i])));
            }
            samples
        })
    }

    /// Returns all of [`PictureEncoder::parts`].
    fn samples<T>(&self, round: impl Fn(f32) -> T) -> Vec<T> {
        let mut samples = Vec::with_capacity(self.channels() * self.rgb.len() / 3);
        self.parts(round).for_each(|part| samples.extend(part));
        samples
    }

    fn channels(&self) -> usize {
        if self.is_opaque { 3 } else { 4 }
    }

    fn bytes(&self) -> Vec<u8> {
        self.samples(byte)
    }

    fn png(&self, bit_depth: BitDepth, out: &mut dyn Write) -> std::result::Result<(), png::EncodingError> {
        let mut info = png::Info::with_size(self.width, self.height);
        info.icc_profile = self.icc.map(Cow::Borrowed);
        info.exif_metadata = self.exif.as_deref().map(Cow::Borrowed);
        let mut encoder = png::Encoder::with_info(out, info)?;
        encoder.set_color(if self.is_opaque { png::ColorType::Rgb } else { png::ColorType::Rgba });
        encoder.set_compression(png::Compression::Fast);
        encoder.set_filter(png::Filter::Adaptive);
        if let Some(recipe) = self.recipe {
            encoder.add_itxt_chunk(recipe::KEYWORD.into(), recipe.into())?;
        }
        if bit_depth == BitDepth::Sixteen {
            encoder.set_depth(png::BitDepth::Sixteen);
        }
        let mut writer = encoder.write_header()?;
        let mut rows = writer.stream_writer_with_size(PNG_CHUNK)?;
        match bit_depth {
            BitDepth::Eight => self.parts(byte).try_for_each(|part| rows.write_all(&part))?,
            BitDepth::Sixteen => {
                self.parts(|v| word(v).to_be_bytes()).try_for_each(|part| rows.write_all(part.as_flattened()))?;
            }
        }
        rows.finish()?;
        writer.finish()
    }

    fn jpeg(&self, quality: u8) -> image::ImageResult<Vec<u8>> {
        let mut file = Vec::new();
        let mut encoder = JpegEncoder::new_with_quality(&mut file, quality);
        if let Some(icc) = self.icc {
            encoder.set_icc_profile(icc.to_vec()).map_err(image::ImageError::Unsupported)?;
        }
        if let Some(exif) = &self.exif {
            encoder.set_exif_metadata(exif.clone()).map_err(image::ImageError::Unsupported)?;
        }
        encoder.write_image(&self.bytes(), self.width, self.height, image::ExtendedColorType::Rgb8)?;
        Ok(match self.recipe {
            Some(recipe) => segments::with_comments(&file, recipe::COMMENT_PREFIX, recipe.as_bytes()),
            None => file,
        })
    }

    fn tiff(&self, bit_depth: BitDepth) -> std::result::Result<Vec<u8>, String> {
        let xmp = self.recipe.map(recipe::to_xmp);
        let contents = TiffPicture {
            width: self.width,
            height: self.height,
            channels: self.channels() as u16,
            icc: self.icc,
            xmp: xmp.as_deref(),
            exif: self.exif.as_deref(),
        };
        contents.file(&match bit_depth {
            BitDepth::Eight => TiffValues::Bytes(self.bytes()),
            BitDepth::Sixteen => TiffValues::Words(self.samples(word)),
        })
    }

    fn webp(&self) -> std::result::Result<Vec<u8>, image_webp::EncodingError> {
        let mut file = Vec::new();
        let mut encoder = image_webp::WebPEncoder::new(&mut file);
        if let Some(icc) = self.icc {
            encoder.set_icc_profile(icc.to_vec());
        }
        if let Some(exif) = &self.exif {
            encoder.set_exif_metadata(exif.clone());
        }
        if let Some(recipe) = self.recipe {
            encoder.set_xmp_metadata(recipe::to_xmp(recipe));
        }
        let color = if self.is_opaque { image_webp::ColorType::Rgb8 } else { image_webp::ColorType::Rgba8 };
        encoder.encode(&self.bytes(), self.width, self.height, color)?;
        Ok(file)
    }
}
