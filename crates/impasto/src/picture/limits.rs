//! How large a picture or its file may be, and how much memory it takes to read one.

use std::path::Path;

use crate::error::{Error, Result};

/// Most pixels that are decoded if no memory is given. If memory is given, it alone decides: phones
/// make pictures of 200 megapixels. A file of a few kilobytes may claim 2 gigapixels.
pub const MAX_PIXELS: u64 = 100_000_000;

/// Bytes that a decoder may use: [`MAX_PIXELS`] of the widest pixel there is (RGBA f32). That is 16 times
/// as many of 8-bit grey.
pub(crate) const MAX_DECODER_MEMORY: u64 = MAX_PIXELS * 16;

/// Most bytes of a file: [`MAX_PIXELS`] of the widest pixel.
pub const MAX_FILE: u64 = MAX_DECODER_MEMORY;

/// Most bytes a pixel for reading a picture without opacity and halving its sides: the picture, the
/// same in linear light, and half of it twice. For a quarter of its sides 25 were measured.
/// Enlarging takes more, but the run with the result takes far more than that.
const READING: u64 = 36;

/// The same with opacity, or with black ink. For a quarter of its sides 33 were measured.
const READING_FOUR: u64 = 52;

/// Bytes a pixel of the values of the file, if they are kept.
const OWN_VALUES: u64 = 12;

/// Bytes of a process that reads a picture, without the picture. 11 MiB were measured.
const READING_BASE: u64 = 24 << 20;

/// Refuses an empty file, and one that is larger than any picture that is decoded.
pub(crate) fn check_length(bytes: &[u8], name: &Path) -> Result<()> {
    if bytes.is_empty() {
        return Err(Error::EmptyFile { path: name.to_owned() });
    }
    if bytes.len() as u64 > MAX_FILE {
        let reason = format!("it has more than {} MB", MAX_FILE / 1_000_000);
        return Err(Error::Unsupported { path: name.to_owned(), reason });
    }
    Ok(())
}

/// Returns how many pixels may be read within `memory`, at most.
pub(crate) fn most_pixels(memory: Option<u64>) -> u64 {
    memory.map_or(MAX_PIXELS, |memory| memory / READING)
}

/// Refuses a picture of too many pixels for the memory, or of more than [`MAX_PIXELS`] if the memory
/// is not limited. `channels` is their number in the file.
pub(crate) fn check_pixels(
    (width, height): (u32, u32),
    channels: usize,
    bytes: &[u8],
    name: &Path,
    memory: Option<u64>,
) -> Result<()> {
    let (width, height, path) = (u64::from(width), u64::from(height), || name.to_owned());
    if memory.is_none() && width * height > MAX_PIXELS {
        return Err(Error::TooManyPixels { path: path(), width, height, most: MAX_PIXELS });
    }
    // Grey with opacity has few values, but becomes colours with opacity.
    let pixel = if matches!(channels, 1 | 3) { READING } else { READING_FOUR };
    check_memory((width, height), pixel, bytes, name, memory)
}

/// Refuses a picture that is too large for the memory if the values of the file are kept beside
/// those in sRGB.
pub(crate) fn check_own_values(
    (width, height): (u32, u32),
    bytes: &[u8],
    name: &Path,
    memory: Option<u64>,
) -> Result<()> {
    check_memory((width.into(), height.into()), READING_FOUR + OWN_VALUES, bytes, name, memory)
}

/// Refuses a picture whose reading takes more than `memory`, with `pixel` bytes a pixel.
fn check_memory((width, height): (u64, u64), pixel: u64, bytes: &[u8], name: &Path, memory: Option<u64>) -> Result<()> {
    let of_pixels = pixel.saturating_mul(width * height);
    let needed = of_pixels.saturating_add(READING_BASE + bytes.len() as u64);
    match memory {
        Some(budget) if needed > budget => {
            Err(Error::ReadingMemory { path: name.to_owned(), width, height, needed, budget })
        }
        _ => Ok(()),
    }
}
