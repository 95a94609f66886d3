//! How long the rest of a run takes, by what its steps have taken so far.
//!
//! An evaluation takes time in proportion to the pixels of its scale, plus a part that is the same
//! at every size. So the time of an evaluation at one scale tells that at another. A scale that
//! converges ends early, so an estimate is the most that the rest can take.

use std::time::Duration;

use crate::session::memory::ScalePlan;
use crate::session::schedule::Scale;

/// Time of a forward pass with its sums, as a fraction of an evaluation.
const FORWARD_SHARE: f64 = 0.5;

/// Pixels that take as long as the part of an evaluation that is the same at every size. Most of it
/// transforms the filters. Measured at 256 and 512 px.
const PIXELS_OF_AN_EVALUATION: f64 = 8_400.0;

/// Time of a step besides its evaluation, as a fraction of the evaluation. Measured: 2.5 % at 512 px
/// with AVX2, on one thread and on two. With AVX-512 an evaluation is faster.
const OPTIMIZER_SHARE: f64 = 0.03;

/// Weight of the newest step in the running mean of an evaluation's time.
const NEWEST: f64 = 0.1;

/// The time of an evaluation at the current scale.
pub(crate) struct EvaluationTime(Duration);

impl EvaluationTime {
    /// Begins with the time that one evaluation took.
    pub(crate) fn new(measured: Duration) -> Self {
        Self(measured)
    }

    /// Adds a step of the optimiser to the running mean.
    pub(crate) fn add_step(&mut self, step: Duration) {
        let evaluation = step.div_f64(1.0 + OPTIMIZER_SHARE);
        self.0 = self.0.mul_f64(1.0 - NEWEST) + evaluation.mul_f64(NEWEST);
    }

    /// Moves on to a scale whose evaluations have another cost.
    pub(crate) fn change_scale(&mut self, from: f64, to: f64) {
        self.0 = self.0.mul_f64(to / from);
    }

    /// Estimates the time of the rest: `steps` at the current scale, and all of the `later` ones.
    pub(crate) fn of_rest(&self, steps: usize, here: &ScaleCost, later: f64) -> Duration {
        self.0.mul_f64((cost_of_steps(steps, here.evaluation) + later) / here.evaluation)
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
}

impl ScaleCost {
    /// `styles`: pixels of the style pictures that are evaluated.
    pub(crate) fn new(scale: &Scale, plan: &ScalePlan, styles: impl Iterator<Item = usize>) -> Self {
        let evaluation = evaluation_cost(scale.width * scale.height) * plan.work;
        let of_styles: f64 = styles.map(|pixels| FORWARD_SHARE * evaluation_cost(pixels)).sum();
        Self { evaluation, start: of_styles + (1.0 + FORWARD_SHARE) * evaluation }
    }
}

/// What the scales of a run cost, coarsest first.
#[derive(Clone, Debug)]
pub(crate) struct RunCost(pub(crate) Vec<ScaleCost>);

impl RunCost {
    /// Returns the cost of these scales from the `first` on, in pixels.
    pub(crate) fn of_scales(&self, scales: &[Scale], first: usize) -> f64 {
        let costs = scales.iter().zip(&self.0).skip(first);
        costs.map(|(scale, cost)| cost_of_steps(scale.steps, cost.evaluation) + cost.start).sum()
    }
}

/// Returns what so many steps cost whose evaluations cost `evaluation`.
fn cost_of_steps(steps: usize, evaluation: f64) -> f64 {
    steps as f64 * (1.0 + OPTIMIZER_SHARE) * evaluation
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
        let cost = ScaleCost { evaluation, start: 2.0 * evaluation };
        let run = RunCost(vec![cost, cost]);
        let scales = [3, 7].map(|steps| Scale { width: 20, height: 20, steps });
        let time = EvaluationTime::new(Duration::from_secs(1)).of_rest(3, &cost, run.of_scales(&scales, 1));
        assert!((time.as_secs_f64() - (10.0 * (1.0 + OPTIMIZER_SHARE) + 2.0)).abs() < 1e-6, "{time:?}");
    }
}
