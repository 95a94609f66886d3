//! Contact sheets: small pictures in a grid, with captions.

use impasto_engine::Image;
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

/// Pixels between tiles, and around the sheet.
const GAP: usize = 8;

/// Width of a tile's border in pixels.
const BORDER: usize = 1;

/// Height of a line of text in pixels.
const LINE: usize = RasterHeight::Size16.val();

/// Levels of the ground, the borders and the text.
const GROUND: f32 = 24.0;
const BORDER_LEVEL: f32 = 96.0;
const TEXT_LEVEL: f32 = 224.0;

/// A picture with a caption below it.
#[derive(Clone, Debug, PartialEq)]
pub struct Tile {
    /// The picture, with values in 0..255.
    pub image: Image,
    /// One line of ASCII. Other characters leave a space.
    pub caption: String,
}

/// Tiles in rows under a heading.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// One line of ASCII. If it is empty, no line is left for it.
    pub heading: String,
    /// The tiles, row by row.
    pub tiles: Vec<Tile>,
    /// Tiles in a row, at least 1.
    pub columns: usize,
}

impl Block {
    /// Returns width and height of a place in the grid, without the gap.
    fn place(&self) -> (usize, usize) {
        let most = |length: &dyn Fn(&Tile) -> usize| self.tiles.iter().map(length).max().unwrap_or(0);
        let width = most(&|tile| (tile.image.width() + 2 * BORDER).max(text_width(&tile.caption)));
        (width, most(&|tile| tile.image.height()) + 2 * BORDER + LINE)
    }

    fn heading_height(&self) -> usize {
        if self.heading.is_empty() { 0 } else { LINE + GAP }
    }

    /// Returns width and height, with the gaps below the heading and after each place.
    fn size(&self) -> (usize, usize) {
        let (width, height) = self.place();
        let (columns, rows) = (self.columns.min(self.tiles.len()), self.tiles.len().div_ceil(self.columns));
        ((columns * (width + GAP)).max(text_width(&self.heading) + GAP), rows * (height + GAP) + self.heading_height())
    }
}

/// Lays the blocks one below the other on a dark ground.
///
/// # Panics
/// If a block has 0 columns.
pub fn sheet(blocks: &[Block]) -> Image {
    let width = blocks.iter().map(|block| block.size().0).max().unwrap_or(0) + GAP;
    let height = blocks.iter().map(|block| block.size().1).sum::<usize>() + GAP;
    let mut sheet = Image::filled(width, height, [GROUND; 3]);
    let mut top = GAP;
    for block in blocks {
        write(&mut sheet, GAP, top, &block.heading);
        let (width, height) = block.place();
        for (i, tile) in block.tiles.iter().enumerate() {
            let x = GAP + i % block.columns * (width + GAP);
            let y = top + block.heading_height() + i / block.columns * (height + GAP);
            let (inner_width, inner_height) = (tile.image.width(), tile.image.height());
            let frame = Image::filled(inner_width + 2 * BORDER, inner_height + 2 * BORDER, [BORDER_LEVEL; 3]);
            paste(&mut sheet, x, y, &frame);
            paste(&mut sheet, x + BORDER, y + BORDER, &tile.image);
            write(&mut sheet, x, y + inner_height + 2 * BORDER, &tile.caption);
        }
        top += block.size().1;
    }
    sheet
}

fn paste(sheet: &mut Image, x: usize, y: usize, image: &Image) {
    let (stride, row) = (3 * sheet.width(), 3 * image.width());
    for (i, values) in image.as_slice().chunks_exact(row).enumerate() {
        sheet.as_mut_slice()[(y + i) * stride + 3 * x..][..row].copy_from_slice(values);
    }
}

fn text_width(text: &str) -> usize {
    text.chars().count() * get_raster_width(FontWeight::Regular, RasterHeight::Size16)
}

/// Writes a line of ASCII; other characters leave a space.
fn write(sheet: &mut Image, x: usize, y: usize, text: &str) {
    let advance = get_raster_width(FontWeight::Regular, RasterHeight::Size16);
    let stride = sheet.width();
    for (i, letter) in text.chars().enumerate() {
        let Some(raster) = get_raster(letter, FontWeight::Regular, RasterHeight::Size16) else { continue };
        for (row, coverages) in raster.rows().enumerate() {
            for (column, &coverage) in coverages.iter().enumerate() {
                let at = 3 * ((y + row) * stride + x + i * advance + column);
                let level = GROUND + (TEXT_LEVEL - GROUND) * f32::from(coverage) / 255.0;
                sheet.as_mut_slice()[at..at + 3].fill(level);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_lie_in_rows_and_none_covers_another() {
        let tile = |level: f32| Tile { image: Image::filled(40, 20, [level; 3]), caption: "7".to_owned() };
        let block = |heading: &str, levels: &[f32]| Block {
            heading: heading.to_owned(),
            tiles: levels.iter().map(|&level| tile(level)).collect(),
            columns: 2,
        };
        let sheet = sheet(&[block("ab", &[250.0, 251.0, 252.0]), block("", &[253.0])]);
        assert_eq!((sheet.width(), sheet.height()), (8 + 2 * (42 + 8), 8 + (16 + 8) + 3 * (22 + 16 + 8)));
        for level in [250.0, 251.0, 252.0, 253.0] {
            assert_eq!(sheet.as_slice().iter().filter(|&&v| v == level).count(), 3 * 40 * 20, "{level}");
        }
        // Heading and captions have left ink.
        assert!(sheet.as_slice().iter().any(|&v| v > 200.0 && v <= TEXT_LEVEL));
    }
}
