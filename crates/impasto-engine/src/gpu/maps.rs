//! The network on a band of an image: its maps, and the passes of the way forward and back.

use std::collections::HashMap;

use crate::gpu::device::{GpuBuffer, GpuDevice, Shader};
use crate::gpu::filters::GpuFilters;
use crate::gpu::passes::{Passes, Product, Window};
use crate::gpu::terms::TermMap;
use crate::gpu::winograd::WinogradMatrices;
use crate::layer::{Layer, LayerKind};
use crate::network::WorkspaceSpec;
use crate::padding::Padding;
use crate::plan::card::CardBand;
use crate::pooling::Pooling;

/// What the passes of a band write to. All bands use the same buffers.
pub(crate) struct MapBuffers {
    /// The last convolution, and whether its rectifier is needed.
    deepest: Layer,
    pub(crate) kept: HashMap<Layer, GpuBuffer>,
    /// Two maps of the size of the largest. A pass reads one and writes the other.
    spare: [GpuBuffer; 2],
    matrices: WinogradMatrices,
    /// Of each convolution: bits of its rectifier.
    masks: Vec<GpuBuffer>,
    /// Of each convolution before a pooling: choices in its windows.
    choices: Vec<Option<GpuBuffer>>,
    /// Bound where a function writes nothing.
    unused: GpuBuffer,
    /// `[H, W, 3]`
    pub(crate) image: GpuBuffer,
    pub(crate) gradient: GpuBuffer,
}

impl MapBuffers {
    /// Buffers for bands of at most so many rows.
    pub(crate) fn new(device: &GpuDevice, spec: &WorkspaceSpec, rows: usize) -> Self {
        let layers = spec.layers();
        let deepest = layers[layers.len() - 1];
        let values = |layer: Layer| (rows >> layer.poolings()) * (spec.width >> layer.poolings()) * layer.channels();
        let relu = |i: usize| Layer::at(i, LayerKind::Relu);
        let convolutions = 0..=deepest.convolution();
        let choices = |i: usize| {
            let has_choices = is_pooled(deepest, i) && spec.pooling == Pooling::Max;
            // Two bits for each value of the pooled map, which has this one's channels.
            let positions = (rows >> (relu(i).poolings() + 1)) * (spec.width >> (relu(i).poolings() + 1));
            has_choices.then(|| device.buffer(positions * relu(i).channels() / 16))
        };
        Self {
            deepest,
            kept: layers.iter().map(|&layer| (layer, device.buffer(values(layer)))).collect(),
            spare: [(); 2].map(|()| device.buffer(values(relu(0)))),
            matrices: WinogradMatrices::new(device, [rows, spec.width], deepest.convolution()),
            masks: convolutions.clone().map(|i| device.buffer(values(relu(i)) / 32)).collect(),
            choices: convolutions.map(choices).collect(),
            unused: device.buffer(4),
            image: device.buffer(3 * rows * spec.width),
            gradient: device.buffer(3 * rows * spec.width),
        }
    }
}

/// Whether a pooling lies between a convolution and the next one.
fn is_pooled(deepest: Layer, convolution: usize) -> bool {
    let block = |i: usize| Layer::at(i, LayerKind::Relu).block();
    convolution < deepest.convolution() && block(convolution) != block(convolution + 1)
}

/// The network on a band of an image.
pub(crate) struct BandMaps<'a> {
    pub(crate) device: &'a GpuDevice,
    pub(crate) filters: &'a GpuFilters,
    pub(crate) spec: &'a WorkspaceSpec,
    pub(crate) buffers: &'a MapBuffers,
    pub(crate) band: &'a CardBand,
}

impl BandMaps<'_> {
    /// The map of a term's layer.
    pub(crate) fn term_map(&self, layer: Layer) -> TermMap {
        let [height, width] = self.size(layer.convolution());
        let (counted, first_row) = (self.band.counted(layer), self.band.first_row(layer));
        TermMap { layer, height, width, counted, first_row, values: self.buffers.kept[&layer].clone() }
    }

    /// Height and width of the map of a convolution.
    fn size(&self, convolution: usize) -> [usize; 2] {
        let level = Layer::at(convolution, LayerKind::Relu).poolings();
        [self.band.extent.len() >> level, self.spec.width >> level]
    }

    fn channels(convolution: usize) -> usize {
        Layer::at(convolution, LayerKind::Relu).channels()
    }

    /// Values of the map of a convolution.
    fn len(&self, convolution: usize) -> usize {
        let [height, width] = self.size(convolution);
        height * width * Self::channels(convolution)
    }

    /// Whether the rectifier behind a convolution is needed.
    fn is_rectified(&self, convolution: usize) -> bool {
        Layer::at(convolution, LayerKind::Relu) <= self.buffers.deepest
    }

    fn wraps(&self) -> bool {
        self.spec.padding == Padding::Circular
    }

    /// A spare map that is not this one.
    fn other(&self, map: &GpuBuffer) -> GpuBuffer {
        let [first, second] = &self.buffers.spare;
        if map.buffer == first.buffer { second.clone() } else { first.clone() }
    }

    /// Adds a function of `maps.wgsl` for the map of a convolution.
    fn each(
        &self,
        passes: &mut Passes,
        function: &'static str,
        convolution: usize,
        [source, bits, output]: [&GpuBuffer; 3],
        threads: usize,
    ) {
        let averages = self.spec.pooling == Pooling::Average;
        let constants = [("CHANNELS", Self::channels(convolution) as u32), ("AVERAGES", averages.into())];
        let [height, width] = self.size(convolution);
        let params = [height as u32, width as u32, threads as u32, 0];
        passes.each(self.device, (Shader::Maps, function), &constants, &params, &[source, bits, output], threads);
    }

    /// Adds a function of `first.wgsl`.
    fn first(
        &self,
        passes: &mut Passes,
        function: &'static str,
        source: &GpuBuffer,
        (output, first): (&GpuBuffer, usize),
        of: usize,
    ) {
        let padding = match self.spec.padding {
            Padding::Zero => 0,
            Padding::Replicate => 1,
            Padding::Circular => 2,
        };
        let rectifies = !self.buffers.kept.contains_key(&Layer::at(0, LayerKind::Conv));
        let preprocessing = self.filters.preprocessing();
        let [height, width] = self.size(0);
        let threads = height * width * of;
        let sizes = [height, width, threads, first].map(|n| n as u32);
        let values = [preprocessing.scale, preprocessing.offset];
        let values = values.into_iter().flat_map(|[r, g, b]| [r, g, b, 0.0].map(f32::to_bits));
        let params: Vec<u32> = sizes.into_iter().chain(values).collect();
        let constants = [("PADDING", padding), ("RECTIFIES", rectifies.into())];
        let (filters, bias) = (self.filters.forward(self.device, 0), self.filters.bias(self.device, 0));
        let buffers = [source, filters, bias, output];
        passes.each(self.device, (Shader::First, function), &constants, &params, &buffers, threads);
    }

    /// The way forward of the band, from `image`, the whole one.
    pub(crate) fn forward(&self, image: &GpuBuffer) -> Passes {
        let mut passes = Passes::default();
        if *image != self.buffers.image {
            let row = 3 * self.spec.width;
            let (first, len) = (row * self.band.extent.start, row * self.band.extent.len());
            passes.copy_values((image, first), (&self.buffers.image, 0), len);
        }
        let mut map = self.buffers.image.clone();
        for i in 0..=self.buffers.deepest.convolution() {
            passes.are_of(Some(i), false);
            let [conv, relu] =
                [LayerKind::Conv, LayerKind::Relu].map(|kind| self.buffers.kept.get(&Layer::at(i, kind)));
            let place = |kept: Option<&GpuBuffer>| kept.cloned().unwrap_or_else(|| self.other(&map));
            let output = place(conv.or(relu));
            if i == 0 {
                self.first(&mut passes, "convolve", &map, (&output, 0), 16);
            } else {
                let [height, width] = self.size(i);
                passes.convolution(
                    self.device,
                    &self.buffers.matrices,
                    i,
                    &Product {
                        size: [height, width],
                        window: Window::whole(height, width),
                        taps: 9,
                        channels: [Self::channels(i - 1), Self::channels(i)],
                        wraps: self.wraps(),
                        rectifies: conv.is_none(),
                        adds: false,
                        source: &map,
                        filters: self.filters.forward(self.device, i),
                        bias: self.filters.bias(self.device, i),
                        weights: None,
                        output: &output,
                    },
                );
            }
            if !self.is_rectified(i) {
                break;
            }
            let unused = &self.buffers.unused;
            map = if conv.is_some() {
                let rectified = place(relu);
                self.each(&mut passes, "rectify", i, [&output, unused, &rectified], self.len(i) / 4);
                rectified
            } else {
                output
            };
            self.each(&mut passes, "make_mask", i, [&map, &self.buffers.masks[i], unused], self.len(i) / 32);
            if is_pooled(self.buffers.deepest, i) {
                let (pooled, bits) = (self.other(&map), self.buffers.choices[i].as_ref().unwrap_or(unused));
                let [height, width] = self.size(i + 1);
                let threads = height * width * Self::channels(i) / 16;
                self.each(&mut passes, "pool", i, [&map, bits, &pooled], threads);
                map = pooled;
            }
        }
        passes
    }

    /// The way back of the band, to `image_gradient`, that of the whole image. `add_terms` adds the
    /// gradients of the terms at a layer.
    pub(crate) fn backward(
        &self,
        image_gradient: &GpuBuffer,
        add_terms: &mut dyn FnMut(&mut Passes, Layer, &GpuBuffer),
    ) -> Passes {
        let mut passes = Passes::default();
        let deepest = self.buffers.deepest.convolution();
        let unused = &self.buffers.unused;
        let mut gradient = self.buffers.spare[0].clone();
        passes.clear(&gradient, self.len(deepest));
        for i in (0..=deepest).rev() {
            passes.are_of(None, true);
            if self.is_rectified(i) {
                add_terms(&mut passes, Layer::at(i, LayerKind::Relu), &gradient);
                self.each(
                    &mut passes,
                    "apply_mask",
                    i,
                    [&self.buffers.image, &self.buffers.masks[i], &gradient],
                    self.len(i) / 4,
                );
            }
            add_terms(&mut passes, Layer::at(i, LayerKind::Conv), &gradient);
            passes.are_of(Some(i), true);
            if i == 0 {
                self.first(&mut passes, "image_gradient", &gradient, (&self.buffers.gradient, 0), 1);
                break;
            }
            let [height, width] = self.size(i);
            let before = self.other(&gradient);
            passes.convolution(
                self.device,
                &self.buffers.matrices,
                i,
                &Product {
                    size: [height, width],
                    window: Window::whole(height, width),
                    taps: 9,
                    channels: [Self::channels(i), Self::channels(i - 1)],
                    wraps: self.wraps(),
                    rectifies: false,
                    adds: false,
                    source: &gradient,
                    filters: self.filters.backward(self.device, i),
                    bias: self.filters.no_bias(self.device),
                    weights: None,
                    output: &before,
                },
            );
            gradient = if is_pooled(self.buffers.deepest, i - 1) {
                let (whole, bits) = (self.other(&before), self.buffers.choices[i - 1].as_ref().unwrap_or(unused));
                self.each(&mut passes, "unpool", i - 1, [&before, bits, &whole], self.len(i - 1) / 4);
                whole
            } else {
                before
            };
        }
        if *image_gradient != self.buffers.gradient {
            let first = 3 * self.spec.width * self.band.extent.start;
            self.first(&mut passes, "add_values", &self.buffers.gradient, (image_gradient, first), 3);
        }
        passes
    }
}
