//! A copy of a TIFF file with another directory.
//!
//! The `tiff` crate reads greys of every kind, but neither palettes nor colours with fewer pixels
//! than their brightness has. A copy that calls them grey gives their numbers.

use tiff::tags::Tag;

use crate::picture::formats::decoder_error::CUT_SHORT;
use crate::picture::formats::tiff::fault::TiffFault;

/// `BlackIsZero`.
pub(crate) const GREY: u32 = 1;

/// Copies the file, with other entries in its first directory. Each becomes one number. An entry
/// that is not there is not added.
pub(crate) fn with_entries(bytes: &[u8], entries: &[(Tag, u32)]) -> Result<Vec<u8>, TiffFault> {
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

/// Reads a whole number of some bytes.
fn read_number(bytes: &[u8], at: usize, length: usize, is_big_endian: bool) -> Option<usize> {
    let bytes = bytes.get(at..at.checked_add(length)?)?;
    let add = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
    let value = if is_big_endian { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) };
    usize::try_from(value).ok()
}
