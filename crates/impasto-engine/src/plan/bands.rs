//! Which rows of every map of a stage a band computes.
//!
//! A convolution reads one row below the last one that it computes. So a band cannot end at the
//! same row in every map: the first maps have to be a few rows ahead of the last ones. On the way
//! back the gradient lags behind in the same manner, a row a convolution. A [`BandCursor`] holds
//! how far each map has come, and a [`Band`] goes from one cursor to the next. No row is computed
//! twice, and bands end where tiles of the whole image end, so that features have the bits of the
//! whole image.

use std::ops::Range;

use crate::plan::stage_plan::StagePlan;
use crate::plan::tile::WinogradTile;

/// How far the bands have come: for each convolution, a number of rows of its whole map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BandCursor {
    /// Rows of the output, before a pooling, that have been computed.
    pub(crate) forward: Vec<usize>,
    /// Rows of the gradient before the rectifier and a pooling that have been computed.
    pub(crate) gradient: Vec<usize>,
    /// Rows of the gradient with respect to the input that have been computed.
    pub(crate) back: Vec<usize>,
}

/// Rows of a tile of the deepest convolutions. The height of a band is a multiple of it in every
/// map.
const TILE_ROWS: usize = 6;

/// Work of the way back in tiles of 6x6 over that in tiles of 8x8, in multiplications an output.
const SMALLER_TILES: f64 = (64.0 / 36.0) / (100.0 / 64.0);

/// A row, or a number of rows, of every map and mask of a convolution.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RowsPerMap {
    pub(crate) conv: usize,
    pub(crate) relu: usize,
    /// The gradient, if it has memory of its own.
    pub(crate) gradient: usize,
    pub(crate) pooled: usize,
    pub(crate) pooled_gradient: usize,
    pub(crate) mask: usize,
    pub(crate) windows: usize,
}

/// What becomes of the maps that a loss looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BandPass {
    /// They are seen once. Only the rows that convolutions read again stay.
    Once,
    /// They stay until the gradient takes their place.
    ThereAndBack,
    /// They belong to a reference. They stay as long, and no gradient takes their place.
    Reference,
}

/// One band: it starts where the bands before it ended, and ends at a cursor of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Band<'a> {
    pub(crate) before: &'a BandCursor,
    pub(crate) now: &'a BandCursor,
}

impl<'a> Band<'a> {
    /// Returns bands one after the other. `start`: the cursor before the first.
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
    /// The cursor before the first band.
    pub(crate) fn start(plan: &StagePlan) -> Self {
        let zeros = vec![0; plan.steps.len()];
        Self { forward: zeros.clone(), gradient: zeros.clone(), back: zeros }
    }

    /// Returns bands of about `rows` rows of an input of `height` rows; `None`: one band with all
    /// rows. `until`: the last convolution of the way forward; `None`: there is only a way back.
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
        // Bands above the first row bring the first maps as far ahead as the last one needs them.
        // Without them the first band would have twice the height.
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

    /// Returns how many of the bands move `end` forward.
    pub(crate) fn passes(bands: &[Self], end: impl Fn(&Self) -> usize) -> f64 {
        let mut before = 0;
        bands.iter().filter(|band| std::mem::replace(&mut before, end(band)) < end(band)).count() as f64
    }

    fn is_begun(&self) -> bool {
        self.forward.iter().chain(&self.back).any(|&end| end > 0)
    }

    /// Returns the cursor of a band that brings the output of the convolution `until`, or without
    /// one the gradient with respect to the input, to row `end` at least. If `end` is above the
    /// first row, the maps before come as far as for such a band.
    pub(crate) fn of(plan: &StagePlan, height: usize, until: Option<usize>, end: isize) -> Self {
        let (mut cursor, rows) = (Self::start(plan), MapRows { plan, height });
        let is_begun = match until {
            Some(until) => {
                cursor.bring_forward(rows, until, end);
                cursor.follow_back(rows, until);
                cursor.gradient[until] > 0
            }
            None => {
                cursor.back[0] = in_map(end);
                cursor.gradient[0] = if cursor.back[0] == 0 { 0 } else { (cursor.back[0] + 1).min(rows.of(0)) };
                cursor.back[0] > 0
            }
        };
        if is_begun {
            cursor.bring_gradient_behind(rows, until);
        }
        cursor
    }

    /// Brings the output of every convolution up to `until` as far as the next one reads it.
    fn bring_forward(&mut self, rows: MapRows<'_>, until: usize, end: isize) {
        let mut wanted = end;
        for n in (0..=until).rev() {
            let (tile, height) = (rows.plan.steps[n].tile as isize, rows.of(n) as isize);
            // A tile of the whole image ends there.
            let computed = ((wanted + tile - 1).div_euclid(tile) * tile).min(height);
            self.forward[n] = in_map(computed);
            if n > 0 {
                wanted = rows.before_pooling(n - 1, (computed + 1).min(height));
            }
        }
    }

    /// Brings the gradients up to `until` as far as their margin of one row a convolution is there.
    fn follow_back(&mut self, rows: MapRows<'_>, until: usize) {
        self.gradient[until] = self.forward[until];
        for n in (0..=until).rev() {
            let gradient = self.gradient[n];
            self.back[n] = if gradient == rows.of(n) { gradient } else { gradient.saturating_sub(1) };
            if n > 0 {
                self.gradient[n - 1] = in_map(rows.before_pooling(n - 1, self.back[n] as isize));
            }
        }
    }

    /// Brings the gradients behind `until`, the last map that a loss looks at, as far as they are
    /// read.
    fn bring_gradient_behind(&mut self, rows: MapRows<'_>, until: Option<usize>) {
        let last = rows.plan.last();
        for n in until.unwrap_or(0)..last {
            self.back[n + 1] = rows.whole_windows(n, self.gradient[n]);
            if Some(n) != until {
                self.gradient[n] = in_map(rows.before_pooling(n, self.back[n + 1] as isize));
            }
            self.gradient[n + 1] = (self.back[n + 1] + 1).min(rows.of(n + 1));
        }
        if Some(last) != until {
            let windows = rows.whole_windows(last, self.gradient[last]);
            self.gradient[last] = in_map(rows.before_pooling(last, windows as isize));
        }
    }
}

/// Rows of the maps of a stage.
#[derive(Clone, Copy)]
struct MapRows<'a> {
    plan: &'a StagePlan,
    /// Rows of the stage's input.
    height: usize,
}

impl MapRows<'_> {
    /// Rows of the map of convolution `n`.
    fn of(self, n: usize) -> usize {
        self.height >> self.plan.steps[n].level
    }

    /// From rows after the pooling that may follow convolution `n` to rows before it. With the last
    /// window comes a last odd row, which is in no window.
    fn before_pooling(self, n: usize, end: isize) -> isize {
        match self.plan.steps[n].pooled {
            true if end == (self.of(n) / 2) as isize => self.of(n) as isize,
            true => 2 * end,
            false => end,
        }
    }

    /// From rows before the pooling that may follow convolution `n` to rows after it, rounded up.
    fn whole_windows(self, n: usize, end: usize) -> usize {
        if self.plan.steps[n].pooled { end.div_ceil(2).min(self.of(n) / 2) } else { end }
    }
}

/// A row of a map. Rows above the first are none.
fn in_map(row: isize) -> usize {
    usize::try_from(row).unwrap_or(0)
}

impl StagePlan {
    /// Returns the first row of every map of convolution `n` that has to stay after a band that
    /// came to `ends`, on a way forward as far as `until`.
    pub(crate) fn keep(&self, n: usize, until: Option<usize>, pass: BandPass, ends: &BandCursor) -> RowsPerMap {
        let step = &self.steps[n];
        let margin = |end: usize| end.saturating_sub(1);
        // The next convolution reads again the row before those that it has computed.
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

    /// Returns the work of the way back through some bands for convolution `n`, as a multiple of
    /// that for the whole map in the largest tiles.
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

    /// Returns the most rows that every map has at a time on the way through some bands: 0 for maps
    /// that are not needed.
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

    /// Returns the bytes of the rows of all maps and masks on the way through bands of an input of
    /// this width. Not counted are the masks behind [`StagePlan::last_seen`], and the whole map
    /// after the last pooling.
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
