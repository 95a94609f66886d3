//! L-BFGS between bounds.
//!
//! It minimises between bounds by steps along `-H g`. The last displacements and changes of the
//! gradient give `H`, the inverse Hessian (Nocedal and Wright, *Numerical Optimization*, algorithms
//! 7.4 and 7.5).
//!
//! It departs from the textbook in four ways:
//! - Bounds work by projection (Bertsekas 1982). If a variable is at a bound and its gradient
//!   pushes against it, the variable is frozen for the step. `H` is built for the free variables
//!   alone, and the step is clamped. Pairs hold the displacement after the clamping, so their
//!   curvature is true.
//! - There are no Wolfe conditions, so a step normally takes one evaluation. If a full step does
//!   not lower the value enough, it is taken back and shortened. Pairs without positive curvature
//!   are left out.
//! - If there is a preconditioner, `H` is built on it instead of on the identity.
//! - The value never rises from one step to the next. Values or gradients that are not finite are
//!   taken back like any other bad step.
//!
//! - this file: how a step goes
//! - [`in_memory`]: the arrays in the memory of the process
//! - [`on_card`]: the arrays on a graphics card

pub(crate) mod in_memory;
pub(crate) mod on_card;

use std::ops::RangeInclusive;

use crate::error::Result;
use crate::optimizer::preconditioner::Preconditioner;
use crate::optimizer::step::Outcome;

/// `c1` of Armijo: a step must gain this fraction of what the slope promised. The usual value
/// refuses steps that gain nothing, and hardly any others.
const SUFFICIENT_DECREASE: f64 = 1e-4;

/// A pair (s, y) counts if the cosine between the two is above this. Below it, the function is
/// concave along s, or its curvature drowns in the rounding of an f32 gradient. Either would spoil
/// the direction.
pub(crate) const MIN_COSINE: f64 = 1e-6;

/// Attempts along a direction from the history before the history is given up. A good direction
/// needs one, rarely two.
const HISTORY_TRIALS: usize = 8;

/// Attempts along the steepest descent before the minimum counts as found. The first is one level
/// long, and each is at most half as long as the one before. That reaches the resolution of an f32
/// near 255 (1.5e-5) with room to spare.
const STEEPEST_TRIALS: usize = 24;

/// Pairs that are remembered at any size of the picture. With fewer, a run takes noticeably more
/// steps.
pub(crate) const LEAST_HISTORY: usize = 10;

/// More pairs than this gain little. On the paper's objective 40 instead of 20 save 6 % of the
/// steps, but each step takes about as much longer.
const MOST_HISTORY: usize = 20;

/// Bytes that the history may reach with more than [`LEAST_HISTORY`] pairs.
const HISTORY_MEMORY: usize = 256 << 20;

/// Returns the number of pairs to remember for so many variables.
pub(crate) fn history_for(variables: usize) -> usize {
    let pair = 2 * size_of::<f32>() * variables.max(1);
    (HISTORY_MEMORY / pair).clamp(LEAST_HISTORY, MOST_HISTORY)
}

/// How L-BFGS works.
pub(crate) struct LbfgsSettings {
    /// Pairs of displacement and change of gradient to remember, at least 1. Each takes two f32
    /// arrays. Default [`LEAST_HISTORY`].
    pub(crate) history: usize,
    /// Mean change of a variable in a step of steepest descent, in the unit of x. The default of 1
    /// is one level of a pixel, which is safe anywhere. The curvature on the way gives later steps
    /// their length.
    pub(crate) first_step: f64,
    /// Bounds of every variable. Default 0..=255.
    pub(crate) bounds: RangeInclusive<f32>,
    /// `H` before any curvature is seen, up to a factor. Default none, which is the identity.
    pub(crate) preconditioner: Option<Preconditioner>,
}

impl Default for LbfgsSettings {
    fn default() -> Self {
        Self { history: LEAST_HISTORY, first_step: 1.0, bounds: 0.0..=255.0, preconditioner: None }
    }
}

/// The arrays of a step, wherever they are: a point between bounds with its gradient, a direction,
/// and a trial with its own.
trait Descent {
    /// Returns how many variables there are.
    fn variables(&self) -> usize;

    /// Points the direction along `-H g`, and goes all of it to the trial. Returns the change of
    /// value that the gradient promises. `None`: no pair is of use.
    fn follow_history(&mut self) -> Result<Option<f64>>;

    /// Points the direction down the gradient. Returns the sum of its magnitudes.
    fn face_downhill(&mut self) -> Result<f64>;

    /// Makes the direction so many times as long.
    fn stretch(&mut self, factor: f64);

    /// Goes this part of the direction to the trial, between the bounds. Returns the change of
    /// value that the gradient promises.
    fn go(&mut self, length: f64) -> Result<f64>;

    /// Evaluates the function at the trial. Returns its value, or `None` if the value or the
    /// gradient is not finite.
    fn evaluate(&mut self) -> Result<Option<f64>>;

    /// Moves the point to the trial, and remembers the way if it has curvature.
    fn accept(&mut self);

    /// Forgets all pairs.
    fn forget(&mut self);
}

/// Makes a step from a point with this value, which becomes that of the point after it.
///
/// Errors: the first one of an evaluation, or of a device. Nothing that a later step depends on has
/// changed then.
fn step(descent: &mut impl Descent, value: &mut f64, first_step: f64) -> Result<Outcome> {
    let slope = descent.follow_history()?;
    if let Some(slope) = slope
        && let Some(lower) = search(descent, *value, slope, HISTORY_TRIALS)?
    {
        descent.accept();
        *value = lower;
        return Ok(Outcome::Improved);
    }
    let lower = search_downhill(descent, *value, first_step)?;
    if slope.is_some() {
        // The history led nowhere. It is dropped only now, because a step that fails leaves it.
        descent.forget();
    }
    let Some(lower) = lower else {
        return Ok(Outcome::Stuck);
    };
    descent.accept();
    *value = lower;
    Ok(Outcome::Improved)
}

/// Looks along the direction for a point that is lower than `from` by enough, closer with every
/// attempt. The first one is at the end of the direction, where the trial is already, and `slope`
/// is what the gradient promises there.
///
/// Returns the value at that point, which is the trial then. Returns `None` if there is none.
fn search(descent: &mut impl Descent, from: f64, mut slope: f64, trials: usize) -> Result<Option<f64>> {
    let mut length = 1.0;
    for trial in 0..trials {
        if trial > 0 {
            slope = descent.go(length)?;
        }
        if slope == 0.0 || slope.is_nan() {
            return Ok(None);
        }
        // Clamping can turn a direction uphill. A shorter step is clamped less.
        if slope > 0.0 {
            length *= 0.5;
            continue;
        }
        let value = descent.evaluate()?;
        if let Some(value) = value.filter(|&value| value < from && value <= from + SUFFICIENT_DECREASE * slope) {
            return Ok(Some(value));
        }
        length *= value.map_or(0.5, |value| shortening(value - from, slope));
    }
    Ok(None)
}

/// Points down the gradient for a first step of that way, and does [`search`].
fn search_downhill(descent: &mut impl Descent, from: f64, first_step: f64) -> Result<Option<f64>> {
    let mean = descent.face_downhill()? / descent.variables() as f64;
    if mean == 0.0 {
        return Ok(None);
    }
    descent.stretch(first_step / mean);
    let slope = descent.go(1.0)?;
    search(descent, from, slope, STEEPEST_TRIALS)
}

/// Returns the fraction of a step at which a parabola has its minimum, within 0.1..=0.5.
///
/// The parabola goes through everything that is known. `rise` is that of the value over the whole
/// step, which was too much. `slope` is what the gradient promised for it, below 0.
fn shortening(rise: f64, slope: f64) -> f64 {
    (-slope / (2.0 * (rise - slope))).clamp(0.1, 0.5)
}
