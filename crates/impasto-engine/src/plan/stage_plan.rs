//! What some consecutive convolutions do, and what it takes.
//!
//! A [`StagePlan`] knows layers and channels, not sizes: it holds for every image, up to the tiles
//! that its size asks for. It says which maps are asked for and where the poolings are, and counts
//! bytes and multiply-adds for an input of a given size.

use std::ops::RangeInclusive;

use crate::layer::{Layer, LayerKind};
use crate::plan::tile::WinogradTile;
use crate::pooling::WINDOW;
use crate::weights::Weights;

/// Positions of a map that take as long as transforming the filters of their convolution. An
/// evaluation has costs that do not depend on the size, above all these transforms. Measured at 256
/// and 512 px, they are the costs of 8,400 px.
const FILTERS: f64 = 234.0;

/// One convolution of a stage and what follows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConvolutionStep {
    /// Poolings between the stage's input and the convolution.
    pub(crate) level: usize,
    pub(crate) channels: usize,
    /// Side of the tiles of the way forward. It is even, so that a pooling's windows fit.
    pub(crate) tile: usize,
    /// Whether the map before the rectifier is asked for.
    pub(crate) conv: bool,
    /// Whether the map after the rectifier is asked for.
    pub(crate) relu: bool,
    /// Whether a pooling follows whose result is needed.
    pub(crate) pooled: bool,
}

impl ConvolutionStep {
    /// Whether the pooling is part of the convolution, because nobody sees the map in between.
    pub(crate) fn fused(&self) -> bool {
        self.pooled && !self.conv && !self.relu
    }
}

/// Some consecutive convolutions of the network.
#[derive(Clone, Debug)]
pub(crate) struct StagePlan {
    /// The first convolution, counted in the network.
    pub(crate) first: usize,
    pub(crate) steps: Vec<ConvolutionStep>,
}

impl StagePlan {
    /// The plan for some of the network's convolutions. Of the `layers`, those in the stage are
    /// asked for. `pooled`: the pooling after the last convolution belongs to the stage. `size`:
    /// width and height of the whole image.
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

    /// Index in the stage of the last convolution.
    pub(crate) fn last(&self) -> usize {
        self.steps.len() - 1
    }

    /// Returns the layers that are asked for, in network order.
    pub(crate) fn layers(&self) -> impl Iterator<Item = Layer> {
        let first = self.first;
        self.steps.iter().enumerate().flat_map(move |(n, step)| {
            let kinds = [(step.conv, LayerKind::Conv), (step.relu, LayerKind::Relu)];
            kinds.into_iter().filter(|(asked, _)| *asked).map(move |(_, kind)| Layer::at(first + n, kind))
        })
    }

    /// Poolings between the stage's input and its last convolution.
    pub(crate) fn deepest_level(&self) -> usize {
        self.steps[self.last()].level
    }

    /// Returns the bytes of maps and masks for an input of this size. `back`: there is a way back
    /// too.
    pub(crate) fn bytes(&self, width: usize, height: usize, back: bool) -> usize {
        let positions = |level: usize| (height >> level) * (width >> level);
        let (mut kept, mut bits, mut spare) = (0, 0, [0; 2]);
        let mut take = |place: Option<usize>, values: usize, spare: &mut [usize; 2]| match place {
            Some(i) => spare[i] = spare[i].max(values),
            None => kept += values,
        };
        // As the passes do it: a map is kept, or it is in the spare buffer that the map before it
        // is not in.
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

    /// Returns the multiply-adds of the direct form of convolution `n`, for an input of this size.
    pub(crate) fn work_of(&self, n: usize, width: usize, height: usize) -> f64 {
        let ([outputs, inputs, ..], level) = (Weights::shape(self.first + n), self.steps[n].level);
        (9 * outputs * inputs) as f64 * ((height >> level) * (width >> level)) as f64
    }

    /// Returns how many multiply-adds take as long as transforming the filters of convolution `n`.
    /// Every band transforms them again.
    pub(crate) fn filters_of(&self, n: usize) -> f64 {
        let [outputs, inputs, ..] = Weights::shape(self.first + n);
        // The first convolution transforms nothing.
        if self.first + n == 0 { 0.0 } else { (9 * outputs * inputs) as f64 * FILTERS }
    }

    /// Returns the index in the stage of the last convolution whose map is asked for. Behind it the
    /// way back needs masks alone.
    pub(crate) fn last_seen(&self) -> Option<usize> {
        self.steps.iter().rposition(|step| step.conv || step.relu)
    }

    /// Returns the bytes of a row of the rectifier's mask and of the windows' masks of convolution
    /// `n`.
    pub(crate) fn mask_rows(&self, n: usize, width: usize) -> [usize; 2] {
        let step = &self.steps[n];
        let bits = |width: usize, of_value: usize| width * step.channels * of_value / 8;
        [bits(width >> step.level, 1), bits(width >> (step.level + 1), WINDOW)]
    }

    /// Returns the bytes of the masks behind [`StagePlan::last_seen`], for an input of this size.
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

    /// Returns the index in the stage of the deepest convolution of those `layers` that are in the
    /// stage.
    pub(crate) fn deepest(&self, layers: &[Layer]) -> Option<usize> {
        let convolutions = layers.iter().map(|layer| layer.convolution());
        let here = self.first..=self.first + self.last();
        convolutions.filter(|i| here.contains(i)).max().map(|i| i - self.first)
    }
}
