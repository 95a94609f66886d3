//! A match term at work: the search for matches, squared differences from them, and the gradient.

use std::mem;
use std::ops::Range;
use std::sync::Arc;

use crate::cpu::kernels::isa::Isa;
use crate::cpu::kernels::matches::{MapRows, find_matches};
use crate::cpu::term_positions::TermPositions;
use crate::layer::Layer;
use crate::network::{MatchCandidates, MatchTerm};
use crate::ordered_sum::{CHUNK, sum_ranges};

/// A match term, the matches of its positions, and what has been summed so far.
pub(crate) struct MatchWork {
    isa: Isa,
    layer: Layer,
    positions: TermPositions,
    candidates: Arc<MatchCandidates>,
    height: usize,
    width: usize,
    wraps: bool,
    /// Number of the candidate for each position. Empty before the first search.
    matches: Vec<u32>,
    /// Rows seen by a search that still have positions, or neighbours of positions, to match.
    pending: Vec<f32>,
    /// The first row in `pending`.
    pending_from: usize,
    /// Rows whose matches the search has found.
    found: usize,
    /// `Σ w |F - Y|²`.
    squares: f64,
}

impl MatchWork {
    /// A term on a map of `height` x `width` positions, which continues at its opposite side if it
    /// `wraps`.
    pub(crate) fn new(isa: Isa, term: MatchTerm, height: usize, width: usize, wraps: bool) -> Self {
        let MatchTerm { layer, weights, candidates } = term;
        assert_eq!(candidates.channels(), layer.channels(), "candidates of the term's layer");
        let positions = TermPositions::new([height, width, layer.channels()], None, weights);
        let (matches, pending) = (vec![], vec![]);
        let (pending_from, found, squares) = (0, 0, 0.0);
        Self { isa, layer, positions, candidates, height, width, wraps, matches, pending, pending_from, found, squares }
    }

    /// The layer.
    pub(crate) fn layer(&self) -> Layer {
        self.layer
    }

    /// Begins a search on a picture: nothing has been found or summed.
    pub(crate) fn begin_search(&mut self) {
        self.matches.resize(self.height * self.width, 0);
        self.pending.clear();
        (self.pending_from, self.found, self.squares) = (0, 0, 0.0);
    }

    /// Takes some whole rows of the picture's map, from the top down. Finds the matches of all rows
    /// whose neighbours are there, and adds their squared differences. Arguments as in
    /// [`MatchWork::add`].
    pub(crate) fn search(&mut self, first: usize, features: &[f32]) {
        let row = self.width * self.positions.channels();
        let seen = (first + features.len()) / row;
        let mut pending = mem::take(&mut self.pending);
        let is_copied = !pending.is_empty() || seen < self.height;
        if is_copied {
            pending.extend_from_slice(features);
        }
        let values = if is_copied { pending.as_slice() } else { features };
        // The last row waits for the one below it. On a torus the first row needs the last one.
        let until = match seen == self.height {
            true => self.height,
            false if self.wraps => 0,
            false => seen - 1,
        };
        if until > self.found {
            self.search_rows(values, self.found..until);
            self.found = until;
        }
        if is_copied && !self.wraps {
            // The row above the next one is needed again.
            let from = self.found.saturating_sub(1);
            pending.drain(..(from - self.pending_from) * row);
            self.pending_from = from;
        }
        if seen < self.height {
            self.pending = pending;
        }
    }

    /// Finds the matches of some rows. `values`: the rows from `pending_from` on.
    fn search_rows(&mut self, values: &[f32], rows: Range<usize>) {
        let (height, width, wraps) = (self.height, self.width, self.wraps);
        let map = MapRows { values, first: self.pending_from, height, width, wraps };
        let found = find_matches(self.isa, map, rows.clone(), self.positions.weights(0), &self.candidates);
        self.matches[rows.start * width..rows.end * width].copy_from_slice(&found);
        let row = width * self.positions.channels();
        let here = (rows.start - self.pending_from) * row..(rows.end - self.pending_from) * row;
        self.add(rows.start * row, &values[here]);
    }

    /// Returns the number of the candidate for each position of the map.
    pub(crate) fn matches(&self) -> &[u32] {
        &self.matches
    }

    /// Takes matches found before. Returns `false` if they are not those of the term's positions
    /// and candidates. Nothing has changed then.
    pub(crate) fn set_matches(&mut self, matches: &[u32]) -> bool {
        let is_weightless = |i: usize| self.positions.weights(i).is_some_and(|weights| weights[0] == 0.0);
        let fits = matches.len() == self.height * self.width
            && matches.iter().enumerate().all(|(i, &m)| self.candidates.counts(m) || m == 0 && is_weightless(i));
        if fits {
            self.matches = matches.to_vec();
        }
        fits
    }

    /// Begins with the difference of a picture from its matches: nothing has been summed.
    pub(crate) fn begin(&mut self) {
        self.squares = 0.0;
    }

    /// Adds some positions to `Σ w |F - Y|²`. `first`: index of the first value among all values of
    /// the map. `features`: `[positions, C]`.
    pub(crate) fn add(&mut self, first: usize, features: &[f32]) {
        let channels = self.positions.channels();
        let (from, count) = (first / channels, features.len() / channels);
        let weights = self.positions.weights(from);
        let squares = sum_ranges(count, CHUNK.div_ceil(channels), |range| {
            let of_position = |p: usize| {
                let differences = self.differences(from + p, &features[p * channels..][..channels]);
                let square: f64 = differences.map(|d| f64::from(d) * f64::from(d)).sum();
                weights.map_or(square, |weights| f64::from(weights[p]) * square)
            };
            range.map(of_position).sum()
        });
        self.squares += squares;
    }

    /// Returns `Σ w |F - Y|²` over all positions added or searched.
    pub(crate) fn squares(&self) -> f64 {
        self.squares
    }

    /// `gradient += w c (F - Y)` at some positions, on the calling thread; arguments as in
    /// [`MatchWork::add`].
    pub(crate) fn add_gradient(&self, c: f32, first: usize, features: &[f32], gradient: &mut [f32]) {
        let channels = self.positions.channels();
        let from = first / channels;
        let weights = self.positions.weights(from);
        let positions = gradient.chunks_exact_mut(channels).zip(features.chunks_exact(channels));
        for (p, (gradient, features)) in positions.enumerate() {
            let c = weights.map_or(c, |weights| weights[p] * c);
            if c != 0.0 {
                for (gradient, difference) in gradient.iter_mut().zip(self.differences(from + p, features)) {
                    *gradient += c * difference;
                }
            }
        }
    }

    /// `F - Y` at a position.
    fn differences<'a>(&'a self, position: usize, features: &'a [f32]) -> impl Iterator<Item = f32> + 'a {
        let target = self.candidates.centred(self.matches[position]).iter().zip(self.candidates.mean());
        features.iter().zip(target).map(|(v, (centred, mean))| v - (centred + mean))
    }
}
