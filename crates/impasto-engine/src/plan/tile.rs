//! The sides of the tiles that convolutions work in.
//!
//! A convolution by Winograd's minimal filtering computes its output in square tiles. Larger tiles need fewer multiplications and lose
//! more bits. The choice belongs to the plan and not to the kernels: bands of rows end where tiles of the whole picture end, so that a
//! picture in bands has the features of the whole picture to the bit.

use std::ops::Range;

use crate::layer::{Layer, LayerKind};
use crate::weights::Weights;

/// Side of the tiles that a convolution works in: larger ones need fewer multiplications, and lose more bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum WinogradTile {
    /// 4x4 outputs.
    Four = 4,
    /// 6x6 outputs.
    Six = 6,
    /// 8x8 outputs.
    Eight = 8,
}

/// Pairs of channels up to which only the smallest tiles are fast: the transformed filters of 64 to 64 channels fit the level-2 cache in
/// 6x6 matrices, but not in larger ones.
const FEW_CHANNEL_PAIRS: usize = 64 * 64;

/// Tiles whose products take as long as the transform of the filters they are multiplied with.
const FILTER_TRANSFORM: usize = 4;

/// Below so many pixels a deep map has so few positions that one rectifier switched by a rounding error changes the gradient by more than
/// a thousandth: the way forward is then in the tiles that lose the fewest bits. The way back switches nothing.
const FEW_PIXELS: usize = 128 * 128;

impl WinogradTile {
    /// The fastest one up to `largest` for a map of this size and these channels.
    pub(crate) fn choose(largest: Self, height: usize, width: usize, channels_in: usize, channels_out: usize) -> Self {
        let largest = if channels_in * channels_out <= FEW_CHANNEL_PAIRS { Self::Four } else { largest };
        // Multiplications for a pair of channels: those of the tiles, and what transforming the filter costs as much as.
        let cost = |tile: &Self| {
            let m = *tile as usize;
            (m + 2).pow(2) * (height.div_ceil(m) * width.div_ceil(m) + FILTER_TRANSFORM)
        };
        let tiles = [Self::Four, Self::Six, Self::Eight].into_iter().filter(|&tile| tile <= largest);
        tiles.min_by_key(cost).unwrap_or(Self::Four)
    }

    /// The tiles of the way forward of a convolution, for a picture of this width and height; `None`: it is the first, which has none.
    pub(crate) fn forward(convolution: usize, (width, height): (usize, usize)) -> Option<Self> {
        let largest = if width * height < FEW_PIXELS { Self::Four } else { Self::Six };
        let [outputs, inputs, ..] = Weights::shape(convolution);
        let level = Layer::at(convolution, LayerKind::Relu).block() - 1;
        (convolution > 0).then(|| Self::choose(largest, height >> level, width >> level, inputs, outputs))
    }

    /// The tiles of the way back for some rows of a map of `height` rows, of which those for all of it are `whole`: ones that end with the
    /// rows, beyond which nothing is there to read. Cut short, the largest tiles lose too many bits.
    pub(crate) fn back(whole: Self, rows: &Range<usize>, height: usize) -> Self {
        if rows.len().is_multiple_of(whole as usize) || rows.end == height { whole } else { whole.min(Self::Six) }
    }
}
