//! The search for matches: which position of a style has the patch that is most like that around
//! each position of a map.
//!
//! The product of two patches of 3x3 positions is the sum of nine products of positions:
//! `P(p, q) = Σ_o D(p + o, q + o)` with `D(p, q) = f(p) · s(q)`. So all `D` are matrix products,
//! and `P` is nine additions. `D` is taken for a block of the map and one row of the style at a
//! time. Three rows make a row of `P`. The sum goes along the rows first,
//! `H(p, q) = D(p - 1, q - 1) + D(p, q) + D(p + 1, q + 1)`, and then down.
//!
//! Every `D` is one chain of multiply-adds over the channels, and the additions have one order. So
//! the matches do not depend on how a map is cut into blocks, bands or threads.

use std::ops::Range;

use rayon::prelude::*;

use super::buffer::{AlignedBuffer, LINE};
use super::isa::{Isa, dispatch};
use super::simd::{Gemm, Kernel, Simd};
use crate::network::{CentredMap, MatchCandidates};
use crate::plan::MATCH_BLOCK;

/// Positions of a map of which some rows are there.
#[derive(Clone, Copy)]
pub(crate) struct MapRows<'a> {
    /// The features, `[rows, W, C]`.
    pub(crate) values: &'a [f32],
    /// The first of these rows.
    pub(crate) first: usize,
    /// Rows of the whole map.
    pub(crate) height: usize,
    /// Columns of the map.
    pub(crate) width: usize,
    /// Whether the map continues at its opposite side. Otherwise its border continues.
    pub(crate) wraps: bool,
}

/// A part of a map whose positions are matched together.
#[derive(Clone)]
struct Block {
    rows: Range<usize>,
    columns: Range<usize>,
}

/// Returns the match of every position in some rows of a map: the number of the candidate with the
/// largest cosine of the two centred patches, or the first of these. Positions without weight have
/// the match 0 if none of their block has a weight.
///
/// The rows' neighbours are among the map's rows too. `weights`: those of all positions of the map;
/// `None`: each has weight.
pub(crate) fn find_matches(
    isa: Isa,
    map: MapRows<'_>,
    rows: Range<usize>,
    weights: Option<&[f32]>,
    candidates: &MatchCandidates,
) -> Vec<u32> {
    let (start, width) = (rows.start, map.width);
    let has_weight = |block: &Block| {
        weights.is_none_or(|weights| {
            let mut rows = block.rows.clone().map(|y| &weights[y * width..][block.columns.clone()]);
            rows.any(|row| row.iter().any(|&w| w > 0.0))
        })
    };
    let blocks: Vec<Block> = steps(rows.clone(), MATCH_BLOCK[0])
        .flat_map(|rows| steps(0..width, MATCH_BLOCK[1]).map(move |columns| Block { rows: rows.clone(), columns }))
        .filter(has_weight)
        .collect();
    let found: Vec<Vec<u32>> = blocks
        .par_iter()
        .map(|block| {
            let mut matches = vec![0; block.rows.len() * block.columns.len()];
            let work = BlockSearch { map, block, candidates, matches: &mut matches };
            dispatch!(isa, s => s.vectorize(work));
            matches
        })
        .collect();
    let mut matches = vec![0; rows.len() * width];
    for (Block { rows, columns }, found) in blocks.into_iter().zip(found) {
        for (y, found) in rows.zip(found.chunks_exact(columns.len())) {
            matches[(y - start) * width + columns.start..][..columns.len()].copy_from_slice(found);
        }
    }
    matches
}

/// Cuts a range into pieces of `step`, the last one shorter.
fn steps(range: Range<usize>, step: usize) -> impl Iterator<Item = Range<usize>> {
    range.clone().step_by(step).map(move |start| start..(start + step).min(range.end))
}

/// The search for one block.
struct BlockSearch<'a> {
    map: MapRows<'a>,
    block: &'a Block,
    candidates: &'a MatchCandidates,
    /// `[rows, columns]` of the block.
    matches: &'a mut [u32],
}

/// What the positions of a block and its border have in common. They lie in rows of `stride`.
struct Packed {
    /// Columns of the block with its border.
    stride: usize,
    /// Positions, a multiple of the columns of a panel. The last ones mean nothing.
    positions: usize,
    /// Features less the candidates' mean, in panels: `[positions / NR, C, NR]`.
    panels: AlignedBuffer,
}

impl Kernel for BlockSearch<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { map, block, candidates, matches } = self;
        let packed = pack(map, block, candidates, S::NR);
        let (stride, positions) = (packed.stride, packed.positions);
        // The positions of the block itself, and some of its border.
        let inner = stride..stride * (block.rows.len() + 1);
        let mut best = vec![f32::NEG_INFINITY; inner.len()];
        let mut number = vec![0.0; inner.len()];
        let widest = candidates.maps().iter().map(|map| map.width).max().unwrap_or(0);
        let mut products = AlignedBuffer::zeros(widest * positions);
        let mut sums = [0, 1, 2].map(|_| AlignedBuffer::zeros(widest * positions));
        for &of in candidates.maps() {
            for row in 0..of.height {
                multiply(s, &packed, candidates.channels(), candidates.centred_row(of, row), &mut products);
                add_along(&products, of.width, positions, &mut sums[row % 3]);
                if row > 0 {
                    // The row before has all its neighbours now.
                    let rows = [row.saturating_sub(2), row - 1, row];
                    compare(candidates, of, rows, &sums, positions, stride, &inner, &mut best, &mut number);
                }
            }
            let last = of.height - 1;
            let rows = [last.saturating_sub(1), last, last];
            compare(candidates, of, rows, &sums, positions, stride, &inner, &mut best, &mut number);
        }
        let columns = block.columns.len();
        for (row, matches) in matches.chunks_exact_mut(columns).enumerate() {
            for (m, &number) in matches.iter_mut().zip(&number[row * stride + 1..]) {
                *m = number as u32;
            }
        }
    }
}

/// Packs a block of a map with a border of one position.
#[inline(always)]
fn pack(map: MapRows<'_>, block: &Block, candidates: &MatchCandidates, panel: usize) -> Packed {
    let (channels, mean) = (candidates.channels(), candidates.mean());
    let [rows, stride] = [block.rows.len() + 2, block.columns.len() + 2];
    let positions = (rows * stride).next_multiple_of(panel);
    let mut panels = AlignedBuffer::zeros(positions * channels);
    for y in 0..rows {
        let row = neighbour(block.rows.start + y, map.height, map.wraps) - map.first;
        for x in 0..stride {
            let column = neighbour(block.columns.start + x, map.width, map.wraps);
            let features = &map.values[(row * map.width + column) * channels..][..channels];
            let i = y * stride + x;
            let start = i / panel * panel * channels + i % panel;
            for ((target, v), mean) in panels[start..].iter_mut().step_by(panel).zip(features).zip(mean) {
                *target = v - mean;
            }
        }
    }
    Packed { stride, positions, panels }
}

/// The coordinate one before `coordinate` on a side of a map.
#[inline(always)]
fn neighbour(coordinate: usize, side: usize, wraps: bool) -> usize {
    if wraps { (coordinate + side - 1) % side } else { coordinate.saturating_sub(1).min(side - 1) }
}

/// `D(q, p) = s(q) · f(p)` for a row of candidates, `[W, C]`.
#[inline(always)]
fn multiply<S: Simd>(s: S, packed: &Packed, channels: usize, row: &[f32], products: &mut AlignedBuffer) {
    let Packed { positions, panels, .. } = packed;
    let rows = row.len() / channels;
    assert!(products.len() >= rows * positions && panels.len() == positions * channels);
    for start in (0..*positions).step_by(S::NR) {
        // SAFETY: the row is `[rows][C]`, a panel `[C][NR]`, and the products are
        // `[rows][positions]` with `positions` a multiple of `NR`.
        unsafe {
            s.gemm(Gemm {
                rows,
                cols: S::NR,
                depth: channels,
                a: row.as_ptr(),
                a_row: channels,
                a_col: 1,
                a_line: LINE,
                b: panels.as_ptr().add(start * channels),
                b_row: S::NR,
                c: products.as_mut_ptr().add(start),
                c_row: *positions,
                accumulate: false,
            });
        }
    }
}

/// `H(q, p) = D(q - 1, p - 1) + D(q, p) + D(q + 1, p + 1)`. The first and the last candidate of a
/// row are their own neighbours.
#[inline(always)]
fn add_along(products: &[f32], width: usize, positions: usize, sums: &mut [f32]) {
    for q in 0..width {
        let [before, here, after] =
            [q.saturating_sub(1), q, (q + 1).min(width - 1)].map(|q| &products[q * positions..][..positions]);
        let sums = &mut sums[q * positions..][..positions];
        let inner = sums[1..positions - 1].iter_mut().zip(&before[..positions - 2]);
        for ((sum, before), (here, after)) in inner.zip(here[1..positions - 1].iter().zip(&after[2..])) {
            *sum = before + here + after;
        }
    }
}

/// Compares the best so far with the candidates of a row: the middle one of `rows`, which are in
/// `sums`.
#[inline(always)]
fn compare(
    candidates: &MatchCandidates,
    of: CentredMap,
    rows: [usize; 3],
    sums: &[AlignedBuffer; 3],
    positions: usize,
    stride: usize,
    inner: &Range<usize>,
    best: &mut [f32],
    number: &mut [f32],
) {
    let first = of.first + rows[1] * of.width;
    for (q, &norm) in candidates.inverse_norms(of, rows[1]).iter().enumerate().filter(|(_, norm)| **norm > 0.0) {
        let [above, here, below] = rows.map(|row| &sums[row % 3][q * positions..][..positions]);
        let index = (first + q) as f32;
        let above = &above[inner.start - stride..inner.end - stride];
        let below = &below[inner.start + stride..inner.end + stride];
        let sums = above.iter().zip(&here[inner.clone()]).zip(below);
        for (((above, here), below), (best, number)) in sums.zip(best.iter_mut().zip(number.iter_mut())) {
            let score = (above + here + below) * norm;
            let is_better = score > *best;
            *best = if is_better { score } else { *best };
            *number = if is_better { index } else { *number };
        }
    }
}
