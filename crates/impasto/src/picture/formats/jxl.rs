//! JPEG XL files (ISO/IEC 18181). `jxl`, libjxl's own decoder in Rust, reads them.
//!
//! A file is read twice: for what it says, without pixels, and for the pixels. The second time the
//! decoder has a limit that follows from the size. Of an animation the first picture is read.

use std::io::Read;
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageBuffer, Pixel};
use jxl::api::{
    AlphaMode, Event, ExtraChannel, JxlAuxBoxType, JxlBasicInfo, JxlBitDepth, JxlColorEncoding, JxlColorProfile,
    JxlColorType, JxlDataFormat, JxlDecoder, JxlDecoderOptions, JxlOutputBuffer, JxlPixelFormat, JxlPrimaries,
    JxlTransferFunction, JxlWhitePoint, ProfileLevel,
};

use crate::error::{Error, Result};
use crate::picture::formats::decoder_error::{CUT_SHORT, one_line, too_much_memory};
use crate::picture::formats::raw::RawPicture;
use crate::picture::limits::{check_pixels, most_pixels};
use crate::picture::loaded::Warning;
use crate::picture::profile::DeclaredColours;

/// Most values of a pixel: RGB and two further channels.
const MAX_CHANNELS: u64 = 5;
/// Values that may be decoded beside those of the picture: small parts that are put together.
const MORE_SAMPLES: usize = 1 << 20;
/// Most bytes of an EXIF block that is compressed. Larger ones are refused anyway.
const MAX_EXIF: u64 = 1 << 20;

/// Returns whether the file begins like a JPEG XL file: bare, or in boxes.
pub(crate) fn is_jxl(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xff\x0a") || bytes.starts_with(b"\0\0\0\x0cJXL \r\n\x87\n")
}

/// Reads a picture, in the values of the file, turned as the file says.
pub(crate) fn read(bytes: &[u8], name: &Path, memory: Option<u64>) -> Result<RawPicture> {
    let (samples, exif) = read_notes(bytes, name, memory)?;

    let mut options = options(2 * samples + MORE_SAMPLES);
    options.alpha_mode = AlphaMode::Unpremultiplied;
    let mut decoder = JxlDecoder::new(options);
    let mut input = bytes;
    let failed = |error| failed(error, name);
    while decoder.basic_info().is_none() {
        step(&mut decoder, &mut input, None, name)?;
    }
    let info = decoder.basic_info().ok_or_else(|| damaged(name, CUT_SHORT))?;
    let kind = Kind::of(info, decoder.embedded_color_profile());
    let (width, height) = info.size;
    let extra = info.extra_channels.len();
    if decoder.embedded_color_profile().is_some_and(JxlColorProfile::is_cmyk) {
        let reason = "it is a JPEG XL with inks (CMYK)".into();
        return Err(Error::Unsupported { path: name.to_owned(), reason });
    }
    decoder
        .set_pixel_format(JxlPixelFormat {
            color_type: kind.color_type(),
            color_data_format: Some(kind.format()),
            extra_channel_format: vec![None; extra],
        })
        .map_err(failed)?;
    let profile = decoder.output_color_profile().cloned();

    let row = width * kind.color_type().samples_per_pixel() * kind.format().bytes_per_sample();
    // The decoder wants rows that begin where their values can.
    let mut buffer = vec![0u8; row * height + align_of::<f32>()];
    let start = buffer.as_ptr().align_offset(align_of::<f32>()).min(align_of::<f32>());
    let values = &mut buffer[start..start + row * height];
    let is_animated = loop {
        let output = &mut [JxlOutputBuffer::new(values, height, row)];
        if let Event::FrameComplete { has_more_frames } = step(&mut decoder, &mut input, Some(output), name)? {
            break has_more_frames;
        }
    };
    drop(decoder);
    let pixels = kind.pixels(values, (width as u32, height as u32)).ok_or_else(|| damaged(name, CUT_SHORT))?;
    let mut raw = RawPicture::new(pixels);
    match &profile {
        Some(JxlColorProfile::Icc(icc)) => raw.icc = Ok(Some(icc.clone())),
        Some(JxlColorProfile::Simple(encoding)) => match numbers(encoding) {
            Some((primaries, transfer)) => {
                raw.colours = DeclaredColours::of_still(primaries, transfer)
                    .map_err(|reason| raw.warnings.push(Warning::Colours { reason }))
                    .ok();
            }
            None => raw.icc = encoding.maybe_create_profile().map_err(|e| one_line(&e)),
        },
        None => {}
    }
    if is_animated {
        raw.warnings.push(Warning::Animation);
    }
    raw.exif = exif;
    raw.orientation = Some(Orientation::NoTransforms);
    Ok(raw)
}

/// An EXIF block, if there is one, or why it cannot be read.
type Exif = std::result::Result<Option<Vec<u8>>, String>;

/// Reads what a file says, and checks its size. Returns the number of values, and the EXIF block.
fn read_notes(bytes: &[u8], name: &Path, memory: Option<u64>) -> Result<(usize, Exif)> {
    let samples = most_pixels(memory).saturating_mul(MAX_CHANNELS);
    let mut options = options(usize::try_from(samples).unwrap_or(usize::MAX));
    options.scan_frames_only = true;
    options.request_aux_boxes = vec![JxlAuxBoxType::EXIF];
    let mut decoder = JxlDecoder::new(options);
    let mut input = bytes;
    while decoder.basic_info().is_none() {
        step(&mut decoder, &mut input, None, name)?;
    }
    let info = decoder.basic_info().ok_or_else(|| damaged(name, CUT_SHORT))?;
    let (width, height) = info.size;
    let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
    let channels = if has_alpha(info) { 4 } else { 3 };
    check_pixels((side(width), side(height)), channels, bytes, name, memory)?;
    let samples = width.max(16) * height * (3 + info.extra_channels.len());

    decoder.close_input();
    // What is wrong behind the pixels costs the notes only. What is wrong with the pixels comes up
    // again when they are read.
    while !matches!(step(&mut decoder, &mut input, None, name), Ok(Event::Complete) | Err(_)) {}
    let exif = decoder.aux_boxes(JxlAuxBoxType::EXIF).first().map(|found| {
        let mut block = Vec::new();
        match found.is_compressed() {
            false => block.extend_from_slice(found.raw_data()),
            true => {
                let mut reader = brotli_decompressor::Decompressor::new(found.raw_data(), 4096).take(MAX_EXIF);
                reader.read_to_end(&mut block).map_err(|e| one_line(&e))?;
            }
        }
        // The distance to the block's header stands in front.
        let (distance, rest) = block.split_first_chunk::<4>().ok_or("it is broken")?;
        let block = rest.get(u32::from_be_bytes(*distance) as usize..).ok_or("it is broken")?;
        Ok(block.to_vec())
    });
    Ok((samples, exif.transpose()))
}

fn options(samples: usize) -> JxlDecoderOptions {
    let mut options = JxlDecoderOptions::default();
    options.sample_limit = Some(samples);
    options.max_profile_level = ProfileLevel::Main10;
    options
}

/// Goes on to the next event. All of the file is there, so a need for more is an error.
fn step(
    decoder: &mut JxlDecoder,
    input: &mut &[u8],
    output: Option<&mut [JxlOutputBuffer]>,
    name: &Path,
) -> Result<Event> {
    match decoder.process(input, output, None) {
        Ok(Event::NeedMoreInput { .. }) => Err(damaged(name, CUT_SHORT)),
        Ok(event) => Ok(event),
        Err(error) => Err(failed(error, name)),
    }
}

fn damaged(name: &Path, reason: &str) -> Error {
    Error::Damaged { path: name.to_owned(), reason: reason.into() }
}

fn failed(error: jxl::error::Error, name: &Path) -> Error {
    use jxl::error::Error as Jxl;
    match error {
        Jxl::UnexpectedCodestreamBoxEnd | Jxl::OutOfBounds(_) | Jxl::SectionTooShort => damaged(name, CUT_SHORT),
        Jxl::ImageSizeTooLarge(width, height) => {
            let reason = format!("its {width}x{height} px are more than the memory may hold");
            Error::Unsupported { path: name.to_owned(), reason }
        }
        Jxl::ImageDimensionTooLarge(_) | Jxl::OutOfMemory(_) | Jxl::ImageOutOfMemory(..) => too_much_memory(name),
        Jxl::LevelLimitExceeded { .. } => Error::Unsupported { path: name.to_owned(), reason: one_line(&error) },
        other => damaged(name, &one_line(&other)),
    }
}

fn has_alpha(info: &JxlBasicInfo) -> bool {
    info.extra_channels.iter().any(|channel| channel.ec_type == ExtraChannel::Alpha)
}

/// The kind of values that are asked for.
struct Kind {
    is_grey: bool,
    has_alpha: bool,
    depth: Depth,
}

enum Depth {
    Eight,
    Sixteen,
    Float,
}

impl Kind {
    fn of(info: &JxlBasicInfo, profile: Option<&JxlColorProfile>) -> Self {
        Self {
            is_grey: profile.is_some_and(|profile| profile.channels() == 1),
            has_alpha: has_alpha(info),
            depth: match info.bit_depth {
                JxlBitDepth::Int { bits_per_sample: ..=8 } => Depth::Eight,
                JxlBitDepth::Int { .. } => Depth::Sixteen,
                JxlBitDepth::Float { .. } => Depth::Float,
            },
        }
    }

    fn color_type(&self) -> JxlColorType {
        match (self.is_grey, self.has_alpha) {
            (true, false) => JxlColorType::Grayscale,
            (true, true) => JxlColorType::GrayscaleAlpha,
            (false, false) => JxlColorType::Rgb,
            (false, true) => JxlColorType::Rgba,
        }
    }

    fn format(&self) -> JxlDataFormat {
        match self.depth {
            Depth::Eight => JxlDataFormat::U8 { bit_depth: 8 },
            Depth::Sixteen => JxlDataFormat::U16 { endianness: jxl::api::Endianness::native(), bit_depth: 16 },
            Depth::Float => JxlDataFormat::f32(),
        }
    }

    /// Makes pixels of the bytes that the decoder wrote, `None` if there are too few.
    fn pixels(&self, bytes: &[u8], size: (u32, u32)) -> Option<DynamicImage> {
        use image::{Luma, LumaA, Rgb, Rgba};
        let words = || bytes.as_chunks().0.iter().map(|&word| u16::from_ne_bytes(word)).collect();
        let floats = || bytes.as_chunks().0.iter().map(|&float| f32::from_ne_bytes(float));
        match (&self.depth, self.color_type()) {
            (Depth::Eight, JxlColorType::Grayscale) => buffer::<Luma<u8>>(size, bytes.to_vec()),
            (Depth::Eight, JxlColorType::GrayscaleAlpha) => buffer::<LumaA<u8>>(size, bytes.to_vec()),
            (Depth::Eight, JxlColorType::Rgb) => buffer::<Rgb<u8>>(size, bytes.to_vec()),
            (Depth::Eight, _) => buffer::<Rgba<u8>>(size, bytes.to_vec()),
            (Depth::Sixteen, JxlColorType::Grayscale) => buffer::<Luma<u16>>(size, words()),
            (Depth::Sixteen, JxlColorType::GrayscaleAlpha) => buffer::<LumaA<u16>>(size, words()),
            (Depth::Sixteen, JxlColorType::Rgb) => buffer::<Rgb<u16>>(size, words()),
            (Depth::Sixteen, _) => buffer::<Rgba<u16>>(size, words()),
            // `image` has no grey in fractions.
            (Depth::Float, JxlColorType::Grayscale) => {
                buffer::<Rgb<f32>>(size, floats().flat_map(|v| [v; 3]).collect())
            }
            (Depth::Float, JxlColorType::GrayscaleAlpha) => {
                let values: Vec<f32> = floats().collect();
                buffer::<Rgba<f32>>(size, values.as_chunks().0.iter().flat_map(|&[v, a]| [v, v, v, a]).collect())
            }
            (Depth::Float, JxlColorType::Rgb) => buffer::<Rgb<f32>>(size, floats().collect()),
            (Depth::Float, _) => buffer::<Rgba<f32>>(size, floats().collect()),
        }
    }
}

fn buffer<P: Pixel>((width, height): (u32, u32), values: Vec<P::Subpixel>) -> Option<DynamicImage>
where
    DynamicImage: From<ImageBuffer<P, Vec<P::Subpixel>>>,
{
    ImageBuffer::from_raw(width, height, values).map(DynamicImage::from)
}

/// Returns the numbers of ITU-T H.273 for primaries and curve, if they have any.
fn numbers(encoding: &JxlColorEncoding) -> Option<(u16, u16)> {
    let (primaries, white, transfer) = match encoding {
        JxlColorEncoding::RgbColorSpace { primaries, white_point, transfer_function, .. } => {
            (Some(primaries), white_point, transfer_function)
        }
        JxlColorEncoding::GrayscaleColorSpace { white_point, transfer_function, .. } => {
            (None, white_point, transfer_function)
        }
        _ => return None,
    };
    let primaries = match (primaries, white) {
        (None | Some(JxlPrimaries::SRGB), JxlWhitePoint::D65) => 1,
        (Some(JxlPrimaries::BT2100), JxlWhitePoint::D65) => 9,
        (Some(JxlPrimaries::P3), JxlWhitePoint::DCI) => 11,
        (Some(JxlPrimaries::P3), JxlWhitePoint::D65) => 12,
        _ => return None,
    };
    let transfer = match transfer {
        JxlTransferFunction::BT709 => 1,
        JxlTransferFunction::Linear => 8,
        JxlTransferFunction::SRGB => 13,
        JxlTransferFunction::PQ => 16,
        JxlTransferFunction::HLG => 18,
        JxlTransferFunction::DCI | JxlTransferFunction::Gamma(_) => return None,
    };
    Some((primaries, transfer))
}
