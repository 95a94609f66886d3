//! TIFF files (TIFF 6.0): the `tiff` crate reads their numbers, and what these mean is said here.

mod write;
mod ycbcr;

pub use write::{TiffPicture, TiffValues};
use ycbcr::{Blocks, YCbCr};

use std::io::{Cursor, ErrorKind};
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageBuffer};
use tiff::decoder::ifd::Value;
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::{ExtraSamples, PhotometricInterpretation, Tag};
use tiff::{ColorType, TiffError, TiffResult};

use super::decode::{self, CUT_SHORT, MAX_DECODER_MEMORY, RawPicture, one_line};
use super::exif;
use crate::{Error, Result};

/// Of the values of one tag, in bytes. Those of profiles count.
const MAX_TAG: usize = 16 << 20;

/// Adobe's tag for XMP.
const XMP: Tag = Tag::Unknown(700);

type TiffFile<'a> = Decoder<Cursor<&'a [u8]>>;

/// The first picture of a file, as it is stored: in the values of the file, not turned.
pub fn read(bytes: &[u8], name: &Path, memory: Option<u64>) -> Result<RawPicture> {
    let failed = |error| failed(name, error);
    let mut file = open(bytes).map_err(failed)?;
    let (width, height) = file.dimensions().map_err(failed)?;
    let channels = file.colortype().map_or(0, |colours| usize::from(colours.num_samples()));
    decode::check_pixels((width, height), channels, bytes, name, memory)?;
    let icc = file.find_tag(Tag::IccProfile).and_then(|tag| tag.map(Value::into_u8_vec).transpose());
    let orientation = file.find_tag_unsigned::<u8>(Tag::Orientation).ok().flatten();
    let (pixels, is_premultiplied) = pixels(&mut file, bytes, width, height).map_err(|fault| fault.of(name))?;
    Ok(RawPicture {
        is_cmyk: matches!(file.colortype(), Ok(ColorType::CMYK(_))),
        pixels,
        is_premultiplied,
        icc: icc.map_err(|e| one_line(&e)),
        exif: exif::of_tiff(&mut file),
        orientation: orientation.and_then(Orientation::from_exif),
    })
}

/// The XMP packet of a file.
pub fn xmp(bytes: &[u8], name: &Path) -> Result<Option<Vec<u8>>> {
    let packet = open(bytes).and_then(|mut file| file.find_tag(XMP)?.map(Value::into_u8_vec).transpose());
    packet.map_err(|error| failed(name, error))
}

fn open(bytes: &[u8]) -> TiffResult<TiffFile<'_>> {
    let mut limits = Limits::default();
    limits.decoding_buffer_size = MAX_DECODER_MEMORY as usize;
    limits.intermediate_buffer_size = MAX_DECODER_MEMORY as usize;
    limits.ifd_value_size = MAX_TAG;
    Ok(Decoder::new(Cursor::new(bytes))?.with_limits(limits))
}

/// Why there are no pixels.
enum TiffFault {
    Decoder(TiffError),
    Damaged(String),
    Unsupported(String),
}

impl From<TiffError> for TiffFault {
    fn from(error: TiffError) -> Self {
        Self::Decoder(error)
    }
}

impl TiffFault {
    fn of(self, name: &Path) -> Error {
        let path = name.to_owned();
        match self {
            Self::Decoder(error) => failed(name, error),
            Self::Damaged(reason) => Error::Damaged { path, reason },
            Self::Unsupported(reason) => Error::Unsupported { path, reason },
        }
    }
}

fn failed(name: &Path, error: TiffError) -> Error {
    let path = name.to_owned();
    match error {
        TiffError::IoError(e) if e.kind() == ErrorKind::UnexpectedEof => {
            Error::Damaged { path, reason: CUT_SHORT.into() }
        }
        TiffError::UnsupportedError(e) => Error::Unsupported { path, reason: one_line(&e) },
        TiffError::LimitsExceeded => decode::too_much_memory(name),
        other => Error::Damaged { path, reason: one_line(&other) },
    }
}

/// The pixels, and whether their colours are multiplied by the opacity.
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
                // More than one value a pixel is a grey with others beside it.
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

/// Values of a picture, channels together.
enum Samples {
    /// Of fewer bits than 8 as they are, for they may be indices.
    Bytes(Vec<u8>),
    Words(Vec<u16>),
    /// 0..1.
    Floats(Vec<f32>),
}

impl Samples {
    /// To all of the range, from `bits`.
    fn scaled(self, bits: u16) -> Self {
        match (self, bits) {
            (Self::Bytes(mut data), 1 | 2 | 4) => {
                let step = 255 / ((1 << bits) - 1);
                data.iter_mut().for_each(|v| *v *= step);
                Self::Bytes(data)
            }
            (samples, _) => samples,
        }
    }

    /// The first `kept` of every `channels` values.
    fn first(self, channels: usize, kept: usize) -> Self {
        fn first<T: Copy>(data: &[T], channels: usize, kept: usize) -> Vec<T> {
            data.chunks_exact(channels).flat_map(|pixel| &pixel[..kept]).copied().collect()
        }
        match self {
            Self::Bytes(data) => Self::Bytes(first(&data, channels, kept)),
            Self::Words(data) => Self::Words(first(&data, channels, kept)),
            Self::Floats(data) => Self::Floats(first(&data, channels, kept)),
        }
    }
}

/// How many values a pixel has of those that are read, and the values.
fn samples(file: &mut TiffFile<'_>, width: u32, height: u32) -> std::result::Result<(usize, Samples), TiffFault> {
    let kind = file.colortype()?;
    let (channels, bits) = (usize::from(kind.num_samples()), kind.bit_depth());
    if !matches!(bits, 1 | 2 | 4 | 8 | 16 | 32 | 64) {
        return Err(TiffFault::Unsupported(format!("its values have {bits} bits")));
    }
    let mut data = DecodingResult::U8(Vec::new());
    let layout = file.read_image_to_buffer(&mut data)?;
    if data.as_buffer(0).byte_len() < layout.complete_len {
        return Err(TiffError::LimitsExceeded.into());
    }
    let plane = (layout.planes > 1).then(|| width as usize * height as usize);
    let samples = match data {
        DecodingResult::U8(_) if bits < 8 && plane.is_some() => {
            return Err(TiffFault::Unsupported(format!(
                "its {channels} channels of {bits} bits are stored one after the other"
            )));
        }
        DecodingResult::U8(data) if bits < 8 => {
            Samples::Bytes(unpacked(&data, width as usize * channels, usize::from(bits)))
        }
        DecodingResult::U8(data) => Samples::Bytes(together(data, channels, plane)),
        DecodingResult::U16(data) => Samples::Words(together(data, channels, plane)),
        DecodingResult::F16(data) => {
            Samples::Floats(together(data.into_iter().map(f32::from).collect(), channels, plane))
        }
        DecodingResult::F32(data) => Samples::Floats(together(data, channels, plane)),
        DecodingResult::F64(data) => {
            Samples::Floats(together(data.into_iter().map(|v| v as f32).collect(), channels, plane))
        }
        _ => {
            let found = format!("its values are whole numbers of {bits} bits, and may be negative or beyond 16 bits");
            return Err(TiffFault::Unsupported(found));
        }
    };
    Ok((channels, samples))
}

/// Values of `bits` bits from rows of `count` of them, which begin with whole bytes.
fn unpacked(data: &[u8], count: usize, bits: usize) -> Vec<u8> {
    let mask = (1u8 << bits) - 1;
    let value = |row: &[u8], i: usize| (row[i * bits / 8] >> (8 - bits - i * bits % 8)) & mask;
    data.chunks_exact((count * bits).div_ceil(8)).flat_map(|row| (0..count).map(move |i| value(row, i))).collect()
}

/// Channels together, from planes of `plane` values that come one after the other.
fn together<T: Copy>(data: Vec<T>, channels: usize, plane: Option<usize>) -> Vec<T> {
    match plane {
        Some(plane) if data.len() >= channels * plane => {
            (0..plane).flat_map(|i| (0..channels).map(move |c| (c, i))).map(|(c, i)| data[c * plane + i]).collect()
        }
        _ => data,
    }
}

/// A picture of values in all of their range: grey, grey and opacity, three colours, or four.
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
        // Unlike colours, they are seldom from 0 to 1: measured heights and the like.
        (Samples::Floats(_), 1 | 2) => {
            return Err(TiffFault::Unsupported(
                "it is grey in fractions, and does not say from where to where they go".into(),
            ));
        }
        (Samples::Floats(data), 3) => buffer::<Rgb<f32>>(width, height, data),
        (Samples::Floats(data), 4) => buffer::<Rgba<f32>>(width, height, data),
        _ => return Err(TiffFault::Unsupported(format!("its pixels have {channels} values"))),
    };
    found.ok_or_else(|| TiffFault::Damaged("it has fewer pixels than it says".into()))
}

/// `BlackIsZero`.
const GREY: u32 = 1;

/// A copy of the file whose first directory says something else: the `tiff` crate reads greys of every kind, and neither palettes nor
/// colours with fewer pixels than their brightness has. Entries that there are become one number each; others are not added.
fn with_entries(bytes: &[u8], entries: &[(Tag, u32)]) -> std::result::Result<Vec<u8>, TiffFault> {
    const LONG: u16 = 4;
    let set = || {
        let mut bytes = bytes.to_vec();
        let is_big_endian = bytes.get(..2)? == b"MM";
        // BigTIFF has wider numbers.
        let is_big = read_number(&bytes, 2, 2, is_big_endian)? == 43;
        let (offset_at, wide, count_bytes, entry_bytes) = if is_big { (8, 8, 8, 20) } else { (4, 4, 2, 12) };
        let first = read_number(&bytes, offset_at, wide, is_big_endian)?;
        let count = read_number(&bytes, first, count_bytes, is_big_endian)?;
        for i in 0..count {
            let at = first.checked_add(count_bytes)?.checked_add(i.checked_mul(entry_bytes)?)?;
            let tag = read_number(&bytes, at, 2, is_big_endian)?;
            let Some((_, value)) = entries.iter().find(|(wanted, _)| usize::from(wanted.to_u16()) == tag) else {
                continue;
            };
            let mut write = |at: usize, bytes_of: &[u8]| {
                bytes.get_mut(at..at + bytes_of.len()).map(|place| place.copy_from_slice(bytes_of))
            };
            let long = |v: u32| if is_big_endian { v.to_be_bytes() } else { v.to_le_bytes() };
            let one = if is_big && is_big_endian { [[0; 4], long(1)].concat() } else { [long(1), [0; 4]].concat() };
            write(at + 2, &if is_big_endian { LONG.to_be_bytes() } else { LONG.to_le_bytes() })?;
            write(at + 4, &one[..wide])?;
            write(at + 4 + wide, &long(*value))?;
        }
        Some(bytes)
    };
    set().ok_or_else(|| TiffFault::Damaged(CUT_SHORT.into()))
}

/// A whole number of some bytes.
fn read_number(bytes: &[u8], at: usize, length: usize, is_big_endian: bool) -> Option<usize> {
    let bytes = bytes.get(at..at.checked_add(length)?)?;
    let add = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
    let value = if is_big_endian { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) };
    usize::try_from(value).ok()
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
            let found = format!("its palette has {} values, and {} are needed", values.len(), 3 * count);
            return Err(TiffFault::Damaged(found));
        }
        let values = &values[..3 * count];
        // 8 bits are written as they are, times 256 or times 257.
        let scale: fn(u16) -> u16 = if values.iter().all(|v| v < &256) {
            |v| 257 * v
        } else if values.iter().all(|v| v % 256 == 0) {
            |v| v / 256 * 257
        } else {
            |v| v
        };
        Ok(Self((0..count).map(|i| [0, 1, 2].map(|c| scale(values[c * count + i]))).collect()))
    }

    /// From indices, with an opacity beside each of them if `has_alpha`.
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
