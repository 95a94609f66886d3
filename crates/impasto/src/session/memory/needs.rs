//! From what a run is about to the plan of its memory.

use impasto_engine::network::MatchCandidates;
use impasto_engine::plan::card::{CardLimits, CardRequest};
use impasto_engine::plan::choice::{LayoutChoices, LayoutRequest};
use impasto_engine::plan::layout::Layout;
use impasto_engine::plan::search_bytes;
use impasto_engine::{Layer, Padding};

use crate::error::{Error, Result};
use crate::options::{OptimizerKind, Options};
use crate::session::memory::choices::{Choices, Shortage};
use crate::session::memory::optimizers::{OptimizerChoice, optimizers};
use crate::session::memory::plan::{MemoryPlan, ScalePlan};
use crate::session::memory::process::{BASE, Budget, PIXEL, THREAD, with_reserve};
use crate::session::schedule::{Scale, halved};
use crate::style::strokes::thinned_positions;
use crate::torus::STYLE_MARGIN;

/// Bytes of the process with a graphics card, besides the pictures: matrices on their way, and what
/// the driver maps.
const CARD_BASE: usize = 64 << 20;

/// Pictures in the process with a graphics card, besides those of a run on the CPU: the reference,
/// an image on its way to the card and a gradient on its way back.
const CARD_PICTURES: usize = 3;

/// Pictures of the scale's size in a session, besides its optimiser: the point.
const PICTURES: usize = 1;

/// What a run is about, as far as its memory is concerned.
pub(crate) struct Needs<'a> {
    pub(crate) options: &'a Options,
    /// Width and height of the content in full, which lasts through the run. `masks` is the number
    /// of masks of that size.
    pub(crate) content: (usize, usize),
    pub(crate) masks: usize,
    /// Sizes of the style pictures in full.
    pub(crate) styles: Vec<(usize, usize)>,
    pub(crate) threads: usize,
    /// The card that the run is on; `None`: it is on the CPU.
    pub(crate) card: Option<CardLimits>,
}

impl Needs<'_> {
    /// Plans all scales.
    ///
    /// Errors: a scale does not fit in [`Options::memory`], however it is evaluated.
    pub(crate) fn plan(&self, scales: &[Scale]) -> Result<MemoryPlan> {
        // The finest comes first, so that an error names the size that was asked for.
        let mut plans: Vec<ScalePlan> = (0..scales.len())
            .rev()
            .map(|i| {
                let before = i.checked_sub(1).map(|before| &scales[before]);
                self.scale(&scales[i], before, scales.len() - 1 - i)
            })
            .collect::<Result<_>>()?;
        plans.reverse();
        let peak = plans.iter().map(|plan| plan.peak).max().unwrap_or(0);
        let card_peak = plans.iter().map(|plan| plan.card_peak).max().unwrap_or(0);
        Ok(MemoryPlan { peak, card_peak, threads: self.threads, scales: plans })
    }

    /// Returns how the styles are evaluated when they are halved `halvings` times, without the rest
    /// of a run.
    ///
    /// Errors: one does not fit in [`Options::memory`], however it is evaluated.
    pub(crate) fn style_layout(&self, halvings: usize) -> Result<Layout> {
        let budget = self.options.memory.unwrap_or(u64::MAX);
        let needed = |bytes: usize| with_reserve(BASE + THREAD * self.threads + bytes);
        let layers = self.options.active_style_layers();
        match self.styles(halvings, &layers, 0, &|bytes| needed(bytes) <= budget) {
            Ok(found) => Ok(found.layout),
            Err(shortage) => {
                let (width, height) = self.styles.first().map_or((0, 0), |&size| halved(size, halvings));
                Err(self.refusal(shortage, (width, height), &needed, budget))
            }
        }
    }

    /// Returns how the styles are evaluated when they are halved `halvings` times, and the bytes
    /// that this takes with all of them in full. `resting` counts bytes of something else while
    /// nothing is evaluated.
    ///
    /// Errors: one does not fit.
    fn styles(
        &self,
        halvings: usize,
        layers: &[Layer],
        resting: usize,
        fits: &dyn Fn(usize) -> bool,
    ) -> std::result::Result<StylesPlan, Shortage> {
        let (mut layout, mut bytes, mut card_bytes, mut needed) = (Layout::whole(), 0, 0, None);
        for &size in &self.styles {
            let (width, height) = halved(size, halvings);
            // For a torus a style has a margin on every side.
            let margin = if self.options.padding == Padding::Circular { 2 * STYLE_MARGIN } else { 0 };
            let (width, height) = (width + margin, height + margin);
            // In its own size and without a margin, the style is not copied.
            let brought_to_size = if halvings > 0 || margin > 0 { PIXEL * width * height } else { 0 };
            let picture = brought_to_size + self.styles_in_full() + self.stroke_maps((width, height));
            let choices = self.layouts((width, height), layers, &[], resting, 0);
            match choices.best(&|more| fits(more + picture)) {
                Err(shortage) => needed = needed.max(Some(shortage.and(picture))),
                Ok((_, found)) => {
                    bytes = bytes.max(picture + choices.memory(&found));
                    card_bytes = card_bytes.max(choices.card_bytes());
                    // The styles have about the same size. The first that does not fit whole
                    // decides for all.
                    if layout == Layout::whole() {
                        layout = found;
                    }
                }
            }
        }
        needed.map_or(Ok(StylesPlan { layout, bytes, card_bytes }), Err)
    }

    /// Says that nothing fits. `in_process`: bytes of the process with so many of the evaluation.
    fn refusal(
        &self,
        shortage: Shortage,
        (width, height): (usize, usize),
        in_process: &dyn Fn(usize) -> u64,
        budget: u64,
    ) -> Error {
        match shortage {
            Shortage::Process(bytes) => Error::OutOfMemory { width, height, needed: in_process(bytes), budget },
            Shortage::Card(needed) => {
                let budget = self.card.and_then(|card| card.memory).unwrap_or(needed);
                Error::CardMemory { width, height, needed, budget }
            }
        }
    }

    /// Returns the bytes of the maps that a style of some size is matched with, while they are
    /// taken: the workspace's and a copy.
    fn stroke_maps(&self, (width, height): (usize, usize)) -> usize {
        let of_layer = |layer: &Layer| {
            let positions = (width >> layer.poolings()) * (height >> layer.poolings());
            2 * MatchCandidates::bytes(positions, layer.channels())
        };
        self.options.stroke_layers().iter().map(of_layer).sum()
    }

    /// Returns the bytes that matched strokes take at a scale: candidates, matches, the gradient
    /// with new matches, and what threads search with.
    fn strokes(&self, scale: &Scale, halvings: usize) -> usize {
        let layers = self.options.stroke_layers();
        if layers.is_empty() {
            return 0;
        }
        let side = |layer: &Layer, side: usize| side >> layer.poolings();
        let of_layer = |layer: &Layer| {
            let of_style = |&size: &(usize, usize)| {
                let (width, height) = halved(size, halvings);
                let positions = side(layer, width) * side(layer, height);
                MatchCandidates::bytes(thinned_positions(positions, side(layer, width)), layer.channels())
            };
            let widest = self.styles.iter().map(|&size| side(layer, halved(size, halvings).0)).max().unwrap_or(0);
            let candidates: usize = self.styles.iter().map(of_style).sum();
            let matches = size_of::<u32>() * side(layer, scale.width) * side(layer, scale.height);
            candidates + matches + self.threads * search_bytes(layer.channels(), widest)
        };
        PIXEL * scale.width * scale.height + layers.iter().map(of_layer).sum::<usize>()
    }

    /// Returns the bytes of the style pictures in full. They last until the last targets are taken.
    fn styles_in_full(&self) -> usize {
        self.styles.iter().map(|(width, height)| PIXEL * width * height).sum()
    }

    fn scale(&self, scale: &Scale, before: Option<&Scale>, halvings: usize) -> Result<ScalePlan> {
        let (reference, styles) = (self.options.active_content_layers(), self.options.active_style_layers());
        let layers = [reference.as_slice(), &styles].concat();
        let budget = Budget { bytes: self.options.memory.unwrap_or(u64::MAX), lasting: self.lasting_bytes(scale) };
        let resting = self.resting_bytes(before);
        // The styles are evaluated before anything else of the scale exists.
        let of_styles = self.styles(halvings, &styles, resting.before, &|bytes| budget.fits(bytes));
        let styles_besides = self.strokes(scale, halvings) + if halvings > 0 { self.styles_in_full() } else { 0 };
        // If no loss looks at a feature map, nothing is on the card.
        let card = self.card.as_ref().filter(|_| !layers.is_empty());
        let layouts = |arrays| self.layouts((scale.width, scale.height), &layers, &reference, resting.all, arrays);
        let of_scale = self.cheapest(scale, card, &layouts, styles_besides, &budget);
        let (plan, of_styles) = match (of_scale, of_styles) {
            (Ok(plan), Ok(of_styles)) => (plan, of_styles),
            (of_scale, of_styles) => {
                let shortage = of_styles.err().max(of_scale.err()).unwrap_or(Shortage::Process(0));
                let size = (scale.width, scale.height);
                return Err(self.refusal(shortage, size, &|bytes| budget.needed(bytes), budget.bytes));
            }
        };
        let CheapestPlan { optimizer, history, is_on_card, work, layout, bytes, card_bytes, file_bytes } = plan;
        Ok(ScalePlan {
            peak: budget.needed(bytes.max(of_styles.bytes)),
            card_peak: card_bytes.max(of_styles.card_bytes),
            in_bands: layout.has_bands(scale.width, scale.height, &layers),
            work,
            optimizer,
            history,
            optimizer_on_card: is_on_card,
            feature_cache_bytes: file_bytes,
            layout,
            style_layout: of_styles.layout,
        })
    }

    /// Returns the bytes that exist throughout a scale: the process, the subject in full, and the
    /// pictures of the scale's size.
    fn lasting_bytes(&self, scale: &Scale) -> usize {
        let pixels = scale.width * scale.height;
        let in_full = (PIXEL + size_of::<f32>() * self.masks) * self.content.0 * self.content.1;
        // If the content is resized, it is one more picture.
        let resized = if (scale.width, scale.height) == self.content { 0 } else { pixels };
        let pictures = PIXEL * (PICTURES * pixels + resized)
            + size_of::<f32>() * (self.masks + usize::from(self.masks > 0)) * pixels;
        BASE + THREAD * self.threads + in_full + pictures
    }

    /// Returns the bytes that exist while nothing is evaluated. A scale begins with the picture of
    /// the one before, and the caller has its turn after each step.
    fn resting_bytes(&self, before: Option<&Scale>) -> RestingBytes {
        let before = PIXEL * before.map_or(0, |scale| scale.width * scale.height);
        RestingBytes { before, all: before.max(usize::try_from(self.options.reserved_bytes).unwrap_or(usize::MAX)) }
    }

    /// Returns the layout and the optimiser that fit and make the shortest run. `card` is the one
    /// that the picture is evaluated on. `layouts` are the ways to do so, beside so many bytes there. `besides` counts the bytes of
    /// the styles.
    ///
    /// Errors: nothing fits, not even the smallest choice.
    fn cheapest<'a>(
        &self,
        scale: &Scale,
        card: Option<&CardLimits>,
        layouts: &dyn Fn(usize) -> Choices<'a>,
        besides: usize,
        budget: &Budget,
    ) -> std::result::Result<CheapestPlan, Shortage> {
        let mut best: Option<(f64, CheapestPlan)> = None;
        let mut least: Option<Shortage> = None;
        let in_process = layouts(0);
        for OptimizerChoice { optimizer, history, bytes, arrays, cost } in
            optimizers(self.options.optimizer, scale, card, self.masks > 0)
        {
            let on_card = arrays.map(|arrays| layouts(arrays.bytes));
            let choices = on_card.as_ref().unwrap_or(&in_process);
            match choices.best(&|more| budget.fits(besides + bytes + more)) {
                Ok((work, layout)) => {
                    if best.as_ref().is_none_or(|(least, _)| work * cost < *least) {
                        let plan = CheapestPlan {
                            optimizer,
                            history,
                            is_on_card: arrays.is_some(),
                            work,
                            bytes: besides + bytes + choices.memory(&layout),
                            card_bytes: choices.card_bytes(),
                            file_bytes: choices.file_bytes(&layout),
                            layout,
                        };
                        best = Some((work * cost, plan));
                    }
                }
                Err(shortage) => least = least.into_iter().chain([shortage.and(besides + bytes)]).min(),
            }
        }
        best.map(|(_, plan)| plan).ok_or(least.unwrap_or(Shortage::Process(0)))
    }

    /// Returns all ways to evaluate a picture. `resting` counts bytes of something else while
    /// nothing is evaluated. `arrays` counts those of an optimiser on a card.
    fn layouts<'a>(
        &self,
        (width, height): (usize, usize),
        layers: &'a [Layer],
        reference: &'a [Layer],
        resting: usize,
        arrays: usize,
    ) -> Choices<'a> {
        // Padding around a torus needs all of the picture.
        let may_have_bands = !layers.is_empty() && self.options.padding != Padding::Circular;
        if let Some(limits) = &self.card {
            // Weights of positions and their roots. At all layers together there are fewer than
            // twice as many as pixels.
            let weights = 4 * size_of::<f32>() * self.masks * width * height;
            let besides = weights + self.card_candidates() + arrays;
            let request = CardRequest { width, height, layers, reference, besides, may_have_bands };
            let passing = CARD_BASE + PIXEL * CARD_PICTURES * width * height;
            return Choices::Card(request.best(limits), passing.max(resting));
        }
        let may_use_file = self.options.feature_cache.is_some();
        Choices::Cpu(LayoutChoices::new(LayoutRequest {
            width,
            height,
            layers,
            reference,
            resting,
            may_have_bands,
            may_use_file,
        }))
    }

    /// Returns the bytes on a card of the positions of all styles that are matched with.
    fn card_candidates(&self) -> usize {
        let of_layer = |layer: &Layer| {
            let positions = |&(width, height): &(usize, usize)| {
                thinned_positions((width >> layer.poolings()) * (height >> layer.poolings()), width >> layer.poolings())
            };
            size_of::<f32>() * layer.channels() * self.styles.iter().map(positions).sum::<usize>()
        };
        self.options.stroke_layers().iter().map(of_layer).sum()
    }
}

/// Bytes that exist while nothing is evaluated.
struct RestingBytes {
    /// While the styles are evaluated.
    before: usize,
    /// While the picture is evaluated.
    all: usize,
}

/// How the styles of a scale are evaluated, with the bytes that it takes in the process and on a
/// card.
struct StylesPlan {
    layout: Layout,
    bytes: usize,
    card_bytes: u64,
}

/// The layout and the optimiser of a scale.
struct CheapestPlan {
    optimizer: OptimizerKind,
    history: usize,
    is_on_card: bool,
    work: f64,
    layout: Layout,
    /// Bytes of the process besides those that last.
    bytes: usize,
    card_bytes: u64,
    file_bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::memory::optimizers::{ADAM_COST, HISTORIES, IN_PROCESS_COST};

    fn plan(side: usize, memory: Option<u64>, optimizer: OptimizerKind) -> Result<ScalePlan> {
        plan_for(side, &Options { memory, optimizer, ..Options::default() })
    }

    fn plan_for(side: usize, options: &Options) -> Result<ScalePlan> {
        let needs =
            Needs { options, content: (side, side), masks: 0, styles: vec![(side, side)], threads: 2, card: None };
        let plan = needs.plan(&[Scale { width: side, height: side, steps: 1 }])?;
        Ok(plan.scales[0].clone())
    }

    const GIB: f64 = (1u64 << 30) as f64;

    #[test]
    fn what_fits_is_evaluated_whole() {
        for memory in [None, Some(GIB as u64)] {
            let plan = plan(512, memory, OptimizerKind::Lbfgs).unwrap();
            assert!(!plan.in_bands && plan.work == 1.0 && plan.history == 20, "{plan:?}");
            assert_eq!(plan.to_string(), "whole; L-BFGS remembers 20 steps");
        }
    }

    #[test]
    fn every_plan_is_within_the_memory_and_less_memory_is_never_less_work() {
        for optimizer in [OptimizerKind::Lbfgs, OptimizerKind::Adam] {
            let mut work = 1.0;
            for tenths in (20..160).rev() {
                let memory = (f64::from(tenths) / 10.0 * GIB) as u64;
                let Ok(plan) = plan(2048, Some(memory), optimizer) else {
                    assert!(tenths < 30, "{tenths}");
                    continue;
                };
                assert!(plan.peak <= memory, "{plan:?}");
                let cost = plan.work * if plan.optimizer == OptimizerKind::Adam { ADAM_COST } else { 1.0 };
                assert!(cost >= 0.8 * work, "{tenths}: {plan:?} after {work}");
                work = cost.max(work);
            }
            assert!(work > 1.2, "{work}");
        }
    }

    #[test]
    fn large_pictures_fit_small_machines() {
        for (side, memory) in [(4096, 4.0), (8192, 8.0)] {
            let memory = Some((memory * GIB) as u64);
            let anew = plan(side, memory, OptimizerKind::Lbfgs).unwrap();
            assert!(anew.in_bands && anew.work < 2.0 && anew.feature_cache_bytes == 0, "{anew:?}");
            let options = Options { memory, feature_cache: Some(".".into()), ..Options::default() };
            let in_file = plan_for(side, &options).unwrap();
            assert!(in_file.in_bands && in_file.work <= 1.35, "{in_file:?}");
            assert!(
                in_file.feature_cache_bytes > 0
                    && in_file.feature_cache_bytes <= options.feature_cache_bytes(side, side),
                "{in_file:?}"
            );
        }
    }

    #[test]
    fn a_file_is_for_what_the_memory_does_not_hold() {
        for (memory, in_file) in [(None, false), (Some(16 << 30), false), (Some(5 << 29), true)] {
            let options = Options { memory, feature_cache: Some(".".into()), ..Options::default() };
            let plan = plan_for(2048, &options).unwrap();
            assert_eq!(plan.feature_cache_bytes > 0, in_file, "{plan:?}");
            assert_eq!(plan.to_string().contains(" of the photo in a file"), in_file, "{plan}");
            assert!(plan.work <= 1.35, "{plan:?}");
        }
    }

    #[test]
    fn a_card_has_a_budget_of_its_own() {
        let plan = |side: usize, memory: Option<u64>, on_card: u64| {
            let options = Options { memory, ..Options::default() };
            let card = Some(CardLimits { memory: Some(on_card), largest_buffer: (2 << 30) - 1, keeps_points: true });
            let needs = Needs {
                options: &options,
                content: (side, side),
                masks: 1,
                styles: vec![(side, side)],
                threads: 2,
                card,
            };
            Ok::<_, Error>(needs.plan(&[Scale { width: side, height: side, steps: 1 }])?.scales[0].clone())
        };
        let whole = plan(1024, None, 8 << 30).unwrap();
        assert!(!whole.in_bands && whole.optimizer_on_card && whole.card_peak > 1 << 30, "{whole:?}");
        assert_eq!(whole.to_string(), "whole; L-BFGS on the card remembers 10 steps");
        // With less memory on the card a run takes longer, and no longer than with all in bands.
        let (mut cost, mut seen) = (1.0, [false; 3]);
        for memory in (0..40).rev().map(|n| n * (100 << 20)) {
            let Ok(plan) = plan(1024, None, memory) else { continue };
            assert!(plan.card_peak <= memory, "{plan:?}");
            let histories = HISTORIES.iter().find(|(history, _)| *history == plan.history);
            let of_history = histories.map_or(1.0, |(_, cost)| if plan.history < 10 { *cost } else { 1.0 });
            let here = plan.work * of_history * if plan.optimizer_on_card { 1.0 } else { IN_PROCESS_COST };
            assert!(here >= cost, "{memory}: {plan:?} after {cost}");
            cost = here;
            seen[0] |= plan.history < whole.history;
            seen[1] |= !plan.optimizer_on_card && plan.to_string() == "whole; L-BFGS in memory remembers 10 steps";
            seen[2] |= plan.in_bands && plan.to_string().starts_with("in bands on the card, ");
        }
        assert_eq!(seen, [true; 3]);
        // The process holds two copies of what the card remembers, or the optimiser itself.
        let tight = plan(1024, Some(600 << 20), 8 << 30).unwrap();
        assert!(!tight.in_bands && tight.peak <= 600 << 20, "{tight:?}");
        assert!(tight.history < whole.history || !tight.optimizer_on_card, "{tight:?}");
        let refused = plan(1024, None, 100 << 20).unwrap_err();
        assert!(matches!(refused, Error::CardMemory { budget, .. } if budget == 100 << 20), "{refused}");
        assert!(matches!(plan(1024, Some(200 << 20), 8 << 30), Err(Error::OutOfMemory { .. })));
    }

    #[test]
    fn scales_come_coarsest_first_and_the_finest_is_the_one_that_does_not_fit() {
        let plan = |memory: u64| {
            let options = Options { memory: Some(memory), ..Options::default() };
            let needs = Needs {
                options: &options,
                content: (2048, 1024),
                masks: 0,
                styles: vec![(64, 64)],
                threads: 2,
                card: None,
            };
            let scales = [512, 1024, 2048].map(|width| Scale { width, height: width / 2, steps: 1 });
            needs.plan(&scales)
        };
        let peaks: Vec<u64> = plan(16 << 30).unwrap().scales.iter().map(|scale| scale.peak).collect();
        assert!(peaks.is_sorted() && peaks.len() == 3, "{peaks:?}");
        let refused = plan(256 << 20).unwrap_err().to_string();
        assert!(refused.starts_with("a picture of 2048x1024 px needs "), "{refused}");
    }

    #[test]
    fn a_torus_has_its_styles_margin_in_the_plan() {
        let peak = |padding| {
            let options = Options { padding, ..Options::default() };
            let needs = Needs {
                options: &options,
                content: (64, 64),
                masks: 0,
                styles: vec![(512, 512)],
                threads: 2,
                card: None,
            };
            needs.plan(&[Scale { width: 64, height: 64, steps: 1 }]).unwrap().peak
        };
        let features = |side: u64| side * side * 64 * 4;
        let more = peak(Padding::Circular) - peak(Padding::Replicate);
        assert!(more > features(512 + 128) - features(512), "{more}");
    }

    #[test]
    fn too_little_is_refused_with_what_is_needed() {
        let refused = plan(1024, Some(300 << 20), OptimizerKind::Lbfgs).unwrap_err();
        let Error::OutOfMemory { needed, budget, .. } = refused else { panic!("{refused}") };
        assert_eq!(budget, 300 << 20);
        assert!(refused.to_string().starts_with("a picture of 1024x1024 px needs "), "{refused}");
        // The bytes that it asks for are enough.
        assert!(plan(1024, Some(needed + (needed >> 5)), OptimizerKind::Lbfgs).is_ok(), "{refused}");
        assert!(plan(1024, Some(needed - (needed >> 5)), OptimizerKind::Lbfgs).is_err(), "{refused}");
    }

    #[test]
    fn what_the_caller_takes_while_the_session_rests_is_in_the_plan() {
        let plan = |reserved_bytes| {
            let options = Options { memory: Some(4 << 30), reserved_bytes, ..Options::default() };
            let needs = Needs {
                options: &options,
                content: (256, 256),
                masks: 0,
                styles: vec![(256, 256)],
                threads: 2,
                card: None,
            };
            needs.plan(&[Scale { width: 256, height: 256, steps: 1 }])
        };
        let peak = |reserved_bytes| plan(reserved_bytes).unwrap().peak;
        let (least, most) = (peak(0), peak(2 << 30));
        assert!((least..=least + (33 << 20)).contains(&peak(32 << 20)), "{least}");
        assert!(most > 2 << 30 && most < least + (2200 << 20), "{least} {most}");
        assert!(plan(4 << 30).is_err());
    }
}
