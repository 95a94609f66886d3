//! Some consecutive convolutions, on some rows of a picture: the passes forward and back, and the memory they work in.

use std::mem;
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rayon::prelude::*;

use crate::kernels::{
    self, GradientSink, Isa, MapSink, MapSource, Mask, PoolSink, Scratch, Tile, UnpoolSource, WINDOW,
};
use crate::layer::{Layer, LayerKind};
use crate::padding::{PaddedImage, Padding};
use crate::pooling::Pooling;
use crate::vgg19::Vgg19;
use crate::weights::Weights;
use crate::{FeatureMap, elementwise};

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

/// Below so many pixels a deep map has so few positions that one rectifier switched by a rounding error changes the gradient by more than
/// a thousandth: the way forward is then in the tiles that lose the fewest bits. The way back switches nothing.
const FEW_PIXELS: usize = 128 * 128;

/// What a stage does for one of its convolutions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// Poolings of the stage before it.
    pub(crate) level: usize,
    pub(crate) channels: usize,
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

/// What a stage does, whatever the size of its input.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The first convolution.
    first: usize,
    pub(crate) steps: Vec<Step>,
}

impl Plan {
    /// For some of the network's convolutions, of which `layers` are asked for; `pooled`: the pooling after the last belongs to it.
    pub(crate) fn new(convolutions: RangeInclusive<usize>, layers: &[Layer], pooled: bool) -> Self {
        let (first, last) = (*convolutions.start(), *convolutions.end());
        let block = |i: usize| Layer::at(i, LayerKind::Relu).block();
        let steps = convolutions.map(|i| Step {
            level: block(i) - block(first),
            channels: Layer::at(i, LayerKind::Relu).channels(),
            conv: layers.contains(&Layer::at(i, LayerKind::Conv)),
            relu: layers.contains(&Layer::at(i, LayerKind::Relu)),
            pooled: if i == last { pooled } else { block(i + 1) != block(i) },
        });
        Self { first, steps: steps.collect() }
    }

    fn last(&self) -> usize {
        self.steps.len() - 1
    }

    /// The layers asked for, in network order.
    pub(crate) fn layers(&self) -> impl Iterator<Item = Layer> {
        let first = self.first;
        self.steps.iter().enumerate().flat_map(move |(n, step)| {
            let kinds = [(step.conv, LayerKind::Conv), (step.relu, LayerKind::Relu)];
            kinds.into_iter().filter(|(asked, _)| *asked).map(move |(_, kind)| Layer::at(first + n, kind))
        })
    }

    /// Poolings, the one at the end included.
    pub(crate) fn poolings(&self) -> usize {
        self.steps.iter().filter(|step| step.pooled).count()
    }

    /// The most poolings of the stage before one of its convolutions.
    pub(crate) fn deepest_level(&self) -> usize {
        self.steps[self.last()].level
    }

    /// Rows of the input at the edge of a band of which the last map's rows bear traces: those that depend on what lies beyond, where the
    /// band has zeros, and those that are in a tile with them, whose rounding errors are others. The gradient of the rows that bear none
    /// goes no further either.
    pub(crate) fn margin(&self) -> usize {
        let mut rows = 0;
        for (n, step) in self.steps.iter().enumerate() {
            rows = match self.first + n {
                // Without tiles.
                0 => rows + 1,
                // From the tile that the first row without traces is in, which reads the row before it.
                i => {
                    let [outputs, inputs, ..] = Weights::shape(i);
                    let tile = Tile::largest(Tile::Six, inputs, outputs) as usize;
                    (rows / tile + 1) * tile
                }
            };
            if step.pooled && n < self.last() {
                rows = rows.div_ceil(2);
            }
        }
        rows << self.deepest_level()
    }

    /// Bytes of maps and masks for an input of this size.
    pub(crate) fn bytes(&self, width: usize, height: usize) -> usize {
        let positions = |level: usize| (height >> level) * (width >> level);
        let (mut kept, mut bits, mut spare) = (0, 0, [0; 2]);
        let mut take = |place: Option<usize>, values: usize, spare: &mut [usize; 2]| match place {
            Some(i) => spare[i] = spare[i].max(values),
            None => kept += values,
        };
        // As the passes go: a map is kept, or in the spare one that the map before it is not in.
        let mut last = Some(1);
        let other = |place: Option<usize>| if place == Some(0) { Some(1) } else { Some(0) };
        for step in &self.steps {
            let (values, pooled) = (positions(step.level) * step.channels, positions(step.level + 1) * step.channels);
            let relu = if step.relu { None } else { other(last) };
            if step.conv {
                take(None, values, &mut spare);
            }
            take(relu, if step.fused() { pooled } else { values }, &mut spare);
            last = relu;
            bits += if step.fused() { 0 } else { values };
            if step.pooled {
                bits += WINDOW * pooled;
                if !step.fused() {
                    last = other(last);
                    take(last, pooled, &mut spare);
                }
            }
        }
        let mut current = Some(0);
        for (n, step) in self.steps.iter().enumerate().rev() {
            let (values, pooled) = (positions(step.level) * step.channels, positions(step.level + 1) * step.channels);
            if step.pooled {
                if n < self.last() {
                    current = other(current);
                }
                take(current, pooled, &mut spare);
                if step.fused() {
                    continue;
                }
            }
            current = if step.relu { None } else { other(current) };
            if !step.relu {
                take(current, values, &mut spare);
            }
        }
        size_of::<f32>() * (kept + spare[0] + spare[1]) + bits / 8
    }

    /// Multiply-adds of the direct form for an input of this size, of the convolutions up to that of index `until` here.
    pub(crate) fn work(&self, width: usize, height: usize, until: usize) -> f64 {
        let steps = self.steps.iter().enumerate().take(until + 1);
        steps
            .map(|(n, step)| {
                let [outputs, inputs, ..] = Weights::shape(self.first + n);
                (9 * outputs * inputs) as f64 * ((height >> step.level) * (width >> step.level)) as f64
            })
            .sum()
    }

    /// Index here of the last convolution whose map a loss looks at: behind it the way back needs masks alone.
    pub(crate) fn last_seen(&self) -> Option<usize> {
        self.steps.iter().rposition(|step| step.conv || step.relu)
    }

    /// Bytes of each of the masks behind [`Plan::last_seen`], for an input of this size; in the order of [`Stage::unseen_masks`].
    pub(crate) fn unseen_mask_bytes(&self, width: usize, height: usize) -> Vec<usize> {
        let mut bytes = Vec::new();
        for step in &self.steps[self.last_seen().map_or(0, |n| n + 1)..] {
            let values = |level: usize| (height >> level) * (width >> level) * step.channels;
            if !step.fused() {
                bytes.push(values(step.level) / 8);
            }
            if step.pooled {
                bytes.push(WINDOW * values(step.level + 1) / 8);
            }
        }
        bytes
    }

    /// Index here of the convolution of the deepest of some layers that belong to this stage.
    pub(crate) fn deepest(&self, layers: &[Layer]) -> Option<usize> {
        let convolutions = layers.iter().map(|layer| layer.convolution());
        let here = self.first..=self.first + self.last();
        convolutions.filter(|i| here.contains(i)).max().map(|i| i - self.first)
    }
}

/// What a stage reads.
pub(crate) enum Input<'a> {
    /// Of the first stage.
    Image(&'a PaddedImage),
    /// Of any other: what the pooling before it gave.
    Map(&'a FeatureMap),
}

/// Where the gradient with respect to a stage's input goes.
pub(crate) enum Target<'a> {
    /// `[H, W, 3]`, with respect to the pixel values.
    Image(&'a mut [f32]),
    Map(&'a mut FeatureMap),
}

/// What stays the same for all stages of a network on pictures of one size.
pub(crate) struct Setting {
    pub(crate) network: Arc<Vgg19>,
    pub(crate) isa: Isa,
    pub(crate) pooling: Pooling,
    pub(crate) padding: Padding,
    /// Of the whole picture.
    pub(crate) width: usize,
    pub(crate) height: usize,
}

impl Setting {
    /// Convolution `i` of a band of a map of `rows` rows.
    fn convolve<O: kernels::Sink>(
        &self,
        largest: Tile,
        i: usize,
        rows: usize,
        map: &FeatureMap,
        sink: O,
        scratch: &mut Scratch,
    ) {
        let source = MapSource(map, self.padding.border());
        kernels::convolve(largest, rows, self.isa, source, sink, self.network.forward(i), scratch);
    }
}

/// Memory of a stage, and its passes.
pub(crate) struct Stage {
    pub(crate) plan: Plan,
    /// Rows of the whole picture's input of this stage: what the tiles are chosen by, so that a band has the bits of the whole.
    whole_height: usize,
    /// Size of the present input.
    height: usize,
    width: usize,
    /// The maps asked for; on the way back, the gradients with respect to them.
    kept: Vec<(Layer, FeatureMap)>,
    /// Every other map and gradient, for as long as the next one needs it.
    spare: [FeatureMap; 2],
    /// Rectifiers' masks by convolution; empty where the pooling's say it all.
    masks: Vec<Mask>,
    /// Poolings' masks by the convolution before them.
    windows: Vec<Mask>,
    /// Where the map after the last pooling is.
    output: Place,
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

impl Stage {
    /// Without memory yet. `width`, `height`: of the whole picture's input of this stage.
    pub(crate) fn new(plan: Plan, width: usize, height: usize) -> Self {
        let steps = plan.steps.len();
        Self {
            kept: plan.layers().map(|layer| (layer, FeatureMap::default())).collect(),
            plan,
            whole_height: height,
            height: 0,
            width,
            spare: Default::default(),
            masks: vec![Mask::new(); steps],
            windows: vec![Mask::new(); steps],
            output: Place::Spare(0),
        }
    }

    /// Gives the memory back.
    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.plan.clone(), self.width, self.whole_height);
    }

    /// Rows and columns of a map.
    fn shape(&self, n: usize) -> [usize; 3] {
        let step = &self.plan.steps[n];
        [self.height >> step.level, self.width >> step.level, step.channels]
    }

    fn pooled_shape(&self, n: usize) -> [usize; 3] {
        let [height, width, channels] = self.shape(n);
        [height / 2, width / 2, channels]
    }

    fn layer(&self, n: usize, kind: LayerKind) -> Layer {
        Layer::at(self.plan.first + n, kind)
    }

    /// Some rows of all masks behind [`Plan::last_seen`], each with where they begin in that of the whole picture, in a fixed order. `rows`:
    /// of the input, a whole number of rows of every map; row 0 is row `origin` of the picture.
    pub(crate) fn unseen_masks(&mut self, origin: usize, rows: Range<usize>) -> Vec<(usize, &mut [u8])> {
        let (width, height) = (self.width, self.height);
        let part = |mask: &'_ mut Mask, level: usize, bits: usize| {
            let row = (width >> level) * bits / 8;
            mask.resize((height >> level) * row, 0);
            // Where the map ends, a last odd row belongs to no window of a pooling.
            let end = if rows.end == height { height >> level } else { rows.end >> level };
            ((origin + rows.start) >> level, row, rows.start >> level..end)
        };
        let first = self.plan.last_seen().map_or(0, |n| n + 1);
        let mut found = Vec::new();
        for ((step, mask), windows) in self.plan.steps.iter().zip(&mut self.masks).zip(&mut self.windows).skip(first) {
            if !step.fused() {
                let (start, row, rows) = part(mask, step.level, step.channels);
                found.push((start * row, &mut mask[rows.start * row..rows.end * row]));
            }
            if step.pooled {
                let (start, row, rows) = part(windows, step.level + 1, WINDOW * step.channels);
                found.push((start * row, &mut windows[rows.start * row..rows.end * row]));
            }
        }
        found
    }

    /// Gets ready for the way back over an input of `height` rows, of which there is no forward pass.
    pub(crate) fn set_height(&mut self, height: usize) {
        self.height = height;
    }

    /// Forward pass over an input of `height` rows, as far as the convolution `until`.
    pub(crate) fn forward(
        &mut self,
        setting: &Setting,
        input: &Input<'_>,
        height: usize,
        until: usize,
        scratch: &mut Scratch,
        times: &mut [LayerTime],
    ) {
        self.height = height;
        let largest = if setting.width * setting.height < FEW_PIXELS { Tile::Four } else { Tile::Six };
        // Where the last map is: among the kept ones, or the spare one of that index.
        let mut last = Place::Spare(1);
        for n in 0..=until {
            let start = Instant::now();
            let step = self.plan.steps[n];
            let (shape, pooled_shape) = (self.shape(n), self.pooled_shape(n));
            let conv = step.conv.then_some(Place::Kept(self.layer(n, LayerKind::Conv)));
            let relu = if step.relu { Place::Kept(self.layer(n, LayerKind::Relu)) } else { last.other() };
            let rows = self.whole_height >> step.level;
            let bias = setting.network.bias(self.plan.first + n);
            let resize = |mask: &mut Mask, values: usize| mask.resize(values / 8, 0);
            if !step.fused() {
                resize(&mut self.masks[n], shape.iter().product());
            }
            if step.pooled {
                resize(&mut self.windows[n], WINDOW * pooled_shape.iter().product::<usize>());
            }

            let before = mem::take(self.map(last));
            let read = if n == 0 { input } else { &Input::Map(&before) };
            if step.fused() {
                let mut pooled = self.take(relu, pooled_shape);
                let sink = PoolSink::new(&mut pooled, bias, &mut self.windows[n], setting.pooling, shape[0], shape[1]);
                let Input::Map(read) = read else { unreachable!("no pooling follows conv1_1") };
                setting.convolve(largest, self.plan.first + n, rows, read, sink, scratch);
                *self.map(relu) = pooled;
            } else {
                let target = conv.unwrap_or(relu);
                let mut map = self.take(target, shape);
                let mut mask = mem::take(&mut self.masks[n]);
                let sink = MapSink::new(&mut map, bias, conv.is_none().then_some(&mut mask));
                match read {
                    Input::Image(padded) => setting.network.first().forward(setting.isa, padded.as_slice(), &sink),
                    Input::Map(read) => setting.convolve(largest, self.plan.first + n, rows, read, sink, scratch),
                }
                if conv.is_some() {
                    let mut rectified = self.take(relu, shape);
                    elementwise::rectify(&map, &mut rectified, &mut mask);
                    *self.map(relu) = rectified;
                }
                self.masks[n] = mask;
                *self.map(target) = map;
            }
            *self.map(last) = before;
            last = relu;

            if step.pooled && !step.fused() {
                let mut pooled = self.take(last.other(), pooled_shape);
                let map = mem::take(self.map(last));
                elementwise::pool(&map, &mut pooled, &mut self.windows[n], setting.pooling);
                *self.map(last) = map;
                *self.map(last.other()) = pooled;
                last = last.other();
            }
            times[self.plan.first + n].forward += start.elapsed();
        }
        self.output = last;
    }

    /// Memory for the gradient after the last pooling, `[H, W, C]`, to be filled before [`Stage::backward`].
    pub(crate) fn output_gradient(&mut self) -> &mut FeatureMap {
        let [height, width, channels] = self.pooled_shape(self.plan.last());
        let map = self.map(Place::Spare(0));
        map.reshape(height, width, channels);
        map
    }

    /// Gradient with respect to the input, after a forward pass to the last convolution, which it uses up; or to the last that a loss looks
    /// at, with the masks behind it filled in ([`Stage::unseen_masks`]).
    ///
    /// `layer_gradient(layer, map)`: as the evaluator's callers give it, for this stage's rows.
    pub(crate) fn backward(
        &mut self,
        setting: &Setting,
        layer_gradient: &mut dyn FnMut(Layer, &mut FeatureMap) -> bool,
        target: Target<'_>,
        scratch: &mut Scratch,
        times: &mut [LayerTime],
    ) {
        let last = self.plan.last();
        // Where the gradient after convolution n + 1 is: before its rectifier, or after the pooling that is fused with it.
        let mut current = Place::Spare(0);
        for n in (0..=last).rev() {
            let step = self.plan.steps[n];
            if step.pooled {
                if n < last {
                    let mut pooled = self.take(current.other(), self.pooled_shape(n));
                    let sink = GradientSink::new(&mut pooled, None, false);
                    self.convolve_back(setting, n + 1, current, sink, scratch, times);
                    *self.map(current.other()) = pooled;
                    current = current.other();
                }
                if step.fused() {
                    continue;
                }
            }
            let relu = self.layer(n, LayerKind::Relu);
            let place = if step.relu { Place::Kept(relu) } else { current.other() };
            let mut gradient = mem::take(self.map(place));
            let injected = step.relu && layer_gradient(relu, &mut gradient);
            let [height, width, channels] = self.shape(n);
            gradient.reshape(height, width, channels);
            if step.pooled {
                let pooled = mem::take(self.map(current));
                let (windows, mask) = (&self.windows[n], &self.masks[n]);
                elementwise::unpool(&pooled, windows, setting.pooling, mask, &mut gradient, injected);
                *self.map(current) = pooled;
            } else if n < last {
                let mask = mem::take(&mut self.masks[n]);
                let sink = GradientSink::new(&mut gradient, Some(&mask), injected);
                self.convolve_back(setting, n + 1, current, sink, scratch, times);
                self.masks[n] = mask;
            } else if injected {
                elementwise::cut(&mut gradient, &self.masks[n]);
            } else {
                gradient.as_mut_slice().fill(0.0);
            }
            if step.conv {
                let conv = self.layer(n, LayerKind::Conv);
                let mut before_rectifier = mem::take(self.map(Place::Kept(conv)));
                if layer_gradient(conv, &mut before_rectifier) {
                    elementwise::add(&mut gradient, &before_rectifier);
                }
                *self.map(Place::Kept(conv)) = before_rectifier;
            }
            *self.map(place) = gradient;
            current = place;
        }
        match target {
            Target::Map(map) => {
                map.reshape(self.height, self.width, Weights::shape(self.plan.first)[1]);
                self.convolve_back(setting, 0, current, GradientSink::new(map, None, false), scratch, times);
            }
            Target::Image(image_gradient) => {
                let start = Instant::now();
                let gradient = mem::take(self.map(current));
                let first = setting.network.first();
                first.input_gradient(setting.isa, &gradient, image_gradient);
                first.add_margin_gradient(setting.padding, &gradient, image_gradient);
                *self.map(current) = gradient;
                let scale = setting.network.preprocessing().scale;
                image_gradient.par_chunks_mut(3 * self.width).for_each(|row| {
                    for pixel in row.as_chunks_mut::<3>().0 {
                        for c in 0..3 {
                            pixel[c] *= scale[c];
                        }
                    }
                });
                times[0].backward += start.elapsed();
            }
        }
    }

    /// Gradient with respect to the input of convolution `n`, from `place`: that before its rectifier, or, where a pooling is fused
    /// with it, after that.
    fn convolve_back(
        &mut self,
        setting: &Setting,
        n: usize,
        place: Place,
        sink: GradientSink<'_>,
        scratch: &mut Scratch,
        times: &mut [LayerTime],
    ) {
        let start = Instant::now();
        let gradient = mem::take(self.map(place));
        let (step, border) = (self.plan.steps[n], setting.padding.border());
        let [height, width, _] = self.shape(n);
        let (filters, rows) = (setting.network.backward(self.plan.first + n), self.whole_height >> step.level);
        if step.fused() {
            let source = UnpoolSource::new(&gradient, &self.windows[n], setting.pooling, height, width, border);
            kernels::convolve(Tile::Eight, rows, setting.isa, source, sink, filters, scratch);
        } else {
            let source = MapSource(&gradient, border);
            kernels::convolve(Tile::Eight, rows, setting.isa, source, sink, filters, scratch);
        }
        *self.map(place) = gradient;
        times[self.plan.first + n].backward += start.elapsed();
    }

    /// The map after the last pooling, from the last forward pass.
    pub(crate) fn output(&mut self) -> &FeatureMap {
        self.map(self.output)
    }

    /// The map of a layer of this stage, if it was asked for.
    pub(crate) fn features(&self, layer: Layer) -> Option<&FeatureMap> {
        self.kept.iter().find(|(kept, _)| *kept == layer).map(|(_, map)| map)
    }

    /// A map's memory, in a shape; its content is unspecified.
    fn take(&mut self, place: Place, [height, width, channels]: [usize; 3]) -> FeatureMap {
        let mut map = mem::take(self.map(place));
        map.reshape(height, width, channels);
        map
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
