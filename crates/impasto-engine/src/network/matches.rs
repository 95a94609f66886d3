//! What positions of a map are matched with: the positions of the maps of styles.

use rayon::prelude::*;

/// Side of the patches that are compared, in positions.
pub const PATCH: usize = 3;

/// Largest number of positions of all maps together. Larger numbers are not whole in f32, in which
/// the search keeps them.
pub const MOST_CANDIDATES: usize = 1 << 24;

/// Feature map of a style at a layer.
#[derive(Clone, Debug, PartialEq)]
pub struct CandidateMap {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// The features, `[H, W, C]`.
    pub values: Vec<f32>,
    /// Whether each position may be a match. `None`: all may.
    pub counts: Option<Vec<bool>>,
}

/// The positions that a [`MatchTerm`](super::MatchTerm) chooses from: those of the maps of one or
/// more styles at a layer. They are numbered through all maps, row by row.
///
/// The features are kept less the mean of each channel over the positions that count. So the
/// cosine of two patches tells how alike their patterns are, rather than how strong the channels
/// are.
#[derive(Clone, Debug)]
pub struct MatchCandidates {
    channels: usize,
    /// Mean of each channel over the positions that count, `[C]`.
    mean: Vec<f32>,
    maps: Vec<CentredMap>,
    /// Features less `mean` of all maps, `[positions, C]`.
    centred: Vec<f32>,
    /// `1/|patch|` around each position. 0: the position is no match for anything.
    inverse_norms: Vec<f32>,
    variance: f64,
}

/// A map of [`MatchCandidates`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CentredMap {
    pub(crate) height: usize,
    pub(crate) width: usize,
    /// Number of its first position.
    pub(crate) first: usize,
}

impl MatchCandidates {
    /// Takes maps with `channels` channels. Returns `None` if no position counts.
    ///
    /// # Panics
    /// If the lengths of a map's arrays do not agree with its shape, or if the maps have more than
    /// [`MOST_CANDIDATES`] positions.
    pub fn new(channels: usize, maps: Vec<CandidateMap>) -> Option<Self> {
        let counts = |map: &CandidateMap, i: usize| map.counts.as_ref().is_none_or(|counts| counts[i]);
        let (mut sums, mut count) = (vec![0.0; channels], 0usize);
        for map in &maps {
            let positions = map.height * map.width;
            assert_eq!(map.values.len(), positions * channels, "a map has all features of its positions");
            assert!(map.counts.as_ref().is_none_or(|counts| counts.len() == positions), "one word for each position");
            for (_, position) in map.values.chunks_exact(channels).enumerate().filter(|(i, _)| counts(map, *i)) {
                count += 1;
                sums.iter_mut().zip(position).for_each(|(sum, &v)| *sum += f64::from(v));
            }
        }
        if count == 0 {
            return None;
        }
        let mean: Vec<f32> = sums.iter().map(|sum| (sum / count as f64) as f32).collect();
        let total: usize = maps.iter().map(|map| map.height * map.width).sum();
        assert!(total <= MOST_CANDIDATES, "{total} candidates are too many");
        let mut found = Self {
            centred: Vec::with_capacity(total * channels),
            inverse_norms: Vec::with_capacity(total),
            maps: Vec::with_capacity(maps.len()),
            channels,
            mean,
            variance: 0.0,
        };
        for map in maps {
            found.push(map);
        }
        let positions = found.inverse_norms.iter().zip(found.centred.chunks_exact(channels));
        let squares = positions.filter(|(norm, _)| **norm > 0.0).flat_map(|(_, position)| position);
        found.variance = squares.map(|&v| f64::from(v).powi(2)).sum::<f64>() / (count * channels) as f64;
        Some(found)
    }

    /// Appends a map.
    fn push(&mut self, map: CandidateMap) {
        let CandidateMap { height, width, mut values, counts } = map;
        let (channels, mean) = (self.channels, &self.mean);
        for position in values.chunks_exact_mut(channels) {
            position.iter_mut().zip(mean).for_each(|(v, mean)| *v -= mean);
        }
        let squares: Vec<f64> = values
            .chunks_exact(channels)
            .map(|position| position.iter().map(|&v| f64::from(v).powi(2)).sum())
            .collect();
        let inverse_norm = |i: usize| {
            if counts.as_ref().is_some_and(|counts| !counts[i]) {
                return 0.0;
            }
            let square: f64 = patch(i, width, height).map(|i| squares[i]).sum();
            // A patch without a pattern is like nothing, but it counts.
            square.max(f64::from(f32::MIN_POSITIVE)).sqrt().recip() as f32
        };
        self.maps.push(CentredMap { height, width, first: self.inverse_norms.len() });
        let norms: Vec<f32> = (0..height * width).into_par_iter().map(inverse_norm).collect();
        self.inverse_norms.extend(norms);
        self.centred.append(&mut values);
    }

    /// Returns `C`.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Returns the number of positions of all maps, those that do not count included.
    pub fn len(&self) -> usize {
        self.inverse_norms.len()
    }

    /// Returns whether there are no positions. There always are some.
    pub fn is_empty(&self) -> bool {
        self.inverse_norms.is_empty()
    }

    /// Returns whether a position counts.
    pub fn counts(&self, index: u32) -> bool {
        self.inverse_norms.get(index as usize).is_some_and(|&norm| norm > 0.0)
    }

    /// Returns the mean square of the features less their channels' means, over the positions that
    /// count.
    pub fn variance(&self) -> f64 {
        self.variance
    }

    /// Returns the bytes of memory that so many positions take.
    pub fn bytes(positions: usize, channels: usize) -> usize {
        positions * (channels + 1) * size_of::<f32>()
    }

    /// Mean of each channel, `[C]`.
    pub(crate) fn mean(&self) -> &[f32] {
        &self.mean
    }

    pub(crate) fn maps(&self) -> &[CentredMap] {
        &self.maps
    }

    /// Features of a position less the mean, `[C]`.
    pub(crate) fn centred(&self, index: u32) -> &[f32] {
        &self.centred[index as usize * self.channels..][..self.channels]
    }

    /// Features of a row of a map less the mean, `[W, C]`.
    pub(crate) fn centred_row(&self, map: CentredMap, row: usize) -> &[f32] {
        &self.centred[(map.first + row * map.width) * self.channels..][..map.width * self.channels]
    }

    /// `1/|patch|` of a row of a map, `[W]`.
    pub(crate) fn inverse_norms(&self, map: CentredMap, row: usize) -> &[f32] {
        &self.inverse_norms[map.first + row * map.width..][..map.width]
    }
}

/// Numbers of the positions of the patch around position `i`. Outside of the map, the patch
/// continues with the border.
fn patch(i: usize, width: usize, height: usize) -> impl Iterator<Item = usize> {
    let (x, y) = (i % width, i / width);
    let near = |v: usize, side: usize| [v.saturating_sub(1), v, (v + 1).min(side - 1)];
    near(y, height).into_iter().flat_map(move |y| near(x, width).map(|x| y * width + x))
}
