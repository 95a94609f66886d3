//! The choice of a layout: the least work among those that fit the memory.
//!
//! A layout trades work for memory. Whole images have the least work. Bands compute the maps that a
//! loss looks at twice, the filters' transforms once a band, and the reference's features again
//! unless they are kept in memory or in a file. So the choice is a search over a few dozen layouts
//! in bands, first as narrow as they can be. The cheapest one that fits is then given wider bands
//! as long as it still fits: wide bands share the filters' transforms among more tiles.
//!
//! Nothing here measures memory. Estimates come from [`Layout::memory`], and the caller's `fits`
//! knows the budget and what else there is.

use std::cell::OnceCell;

use crate::layer::Layer;
use crate::plan::layout::{EvaluationMemory, Layout, LayoutPart};

/// Rows of the image that bands have at least, each tried if wider ones do not fit. The narrowest
/// leave the tiles of the way back unfilled.
const LEAST_ROWS: [usize; 3] = [96, 48, 1];

/// Rows that bands may have beyond that.
const BAND_ROWS: [usize; 4] = [192, 288, 384, 768];

/// Cuts of the network into parts, by their last blocks. With more parts less is computed twice,
/// and more maps between parts are kept whole.
const CUTS: [&[usize]; 8] = [&[5], &[4, 5], &[3, 5], &[3, 4, 5], &[2, 5], &[2, 4, 5], &[2, 3, 5], &[2, 3, 4, 5]];

/// Blocks from which on the reference's features are kept in memory: from all layers down to none.
const REFERENCE_FROM: [usize; 5] = [1, 2, 3, 4, 6];

/// An evaluation that needs a layout.
#[derive(Clone, Debug)]
pub struct LayoutRequest<'a> {
    /// Width of the image in pixels.
    pub width: usize,
    /// Height of the image in pixels.
    pub height: usize,
    /// Layers that a term looks at.
    pub layers: &'a [Layer],
    /// Those of them that are compared with a reference.
    pub reference: &'a [Layer],
    /// Bytes of something else that is there while nothing is evaluated.
    pub resting: usize,
    /// Whether the image may be evaluated in bands. An image that wraps around may not.
    pub may_have_bands: bool,
    /// Whether the reference's features may go to a file.
    pub may_use_file: bool,
}

/// All layouts that there are to choose from for a request.
pub struct LayoutChoices<'a> {
    request: LayoutRequest<'a>,
    /// Made when an image does not fit whole.
    in_bands: OnceCell<Vec<NarrowLayout>>,
}

/// A layout with bands as narrow as they can be.
struct NarrowLayout {
    work: f64,
    /// Bytes of the reference's features in a file.
    file_bytes: u64,
    bytes: usize,
    layout: Layout,
}

impl<'a> LayoutChoices<'a> {
    /// Returns the choices for a request.
    pub fn new(request: LayoutRequest<'a>) -> Self {
        Self { request, in_bands: OnceCell::new() }
    }

    /// Returns the bytes that a layout takes, with what rests besides.
    pub fn memory(&self, layout: &Layout) -> usize {
        let LayoutRequest { width, height, layers, reference, resting, .. } = self.request;
        let EvaluationMemory { lasting, passing } = layout.memory(width, height, layers, reference);
        lasting + passing.max(resting)
    }

    /// Returns the bytes of the reference's features that a layout keeps in a file, at most.
    pub fn file_bytes(&self, layout: &Layout) -> u64 {
        let LayoutRequest { width, height, layers, reference, .. } = self.request;
        layout.file_bytes(width, height, layers, reference)
    }

    /// Returns the layout with the least work among those that fit, and its work as a multiple of
    /// that of the whole image. Among equals it is the one with the least in a file. Its bands are
    /// as wide as fit.
    ///
    /// # Errors
    /// No layout fits. The error is the number of bytes that the smallest one needs.
    pub fn best(&self, fits: &dyn Fn(usize) -> bool) -> Result<(f64, Layout), usize> {
        let whole = Layout::whole();
        let bytes = self.memory(&whole);
        if fits(bytes) {
            return Ok((1.0, whole));
        }
        let Some(found) = self.in_bands().iter().find(|found| fits(found.bytes)) else {
            return Err(self.in_bands().iter().map(|found| found.bytes).min().map_or(bytes, |least| least.min(bytes)));
        };
        let layout = self.widened(&found.layout, fits);
        Ok((self.work(&layout), layout))
    }

    /// A layout with wider bands that still fit. Parts in bands take turns, so each has what is
    /// left.
    fn widened(&self, narrow: &Layout, fits: &dyn Fn(usize) -> bool) -> Layout {
        let mut layout = narrow.clone();
        for part in 0..layout.parts.len() {
            let Some(least) = narrow.parts[part].rows else { continue };
            for rows in BAND_ROWS.into_iter().filter(|&rows| least < rows && rows < self.request.height) {
                let before = layout.parts[part].rows.replace(rows);
                if !fits(self.memory(&layout)) {
                    layout.parts[part].rows = before;
                    break;
                }
            }
        }
        layout
    }

    fn work(&self, layout: &Layout) -> f64 {
        let LayoutRequest { width, height, layers, reference, .. } = self.request;
        layout.work(width, height, layers, reference)
    }

    /// Narrow layouts, those with the least work first, and of those the ones with the least in a
    /// file.
    fn in_bands(&self) -> &[NarrowLayout] {
        self.in_bands.get_or_init(|| {
            let cuts = CUTS.iter().filter(|_| self.request.may_have_bands);
            let layouts = cuts.flat_map(|cut| (1..=cut.len()).flat_map(|in_bands| self.of_cut(cut, in_bands)));
            let mut found: Vec<NarrowLayout> = layouts.map(|layout| self.estimated(layout)).collect();
            found.sort_by(|a, b| {
                a.work.total_cmp(&b.work).then(a.file_bytes.cmp(&b.file_bytes)).then(a.bytes.cmp(&b.bytes))
            });
            found
        })
    }

    /// The layouts for a cut of the network whose first `in_bands` parts have bands.
    fn of_cut(&self, cut: &[usize], in_bands: usize) -> Vec<Layout> {
        let may_use_file = self.request.may_use_file && !self.request.reference.is_empty();
        let stores = REFERENCE_FROM.into_iter().flat_map(|from| [(from, false), (from, true)]);
        let stores = stores.filter(|&(from, file)| !file || may_use_file && from > 1);
        let layout = |(reference_from, reference_file), rows| {
            let rows = |part: usize| (part < in_bands).then_some(rows);
            let parts = cut.iter().enumerate().map(|(i, &last_block)| LayoutPart { last_block, rows: rows(i) });
            Layout { parts: parts.collect(), reference_from, reference_file }
        };
        stores.flat_map(|store| LEAST_ROWS.map(|rows| layout(store, rows))).collect()
    }

    fn estimated(&self, layout: Layout) -> NarrowLayout {
        let (file_bytes, bytes) = (self.file_bytes(&layout), self.memory(&layout));
        NarrowLayout { work: self.work(&layout), file_bytes, bytes, layout }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    /// The layers of a run with the default options.
    fn layers() -> (Vec<Layer>, Vec<Layer>) {
        let of = |names: &[&str]| names.iter().map(|name| name.parse().expect("a layer")).collect();
        (of(&["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1", "relu4_2"]), of(&["relu4_2"]))
    }

    fn choices<'a>(side: usize, layers: &'a [Layer], reference: &'a [Layer], may_use_file: bool) -> LayoutChoices<'a> {
        let (may_have_bands, resting) = (true, 0);
        let (width, height) = (side, side);
        LayoutChoices::new(LayoutRequest { width, height, layers, reference, resting, may_have_bands, may_use_file })
    }

    #[test]
    fn what_fits_is_whole() {
        let (layers, reference) = layers();
        let choices = choices(512, &layers, &reference, true);
        let whole = choices.memory(&Layout::whole());
        assert_eq!(choices.best(&|bytes| bytes <= whole), Ok((1.0, Layout::whole())));
        assert_ne!(choices.best(&|bytes| bytes < whole).unwrap().1, Layout::whole());
    }

    #[test]
    fn every_choice_fits_and_less_memory_is_never_less_work() {
        let (layers, reference) = layers();
        for may_use_file in [false, true] {
            let choices = choices(2048, &layers, &reference, may_use_file);
            let mut before = 1.0;
            for budget in (0..40).rev().map(|n| n * 100 * MIB) {
                let Ok((work, layout)) = choices.best(&|bytes| bytes <= budget) else { continue };
                assert!(choices.memory(&layout) <= budget, "{layout:?}");
                assert_eq!(work, choices.work(&layout));
                // Wider bands may come out a little cheaper than what was compared.
                assert!(work >= 0.97 * before, "{work} after {before}: {layout:?}");
                before = work;
            }
            assert!(before > 1.2, "{before}");
        }
    }

    #[test]
    fn a_refusal_names_what_is_enough() {
        let (layers, reference) = layers();
        let choices = choices(1024, &layers, &reference, false);
        let needed = choices.best(&|_| false).unwrap_err();
        assert!(choices.best(&|bytes| bytes <= needed).is_ok());
        assert_eq!(choices.best(&|bytes| bytes < needed), Err(needed));
    }

    #[test]
    fn a_file_takes_what_the_memory_does_not_hold() {
        let (layers, reference) = layers();
        let [without, with] = [false, true].map(|may_use_file| choices(2048, &layers, &reference, may_use_file));
        let least = without.best(&|_| false).unwrap_err();
        let [(anew, recomputed), (read, in_file)] =
            [&without, &with].map(|choices| choices.best(&|bytes| bytes <= least).unwrap());
        assert_eq!(without.file_bytes(&recomputed), 0);
        assert!(with.file_bytes(&in_file) > 0, "{in_file:?}");
        assert!(read < 0.9 * anew, "{read} {anew}");
    }

    #[test]
    fn an_image_that_wraps_around_is_whole_or_refused() {
        let (layers, reference) = layers();
        let choices = LayoutChoices::new(LayoutRequest {
            may_have_bands: false,
            ..choices(512, &layers, &reference, true).request
        });
        let whole = choices.memory(&Layout::whole());
        assert_eq!(choices.best(&|bytes| bytes < whole), Err(whole));
    }

    #[test]
    fn what_rests_counts_while_nothing_is_evaluated() {
        let (layers, reference) = layers();
        let request = choices(1024, &layers, &reference, false).request;
        let layout = Layout { parts: vec![LayoutPart { last_block: 5, rows: Some(96) }], ..Layout::whole() };
        let memory = |resting| LayoutChoices::new(LayoutRequest { resting, ..request.clone() }).memory(&layout);
        let EvaluationMemory { lasting, passing } = layout.memory(1024, 1024, &layers, &reference);
        assert_eq!(memory(passing / 2), lasting + passing);
        assert_eq!(memory(2 * passing), lasting + 2 * passing);
    }
}
