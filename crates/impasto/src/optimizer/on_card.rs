//! What a minimiser on a graphics card is.

use crate::error::Result;
use crate::optimizer::state::OptimizerState;
use crate::optimizer::step::Outcome;

/// Evaluates the function at the trial on the card, and leaves the gradient there. Returns the
/// value. A value that is not finite marks a point at which the function cannot be used.
pub(crate) type Evaluate<'a> = dyn FnMut() -> Result<f64> + 'a;

/// A minimiser whose arrays are on a graphics card, the point among them.
///
/// It makes the steps of an [`Optimizer`](crate::optimizer::step::Optimizer). If the card fails,
/// the minimiser is of no use any more: another one has to be made from an earlier state.
pub(crate) trait CardOptimizer: Send {
    /// Makes one step. The value at the point never rises.
    ///
    /// Errors: the first one of an evaluation, or the card fails.
    fn step(&mut self, evaluate: &mut Evaluate<'_>) -> Result<Outcome>;

    /// Evaluates the function at the best point, because it has changed. What earlier steps have
    /// shown of the curvature is kept.
    ///
    /// Errors: that of the evaluation; a value or a gradient that is not finite; the card fails.
    fn renew(&mut self, evaluate: &mut Evaluate<'_>) -> Result<()>;

    /// Reads what is remembered besides the value and the gradient at the best point.
    ///
    /// Errors: the card fails.
    fn state(&self) -> Result<OptimizerState<'static>>;

    /// Reads the best point.
    ///
    /// Errors: the card fails.
    fn point(&self) -> Result<Vec<f32>>;
}
