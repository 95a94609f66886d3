//! Which positions of a map a term counts, and how much.
//!
//! A map comes in pieces: bands of rows on the way forward, chunks of positions on the way back. A
//! piece is some whole positions of the map one after the other. This module tells which of them
//! lie in the term's window, and where their weights are.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use crate::cpu::kernels::feature_map::FeatureMap;
use crate::network::{MapWindow, PositionWeights};

/// Positions that a thread copies at a time.
const AT_ONCE: usize = 96;

/// The positions of a layer's map that a term counts.
pub(crate) struct TermPositions {
    channels: usize,
    /// Columns of the map.
    width: usize,
    window: Option<MapWindow>,
    weights: Option<Arc<PositionWeights>>,
    /// Positions with a weight above 0, and the roots of their weights: a product of two features
    /// of a position brings in its weight. Empty without weights.
    roots: Vec<(usize, f32)>,
}

/// Consecutive positions of a piece of a map that lie in one row of the window, or all of the piece
/// if there is no window.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PositionRun {
    /// The positions, counted from the first one of the piece.
    pub(crate) of_piece: Range<usize>,
    /// The first position, counted from the first one of the window.
    pub(crate) index: usize,
}

impl TermPositions {
    /// Positions of a map `[height, width, channels]`.
    ///
    /// # Panics
    /// If the window is not inside the map, or the weights are not those of as many positions.
    pub(crate) fn new(
        [height, width, channels]: [usize; 3],
        window: Option<MapWindow>,
        weights: Option<Arc<PositionWeights>>,
    ) -> Self {
        assert!(
            window.is_none_or(|window| window.top + window.height <= height && window.left + window.width <= width),
            "the window {window:?} is not inside a map of {width}x{height} positions"
        );
        let count = window.map_or(width * height, |window| window.width * window.height);
        let values = weights.as_ref().map_or(&[][..], |weights| weights.values());
        assert!(weights.is_none() || values.len() == count, "{} weights for {count} positions", values.len());
        let roots = values.iter().enumerate().filter(|(_, w)| **w > 0.0).map(|(i, w)| (i, w.sqrt())).collect();
        Self { channels, width, window, weights, roots }
    }

    /// Channels of the map.
    pub(crate) fn channels(&self) -> usize {
        self.channels
    }

    /// Weights of the positions from number `index` of the window on; `None`: each counts 1.
    pub(crate) fn weights(&self, index: usize) -> Option<&[f32]> {
        self.weights.as_ref().map(|weights| &weights.values()[index..])
    }

    /// Returns the runs of a piece: `count` positions from number `first` of the map on.
    pub(crate) fn runs(&self, first: usize, count: usize) -> impl Iterator<Item = PositionRun> {
        let window = self.window;
        let rows = match window {
            None => 0..1,
            Some(window) => {
                let (start, end) = (first / self.width, (first + count).div_ceil(self.width));
                start.max(window.top)..end.min(window.top + window.height)
            }
        };
        let width = self.width;
        rows.filter_map(move |row| {
            let Some(MapWindow { top, left, width: columns, .. }) = window else {
                return (count > 0).then_some(PositionRun { of_piece: 0..count, index: first });
            };
            let start = (row * width + left).max(first);
            let end = (row * width + left + columns).min(first + count);
            let index = (row - top) * columns + (start % width).saturating_sub(left);
            (start < end).then(|| PositionRun { of_piece: start - first..end - first, index })
        })
    }

    /// Returns the features of a piece that lie in the window, one position after the other, and
    /// the number of the first of them in the window. `first`: number of the piece's first position
    /// in the map. `features`: `[positions, C]`.
    pub(crate) fn inside<'a>(&self, first: usize, features: &'a [f32]) -> (usize, Cow<'a, [f32]>) {
        if self.window.is_none() {
            return (first, Cow::Borrowed(features));
        }
        let mut runs = self.runs(first, features.len() / self.channels).peekable();
        let index = runs.peek().map_or(0, |run| run.index);
        let values = runs.flat_map(|PositionRun { of_piece, .. }| {
            &features[of_piece.start * self.channels..of_piece.end * self.channels]
        });
        (index, Cow::Owned(values.copied().collect()))
    }

    /// Returns `√w f` of those of some positions that have a weight above 0, `[1, positions, C]`.
    /// `index`: number of the first one in the window. `features`: `[positions, C]`.
    pub(crate) fn weighted(&self, index: usize, features: &[f32]) -> FeatureMap {
        let channels = self.channels;
        let end = index + features.len() / channels;
        let roots = &self.roots[self.roots.partition_point(|(i, _)| *i < index)..];
        let roots = &roots[..roots.partition_point(|(i, _)| *i < end)];
        let mut gathered = FeatureMap::zeros(1, roots.len(), channels);
        let chunks = gathered.as_mut_slice().par_chunks_mut(AT_ONCE * channels).zip(roots.par_chunks(AT_ONCE));
        chunks.for_each(|(chunk, roots)| {
            for (target, &(i, root)) in chunk.chunks_exact_mut(channels).zip(roots) {
                for (target, v) in target.iter_mut().zip(&features[(i - index) * channels..]) {
                    *target = root * v;
                }
            }
        });
        gathered
    }
}

/// Positions whose sums are taken together. How work is shared among threads must not depend on how
/// many there are.
const SUM_BAND: usize = 1024;

/// Positions summed in f32 before they are added to f64 sums.
const SUM_RUN: usize = 32;

/// `Σ w f` over some positions, `[C]`. `features`: `[positions, C]`. `weights`: those of the
/// positions, and maybe more; `None`: each counts 1.
pub(crate) fn channel_sums(channels: usize, features: &[f32], weights: Option<&[f32]>) -> Vec<f64> {
    let bands: Vec<Vec<f64>> = features
        .par_chunks(SUM_BAND * channels)
        .enumerate()
        .map(|(b, band)| {
            let mut sums = vec![0.0; channels];
            let mut run_sums = vec![0.0f32; channels];
            for (r, run) in band.chunks(SUM_RUN * channels).enumerate() {
                run_sums.fill(0.0);
                for (p, position) in run.chunks_exact(channels).enumerate() {
                    match weights {
                        None => run_sums.iter_mut().zip(position).for_each(|(sum, v)| *sum += v),
                        Some(weights) => {
                            let w = weights[b * SUM_BAND + r * SUM_RUN + p];
                            run_sums.iter_mut().zip(position).for_each(|(sum, v)| *sum += w * v);
                        }
                    }
                }
                for (sum, &run) in sums.iter_mut().zip(&run_sums) {
                    *sum += f64::from(run);
                }
            }
            sums
        })
        .collect();
    let mut sums = vec![0.0; channels];
    for band in bands {
        sums.iter_mut().zip(band).for_each(|(sum, v)| *sum += v);
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_cut_out_of_every_piece() {
        let window = MapWindow { top: 2, left: 3, height: 3, width: 2 };
        let positions = TermPositions::new([6, 7, 1], Some(window), None);
        let map: Vec<f32> = (0..42).map(|i| i as f32).collect();
        let (index, inner) = positions.inside(0, &map);
        assert_eq!((index, &*inner), (0, &[17.0, 18.0, 24.0, 25.0, 31.0, 32.0][..]));
        // From the second column of the window's second row to the first of its third.
        let (index, inner) = positions.inside(25, &map[25..32]);
        assert_eq!((index, &*inner), (3, &[25.0, 31.0][..]));
        let runs: Vec<PositionRun> = positions.runs(25, 7).collect();
        assert_eq!(runs, [PositionRun { of_piece: 0..1, index: 3 }, PositionRun { of_piece: 6..7, index: 4 }]);
        assert!(positions.inside(0, &map[..17]).1.is_empty());
        assert!(positions.inside(33, &map[33..]).1.is_empty());
    }

    #[test]
    fn without_a_window_a_piece_is_one_run() {
        let positions = TermPositions::new([6, 7, 2], None, None);
        assert!(positions.runs(9, 20).eq([PositionRun { of_piece: 0..20, index: 9 }]));
        let map = [1.0; 40];
        assert!(matches!(positions.inside(9, &map), (9, Cow::Borrowed(values)) if values.len() == 40));
    }
}
