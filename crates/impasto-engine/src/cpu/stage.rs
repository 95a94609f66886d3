//! Some consecutive convolutions, on some rows of a picture: the passes forward and back, and the memory they work in.

use std::mem;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rayon::prelude::*;

use crate::cpu::elementwise;
use crate::cpu::kernels::buffer::Scratch;
use crate::cpu::kernels::feature_map::FeatureMap;
use crate::cpu::kernels::isa::Isa;
use crate::cpu::kernels::maps::{GradientSink, MapSink, MapSource, PoolSink, Rows, UnpoolSource};
use crate::cpu::kernels::winograd::{Border, Sink, convolve};
use crate::cpu::packed_filters::Vgg19;
use crate::cpu::padded_image::PaddedImage;
use crate::cpu::strip::{MaskStrip, Strip};
use crate::layer::{Layer, LayerKind};
use crate::padding::Padding;
use crate::plan::bands::{BandCursor, BandPass, RowsPerMap};
use crate::plan::stage_plan::StagePlan;
use crate::plan::tile::WinogradTile;
use crate::pooling::Pooling;
use crate::weights::Weights;

/// What the last passes took for one convolution and what is fused with it.
#[derive(Clone, Copy, Debug)]
pub struct LayerTime {
    /// The convolution, or its rectifier.
    pub layer: Layer,
    /// Multiply-adds of the direct form of the convolution on the whole picture, times two; as many forward as backward.
    pub direct_flops: u64,
    /// The forward pass.
    pub forward: Duration,
    /// The gradient with respect to its input.
    pub backward: Duration,
}

/// What a stage reads, all of it.
pub(crate) enum StageInput<'a> {
    /// Of the first stage: the pixels, and memory for the rows that are read.
    Image(&'a [f32], &'a mut PaddedImage),
    /// Of any other: what the pooling before it gave.
    Map(&'a FeatureMap),
}

/// Where the gradient with respect to all of a stage's input goes.
pub(crate) enum GradientTarget<'a> {
    /// `[H, W, 3]`, with respect to the pixel values.
    Image(&'a mut [f32]),
    Map(&'a mut FeatureMap),
}

/// Sees the features of some rows of a layer.
pub(crate) type Visit<'a> = dyn FnMut(Layer, &[f32], Range<usize>) + 'a;

/// Puts the gradient in the place of a layer's features, in rows of a map that are rows of the whole one; `false`: there is none.
pub(crate) type LayerGradient<'a> = dyn FnMut(Layer, &mut FeatureMap, Range<usize>, Range<usize>) -> bool + 'a;

/// What stays the same for all stages of a network on pictures of one size.
pub(crate) struct StageContext {
    pub(crate) network: Arc<Vgg19>,
    pub(crate) isa: Isa,
    pub(crate) pooling: Pooling,
    pub(crate) padding: Padding,
    /// Of the whole picture.
    pub(crate) width: usize,
    pub(crate) height: usize,
}

/// Maps and masks of a convolution.
#[derive(Default)]
struct StageMaps {
    /// Before the rectifier, if it is asked for; on the way back, the gradient with respect to it.
    conv: Strip,
    /// After the rectifier; if it is asked for, on the way back the gradient with respect to it, before the rectifier in the end.
    relu: Strip,
    /// The same gradient, where the map is not asked for.
    gradient: Strip,
    /// After the pooling.
    pooled: Strip,
    /// The gradient with respect to that.
    pooled_gradient: Strip,
    /// Of the rectifier.
    mask: MaskStrip,
    /// Of the pooling.
    windows: MaskStrip,
}

/// StageMaps of a stage, and its passes.
pub(crate) struct Stage {
    pub(crate) plan: StagePlan,
    /// Size of the whole input.
    height: usize,
    width: usize,
    /// How far the way forward goes, and what becomes of its maps.
    until: Option<usize>,
    pass: BandPass,
    /// Masks behind the last map that a loss looks at are kept from one way forward to the next.
    keeps_masks: bool,
    memory: Vec<StageMaps>,
    most: Vec<RowsPerMap>,
    /// StageMaps of maps that are not needed any more.
    free: Vec<FeatureMap>,
}

impl Stage {
    /// For an input of `width` x `height`; without memory yet. `keeps_masks`: there are ways forward that end with the last map that a loss
    /// looks at.
    pub(crate) fn new(plan: StagePlan, width: usize, height: usize, keeps_masks: bool) -> Self {
        let memory = || plan.steps.iter().map(|_| StageMaps::default()).collect();
        Self {
            memory: memory(),
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

    /// Begins a way through some bands.
    pub(crate) fn begin(&mut self, until: Option<usize>, pass: BandPass, bands: &[BandCursor]) {
        self.most = self.plan.most(until, pass, bands);
        (self.until, self.pass) = (until, pass);
    }

    /// Gives the memory back, but for masks that are kept.
    pub(crate) fn clear(&mut self) {
        for (n, memory) in self.memory.iter_mut().enumerate() {
            let kept = if self.keeps_masks && Some(n) > self.plan.last_seen() {
                (mem::take(&mut memory.mask), mem::take(&mut memory.windows))
            } else {
                Default::default()
            };
            *memory = StageMaps { mask: kept.0, windows: kept.1, ..StageMaps::default() };
        }
        self.free.clear();
    }

    /// Rows, columns and channels of a whole map.
    fn shape(&self, n: usize) -> [usize; 3] {
        let step = &self.plan.steps[n];
        [self.height >> step.level, self.width >> step.level, step.channels]
    }

    fn layer(&self, n: usize, kind: LayerKind) -> Layer {
        Layer::at(self.plan.first + n, kind)
    }

    /// Forward pass over the rows of a band, from where the one before it has `ends`, as far as the convolution that the pass was begun for.
    ///
    /// `output`: the whole map after the last pooling, where the band's rows go. `visit(layer, values, rows)`: sees the features of the
    /// layers asked for.
    pub(crate) fn forward(
        &mut self,
        context: &StageContext,
        input: &mut StageInput<'_>,
        [ends, now]: [&BandCursor; 2],
        mut output: Option<&mut FeatureMap>,
        visit: &mut Visit<'_>,
        scratch: &mut Scratch,
        times: &mut [LayerTime],
    ) {
        let Some(until) = self.until else { return };
        for n in 0..=until {
            let start = Instant::now();
            let rows = ends.forward[n]..now.forward[n];
            if rows.is_empty() {
                continue;
            }
            let step = self.plan.steps[n];
            let [height, width, channels] = self.shape(n);
            let bias = context.network.bias(self.plan.first + n);
            let outside = if n == self.plan.last() { output.as_deref_mut() } else { None };
            let has_outside = outside.is_some();
            let mut memory = mem::take(&mut self.memory[n]);
            self.make_room(n, &mut memory, [ends, now], has_outside);
            let mut pooled = match outside {
                Some(map) => Strip::whole(mem::take(map)),
                None => mem::take(&mut memory.pooled),
            };

            let StageMaps { conv, relu, mask, windows, .. } = &mut memory;
            if step.fused() {
                let (first, rows_of) = (pooled.first(), pooled.rows(height / 2));
                let windows = windows.below_mut(first);
                let sink = PoolSink::new(
                    pooled.map_mut(),
                    rows_of,
                    rows.clone(),
                    bias,
                    windows,
                    context.pooling,
                    height,
                    width,
                );
                self.convolve(context, n, input, sink, scratch);
            } else {
                let (target, mask_bits) = match step.conv {
                    true => (&mut *conv, None),
                    false => {
                        let first = relu.first();
                        (&mut *relu, Some(mask.below_mut(first)))
                    }
                };
                let rows_of = target.rows(height);
                let sink = MapSink::new(target.map_mut(), rows_of, rows.clone(), bias, mask_bits);
                match (n, &mut *input) {
                    (0, StageInput::Image(image, padded)) => {
                        let (width, padding) = (self.width, context.padding);
                        padded.fill(image, width, rows.clone(), padding, context.network.preprocessing());
                        context.network.first().forward(context.isa, padded.as_slice(), &sink);
                    }
                    _ => self.convolve(context, n, input, sink, scratch),
                }
                if step.conv {
                    visit(self.layer(n, LayerKind::Conv), conv.values(&rows), rows.clone());
                    let values = conv.values(&rows);
                    elementwise::rectify(width * channels, values, relu.values_mut(&rows), mask.bits_mut(&rows));
                }
                if step.relu {
                    visit(self.layer(n, LayerKind::Relu), relu.values(&rows), rows.clone());
                }
                if step.pooled {
                    let after = rows.start / 2..rows.end / 2;
                    let (out, bits) = (pooled.values_mut(&after), windows.bits_mut(&after));
                    elementwise::pool([width, channels], relu.values(&rows), out, bits, context.pooling);
                }
            }
            match output.as_deref_mut().filter(|_| has_outside) {
                Some(map) => *map = pooled.into_map(),
                None => memory.pooled = pooled,
            }
            if now.forward[n] == height {
                if step.pooled && !step.relu {
                    memory.relu.release(&mut self.free);
                }
                if let Some(before) = n.checked_sub(1) {
                    let (step, memory) = (&self.plan.steps[before], &mut self.memory[before]);
                    memory.pooled.release(&mut self.free);
                    if !step.relu {
                        memory.relu.release(&mut self.free);
                    }
                }
            }
            self.memory[n] = memory;
            times[self.plan.first + n].forward += start.elapsed();
        }
    }

    /// Room for the rows that a band's way forward brings. `outside`: the map after the pooling is not the stage's.
    fn make_room(&mut self, n: usize, memory: &mut StageMaps, [ends, now]: [&BandCursor; 2], outside: bool) {
        let (step, most) = (self.plan.steps[n], self.most[n]);
        let keep = self.plan.keep(n, self.until, self.pass, ends);
        let [height, width, channels] = self.shape(n);
        let (end, free) = (now.forward[n], &mut self.free);
        if step.conv {
            memory.conv.extend((keep.conv, end, most.conv), [width, channels]);
        }
        if !step.fused() {
            if !step.relu {
                memory.relu.reuse([width, channels], free);
            }
            memory.relu.extend((keep.relu, end, most.relu), [width, channels]);
        }
        let [mask, windows] = self.plan.mask_rows(n, self.width);
        let all = self.keeps_masks && Some(n) > self.plan.last_seen();
        if step.pooled {
            if !outside {
                memory.pooled.reuse([width / 2, channels], free);
                memory.pooled.extend((keep.pooled, end / 2, most.pooled), [width / 2, channels]);
            }
            let rows = if all { (0, height / 2, height / 2) } else { (keep.windows, end / 2, most.windows) };
            memory.windows.extend(rows, windows);
        }
        if !step.fused() {
            let rows = if all { (0, height, height) } else { (keep.mask, end, most.mask) };
            memory.mask.extend(rows, mask);
        }
    }

    /// Convolution `n`, which reads what the one before it gave, or the input.
    fn convolve<O: Sink>(
        &self,
        context: &StageContext,
        n: usize,
        input: &StageInput<'_>,
        sink: O,
        scratch: &mut Scratch,
    ) {
        let border = Border::of_maps(context.padding);
        let source = match (n.checked_sub(1), input) {
            (None, StageInput::Map(map)) => MapSource::new(map, Rows::all(map), border),
            (None, StageInput::Image(..)) => unreachable!("no pooling follows conv1_1"),
            (Some(before), _) => {
                let (memory, step) = (&self.memory[before], &self.plan.steps[before]);
                let strip = if step.pooled { &memory.pooled } else { &memory.relu };
                MapSource::new(strip.map(), strip.rows(self.shape(n)[0]), border)
            }
        };
        let convolution = self.plan.first + n;
        let tile =
            WinogradTile::forward(convolution, (context.width, context.height)).expect("conv1_1 reads the image");
        convolve(tile, context.isa, source, sink, context.network.forward(convolution), scratch);
    }

    /// Gradient with respect to the rows of the input that a band brings, after its forward pass.
    ///
    /// `output_gradient`: with respect to the whole map after the last pooling, if there is one. `layer_gradient(layer, map, rows_of_map,
    /// rows)`: as the evaluator's callers give it, for `rows` of the whole map, which are the `rows_of_map`.
    pub(crate) fn backward(
        &mut self,
        context: &StageContext,
        [ends, now]: [&BandCursor; 2],
        mut output_gradient: Option<&mut FeatureMap>,
        layer_gradient: &mut LayerGradient<'_>,
        target: GradientTarget<'_>,
        scratch: &mut Scratch,
        times: &mut [LayerTime],
    ) {
        let last = self.plan.last();
        if let Some(map) = &mut output_gradient {
            self.memory[last].pooled_gradient = Strip::whole(mem::take(map));
        }
        for n in (0..=last).rev() {
            let (step, most) = (self.plan.steps[n], self.most[n]);
            let [height, width, channels] = self.shape(n);
            let rows = ends.gradient[n]..now.gradient[n];
            let keep = self.plan.keep(n, self.until, BandPass::ThereAndBack, ends);
            let after = if n < last { ends.back[n + 1]..now.back[n + 1] } else { 0..0 };
            if step.pooled && !after.is_empty() {
                let mut pooled = mem::take(&mut self.memory[n].pooled_gradient);
                let room = (keep.pooled_gradient, after.end, most.pooled_gradient);
                pooled.reuse([width / 2, channels], &mut self.free);
                pooled.extend(room, [width / 2, channels]);
                let rows_of = pooled.rows(height / 2);
                let sink = GradientSink::new(pooled.map_mut(), rows_of, after, None, false);
                self.convolve_back(context, n + 1, now, sink, scratch, times);
                self.memory[n].pooled_gradient = pooled;
                self.release_gradient(n + 1, now);
            }
            if step.fused() || rows.is_empty() {
                continue;
            }
            let mut memory = mem::take(&mut self.memory[n]);
            let gradient = if step.relu {
                &mut memory.relu
            } else {
                memory.gradient.reuse([width, channels], &mut self.free);
                memory.gradient.extend((keep.gradient, rows.end, most.gradient), [width, channels]);
                &mut memory.gradient
            };
            let here = rows.start - gradient.first()..rows.end - gradient.first();
            let injected =
                step.relu && layer_gradient(self.layer(n, LayerKind::Relu), gradient.map_mut(), here, rows.clone());
            if step.pooled {
                let after = rows.start / 2..rows.end / 2;
                let (pooled, windows) = (memory.pooled_gradient.values(&after), memory.windows.bits(&after));
                let (mask, values) = (memory.mask.bits(&rows), gradient.values_mut(&rows));
                elementwise::unpool([width, channels], pooled, windows, context.pooling, mask, values, injected);
            } else if n < last {
                let (rows_of, mask) = (gradient.rows(height), memory.mask.below(gradient.first()));
                let sink = GradientSink::new(gradient.map_mut(), rows_of, rows.clone(), Some(mask), injected);
                self.convolve_back(context, n + 1, now, sink, scratch, times);
                self.release_gradient(n + 1, now);
            } else if injected {
                elementwise::cut(width * channels, gradient.values_mut(&rows), memory.mask.bits(&rows));
            } else {
                gradient.values_mut(&rows).fill(0.0);
            }
            if step.conv {
                let first = memory.conv.first();
                let here = rows.start - first..rows.end - first;
                if layer_gradient(self.layer(n, LayerKind::Conv), memory.conv.map_mut(), here, rows.clone()) {
                    elementwise::add(width * channels, gradient.values_mut(&rows), memory.conv.values(&rows));
                }
            }
            self.memory[n] = memory;
        }
        let rows = ends.back[0]..now.back[0];
        match target {
            // The first bands may not come as far.
            _ if rows.is_empty() => {}
            GradientTarget::Map(map) => {
                let rows_of = Rows::all(map);
                let sink = GradientSink::new(map, rows_of, rows, None, false);
                self.convolve_back(context, 0, now, sink, scratch, times);
            }
            GradientTarget::Image(image_gradient) => {
                let start = Instant::now();
                let (row, memory) = (3 * self.width, &self.memory[0]);
                let strip = if self.plan.steps[0].relu { &memory.relu } else { &memory.gradient };
                let (gradient, rows_of) = (strip.map(), strip.rows(self.height));
                let out = &mut image_gradient[rows.start * row..rows.end * row];
                let first = context.network.first();
                first.input_gradient(context.isa, gradient, rows_of, rows.start, out);
                first.add_margin_gradient(context.padding, gradient, rows_of, rows.start, out);
                let scale = context.network.preprocessing().scale;
                out.par_chunks_mut(row).for_each(|row| {
                    for pixel in row.as_chunks_mut::<3>().0 {
                        for c in 0..3 {
                            pixel[c] *= scale[c];
                        }
                    }
                });
                times[0].backward += start.elapsed();
            }
        }
        self.release_gradient(0, now);
        if let Some(map) = output_gradient {
            *map = mem::take(&mut self.memory[last].pooled_gradient).into_map();
        }
    }

    /// Gives the memory of the gradient that convolution `n` has read back, if that was the last of it.
    fn release_gradient(&mut self, n: usize, now: &BandCursor) {
        if now.back[n] == self.shape(n)[0] {
            self.memory[n].gradient.release(&mut self.free);
            // The one behind the last convolution is the next stage's.
            if n < self.plan.last() {
                self.memory[n].pooled_gradient.release(&mut self.free);
            }
        }
    }

    /// Gradient with respect to the input of convolution `n`, from that before its rectifier, or, where a pooling is fused with it, after
    /// that, which is there as far as in `now`.
    fn convolve_back(
        &self,
        context: &StageContext,
        n: usize,
        now: &BandCursor,
        sink: GradientSink<'_>,
        scratch: &mut Scratch,
        times: &mut [LayerTime],
    ) {
        let start = Instant::now();
        let (step, memory, border) = (self.plan.steps[n], &self.memory[n], Border::of_maps(context.padding));
        let [height, width, _] = self.shape(n);
        let filters = context.network.backward(self.plan.first + n);
        let [channels_in, channels_out, ..] = Weights::shape(self.plan.first + n);
        let whole = WinogradTile::choose(WinogradTile::Eight, height, width, channels_in, channels_out);
        let tile = WinogradTile::back(whole, &sink.rows(), height);
        if step.fused() {
            let gradient = &memory.pooled_gradient;
            let (rows, windows) = (gradient.rows(height / 2), memory.windows.below(gradient.first()));
            let source = UnpoolSource::new(gradient.map(), rows, windows, context.pooling, height, width, border);
            convolve(tile, context.isa, source, sink, filters, scratch);
        } else {
            let gradient = if step.relu { &memory.relu } else { &memory.gradient };
            // Below, a map that a loss looks at has its features still, which can be a million times as large: a tile that reaches into them
            // has their rounding errors in every row.
            let source = MapSource::new(gradient.map(), gradient.rows(height), border).up_to(now.gradient[n]);
            convolve(tile, context.isa, source, sink, filters, scratch);
        }
        times[self.plan.first + n].backward += start.elapsed();
    }

    /// The rows of a layer's map of this stage that are there, if it was asked for.
    pub(crate) fn features(&self, layer: Layer) -> Option<&Strip> {
        let n = layer.convolution().checked_sub(self.plan.first)?;
        let (step, memory) = (self.plan.steps.get(n)?, self.memory.get(n)?);
        match layer.kind() {
            LayerKind::Conv => step.conv.then_some(&memory.conv),
            LayerKind::Relu => step.relu.then_some(&memory.relu),
        }
    }
}
