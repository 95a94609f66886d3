//! How the values of a TIFF picture lie in its file.
//!
//! A picture is cut into chunks: strips of whole rows, or tiles of one size, whose last ones reach
//! beyond the picture. With channels stored apart, each channel has chunks of its own.

use tiff::tags::{CompressionMethod, Tag};

use crate::picture::formats::decoder_error::CUT_SHORT;
use crate::picture::formats::tiff::directory::{Directory, TiffFile};
use crate::picture::formats::tiff::fault::TiffFault;

/// What the numbers of a picture are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SampleKind {
    Unsigned,
    Signed,
    Float,
}

/// How the values of a picture lie in its file.
#[derive(Clone)]
pub(crate) struct Layout<'a> {
    pub(crate) file: TiffFile<'a>,
    /// Width in pixels.
    pub(crate) width: usize,
    /// Height in pixels.
    pub(crate) height: usize,
    /// Values of a pixel.
    pub(crate) channels: usize,
    /// Bits of a value, 1 to 64.
    pub(crate) bits: usize,
    pub(crate) kind: SampleKind,
    /// Whether each channel has chunks of its own.
    pub(crate) is_planar: bool,
    /// Whether chunks have the same size at the lower end of the picture, too.
    is_tiled: bool,
    /// Width of a chunk in pixels.
    pub(crate) chunk_width: usize,
    /// Height of a chunk in pixels.
    pub(crate) chunk_height: usize,
    /// The place and the length of each chunk.
    chunks: Vec<(u64, u64)>,
    pub(crate) compression: CompressionMethod,
    /// 1 is none, 2 stores differences, 3 stores differences of the bytes of fractions.
    pub(crate) predictor: u64,
    /// Whether the first bit of a byte is its lowest.
    pub(crate) is_reversed: bool,
    /// Tables for all JPEGs of the picture.
    pub(crate) jpeg_tables: Option<&'a [u8]>,
}

impl<'a> Layout<'a> {
    pub(crate) fn new(page: &Directory<'a>) -> Result<Self, TiffFault> {
        let size = |tag| -> Result<usize, TiffFault> {
            let side = page.number(tag)?.filter(|&side| 0 < side && side <= u64::from(u32::MAX));
            side.map(|side| side as usize).ok_or_else(|| TiffFault::Damaged("it does not say its size".into()))
        };
        let (width, height) = (size(Tag::ImageWidth)?, size(Tag::ImageLength)?);
        let channels = page.number(Tag::SamplesPerPixel)?.unwrap_or(1);
        let channels = u16::try_from(channels).ok().filter(|&channels| channels > 0);
        let channels = channels.ok_or_else(|| TiffFault::Damaged("its pixels have no values".into()))?.into();
        let bits = page.numbers(Tag::BitsPerSample)?;
        let first = bits.first().copied().unwrap_or(1);
        if bits.iter().any(|&b| b != first) {
            return Err(TiffFault::Unsupported(format!("its channels have different depths: {bits:?} bits")));
        }
        if !(1..=64).contains(&first) {
            return Err(TiffFault::Unsupported(format!("its values have {first} bits")));
        }
        let formats = page.numbers(Tag::SampleFormat)?;
        let kind = match formats.first() {
            // 4 stands for numbers of which nothing is known.
            _ if formats.iter().any(|f| *f != formats[0]) => None,
            None | Some(1 | 4) => Some(SampleKind::Unsigned),
            Some(2) => Some(SampleKind::Signed),
            Some(3) => Some(SampleKind::Float),
            Some(_) => None,
        };
        let kind = kind.ok_or_else(|| TiffFault::Unsupported("its values are not of one common kind".into()))?;
        let compression = page.number(Tag::Compression)?.unwrap_or(1);
        let is_tiled = page.value(Tag::TileWidth)?.is_some();
        let (chunk_width, chunk_height) = match is_tiled {
            true => (size(Tag::TileWidth)?, size(Tag::TileLength)?),
            // Some programs write 0, or the highest number, for one strip.
            false => {
                let rows = page.number(Tag::RowsPerStrip)?.filter(|&rows| rows > 0 && rows < height as u64);
                (width, rows.map_or(height, |rows| rows as usize))
            }
        };
        Ok(Self {
            file: page.file,
            width,
            height,
            channels,
            bits: first as usize,
            kind,
            is_planar: page.number(Tag::PlanarConfiguration)? == Some(2) && channels > 1,
            is_tiled,
            chunk_width,
            chunk_height,
            chunks: chunks(page)?,
            compression: CompressionMethod::from_u16_exhaustive(u16::try_from(compression).unwrap_or(u16::MAX)),
            predictor: page.number(Tag::Predictor)?.unwrap_or(1),
            is_reversed: page.number(Tag::FillOrder)? == Some(2),
            jpeg_tables: page.bytes(Tag::JPEGTables)?,
        })
    }

    /// Returns the layout of a grey picture with the same chunks. Each block of `columns` x `rows`
    /// pixels becomes `bytes` grey pixels beside each other.
    pub(crate) fn of_blocks(&self, (columns, rows): (usize, usize), bytes: usize) -> Self {
        let across = |width: usize| width.div_ceil(columns).saturating_mul(bytes);
        Self {
            width: across(self.width),
            height: self.height.div_ceil(rows),
            channels: 1,
            chunk_width: across(self.chunk_width),
            chunk_height: self.chunk_height.div_ceil(rows),
            ..self.clone()
        }
    }

    /// Returns the values of a pixel that lie together.
    pub(crate) fn channels_together(&self) -> usize {
        if self.is_planar { 1 } else { self.channels }
    }

    /// Returns the planes of channels that lie together.
    pub(crate) fn planes(&self) -> usize {
        if self.is_planar { self.channels } else { 1 }
    }

    /// Returns the chunks beside each other.
    pub(crate) fn across(&self) -> usize {
        self.width.div_ceil(self.chunk_width)
    }

    /// Returns the chunks below each other.
    pub(crate) fn down(&self) -> usize {
        self.height.div_ceil(self.chunk_height)
    }

    /// Returns the bytes of a row of a chunk. Each row begins with a whole byte.
    pub(crate) fn row_bytes(&self) -> Option<usize> {
        Some(self.chunk_width.checked_mul(self.channels_together())?.checked_mul(self.bits)?.div_ceil(8))
    }

    /// Returns the rows of the chunks in a row of chunks that lie in the picture.
    pub(crate) fn rows_inside(&self, row: usize) -> usize {
        self.chunk_height.min(self.height.saturating_sub(row * self.chunk_height))
    }

    /// Returns the rows that the file stores of these chunks.
    pub(crate) fn rows_stored(&self, row: usize) -> usize {
        if self.is_tiled { self.chunk_height } else { self.rows_inside(row) }
    }

    /// Returns the bytes of a chunk as they stand in the file. A chunk that reaches beyond the end of
    /// the file ends there.
    pub(crate) fn stored(&self, plane: usize, row: usize, column: usize) -> Result<&'a [u8], TiffFault> {
        let index = (plane * self.down() + row) * self.across() + column;
        let chunk = self.chunks.get(index).and_then(|&(at, length)| {
            let rest = self.file.bytes.get(usize::try_from(at).ok()?..)?;
            Some(&rest[..usize::try_from(length).unwrap_or(usize::MAX).min(rest.len())])
        });
        chunk.ok_or_else(|| TiffFault::Damaged(CUT_SHORT.into()))
    }
}

/// Returns the place and the length of each chunk. If the file does not say how long they are, each
/// ends where another one begins, or at the end of the file.
fn chunks(page: &Directory<'_>) -> Result<Vec<(u64, u64)>, TiffFault> {
    let either = |tags: [Tag; 2]| -> Result<Vec<u64>, TiffFault> {
        let numbers = page.numbers(tags[0])?;
        if numbers.is_empty() { page.numbers(tags[1]) } else { Ok(numbers) }
    };
    let places = either([Tag::TileOffsets, Tag::StripOffsets])?;
    let lengths = either([Tag::TileByteCounts, Tag::StripByteCounts])?;
    if lengths.len() >= places.len() {
        return Ok(places.into_iter().zip(lengths).collect());
    }
    let mut sorted = places.clone();
    sorted.sort_unstable();
    let end = |at: u64| sorted.get(sorted.partition_point(|&place| place <= at)).copied();
    let length = |at: u64| end(at).unwrap_or(page.file.bytes.len() as u64).saturating_sub(at);
    Ok(places.iter().map(|&at| (at, length(at))).collect())
}
