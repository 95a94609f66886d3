//! The numbers of a TIFF file, as the `tiff` crate reads them.

use std::io::Cursor;

use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::{TiffError, TiffResult};

use crate::picture::formats::tiff::fault::TiffFault;
use crate::picture::limits::MAX_DECODER_MEMORY;

/// A file whose numbers are read.
pub(crate) type TiffFile<'a> = Decoder<Cursor<&'a [u8]>>;

/// Bytes of the values of one tag at most. Profiles are such values.
const MAX_TAG: usize = 16 << 20;

/// Opens the file, with limits for the memory that its numbers may use.
pub(crate) fn open(bytes: &[u8]) -> TiffResult<TiffFile<'_>> {
    let mut limits = Limits::default();
    limits.decoding_buffer_size = MAX_DECODER_MEMORY as usize;
    limits.intermediate_buffer_size = MAX_DECODER_MEMORY as usize;
    limits.ifd_value_size = MAX_TAG;
    Ok(Decoder::new(Cursor::new(bytes))?.with_limits(limits))
}

/// Values of a picture, with the channels of a pixel together.
pub(crate) enum Samples {
    /// Values of fewer than 8 bits stay as they are, because they may be indices.
    Bytes(Vec<u8>),
    Words(Vec<u16>),
    /// In 0..1.
    Floats(Vec<f32>),
}

impl Samples {
    /// Scales values of `bits` bits to all of the range.
    pub(crate) fn scaled(self, bits: u16) -> Self {
        match (self, bits) {
            (Self::Bytes(mut data), 1 | 2 | 4) => {
                let step = 255 / ((1 << bits) - 1);
                data.iter_mut().for_each(|v| *v *= step);
                Self::Bytes(data)
            }
            (samples, _) => samples,
        }
    }

    /// Keeps the first `kept` of every `channels` values.
    pub(crate) fn first(self, channels: usize, kept: usize) -> Self {
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

/// Reads the values. Returns their number for each pixel, and the values.
pub(crate) fn samples(file: &mut TiffFile<'_>, width: u32, height: u32) -> Result<(usize, Samples), TiffFault> {
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

/// Unpacks values of `bits` bits from rows of `count` values. Each row begins with a whole byte.
fn unpacked(data: &[u8], count: usize, bits: usize) -> Vec<u8> {
    let mask = (1u8 << bits) - 1;
    let value = |row: &[u8], i: usize| (row[i * bits / 8] >> (8 - bits - i * bits % 8)) & mask;
    data.chunks_exact((count * bits).div_ceil(8)).flat_map(|row| (0..count).map(move |i| value(row, i))).collect()
}

/// Puts the channels of each pixel together. The planes have `plane` values and come one after the
/// other.
fn together<T: Copy>(data: Vec<T>, channels: usize, plane: Option<usize>) -> Vec<T> {
    match plane {
        Some(plane) if data.len() >= channels * plane => {
            (0..plane).flat_map(|i| (0..channels).map(move |c| (c, i))).map(|(c, i)| data[c * plane + i]).collect()
        }
        _ => data,
    }
}
