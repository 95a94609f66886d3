//! What some consecutive convolutions do and what that takes, whatever rows of a picture they see.

use std::ops::RangeInclusive;

use crate::layer::{Layer, LayerKind};
use crate::plan::tile::WinogradTile;
use crate::pooling::WINDOW;
use crate::weights::Weights;

/// Positions of a map that take as long as transforming the filters of their convolution. An evaluation of a whole picture takes as long as
/// 8,400 px besides those that it has, measured at 256 and 512 px: the transforms above all.
const FILTERS: f64 = 234.0;

/// What a stage does for one of its convolutions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConvolutionStep {
    /// Poolings of the stage before it.
    pub(crate) level: usize,
    pub(crate) channels: usize,
    /// Side of the tiles of the way forward: even before a pooling.
    pub(crate) tile: usize,
    /// The map before the rectifier is asked for.
    pub(crate) conv: bool,
    /// The map after the rectifier is asked for.
    pub(crate) relu: bool,
    /// A pooling follows, and what comes after it is needed.
    pub(crate) pooled: bool,
}

impl ConvolutionStep {
    /// The map before the pooling is never seen: the pooling is part of the convolution.
    pub(crate) fn fused(&self) -> bool {
        self.pooled && !self.conv && !self.relu
    }
}

/// What a stage does, whatever the size of its input.
#[derive(Clone, Debug)]
pub(crate) struct StagePlan {
    /// The first convolution.
    pub(crate) first: usize,
    pub(crate) steps: Vec<ConvolutionStep>,
}

impl StagePlan {
    /// For some of the network's convolutions, of which `layers` are asked for; `pooled`: the pooling after the last belongs to it. `size`:
    /// width and height of the whole picture.
    pub(crate) fn new(
        convolutions: RangeInclusive<usize>,
        layers: &[Layer],
        pooled: bool,
        size: (usize, usize),
    ) -> Self {
        let (first, last) = (*convolutions.start(), *convolutions.end());
        let block = |i: usize| Layer::at(i, LayerKind::Relu).block();
        let steps = convolutions.map(|i| ConvolutionStep {
            level: block(i) - block(first),
            channels: Layer::at(i, LayerKind::Relu).channels(),
            tile: WinogradTile::forward(i, size).map_or(1, |tile| tile as usize),
            conv: layers.contains(&Layer::at(i, LayerKind::Conv)),
            relu: layers.contains(&Layer::at(i, LayerKind::Relu)),
            pooled: if i == last { pooled } else { block(i + 1) != block(i) },
        });
        Self { first, steps: steps.collect() }
    }

    pub(crate) fn last(&self) -> usize {
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

    /// The most poolings of the stage before one of its convolutions.
    pub(crate) fn deepest_level(&self) -> usize {
        self.steps[self.last()].level
    }

    /// Bytes of maps and masks for an input of this size, which goes forward and, if `back`, back again.
    pub(crate) fn bytes(&self, width: usize, height: usize, back: bool) -> usize {
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
        for (n, step) in self.steps.iter().enumerate().rev().filter(|_| back) {
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

    /// Multiply-adds of the direct form for an input of this size, of convolution `n`.
    pub(crate) fn work_of(&self, n: usize, width: usize, height: usize) -> f64 {
        let ([outputs, inputs, ..], level) = (Weights::shape(self.first + n), self.steps[n].level);
        (9 * outputs * inputs) as f64 * ((height >> level) * (width >> level)) as f64
    }

    /// What transforming the filters of convolution `n` takes, which every band does anew, in multiply-adds.
    pub(crate) fn filters_of(&self, n: usize) -> f64 {
        let [outputs, inputs, ..] = Weights::shape(self.first + n);
        // The first one has none.
        if self.first + n == 0 { 0.0 } else { (9 * outputs * inputs) as f64 * FILTERS }
    }

    /// Index here of the last convolution whose map a loss looks at: behind it the way back needs masks alone.
    pub(crate) fn last_seen(&self) -> Option<usize> {
        self.steps.iter().rposition(|step| step.conv || step.relu)
    }

    /// Bytes of a row of the mask of a convolution's rectifier, and of its windows'.
    pub(crate) fn mask_rows(&self, n: usize, width: usize) -> [usize; 2] {
        let step = &self.steps[n];
        let bits = |width: usize, of_value: usize| width * step.channels * of_value / 8;
        [bits(width >> step.level, 1), bits(width >> (step.level + 1), WINDOW)]
    }

    /// Bytes of the masks behind [`StagePlan::last_seen`], for an input of this size.
    pub(crate) fn unseen_mask_bytes(&self, width: usize, height: usize) -> usize {
        let unseen = self.last_seen().map_or(0, |n| n + 1)..self.steps.len();
        unseen
            .map(|n| {
                let (step, [mask, windows]) = (&self.steps[n], self.mask_rows(n, width));
                let rectifier = if step.fused() { 0 } else { (height >> step.level) * mask };
                rectifier + if step.pooled { (height >> (step.level + 1)) * windows } else { 0 }
            })
            .sum()
    }

    /// Index here of the convolution of the deepest of some layers that belong to this stage.
    pub(crate) fn deepest(&self, layers: &[Layer]) -> Option<usize> {
        let convolutions = layers.iter().map(|layer| layer.convolution());
        let here = self.first..=self.first + self.last();
        convolutions.filter(|i| here.contains(i)).max().map(|i| i - self.first)
    }
}
