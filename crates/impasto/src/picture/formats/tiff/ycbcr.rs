//! TIFF pictures in brightness and two differences of colour, instead of red, green and blue.

use tiff::tags::{CompressionMethod, Tag};

use crate::picture::formats::decoder_error::CUT_SHORT;
use crate::picture::formats::tiff::directory::Directory;
use crate::picture::formats::tiff::fault::TiffFault;
use crate::picture::formats::tiff::layout::Layout;
use crate::picture::formats::tiff::samples::{Samples, samples};

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
    pub fn new(page: &Directory<'_>) -> Result<Self, TiffFault> {
        let broken =
            || TiffFault::Damaged("its YCbCr values are not colours: their coefficients or ends are broken".into());
        let fractions = |tag, default: &[f32]| -> Result<Vec<f32>, TiffFault> {
            Ok(page.value(tag)?.map_or(default.to_vec(), |value| value.fractions()))
        };
        let luma = fractions(YCBCR_COEFFICIENTS, &[0.299, 0.587, 0.114])?;
        let reference = fractions(REFERENCE_BLACK_WHITE, &[0.0, 255.0, 128.0, 255.0, 128.0, 255.0])?;
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

/// Colours for blocks of pixels. A block has `columns · rows` values of Y, and one each of Cb and
/// Cr.
pub struct Blocks {
    columns: usize,
    rows: usize,
}

impl Blocks {
    /// Reads the size of the blocks. Returns `None` if every pixel has a colour of its own. With
    /// JPEG the decoder gives it one.
    pub fn new(page: &Directory<'_>, layout: &Layout<'_>) -> Result<Option<Self>, TiffFault> {
        if layout.compression == CompressionMethod::ModernJPEG && !layout.is_planar {
            return Ok(None);
        }
        let (columns, rows) = match page.numbers(Tag::ChromaSubsampling)?[..] {
            [] => (2, 2),
            [columns @ (1 | 2 | 4), rows @ (1 | 2 | 4)] => (columns as usize, rows as usize),
            ref found => return Err(TiffFault::Damaged(format!("its YCbCr has blocks of {found:?} px"))),
        };
        if (columns, rows) == (1, 1) {
            return Ok(None);
        }
        let unsupported =
            |found| Err(TiffFault::Unsupported(format!("its YCbCr has blocks of {columns}x{rows} px{found}")));
        match layout.chunk_height {
            _ if layout.is_planar => unsupported(" and planes of different sizes".to_owned()),
            _ if layout.predictor != 1 => unsupported(" and a predictor".to_owned()),
            length if length < layout.height && !length.is_multiple_of(rows) => {
                unsupported(format!(", cut through every {length} rows"))
            }
            _ => Ok(Some(Self { columns, rows })),
        }
    }

    /// Reads YCbCr, one pixel after the other. All pixels of a block have its colour, as in
    /// libtiff.
    pub fn read(&self, layout: &Layout<'_>) -> Result<Vec<u8>, TiffFault> {
        let Self { columns, rows } = *self;
        // A block is a row of bytes, as if they were grey pixels.
        let block = columns * rows + 2;
        let grey = layout.of_blocks((columns, rows), block);
        let Samples::Bytes(data) = samples(&grey, &[0])? else {
            return Err(TiffFault::Unsupported("its YCbCr values are fractions".into()));
        };
        let across = layout.width.div_ceil(columns);
        let blocks: Vec<&[u8]> = data.chunks_exact(block).collect();
        let pixel = |x: usize, y: usize| {
            let block = blocks.get(y / rows * across + x / columns)?;
            Some([block[y % rows * columns + x % columns], block[rows * columns], block[rows * columns + 1]])
        };
        let pixels = (0..layout.height).flat_map(|y| (0..layout.width).map(move |x| (x, y)));
        let pixels: Option<Vec<[u8; 3]>> = pixels.map(|(x, y)| pixel(x, y)).collect();
        Ok(pixels.ok_or_else(|| TiffFault::Damaged(CUT_SHORT.into()))?.into_flattened())
    }
}
