//! The directories of a TIFF file: values under tags (TIFF 6.0, section 2, and BigTIFF).
//!
//! Offsets and counts come from the file, so every access is checked. A directory that points
//! beyond the end of the file is an error, and so is a value.

use tiff::tags::Tag;

use crate::picture::formats::decoder_error::CUT_SHORT;
use crate::picture::formats::tiff::fault::TiffFault;

/// Bytes of the values of one tag at most. Profiles are such values, and places of tiles.
const MAX_VALUE: u64 = 16 << 20;

/// The kinds of value that TIFF has, by their number in a file.
pub(crate) mod kinds {
    pub(crate) const BYTE: u16 = 1;
    pub(crate) const ASCII: u16 = 2;
    pub(crate) const SHORT: u16 = 3;
    pub(crate) const LONG: u16 = 4;
    pub(crate) const RATIONAL: u16 = 5;
    pub(crate) const SBYTE: u16 = 6;
    pub(crate) const UNDEFINED: u16 = 7;
    pub(crate) const SSHORT: u16 = 8;
    pub(crate) const SLONG: u16 = 9;
    pub(crate) const SRATIONAL: u16 = 10;
    pub(crate) const FLOAT: u16 = 11;
    pub(crate) const DOUBLE: u16 = 12;
    pub(crate) const IFD: u16 = 13;
    /// BigTIFF has these three.
    pub(crate) const LONG8: u16 = 16;
    pub(crate) const SLONG8: u16 = 17;
    pub(crate) const IFD8: u16 = 18;
}

/// The bytes of a file, with the order of the bytes of its numbers.
#[derive(Clone, Copy)]
pub(crate) struct TiffFile<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) is_big_endian: bool,
    /// Whether offsets have 64 bits instead of 32.
    is_big: bool,
}

impl<'a> TiffFile<'a> {
    /// Reads the header.
    pub(crate) fn open(bytes: &'a [u8]) -> Result<Self, TiffFault> {
        let is_big_endian = bytes.starts_with(b"MM");
        let file = Self { bytes, is_big_endian, is_big: false };
        match (file.number(2, 2), file.number(4, 2)) {
            (Some(42), _) => Ok(file),
            (Some(43), Some(8)) => Ok(Self { is_big: true, ..file }),
            _ => Err(TiffFault::Damaged("its header is broken".into())),
        }
    }

    /// Returns the place of the first directory.
    pub(crate) fn first(self) -> Option<u64> {
        if self.is_big { self.number(8, 8) } else { self.number(4, 4) }
    }

    /// Reads the directory at this place.
    pub(crate) fn directory(self, at: u64) -> Result<Directory<'a>, TiffFault> {
        self.read_directory(at).ok_or_else(|| TiffFault::Damaged(CUT_SHORT.into()))
    }

    fn read_directory(self, at: u64) -> Option<Directory<'a>> {
        let at = usize::try_from(at).ok()?;
        let (count_bytes, entry_bytes, wide) = if self.is_big { (8, 20, 8) } else { (2, 12, 4) };
        let count = usize::try_from(self.number(at, count_bytes)?).ok()?;
        let start = at.checked_add(count_bytes)?;
        let end = start.checked_add(count.checked_mul(entry_bytes)?)?;
        self.bytes.get(start..end)?;
        let entry = |at: usize| {
            let (tag, kind) = (self.number(at, 2)? as u16, self.number(at + 2, 2)? as u16);
            Some(Entry { tag, kind, count: self.number(at + 4, wide)?, at: at + 4 + wide })
        };
        let entries = (start..end).step_by(entry_bytes).map(entry).collect::<Option<_>>()?;
        // If the link to the next directory is missing, there is none.
        Some(Directory { file: self, entries, next: self.number(end, wide).unwrap_or(0) })
    }

    /// Reads a whole number of `length` bytes, 8 at most.
    fn number(self, at: usize, length: usize) -> Option<u64> {
        Some(number(self.bytes.get(at..at.checked_add(length)?)?, self.is_big_endian))
    }
}

/// Reads all of the bytes as one whole number.
pub(crate) fn number(bytes: &[u8], is_big_endian: bool) -> u64 {
    let add = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
    if is_big_endian { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) }
}

struct Entry {
    tag: u16,
    kind: u16,
    count: u64,
    /// The place of the value, or of its offset if the value does not fit.
    at: usize,
}

/// What a file says about one of its pictures.
pub(crate) struct Directory<'a> {
    pub(crate) file: TiffFile<'a>,
    entries: Vec<Entry>,
    /// The place of the next directory, or 0.
    pub(crate) next: u64,
}

impl<'a> Directory<'a> {
    /// Returns the tags, in the order of the file.
    pub(crate) fn tags(&self) -> impl Iterator<Item = u16> {
        self.entries.iter().map(|entry| entry.tag)
    }

    /// Returns the bytes that the value of a tag would have, whether they are there or not. Returns
    /// `None` for a kind that does not exist.
    pub(crate) fn length(&self, tag: Tag) -> Option<u64> {
        let entry = self.entries.iter().find(|entry| entry.tag == tag.to_u16())?;
        Some(entry.count.saturating_mul(unit(entry.kind)? as u64))
    }

    /// Returns the value of a tag.
    pub(crate) fn value(&self, tag: Tag) -> Result<Option<Value<'a>>, TiffFault> {
        let Some(entry) = self.entries.iter().find(|entry| entry.tag == tag.to_u16()) else {
            return Ok(None);
        };
        let damaged = || TiffFault::Damaged(format!("the value of its tag {} is broken", entry.tag));
        let unit = unit(entry.kind).ok_or_else(damaged)?;
        let length = entry.count.checked_mul(unit as u64).filter(|&length| length <= MAX_VALUE).ok_or_else(damaged)?;
        let wide = if self.file.is_big { 8 } else { 4 };
        let at = match length <= wide as u64 {
            true => Some(entry.at as u64),
            false => self.file.number(entry.at, wide),
        };
        let range = at.and_then(|at| {
            let at = usize::try_from(at).ok()?;
            self.file.bytes.get(at..at.checked_add(length as usize)?)
        });
        let bytes = range.ok_or_else(damaged)?;
        Ok(Some(Value { tag: entry.tag, kind: entry.kind, bytes, is_big_endian: self.file.is_big_endian }))
    }

    /// Returns the whole numbers of a tag, or no numbers if the tag is missing.
    pub(crate) fn numbers(&self, tag: Tag) -> Result<Vec<u64>, TiffFault> {
        self.value(tag)?.map_or(Ok(Vec::new()), |value| value.numbers())
    }

    /// Returns the first whole number of a tag.
    pub(crate) fn number(&self, tag: Tag) -> Result<Option<u64>, TiffFault> {
        Ok(self.numbers(tag)?.first().copied())
    }

    /// Returns the bytes of a tag, whatever kind they are.
    pub(crate) fn bytes(&self, tag: Tag) -> Result<Option<&'a [u8]>, TiffFault> {
        Ok(self.value(tag)?.map(|value| value.bytes))
    }
}

/// Bytes of one value of this kind.
fn unit(kind: u16) -> Option<usize> {
    match kind {
        kinds::BYTE | kinds::ASCII | kinds::SBYTE | kinds::UNDEFINED => Some(1),
        kinds::SHORT | kinds::SSHORT => Some(2),
        kinds::LONG | kinds::SLONG | kinds::FLOAT | kinds::IFD => Some(4),
        kinds::RATIONAL | kinds::SRATIONAL | kinds::DOUBLE => Some(8),
        kinds::LONG8 | kinds::SLONG8 | kinds::IFD8 => Some(8),
        _ => None,
    }
}

/// What stands under a tag.
pub(crate) struct Value<'a> {
    tag: u16,
    pub(crate) kind: u16,
    pub(crate) bytes: &'a [u8],
    is_big_endian: bool,
}

impl Value<'_> {
    /// Returns the number of its parts.
    pub(crate) fn count(&self) -> usize {
        self.bytes.len() / unit(self.kind).unwrap_or(1)
    }

    /// Returns it as whole numbers that are not negative.
    pub(crate) fn numbers(&self) -> Result<Vec<u64>, TiffFault> {
        match self.kind {
            kinds::BYTE | kinds::SHORT | kinds::LONG | kinds::IFD | kinds::LONG8 | kinds::IFD8 => {
                Ok(self.parts(unit(self.kind).unwrap_or(1)).collect())
            }
            _ => Err(TiffFault::Damaged(format!("its tag {} is no whole number", self.tag))),
        }
    }

    /// Returns it as fractions. What is none becomes NaN.
    pub(crate) fn fractions(&self) -> Vec<f32> {
        let pairs = || self.bytes.chunks_exact(8).map(|pair| pair.split_at(4));
        let part = |bytes| number(bytes, self.is_big_endian) as u32;
        match self.kind {
            kinds::RATIONAL => pairs().map(|(n, d)| part(n) as f32 / part(d).max(1) as f32).collect(),
            kinds::SRATIONAL => pairs()
                .map(|(n, d)| (part(n) as i32, part(d) as i32))
                .map(|(n, d)| n as f32 / if d == 0 { 1.0 } else { d as f32 })
                .collect(),
            kinds::FLOAT => self.parts(4).map(|bits| f32::from_bits(bits as u32)).collect(),
            _ => vec![f32::NAN; self.count()],
        }
    }

    /// Returns its bytes in little endian.
    pub(crate) fn little_endian(&self) -> Vec<u8> {
        let part = match self.kind {
            // These are pairs.
            kinds::RATIONAL | kinds::SRATIONAL => 4,
            kind => unit(kind).unwrap_or(1),
        };
        let bytes = self.bytes.chunks_exact(part);
        match self.is_big_endian {
            true => bytes.flat_map(|part| part.iter().rev().copied()).collect(),
            false => self.bytes.to_vec(),
        }
    }

    fn parts(&self, length: usize) -> impl Iterator<Item = u64> {
        self.bytes.chunks_exact(length).map(|part| number(part, self.is_big_endian))
    }
}
