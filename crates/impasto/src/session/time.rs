//! How long the rest of a run takes, by what its steps have taken so far.
//!
//! An evaluation takes time in proportion to the pixels of its scale, plus a part that is the same
//! at every size. So the time of an evaluation at one scale tells that at another. A scale that
//! converges ends early, so an estimate is the most that the rest can take.

use std::time::Duration;

use crate::session::memory::plan::ScalePlan;
use crate::session::schedule::{RENEWAL, Scale};

/// Time of a forward pass with its sums, as a fraction of an evaluation.
const FORWARD_SHARE: f64 = 0.5;

/// Pixels that take as long as the part of an evaluation that is the same at every size. Most of it
/// transforms the filters. Measured at 256 and 512 px.
const PIXELS_OF_AN_EVALUATION: f64 = 8_400.0;

/// Time of a step besides its evaluation, as a fraction of the evaluation. Measured: 2.5 % at 512
/// px with AVX2, on one thread and on two. With AVX-512 an evaluation is faster.
const OPTIMIZER_SHARE: f64 = 0.03;

/// Operations of a search for matches that take as long as an evaluation takes for one pixel, a
/// multiply-add counting as two. An evaluation has 1.45 million for a pixel in the direct form of
/// its convolutions, and Winograd's form saves two thirds of their time. Measured at 512 px with
/// AVX2.
const SEARCH_OPERATIONS_OF_A_PIXEL: f64 = 0.5e6;

/// Weight of the newest step in the running mean of an evaluation's time.
const NEWEST: f64 = 0.1;

/// The time of an evaluation at the current scale.
pub(crate) struct EvaluationTime {
    mean: Duration,
    /// Whether a step has been measured.
    has_step: bool,
}

impl EvaluationTime {
    /// Begins with an estimate. The first step takes its place: what was measured before it may
    /// include the unpacking of the weights.
    pub(crate) fn new(estimate: Duration) -> Self {
        Self { mean: estimate, has_step: false }
    }

    /// Adds a step of the optimiser to the running mean.
    pub(crate) fn add_step(&mut self, step: Duration) {
        let evaluation = step.div_f64(1.0 + OPTIMIZER_SHARE);
        let newest = if self.has_step { NEWEST } else { 1.0 };
        self.mean = self.mean.mul_f64(1.0 - newest) + evaluation.mul_f64(newest);
        self.has_step = true;
    }

    /// Moves on to a scale whose evaluations have another cost.
    pub(crate) fn change_scale(&mut self, from: f64, to: f64) {
        self.mean = self.mean.mul_f64(to / from);
    }

    /// Estimates the time of the rest: `steps` at the current scale, and all of the `later` ones.
    pub(crate) fn of_rest(&self, steps: usize, here: &ScaleCost, later: f64) -> Duration {
        self.mean.mul_f64((here.of_steps(steps) + later) / here.evaluation)
    }
}

/// What a scale costs, in pixels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ScaleCost {
    /// An evaluation.
    pub(crate) evaluation: f64,
    /// The start: a forward pass of every style and of the content, and the evaluation of the
    /// start.
    start: f64,
    /// A search for matches.
    search: f64,
}

impl ScaleCost {
    /// `styles`: pixels of the style pictures that are evaluated. `search`: operations of a search
    /// for matches.
    pub(crate) fn new(scale: &Scale, plan: &ScalePlan, styles: impl Iterator<Item = usize>, search: f64) -> Self {
        let evaluation = evaluation_cost(scale.width * scale.height) * plan.work;
        let of_styles: f64 = styles.map(|pixels| FORWARD_SHARE * evaluation_cost(pixels)).sum();
        let search = search / SEARCH_OPERATIONS_OF_A_PIXEL;
        // The content has matches, and so has the start.
        Self { evaluation, start: of_styles + (1.0 + FORWARD_SHARE) * evaluation + 2.0 * search, search }
    }

    /// Estimates the time of an evaluation by the time that the start took.
    pub(crate) fn evaluation_by_start(&self, start: Duration) -> Duration {
        start.mul_f64(self.evaluation / self.start)
    }

    /// Returns what so many steps cost.
    fn of_steps(&self, steps: usize) -> f64 {
        let searches = steps.saturating_sub(1) / RENEWAL;
        // New matches take an evaluation besides.
        let renewal = if self.search > 0.0 { self.search + self.evaluation } else { 0.0 };
        steps as f64 * (1.0 + OPTIMIZER_SHARE) * self.evaluation + searches as f64 * renewal
    }
}

/// What the scales of a run cost, coarsest first.
#[derive(Clone, Debug)]
pub(crate) struct RunCost(pub(crate) Vec<ScaleCost>);

impl RunCost {
    /// Returns the cost of these scales from the `first` on, in pixels.
    pub(crate) fn of_scales(&self, scales: &[Scale], first: usize) -> f64 {
        let costs = scales.iter().zip(&self.0).skip(first);
        costs.map(|(scale, cost)| cost.of_steps(scale.steps) + cost.start).sum()
    }
}

/// Returns what the evaluation of a whole picture costs, in pixels.
pub(crate) fn evaluation_cost(pixels: usize) -> f64 {
    pixels as f64 + PIXELS_OF_AN_EVALUATION
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_takes_two_evaluations_if_the_style_is_as_large_as_the_content() {
        let evaluation = evaluation_cost(400);
        let cost = ScaleCost { evaluation, start: 2.0 * evaluation, search: 0.0 };
        let run = RunCost(vec![cost, cost]);
        let scales = [3, 7].map(|steps| Scale { width: 20, height: 20, steps });
        let time = EvaluationTime::new(Duration::from_secs(1)).of_rest(3, &cost, run.of_scales(&scales, 1));
        assert!((time.as_secs_f64() - (10.0 * (1.0 + OPTIMIZER_SHARE) + 2.0)).abs() < 1e-6, "{time:?}");
    }

    #[test]
    fn the_first_step_takes_the_place_of_the_estimate() {
        let cost = ScaleCost { evaluation: 2.0, start: 6.0, search: 0.0 };
        let mut time = EvaluationTime::new(cost.evaluation_by_start(Duration::from_secs(9)));
        let rest = |time: &EvaluationTime| time.of_rest(1, &cost, 0.0).as_secs_f64() / (1.0 + OPTIMIZER_SHARE);
        assert!((rest(&time) - 3.0).abs() < 1e-6);
        let step = |seconds: f64| Duration::from_secs_f64(seconds * (1.0 + OPTIMIZER_SHARE));
        time.add_step(step(1.0));
        assert!((rest(&time) - 1.0).abs() < 1e-6);
        time.add_step(step(2.0));
        assert!((rest(&time) - (1.0 + NEWEST)).abs() < 1e-6);
    }

    #[test]
    fn searches_are_between_the_steps() {
        let cost = ScaleCost { evaluation: 1.0, start: 0.0, search: 1000.0 };
        let searches = |steps: usize| (cost.of_steps(steps) / 1000.0) as usize;
        assert_eq!([0, 1, RENEWAL, RENEWAL + 1, 2 * RENEWAL, 2 * RENEWAL + 1].map(searches), [0, 0, 0, 1, 1, 2]);
    }
}
