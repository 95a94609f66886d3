//! What the network sees of a point, and the terms on pixels.

use crate::gpu::device::{GpuBuffer, GpuDevice, Shader};
use crate::gpu::optimizer::{THREADS, sum_groups};
use crate::gpu::passes::Passes;
use crate::network::{KeptPart, PixelTerms};

/// The trial of an optimiser on a card, between the optimiser and the network.
pub(crate) struct TrialPasses {
    /// The point that is evaluated.
    pub(crate) trial: GpuBuffer,
    /// From the trial to the image.
    pub(crate) show: Passes,
    /// From the gradient of the network's terms to that of all terms.
    pub(crate) add_terms: Passes,
    /// Sums of the squared differences between neighbours.
    pub(crate) variation: GpuBuffer,
}

impl TrialPasses {
    /// Prepares the passes for images of this size.
    ///
    /// # Panics
    /// If an array of the terms has another size.
    pub(crate) fn new(
        device: &GpuDevice,
        terms: &PixelTerms<'_>,
        [height, width]: [usize; 2],
        image: &GpuBuffer,
        gradient: &GpuBuffer,
    ) -> Self {
        let len = 3 * height * width;
        let trial = device.buffer(len);
        let groups = sum_groups(len);
        let variation = device.buffer(groups);
        let kept = terms.keep.map(|KeptPart { content, keep }| {
            assert_eq!((content.len(), 3 * keep.len()), (len, len), "the kept part has the size of the image");
            [device.buffer_of(content), device.buffer_of(keep)]
        });
        let [content, keep] = kept.as_ref().map_or([&trial, &trial], |kept| kept.each_ref());
        let constants = [("WRAPS", terms.wraps.into()), ("KEEPS", kept.is_some().into())];
        let params = [height as u32, width as u32, terms.variation.to_bits(), groups as u32];
        let buffers = [&trial, image, gradient, content, keep, &variation];
        let mut show = Passes::default();
        match kept {
            Some(_) => show.each(device, (Shader::Pixels, "compose"), &constants, &params, &buffers, len),
            None => show.copy_values((&trial, 0), (image, 0), len),
        }
        let mut add_terms = Passes::default();
        add_terms.each(device, (Shader::Pixels, "add_terms"), &constants, &params, &buffers, groups * THREADS);
        Self { trial, show, add_terms, variation }
    }
}
