//! From a picture to the bytes of a TIFF file.

use std::ops::Range;

use tiff::tags::{ExtraSamples, PhotometricInterpretation, Tag, Type};

use crate::picture::exif;

/// Adobe's tag for XMP.
pub(crate) const XMP: Tag = Tag::Unknown(700);

/// A picture to be written: colours, or colours and opacity, not compressed.
pub struct TiffPicture<'a> {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// 3 for RGB, 4 for RGB and opacity.
    pub channels: u16,
    /// The colour profile.
    pub icc: Option<&'a [u8]>,
    /// The XMP packet.
    pub xmp: Option<&'a [u8]>,
    /// The EXIF block.
    pub exif: Option<&'a [u8]>,
}

/// Values of 8 or 16 bits.
pub enum TiffValues {
    Bytes(Vec<u8>),
    Words(Vec<u16>),
}

/// Bytes of a strip, roughly.
const STRIP: usize = 1 << 20;

impl TiffPicture<'_> {
    /// Returns the bytes of a file.
    ///
    /// It begins with the EXIF block, whose header becomes the file's, so all offsets in the block
    /// still hold. Then come the pixels, the profile and XMP. The directory is last, with the
    /// block's notes among its entries.
    ///
    /// Errors: the file would be larger than TIFF's 32 bits can tell.
    pub fn file(&self, values: &TiffValues) -> Result<Vec<u8>, String> {
        let mut writer = TiffWriter::new(self.exif);
        let pixels = writer.pixels(values);
        let bits = values.bits();
        let row = usize::from(self.channels) * usize::from(bits / 8) * self.width as usize;
        let rows = (STRIP / row.max(1)).clamp(1, (self.height as usize).max(1));
        let strips = pixels.clone().step_by((rows * row).max(1));
        let lengths = strips.clone().map(|at| offset((pixels.end - at).min(rows * row)));
        let lengths: Vec<u32> = lengths.collect::<Result<_, _>>()?;
        let offsets: Vec<u32> = strips.map(offset).collect::<Result<_, _>>()?;

        writer.longs(Tag::ImageWidth, &[self.width])?;
        writer.longs(Tag::ImageLength, &[self.height])?;
        writer.shorts(Tag::BitsPerSample, &vec![bits; self.channels.into()])?;
        writer.shorts(Tag::Compression, &[1])?;
        writer.shorts(Tag::PhotometricInterpretation, &[PhotometricInterpretation::RGB.to_u16()])?;
        writer.longs(Tag::StripOffsets, &offsets)?;
        writer.shorts(Tag::SamplesPerPixel, &[self.channels])?;
        writer.longs(Tag::RowsPerStrip, &[rows as u32])?;
        writer.longs(Tag::StripByteCounts, &lengths)?;
        if self.channels == 4 {
            writer.shorts(Tag::ExtraSamples, &[ExtraSamples::UnassociatedAlpha.to_u16()])?;
        }
        if let Some(xmp) = self.xmp {
            writer.field(XMP, Type::BYTE, xmp.len(), xmp)?;
        }
        if let Some(icc) = self.icc {
            writer.field(Tag::IccProfile, Type::UNDEFINED, icc.len(), icc)?;
        }
        writer.finish()
    }
}

impl TiffValues {
    fn bits(&self) -> u16 {
        match self {
            Self::Bytes(_) => 8,
            Self::Words(_) => 16,
        }
    }
}

/// A file that grows at its end.
struct TiffWriter {
    file: Vec<u8>,
    is_big_endian: bool,
    /// Tag and entry of the directory.
    entries: Vec<(u16, [u8; 12])>,
}

impl TiffWriter {
    /// Begins with the EXIF block and its notes, or with a header if there are none.
    fn new(exif: Option<&[u8]>) -> Self {
        let exif::Notes { is_big_endian, entries } = exif.and_then(exif::notes).unwrap_or_default();
        let file = match exif {
            Some(block) if !entries.is_empty() => block.to_vec(),
            _ => b"II*\0\0\0\0\0".to_vec(),
        };
        Self { file, is_big_endian, entries }
    }

    fn short(&self, v: u16) -> [u8; 2] {
        if self.is_big_endian { v.to_be_bytes() } else { v.to_le_bytes() }
    }

    fn long(&self, v: u32) -> [u8; 4] {
        if self.is_big_endian { v.to_be_bytes() } else { v.to_le_bytes() }
    }

    /// Values and directories begin at even offsets.
    fn align(&mut self) {
        self.file.resize(self.file.len().next_multiple_of(2), 0);
    }

    /// Adds the pixels. Returns their place in the file.
    fn pixels(&mut self, values: &TiffValues) -> Range<usize> {
        self.align();
        let start = self.file.len();
        match values {
            TiffValues::Bytes(data) => self.file.extend(data),
            TiffValues::Words(data) => {
                let is_big_endian = self.is_big_endian;
                let bytes = |v: &u16| if is_big_endian { v.to_be_bytes() } else { v.to_le_bytes() };
                self.file.extend(data.iter().flat_map(bytes));
            }
        }
        start..self.file.len()
    }

    /// Adds a field of 16-bit values.
    fn shorts(&mut self, tag: Tag, values: &[u16]) -> Result<(), String> {
        let value: Vec<u8> = values.iter().flat_map(|&v| self.short(v)).collect();
        self.field(tag, Type::SHORT, values.len(), &value)
    }

    /// Adds a field of 32-bit values.
    fn longs(&mut self, tag: Tag, values: &[u32]) -> Result<(), String> {
        let value: Vec<u8> = values.iter().flat_map(|&v| self.long(v)).collect();
        self.field(tag, Type::LONG, values.len(), &value)
    }

    /// Adds a field. If its value does not fit in the entry, it goes to the end of the file.
    fn field(&mut self, tag: Tag, kind: Type, count: usize, value: &[u8]) -> Result<(), String> {
        let mut place = [0; 4];
        match place.get_mut(..value.len()) {
            Some(place) => place.copy_from_slice(value),
            None => {
                self.align();
                place = self.long(offset(self.file.len())?);
                self.file.extend(value);
            }
        }
        let head = [self.short(tag.to_u16()), self.short(kind.to_u16())].concat();
        let entry = [&head[..], &self.long(offset(count)?), &place].concat();
        self.entries.push((tag.to_u16(), entry.try_into().expect("twelve bytes")));
        Ok(())
    }

    /// Adds the directory, and has the header point to it.
    fn finish(mut self) -> Result<Vec<u8>, String> {
        self.entries.sort_by_key(|(tag, _)| *tag);
        self.align();
        let at = self.long(offset(self.file.len())?);
        self.file[4..8].copy_from_slice(&at);
        let count = self.short(self.entries.len() as u16);
        self.file.extend(count);
        self.entries.iter().for_each(|(_, entry)| self.file.extend(entry));
        self.file.extend([0; 4]);
        Ok(self.file)
    }
}

/// Returns a number of bytes as TIFF's 32 bits.
fn offset(at: usize) -> Result<u32, String> {
    u32::try_from(at).map_err(|_| "it would take more than the 4 GB that TIFF has room for".to_owned())
}
