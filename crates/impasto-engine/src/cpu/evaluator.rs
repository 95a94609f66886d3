//! The network on images of one size: a forward pass, then the gradient with respect to the image.
//!
//! The evaluator walks through the parts of its [`Layout`], each a [`Stage`] that is evaluated
//! whole or band by band. It knows no losses. On the way forward it shows the features of the
//! layers asked for, and on the way back it lets its caller put a gradient in their place.
//!
//! A part in bands goes forward again on its way back, because its maps do not last. So does a
//! reference whose features are neither kept in memory nor in a file.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::cpu::feature_file::FeatureFile;
use crate::cpu::kernels::buffer::Scratch;
use crate::cpu::kernels::feature_map::FeatureMap;
use crate::cpu::kernels::isa::Isa;
use crate::cpu::packed_filters::PackedFilters;
use crate::cpu::padded_image::PaddedImage;
use crate::cpu::stage::{GradientTarget, Stage, StageContext, StageInput, StageTools};
use crate::cpu::strip::Strip;
use crate::layer::{Layer, LayerKind};
use crate::network::{LayerTime, WorkspaceSpec, direct_flops};
use crate::plan::bands::{Band, BandCursor, BandPass};
use crate::plan::feature_store::FeatureStore;
use crate::plan::layout::{Layout, StageLayout};
use crate::tensor::Image;

/// Features of some rows of a layer's map: of all rows, unless the layer's part is in bands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BandFeatures<'a> {
    pub(crate) layer: Layer,
    /// Index of the first of `values` among all values of the map.
    pub(crate) first: usize,
    /// `[positions, C]`, whole rows of the map.
    pub(crate) values: &'a [f32],
}

/// Sees the features of a layer, a band at a time from the top down.
pub(crate) type VisitFeatures<'a> = dyn FnMut(BandFeatures<'_>) + 'a;

/// Features of some rows on the way back, where a gradient takes their place.
pub(crate) struct GradientBand<'a> {
    layer: Layer,
    first: usize,
    map: &'a mut FeatureMap,
    /// The rows of `map`.
    rows: Range<usize>,
    reference: Option<&'a [f32]>,
}

/// Puts a gradient in the place of features. Returns false if the loss does not depend on the layer
/// directly.
pub(crate) type PutGradient<'a> = dyn FnMut(&mut GradientBand<'_>) -> bool + 'a;

impl GradientBand<'_> {
    /// The layer.
    pub(crate) fn layer(&self) -> Layer {
        self.layer
    }

    /// Index of the first feature among all values of the map.
    pub(crate) fn first(&self) -> usize {
        self.first
    }

    /// The features, `[positions, C]`.
    pub(crate) fn features(&self) -> &[f32] {
        &self.map.as_slice()[self.range()]
    }

    /// The reference's features at the same positions, if the layer is one of the reference.
    pub(crate) fn reference(&self) -> Option<&[f32]> {
        self.reference
    }

    /// Overwrites the features with the gradient of a loss with respect to them, position by
    /// position, in parallel.
    ///
    /// `compute(first, features, reference, out)` gets the features of some positions, `[positions,
    /// C]`, those of the reference there, and `out` of the same length and unspecified content.
    /// `first` is the index of the first feature among all values of the whole map.
    pub(crate) fn replace(&mut self, compute: impl Fn(usize, &[f32], Option<&[f32]>, &mut [f32]) + Sync) {
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

/// A workspace for images of one size and one set of layers. Its memory is made once and reused,
/// except for that of parts in bands, which take turns.
pub(crate) struct Evaluator {
    context: StageContext,
    layout: Layout,
    parts: Vec<EvaluatorPart>,
    reference: Option<KeptReference>,
    tools: StageTools,
}

/// A part of the [`Layout`].
struct EvaluatorPart {
    layout: StageLayout,
    stage: Stage,
    /// The reference's way forward, if some of its features are computed again.
    recomputed: Option<RecomputedReference>,
    /// What the part reads, for the whole image. On the way back, the gradient with respect to it.
    /// Empty for the first part, which reads the image.
    input: FeatureMap,
}

/// A way forward that computes features of the reference again, beside the way back.
struct RecomputedReference {
    stage: Stage,
    /// As many as the way back has.
    bands: Vec<BandCursor>,
}

/// The picture that is compared with.
struct KeptReference {
    /// Features in memory.
    maps: Vec<(Layer, FeatureMap)>,
    /// Features in a file.
    file: Option<FeatureFile>,
    /// The picture, if the first part computes features again.
    image: Option<Image>,
    /// Inputs of the parts that compute features again.
    inputs: Vec<FeatureMap>,
}

/// What of the reference one part needs on its way back.
struct ReferenceOfPart<'a> {
    maps: &'a [(Layer, FeatureMap)],
    file: Option<&'a mut FeatureFile>,
    image: &'a [f32],
    input: &'a FeatureMap,
}

impl Evaluator {
    /// An evaluator for a spec that has been checked.
    pub(crate) fn new(filters: Arc<PackedFilters>, isa: Isa, spec: &WorkspaceSpec) -> Self {
        let &WorkspaceSpec { width, height, pooling, padding, ref layout, .. } = spec;
        let layers = spec.layers();
        let times = layers.last().map_or(0, |deepest| deepest.convolution() + 1);
        Self {
            parts: parts(layout, width, height, &layers),
            layout: layout.clone(),
            context: StageContext { filters, isa, pooling, padding, width, height },
            reference: None,
            tools: StageTools {
                padded: PaddedImage::default(),
                scratch: Scratch::default(),
                times: (0..times).map(|convolution| no_time(convolution, width, height)).collect(),
            },
        }
    }

    /// What the last passes took, convolution by convolution.
    pub(crate) fn layer_times(&self) -> &[LayerTime] {
        &self.tools.times
    }

    /// The map of a layer from the last forward pass, `[H, W, C]`.
    ///
    /// # Panics
    /// If the layer was not asked for, or is in a part with bands.
    pub(crate) fn features(&self, layer: Layer) -> &FeatureMap {
        let whole = self.parts.iter().filter(|part| part.layout.is_whole());
        let found = whole.filter_map(|part| part.stage.features(layer)).next();
        found.map(Strip::map).unwrap_or_else(|| panic!("{layer} is not among the layers that are there whole"))
    }

    /// Forward pass over an image `[H, W, 3]`. `visit` sees all features of the layers asked for,
    /// each once.
    ///
    /// # Panics
    /// If the image has another size than the workspace.
    pub(crate) fn forward(&mut self, image: &[f32], visit: &mut VisitFeatures<'_>) {
        self.check_size(image);
        self.tools.times.iter_mut().for_each(|time| time.forward = Duration::ZERO);
        let Self { context, parts, tools, .. } = self;
        for i in 0..parts.len() {
            let (before, rest) = parts.split_at_mut(i + 1);
            let output = rest.first_mut().map(|next| next.make_input(context));
            before[i].forward(context, image, output, visit, tools);
        }
    }

    /// Forward pass on a picture whose features at some layers are then there on every way back, as
    /// [`GradientBand::reference`]. The evaluator is then as after [`Evaluator::forward`].
    ///
    /// `make_file` returns an empty file to write and read. It is called if the layout keeps
    /// features in a file.
    ///
    /// # Errors
    /// The file cannot be made or written. There is no reference then.
    ///
    /// # Panics
    /// If the image has another size than the workspace.
    pub(crate) fn set_reference(
        &mut self,
        image: &Image,
        layers: &[Layer],
        make_file: &mut dyn FnMut() -> io::Result<File>,
        visit: &mut VisitFeatures<'_>,
    ) -> io::Result<()> {
        self.reference = None;
        let stores = self.feature_stores(layers);
        for part in &mut self.parts {
            part.plan_reference(&stores);
        }
        let has_file = stores.iter().any(|(_, store)| *store == FeatureStore::File);
        let mut file = has_file.then(|| make_file().map(FeatureFile::new)).transpose()?;
        let mut written = Ok(());
        let mut maps: Vec<(Layer, FeatureMap)> = Vec::new();
        let (width, height) = (self.context.width, self.context.height);
        self.forward(image.as_slice(), &mut |features| {
            if written.is_err() {
                return;
            }
            let BandFeatures { layer, first, values } = features;
            let (width, height) = (width >> layer.poolings(), height >> layer.poolings());
            match (stores.iter().find(|(other, _)| *other == layer), &mut file) {
                (Some((_, FeatureStore::Memory)), _) => {
                    let index = maps.iter().position(|(kept, _)| *kept == layer).unwrap_or_else(|| {
                        maps.push((layer, FeatureMap::zeros(height, width, layer.channels())));
                        maps.len() - 1
                    });
                    maps[index].1.as_mut_slice()[first..first + values.len()].copy_from_slice(values);
                }
                (Some((_, FeatureStore::File)), Some(file)) => {
                    written = file.write(layer, width * layer.channels(), values);
                }
                _ => {}
            }
            visit(features);
        });
        written?;
        let inputs = self.parts.iter().map(|part| match part.recomputed {
            Some(_) => part.input.clone(),
            None => FeatureMap::default(),
        });
        self.reference = Some(KeptReference {
            maps,
            file,
            inputs: inputs.collect(),
            image: self.parts.first().is_some_and(|part| part.recomputed.is_some()).then(|| image.clone()),
        });
        Ok(())
    }

    /// Gradient with respect to an image `[H, W, 3]`, after a forward pass on it. It uses the maps
    /// up: another gradient needs another forward pass.
    ///
    /// `put_gradient` is called for every layer asked for, the deepest first, and for each band of
    /// a layer. `image_gradient` is `[H, W, 3]`, RGB, with respect to the pixel values in 0..255.
    /// It is overwritten.
    ///
    /// # Errors
    /// The file with the reference's features cannot be read. The gradient means nothing then.
    ///
    /// # Panics
    /// If the image or `image_gradient` has another size than the workspace.
    pub(crate) fn backward(
        &mut self,
        image: &[f32],
        put_gradient: &mut PutGradient<'_>,
        image_gradient: &mut [f32],
    ) -> io::Result<()> {
        self.check_size(image);
        self.check_size(image_gradient);
        self.tools.times.iter_mut().for_each(|time| time.backward = Duration::ZERO);
        let Self { context, parts, tools, reference, .. } = self;
        for i in (0..parts.len()).rev() {
            let (before, rest) = parts.split_at_mut(i + 1);
            let output_gradient = rest.first_mut().map(|next| &mut next.input);
            let reference = reference.as_mut().map(|reference| reference.of_part(i));
            let target = (i == 0).then_some(&mut *image_gradient);
            before[i].backward(context, image, reference, output_gradient, put_gradient, target, tools)?;
        }
        Ok(())
    }

    fn check_size(&self, image: &[f32]) {
        assert_eq!(image.len(), 3 * self.context.width * self.context.height, "the image has another size");
    }

    /// Where the features of a reference at some layers are kept.
    fn feature_stores(&self, layers: &[Layer]) -> Vec<(Layer, FeatureStore)> {
        let of_part = |part: &EvaluatorPart| {
            let here = part.layout.plan.layers().filter(|layer| layers.contains(layer));
            here.map(|layer| (layer, self.layout.feature_store(&part.layout, layer))).collect::<Vec<_>>()
        };
        self.parts.iter().flat_map(of_part).collect()
    }
}

impl EvaluatorPart {
    /// Poolings before the part.
    fn level(&self) -> usize {
        self.layout.first_block - 1
    }

    /// Gives the input its shape, for the part before to write it.
    fn make_input(&mut self, context: &StageContext) -> &mut FeatureMap {
        let (level, channels) = (self.level(), self.layout.channels);
        self.input.reshape(context.height >> level, context.width >> level, channels);
        &mut self.input
    }

    /// Prepares to compute features of a reference again on the way back.
    fn plan_reference(&mut self, stores: &[(Layer, FeatureStore)]) {
        let recomputed = stores.iter().filter(|(_, store)| *store == FeatureStore::Recompute);
        let here = recomputed.filter(|(layer, _)| self.layout.plan.layers().any(|other| other == *layer));
        let layers: Vec<Layer> = here.map(|(layer, _)| *layer).collect();
        let (width, height) = (self.layout.width, self.layout.height);
        let planned = self.layout.reference(&layers);
        self.recomputed = planned.map(|(plan, bands)| {
            let stage = Stage::new(plan, width, height, false);
            RecomputedReference { stage, bands }
        });
    }

    /// The part's way forward, band by band.
    fn forward(
        &mut self,
        context: &StageContext,
        image: &[f32],
        mut output: Option<&mut FeatureMap>,
        visit: &mut VisitFeatures<'_>,
        tools: &mut StageTools,
    ) {
        let Self { layout, stage, input, .. } = self;
        let pass = if layout.is_whole() { BandPass::ThereAndBack } else { BandPass::Once };
        stage.begin(Some(layout.plan.last()), pass, &layout.first);
        for band in Band::each(&BandCursor::start(&layout.plan), &layout.first) {
            let mut visit = |layer: Layer, values: &[f32], rows: Range<usize>| {
                visit(BandFeatures { layer, first: rows.start * (values.len() / rows.len()), values });
            };
            stage.forward(context, source(layout, image, input), band, output.as_deref_mut(), &mut visit, tools);
        }
        if !layout.is_whole() {
            stage.clear();
        }
    }

    /// The part's way back, band by band. `image_gradient`: where the gradient goes, if the part
    /// reads the image.
    fn backward(
        &mut self,
        context: &StageContext,
        image: &[f32],
        mut reference: Option<ReferenceOfPart<'_>>,
        mut output_gradient: Option<&mut FeatureMap>,
        put_gradient: &mut PutGradient<'_>,
        mut image_gradient: Option<&mut [f32]>,
        tools: &mut StageTools,
    ) -> io::Result<()> {
        self.begin_back();
        let Self { layout, stage, recomputed, input } = self;
        let bands = if layout.is_whole() { &layout.first } else { &layout.second };
        let mut result = Ok(());
        for (b, band) in Band::each(&BandCursor::start(&layout.plan), bands).enumerate() {
            if !layout.is_whole() {
                stage.forward(context, source(layout, image, input), band, None, &mut |_, _, _| {}, tools);
            }
            if let (Some(recomputed), Some(reference)) = (recomputed.as_mut(), &reference) {
                recomputed.forward(context, source(layout, reference.image, reference.input), b, tools);
            }
            let recomputed = recomputed.as_ref().map(|recomputed| &recomputed.stage);
            let mut layer_gradient = |layer: Layer, map: &mut FeatureMap, here: Range<usize>, rows: Range<usize>| {
                let first = rows.start * map.width() * map.channels();
                let stored = reference.as_mut().map_or(Ok(None), |reference| reference.read(layer, &rows));
                let stored = stored.unwrap_or_else(|error| {
                    result = Err(error);
                    None
                });
                if result.is_err() {
                    return false;
                }
                let values = first..first + rows.len() * map.width() * map.channels();
                let kept = reference.as_ref().and_then(|reference| reference.kept(layer, values));
                let again = recomputed.and_then(|stage| stage.features(layer)).map(|strip| strip.values(&rows));
                let reference = kept.or(again).or(stored.as_deref());
                put_gradient(&mut GradientBand { layer, first, map, rows: here, reference })
            };
            let target = match image_gradient.as_deref_mut() {
                Some(gradient) => GradientTarget::Image(gradient),
                None => GradientTarget::Map(input),
            };
            stage.backward(context, band, output_gradient.as_deref_mut(), &mut layer_gradient, target, tools);
            if result.is_err() {
                break;
            }
        }
        self.end_back();
        result
    }

    /// Begins the ways forward that belong to the way back.
    fn begin_back(&mut self) {
        let Self { layout, stage, recomputed, .. } = self;
        if !layout.is_whole() {
            stage.begin(layout.plan.last_seen(), BandPass::ThereAndBack, &layout.second);
        }
        if let Some(RecomputedReference { stage, bands }) = recomputed {
            stage.begin(Some(stage.plan.last()), BandPass::Reference, bands);
        }
    }

    /// Gives the memory of bands back.
    fn end_back(&mut self) {
        if !self.layout.is_whole() {
            self.stage.clear();
        }
        if let Some(recomputed) = &mut self.recomputed {
            recomputed.stage.clear();
        }
    }
}

impl RecomputedReference {
    /// Brings the reference's features as far as band `b` of the way back.
    fn forward(&mut self, context: &StageContext, source: StageInput<'_>, b: usize, tools: &mut StageTools) {
        let Self { stage, bands } = self;
        let start = BandCursor::start(&stage.plan);
        let before = b.checked_sub(1).map_or(&start, |before| &bands[before]);
        stage.forward(context, source, Band { before, now: &bands[b] }, None, &mut |_, _, _| {}, tools);
    }
}

impl KeptReference {
    /// What of the reference one part needs on its way back.
    fn of_part(&mut self, part: usize) -> ReferenceOfPart<'_> {
        ReferenceOfPart {
            maps: &self.maps,
            file: self.file.as_mut(),
            // Any part but the first reads its input.
            image: self.image.as_ref().map_or(&[], Image::as_slice),
            input: &self.inputs[part],
        }
    }
}

impl ReferenceOfPart<'_> {
    /// Features of a layer that are kept in memory.
    fn kept(&self, layer: Layer, values: Range<usize>) -> Option<&[f32]> {
        self.maps.iter().find(|(other, _)| *other == layer).map(|(_, map)| &map.as_slice()[values])
    }

    /// Reads features of a layer that are kept in a file.
    fn read(&mut self, layer: Layer, rows: &Range<usize>) -> io::Result<Option<Vec<f32>>> {
        self.file.as_mut().and_then(|file| file.read(layer, rows.clone())).transpose()
    }
}

/// The parts of a layout, without memory yet.
fn parts(layout: &Layout, width: usize, height: usize, layers: &[Layer]) -> Vec<EvaluatorPart> {
    let stages = layout.stages(width, height, layers).into_iter();
    stages
        .map(|layout| EvaluatorPart {
            stage: Stage::new(layout.plan.clone(), layout.width, layout.height, !layout.is_whole()),
            layout,
            recomputed: None,
            input: FeatureMap::default(),
        })
        .collect()
}

/// What a part reads: the image if it is the first one.
fn source<'a>(layout: &StageLayout, image: &'a [f32], input: &'a FeatureMap) -> StageInput<'a> {
    if layout.first_block == 1 { StageInput::Image(image) } else { StageInput::Map(input) }
}

/// The entry of a convolution that has not run yet.
fn no_time(convolution: usize, width: usize, height: usize) -> LayerTime {
    let layer = Layer::at(convolution, LayerKind::Relu);
    let direct_flops = direct_flops(layer, width, height);
    LayerTime { layer, direct_flops, forward: Duration::ZERO, backward: Duration::ZERO }
}
