//! What convolutions see beyond the image.

use std::ops::Range;

use rayon::prelude::*;

use crate::kernels::{Border, PADDED_CHANNELS};
use crate::weights::Preprocessing;

crate::words! {
    /// What conv1_1 reads beyond the image, one pixel wide. The deeper convolutions read zeros
    /// beyond their maps, except with [`Padding::Circular`].
    #[derive(Default)]
    pub enum Padding {
        /// The border's own pixels: nothing happens there.
        ///
        /// Each pixel beyond the border repeats the nearest one, so conv1_1 finds no edge.
        Replicate => "replicate",
        /// Zeros (the mean colour), as the network was trained.
        ///
        /// They are zeros after the mean has been subtracted. To the network, the border is an edge.
        #[default]
        Zero => "zero",
        /// The opposite border, in every convolution: the image lies on a torus and has no border.
        ///
        /// Its sides have to be multiples of the deepest layer's
        /// [`min_side`](crate::Layer::min_side), so that every pooling halves them. Nobody chooses
        /// this by its word: it goes with an image that tiles. So serde writes it, but does not
        /// read it, and a command line does not have it.
        #[serde(skip_deserializing)]
        #[cfg_attr(feature = "clap", value(skip))]
        Circular => "circular",
    }
}

impl Padding {
    /// The index of the pixel that is seen at `place` along an axis of `len` pixels, which are at the places `1..=len` between two of
    /// margin; `None`: zero.
    pub(crate) fn index(self, place: usize, len: usize) -> Option<usize> {
        match self {
            _ if (1..=len).contains(&place) => Some(place - 1),
            Padding::Zero => None,
            Padding::Replicate => Some(place.clamp(1, len) - 1),
            Padding::Circular => Some((place + len - 1) % len),
        }
    }

    /// What the deeper convolutions read beyond their maps.
    pub(crate) fn border(self) -> Border {
        match self {
            Padding::Zero | Padding::Replicate => Border::Zero,
            Padding::Circular => Border::Wrap,
        }
    }
}

/// Some rows of the network's input with a margin of one pixel, `[rows + 2, W + 2, 3]`.
#[derive(Default)]
pub(crate) struct PaddedImage {
    values: Vec<f32>,
}

impl PaddedImage {
    /// `[rows + 2, W + 2, 3]`, in the network's values.
    pub(crate) fn as_slice(&self) -> &[f32] {
        &self.values
    }

    /// Takes over some rows of an image, `[H, W, 3]`, with the row above and the one below. A margin of zeros is one in the network's values,
    /// where zero is the mean.
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
        // Columns of zeros at the sides stay what they are: every call for images of one width has them at the same places.
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
