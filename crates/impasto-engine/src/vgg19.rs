//! The network: forward pass, and the gradient with respect to the image.

use std::fmt;
use std::mem;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rayon::prelude::*;

use crate::kernels::{
    self, Filters, FirstLayer, GradientSink, Isa, IsaError, MapSink, MapSource, Mask, PoolSink, Scratch, Tile,
    UnpoolSource, WINDOW,
};
use crate::layer::{CONVOLUTIONS, Layer, LayerKind};
use crate::padding::{PaddedImage, Padding};
use crate::pooling::Pooling;
use crate::weights::{Preprocessing, Weights, WeightsError};
use crate::{FeatureMap, Image, elementwise};

/// The frozen network. Each convolution's weights are decoded and laid out when they are first needed, once.
pub struct Vgg19 {
    weights: Weights,
    first: OnceLock<FirstLayer>,
    /// `[in][3][3][out]`, by convolution; the first has its own layout.
    forward: [OnceLock<Filters>; CONVOLUTIONS],
    /// `[out][3][3][in]`, turned by 180 degrees.
    backward: [OnceLock<Filters>; CONVOLUTIONS],
}

impl fmt::Debug for Vgg19 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vgg19").field("preprocessing", &self.weights.preprocessing()).finish_non_exhaustive()
    }
}

impl Vgg19 {
    /// The network from a safetensors file that is part of the program; see [`crate::weights`] for what is understood.
    ///
    /// # Errors
    /// If the file is not a VGG-19.
    pub fn from_static(bytes: &'static [u8]) -> Result<Self, WeightsError> {
        Weights::from_static(bytes).map(Self::new)
    }

    /// The network from a safetensors file; see [`crate::weights`] for what is understood.
    ///
    /// # Errors
    /// If the file is not a VGG-19.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, WeightsError> {
        Weights::from_vec(bytes).map(Self::new)
    }

    fn new(weights: Weights) -> Self {
        Self { weights, first: OnceLock::new(), forward: Default::default(), backward: Default::default() }
    }

    /// The safetensors file that the network is from.
    pub fn file(&self) -> &[u8] {
        self.weights.file()
    }

    fn preprocessing(&self) -> Preprocessing {
        self.weights.preprocessing()
    }

    fn bias(&self, convolution: usize) -> &[f32] {
        self.weights.bias(convolution)
    }

    fn first(&self) -> &FirstLayer {
        self.first.get_or_init(|| {
            let order = self.preprocessing().order;
            let mut rgb = vec![0.0; 64 * 27];
            for k in 0..64 {
                for c in 0..3 {
                    rgb[(k * 3 + order[c]) * 9..][..9].copy_from_slice(&self.weights.filter(0, k, c));
                }
            }
            FirstLayer::new(&rgb)
        })
    }

    fn forward(&self, convolution: usize) -> &Filters {
        self.forward[convolution].get_or_init(|| {
            let [outputs, inputs, ..] = Weights::shape(convolution);
            Filters::new(inputs, outputs, |i, o| self.weights.filter(convolution, o, i))
        })
    }

    fn backward(&self, convolution: usize) -> &Filters {
        self.backward[convolution].get_or_init(|| {
            let [outputs, inputs, ..] = Weights::shape(convolution);
            Filters::new(outputs, inputs, |o, i| {
                let mut filter = self.weights.filter(convolution, o, i);
                filter.reverse();
                filter
            })
        })
    }
}

/// Why an [`Evaluator`] cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluatorError {
    /// The image vanishes in the poolings before the layer.
    #[error("an image of {width}x{height} px is too small: {layer} needs at least {} px a side", layer.min_side())]
    TooSmall {
        /// Width of the image in pixels.
        width: usize,
        /// Height of the image in pixels.
        height: usize,
        /// The deepest layer asked for.
        layer: Layer,
    },
    /// The image cannot wrap around, for a pooling before the layer leaves a row or a column out.
    #[error(
        "an image of {width}x{height} px cannot wrap around: {layer} needs sides that are multiples of {} px",
        layer.min_side()
    )]
    Uneven {
        /// Width of the image in pixels.
        width: usize,
        /// Height of the image in pixels.
        height: usize,
        /// The rectifier of the deepest layer asked for.
        layer: Layer,
    },
    /// No layer was asked for.
    #[error("no layer to evaluate")]
    NoLayers,
    /// `IMPASTO_ISA` names an instruction set that the CPU does not have.
    #[error(transparent)]
    Isa(#[from] IsaError),
}

/// What the plan says of one convolution.
#[derive(Clone, Copy, Debug)]
struct Step {
    height: usize,
    width: usize,
    channels: usize,
    /// The map before the rectifier is asked for.
    conv: bool,
    /// The map after the rectifier is asked for.
    relu: bool,
    /// A pooling follows, and what comes after it is needed.
    pooled: bool,
}

impl Step {
    /// The map before the pooling is never seen: the pooling is part of the convolution.
    fn fused(&self) -> bool {
        self.pooled && !self.conv && !self.relu
    }
}

/// What the last passes took for one convolution and what is fused with it.
#[derive(Clone, Copy, Debug)]
pub struct LayerTime {
    /// The convolution, or its rectifier.
    pub layer: Layer,
    /// Multiply-adds of the direct form of the convolution, times two; as many forward as backward.
    pub direct_flops: u64,
    /// The forward pass.
    pub forward: Duration,
    /// The gradient with respect to its input.
    pub backward: Duration,
}

/// Below so many pixels a deep map has so few positions that one rectifier switched by a rounding error changes the gradient by more than
/// a thousandth: the way forward is then in the tiles that lose the fewest bits. The way back switches nothing.
const FEW_PIXELS: usize = 128 * 128;

/// A workspace for images of one size and one set of layers: a forward pass, then the gradient of a loss on its maps with respect to
/// the image. All memory is made once, and reused.
pub struct Evaluator {
    network: Arc<Vgg19>,
    isa: Isa,
    pooling: Pooling,
    width: usize,
    height: usize,
    steps: Vec<Step>,
    padded: PaddedImage,
    /// The maps asked for; on the way back, the gradients with respect to them.
    kept: Vec<(Layer, FeatureMap)>,
    /// Every other map and gradient, for as long as the next one needs it.
    spare: [FeatureMap; 2],
    /// Rectifiers' masks by convolution; empty where the pooling's say it all.
    masks: Vec<Mask>,
    /// Poolings' masks by the convolution before them.
    windows: Vec<Mask>,
    scratch: Scratch,
    times: Vec<LayerTime>,
}

impl fmt::Debug for Evaluator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let layers: Vec<Layer> = self.kept.iter().map(|(layer, _)| *layer).collect();
        f.debug_struct("Evaluator")
            .field("width", &self.width)
            .field("height", &self.height)
            .field("layers", &layers)
            .field("isa", &self.isa)
            .finish_non_exhaustive()
    }
}

impl Evaluator {
    /// A workspace for images of `width` x `height` pixels that keeps the maps of `layers`, with the instruction set of
    /// [`Isa::select`]. The network is evaluated as deep as the deepest of them.
    ///
    /// # Errors
    /// No layer; an image too small for the deepest; an instruction set forced that the CPU does not have.
    pub fn new(
        network: Arc<Vgg19>,
        width: usize,
        height: usize,
        layers: &[Layer],
        pooling: Pooling,
    ) -> Result<Self, EvaluatorError> {
        Self::with_isa(Isa::select()?, network, width, height, layers, pooling)
    }

    /// [`Evaluator::new`] with a given instruction set.
    ///
    /// # Errors
    /// No layer; an image too small for the deepest.
    pub fn with_isa(
        isa: Isa,
        network: Arc<Vgg19>,
        width: usize,
        height: usize,
        layers: &[Layer],
        pooling: Pooling,
    ) -> Result<Self, EvaluatorError> {
        let deepest = *layers.iter().max().ok_or(EvaluatorError::NoLayers)?;
        if width.min(height) < deepest.min_side() {
            return Err(EvaluatorError::TooSmall { width, height, layer: deepest });
        }
        let steps: Vec<Step> = (0..=deepest.convolution())
            .map(|i| {
                let layer = Layer::at(i, LayerKind::Relu);
                let halvings = layer.block() - 1;
                Step {
                    height: height >> halvings,
                    width: width >> halvings,
                    channels: layer.channels(),
                    conv: layers.contains(&Layer::at(i, LayerKind::Conv)),
                    relu: layers.contains(&layer),
                    pooled: i < deepest.convolution() && Layer::at(i + 1, LayerKind::Relu).block() != layer.block(),
                }
            })
            .collect();
        let kept: Vec<(Layer, FeatureMap)> = Layer::all()
            .filter(|layer| layers.contains(layer))
            .map(|layer| {
                let step = &steps[layer.convolution()];
                (layer, FeatureMap::zeros(step.height, step.width, step.channels))
            })
            .collect();
        let mask = |needed: bool, values: usize| if needed { vec![0; values / 8] } else { Mask::new() };
        let masks = steps.iter().map(|s| mask(!s.fused(), s.height * s.width * s.channels)).collect();
        let pooled = |s: &Step| (s.height / 2) * (s.width / 2) * s.channels;
        let windows = steps.iter().map(|s| mask(s.pooled, WINDOW * pooled(s))).collect();
        let times = (0..steps.len()).map(|i| {
            let step = &steps[i];
            let [outputs, inputs, ..] = Weights::shape(i).map(|n| n as u64);
            LayerTime {
                layer: Layer::at(i, LayerKind::Relu),
                direct_flops: 2 * 9 * outputs * inputs * (step.height * step.width) as u64,
                forward: Duration::ZERO,
                backward: Duration::ZERO,
            }
        });
        Ok(Self {
            times: times.collect(),
            network,
            isa,
            pooling,
            width,
            height,
            steps,
            padded: PaddedImage::new(width, height, Padding::default()),
            kept,
            spare: Default::default(),
            masks,
            windows,
            scratch: Scratch::default(),
        })
    }

    /// The same workspace with what the convolutions are to see beyond the border; without this call, [`Padding::Zero`]. The gradient
    /// needs a forward pass after it.
    ///
    /// # Errors
    /// [`Padding::Circular`] for an image that a pooling before the deepest layer cannot halve.
    pub fn with_padding(mut self, padding: Padding) -> Result<Self, EvaluatorError> {
        let layer = Layer::at(self.steps.len() - 1, LayerKind::Relu);
        let Self { width, height, .. } = self;
        if padding == Padding::Circular && !(width | height).is_multiple_of(layer.min_side()) {
            return Err(EvaluatorError::Uneven { width, height, layer });
        }
        self.padded = PaddedImage::new(width, height, padding);
        Ok(self)
    }

    /// Width of the images, in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height of the images, in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The instruction set in use.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// What the last passes took, convolution by convolution: the losses' gradients are not in it.
    pub fn layer_times(&self) -> &[LayerTime] {
        &self.times
    }

    /// The map of `layer` from the last forward pass, `[H, W, C]`; after [`Evaluator::backward`] its content is unspecified.
    ///
    /// # Panics
    /// If `layer` was not asked for.
    pub fn features(&self, layer: Layer) -> &FeatureMap {
        let found = self.kept.iter().find(|(kept, _)| *kept == layer);
        &found.unwrap_or_else(|| panic!("{layer} is not among the layers of this evaluator")).1
    }

    /// Forward pass.
    ///
    /// # Panics
    /// If the image has another size than the workspace.
    pub fn forward(&mut self, image: &Image) {
        assert_eq!((image.width(), image.height()), (self.width, self.height), "the image has another size");
        self.padded.fill(image, self.network.preprocessing());
        let border = self.padded.padding().border();
        let tile = if self.width * self.height < FEW_PIXELS { Tile::Four } else { Tile::Six };
        // Where the last map is: among the kept ones, or the spare one of that index.
        let mut last = Place::Spare(1);
        for i in 0..self.steps.len() {
            let start = Instant::now();
            let step = self.steps[i];
            let conv = step.conv.then_some(Place::Kept(Layer::at(i, LayerKind::Conv)));
            let relu = if step.relu { Place::Kept(Layer::at(i, LayerKind::Relu)) } else { last.other() };
            let input = if i == 0 { FeatureMap::default() } else { mem::take(self.map(last)) };
            let network = Arc::clone(&self.network);
            let bias = network.bias(i);

            if step.fused() {
                let mut pooled = mem::take(self.map(relu));
                pooled.reshape(step.height / 2, step.width / 2, step.channels);
                let sink =
                    PoolSink::new(&mut pooled, bias, &mut self.windows[i], self.pooling, step.height, step.width);
                kernels::convolve(
                    tile,
                    self.isa,
                    MapSource(&input, border),
                    sink,
                    network.forward(i),
                    &mut self.scratch,
                );
                *self.map(relu) = pooled;
            } else {
                let target = conv.unwrap_or(relu);
                let mut map = mem::take(self.map(target));
                map.reshape(step.height, step.width, step.channels);
                let sink = MapSink::new(&mut map, bias, conv.is_none().then_some(&mut self.masks[i]));
                if i == 0 {
                    network.first().forward(self.isa, self.padded.as_slice(), &sink);
                } else {
                    kernels::convolve(
                        tile,
                        self.isa,
                        MapSource(&input, border),
                        sink,
                        network.forward(i),
                        &mut self.scratch,
                    );
                }
                if conv.is_some() {
                    let mut rectified = mem::take(self.map(relu));
                    rectified.reshape(step.height, step.width, step.channels);
                    elementwise::rectify(&map, &mut rectified, &mut self.masks[i]);
                    *self.map(relu) = rectified;
                }
                *self.map(target) = map;
            }
            if i > 0 {
                *self.map(last) = input;
            }
            last = relu;

            if step.pooled && !step.fused() {
                let mut pooled = mem::take(self.map(last.other()));
                let map = mem::take(self.map(last));
                pooled.reshape(step.height / 2, step.width / 2, step.channels);
                elementwise::pool(&map, &mut pooled, &mut self.windows[i], self.pooling);
                *self.map(last) = map;
                *self.map(last.other()) = pooled;
                last = last.other();
            }
            self.times[i].forward = start.elapsed();
        }
    }

    /// Gradient with respect to the image, after a forward pass. It uses the maps up: another needs another forward pass.
    ///
    /// `layer_gradient(layer, map)` is called once for every layer asked for, the deepest first. `map` holds the layer's features; the
    /// call overwrites them with the gradient of the loss with respect to them (see [`FeatureMap::replace`]) and returns true, or it
    /// returns false: the loss does not depend on this layer directly.
    ///
    /// `image_gradient`: `[H, W, 3]`, RGB, with respect to the pixel values 0..255; overwritten.
    ///
    /// # Panics
    /// If `image_gradient` has another size.
    pub fn backward(
        &mut self,
        layer_gradient: &mut dyn FnMut(Layer, &mut FeatureMap) -> bool,
        image_gradient: &mut [f32],
    ) {
        assert_eq!(image_gradient.len(), 3 * self.width * self.height, "the gradient has another size than the image");
        let network = Arc::clone(&self.network);
        let deepest = self.steps.len() - 1;
        // Where the gradient after convolution i + 1 is: before its rectifier, or after the pooling that is fused with it.
        let mut current = Place::Spare(0);
        for i in (0..=deepest).rev() {
            let step = self.steps[i];
            if step.pooled {
                let mut pooled = mem::take(self.map(current.other()));
                pooled.reshape(step.height / 2, step.width / 2, step.channels);
                self.convolve_back(&network, i + 1, current, GradientSink::new(&mut pooled, None, false));
                *self.map(current.other()) = pooled;
                current = current.other();
                if step.fused() {
                    continue;
                }
            }
            let relu = Layer::at(i, LayerKind::Relu);
            let target = if step.relu { Place::Kept(relu) } else { current.other() };
            let mut gradient = mem::take(self.map(target));
            let injected = step.relu && layer_gradient(relu, &mut gradient);
            gradient.reshape(step.height, step.width, step.channels);
            if step.pooled {
                let pooled = mem::take(self.map(current));
                let (windows, mask) = (&self.windows[i], &self.masks[i]);
                elementwise::unpool(&pooled, windows, self.pooling, mask, &mut gradient, injected);
                *self.map(current) = pooled;
            } else if i < deepest {
                let mask = mem::take(&mut self.masks[i]);
                self.convolve_back(&network, i + 1, current, GradientSink::new(&mut gradient, Some(&mask), injected));
                self.masks[i] = mask;
            } else if injected {
                elementwise::cut(&mut gradient, &self.masks[i]);
            } else {
                gradient.as_mut_slice().fill(0.0);
            }
            if step.conv {
                let conv = Layer::at(i, LayerKind::Conv);
                let mut before_rectifier = mem::take(self.map(Place::Kept(conv)));
                if layer_gradient(conv, &mut before_rectifier) {
                    elementwise::add(&mut gradient, &before_rectifier);
                }
                *self.map(Place::Kept(conv)) = before_rectifier;
            }
            *self.map(target) = gradient;
            current = target;
        }
        let start = Instant::now();
        let gradient = mem::take(self.map(current));
        network.first().input_gradient(self.isa, &gradient, image_gradient);
        network.first().add_margin_gradient(self.padded.padding(), &gradient, image_gradient);
        *self.map(current) = gradient;
        self.times[0].backward = start.elapsed();
        let scale = network.preprocessing().scale;
        image_gradient.par_chunks_mut(3 * self.width).for_each(|row| {
            for pixel in row.as_chunks_mut::<3>().0 {
                for c in 0..3 {
                    pixel[c] *= scale[c];
                }
            }
        });
    }

    /// Gradient with respect to the input of convolution `i`, from `gradient`: that before its rectifier, or, where a pooling is fused
    /// with it, after that.
    fn convolve_back(&mut self, network: &Vgg19, i: usize, gradient: Place, sink: GradientSink<'_>) {
        let start = Instant::now();
        let place = gradient;
        let gradient = mem::take(self.map(place));
        let (step, border) = (&self.steps[i], self.padded.padding().border());
        let filters = network.backward(i);
        if step.fused() {
            let source = UnpoolSource::new(&gradient, &self.windows[i], self.pooling, step.height, step.width, border);
            kernels::convolve(Tile::Eight, self.isa, source, sink, filters, &mut self.scratch);
        } else {
            kernels::convolve(Tile::Eight, self.isa, MapSource(&gradient, border), sink, filters, &mut self.scratch);
        }
        *self.map(place) = gradient;
        self.times[i].backward = start.elapsed();
    }

    fn map(&mut self, place: Place) -> &mut FeatureMap {
        match place {
            Place::Spare(i) => &mut self.spare[i],
            Place::Kept(layer) => {
                let found = self.kept.iter_mut().find(|(kept, _)| *kept == layer);
                &mut found.expect("the plan keeps the layers that were asked for").1
            }
        }
    }
}

/// Where a map of the forward pass is.
#[derive(Clone, Copy)]
enum Place {
    Kept(Layer),
    Spare(usize),
}

impl Place {
    /// A spare map other than this one.
    fn other(self) -> Place {
        match self {
            Place::Spare(0) => Place::Spare(1),
            _ => Place::Spare(0),
        }
    }
}
