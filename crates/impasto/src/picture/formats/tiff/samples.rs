//! The numbers of a TIFF picture.

use crate::picture::formats::tiff::compression::decompressed;
use crate::picture::formats::tiff::directory::number;
use crate::picture::formats::tiff::fault::TiffFault;
use crate::picture::formats::tiff::layout::{Layout, SampleKind};
use crate::picture::limits::MAX_DECODER_MEMORY;

/// Values of a picture, with the channels of a pixel together.
pub(crate) enum Samples {
    /// Values of fewer than 8 bits stay as they are, because they may be indices.
    Bytes(Vec<u8>),
    /// Values of fewer than 16 bits stay as they are.
    Words(Vec<u16>),
    /// In 0..1.
    Floats(Vec<f32>),
}

impl Samples {
    /// Scales whole numbers of `bits` bits to all of the range.
    pub(crate) fn scaled(mut self, bits: usize) -> Self {
        match &mut self {
            Self::Bytes(data) if bits < 8 => {
                let most = (1u16 << bits) - 1;
                data.iter_mut().for_each(|v| *v = ((u16::from(*v) * 255 + most / 2) / most) as u8);
            }
            Self::Words(data) if bits < 16 => {
                let most = (1u32 << bits) - 1;
                data.iter_mut().for_each(|v| *v = ((u32::from(*v) * 65_535 + most / 2) / most) as u16);
            }
            _ => {}
        }
        self
    }

    /// Inverts the first of every `channels` values, which use all of the range.
    pub(crate) fn inverted(mut self, channels: usize) -> Self {
        match &mut self {
            Self::Bytes(data) => data.iter_mut().step_by(channels).for_each(|v| *v = !*v),
            Self::Words(data) => data.iter_mut().step_by(channels).for_each(|v| *v = !*v),
            Self::Floats(data) => data.iter_mut().step_by(channels).for_each(|v| *v = 1.0 - *v),
        }
        self
    }
}

/// Reads the channels `kept` of a picture, in this order.
///
/// Signed numbers become unsigned ones: their least is 0. So the least value is black and the
/// greatest white, as in ImageMagick. Neither it nor libtiff heeds `SMinSampleValue` and
/// `SMaxSampleValue`.
pub(crate) fn samples(layout: &Layout<'_>, kept: &[usize]) -> Result<Samples, TiffFault> {
    let (bits, is_big_endian) = (layout.bits, layout.file.is_big_endian);
    let sign: u16 = match layout.kind {
        SampleKind::Signed if bits <= 16 => 1 << (bits - 1),
        _ => 0,
    };
    let bytes_at = |row: &[u8], i: usize| number(&row[i * bits / 8..(i + 1) * bits / 8], is_big_endian);
    Ok(match (layout.kind, bits) {
        (SampleKind::Unsigned, 8) => Samples::Bytes(read(layout, kept, |row, i| row[i])?),
        (SampleKind::Signed | SampleKind::Unsigned, 1..=8) => {
            Samples::Bytes(read(layout, kept, |row, i| (bits_at(row, i, bits) ^ sign) as u8)?)
        }
        (SampleKind::Signed | SampleKind::Unsigned, 16) => {
            let word = |row: &[u8], i: usize| {
                let pair = [row[2 * i], row[2 * i + 1]];
                (if is_big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }) ^ sign
            };
            Samples::Words(read(layout, kept, word)?)
        }
        (SampleKind::Signed | SampleKind::Unsigned, 9..=15) => {
            Samples::Words(read(layout, kept, |row, i| bits_at(row, i, bits) ^ sign)?)
        }
        (SampleKind::Float, 16) => {
            let half = |row: &[u8], i: usize| half::f16::from_bits(bytes_at(row, i) as u16).to_f32();
            Samples::Floats(read(layout, kept, half)?)
        }
        (SampleKind::Float, 32) => {
            Samples::Floats(read(layout, kept, |row, i| f32::from_bits(bytes_at(row, i) as u32))?)
        }
        (SampleKind::Float, 64) => {
            Samples::Floats(read(layout, kept, |row, i| f64::from_bits(bytes_at(row, i)) as f32)?)
        }
        (SampleKind::Float, _) => {
            return Err(TiffFault::Unsupported(format!("its values are fractions of {bits} bits")));
        }
        _ => {
            let found = format!("its values are whole numbers of {bits} bits, and may be negative or beyond 16 bits");
            return Err(TiffFault::Unsupported(found));
        }
    })
}

/// Reads value `i` of a row whose values follow each other bit by bit, the highest bit first.
/// `bits` is 1 to 16.
fn bits_at(row: &[u8], i: usize, bits: usize) -> u16 {
    let (start, shift) = (i * bits / 8, i * bits % 8);
    let byte = |at: usize| u32::from(row.get(at).copied().unwrap_or(0));
    let three = byte(start) << 16 | byte(start + 1) << 8 | byte(start + 2);
    (three >> (24 - shift - bits) & ((1 << bits) - 1)) as u16
}

/// Reads the channels `kept`. `value` finds a value in a row of a chunk by its number.
fn read<T: Copy + Default>(
    layout: &Layout<'_>,
    kept: &[usize],
    value: impl Fn(&[u8], usize) -> T,
) -> Result<Vec<T>, TiffFault> {
    let (width, channels) = (layout.width, layout.channels_together());
    let row_bytes = layout.row_bytes().ok_or(TiffFault::TooMuchMemory)?;
    let mut result = vec![T::default(); width * layout.height * kept.len()];
    for plane in 0..layout.planes() {
        // With the channels apart, a plane has one of them.
        let wanted: Vec<(usize, usize)> = match layout.is_planar {
            true => (0..kept.len()).filter(|&k| kept[k] == plane).map(|k| (k, 0)).collect(),
            false => kept.iter().copied().enumerate().collect(),
        };
        if wanted.is_empty() {
            continue;
        }
        for row in 0..layout.down() {
            let rows = layout.rows_inside(row);
            let is_too_large = |bytes: usize| bytes as u64 > MAX_DECODER_MEMORY;
            if row_bytes.checked_mul(layout.rows_stored(row)).is_none_or(is_too_large) {
                return Err(TiffFault::TooMuchMemory);
            }
            for column in 0..layout.across() {
                let stored = layout.stored(plane, row, column)?;
                let mut chunk = decompressed(layout, stored, (rows, row_bytes))?;
                if layout.predictor != 1 {
                    chunk.to_mut().chunks_exact_mut(row_bytes).try_for_each(|row| add_up(layout, row))?;
                }
                let left = column * layout.chunk_width;
                let columns = layout.chunk_width.min(width - left);
                for (y, row_of_chunk) in chunk.chunks_exact(row_bytes).enumerate() {
                    let start = ((row * layout.chunk_height + y) * width + left) * kept.len();
                    let pixels = &mut result[start..start + columns * kept.len()];
                    for (x, pixel) in pixels.chunks_exact_mut(kept.len()).enumerate() {
                        wanted.iter().for_each(|&(k, c)| pixel[k] = value(row_of_chunk, x * channels + c));
                    }
                }
            }
        }
    }
    Ok(result)
}

/// Adds the differences of a row up (section 14, and Adobe's Technical Note 3 for fractions).
fn add_up(layout: &Layout<'_>, row: &mut [u8]) -> Result<(), TiffFault> {
    let channels = layout.channels_together();
    match (layout.predictor, layout.bits, layout.kind) {
        (2, 8, _) => add_whole(row, channels, u8::from_le_bytes, u8::wrapping_add, u8::to_le_bytes),
        (2, 16, _) if layout.file.is_big_endian => {
            add_whole(row, channels, u16::from_be_bytes, u16::wrapping_add, u16::to_be_bytes);
        }
        (2, 16, _) => add_whole(row, channels, u16::from_le_bytes, u16::wrapping_add, u16::to_le_bytes),
        (2, 32, _) if layout.file.is_big_endian => {
            add_whole(row, channels, u32::from_be_bytes, u32::wrapping_add, u32::to_be_bytes);
        }
        (2, 32, _) => add_whole(row, channels, u32::from_le_bytes, u32::wrapping_add, u32::to_le_bytes),
        (2, 64, _) if layout.file.is_big_endian => {
            add_whole(row, channels, u64::from_be_bytes, u64::wrapping_add, u64::to_be_bytes);
        }
        (2, 64, _) => add_whole(row, channels, u64::from_le_bytes, u64::wrapping_add, u64::to_le_bytes),
        (3, 16 | 32 | 64, SampleKind::Float) => {
            add_whole(row, channels, u8::from_le_bytes, u8::wrapping_add, u8::to_le_bytes);
            // The highest bytes of all values come first, then the next ones.
            let bytes = layout.bits / 8;
            let apart = row.to_vec();
            let count = apart.len() / bytes;
            for (i, value) in row.chunks_exact_mut(bytes).enumerate() {
                for (b, byte) in value.iter_mut().enumerate() {
                    let significance = if layout.file.is_big_endian { b } else { bytes - 1 - b };
                    *byte = apart[significance * count + i];
                }
            }
        }
        (predictor, bits, _) => {
            let found = format!("its values of {bits} bits have the predictor {predictor}");
            return Err(TiffFault::Unsupported(found));
        }
    }
    Ok(())
}

/// Adds each number to the one that lies `channels` before it.
fn add_whole<const N: usize, T: Copy>(
    row: &mut [u8],
    channels: usize,
    from: impl Fn([u8; N]) -> T,
    sum: impl Fn(T, T) -> T,
    to: impl Fn(T) -> [u8; N],
) {
    let (values, _) = row.as_chunks_mut::<N>();
    for i in channels..values.len() {
        values[i] = to(sum(from(values[i - channels]), from(values[i])));
    }
}
