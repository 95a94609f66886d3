//! A style term at work: its sums on the way forward, its gradient on the way back.

use crate::cpu::kernels::gram::{add_gram, gram_gradient};
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
        let products = &mut self.sums.products;
        match weights {
            None => add_gram(self.isa, channels, &features, products),
            Some(_) => add_gram(self.isa, channels, self.positions.weighted(index, &features).as_slice(), products),
        }
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

    /// Checks that a change is of the term's size.
    ///
    /// # Panics
    /// If it is not.
    pub(crate) fn check(&self, change: &StyleChange<'_>) {
        let channels = self.positions.channels();
        assert_eq!(change.s.len(), channels * channels, "S is [C, C]");
        assert_eq!(change.b.len(), if self.means { channels } else { 0 }, "b is [C] if the term has means");
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::network::{MapWindow, PositionWeights};
    use crate::reference::{Noise, relative_error};

    const HEIGHT: usize = 19;
    const WIDTH: usize = 23;
    const CHANNELS: usize = 64;

    /// A map in pieces, as bands and threads see it, against the whole map.
    #[test]
    fn pieces_of_a_map_have_its_sums_and_its_gradient() {
        let layer = "relu1_1".parse().expect("a layer");
        let map = Noise(1).vector(HEIGHT * WIDTH * CHANNELS);
        let (s, b) = (Noise(2).vector(CHANNELS * CHANNELS), Noise(3).vector(CHANNELS));
        let window = MapWindow { top: 2, left: 5, height: 14, width: 11 };
        let weights = |count| PositionWeights::new(Noise(4).vector(count).iter().map(|v| v.abs()).collect());
        for (window, count) in [(None, HEIGHT * WIDTH), (Some(window), 14 * 11)] {
            for weights in [None, weights(count).map(Arc::new)] {
                let term = StyleTerm { layer, means: true, window, weights };
                let mut work = StyleWork::new(Isa::select().expect("an instruction set"), term, HEIGHT, WIDTH);
                let mut of_pieces = |cuts: &[usize]| {
                    let mut gradient = vec![0.5; map.len()];
                    work.begin();
                    for piece in cuts.windows(2).map(|cut| cut[0] * CHANNELS..cut[1] * CHANNELS) {
                        let (first, values) = (piece.start, &map[piece.clone()]);
                        work.add(first, values);
                        work.add_gradient(StyleChange { s: &s, b: &b }, first, values, &mut gradient[piece]);
                    }
                    (work.take_sums(), gradient)
                };
                let (whole, gradient) = of_pieces(&[0, HEIGHT * WIDTH]);
                let (sums, in_pieces) = of_pieces(&[0, 7, 30, 31, 200, 202, HEIGHT * WIDTH]);
                assert_eq!(sums.total, whole.total);
                let error = |found: &[f64], expected: &[f64]| relative_error(found.iter().copied(), expected);
                assert!(error(&sums.products, &whole.products) < 1e-6);
                assert!(error(&sums.features, &whole.features) < 1e-6);
                assert_eq!(in_pieces, gradient);
            }
        }
    }
}
