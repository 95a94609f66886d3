//! Some consecutive convolutions on some rows of an image: the passes forward and back, and the
//! memory they work in.
//!
//! A stage does not choose what it computes. Its [`StagePlan`] says which maps are kept and where
//! the poolings are, and a [`Band`] says which rows of every map come next. A stage that is
//! evaluated whole has one band with all rows.
//!
//! A map lives as long as something reads it. Maps of layers that are asked for stay until the way
//! back, where the gradient takes their place. All others share a few buffers. What the way back
//! needs of them are masks: one bit a value for the rectifier, four bits a window for the pooling.

use std::mem;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use rayon::prelude::*;

use crate::cpu::elementwise;
use crate::cpu::kernels::buffer::Scratch;
use crate::cpu::kernels::feature_map::FeatureMap;
use crate::cpu::kernels::isa::Isa;
use crate::cpu::kernels::maps::{GradientSink, MapSink, MapSource, PoolSink, Rows, UnpoolSource};
use crate::cpu::kernels::winograd::{Border, Sink, convolve};
use crate::cpu::packed_filters::PackedFilters;
use crate::cpu::padded_image::PaddedImage;
use crate::cpu::strip::{MaskStrip, Strip};
use crate::layer::{Layer, LayerKind};
use crate::network::LayerTime;
use crate::padding::Padding;
use crate::plan::bands::{Band, BandCursor, BandPass, RowsPerMap};
use crate::plan::stage_plan::StagePlan;
use crate::plan::tile::WinogradTile;
use crate::pooling::Pooling;
use crate::weights::Weights;

/// All of what a stage reads.
#[derive(Clone, Copy)]
pub(crate) enum StageInput<'a> {
    /// The pixels, `[H, W, 3]`: input of the first stage.
    Image(&'a [f32]),
    /// The result of the pooling before: input of any other stage.
    Map(&'a FeatureMap),
}

/// Where the gradient with respect to all of a stage's input goes.
pub(crate) enum GradientTarget<'a> {
    /// `[H, W, 3]`, with respect to the pixel values.
    Image(&'a mut [f32]),
    /// With respect to the result of the pooling before.
    Map(&'a mut FeatureMap),
}

/// Sees the features of some rows of a layer.
pub(crate) type Visit<'a> = dyn FnMut(Layer, &[f32], Range<usize>) + 'a;

/// Puts the gradient in the place of a layer's features. The ranges are rows of the map that is
/// given and the same rows of the whole map. Returns false if there is no gradient.
pub(crate) type LayerGradient<'a> = dyn FnMut(Layer, &mut FeatureMap, Range<usize>, Range<usize>) -> bool + 'a;

/// What is the same for all stages of a network on images of one size.
pub(crate) struct StageContext {
    pub(crate) filters: Arc<PackedFilters>,
    pub(crate) isa: Isa,
    pub(crate) pooling: Pooling,
    pub(crate) padding: Padding,
    /// Width of the whole image.
    pub(crate) width: usize,
    /// Height of the whole image.
    pub(crate) height: usize,
}

/// What all stages work with in turn.
pub(crate) struct StageTools {
    /// Memory for the rows of the image that conv1_1 reads.
    pub(crate) padded: PaddedImage,
    pub(crate) scratch: Scratch,
    /// By convolution of the network.
    pub(crate) times: Vec<LayerTime>,
}

/// Maps and masks of a convolution.
#[derive(Default)]
struct StageMaps {
    /// Before the rectifier, if that map is asked for. On the way back, the gradient with respect
    /// to it.
    conv: Strip,
    /// After the rectifier. If that map is asked for, on the way back the gradient with respect to
    /// it, which ends as the gradient before the rectifier.
    relu: Strip,
    /// The gradient before the rectifier, if the map after it is not asked for.
    gradient: Strip,
    /// After the pooling.
    pooled: Strip,
    /// The gradient with respect to the map after the pooling.
    pooled_gradient: Strip,
    /// Mask of the rectifier.
    mask: MaskStrip,
    /// Masks of the pooling's windows.
    windows: MaskStrip,
}

/// The memory of a stage, and its passes.
pub(crate) struct Stage {
    pub(crate) plan: StagePlan,
    /// Height of the whole input.
    height: usize,
    /// Width of the whole input.
    width: usize,
    /// The last convolution of the present way forward.
    until: Option<usize>,
    /// What becomes of the maps on the present way.
    pass: BandPass,
    /// Whether masks behind the last map that is asked for are kept from one way forward to the
    /// next.
    keeps_masks: bool,
    maps: Vec<StageMaps>,
    /// The most rows that each map has at a time on the present way.
    most: Vec<RowsPerMap>,
    /// Memory of maps that are not needed any more.
    free: Vec<FeatureMap>,
}

impl Stage {
    /// A stage without memory yet, for an input of `width` x `height`. `keeps_masks`: some ways
    /// forward end with the last map that is asked for, and the way back needs the masks behind it.
    pub(crate) fn new(plan: StagePlan, width: usize, height: usize, keeps_masks: bool) -> Self {
        Self {
            maps: plan.steps.iter().map(|_| StageMaps::default()).collect(),
            most: vec![RowsPerMap::default(); plan.steps.len()],
            until: None,
            pass: BandPass::Once,
            plan,
            height,
            width,
            keeps_masks,
            free: vec![],
        }
    }

    /// Begins a way through some bands, forward as far as the convolution `until`.
    pub(crate) fn begin(&mut self, until: Option<usize>, pass: BandPass, bands: &[BandCursor]) {
        self.most = self.plan.most(until, pass, bands);
        (self.until, self.pass) = (until, pass);
    }

    /// Gives the memory back, except for masks that are kept.
    pub(crate) fn clear(&mut self) {
        for (n, maps) in self.maps.iter_mut().enumerate() {
            let (mask, windows) = if self.keeps_masks && Some(n) > self.plan.last_seen() {
                (mem::take(&mut maps.mask), mem::take(&mut maps.windows))
            } else {
                Default::default()
            };
            *maps = StageMaps { mask, windows, ..StageMaps::default() };
        }
        self.free.clear();
    }

    /// Returns the rows of a layer's map that are there, if the layer is one of this stage and
    /// asked for.
    pub(crate) fn features(&self, layer: Layer) -> Option<&Strip> {
        let n = layer.convolution().checked_sub(self.plan.first)?;
        let (step, maps) = (self.plan.steps.get(n)?, self.maps.get(n)?);
        match layer.kind() {
            LayerKind::Conv => step.conv.then_some(&maps.conv),
            LayerKind::Relu => step.relu.then_some(&maps.relu),
        }
    }

    /// Rows, columns and channels of a whole map.
    fn shape(&self, n: usize) -> [usize; 3] {
        let step = &self.plan.steps[n];
        [self.height >> step.level, self.width >> step.level, step.channels]
    }

    fn layer(&self, n: usize, kind: LayerKind) -> Layer {
        Layer::at(self.plan.first + n, kind)
    }
}

/// The way forward.
impl Stage {
    /// Forward pass over the rows of a band, as far as the convolution that the way was begun for.
    ///
    /// `output`: the whole map after the last pooling, where the band's rows go.
    /// `visit(layer, values, rows)` sees the features of the layers asked for.
    pub(crate) fn forward(
        &mut self,
        context: &StageContext,
        input: StageInput<'_>,
        band: Band<'_>,
        mut output: Option<&mut FeatureMap>,
        visit: &mut Visit<'_>,
        tools: &mut StageTools,
    ) {
        let Some(until) = self.until else { return };
        for n in 0..=until {
            if band.forward(n).is_empty() {
                continue;
            }
            let start = Instant::now();
            let output = if n == self.plan.last() { output.as_deref_mut() } else { None };
            self.forward_one(context, n, input, band, output, visit, tools);
            self.release_read_maps(n, band);
            tools.times[self.plan.first + n].forward += start.elapsed();
        }
    }

    /// Convolution `n` with the rectifier and the pooling behind it.
    fn forward_one(
        &mut self,
        context: &StageContext,
        n: usize,
        input: StageInput<'_>,
        band: Band<'_>,
        mut output: Option<&mut FeatureMap>,
        visit: &mut Visit<'_>,
        tools: &mut StageTools,
    ) {
        let (step, rows) = (self.plan.steps[n], band.forward(n));
        let mut maps = mem::take(&mut self.maps[n]);
        self.make_room(n, &mut maps, band, output.is_some());
        // Wherever the map after the pooling belongs, it is written as a strip.
        let mut pooled = match &mut output {
            Some(map) => Strip::whole(mem::take(map)),
            None => mem::take(&mut maps.pooled),
        };
        if step.fused() {
            self.convolve_and_pool(context, n, input, rows, &mut maps.windows, &mut pooled, &mut tools.scratch);
        } else {
            self.convolve_to_map(context, n, input, rows.clone(), &mut maps, tools);
            self.rectify_and_show(n, &rows, &mut maps, visit);
            if step.pooled {
                self.pool(context, n, &rows, &mut maps, &mut pooled);
            }
        }
        match output {
            Some(map) => *map = pooled.into_map(),
            None => maps.pooled = pooled,
        }
        self.maps[n] = maps;
    }

    /// Makes room for the rows that a band's way forward brings. `outside`: the map after the
    /// pooling is not the stage's.
    fn make_room(&mut self, n: usize, maps: &mut StageMaps, band: Band<'_>, outside: bool) {
        let (step, most) = (self.plan.steps[n], self.most[n]);
        let keep = self.plan.keep(n, self.until, self.pass, band.before);
        let [height, width, channels] = self.shape(n);
        let (end, free) = (band.now.forward[n], &mut self.free);
        if step.conv {
            maps.conv.extend((keep.conv, end, most.conv), [width, channels]);
        }
        if !step.fused() {
            if !step.relu {
                maps.relu.reuse([width, channels], free);
            }
            maps.relu.extend((keep.relu, end, most.relu), [width, channels]);
        }
        let [mask, windows] = self.plan.mask_rows(n, self.width);
        let all = self.keeps_masks && Some(n) > self.plan.last_seen();
        if step.pooled {
            if !outside {
                maps.pooled.reuse([width / 2, channels], free);
                maps.pooled.extend((keep.pooled, end / 2, most.pooled), [width / 2, channels]);
            }
            let rows = if all { (0, height / 2, height / 2) } else { (keep.windows, end / 2, most.windows) };
            maps.windows.extend(rows, windows);
        }
        if !step.fused() {
            let rows = if all { (0, height, height) } else { (keep.mask, end, most.mask) };
            maps.mask.extend(rows, mask);
        }
    }

    /// Convolution `n` with its pooling fused: the map before the pooling never exists.
    fn convolve_and_pool(
        &self,
        context: &StageContext,
        n: usize,
        input: StageInput<'_>,
        rows: Range<usize>,
        windows: &mut MaskStrip,
        pooled: &mut Strip,
        scratch: &mut Scratch,
    ) {
        let [height, width, _] = self.shape(n);
        let bias = context.filters.bias(self.plan.first + n);
        let (first, rows_of) = (pooled.first(), pooled.rows(height / 2));
        let windows = windows.below_mut(first);
        let sink = PoolSink::new(pooled.map_mut(), rows_of, rows, bias, windows, context.pooling, height, width);
        self.convolve(context, n, input, sink, scratch);
    }

    /// Convolution `n` into its map before the rectifier if that is asked for, otherwise into the
    /// map after the rectifier, with its mask.
    fn convolve_to_map(
        &self,
        context: &StageContext,
        n: usize,
        input: StageInput<'_>,
        rows: Range<usize>,
        maps: &mut StageMaps,
        tools: &mut StageTools,
    ) {
        let StageMaps { conv, relu, mask, .. } = maps;
        let (target, mask_bits) = if self.plan.steps[n].conv {
            (conv, None)
        } else {
            let first = relu.first();
            (relu, Some(mask.below_mut(first)))
        };
        let rows_of = target.rows(self.shape(n)[0]);
        let bias = context.filters.bias(self.plan.first + n);
        let sink = MapSink::new(target.map_mut(), rows_of, rows.clone(), bias, mask_bits);
        match (n, input) {
            (0, StageInput::Image(image)) => {
                let preprocessing = context.filters.preprocessing();
                tools.padded.fill(image, self.width, rows, context.padding, preprocessing);
                context.filters.first().forward(context.isa, tools.padded.as_slice(), &sink);
            }
            _ => self.convolve(context, n, input, sink, &mut tools.scratch),
        }
    }

    /// Rectifies a map that was kept before its rectifier, and shows the maps that are asked for.
    fn rectify_and_show(&self, n: usize, rows: &Range<usize>, maps: &mut StageMaps, visit: &mut Visit<'_>) {
        let (step, [_, width, channels]) = (self.plan.steps[n], self.shape(n));
        let StageMaps { conv, relu, mask, .. } = maps;
        if step.conv {
            visit(self.layer(n, LayerKind::Conv), conv.values(rows), rows.clone());
            elementwise::rectify(width * channels, conv.values(rows), relu.values_mut(rows), mask.bits_mut(rows));
        }
        if step.relu {
            visit(self.layer(n, LayerKind::Relu), relu.values(rows), rows.clone());
        }
    }

    /// Pools a map that was kept before its pooling.
    fn pool(&self, context: &StageContext, n: usize, rows: &Range<usize>, maps: &mut StageMaps, pooled: &mut Strip) {
        let [_, width, channels] = self.shape(n);
        let after = rows.start / 2..rows.end / 2;
        let (out, bits) = (pooled.values_mut(&after), maps.windows.bits_mut(&after));
        elementwise::pool([width, channels], maps.relu.values(rows), out, bits, context.pooling);
    }

    /// Runs convolution `n`, which reads the result of the one before it, or the stage's input.
    fn convolve<O: Sink>(
        &self,
        context: &StageContext,
        n: usize,
        input: StageInput<'_>,
        sink: O,
        scratch: &mut Scratch,
    ) {
        let border = Border::of_maps(context.padding);
        let source = match (n.checked_sub(1), input) {
            (None, StageInput::Map(map)) => MapSource::new(map, Rows::all(map), border),
            (None, StageInput::Image(_)) => unreachable!("no pooling follows conv1_1"),
            (Some(before), _) => {
                let (maps, step) = (&self.maps[before], &self.plan.steps[before]);
                let strip = if step.pooled { &maps.pooled } else { &maps.relu };
                MapSource::new(strip.map(), strip.rows(self.shape(n)[0]), border)
            }
        };
        let convolution = self.plan.first + n;
        let tile = WinogradTile::forward(convolution, (context.width, context.height));
        let tile = tile.expect("conv1_1 reads the image");
        convolve(tile, context.isa, source, sink, context.filters.forward(convolution), scratch);
    }

    /// Gives back the memory of maps that nothing reads once convolution `n` has its last row.
    fn release_read_maps(&mut self, n: usize, band: Band<'_>) {
        if band.now.forward[n] < self.shape(n)[0] {
            return;
        }
        let step = &self.plan.steps[n];
        if step.pooled && !step.relu {
            self.maps[n].relu.release(&mut self.free);
        }
        if let Some(before) = n.checked_sub(1) {
            let (step, maps) = (&self.plan.steps[before], &mut self.maps[before]);
            maps.pooled.release(&mut self.free);
            if !step.relu {
                maps.relu.release(&mut self.free);
            }
        }
    }
}

/// The way back.
impl Stage {
    /// Gradient with respect to the rows of the input that a band brings, after its forward pass.
    ///
    /// `output_gradient`: with respect to the whole map after the last pooling, if there is one.
    pub(crate) fn backward(
        &mut self,
        context: &StageContext,
        band: Band<'_>,
        mut output_gradient: Option<&mut FeatureMap>,
        layer_gradient: &mut LayerGradient<'_>,
        target: GradientTarget<'_>,
        tools: &mut StageTools,
    ) {
        let last = self.plan.last();
        if let Some(map) = &mut output_gradient {
            self.maps[last].pooled_gradient = Strip::whole(mem::take(map));
        }
        for n in (0..=last).rev() {
            let step = self.plan.steps[n];
            if step.pooled && n < last && !band.back(n + 1).is_empty() {
                self.backward_to_pooled(context, n, band, tools);
            }
            if !step.fused() && !band.gradient(n).is_empty() {
                self.backward_one(context, n, band, layer_gradient, tools);
            }
        }
        self.backward_to_input(context, band, target, tools);
        self.release_gradient(0, band);
        if let Some(map) = output_gradient {
            *map = mem::take(&mut self.maps[last].pooled_gradient).into_map();
        }
    }

    /// Gradient with respect to the map after the pooling behind convolution `n`.
    fn backward_to_pooled(&mut self, context: &StageContext, n: usize, band: Band<'_>, tools: &mut StageTools) {
        let [height, width, channels] = self.shape(n);
        let keep = self.plan.keep(n, self.until, BandPass::ThereAndBack, band.before);
        let after = band.back(n + 1);
        let mut pooled = mem::take(&mut self.maps[n].pooled_gradient);
        pooled.reuse([width / 2, channels], &mut self.free);
        pooled.extend((keep.pooled_gradient, after.end, self.most[n].pooled_gradient), [width / 2, channels]);
        let rows_of = pooled.rows(height / 2);
        let sink = GradientSink::new(pooled.map_mut(), rows_of, after, None, false);
        self.convolve_back(context, n + 1, band, sink, tools);
        self.maps[n].pooled_gradient = pooled;
        self.release_gradient(n + 1, band);
    }

    /// Gradient before the rectifier of convolution `n`: of the layers that are asked for, and of
    /// what comes behind.
    fn backward_one(
        &mut self,
        context: &StageContext,
        n: usize,
        band: Band<'_>,
        layer_gradient: &mut LayerGradient<'_>,
        tools: &mut StageTools,
    ) {
        let (step, rows) = (self.plan.steps[n], band.gradient(n));
        let [height, width, channels] = self.shape(n);
        let mut maps = mem::take(&mut self.maps[n]);
        let gradient = if step.relu {
            &mut maps.relu
        } else {
            let keep = self.plan.keep(n, self.until, BandPass::ThereAndBack, band.before);
            maps.gradient.reuse([width, channels], &mut self.free);
            maps.gradient.extend((keep.gradient, rows.end, self.most[n].gradient), [width, channels]);
            &mut maps.gradient
        };
        let here = gradient.places(&rows);
        let injected =
            step.relu && layer_gradient(self.layer(n, LayerKind::Relu), gradient.map_mut(), here, rows.clone());
        if step.pooled {
            let after = rows.start / 2..rows.end / 2;
            let (pooled, windows) = (maps.pooled_gradient.values(&after), maps.windows.bits(&after));
            let (mask, values) = (maps.mask.bits(&rows), gradient.values_mut(&rows));
            elementwise::unpool([width, channels], pooled, windows, context.pooling, mask, values, injected);
        } else if n < self.plan.last() {
            let (rows_of, mask) = (gradient.rows(height), maps.mask.below(gradient.first()));
            let sink = GradientSink::new(gradient.map_mut(), rows_of, rows.clone(), Some(mask), injected);
            self.convolve_back(context, n + 1, band, sink, tools);
            self.release_gradient(n + 1, band);
        } else if injected {
            elementwise::cut(width * channels, gradient.values_mut(&rows), maps.mask.bits(&rows));
        } else {
            gradient.values_mut(&rows).fill(0.0);
        }
        if step.conv {
            let here = maps.conv.places(&rows);
            if layer_gradient(self.layer(n, LayerKind::Conv), maps.conv.map_mut(), here, rows.clone()) {
                elementwise::add(width * channels, gradient.values_mut(&rows), maps.conv.values(&rows));
            }
        }
        self.maps[n] = maps;
    }

    /// Gradient with respect to the stage's input. The first bands may not come as far.
    fn backward_to_input(
        &mut self,
        context: &StageContext,
        band: Band<'_>,
        target: GradientTarget<'_>,
        tools: &mut StageTools,
    ) {
        let rows = band.back(0);
        if rows.is_empty() {
            return;
        }
        match target {
            GradientTarget::Map(map) => {
                let rows_of = Rows::all(map);
                let sink = GradientSink::new(map, rows_of, rows, None, false);
                self.convolve_back(context, 0, band, sink, tools);
            }
            GradientTarget::Image(image_gradient) => {
                let start = Instant::now();
                self.backward_to_image(context, rows, image_gradient);
                tools.times[0].backward += start.elapsed();
            }
        }
    }

    /// Gradient with respect to some rows of the pixels.
    fn backward_to_image(&self, context: &StageContext, rows: Range<usize>, image_gradient: &mut [f32]) {
        let (row, maps) = (3 * self.width, &self.maps[0]);
        let strip = if self.plan.steps[0].relu { &maps.relu } else { &maps.gradient };
        let (gradient, rows_of) = (strip.map(), strip.rows(self.height));
        let out = &mut image_gradient[rows.start * row..rows.end * row];
        let first = context.filters.first();
        first.input_gradient(context.isa, gradient, rows_of, rows.start, out);
        first.add_margin_gradient(context.padding, gradient, rows_of, rows.start, out);
        let scale = context.filters.preprocessing().scale;
        out.par_chunks_mut(row).for_each(|row| {
            for pixel in row.as_chunks_mut::<3>().0 {
                for c in 0..3 {
                    pixel[c] *= scale[c];
                }
            }
        });
    }

    /// Gives back the memory of the gradient that convolution `n` has read, if that was the last of
    /// it.
    fn release_gradient(&mut self, n: usize, band: Band<'_>) {
        if band.now.back[n] == self.shape(n)[0] {
            self.maps[n].gradient.release(&mut self.free);
            // The one behind the last convolution is the next stage's.
            if n < self.plan.last() {
                self.maps[n].pooled_gradient.release(&mut self.free);
            }
        }
    }

    /// Backpropagates through convolution `n`. Reads the gradient before its rectifier, or after
    /// the pooling if the two are fused. Rows up to the band's end are there.
    fn convolve_back(
        &self,
        context: &StageContext,
        n: usize,
        band: Band<'_>,
        sink: GradientSink<'_>,
        tools: &mut StageTools,
    ) {
        let start = Instant::now();
        let (step, maps, border) = (self.plan.steps[n], &self.maps[n], Border::of_maps(context.padding));
        let [height, width, _] = self.shape(n);
        let convolution = self.plan.first + n;
        let filters = context.filters.backward(convolution);
        let [channels_in, channels_out, ..] = Weights::shape(convolution);
        let whole = WinogradTile::choose(WinogradTile::Eight, height, width, channels_in, channels_out);
        let tile = WinogradTile::back(whole, &sink.rows(), height);
        if step.fused() {
            let gradient = &maps.pooled_gradient;
            let (rows, windows) = (gradient.rows(height / 2), maps.windows.below(gradient.first()));
            let source = UnpoolSource::new(gradient.map(), rows, windows, context.pooling, height, width, border);
            convolve(tile, context.isa, source, sink, filters, &mut tools.scratch);
        } else {
            let gradient = if step.relu { &maps.relu } else { &maps.gradient };
            // Below, a map that is asked for still has its features, which can be a million times
            // as large. A tile that reaches into them has their rounding errors in every row.
            let source = MapSource::new(gradient.map(), gradient.rows(height), border).up_to(band.now.gradient[n]);
            convolve(tile, context.isa, source, sink, filters, &mut tools.scratch);
        }
        tools.times[convolution].backward += start.elapsed();
    }
}
