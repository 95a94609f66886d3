//! TIFF pictures in brightness and two differences of colour, instead of red, green and blue.

use tiff::TiffResult;
use tiff::decoder::ifd::Value;
use tiff::tags::{CompressionMethod, Tag};

use crate::picture::formats::decoder_error::CUT_SHORT;
use crate::picture::formats::tiff::entries::{GREY, with_entries};
use crate::picture::formats::tiff::fault::TiffFault;
use crate::picture::formats::tiff::samples::{Samples, TiffFile, open, samples};

/// `LumaRed, LumaGreen, LumaBlue`.
const YCBCR_COEFFICIENTS: Tag = Tag::Unknown(529);

/// Black and white of Y, Cb and Cr, one after the other.
const REFERENCE_BLACK_WHITE: Tag = Tag::Unknown(532);

/// Converts YCbCr to RGB, sections 20 and 21 of TIFF 6.0.
pub struct YCbCr {
    /// Shares of red, green and blue in Y.
    luma: [f32; 3],
    /// Black and white of Y, Cb and Cr.
    reference: [f32; 6],
}

impl YCbCr {
    /// Reads what the file says. By default it is Rec. 601 with all of the range.
    pub fn new(file: &mut TiffFile<'_>) -> Result<Self, TiffFault> {
        let broken =
            || TiffFault::Damaged("its YCbCr values are not colours: their coefficients or ends are broken".into());
        let luma = rationals(file, YCBCR_COEFFICIENTS)?.unwrap_or(vec![0.299, 0.587, 0.114]);
        let reference = rationals(file, REFERENCE_BLACK_WHITE)?.unwrap_or(vec![0.0, 255.0, 128.0, 255.0, 128.0, 255.0]);
        let luma: [f32; 3] = luma.try_into().map_err(|_| broken())?;
        let reference: [f32; 6] = reference.try_into().map_err(|_| broken())?;
        let is_range = |ends: &[f32; 2]| ends[0] != ends[1];
        if luma[1] == 0.0 || !reference.as_chunks::<2>().0.iter().all(is_range) {
            return Err(broken());
        }
        Ok(Self { luma, reference })
    }

    /// Returns RGB in 0..1. Values may leave this range.
    pub fn rgb(&self, pixel: [u8; 3]) -> [f32; 3] {
        let [red, green, blue] = self.luma;
        let range = |i: usize, most: f32| {
            let (black, white) = (self.reference[2 * i], self.reference[2 * i + 1]);
            (f32::from(pixel[i]) - black) * most / (white - black)
        };
        let (y, cb, cr) = (range(0, 255.0), range(1, 127.0), range(2, 127.0));
        let r = cr * (2.0 - 2.0 * red) + y;
        let b = cb * (2.0 - 2.0 * blue) + y;
        let g = (y - blue * b - red * r) / green;
        [r, g, b].map(|v| v / 255.0)
    }
}

/// Reads the fractions of a tag.
fn rationals(file: &mut TiffFile<'_>, tag: Tag) -> TiffResult<Option<Vec<f32>>> {
    let one = |value| match value {
        Value::Rational(n, d) => n as f32 / d.max(1) as f32,
        Value::SRational(n, d) => n as f32 / if d == 0 { 1.0 } else { d as f32 },
        Value::Float(v) => v,
        _ => f32::NAN,
    };
    Ok(file.find_tag(tag)?.map(|value| match value {
        Value::List(values) => values.into_iter().map(one).collect(),
        value => vec![one(value)],
    }))
}

/// Colours for blocks of pixels. A block has `columns · rows` values of Y, and one each of Cb and
/// Cr.
pub struct Blocks {
    columns: u32,
    rows: u32,
}

impl Blocks {
    /// Reads the size of the blocks. Returns `None` if every pixel has a colour of its own. With
    /// JPEG the decoder gives it one.
    pub fn new(file: &mut TiffFile<'_>) -> Result<Option<Self>, TiffFault> {
        let compression = file.find_tag_unsigned::<u16>(Tag::Compression)?.unwrap_or(1);
        if CompressionMethod::from_u16_exhaustive(compression) == CompressionMethod::ModernJPEG {
            return Ok(None);
        }
        let (columns, rows) = match file.find_tag_unsigned_vec::<u32>(Tag::ChromaSubsampling)?.as_deref() {
            None => (2, 2),
            Some(&[columns @ (1 | 2 | 4), rows @ (1 | 2 | 4)]) => (columns, rows),
            Some(found) => return Err(TiffFault::Damaged(format!("its YCbCr has blocks of {found:?} px"))),
        };
        if (columns, rows) == (1, 1) {
            return Ok(None);
        }
        for (tag, found) in [(Tag::PlanarConfiguration, "planes of different sizes"), (Tag::Predictor, "a predictor")] {
            if file.find_tag_unsigned::<u16>(tag)?.unwrap_or(1) != 1 {
                return Err(TiffFault::Unsupported(format!("its YCbCr has blocks of {columns}x{rows} px and {found}")));
            }
        }
        Ok(Some(Self { columns, rows }))
    }

    /// Reads YCbCr, one pixel after the other. All pixels of a block have its colour, as in
    /// libtiff.
    pub fn read(&self, file: &mut TiffFile<'_>, bytes: &[u8], width: u32, height: u32) -> Result<Vec<u8>, TiffFault> {
        let Self { columns, rows } = *self;
        // A block is a row of bytes, as if they were grey pixels.
        let block = columns * rows + 2;
        let in_blocks = |side: u32, of: u32| side.div_ceil(of);
        let bytes_across = |width: u32| in_blocks(width, columns).saturating_mul(block);
        let mut entries = vec![
            (Tag::PhotometricInterpretation, GREY),
            (Tag::SamplesPerPixel, 1),
            (Tag::BitsPerSample, 8),
            (Tag::ImageWidth, bytes_across(width)),
            (Tag::ImageLength, in_blocks(height, rows)),
        ];
        for tag in [Tag::RowsPerStrip, Tag::TileLength] {
            if let Some(length) = file.find_tag_unsigned::<u32>(tag)? {
                if length < height && !length.is_multiple_of(rows) {
                    let found = format!("its YCbCr has blocks of {columns}x{rows} px, cut through every {length} rows");
                    return Err(TiffFault::Unsupported(found));
                }
                entries.push((tag, in_blocks(length, rows)));
            }
        }
        if let Some(across) = file.find_tag_unsigned::<u32>(Tag::TileWidth)? {
            entries.push((Tag::TileWidth, bytes_across(across)));
        }
        let grey = with_entries(bytes, &entries)?;
        let (_, samples) = samples(&mut open(&grey)?, bytes_across(width), in_blocks(height, rows))?;
        let Samples::Bytes(data) = samples else {
            return Err(TiffFault::Unsupported("its YCbCr values are fractions".into()));
        };
        let across = in_blocks(width, columns) as usize;
        let blocks: Vec<&[u8]> = data.chunks_exact(block as usize).collect();
        let (width, columns, rows) = (width as usize, columns as usize, rows as usize);
        let pixel = |x: usize, y: usize| {
            let block = blocks.get(y / rows * across + x / columns)?;
            Some([block[y % rows * columns + x % columns], block[rows * columns], block[rows * columns + 1]])
        };
        let pixels = (0..height as usize).flat_map(|y| (0..width).map(move |x| (x, y)));
        let pixels: Option<Vec<[u8; 3]>> = pixels.map(|(x, y)| pixel(x, y)).collect();
        Ok(pixels.ok_or_else(|| TiffFault::Damaged(CUT_SHORT.into()))?.into_flattened())
    }
}
