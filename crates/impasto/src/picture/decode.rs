//! From the bytes of a file to a picture.
//!
//! A decoder gives the values that the file stores. They are turned as the camera noted, converted
//! to sRGB in 0..255 by the file's profile, and separated from the opacity. If a profile or an EXIF
//! block is broken, the picture is still read, with a warning.

use std::path::Path;

use image::DynamicImage;
use image::metadata::Orientation;
use impasto_engine::Image;

use crate::error::{Error, Result};
use crate::picture::exif::Exif;
use crate::picture::file::read_limited;
use crate::picture::formats;
use crate::picture::guard::guarded;
use crate::picture::limits::{check_length, check_own_values};
use crate::picture::loaded::{Picture, Warning};
use crate::picture::mask::Mask;
use crate::picture::profile::{self, Channels};
use crate::picture::resize::paint_hidden;
use crate::picture::xmp;

/// Reads a picture: AVIF, HEIC, JPEG, JPEG XL, PNG, TIFF or WebP. The content decides, whatever the
/// name is.
///
/// The picture is turned as the camera noted. Grey, palette, CMYK and 16-bit values become RGB in
/// 0..255; 16 bits keep their fractions. Transparency becomes [`Picture::alpha`].
///
/// If the file has a colour profile, it is used. A PNG may declare its colours in other ways too.
/// The first of these counts: cICP, iCCP, sRGB, cHRM and gAMA. Without cHRM the primaries are those
/// of sRGB, and without gAMA the curve is. A gAMA of 1/2.2 counts as the curve of sRGB if the
/// primaries are sRGB's too. If a PNG declares other primaries with an ordinary curve,
/// [`Picture::profile`] is a profile of the same meaning. With any other curve, such as a linear
/// one, it is `None`. AVIF, HEIC and JPEG XL may declare numbers like those of cICP, which count if
/// there is no profile.
///
/// If colours cannot be used, such as those of a broken profile, they are taken as sRGB. Of high
/// dynamic range (PQ, HLG), what is brighter than white paper becomes white. Of an animation the
/// first picture is read. [`Picture::warnings`] says so.
///
/// The orientation is that of EXIF. If EXIF notes none, it is that of XMP. A TIFF's own tag comes
/// before both.
///
/// If only the end marker of a JPEG or a PNG is missing, the picture is read with a warning.
///
/// Errors: a missing file, a folder, an unreadable file, an empty one, a file that is not a
/// picture, a damaged one, and one with more than [`MAX_PIXELS`](crate::picture::MAX_PIXELS). Each
/// has an error of its own. A file that makes its decoder panic is a damaged one.
pub fn load(path: &Path) -> Result<Picture> {
    load_within(path, None)
}

/// Reads a picture as [`load`] does, within `memory` bytes for the whole process, or any number if
/// it is `None`. The limit holds until the picture has been resized.
///
/// Errors: those of [`load`], and [`Error::ReadingMemory`] if the picture has too many pixels.
pub fn load_within(path: &Path, memory: Option<u64>) -> Result<Picture> {
    load_with(path, ReadOptions { memory, ..ReadOptions::default() })
}

/// How a picture is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// Bytes that the whole process may take until the picture has been resized, or `None` for any
    /// number.
    pub memory: Option<u64>,
    /// Whether [`Picture::own_values`] is wanted.
    pub own_values: bool,
}

/// Reads a picture as [`load`] does, with options.
///
/// Errors: those of [`load`], and [`Error::ReadingMemory`] if the picture has too many pixels.
pub fn load_with(path: &Path, options: ReadOptions) -> Result<Picture> {
    decode_with(&read_limited(path)?, path, options)
}

/// Reads a picture as [`load`] does, from the bytes of a file. Errors call it `name`.
pub fn decode(bytes: &[u8], name: &Path) -> Result<Picture> {
    decode_within(bytes, name, None)
}

/// Reads a picture as [`load_within`] does, from the bytes of a file. Errors call it `name`.
pub fn decode_within(bytes: &[u8], name: &Path, memory: Option<u64>) -> Result<Picture> {
    decode_with(bytes, name, ReadOptions { memory, ..ReadOptions::default() })
}

/// Reads a picture as [`load_with`] does, from the bytes of a file. Errors call it `name`.
pub fn decode_with(bytes: &[u8], name: &Path, options: ReadOptions) -> Result<Picture> {
    guarded(name, || picture_of(bytes, name, options))
}

fn picture_of(bytes: &[u8], name: &Path, options: ReadOptions) -> Result<Picture> {
    check_length(bytes, name)?;
    let raw = formats::read(bytes, name, options.memory)?;
    let has_colours = raw.colours.is_some() || matches!(raw.icc, Ok(Some(_)));
    let own_values = options.own_values && has_colours;
    if own_values {
        check_own_values((raw.pixels.width(), raw.pixels.height()), bytes, name, options.memory)?;
    }
    let mut warnings = raw.warnings;
    let exif = raw.exif.and_then(|block| block.map(|block| Exif::parse(&block)).transpose()).unwrap_or_else(|reason| {
        warnings.push(Warning::Exif { reason });
        None
    });
    let icc = raw.icc.unwrap_or_else(|reason| {
        warnings.push(Warning::Profile { reason });
        None
    });
    let noted = exif.as_ref().and_then(|(_, noted)| *noted);
    let noted = noted.or_else(|| xmp::orientation(&raw.xmp?)).and_then(Orientation::from_exif);
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
    let own = (own_values && channels == Channels::Rgb).then(|| colours.clone());
    let (rgb, profile) = match (icc, raw.colours) {
        (None, None) => (profile::plain_to_srgb(colours, channels), None),
        (None, Some(declared)) => {
            if let Some(curve) = declared.hdr_curve() {
                warnings.push(Warning::HighDynamicRange { curve: curve.name() });
            }
            let (rgb, profile) = declared.to_srgb(colours, channels);
            let profile = profile.unwrap_or_else(|reason| {
                warnings.push(Warning::Colours { reason });
                None
            });
            (rgb, profile)
        }
        (Some(icc), _) => {
            let (rgb, profile) = profile::to_srgb(icc, colours, channels);
            let profile = profile.unwrap_or_else(|reason| {
                warnings.push(Warning::Profile { reason });
                None
            });
            (rgb, profile)
        }
    };
    let own = own.filter(|_| profile.is_some()).map(|own| Image::new(width, height, own));
    let mut image = Image::new(width, height, rgb);
    let alpha = alpha.filter(|alpha| alpha.iter().any(|&a| a < 1.0)).map(|alpha| Mask::new(width, height, alpha));
    if let Some(alpha) = &alpha {
        paint_hidden(&mut image, alpha);
    }
    Ok(Picture { image, own_values: own, alpha, profile, exif: exif.map(|(exif, _)| exif), warnings })
}

/// The values of a picture, with the channels apart from the opacity.
struct ColourValues {
    /// In 0..255.
    colours: Vec<f32>,
    channels: Channels,
    /// In 0..1.
    alpha: Option<Vec<f32>>,
}

impl ColourValues {
    fn new(pixels: DynamicImage, is_cmyk: bool) -> Self {
        // 8-bit values must stay whole numbers. A detour by 0..1 would not promise that.
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

    /// Takes `N` values a pixel, the last of which is the opacity.
    fn with_alpha<T: Copy, const N: usize>(raw: &[T], channels: Channels, scale: impl Fn(T) -> f32) -> Self {
        let (pixels, _) = raw.as_chunks::<N>();
        let colours = pixels.iter().flat_map(|p| &p[..N - 1]).map(|&v| scale(v)).collect();
        let alpha = pixels.iter().map(|p| scale(p[N - 1]) / 255.0).collect();
        Self { colours, channels, alpha: Some(alpha) }
    }

    fn are_finite(&self) -> bool {
        self.colours.iter().chain(self.alpha.iter().flatten()).all(|v| v.is_finite())
    }

    /// Divides the colours by the opacity that they were multiplied with.
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
