//! The network's input as conv1_1 reads it: preprocessed, with a margin of one pixel.

use std::ops::Range;

use rayon::prelude::*;

use crate::cpu::kernels::first_layer::PADDED_CHANNELS;
use crate::padding::Padding;
use crate::weights::Preprocessing;

/// Some rows of the network's input with a margin of one pixel, `[rows + 2, W + 2, 3]`.
#[derive(Default)]
pub(crate) struct PaddedImage {
    values: Vec<f32>,
}

impl PaddedImage {
    /// Returns `[rows + 2, W + 2, 3]`, in the network's values.
    pub(crate) fn as_slice(&self) -> &[f32] {
        &self.values
    }

    /// Takes some rows of an image `[H, W, 3]`, with the row above and the row below. A margin of
    /// zeros is one of zeros in the network's values, which stand for the mean colour.
    pub(crate) fn fill(
        &mut self,
        image: &[f32],
        width: usize,
        rows: Range<usize>,
        padding: Padding,
        preprocessing: Preprocessing,
    ) {
        let Preprocessing { scale, offset, .. } = preprocessing;
        let row = (width + 2) * PADDED_CHANNELS;
        // Columns of zeros at the sides stay zeros: every image of this width has them at the same
        // places.
        self.values.resize((rows.len() + 2) * row, 0.0);
        let height = image.len() / (3 * width);
        self.values.par_chunks_mut(row).enumerate().for_each(|(i, padded)| {
            let Some(y) = padding.index(rows.start + i, height) else {
                padded.fill(0.0);
                return;
            };
            let pixels = image[y * 3 * width..][..3 * width].as_chunks::<3>().0;
            for (padded, pixel) in padded[PADDED_CHANNELS..].chunks_exact_mut(PADDED_CHANNELS).zip(pixels) {
                for c in 0..3 {
                    padded[c] = pixel[c] * scale[c] - offset[c];
                }
            }
            for place in [0, width + 1] {
                if let Some(x) = padding.index(place, width) {
                    let from = (x + 1) * PADDED_CHANNELS;
                    padded.copy_within(from..from + PADDED_CHANNELS, place * PADDED_CHANNELS);
                }
            }
        });
    }
}
