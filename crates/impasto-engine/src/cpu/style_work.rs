//! A style term at work: its sums on the way forward, its gradient on the way back.

use crate::cpu::kernels::gram::{gram, gram_gradient};
use crate::cpu::kernels::isa::Isa;
use crate::cpu::term_positions::{PositionRun, TermPositions, channel_sums};
use crate::layer::Layer;
use crate::network::{StyleChange, StyleSums, StyleTerm};

/// A style term and the sums over the positions seen so far.
pub(crate) struct StyleWork {
    isa: Isa,
    layer: Layer,
    means: bool,
    positions: TermPositions,
    /// Sum of the weights; `None`: each position counts 1.
    total_weight: Option<f64>,
    sums: StyleSums,
}

impl StyleWork {
    /// A term on a map of `height` x `width` positions.
    pub(crate) fn new(isa: Isa, term: StyleTerm, height: usize, width: usize) -> Self {
        let StyleTerm { layer, means, window, weights } = term;
        let total_weight = weights.as_ref().map(|weights| weights.total());
        let positions = TermPositions::new([height, width, layer.channels()], window, weights);
        Self { isa, layer, means, positions, total_weight, sums: StyleSums::default() }
    }

    /// The layer.
    pub(crate) fn layer(&self) -> Layer {
        self.layer
    }

    /// Begins with a picture: nothing has been summed.
    pub(crate) fn begin(&mut self) {
        let channels = self.layer.channels();
        let features = vec![0.0; if self.means { channels } else { 0 }];
        self.sums = StyleSums { total: 0.0, features, products: vec![0.0; channels * channels] };
    }

    /// Adds some positions of the map to the sums. `first`: index of the first value among all
    /// values of the map. `features`: `[positions, C]`.
    pub(crate) fn add(&mut self, first: usize, features: &[f32]) {
        let channels = self.positions.channels();
        let (index, features) = self.positions.inside(first / channels, features);
        let weights = self.positions.weights(index);
        let products = match weights {
            None => gram(self.isa, channels, &features),
            Some(_) => gram(self.isa, channels, self.positions.weighted(index, &features).as_slice()),
        };
        self.sums.products.iter_mut().zip(products).for_each(|(sum, v)| *sum += v);
        if self.means {
            let found = channel_sums(channels, &features, weights);
            self.sums.features.iter_mut().zip(found).for_each(|(sum, v)| *sum += v);
        }
        self.sums.total += (features.len() / channels) as f64;
    }

    /// Returns the sums over all positions added, and keeps nothing.
    pub(crate) fn take_sums(&mut self) -> StyleSums {
        let sums = std::mem::take(&mut self.sums);
        StyleSums { total: self.total_weight.unwrap_or(sums.total), ..sums }
    }

    /// `gradient += w (F S + b)` at some positions of the map, on the calling thread. `first`:
    /// index of the first value among all values of the map. `features` and `gradient`:
    /// `[positions, C]`.
    pub(crate) fn add_gradient(&self, change: StyleChange<'_>, first: usize, features: &[f32], gradient: &mut [f32]) {
        let channels = self.positions.channels();
        for PositionRun { of_piece, index } in self.positions.runs(first / channels, features.len() / channels) {
            let values = of_piece.start * channels..of_piece.end * channels;
            let (features, gradient) = (&features[values.clone()], &mut gradient[values]);
            match self.positions.weights(index) {
                None => self.add_plain_gradient(change, features, gradient),
                Some(weights) => self.add_weighted_gradient(change, features, weights, gradient),
            }
        }
    }

    fn add_plain_gradient(&self, change: StyleChange<'_>, features: &[f32], gradient: &mut [f32]) {
        let channels = self.positions.channels();
        if self.means {
            for position in gradient.chunks_exact_mut(channels) {
                position.iter_mut().zip(change.b).for_each(|(gradient, b)| *gradient += b);
            }
        }
        gram_gradient(self.isa, channels, features, change.s, gradient, true);
    }

    fn add_weighted_gradient(&self, change: StyleChange<'_>, features: &[f32], weights: &[f32], gradient: &mut [f32]) {
        let channels = self.positions.channels();
        if self.means {
            for (position, &w) in gradient.chunks_exact_mut(channels).zip(weights) {
                position.iter_mut().zip(change.b).for_each(|(gradient, b)| *gradient += w * b);
            }
        }
        if weights[..features.len() / channels].iter().all(|&w| w == 0.0) {
            return;
        }
        let positions = features.chunks_exact(channels).zip(weights);
        let weighted: Vec<f32> = positions.flat_map(|(position, &w)| position.iter().map(move |v| w * v)).collect();
        gram_gradient(self.isa, channels, &weighted, change.s, gradient, true);
    }
}
