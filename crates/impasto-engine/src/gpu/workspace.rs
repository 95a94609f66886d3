//! The seam on a card: maps, terms, and the order of the passes.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::sync::Arc;

use crate::cpu::Isa;
use crate::gpu::device::{GpuBuffer, GpuDevice, Shader};
use crate::gpu::filters::GpuFilters;
use crate::gpu::passes::{Passes, Product, Window};
use crate::gpu::terms::{GpuContent, GpuMatch, GpuStyle, TermMap, squares};
use crate::gpu::winograd::WinogradMatrices;
use crate::layer::{Layer, LayerKind};
use crate::network::{
    Changes, DeviceError, EvaluationError, LayerFeatures, LayerTime, ReferenceSums, Squares, StyleSums, Workspace,
    WorkspaceSpec,
};
use crate::padding::Padding;
use crate::pooling::Pooling;
use crate::tensor::Image;

/// Images of one size on a card. All its passes are prepared.
pub(crate) struct GpuWorkspace {
    device: Arc<GpuDevice>,
    /// `[H, W, 3]`
    image: GpuBuffer,
    gradient: GpuBuffer,
    width: usize,
    /// Maps of the layers asked for.
    kept: HashMap<Layer, TermMap>,
    shown: Vec<Layer>,
    styles: Vec<GpuStyle>,
    contents: Vec<GpuContent>,
    matches: Vec<GpuMatch>,
    /// From the image to the maps.
    forward: Passes,
    /// From the maps to the sums of the style terms.
    sums: Passes,
    /// From the maps to the reference and its sums.
    of_reference: Passes,
    /// From the maps to the squared differences.
    squares: Passes,
    /// From the maps and masks to the gradient.
    backward: Passes,
    has_reference: bool,
    /// Whether the next forward pass finds the matches anew.
    renews_matches: bool,
    /// The search for matches is on the CPU.
    isa: Isa,
}

/// The network on images of one size: what the passes write to.
struct NetworkMaps<'a> {
    device: &'a GpuDevice,
    filters: &'a GpuFilters,
    spec: &'a WorkspaceSpec,
    /// The last convolution, and whether its rectifier is needed.
    deepest: Layer,
    kept: HashMap<Layer, TermMap>,
    /// Two maps of the size of the largest. A pass reads one and writes the other.
    spare: [GpuBuffer; 2],
    matrices: WinogradMatrices,
    /// Of each convolution: bits of its rectifier.
    masks: Vec<GpuBuffer>,
    /// Of each convolution before a pooling: choices in its windows.
    choices: Vec<Option<GpuBuffer>>,
    /// Bound where a function writes nothing.
    unused: [GpuBuffer; 2],
    image: GpuBuffer,
    gradient: GpuBuffer,
}

impl NetworkMaps<'_> {
    /// Height and width of the map of a convolution.
    fn size(&self, convolution: usize) -> [usize; 2] {
        let level = Layer::at(convolution, LayerKind::Relu).poolings();
        [self.spec.height >> level, self.spec.width >> level]
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
        Layer::at(convolution, LayerKind::Relu) <= self.deepest
    }

    /// Whether a pooling lies between a convolution and the next one.
    fn is_pooled(&self, convolution: usize) -> bool {
        let block = |i: usize| Layer::at(i, LayerKind::Relu).block();
        convolution < self.deepest.convolution() && block(convolution) != block(convolution + 1)
    }

    fn wraps(&self) -> bool {
        self.spec.padding == Padding::Circular
    }

    /// A spare map that is not this one.
    fn other(&self, map: &GpuBuffer) -> GpuBuffer {
        let [first, second] = &self.spare;
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
    fn first(&self, passes: &mut Passes, function: &'static str, source: &GpuBuffer, output: &GpuBuffer, of: usize) {
        let padding = match self.spec.padding {
            Padding::Zero => 0,
            Padding::Replicate => 1,
            Padding::Circular => 2,
        };
        let rectifies = !self.kept.contains_key(&Layer::at(0, LayerKind::Conv));
        let preprocessing = self.filters.preprocessing();
        let threads = self.spec.height * self.spec.width * of;
        let sizes = [self.spec.height, self.spec.width, threads, 0].map(|n| n as u32);
        let values = [preprocessing.scale, preprocessing.offset];
        let values = values.into_iter().flat_map(|[r, g, b]| [r, g, b, 0.0].map(f32::to_bits));
        let params: Vec<u32> = sizes.into_iter().chain(values).collect();
        let constants = [("PADDING", padding), ("RECTIFIES", rectifies.into())];
        let (filters, bias) = (self.filters.forward(self.device, 0), self.filters.bias(self.device, 0));
        let buffers = [source, filters, bias, output];
        passes.each(self.device, (Shader::First, function), &constants, &params, &buffers, threads);
    }

    /// The way forward.
    fn forward(&self) -> Passes {
        let mut passes = Passes::default();
        let mut map = self.image.clone();
        for i in 0..=self.deepest.convolution() {
            let [conv, relu] = [LayerKind::Conv, LayerKind::Relu].map(|kind| self.kept.get(&Layer::at(i, kind)));
            let place = |kept: Option<&TermMap>| kept.map_or_else(|| self.other(&map), |map| map.values.clone());
            let output = place(conv.or(relu));
            if i == 0 {
                self.first(&mut passes, "convolve", &map, &output, 16);
            } else {
                let [height, width] = self.size(i);
                passes.convolution(
                    self.device,
                    &self.matrices,
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
            let [unused, _] = &self.unused;
            map = if conv.is_some() {
                let rectified = place(relu);
                self.each(&mut passes, "rectify", i, [&output, unused, &rectified], self.len(i) / 4);
                rectified
            } else {
                output
            };
            self.each(&mut passes, "make_mask", i, [&map, &self.masks[i], unused], self.len(i) / 32);
            if self.is_pooled(i) {
                let (pooled, bits) = (self.other(&map), self.choices[i].as_ref().unwrap_or(unused));
                let [height, width] = self.size(i + 1);
                let threads = height * width * Self::channels(i) / 16;
                self.each(&mut passes, "pool", i, [&map, bits, &pooled], threads);
                map = pooled;
            }
        }
        passes
    }

    /// The way back. `add_terms` adds the gradients of the terms at a layer.
    fn backward(&self, add_terms: &mut dyn FnMut(&mut Passes, Layer, &GpuBuffer)) -> Passes {
        let mut passes = Passes::default();
        let deepest = self.deepest.convolution();
        let [unused, _] = &self.unused;
        let mut gradient = self.spare[0].clone();
        passes.clear(&gradient, self.len(deepest));
        for i in (0..=deepest).rev() {
            if self.is_rectified(i) {
                add_terms(&mut passes, Layer::at(i, LayerKind::Relu), &gradient);
                self.each(&mut passes, "apply_mask", i, [&self.image, &self.masks[i], &gradient], self.len(i) / 4);
            }
            add_terms(&mut passes, Layer::at(i, LayerKind::Conv), &gradient);
            if i == 0 {
                self.first(&mut passes, "image_gradient", &gradient, &self.gradient, 1);
                break;
            }
            let [height, width] = self.size(i);
            let before = self.other(&gradient);
            passes.convolution(
                self.device,
                &self.matrices,
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
            gradient = if self.is_pooled(i - 1) {
                let (whole, bits) = (self.other(&before), self.choices[i - 1].as_ref().unwrap_or(unused));
                self.each(&mut passes, "unpool", i - 1, [&before, bits, &whole], self.len(i - 1) / 4);
                whole
            } else {
                before
            };
        }
        passes
    }
}

impl GpuWorkspace {
    /// A workspace for a spec that has been checked.
    ///
    /// # Errors
    /// The maps do not fit the card.
    pub(crate) fn new(
        device: Arc<GpuDevice>,
        filters: &GpuFilters,
        isa: Isa,
        spec: WorkspaceSpec,
    ) -> Result<Self, DeviceError> {
        let largest = spec.width * spec.height * Layer::at(0, LayerKind::Relu).channels();
        if largest > device.largest_buffer() {
            return Err(DeviceError::MapTooLarge {
                name: device.identity().to_owned(),
                width: spec.width,
                height: spec.height,
                needed: 4 * largest as u64,
                largest: 4 * device.largest_buffer() as u64,
            });
        }
        let made = device.within_memory(|| Self::prepare(&device, filters, isa, spec))?;
        Ok(made)
    }

    fn prepare(device: &Arc<GpuDevice>, filters: &GpuFilters, isa: Isa, spec: WorkspaceSpec) -> Self {
        let layers = spec.layers();
        let deepest = layers[layers.len() - 1];
        let kept = layers.into_iter().map(|layer| {
            let (height, width) = (spec.height >> layer.poolings(), spec.width >> layer.poolings());
            (layer, TermMap { layer, height, width, values: device.buffer(height * width * layer.channels()) })
        });
        let pixels = spec.width * spec.height;
        let mut maps = NetworkMaps {
            device,
            filters,
            spec: &spec,
            deepest,
            kept: kept.collect(),
            spare: [(); 2].map(|()| device.buffer(pixels * Layer::at(0, LayerKind::Relu).channels())),
            matrices: WinogradMatrices::new(device, [spec.height, spec.width], deepest.convolution()),
            masks: vec![],
            choices: vec![],
            unused: [(); 2].map(|()| device.buffer(4)),
            image: device.buffer(3 * pixels),
            gradient: device.buffer(3 * pixels),
        };
        for i in 0..=deepest.convolution() {
            maps.masks.push(device.buffer(maps.len(i) / 32));
            let has_choices = maps.is_pooled(i) && spec.pooling == Pooling::Max;
            let choices = has_choices.then(|| {
                let [height, width] = maps.size(i + 1);
                device.buffer(height * width * NetworkMaps::channels(i) / 16)
            });
            maps.choices.push(choices);
        }
        let map = |layer: Layer| maps.kept[&layer].clone();
        let [mut sums, mut of_reference, mut squares] = [(); 3].map(|()| Passes::default());
        let styles: Vec<_> =
            spec.styles.iter().map(|term| GpuStyle::new(device, &mut sums, term, map(term.layer))).collect();
        let contents = spec.contents.iter();
        let contents: Vec<_> = contents
            .map(|term| GpuContent::new(device, &mut of_reference, &mut squares, term, map(term.layer)))
            .collect();
        let matches = spec.matches.iter();
        let matches: Vec<_> =
            matches.map(|term| GpuMatch::new(device, &mut squares, term, map(term.layer), maps.wraps())).collect();
        let forward = maps.forward();
        let backward = maps.backward(&mut |passes, layer, gradient| {
            for style in styles.iter().filter(|style| style.layer() == layer) {
                style.add_gradient(device, passes, gradient);
            }
            for content in contents.iter().filter(|content| content.layer() == layer) {
                content.add_gradient(device, passes, gradient);
            }
            for term in matches.iter().filter(|term| term.layer() == layer) {
                term.add_gradient(device, passes, gradient);
            }
        });
        let NetworkMaps { kept, image, gradient, .. } = maps;
        Self {
            device: device.clone(),
            image,
            gradient,
            width: spec.width,
            kept,
            styles,
            contents,
            matches,
            forward,
            sums,
            of_reference,
            squares,
            backward,
            has_reference: false,
            renews_matches: false,
            isa,
            shown: spec.shown,
        }
    }

    /// Sends an image to the card and runs the way forward with the sums.
    fn run_forward(&self, image: &[f32]) {
        assert_eq!(image.len(), self.image.len, "the image has another size");
        self.device.write(&self.image, image);
        self.forward.run(&self.device);
        self.sums.run(&self.device);
    }

    /// Finds the matches of all positions of the maps on the card.
    fn search(&mut self) -> Result<(), DeviceError> {
        if self.matches.is_empty() {
            return Ok(());
        }
        let maps: Vec<_> = self.matches.iter().map(GpuMatch::map).collect();
        let maps = self.device.read(&maps)?;
        for (term, map) in self.matches.iter_mut().zip(maps) {
            term.search(&self.device, self.isa, &map);
        }
        Ok(())
    }
}

impl Workspace for GpuWorkspace {
    fn set_reference(
        &mut self,
        image: &Image,
        _make_file: &mut dyn FnMut() -> io::Result<File>,
    ) -> Result<ReferenceSums, EvaluationError> {
        self.renews_matches = false;
        self.has_reference = false;
        assert_eq!(image.width(), self.width, "the image has another size");
        self.run_forward(image.as_slice());
        self.of_reference.run(&self.device);
        self.search()?;
        self.squares.run(&self.device);
        let styles = self.styles.iter().flat_map(GpuStyle::outputs);
        let contents = self.contents.iter().flat_map(GpuContent::reference_outputs);
        let matches = self.matches.iter().map(GpuMatch::output);
        let outputs: Vec<_> = styles.chain(contents).chain(matches).collect();
        let mut values = self.device.read(&outputs)?.into_iter();
        self.has_reference = true;
        Ok(ReferenceSums {
            styles: self.styles.iter().map(|style| style.sums(&mut values)).collect(),
            contents: self.contents.iter().map(|content| content.reference_sums(&mut values)).collect(),
            matches: self.matches.iter().map(|_| squares(&mut values)).collect(),
        })
    }

    fn forward(&mut self, image: &[f32]) -> Result<Vec<StyleSums>, EvaluationError> {
        self.run_forward(image);
        if std::mem::take(&mut self.renews_matches) {
            self.search()?;
        }
        let outputs: Vec<_> = self.styles.iter().flat_map(GpuStyle::outputs).collect();
        let mut values = self.device.read(&outputs)?.into_iter();
        Ok(self.styles.iter().map(|style| style.sums(&mut values)).collect())
    }

    fn renew_matches(&mut self) {
        self.renews_matches = true;
    }

    fn matches(&self) -> Vec<&[u32]> {
        self.matches.iter().map(GpuMatch::matches).collect()
    }

    fn set_matches(&mut self, matches: &[Vec<u32>]) -> bool {
        let Self { device, matches: terms, .. } = self;
        matches.len() == terms.len()
            && terms.iter_mut().zip(matches).all(|(term, matches)| term.set_matches(device, matches))
    }

    fn backward(
        &mut self,
        image: &[f32],
        changes: &Changes<'_>,
        gradient: &mut [f32],
    ) -> Result<Squares, EvaluationError> {
        let Self { device, styles, contents, matches, .. } = self;
        assert_eq!(image.len(), self.image.len, "the image has another size");
        assert_eq!(gradient.len(), self.gradient.len, "the gradient has another size");
        assert_eq!(changes.styles.len(), styles.len(), "one change a style term");
        assert_eq!(changes.contents.len(), contents.len(), "one change a content term");
        assert_eq!(changes.matches.len(), matches.len(), "one change a match term");
        assert!(contents.is_empty() || self.has_reference, "there is a reference");
        assert!(matches.iter().all(|term| !term.matches().is_empty()), "matches have been found");
        styles.iter().zip(&changes.styles).for_each(|(style, change)| style.set_change(device, change));
        contents.iter().zip(&changes.contents).for_each(|(content, &c)| content.set_factor(device, c));
        matches.iter().zip(&changes.matches).for_each(|(term, &c)| term.set_factor(device, c));
        self.squares.run(device);
        self.backward.run(device);
        let of_contents = contents.iter().map(GpuContent::output);
        let of_matches = matches.iter().map(GpuMatch::output);
        let outputs: Vec<_> =
            [(&self.gradient, self.gradient.len)].into_iter().chain(of_contents).chain(of_matches).collect();
        let mut values = device.read(&outputs)?.into_iter();
        gradient.copy_from_slice(&values.next().expect("the gradient comes back"));
        Ok(Squares {
            contents: contents.iter().map(|_| squares(&mut values)).collect(),
            matches: matches.iter().map(|_| squares(&mut values)).collect(),
        })
    }

    fn features(&self, layer: Layer) -> Result<LayerFeatures<'_>, EvaluationError> {
        assert!(self.shown.contains(&layer), "{layer} is none of the layers to show");
        let TermMap { height, width, values, .. } = &self.kept[&layer];
        let mut read = self.device.read(&[(values, values.len)])?;
        let values = Cow::Owned(read.pop().expect("the map comes back"));
        Ok(LayerFeatures { layer, height: *height, width: *width, values })
    }

    fn layer_times(&self) -> &[LayerTime] {
        &[]
    }

    fn identity(&self) -> &str {
        self.device.identity()
    }
}
