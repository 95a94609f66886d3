//! From the bytes of a file to a picture.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use super::exif::Exif;
use super::file::read_error;
use super::profile::{self, Channels};
use super::{Picture, Warning, cmyk, jpeg, resize, tiff};
use crate::{Error, Image, Mask, Result};

/// A picture with more pixels is not decoded. The largest cameras stay below; a file of a few kilobytes that claims 2 gigapixels
/// does not.
pub const MAX_PIXELS: u64 = 100_000_000;

/// Memory that a decoder may take, in bytes: [`MAX_PIXELS`] of the widest pixel there is (RGBA f32).
pub const MAX_DECODER_MEMORY: u64 = MAX_PIXELS * 16;

/// The most bytes that a file may have: those of [`MAX_PIXELS`] of the widest pixel.
pub const MAX_FILE: u64 = MAX_DECODER_MEMORY;

/// Bytes a pixel that reading a picture without opacity takes until it has been brought to half its sides, at most: the picture, the same
/// in linear light, and half of it twice. For a quarter of its sides 25 were measured. What is to become larger takes more, but the run with
/// it takes far more than that.
const READING: u64 = 36;

/// The same with opacity, or with black ink. Measured for a quarter of its sides: 33.
const READING_FOUR: u64 = 52;

/// Bytes of a process that reads a picture besides. Measured: 11 MiB.
const READING_BASE: u64 = 24 << 20;

/// What is wrong with a truncated file.
pub(super) const CUT_SHORT: &str = "it ends in the middle of the picture";

/// Reads a picture: JPEG, PNG, TIFF or WebP by its content, whatever its name.
///
/// The orientation noted by the camera is applied. Grey, palette, CMYK and 16-bit values become RGB in 0..255 (16 bits keep their
/// fractions), by the file's colour profile where it has one; a profile that cannot be used is told of in
/// [`Picture::warnings`], and the values are taken as sRGB then. Transparency becomes [`Picture::alpha`].
///
/// Errors tell a missing file, a folder, an unreadable file, an empty one, a file that is no picture, a damaged one, and one above
/// [`MAX_PIXELS`] apart.
pub fn load(path: &Path) -> Result<Picture> {
    load_within(path, None)
}

/// As [`load`], where the process may take so many bytes until the picture has been brought to another size; `None`: any number.
///
/// Errors: as [`load`], and [`Error::ReadingMemory`] for a picture of too many pixels for that.
pub fn load_within(path: &Path, memory: Option<u64>) -> Result<Picture> {
    decode_within(&read_limited(path)?, path, memory)
}

/// All of a file, unless it is larger than any picture that is decoded.
pub(super) fn read_limited(path: &Path) -> Result<Vec<u8>> {
    if path.is_dir() {
        return Err(Error::Folder { path: path.to_owned(), wanted: "a picture" });
    }
    let file = File::open(path).map_err(|e| read_error(path, e))?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(|e| read_error(path, e))?;
    check_length(&bytes, path)?;
    Ok(bytes)
}

fn check_length(bytes: &[u8], name: &Path) -> Result<()> {
    if bytes.is_empty() {
        return Err(Error::EmptyFile { path: name.to_owned() });
    }
    if bytes.len() as u64 > MAX_FILE {
        let reason = format!("it has more than {} MB", MAX_FILE / 1_000_000);
        return Err(Error::Unsupported { path: name.to_owned(), reason });
    }
    Ok(())
}

/// As [`load`], from the bytes of a file; `name` is what errors call it.
pub fn decode(bytes: &[u8], name: &Path) -> Result<Picture> {
    decode_within(bytes, name, None)
}

/// As [`load_within`], from the bytes of a file; `name` is what errors call it.
pub fn decode_within(bytes: &[u8], name: &Path, memory: Option<u64>) -> Result<Picture> {
    check_length(bytes, name)?;
    let raw = decode_raw(bytes, name, memory)?;
    let mut warnings = Vec::new();
    let exif = raw.exif.and_then(|block| block.map(|block| Exif::parse(&block)).transpose()).unwrap_or_else(|reason| {
        warnings.push(Warning::Exif { reason });
        None
    });
    let icc = raw.icc.unwrap_or_else(|reason| {
        warnings.push(Warning::Profile { reason });
        None
    });
    let noted = exif.as_ref().and_then(|(_, noted)| Orientation::from_exif(*noted));
    let mut pixels = raw.pixels;
    pixels.apply_orientation(raw.orientation.or(noted).unwrap_or(Orientation::NoTransforms));

    let (width, height) = (pixels.width() as usize, pixels.height() as usize);
    let mut values = ColourValues::new(pixels, raw.is_cmyk);
    if !values.are_finite() {
        let reason = "it holds values that are not numbers".into();
        return Err(Error::Damaged { path: name.to_owned(), reason });
    }
    if raw.is_premultiplied {
        values.unmultiply();
    }
    values.colours.iter_mut().for_each(|v| *v = v.clamp(0.0, 255.0));
    let ColourValues { colours, channels, alpha } = values;
    let (rgb, profile) = match icc {
        None => (profile::plain_to_srgb(colours, channels), None),
        Some(icc) => {
            let (rgb, profile) = profile::to_srgb(icc, colours, channels);
            let profile = profile.unwrap_or_else(|reason| {
                warnings.push(Warning::Profile { reason });
                None
            });
            (rgb, profile)
        }
    };
    let mut image = Image::new(width, height, rgb);
    let alpha = alpha.filter(|alpha| alpha.iter().any(|&a| a < 1.0)).map(|alpha| Mask::new(width, height, alpha));
    if let Some(alpha) = &alpha {
        resize::paint_hidden(&mut image, alpha);
    }
    Ok(Picture { image, alpha, profile, exif: exif.map(|(exif, _)| exif), warnings })
}

/// What the decoders make of a file.
pub(super) struct RawPicture {
    /// In the values of the file.
    pub(super) pixels: DynamicImage,
    /// The four channels are inks.
    pub(super) is_cmyk: bool,
    /// The colours are multiplied by the opacity.
    pub(super) is_premultiplied: bool,
    /// The colour profile, or why it cannot be read.
    pub(super) icc: std::result::Result<Option<Vec<u8>>, String>,
    /// The EXIF block, or why it cannot be read.
    pub(super) exif: std::result::Result<Option<Vec<u8>>, String>,
    /// Where it is noted outside of EXIF.
    pub(super) orientation: Option<Orientation>,
}

fn decode_raw(bytes: &[u8], name: &Path, memory: Option<u64>) -> Result<RawPicture> {
    let path = || name.to_owned();
    if let Some(kind) = high_efficiency(bytes) {
        return Err(Error::Unsupported { path: path(), reason: format!("{kind} has no decoder here") });
    }
    let format = match image::guess_format(bytes) {
        Ok(f @ (ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::Tiff | ImageFormat::WebP)) => f,
        _ => return Err(Error::NotAPicture { path: path() }),
    };
    if format == ImageFormat::Tiff {
        return tiff::read(bytes, name, memory);
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_DECODER_MEMORY);
    reader.limits(limits);

    let mut decoder = reader.into_decoder().map_err(|e| decode_error(name, e))?;
    let (width, height) = decoder.dimensions();
    let channels = decoder.color_type().channel_count().max(decoder.original_color_type().channel_count());
    check_pixels((width, height), channels.into(), bytes, name, memory)?;
    if format == ImageFormat::Jpeg && !jpeg::has_an_end(bytes) {
        return Err(Error::Damaged { path: path(), reason: CUT_SHORT.into() });
    }
    // Broken metadata are no reason to refuse pixels that are in order.
    let icc = decoder.icc_profile().map_err(|e| one_line(&e));
    let exif = decoder.exif_metadata().map_err(|e| one_line(&e));
    let inks = match format {
        ImageFormat::Jpeg => cmyk::of_jpeg(bytes).map_err(|reason| Error::Damaged { path: path(), reason })?,
        _ => None,
    };
    let is_cmyk = inks.is_some();
    let pixels = match inks {
        Some(pixels) => pixels,
        None => DynamicImage::from_decoder(decoder).map_err(|e| decode_error(name, e))?,
    };
    Ok(RawPicture { pixels, is_cmyk, is_premultiplied: false, icc, exif, orientation: None })
}

/// Refuses a picture of more than [`MAX_PIXELS`], or of too many for the memory, with so many channels in the file.
pub(super) fn check_pixels(
    (width, height): (u32, u32),
    channels: usize,
    bytes: &[u8],
    name: &Path,
    memory: Option<u64>,
) -> Result<()> {
    let (width, height, path) = (u64::from(width), u64::from(height), || name.to_owned());
    if width * height > MAX_PIXELS {
        return Err(Error::TooManyPixels { path: path(), width, height });
    }
    // Grey with opacity has few values, but becomes colours with opacity.
    let pixel = if matches!(channels, 1 | 3) { READING } else { READING_FOUR };
    let needed = READING_BASE + bytes.len() as u64 + pixel * width * height;
    match memory {
        Some(budget) if needed > budget => Err(Error::ReadingMemory { path: path(), width, height, needed, budget }),
        _ => Ok(()),
    }
}

/// The name of a format that is met often and has no decoder in Rust that could be used.
fn high_efficiency(bytes: &[u8]) -> Option<&'static str> {
    if bytes.get(4..8)? != b"ftyp" {
        return None;
    }
    match bytes.get(8..12)? {
        b"avif" | b"avis" => Some("AVIF"),
        b"heic" | b"heix" | b"hevc" | b"heim" | b"heis" | b"mif1" | b"msf1" => Some("HEIC"),
        _ => None,
    }
}

/// The values of a picture, channels apart from opacity.
struct ColourValues {
    /// 0..255.
    colours: Vec<f32>,
    channels: Channels,
    /// 0..1.
    alpha: Option<Vec<f32>>,
}

impl ColourValues {
    fn new(pixels: DynamicImage, is_cmyk: bool) -> Self {
        // 8-bit values must stay whole numbers, which a detour by 0..1 would not promise.
        let byte = |v: u8| f32::from(v);
        let word = |v: u16| f32::from(v) / 257.0;
        let unit = |v: f32| 255.0 * v;
        let grey = Channels::Grey;
        match pixels {
            DynamicImage::ImageRgba8(p) if is_cmyk => Self::opaque(&p.into_raw(), Channels::Cmyk, byte),
            DynamicImage::ImageRgba16(p) if is_cmyk => Self::opaque(&p.into_raw(), Channels::Cmyk, word),
            DynamicImage::ImageLuma8(p) => Self::opaque(&p.into_raw(), grey, byte),
            DynamicImage::ImageLuma16(p) => Self::opaque(&p.into_raw(), grey, word),
            DynamicImage::ImageRgb8(p) => Self::opaque(&p.into_raw(), Channels::Rgb, byte),
            DynamicImage::ImageRgb16(p) => Self::opaque(&p.into_raw(), Channels::Rgb, word),
            DynamicImage::ImageRgb32F(p) => Self::opaque(&p.into_raw(), Channels::Rgb, unit),
            DynamicImage::ImageLumaA8(p) => Self::with_alpha::<_, 2>(&p.into_raw(), grey, byte),
            DynamicImage::ImageLumaA16(p) => Self::with_alpha::<_, 2>(&p.into_raw(), grey, word),
            DynamicImage::ImageRgba8(p) => Self::with_alpha::<_, 4>(&p.into_raw(), Channels::Rgb, byte),
            DynamicImage::ImageRgba16(p) => Self::with_alpha::<_, 4>(&p.into_raw(), Channels::Rgb, word),
            other => Self::with_alpha::<_, 4>(&other.into_rgba32f().into_raw(), Channels::Rgb, unit),
        }
    }

    fn opaque<T: Copy>(raw: &[T], channels: Channels, scale: impl Fn(T) -> f32) -> Self {
        Self { colours: raw.iter().map(|&v| scale(v)).collect(), channels, alpha: None }
    }

    /// `N` values a pixel, opacity last.
    fn with_alpha<T: Copy, const N: usize>(raw: &[T], channels: Channels, scale: impl Fn(T) -> f32) -> Self {
        let (pixels, _) = raw.as_chunks::<N>();
        let colours = pixels.iter().flat_map(|p| &p[..N - 1]).map(|&v| scale(v)).collect();
        let alpha = pixels.iter().map(|p| scale(p[N - 1]) / 255.0).collect();
        Self { colours, channels, alpha: Some(alpha) }
    }

    fn are_finite(&self) -> bool {
        self.colours.iter().chain(self.alpha.iter().flatten()).all(|v| v.is_finite())
    }

    /// Colours as they are, from colours times opacity.
    fn unmultiply(&mut self) {
        let Some(alpha) = &self.alpha else {
            return;
        };
        let count = self.colours.len() / alpha.len().max(1);
        for (pixel, &a) in self.colours.chunks_mut(count.max(1)).zip(alpha) {
            pixel.iter_mut().for_each(|v| *v = if a > 0.0 { *v / a } else { 0.0 });
        }
    }
}

pub(super) fn decode_error(path: &Path, error: ImageError) -> Error {
    let path = path.to_owned();
    match error {
        ImageError::IoError(reason) if reason.kind() != io::ErrorKind::UnexpectedEof => Error::Read { path, reason },
        ImageError::IoError(_) => Error::Damaged { path, reason: CUT_SHORT.into() },
        ImageError::Unsupported(e) => Error::Unsupported { path, reason: one_line(&e) },
        ImageError::Limits(_) => too_much_memory(&path),
        other => Error::Damaged { path, reason: one_line(&other) },
    }
}

pub(super) fn too_much_memory(path: &Path) -> Error {
    let reason = format!("it takes more than {} MB to decode", MAX_DECODER_MEMORY >> 20);
    Error::Unsupported { path: path.to_owned(), reason }
}

/// Some of the decoders' messages have a second line.
pub(super) fn one_line(error: &dyn std::error::Error) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}
