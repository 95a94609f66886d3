//! What a minimiser is: something that makes one step after the other.

use crate::error::Result;
use crate::optimizer::state::OptimizerState;

/// The function to minimise. It takes x, overwrites the gradient (of the same length), and returns
/// the value.
///
/// A value or gradient that is not finite marks an x at which the function cannot be used. An error
/// says nothing about x: the evaluation itself failed, and the gradient means nothing.
pub(crate) type Function<'a> = dyn FnMut(&[f32], &mut [f32]) -> Result<f64> + 'a;

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// `x` is a better point now. The function was last evaluated there.
    Improved,
    /// The step did some work, but `x` is still the best point.
    NotImproved,
    /// `x` is the best point, and no step leads on from it.
    Stuck,
}

/// A minimiser, with everything that it remembers between steps.
///
/// It is made from the value and the gradient at its start, or also from a state. With a state it
/// continues like the minimiser that the state was taken from, with the same bits.
pub(crate) trait Optimizer: Send {
    /// Makes one step. `x` is the best point found so far, before and after it, within the bounds.
    /// The value at `x` never rises.
    ///
    /// Errors: the function's first error, which ends the step. `x` and its value are then as
    /// before. The next step is the one that failed, with the same bits. So is that of a minimiser
    /// made from [`Optimizer::state`].
    fn step(&mut self, x: &mut [f32], function: &mut Function<'_>) -> Result<Outcome>;

    /// Tells that the function has changed. `value` and `gradient` are the new ones at the best
    /// point. What earlier steps have shown of the curvature is kept.
    fn renew(&mut self, value: f64, gradient: Vec<f32>);

    /// Returns what is remembered besides the value and the gradient at the best point.
    fn state(&self) -> OptimizerState<'_>;
}
