//! From the bytes of a TIFF file to the values that it stores.

use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageBuffer};
use tiff::ColorType;
use tiff::decoder::ifd::Value;
use tiff::tags::{ExtraSamples, PhotometricInterpretation, Tag};

use crate::error::Result;
use crate::picture::exif;
use crate::picture::formats::decoder_error::one_line;
use crate::picture::formats::raw::RawPicture;
use crate::picture::formats::tiff::entries::{GREY, with_entries};
use crate::picture::formats::tiff::fault::{TiffFault, failed};
use crate::picture::formats::tiff::samples::{Samples, TiffFile, open, samples};
use crate::picture::formats::tiff::write::XMP;
use crate::picture::formats::tiff::ycbcr::{Blocks, YCbCr};
use crate::picture::limits::check_pixels;

/// Reads the first picture of a file, in the values of the file, not turned.
pub fn read(bytes: &[u8], name: &Path, memory: Option<u64>) -> Result<RawPicture> {
    let failed = |error| failed(name, error);
    let mut file = open(bytes).map_err(failed)?;
    let (width, height) = file.dimensions().map_err(failed)?;
    let channels = file.colortype().map_or(0, |colours| usize::from(colours.num_samples()));
    check_pixels((width, height), channels, bytes, name, memory)?;
    let icc = file.find_tag(Tag::IccProfile).and_then(|tag| tag.map(Value::into_u8_vec).transpose());
    let orientation = file.find_tag_unsigned::<u8>(Tag::Orientation).ok().flatten();
    let (pixels, is_premultiplied) = pixels(&mut file, bytes, width, height).map_err(|fault| fault.of(name))?;
    Ok(RawPicture {
        is_cmyk: matches!(file.colortype(), Ok(ColorType::CMYK(_))),
        is_premultiplied,
        icc: icc.map_err(|e| one_line(&e)),
        exif: exif::of_tiff(&mut file),
        xmp: file.get_tag_u8_vec(XMP).ok(),
        orientation: orientation.and_then(Orientation::from_exif),
        ..RawPicture::new(pixels)
    })
}

/// Reads the XMP packet of a file.
pub fn xmp(bytes: &[u8], name: &Path) -> Result<Option<Vec<u8>>> {
    let packet = open(bytes).and_then(|mut file| file.find_tag(XMP)?.map(Value::into_u8_vec).transpose());
    packet.map_err(|error| failed(name, error))
}

/// Reads the pixels, and says whether their colours are multiplied by the opacity.
fn pixels(
    file: &mut TiffFile<'_>,
    bytes: &[u8],
    width: u32,
    height: u32,
) -> std::result::Result<(DynamicImage, bool), TiffFault> {
    let number = |file: &mut TiffFile<'_>, tag| file.find_tag_unsigned::<u16>(tag);
    let bits = file.find_tag_unsigned_vec::<u16>(Tag::BitsPerSample)?.and_then(|bits| bits.first().copied());
    let bits = bits.unwrap_or(1);
    let channels = number(file, Tag::SamplesPerPixel)?.unwrap_or(1);
    let extra = file.find_tag_unsigned_vec::<u16>(Tag::ExtraSamples)?.unwrap_or_default();
    let has_alpha = extra.first().is_some_and(|&e| e != ExtraSamples::Unspecified.to_u16());
    let is_premultiplied = extra.first() == Some(&ExtraSamples::AssociatedAlpha.to_u16());
    let kind = number(file, Tag::PhotometricInterpretation)?.and_then(PhotometricInterpretation::from_u16);

    let image = match kind {
        Some(PhotometricInterpretation::RGBPalette) => {
            let colours = file.find_tag_unsigned_vec::<u16>(Tag::ColorMap)?.unwrap_or_default();
            let palette = Palette::new(&colours, bits)?;
            let grey = with_entries(bytes, &[(Tag::PhotometricInterpretation, GREY)])?;
            let (channels, samples) = samples(&mut open(&grey)?, width, height)?;
            palette.image(width, height, channels, has_alpha, samples)?
        }
        Some(PhotometricInterpretation::YCbCr) => {
            if bits != 8 || channels != 3 {
                let found = format!("its YCbCr has {channels} values of {bits} bits a pixel, not 3 of 8");
                return Err(TiffFault::Unsupported(found));
            }
            let conversion = YCbCr::new(file)?;
            let data = match Blocks::new(file)? {
                Some(blocks) => blocks.read(file, bytes, width, height)?,
                None => match samples(file, width, height)? {
                    (3, Samples::Bytes(data)) => data,
                    _ => return Err(TiffFault::Unsupported("its YCbCr values are signed or fractions".into())),
                },
            };
            let rgb = data.as_chunks::<3>().0.iter().flat_map(|&pixel| conversion.rgb(pixel)).collect();
            image(width, height, 3, Samples::Floats(rgb))?
        }
        _ => {
            let (channels, samples) = samples(file, width, height)?;
            if matches!(file.colortype()?, ColorType::CMYK(_)) && matches!(samples, Samples::Floats(_)) {
                return Err(TiffFault::Unsupported("its inks are fractions".into()));
            }
            let (channels, samples) = match file.colortype()? {
                // With more than one value a pixel, the first is grey and the others lie beside it.
                ColorType::Multiband { .. } if has_alpha => (2, samples.first(channels, 2)),
                ColorType::Multiband { .. } => (1, samples.first(channels, 1)),
                ColorType::CMYKA(_) => return Err(TiffFault::Unsupported("it has inks and an opacity".into())),
                _ => (channels, samples.scaled(bits)),
            };
            image(width, height, channels, samples)?
        }
    };
    Ok((image, is_premultiplied))
}

/// Makes a picture of values that use all of their range: grey, grey and opacity, three colours, or
/// four.
fn image(width: u32, height: u32, channels: usize, samples: Samples) -> std::result::Result<DynamicImage, TiffFault> {
    fn buffer<P: image::Pixel>(width: u32, height: u32, data: Vec<P::Subpixel>) -> Option<DynamicImage>
    where
        DynamicImage: From<ImageBuffer<P, Vec<P::Subpixel>>>,
    {
        ImageBuffer::<P, _>::from_raw(width, height, data).map(DynamicImage::from)
    }
    use image::{Luma, LumaA, Rgb, Rgba};
    let found = match (samples, channels) {
        (Samples::Bytes(data), 1) => buffer::<Luma<u8>>(width, height, data),
        (Samples::Bytes(data), 2) => buffer::<LumaA<u8>>(width, height, data),
        (Samples::Bytes(data), 3) => buffer::<Rgb<u8>>(width, height, data),
        (Samples::Bytes(data), 4) => buffer::<Rgba<u8>>(width, height, data),
        (Samples::Words(data), 1) => buffer::<Luma<u16>>(width, height, data),
        (Samples::Words(data), 2) => buffer::<LumaA<u16>>(width, height, data),
        (Samples::Words(data), 3) => buffer::<Rgb<u16>>(width, height, data),
        (Samples::Words(data), 4) => buffer::<Rgba<u16>>(width, height, data),
        // Unlike colours, they are seldom in 0..1. They may be measured heights, for example.
        (Samples::Floats(_), 1 | 2) => {
            return Err(TiffFault::Unsupported("it is grey in fractions, but does not say their range".into()));
        }
        (Samples::Floats(data), 3) => buffer::<Rgb<f32>>(width, height, data),
        (Samples::Floats(data), 4) => buffer::<Rgba<f32>>(width, height, data),
        _ => return Err(TiffFault::Unsupported(format!("its pixels have {channels} values"))),
    };
    found.ok_or_else(|| TiffFault::Damaged("it has fewer pixels than it says".into()))
}

/// Colours in 16 bits, by their index.
struct Palette(Vec<[u16; 3]>);

impl Palette {
    fn new(values: &[u16], bits: u16) -> std::result::Result<Self, TiffFault> {
        if !matches!(bits, 1 | 2 | 4 | 8) {
            return Err(TiffFault::Unsupported(format!("its palette has indices of {bits} bits")));
        }
        let count = 1 << bits;
        if values.len() < 3 * count {
            let found = format!("its palette has {} values, but {} are needed", values.len(), 3 * count);
            return Err(TiffFault::Damaged(found));
        }
        let values = &values[..3 * count];
        // Programs write 8 bits as they are, times 256, or times 257.
        let scale: fn(u16) -> u16 = if values.iter().all(|v| v < &256) {
            |v| 257 * v
        } else if values.iter().all(|v| v % 256 == 0) {
            |v| v / 256 * 257
        } else {
            |v| v
        };
        Ok(Self((0..count).map(|i| [0, 1, 2].map(|c| scale(values[c * count + i]))).collect()))
    }

    /// Makes a picture from indices. With `has_alpha` each has an opacity beside it.
    fn image(
        &self,
        width: u32,
        height: u32,
        channels: usize,
        has_alpha: bool,
        samples: Samples,
    ) -> std::result::Result<DynamicImage, TiffFault> {
        let Samples::Bytes(data) = samples else {
            return Err(TiffFault::Unsupported("its palette has indices that are fractions".into()));
        };
        let colour = |pixel: &[u8]| self.0[usize::from(pixel[0])];
        let pixels = data.chunks_exact(channels);
        if has_alpha && channels > 1 {
            let rgba = pixels.flat_map(|pixel| {
                let [r, g, b] = colour(pixel);
                [r, g, b, 257 * u16::from(pixel[1])]
            });
            image(width, height, 4, Samples::Words(rgba.collect()))
        } else {
            image(width, height, 3, Samples::Words(pixels.flat_map(colour).collect()))
        }
    }
}
