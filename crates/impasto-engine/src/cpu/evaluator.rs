//! Forward pass, and the gradient with respect to the image.

use std::fmt;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::cpu::feature_file::FeatureFile;
use crate::cpu::kernels::buffer::Scratch;
use crate::cpu::kernels::feature_map::FeatureMap;
use crate::cpu::kernels::isa::{Isa, IsaError};
use crate::cpu::packed_filters::Vgg19;
use crate::cpu::padded_image::PaddedImage;
use crate::cpu::stage::{GradientTarget, LayerTime, Stage, StageContext, StageInput};
use crate::cpu::strip::Strip;
use crate::layer::{Layer, LayerKind};
use crate::padding::Padding;
use crate::plan::bands::{BandCursor, BandPass};
use crate::plan::feature_store::FeatureStore;
use crate::plan::layout::{Layout, StageLayout};
use crate::pooling::Pooling;
use crate::tensor::Image;
use crate::weights::Weights;

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
    /// An image that wraps around was to be evaluated in bands.
    #[error("an image that wraps around can only be evaluated whole, not in bands")]
    Bands,
    /// No layer was asked for.
    #[error("no layer to evaluate")]
    NoLayers,
    /// `IMPASTO_ISA` names an instruction set that the CPU does not have.
    #[error(transparent)]
    Isa(#[from] IsaError),
}

/// Features of some rows of a layer's map, all of them where the evaluator's [`Layout`] has no bands.
#[derive(Clone, Copy, Debug)]
pub struct Features<'a> {
    /// The layer.
    pub layer: Layer,
    /// Index of the first of `values` among all values of the map.
    pub first: usize,
    /// `[positions, C]`, a multiple of the map's width of them.
    pub values: &'a [f32],
}

/// The same on the way back, where a gradient takes the features' place.
pub struct GradientBand<'a> {
    layer: Layer,
    first: usize,
    map: &'a mut FeatureMap,
    /// Rows of `map` that are meant.
    rows: Range<usize>,
    reference: Option<&'a [f32]>,
}

impl GradientBand<'_> {
    /// The layer.
    pub fn layer(&self) -> Layer {
        self.layer
    }

    /// Index of the first feature among all values of the map.
    pub fn first(&self) -> usize {
        self.first
    }

    /// The features, `[positions, C]`.
    pub fn features(&self) -> &[f32] {
        &self.map.as_slice()[self.range()]
    }

    /// The reference's features at the same positions; `None` where the layer is none of [`Evaluator::set_reference`].
    pub fn reference(&self) -> Option<&[f32]> {
        self.reference
    }

    /// Overwrites the features with the gradient of a loss with respect to them, position by position, in parallel: nobody needs both.
    ///
    /// `compute(first, features, reference, out)` gets the features of some positions, `[positions, C]`, of which the first has index
    /// `first` among all values of the whole map, those of the reference there if it has this layer, and `out` of the same length and
    /// unspecified content.
    pub fn replace(&mut self, compute: impl Fn(usize, &[f32], Option<&[f32]>, &mut [f32]) + Sync) {
        let (range, first, reference) = (self.range(), self.first, self.reference);
        self.map.replace(range, |at, features, out| {
            compute(first + at, features, reference.map(|values| &values[at..][..features.len()]), out);
        });
    }

    fn range(&self) -> Range<usize> {
        let row = self.map.width() * self.map.channels();
        self.rows.start * row..self.rows.end * row
    }
}

/// A workspace for images of one size and one set of layers: a forward pass, then the gradient of a loss on its maps with respect to
/// the image. All memory is made once, and reused; but that of parts in bands, which take turns.
pub struct Evaluator {
    context: StageContext,
    layers: Vec<Layer>,
    layout: Layout,
    parts: Vec<EvaluatorPart>,
    padded: PaddedImage,
    reference: Option<KeptReference>,
    scratch: Scratch,
    times: Vec<LayerTime>,
}

/// A part of the [`Layout`].
struct EvaluatorPart {
    layout: StageLayout,
    stage: Stage,
    /// Of the reference, where its features are computed anew.
    reference: Option<(Stage, Vec<BandCursor>)>,
    /// What it reads, of the whole picture; on the way back, the gradient with respect to that. Empty for the first, which reads the
    /// image.
    input: FeatureMap,
}

impl EvaluatorPart {
    /// Poolings before it.
    fn level(&self) -> usize {
        self.layout.first_block - 1
    }
}

/// A picture whose features the losses compare with.
struct KeptReference {
    /// Kept features.
    maps: Vec<(Layer, FeatureMap)>,
    file: Option<FeatureFile>,
    /// The picture and the parts' inputs, to compute them from.
    image: Option<Image>,
    inputs: Vec<FeatureMap>,
}

impl fmt::Debug for Evaluator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evaluator")
            .field("width", &self.width())
            .field("height", &self.height())
            .field("layers", &self.layers)
            .field("layout", &self.layout)
            .field("isa", &self.isa())
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
        let times = (0..=deepest.convolution()).map(|i| {
            let layer = Layer::at(i, LayerKind::Relu);
            let [outputs, inputs, ..] = Weights::shape(i).map(|n| n as u64);
            let positions = (height >> (layer.block() - 1)) * (width >> (layer.block() - 1));
            LayerTime {
                layer,
                direct_flops: 2 * 9 * outputs * inputs * positions as u64,
                forward: Duration::ZERO,
                backward: Duration::ZERO,
            }
        });
        let layout = Layout::whole();
        Ok(Self {
            times: times.collect(),
            parts: parts(&layout, width, height, layers),
            layout,
            context: StageContext { network, isa, pooling, padding: Padding::default(), width, height },
            layers: layers.to_vec(),
            padded: PaddedImage::default(),
            reference: None,
            scratch: Scratch::default(),
        })
    }

    /// The same workspace with what the convolutions are to see beyond the border; without this call, [`Padding::Zero`]. The gradient
    /// needs a forward pass after it.
    ///
    /// # Errors
    /// [`Padding::Circular`] for an image that a pooling before the deepest layer cannot halve, or for a layout with bands.
    pub fn with_padding(mut self, padding: Padding) -> Result<Self, EvaluatorError> {
        let layer = self.times.last().expect("there is a layer").layer;
        let (width, height) = (self.width(), self.height());
        if padding == Padding::Circular && !(width | height).is_multiple_of(layer.min_side()) {
            return Err(EvaluatorError::Uneven { width, height, layer });
        }
        self.context.padding = padding;
        self.padded = PaddedImage::default();
        self.check_bands()?;
        Ok(self)
    }

    /// The same workspace, new, with parts and bands; without this call, [`Layout::whole`]. Losses and gradients are the same but for
    /// rounding.
    ///
    /// # Errors
    /// Bands for an image that wraps around.
    pub fn with_layout(mut self, layout: Layout) -> Result<Self, EvaluatorError> {
        self.parts = parts(&layout, self.width(), self.height(), &self.layers);
        self.layout = layout;
        self.reference = None;
        self.check_bands()?;
        Ok(self)
    }

    fn check_bands(&self) -> Result<(), EvaluatorError> {
        let has_bands = self.parts.iter().any(|part| !part.layout.is_whole());
        if has_bands && self.context.padding == Padding::Circular { Err(EvaluatorError::Bands) } else { Ok(()) }
    }

    /// Width of the images, in pixels.
    pub fn width(&self) -> usize {
        self.context.width
    }

    /// Height of the images, in pixels.
    pub fn height(&self) -> usize {
        self.context.height
    }

    /// The instruction set in use.
    pub fn isa(&self) -> Isa {
        self.context.isa
    }

    /// What the last passes took, convolution by convolution: the losses' gradients are not in it.
    pub fn layer_times(&self) -> &[LayerTime] {
        &self.times
    }

    /// The map of `layer` from the last forward pass, `[H, W, C]`; after [`Evaluator::backward`] its content is unspecified.
    ///
    /// # Panics
    /// If `layer` was not asked for, or is in a part with bands, whose maps only [`Evaluator::forward_with`] sees.
    pub fn features(&self, layer: Layer) -> &FeatureMap {
        let whole = self.parts.iter().filter(|part| part.layout.is_whole());
        let found = whole.filter_map(|part| part.stage.features(layer)).next();
        found.map(Strip::map).unwrap_or_else(|| panic!("{layer} is not among the layers that this evaluator has whole"))
    }

    /// Forward pass.
    ///
    /// # Panics
    /// If the image has another size than the workspace.
    pub fn forward(&mut self, image: &Image) {
        assert_eq!((image.width(), image.height()), (self.width(), self.height()), "the image has another size");
        self.forward_with(image.as_slice(), &mut |_| {});
    }

    /// Forward pass over an image's values, `[H, W, 3]`, that shows all features of the layers asked for to `visit`, each once: a layer's
    /// bands from the top down.
    ///
    /// # Panics
    /// If the image has another size than the workspace.
    pub fn forward_with(&mut self, image: &[f32], visit: &mut dyn FnMut(Features<'_>)) {
        assert_eq!(image.len(), 3 * self.width() * self.height(), "the image has another size");
        self.times.iter_mut().for_each(|time| time.forward = Duration::ZERO);
        let Self { context, parts, padded, scratch, times, .. } = self;
        for i in 0..parts.len() {
            let (before, rest) = parts.split_at_mut(i + 1);
            let EvaluatorPart { layout, stage, input, .. } = &mut before[i];
            let mut output = rest.first_mut().map(|next| {
                let channels = stage.plan.steps[stage.plan.last()].channels;
                next.input.reshape(context.height >> next.level(), context.width >> next.level(), channels);
                &mut next.input
            });
            let pass = if layout.is_whole() { BandPass::ThereAndBack } else { BandPass::Once };
            stage.begin(Some(stage.plan.last()), pass, &layout.first);
            let start = BandCursor::start(&stage.plan);
            let mut ends = &start;
            for now in &layout.first {
                let mut visit = |layer: Layer, values: &[f32], rows: Range<usize>| {
                    visit(Features { layer, first: rows.start * (values.len() / rows.len()), values });
                };
                let mut source = source(i, image, input, padded);
                stage.forward(context, &mut source, [ends, now], output.as_deref_mut(), &mut visit, scratch, times);
                ends = now;
            }
            if !layout.is_whole() {
                stage.clear();
            }
        }
    }

    /// Forward pass on a picture of which the features at some layers are then there on every way back ([`GradientBand::reference`]).
    /// What follows is as after [`Evaluator::forward_with`].
    ///
    /// `make_file`: an empty file to write and read, which is asked for where the layout has features in a file.
    ///
    /// # Errors
    /// The file cannot be made or written. There is no reference then.
    ///
    /// # Panics
    /// If the image has another size than the workspace, or a layer was not asked for.
    pub fn set_reference(
        &mut self,
        image: &Image,
        layers: &[Layer],
        make_file: impl FnOnce() -> io::Result<File>,
        visit: &mut dyn FnMut(Features<'_>),
    ) -> io::Result<()> {
        assert!(layers.iter().all(|layer| self.layers.contains(layer)), "a layer of the reference was not asked for");
        assert_eq!((image.width(), image.height()), (self.width(), self.height()), "the image has another size");
        self.reference = None;
        let mut places = Vec::new();
        for part in &mut self.parts {
            let here = part.layout.plan.layers().filter(|layer| layers.contains(layer));
            let here: Vec<_> = here.map(|layer| (layer, self.layout.feature_store(&part.layout, layer))).collect();
            let anew: Vec<Layer> =
                here.iter().filter(|(_, place)| *place == FeatureStore::Recompute).map(|(layer, _)| *layer).collect();
            part.reference = part
                .layout
                .reference(&anew)
                .map(|(plan, bands)| (Stage::new(plan, part.layout.width, part.layout.height, false), bands));
            places.extend(here);
        }
        let has_file = places.iter().any(|(_, place)| *place == FeatureStore::File);
        let mut file = has_file.then(|| make_file().map(FeatureFile::new)).transpose()?;
        let mut written = Ok(());
        let mut maps: Vec<(Layer, FeatureMap)> = Vec::new();
        let (width, height) = (self.width(), self.height());
        self.forward_with(image.as_slice(), &mut |features| {
            if written.is_err() {
                return;
            }
            let layer = features.layer;
            let level = layer.block() - 1;
            match (places.iter().find(|(other, _)| *other == layer), &mut file) {
                (Some((_, FeatureStore::Memory)), _) => {
                    let index = maps.iter().position(|(kept, _)| *kept == layer).unwrap_or_else(|| {
                        maps.push((layer, FeatureMap::zeros(height >> level, width >> level, layer.channels())));
                        maps.len() - 1
                    });
                    let range = features.first..features.first + features.values.len();
                    maps[index].1.as_mut_slice()[range].copy_from_slice(features.values);
                }
                (Some((_, FeatureStore::File)), Some(file)) => {
                    written = file.write(layer, (width >> level) * layer.channels(), features.values);
                }
                _ => {}
            }
            visit(features);
        });
        written?;
        let inputs = self.parts.iter().map(|part| match part.reference {
            Some(_) => part.input.clone(),
            None => FeatureMap::default(),
        });
        self.reference = Some(KeptReference {
            maps,
            file,
            inputs: inputs.collect(),
            image: self.parts.first().is_some_and(|part| part.reference.is_some()).then(|| image.clone()),
        });
        Ok(())
    }

    /// Gradient with respect to an image, `[H, W, 3]`, after a forward pass on it. It uses the maps up: another needs another forward pass.
    ///
    /// `layer_gradient(band)` is called for every layer asked for, the deepest first, and where the layout has bands for each of them. It
    /// overwrites the features with the gradient of the loss with respect to them ([`GradientBand::replace`]) and returns true, or it
    /// returns false: the loss does not depend on this layer directly.
    ///
    /// `image_gradient`: `[H, W, 3]`, RGB, with respect to the pixel values 0..255; overwritten.
    ///
    /// # Errors
    /// The file of the reference's features cannot be read. The gradient means nothing then.
    ///
    /// # Panics
    /// If the image or `image_gradient` has another size.
    pub fn backward(
        &mut self,
        image: &[f32],
        layer_gradient: &mut dyn FnMut(&mut GradientBand<'_>) -> bool,
        image_gradient: &mut [f32],
    ) -> io::Result<()> {
        assert_eq!(image.len(), 3 * self.width() * self.height(), "the image has another size");
        assert_eq!(
            image_gradient.len(),
            3 * self.width() * self.height(),
            "the gradient has another size than the image"
        );
        self.times.iter_mut().for_each(|time| time.backward = Duration::ZERO);
        let Self { context, parts, padded, scratch, times, reference, .. } = self;
        let (mut file, reference) = match reference {
            Some(KeptReference { maps, file, image, inputs }) => (file.as_mut(), Some((&*maps, &*image, &*inputs))),
            None => (None, None),
        };
        let mut read = Ok(());
        for i in (0..parts.len()).rev() {
            let (before, rest) = parts.split_at_mut(i + 1);
            let EvaluatorPart { layout, stage, reference: of_reference, input } = &mut before[i];
            let mut output_gradient = rest.first_mut().map(|next| &mut next.input);
            let bands = if layout.is_whole() { &layout.first } else { &layout.second };
            if !layout.is_whole() {
                stage.begin(stage.plan.last_seen(), BandPass::ThereAndBack, bands);
            }
            if let Some((stage, bands)) = of_reference {
                stage.begin(Some(stage.plan.last()), BandPass::Reference, bands);
            }
            let start = BandCursor::start(&stage.plan);
            let mut ends = &start;
            for (b, now) in bands.iter().enumerate() {
                if !layout.is_whole() {
                    let mut source = source(i, image, input, padded);
                    stage.forward(context, &mut source, [ends, now], None, &mut |_, _, _| {}, scratch, times);
                }
                if let (Some((stage, bands)), Some((_, image, inputs))) = (of_reference.as_mut(), reference) {
                    // Any part but the first reads its input.
                    let image = image.as_ref().map_or(&[][..], Image::as_slice);
                    let mut source = source(i, image, &inputs[i], padded);
                    let start = BandCursor::start(&stage.plan);
                    let ends = b.checked_sub(1).map_or(&start, |before| &bands[before]);
                    stage.forward(context, &mut source, [ends, &bands[b]], None, &mut |_, _, _| {}, scratch, times);
                }
                let mut of_stage = |layer: Layer, map: &mut FeatureMap, here: Range<usize>, rows: Range<usize>| {
                    let first = rows.start * map.width() * map.channels();
                    let len = rows.len() * map.width() * map.channels();
                    let kept = reference.and_then(|(maps, ..)| maps.iter().find(|(other, _)| *other == layer));
                    let anew = of_reference.as_ref().and_then(|(stage, _)| stage.features(layer));
                    let stored = match file.as_mut().and_then(|file| file.read(layer, rows.clone())) {
                        Some(Err(error)) => {
                            read = Err(error);
                            return false;
                        }
                        Some(Ok(values)) => Some(values),
                        None => None,
                    };
                    let reference = kept
                        .map(|(_, map)| &map.as_slice()[first..first + len])
                        .or(anew.map(|strip| strip.values(&rows)))
                        .or(stored.as_deref());
                    layer_gradient(&mut GradientBand { layer, first, map, rows: here, reference })
                };
                let target = if i == 0 { GradientTarget::Image(image_gradient) } else { GradientTarget::Map(input) };
                let output_gradient = output_gradient.as_deref_mut();
                stage.backward(context, [ends, now], output_gradient, &mut of_stage, target, scratch, times);
                if read.is_err() {
                    break;
                }
                ends = now;
            }
            if !layout.is_whole() {
                stage.clear();
            }
            if let Some((stage, _)) = of_reference {
                stage.clear();
            }
            if read.is_err() {
                break;
            }
        }
        read
    }
}

/// The parts of a layout, without memory yet.
fn parts(layout: &Layout, width: usize, height: usize, layers: &[Layer]) -> Vec<EvaluatorPart> {
    let stages = layout.stages(width, height, layers).into_iter();
    stages
        .map(|layout| EvaluatorPart {
            stage: Stage::new(layout.plan.clone(), layout.width, layout.height, !layout.is_whole()),
            layout,
            reference: None,
            input: FeatureMap::default(),
        })
        .collect()
}

/// What part `i` reads.
fn source<'a>(i: usize, image: &'a [f32], input: &'a FeatureMap, padded: &'a mut PaddedImage) -> StageInput<'a> {
    if i == 0 { StageInput::Image(image, padded) } else { StageInput::Map(input) }
}
