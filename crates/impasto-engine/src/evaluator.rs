//! Forward pass, and the gradient with respect to the image.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use rayon::prelude::*;

use crate::kernels::{Isa, IsaError, Scratch};
use crate::layer::{Layer, LayerKind};
use crate::layout::{self, Layout};
use crate::padding::{PaddedImage, Padding};
use crate::pooling::Pooling;
use crate::stage::{Input, LayerTime, Setting, Stage, Target};
use crate::vgg19::Vgg19;
use crate::weights::Weights;
use crate::{FeatureMap, Image};

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
    /// Rows of `map` that belong to the band.
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
        let values = self.map.as_mut_slice();
        // What the margins have to say counts in the bands that they belong to.
        values[..range.start].par_iter_mut().for_each(|v| *v = 0.0);
        values[range.end..].par_iter_mut().for_each(|v| *v = 0.0);
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
    setting: Setting,
    layers: Vec<Layer>,
    layout: Layout,
    parts: Vec<Part>,
    padded: PaddedImage,
    /// The input of a band of any part but the first, and the gradient with respect to it.
    band: [FeatureMap; 2],
    reference: Option<Reference>,
    scratch: Scratch,
    times: Vec<LayerTime>,
}

/// A part of the [`Layout`].
struct Part {
    stage: Stage,
    bands: Vec<layout::Band>,
    /// Poolings before it.
    level: usize,
    /// Masks of the whole picture behind the last map that a loss looks at, each for its rows from the top down; none where the part has no
    /// bands.
    masks: Vec<Vec<u8>>,
    /// What it reads, of the whole picture; on the way back, the gradient with respect to that. Empty for the first, which reads the
    /// image.
    input: FeatureMap,
}

/// A picture whose features the losses compare with.
struct Reference {
    layers: Vec<Layer>,
    /// Kept features; empty where they are computed anew.
    maps: Vec<(Layer, FeatureMap)>,
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
            setting: Setting { network, isa, pooling, padding: Padding::default(), width, height },
            layers: layers.to_vec(),
            padded: PaddedImage::default(),
            band: Default::default(),
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
        self.setting.padding = padding;
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
        let has_bands = self.parts.iter().any(|part| part.bands.len() > 1);
        if has_bands && self.setting.padding == Padding::Circular { Err(EvaluatorError::Bands) } else { Ok(()) }
    }

    /// Width of the images, in pixels.
    pub fn width(&self) -> usize {
        self.setting.width
    }

    /// Height of the images, in pixels.
    pub fn height(&self) -> usize {
        self.setting.height
    }

    /// The instruction set in use.
    pub fn isa(&self) -> Isa {
        self.setting.isa
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
        let whole = self.parts.iter().filter(|part| part.bands.len() == 1);
        let found = whole.filter_map(|part| part.stage.features(layer)).next();
        found.unwrap_or_else(|| panic!("{layer} is not among the layers that this evaluator has whole"))
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
        for i in 0..self.parts.len() {
            let (before, rest) = self.parts.split_at_mut(i + 1);
            let part = &mut before[i];
            let setting = &self.setting;
            let until = part.stage.plan.steps.len() - 1;
            if let Some(next) = rest.first_mut() {
                let channels = part.stage.plan.steps[until].channels;
                next.input.reshape(setting.height >> next.level, setting.width >> next.level, channels);
            }
            let whole = part.bands.len() == 1;
            for band in &part.bands {
                let rows = band.rows.clone();
                let input = read(i, whole, (image, &part.input), &rows, (&mut self.padded, &mut self.band[0]), setting);
                part.stage.forward(setting, &input, rows.len(), until, &mut self.scratch, &mut self.times);
                for layer in part.stage.plan.layers() {
                    let map = part.stage.features(layer).expect("the stage keeps its layers");
                    let (own, first) = own_rows(band, layer.block() - 1 - part.level, map);
                    visit(Features { layer, first, values: &map.as_slice()[own] });
                }
                if !whole {
                    let own = band.own.start - rows.start..band.own.end - rows.start;
                    let masks = part.stage.unseen_masks(band.rows.start, own);
                    for ((start, rows), kept) in masks.into_iter().zip(&mut part.masks) {
                        kept[start..start + rows.len()].copy_from_slice(rows);
                    }
                }
                if let Some(next) = rest.first_mut() {
                    let output = part.stage.output();
                    let (own, first) = own_rows(band, next.level - part.level, output);
                    next.input.as_mut_slice()[first..first + own.len()].copy_from_slice(&output.as_slice()[own]);
                }
            }
            if !whole {
                part.stage.clear();
            }
        }
    }

    /// Forward pass on a picture of which the features at some layers are then there on every way back ([`GradientBand::reference`]).
    /// What follows is as after [`Evaluator::forward_with`].
    ///
    /// # Panics
    /// If the image has another size than the workspace, or a layer was not asked for.
    pub fn set_reference(&mut self, image: &Image, layers: &[Layer], visit: &mut dyn FnMut(Features<'_>)) {
        assert!(layers.iter().all(|layer| self.layers.contains(layer)), "a layer of the reference was not asked for");
        self.reference = None;
        let again: Vec<Layer> = match self.layout.keep_reference {
            true => vec![],
            false => {
                let in_bands = self.parts.iter().filter(|part| part.bands.len() > 1);
                in_bands.flat_map(|part| part.stage.plan.layers()).filter(|layer| layers.contains(layer)).collect()
            }
        };
        let mut maps: Vec<(Layer, FeatureMap)> = Vec::new();
        let (width, height) = (self.width(), self.height());
        assert_eq!((image.width(), image.height()), (self.width(), self.height()), "the image has another size");
        self.forward_with(image.as_slice(), &mut |features| {
            let layer = features.layer;
            if layers.contains(&layer) && !again.contains(&layer) {
                let index = maps.iter().position(|(kept, _)| *kept == layer).unwrap_or_else(|| {
                    let level = layer.block() - 1;
                    maps.push((layer, FeatureMap::zeros(height >> level, width >> level, layer.channels())));
                    maps.len() - 1
                });
                let range = features.first..features.first + features.values.len();
                maps[index].1.as_mut_slice()[range].copy_from_slice(features.values);
            }
            visit(features);
        });
        let needed = |part: &Part| part.stage.plan.deepest(&again).is_some();
        let inputs =
            self.parts.iter().map(|part| if needed(part) { part.input.clone() } else { FeatureMap::default() });
        self.reference = Some(Reference {
            layers: layers.to_vec(),
            maps,
            inputs: inputs.collect(),
            image: self.parts.first().is_some_and(needed).then(|| image.clone()),
        });
    }

    /// Gradient with respect to an image, `[H, W, 3]`, after a forward pass on it. It uses the maps up: another needs another forward pass.
    ///
    /// `layer_gradient(band)` is called for every layer asked for, the deepest first, and where the layout has bands for each of them. It
    /// overwrites the features with the gradient of the loss with respect to them ([`GradientBand::replace`]) and returns true, or it
    /// returns false: the loss does not depend on this layer directly.
    ///
    /// `image_gradient`: `[H, W, 3]`, RGB, with respect to the pixel values 0..255; overwritten.
    ///
    /// # Panics
    /// If the image or `image_gradient` has another size.
    pub fn backward(
        &mut self,
        image: &[f32],
        layer_gradient: &mut dyn FnMut(&mut GradientBand<'_>) -> bool,
        image_gradient: &mut [f32],
    ) {
        assert_eq!(image.len(), 3 * self.width() * self.height(), "the image has another size");
        assert_eq!(
            image_gradient.len(),
            3 * self.width() * self.height(),
            "the gradient has another size than the image"
        );
        self.times.iter_mut().for_each(|time| time.backward = Duration::ZERO);
        for i in (0..self.parts.len()).rev() {
            let (before, rest) = self.parts.split_at_mut(i + 1);
            let part = &mut before[i];
            let setting = &self.setting;
            let whole = part.bands.len() == 1;
            if i == 0 && !whole {
                image_gradient.par_iter_mut().for_each(|v| *v = 0.0);
            }
            // Rows of the gradient with respect to the input that bands below have a part in too.
            let mut pending = FeatureMap::default();
            for (b, band) in part.bands.iter().enumerate() {
                let rows = band.rows.clone();
                let mut anew = Vec::new();
                if !whole {
                    if let Some(reference) = &self.reference
                        && let Some(deepest) = part.stage.plan.deepest(&reference.anew())
                    {
                        // Any part but the first reads its input.
                        let image = reference.image.as_ref().map_or(&[][..], Image::as_slice);
                        let source = (image, &reference.inputs[i]);
                        let input = read(i, whole, source, &rows, (&mut self.padded, &mut self.band[0]), setting);
                        part.stage.forward(setting, &input, rows.len(), deepest, &mut self.scratch, &mut self.times);
                        anew = reference.of_band(part, band);
                    }
                    part.stage.set_height(rows.len());
                    if let Some(until) = part.stage.plan.last_seen() {
                        let source = (image, &part.input);
                        let input = read(i, whole, source, &rows, (&mut self.padded, &mut self.band[0]), setting);
                        part.stage.forward(setting, &input, rows.len(), until, &mut self.scratch, &mut self.times);
                    }
                    let masks = part.stage.unseen_masks(rows.start, 0..rows.len());
                    for ((start, band), kept) in masks.into_iter().zip(&part.masks) {
                        band.copy_from_slice(&kept[start..start + band.len()]);
                    }
                }
                if let Some(next) = rest.first() {
                    let level = next.level - part.level;
                    let gradient = part.stage.output_gradient();
                    let (own, first) = own_rows(band, level, gradient);
                    let values = gradient.as_mut_slice();
                    values[..own.start].fill(0.0);
                    values[own.end..].fill(0.0);
                    let len = own.len();
                    values[own].copy_from_slice(&next.input.as_slice()[first..first + len]);
                }
                let level = part.level;
                let kept = self.reference.as_ref().map_or(&[][..], |reference| &reference.maps);
                let mut of_stage = |layer: Layer, map: &mut FeatureMap| {
                    let row = map.width() * map.channels();
                    let (own, first) = own_rows(band, layer.block() - 1 - level, map);
                    let kept = kept.iter().find(|(other, _)| *other == layer);
                    let anew = anew.iter().find(|(other, _)| *other == layer);
                    let reference = kept
                        .map(|(_, map)| &map.as_slice()[first..first + own.len()])
                        .or(anew.map(|(_, values)| values.as_slice()));
                    let rows = own.start / row..own.end / row;
                    layer_gradient(&mut GradientBand { layer, first, map, rows, reference })
                };
                let stage = &mut part.stage;
                if i == 0 && whole {
                    let target = Target::Image(image_gradient);
                    stage.backward(setting, &mut of_stage, target, &mut self.scratch, &mut self.times);
                } else if i == 0 {
                    let mut gradient = vec![0.0; 3 * rows.len() * setting.width];
                    let target = Target::Image(&mut gradient);
                    stage.backward(setting, &mut of_stage, target, &mut self.scratch, &mut self.times);
                    add(&mut image_gradient[3 * rows.start * setting.width..], &gradient);
                } else {
                    let gradient = &mut self.band[1];
                    let target = Target::Map(gradient);
                    stage.backward(setting, &mut of_stage, target, &mut self.scratch, &mut self.times);
                    add(gradient.as_mut_slice(), pending.as_slice());
                    // Where the next band begins to read, its input has to stay for now.
                    let row = gradient.width() * gradient.channels();
                    let end = part.bands.get(b + 1).map_or(rows.end, |next| next.rows.start);
                    let done = (end - rows.start) * row;
                    part.input.as_mut_slice()[rows.start * row..end * row]
                        .copy_from_slice(&gradient.as_slice()[..done]);
                    pending.reshape(rows.end - end, gradient.width(), gradient.channels());
                    pending.as_mut_slice().copy_from_slice(&gradient.as_slice()[done..]);
                }
            }
            if !whole {
                part.stage.clear();
                self.band = Default::default();
            }
        }
    }
}

impl Reference {
    /// The layers whose features are not kept.
    fn anew(&self) -> Vec<Layer> {
        self.layers.iter().copied().filter(|layer| self.maps.iter().all(|(kept, _)| kept != layer)).collect()
    }

    /// A band's own features of those layers that the part has just computed.
    fn of_band(&self, part: &Part, band: &layout::Band) -> Vec<(Layer, Vec<f32>)> {
        let own = |layer: Layer| {
            let map = part.stage.features(layer)?;
            let (own, _) = own_rows(band, layer.block() - 1 - part.level, map);
            Some((layer, map.as_slice()[own].to_vec()))
        };
        self.anew().into_iter().filter_map(own).collect()
    }
}

/// The parts of a layout, without memory yet.
fn parts(layout: &Layout, width: usize, height: usize, layers: &[Layer]) -> Vec<Part> {
    let stages = layout.stages(width, height, layers).into_iter();
    stages
        .map(|part| {
            let masks = match part.bands.len() {
                1 => vec![],
                _ => part.plan.unseen_mask_bytes(part.width, part.height),
            };
            Part {
                stage: Stage::new(part.plan, part.width, part.height),
                bands: part.bands,
                level: part.first_block - 1,
                masks: masks.into_iter().map(|bytes| vec![0; bytes]).collect(),
                input: FeatureMap::default(),
            }
        })
        .collect()
}

/// What part `i` reads of some rows of its input.
fn read<'a>(
    i: usize,
    whole: bool,
    (image, input): (&[f32], &'a FeatureMap),
    rows: &Range<usize>,
    (padded, band): (&'a mut PaddedImage, &'a mut FeatureMap),
    setting: &Setting,
) -> Input<'a> {
    if i == 0 {
        padded.fill(image, setting.width, rows.clone(), setting.padding, setting.network.preprocessing());
        return Input::Image(padded);
    }
    if whole {
        return Input::Map(input);
    }
    let row = input.width() * input.channels();
    band.reshape(rows.len(), input.width(), input.channels());
    band.as_mut_slice().copy_from_slice(&input.as_slice()[rows.start * row..rows.end * row]);
    Input::Map(band)
}

/// Values of a map of a band's rows, `level` poolings after the part's input, that are the band's own; and the index of the first of them
/// among the values of the whole map.
fn own_rows(band: &layout::Band, level: usize, map: &FeatureMap) -> (Range<usize>, usize) {
    let row = map.width() * map.channels();
    let offset = band.rows.start >> level;
    // Where the map ends, a last odd row belongs to no window of the pooling.
    let end = if band.own.end == band.rows.end { offset + map.height() } else { band.own.end >> level };
    let start = band.own.start >> level;
    ((start - offset) * row..(end - offset) * row, start * row)
}

/// `to += from`, as far as `from` goes.
fn add(to: &mut [f32], from: &[f32]) {
    to.par_chunks_mut(ADD_CHUNK).zip(from.par_chunks(ADD_CHUNK)).for_each(|(to, from)| {
        for (to, from) in to.iter_mut().zip(from) {
            *to += from;
        }
    });
}

/// Values that a thread adds at a time.
const ADD_CHUNK: usize = 1 << 14;
