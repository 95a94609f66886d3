//! What a minimiser is: something that makes one step after the other.

use crate::optimizer::state::OptimizerState;

/// The function to minimise: takes x, writes the gradient there (same length, overwritten), returns the value.
///
/// A value or gradient that is not finite marks an x where the function cannot be used.
pub(crate) type Function<'a> = dyn FnMut(&[f32], &mut [f32]) -> f64 + 'a;

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// `x` is a better point now: the one at which the function was evaluated last.
    Improved,
    /// Work was done, but `x` is the best point still.
    NotImproved,
    /// `x` is the best point, and no step leads on from it.
    Stuck,
}

/// A minimiser with all it remembers between steps. It is made with the value and gradient at its start, or of a state besides: then it goes
/// on as the one that the state was taken of would, with the same bits.
pub(crate) trait Optimizer: Send {
    /// One step. `x` is the best point found so far before and after it, within the bounds: the value at `x` never rises.
    fn step(&mut self, x: &mut [f32], function: &mut Function<'_>) -> Outcome;

    /// What is remembered besides the value and the gradient at the best point.
    fn state(&self) -> OptimizerState<'_>;
}
