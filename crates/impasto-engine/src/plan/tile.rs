//! The sides of the tiles that convolutions work in.
//!
//! A convolution by Winograd's minimal filtering computes its output in square tiles. Larger tiles
//! need fewer multiplications and lose more bits. The choice belongs to the plan and not to the
//! kernels, because bands of rows have to end where tiles of the whole image end.

use std::ops::Range;

use crate::layer::{Layer, LayerKind};
use crate::weights::Weights;

/// Side of the tiles that a convolution works in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum WinogradTile {
    /// 4x4 outputs.
    Four = 4,
    /// 6x6 outputs.
    Six = 6,
    /// 8x8 outputs.
    Eight = 8,
}

/// Pairs of channels up to which only the smallest tiles are fast. The transformed filters from 64
/// to 64 channels fit the level-2 cache as 6x6 matrices, but not as larger ones.
const FEW_CHANNEL_PAIRS: usize = 64 * 64;

/// Tiles whose products take as long as the transform of the filters.
const FILTER_TRANSFORM: usize = 4;

/// Pixels below which the way forward is in the tiles that lose the fewest bits. Deep maps then
/// have so few positions that one rectifier switched by a rounding error changes the gradient by
/// more than a thousandth. The way back switches nothing.
const FEW_PIXELS: usize = 128 * 128;

impl WinogradTile {
    /// Returns the fastest tile up to `largest` for a map of this size and these channels.
    pub(crate) fn choose(largest: Self, height: usize, width: usize, channels_in: usize, channels_out: usize) -> Self {
        let largest = if channels_in * channels_out <= FEW_CHANNEL_PAIRS { Self::Four } else { largest };
        // Multiplications for a pair of channels, of all tiles and of the filter's transform.
        let cost = |tile: &Self| {
            let m = *tile as usize;
            (m + 2).pow(2) * (height.div_ceil(m) * width.div_ceil(m) + FILTER_TRANSFORM)
        };
        let tiles = [Self::Four, Self::Six, Self::Eight].into_iter().filter(|&tile| tile <= largest);
        tiles.min_by_key(cost).unwrap_or(Self::Four)
    }

    /// Returns the tile of the way forward of a convolution, for an image of this width and height.
    /// Returns `None` for the first convolution, which has no tiles.
    pub(crate) fn forward(convolution: usize, (width, height): (usize, usize)) -> Option<Self> {
        let largest = if width * height < FEW_PIXELS { Self::Four } else { Self::Six };
        let [outputs, inputs, ..] = Weights::shape(convolution);
        let level = Layer::at(convolution, LayerKind::Relu).block() - 1;
        (convolution > 0).then(|| Self::choose(largest, height >> level, width >> level, inputs, outputs))
    }

    /// Returns the tile of the way back for some rows of a map of `height` rows. `whole`: the tile
    /// for all rows. Beyond the rows of a band there is nothing to read, and the largest tiles lose
    /// too many bits if they are cut short, so they have to end with the rows.
    pub(crate) fn back(whole: Self, rows: &Range<usize>, height: usize) -> Self {
        if rows.len().is_multiple_of(whole as usize) || rows.end == height { whole } else { whole.min(Self::Six) }
    }
}
