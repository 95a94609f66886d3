//! How long the rest of a run takes, by what its steps have taken so far.
//!
//! An evaluation takes time in proportion to the pixels of its scale, plus a part that is the same
//! at every size. So the time of an evaluation at one scale tells that at another. A scale that
//! converges ends early, so an estimate is the most that the rest can take.

use std::time::Duration;

use crate::session::memory::ScalePlan;
use crate::session::schedule::Scale;

/// Evaluations that take as long as the start of a scale: a forward pass each for style and content,
/// their targets, and the evaluation of the start.
const EVALUATIONS_A_START: f64 = 2.0;

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

    /// Moves on to a scale with another [`cost`].
    pub(crate) fn change_scale(&mut self, from: f64, to: f64) {
        self.0 = self.0.mul_f64(to / from);
    }

    /// Estimates the time of so many steps at the current scale and of the `later` scales. Each scale
    /// has steps and a [`cost`].
    pub(crate) fn of_rest(&self, here: (usize, f64), later: impl Iterator<Item = (usize, f64)>) -> Duration {
        let of_steps = |(steps, cost): (usize, f64)| steps as f64 * (1.0 + OPTIMIZER_SHARE) * cost;
        let later: f64 = later.map(|scale| of_steps(scale) + EVALUATIONS_A_START * scale.1).sum();
        self.0.mul_f64((of_steps(here) + later) / here.1)
    }
}

/// Returns what an evaluation costs at a scale, in pixels.
pub(crate) fn cost(scale: &Scale, plan: &ScalePlan) -> f64 {
    ((scale.width * scale.height) as f64 + PIXELS_OF_AN_EVALUATION) * plan.work
}
