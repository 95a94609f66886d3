//! Which rows of every map of a stage a band computes: those that follow on the band before, and no row twice.

use std::ops::Range;

use crate::plan::stage_plan::StagePlan;
use crate::plan::tile::WinogradTile;

/// How far the bands have come, by convolution, in rows of the whole maps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BandCursor {
    /// Output, before a pooling, that has been computed.
    pub(crate) forward: Vec<usize>,
    /// Gradient with respect to that output, before its rectifier and a pooling, that has been computed.
    pub(crate) gradient: Vec<usize>,
    /// Gradient with respect to the input that has been computed.
    pub(crate) back: Vec<usize>,
}

/// Bands are a multiple of this many rows high in every map, as the tiles of its deepest convolutions are.
const TILE_ROWS: usize = 6;

/// Work of the way back in tiles of 6x6, over that in tiles of 8x8.
const SMALLER_TILES: f64 = (64.0 / 36.0) / (100.0 / 64.0);

/// A row, or a number of rows, of every map and mask of a convolution.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RowsPerMap {
    pub(crate) conv: usize,
    pub(crate) relu: usize,
    /// Of a gradient that has a memory of its own.
    pub(crate) gradient: usize,
    pub(crate) pooled: usize,
    pub(crate) pooled_gradient: usize,
    pub(crate) mask: usize,
    pub(crate) windows: usize,
}

/// What becomes of the maps that a loss looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BandPass {
    /// They are seen once: only what the convolutions read again stays.
    Once,
    /// They stay until the gradient has taken their place.
    ThereAndBack,
    /// They are a reference's, and stay as long.
    Reference,
}

/// One band: it goes on where those before it have come to, and ends at a cursor of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Band<'a> {
    pub(crate) before: &'a BandCursor,
    pub(crate) now: &'a BandCursor,
}

impl<'a> Band<'a> {
    /// Bands one after the other. `start`: the cursor before the first.
    pub(crate) fn each(start: &'a BandCursor, bands: &'a [BandCursor]) -> impl Iterator<Item = Self> {
        let before = std::iter::once(start).chain(bands);
        before.zip(bands).map(|(before, now)| Self { before, now })
    }

    /// Rows of the output of convolution `n` that the band computes.
    pub(crate) fn forward(&self, n: usize) -> Range<usize> {
        self.before.forward[n]..self.now.forward[n]
    }

    /// Rows of the gradient with respect to that output that the band computes.
    pub(crate) fn gradient(&self, n: usize) -> Range<usize> {
        self.before.gradient[n]..self.now.gradient[n]
    }

    /// Rows of the gradient with respect to the input of convolution `n` that the band computes.
    pub(crate) fn back(&self, n: usize) -> Range<usize> {
        self.before.back[n]..self.now.back[n]
    }
}

impl BandCursor {
    /// Before the first band.
    pub(crate) fn start(plan: &StagePlan) -> Self {
        let zeros = vec![0; plan.steps.len()];
        Self { forward: zeros.clone(), gradient: zeros.clone(), back: zeros }
    }

    /// Bands of about `rows` rows of the input, whose height is `height`; `until`: the last convolution of the way forward, `None` where the
    /// way back is all there is. `rows`: `None` for all at once.
    pub(crate) fn bands(plan: &StagePlan, height: usize, until: Option<usize>, rows: Option<usize>) -> Vec<Self> {
        let level = until.map_or(0, |n| plan.steps[n].level);
        let whole = height >> level;
        // Even at the deepest level.
        let align = TILE_ROWS << (plan.deepest_level() - level);
        let step = rows.map_or(whole, |rows| ((rows >> level) / align).max(1) * align);
        let of = |end: isize| Self::of(plan, height, until, end);
        if step >= whole {
            return vec![of(whole as isize)];
        }
        // Above the first row, those bands in which the first maps only come as far ahead as the last one needs them: all at once they would
        // be a band of twice the height.
        let ahead = (0..).take_while(|&i| of(-(i * step as isize)).is_begun()).count();
        let ends = (-(ahead as isize)..).map(|i| ((i + 1) * step as isize).min(whole as isize));
        let mut bands = Vec::new();
        for end in ends {
            bands.push(of(end));
            if end == whole as isize {
                return bands;
            }
        }
        bands
    }

    /// How many of the bands bring something of what `end` is of.
    pub(crate) fn passes(bands: &[Self], end: impl Fn(&Self) -> usize) -> f64 {
        let mut before = 0;
        bands.iter().filter(|band| std::mem::replace(&mut before, end(band)) < end(band)).count() as f64
    }

    fn is_begun(&self) -> bool {
        self.forward.iter().chain(&self.back).any(|&end| end > 0)
    }

    /// The band that brings the output of the convolution `until` to row `end` at least, or the gradient with respect to the input; above
    /// the first row it brings the maps before as far as for such a band.
    pub(crate) fn of(plan: &StagePlan, height: usize, until: Option<usize>, end: isize) -> Self {
        let mut ends = Self::start(plan);
        let (Self { forward, gradient, back }, last) = (&mut ends, plan.steps.len() - 1);
        let rows = |n: usize| height >> plan.steps[n].level;
        // From rows after the pooling that may follow a convolution to those before it.
        let before = |n: usize, end: isize| match plan.steps[n].pooled {
            // The last row may be in no window.
            true if end == (rows(n) / 2) as isize => rows(n) as isize,
            true => 2 * end,
            false => end,
        };
        let in_map = |end: isize| usize::try_from(end).unwrap_or(0);
        if let Some(until) = until {
            // Upwards: what the next convolution reads.
            let mut wanted = end;
            for n in (0..=until).rev() {
                let (tile, rows) = (plan.steps[n].tile as isize, rows(n) as isize);
                // Where a tile of the whole picture ends.
                let computed = ((wanted + tile - 1).div_euclid(tile) * tile).min(rows);
                forward[n] = in_map(computed);
                if n > 0 {
                    wanted = before(n - 1, (computed + 1).min(rows));
                }
            }
            // The gradient comes as far as its margin, one row a convolution, is there.
            gradient[until] = forward[until];
            for n in (0..=until).rev() {
                back[n] = if gradient[n] == rows(n) { rows(n) } else { gradient[n].saturating_sub(1) };
                if n > 0 {
                    gradient[n - 1] = in_map(before(n - 1, back[n] as isize));
                }
            }
            if gradient[until] == 0 {
                return ends;
            }
        } else {
            back[0] = in_map(end);
            gradient[0] = if back[0] == 0 { 0 } else { (back[0] + 1).min(rows(0)) };
            if back[0] == 0 {
                return ends;
            }
        }
        // Behind the last map that a loss looks at, it comes as far as it is read.
        let whole_windows = |n: usize, end: usize| match plan.steps[n].pooled {
            true => end.div_ceil(2).min(rows(n) / 2),
            false => end,
        };
        for n in until.unwrap_or(0)..last {
            back[n + 1] = whole_windows(n, gradient[n]);
            if Some(n) != until {
                gradient[n] = in_map(before(n, back[n + 1] as isize));
            }
            gradient[n + 1] = (back[n + 1] + 1).min(rows(n + 1));
        }
        if Some(last) != until {
            gradient[last] = in_map(before(last, whole_windows(last, gradient[last]) as isize));
        }
        ends
    }
}

impl StagePlan {
    /// The first rows of the maps of convolution `n` that have to stay after the band that came to `ends`, on a way forward as far as `until`.
    pub(crate) fn keep(&self, n: usize, until: Option<usize>, pass: BandPass, ends: &BandCursor) -> RowsPerMap {
        let step = &self.steps[n];
        let margin = |end: usize| end.saturating_sub(1);
        // The row before those that the next convolution has computed.
        let read = |end: usize| if Some(n) < until { margin(ends.forward[n + 1]) } else { end };
        let relu = if step.pooled { ends.forward[n] } else { read(ends.forward[n]) };
        let pooled = read(ends.forward[n] / 2);
        match pass {
            BandPass::Once => RowsPerMap {
                conv: ends.forward[n],
                relu,
                gradient: 0,
                pooled,
                pooled_gradient: 0,
                mask: relu,
                windows: pooled,
            },
            BandPass::ThereAndBack | BandPass::Reference => {
                let gradient = margin(ends.back[n]);
                let pooled_gradient = if step.fused() { gradient / 2 } else { ends.gradient[n] / 2 };
                RowsPerMap {
                    conv: ends.gradient[n],
                    relu: if step.relu { gradient } else { relu },
                    gradient,
                    pooled,
                    pooled_gradient,
                    mask: gradient,
                    windows: pooled_gradient,
                }
            }
        }
    }

    /// Work of the way back through some bands for convolution `n`, as a multiple of that for the whole map in the largest tiles.
    pub(crate) fn work_back(&self, n: usize, bands: &[BandCursor]) -> f64 {
        let height = bands.last().map_or(1, |band| band.back[n]);
        let mut start = 0;
        let rows = bands.iter().map(|band| std::mem::replace(&mut start, band.back[n])..band.back[n]);
        let work = rows.map(|rows| {
            let is_full = WinogradTile::back(WinogradTile::Eight, &rows, height) == WinogradTile::Eight;
            rows.len() as f64 * if is_full { 1.0 } else { SMALLER_TILES }
        });
        work.sum::<f64>() / height as f64
    }

    /// The most rows that there are of every map at a time on the way through some bands; 0 of those that there is no need for.
    pub(crate) fn most(&self, until: Option<usize>, pass: BandPass, bands: &[BandCursor]) -> Vec<RowsPerMap> {
        let mut most = vec![RowsPerMap::default(); self.steps.len()];
        let mut ends = &BandCursor::start(self);
        for now in bands {
            for (n, most) in most.iter_mut().enumerate() {
                let (step, keep) = (&self.steps[n], self.keep(n, until, pass, ends));
                let take = |is_there: bool, most: &mut usize, keep: usize, end: usize| {
                    *most = if is_there { (*most).max(end.max(keep) - keep) } else { 0 };
                };
                let (forward, back) = (Some(n) <= until, pass == BandPass::ThereAndBack);
                let asked = step.relu && forward;
                take(step.conv && forward, &mut most.conv, keep.conv, now.forward[n]);
                take(!step.fused() && forward, &mut most.relu, keep.relu, now.forward[n]);
                take(!step.fused() && back && !asked, &mut most.gradient, keep.gradient, now.gradient[n]);
                take(step.pooled && forward, &mut most.pooled, keep.pooled, now.forward[n] / 2);
                if n + 1 < self.steps.len() {
                    take(step.pooled && back, &mut most.pooled_gradient, keep.pooled_gradient, now.back[n + 1]);
                }
                take(!step.fused() && forward, &mut most.mask, keep.mask, now.forward[n]);
                take(step.pooled && forward, &mut most.windows, keep.windows, now.forward[n] / 2);
            }
            ends = now;
        }
        most
    }

    /// Bytes of the rows of all maps and masks that are there on the way through bands of an input of this width, without the masks behind
    /// [`StagePlan::last_seen`] and what the whole map after the last pooling takes.
    pub(crate) fn band_bytes(&self, width: usize, until: Option<usize>, pass: BandPass, bands: &[BandCursor]) -> usize {
        let most = self.most(until, pass, bands).into_iter().enumerate();
        most.map(|(n, most)| {
            let (step, [mask, windows]) = (&self.steps[n], self.mask_rows(n, width));
            let row = |level: usize| size_of::<f32>() * (width >> level) * step.channels;
            let pooled = if pass == BandPass::Once && n == self.last() { 0 } else { most.pooled };
            let masks = if Some(n) <= self.last_seen() { most.mask * mask + most.windows * windows } else { 0 };
            row(step.level) * (most.conv + most.relu + most.gradient)
                + row(step.level + 1) * (pooled + most.pooled_gradient)
                + masks
        })
        .sum()
    }
}
