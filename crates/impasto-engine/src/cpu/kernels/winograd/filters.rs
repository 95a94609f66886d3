//! The filters of a convolution, laid out for their transforms.

use rayon::prelude::*;

use super::GROUP;
use crate::cpu::kernels::buffer::AlignedBuffer;

/// The filters of a convolution as its transforms read them.
pub(crate) struct Filters {
    /// `[channels_out / GROUP][channels_in][9][GROUP]`
    values: AlignedBuffer,
    pub(super) channels_in: usize,
    pub(super) channels_out: usize,
}

impl Filters {
    /// Lays out filters. `filter` returns the 3x3 filter from an input channel to an output
    /// channel, row by row.
    ///
    /// # Panics
    /// If the channels are not multiples of [`GROUP`].
    pub(crate) fn new(
        channels_in: usize,
        channels_out: usize,
        filter: impl Fn(usize, usize) -> [f32; 9] + Sync,
    ) -> Self {
        assert!(channels_in.is_multiple_of(GROUP) && channels_out.is_multiple_of(GROUP));
        let mut values = AlignedBuffer::zeros(9 * channels_in * channels_out);
        values.par_chunks_mut(9 * GROUP).enumerate().for_each(|(block, out)| {
            let (group, c) = (block / channels_in, block % channels_in);
            for k in 0..GROUP {
                for (place, w) in filter(c, group * GROUP + k).into_iter().enumerate() {
                    out[place * GROUP + k] = w;
                }
            }
        });
        Self { values, channels_in, channels_out }
    }

    /// Returns where the 9 vectors of [`GROUP`] outputs of an input channel are.
    ///
    /// # Safety
    /// The group and the channel exist.
    #[inline(always)]
    pub(super) unsafe fn at(&self, group: usize, c: usize) -> *const f32 {
        // SAFETY: the caller's promise.
        unsafe { self.values.as_ptr().add((group * self.channels_in + c) * 9 * GROUP) }
    }
}
