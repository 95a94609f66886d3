//! A content term at work: sums of the reference, squared differences, and the gradient.

use crate::cpu::term_positions::{TermPositions, channel_sums};
use crate::layer::Layer;
use crate::network::{ContentSums, ContentTerm};
use crate::ordered_sum::{CHUNK, sum_ranges};

/// A content term and what has been summed over the positions seen so far.
pub(crate) struct ContentWork {
    layer: Layer,
    positions: TermPositions,
    /// `Σ w` over all positions of the map.
    total: f64,
    /// Of the reference.
    sums: ContentSums,
    /// `Σ w |F - Y|²`.
    squares: f64,
}

impl ContentWork {
    /// A term on a map of `height` x `width` positions.
    pub(crate) fn new(term: ContentTerm, height: usize, width: usize) -> Self {
        let ContentTerm { layer, weights } = term;
        let total = weights.as_ref().map_or((height * width) as f64, |weights| weights.total());
        let positions = TermPositions::new([height, width, layer.channels()], None, weights);
        Self { layer, positions, total, sums: ContentSums::default(), squares: 0.0 }
    }

    /// The layer.
    pub(crate) fn layer(&self) -> Layer {
        self.layer
    }

    /// Begins with a reference: nothing of it has been summed.
    pub(crate) fn begin_reference(&mut self) {
        self.sums = ContentSums { total: self.total, features: vec![0.0; self.layer.channels()], squares: 0.0 };
    }

    /// Begins with the difference of a picture from the reference: nothing has been summed.
    pub(crate) fn begin(&mut self) {
        self.squares = 0.0;
    }

    /// Adds some positions of the reference to its sums. `first`: index of the first value among
    /// all values of the map. `features`: `[positions, C]`.
    pub(crate) fn add_reference(&mut self, first: usize, features: &[f32]) {
        self.sums.squares += self.weighted_sum(first, features.len(), |i| f64::from(features[i]).powi(2));
        let channels = self.positions.channels();
        let found = channel_sums(channels, features, self.positions.weights(first / channels));
        self.sums.features.iter_mut().zip(found).for_each(|(sum, v)| *sum += v);
    }

    /// Returns the sums over all positions of the reference added, and keeps nothing.
    pub(crate) fn take_sums(&mut self) -> ContentSums {
        std::mem::take(&mut self.sums)
    }

    /// Adds some positions to `Σ w |F - Y|²`. `first`: index of the first value among all values of
    /// the map. `features` and `reference`: `[positions, C]`.
    pub(crate) fn add(&mut self, first: usize, features: &[f32], reference: &[f32]) {
        assert_eq!(features.len(), reference.len(), "both maps are of images of one size");
        let square = |i: usize| f64::from(features[i] - reference[i]) * f64::from(features[i] - reference[i]);
        self.squares += self.weighted_sum(first, features.len(), square);
    }

    /// Returns `Σ w |F - Y|²` over all positions added.
    pub(crate) fn squares(&self) -> f64 {
        self.squares
    }

    /// `gradient += w c (F - Y)` at some positions, on the calling thread; arguments as in
    /// [`ContentWork::add`].
    pub(crate) fn add_gradient(&self, c: f32, first: usize, features: &[f32], reference: &[f32], gradient: &mut [f32]) {
        let channels = self.positions.channels();
        let values = gradient.iter_mut().zip(features).zip(reference);
        match self.positions.weights(first / channels) {
            None => values.for_each(|((gradient, x), y)| *gradient += c * (x - y)),
            Some(weights) => {
                for (i, ((gradient, x), y)) in values.enumerate() {
                    *gradient += weights[i / channels] * c * (x - y);
                }
            }
        }
    }

    /// `Σ w v` over `len` values of whole positions, of which the first has index `first` in the
    /// map.
    fn weighted_sum(&self, first: usize, len: usize, value: impl Fn(usize) -> f64 + Sync) -> f64 {
        let channels = self.positions.channels();
        match self.positions.weights(first / channels) {
            None => sum_ranges(len, CHUNK, |range| range.map(&value).sum()),
            Some(weights) => sum_ranges(len / channels, CHUNK.div_ceil(channels), |range| {
                let of_position = |p: usize| (p * channels..(p + 1) * channels).map(&value).sum::<f64>();
                range.map(|p| f64::from(weights[p]) * of_position(p)).sum()
            }),
        }
    }
}
