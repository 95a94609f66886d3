//! From a picture to the bytes of a file.

use tiff::tags::{ExtraSamples, PhotometricInterpretation, Tag};

use crate::picture::exif;

/// Adobe's tag for XMP.
pub(crate) const XMP: Tag = Tag::Unknown(700);

/// A picture to be written: colours, or colours and opacity, not compressed.
pub struct TiffPicture<'a> {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// RGB, or RGB and opacity.
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

/// Bytes of a strip, about.
const STRIP: usize = 1 << 20;

impl TiffPicture<'_> {
    /// The bytes of a file: the EXIF block, with whose header the file begins, so that all offsets in it still hold; the pixels; the
    /// profile and XMP; last the directory, with the block's notes among its entries.
    ///
    /// Errors: the file would be larger than TIFF's 32 bits can tell.
    pub fn file(&self, values: &TiffValues) -> Result<Vec<u8>, String> {
        let exif::Notes { is_big_endian, entries: notes } = self.exif.and_then(exif::notes).unwrap_or_default();
        let short = |v: u16| if is_big_endian { v.to_be_bytes() } else { v.to_le_bytes() };
        let long = |v: u32| if is_big_endian { v.to_be_bytes() } else { v.to_le_bytes() };
        let offset =
            |at: usize| u32::try_from(at).map_err(|_| "it would take more than the 4 GB that TIFF has room for");

        let mut file = match self.exif {
            Some(block) if !notes.is_empty() => block.to_vec(),
            _ => b"II*\0\0\0\0\0".to_vec(),
        };
        file.resize(file.len().next_multiple_of(2), 0);
        let pixels_at = file.len();
        let bits: u16 = match values {
            TiffValues::Bytes(data) => {
                file.extend(data);
                8
            }
            TiffValues::Words(data) => {
                file.extend(data.iter().flat_map(|&v| short(v)));
                16
            }
        };
        let end = file.len();
        let row = usize::from(self.channels) * usize::from(bits / 8) * self.width as usize;
        let rows = (STRIP / row.max(1)).clamp(1, (self.height as usize).max(1));
        let strips = (pixels_at..end).step_by((rows * row).max(1));
        let lengths = strips.clone().map(|at| Ok(long(offset((end - at).min(rows * row))?)));
        let lengths: Vec<[u8; 4]> = lengths.collect::<Result<_, String>>()?;
        let offsets: Vec<[u8; 4]> = strips.map(|at| Ok(long(offset(at)?))).collect::<Result<_, String>>()?;

        const SHORT: u16 = 3;
        const LONG: u16 = 4;
        let shorts = |values: &[u16]| (SHORT, values.len(), values.iter().flat_map(|&v| short(v)).collect::<Vec<u8>>());
        let longs = |values: &[[u8; 4]]| (LONG, values.len(), values.concat());
        let mut fields = vec![
            (Tag::ImageWidth, longs(&[long(self.width)])),
            (Tag::ImageLength, longs(&[long(self.height)])),
            (Tag::BitsPerSample, shorts(&vec![bits; self.channels.into()])),
            (Tag::Compression, shorts(&[1])),
            (Tag::PhotometricInterpretation, shorts(&[PhotometricInterpretation::RGB.to_u16()])),
            (Tag::StripOffsets, longs(&offsets)),
            (Tag::SamplesPerPixel, shorts(&[self.channels])),
            (Tag::RowsPerStrip, longs(&[long(rows as u32)])),
            (Tag::StripByteCounts, longs(&lengths)),
        ];
        if self.channels == 4 {
            fields.push((Tag::ExtraSamples, shorts(&[ExtraSamples::UnassociatedAlpha.to_u16()])));
        }
        const BYTE: u16 = 1;
        const UNDEFINED: u16 = 7;
        fields.extend(self.xmp.map(|xmp| (XMP, (BYTE, xmp.len(), xmp.to_vec()))));
        fields.extend(self.icc.map(|icc| (Tag::IccProfile, (UNDEFINED, icc.len(), icc.to_vec()))));

        let mut entries = notes;
        for (tag, (kind, count, value)) in fields {
            let place: [u8; 4] = match value.len() {
                0..=4 => {
                    let mut place = [0; 4];
                    place[..value.len()].copy_from_slice(&value);
                    place
                }
                _ => {
                    file.resize(file.len().next_multiple_of(2), 0);
                    let at = long(offset(file.len())?);
                    file.extend(&value);
                    at
                }
            };
            let head = [short(tag.to_u16()), short(kind)].concat();
            let entry = [&head[..], &long(offset(count)?), &place].concat();
            entries.push((tag.to_u16(), entry.try_into().expect("twelve bytes")));
        }
        entries.sort_by_key(|(tag, _)| *tag);
        file.resize(file.len().next_multiple_of(2), 0);
        let at = long(offset(file.len())?);
        file[4..8].copy_from_slice(&at);
        file.extend(short(entries.len() as u16));
        entries.iter().for_each(|(_, entry)| file.extend(entry));
        file.extend([0; 4]);
        Ok(file)
    }
}
