//! Which rows of every map of a stage a band computes: those that follow on the band before, and no row twice.

use std::ops::Range;

use crate::kernels::Tile;
use crate::plan::Plan;

/// How far the bands have come, by convolution, in rows of the whole maps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ends {
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

/// The tiles of the way back for some rows of a map of `height` rows, of which those for all of it are `whole`: ones that end with the rows,
/// beyond which nothing is there to read. Cut short, the largest tiles lose too many bits.
pub(crate) fn tile_back(whole: Tile, rows: &Range<usize>, height: usize) -> Tile {
    if rows.len().is_multiple_of(whole as usize) || rows.end == height { whole } else { whole.min(Tile::Six) }
}

/// A row, or a number of rows, of every map and mask of a convolution.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OfMaps {
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
pub(crate) enum Pass {
    /// They are seen once: only what the convolutions read again stays.
    Once,
    /// They stay until the gradient has taken their place.
    ThereAndBack,
    /// They are a reference's, and stay as long.
    Reference,
}

impl Ends {
    /// Before the first band.
    pub(crate) fn start(plan: &Plan) -> Self {
        let zeros = vec![0; plan.steps.len()];
        Self { forward: zeros.clone(), gradient: zeros.clone(), back: zeros }
    }

    /// Bands of about `rows` rows of the input, whose height is `height`; `until`: the last convolution of the way forward, `None` where the
    /// way back is all there is. `rows`: `None` for all at once.
    pub(crate) fn bands(plan: &Plan, height: usize, until: Option<usize>, rows: Option<usize>) -> Vec<Self> {
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
    pub(crate) fn of(plan: &Plan, height: usize, until: Option<usize>, end: isize) -> Self {
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

impl Plan {
    /// The first rows of the maps of convolution `n` that have to stay after the band that came to `ends`, on a way forward as far as `until`.
    pub(crate) fn keep(&self, n: usize, until: Option<usize>, pass: Pass, ends: &Ends) -> OfMaps {
        let step = &self.steps[n];
        let margin = |end: usize| end.saturating_sub(1);
        // The row before those that the next convolution has computed.
        let read = |end: usize| if Some(n) < until { margin(ends.forward[n + 1]) } else { end };
        let relu = if step.pooled { ends.forward[n] } else { read(ends.forward[n]) };
        let pooled = read(ends.forward[n] / 2);
        match pass {
            Pass::Once => OfMaps {
                conv: ends.forward[n],
                relu,
                gradient: 0,
                pooled,
                pooled_gradient: 0,
                mask: relu,
                windows: pooled,
            },
            Pass::ThereAndBack | Pass::Reference => {
                let gradient = margin(ends.back[n]);
                let pooled_gradient = if step.fused() { gradient / 2 } else { ends.gradient[n] / 2 };
                OfMaps {
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
    pub(crate) fn work_back(&self, n: usize, bands: &[Ends]) -> f64 {
        let height = bands.last().map_or(1, |band| band.back[n]);
        let mut start = 0;
        let rows = bands.iter().map(|band| std::mem::replace(&mut start, band.back[n])..band.back[n]);
        let work = rows.map(|rows| {
            let is_full = tile_back(Tile::Eight, &rows, height) == Tile::Eight;
            rows.len() as f64 * if is_full { 1.0 } else { SMALLER_TILES }
        });
        work.sum::<f64>() / height as f64
    }

    /// The most rows that there are of every map at a time on the way through some bands; 0 of those that there is no need for.
    pub(crate) fn most(&self, until: Option<usize>, pass: Pass, bands: &[Ends]) -> Vec<OfMaps> {
        let mut most = vec![OfMaps::default(); self.steps.len()];
        let mut ends = &Ends::start(self);
        for now in bands {
            for (n, most) in most.iter_mut().enumerate() {
                let (step, keep) = (&self.steps[n], self.keep(n, until, pass, ends));
                let take = |is_there: bool, most: &mut usize, keep: usize, end: usize| {
                    *most = if is_there { (*most).max(end.max(keep) - keep) } else { 0 };
                };
                let (forward, back) = (Some(n) <= until, pass == Pass::ThereAndBack);
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Layer;
    use crate::layout::{Layout, Part};

    /// What a band reads is there when it reads it, no row is computed twice, and the last band has all.
    #[test]
    fn bands_follow_on_each_other() {
        let sets: [&[&str]; 4] = [
            &["relu1_1", "relu2_2", "relu3_1", "relu4_2", "relu5_1"],
            &["conv1_2", "relu4_4"],
            &["relu5_3"],
            &["relu2_1"],
        ];
        let cuts: [&[usize]; 4] = [&[5], &[2, 5], &[1, 3, 4, 5], &[3, 5]];
        for (names, cut, height, rows) in
            sets.into_iter().flat_map(|names| cuts.into_iter().map(move |cut| (names, cut))).flat_map(|(names, cut)| {
                [(333, 1), (1024, 48), (401, 100)].map(|(height, rows)| (names, cut, height, rows))
            })
        {
            let layers: Vec<Layer> = names.iter().map(|name| name.parse().expect("a layer")).collect();
            let parts = cut.iter().map(|&last_block| Part { last_block, rows: Some(rows) });
            let layout = Layout { parts: parts.collect(), reference_from: 6, reference_file: false };
            for stage in layout.stages(200, height, &layers) {
                let (plan, last) = (&stage.plan, stage.plan.last());
                check(plan, stage.height, Some(last), &stage.first);
                if !stage.is_whole() {
                    check(plan, stage.height, plan.last_seen(), &stage.second);
                }
            }
        }
    }

    fn check(plan: &Plan, height: usize, until: Option<usize>, bands: &[Ends]) {
        let last = plan.last();
        let rows = |n: usize| height >> plan.steps[n].level;
        let after = |n: usize, end: usize| if plan.steps[n].pooled { end / 2 } else { end };
        let mut before = Ends::start(plan);
        for band in bands {
            let Ends { forward, gradient, back } = band;
            for n in 0..=last {
                assert!(forward[n] >= before.forward[n] && gradient[n] >= before.gradient[n], "{band:?}");
                assert!(back[n] >= before.back[n], "{band:?}");
                if Some(n) <= until {
                    assert!(forward[n].is_multiple_of(plan.steps[n].tile) || forward[n] == rows(n), "{band:?}");
                    assert!(gradient[n] <= forward[n], "there are features where the gradient is to come: {band:?}");
                    if n > 0 {
                        let read = if forward[n] == 0 { 0 } else { (forward[n] + 1).min(rows(n)) };
                        assert!(after(n - 1, forward[n - 1]) >= read, "{n}: {band:?}");
                    }
                }
                // Of a gradient that is whole before the way back begins, all is there.
                if !(n == last && plan.steps[n].fused()) {
                    let read = if back[n] == 0 { 0 } else { (back[n] + 1).min(rows(n)) };
                    assert!(gradient[n] >= read, "{n}: {band:?}");
                }
                if n < last {
                    assert!(after(n, gradient[n]) <= back[n + 1], "{n}: {band:?}");
                }
            }
            before = band.clone();
        }
        assert_eq!(before.back[0], rows(0));
        for n in 0..=last {
            assert!(before.gradient[n] == rows(n) && before.back[n] == rows(n), "{before:?}");
            assert!(Some(n) > until || before.forward[n] == rows(n), "{before:?}");
        }
    }
}
