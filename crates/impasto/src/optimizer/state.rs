//! What a minimiser remembers.

use std::borrow::Cow;

use crate::options::OptimizerKind;

/// Values of the variables. The minimiser lends them, or they are owned.
pub(crate) type Variables<'a> = Cow<'a, [f32]>;

/// What a minimiser remembers between steps, besides the value and the gradient at its best point.
/// One evaluation gives these two again.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum OptimizerState<'a> {
    /// The pairs of an [`Lbfgs`](crate::optimizer::lbfgs::Lbfgs), the oldest first: changes of x
    /// and of the gradient.
    Lbfgs(Vec<[Variables<'a>; 2]>),
    /// The arrays of an [`Adam`](crate::optimizer::adam::Adam).
    Adam(AdamState<'a>),
}

/// What an [`Adam`](crate::optimizer::adam::Adam) remembers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AdamState<'a> {
    /// Gradients in the running means.
    pub(crate) steps: i32,
    /// Attempts of the next step that led to no finite values.
    pub(crate) attempts: u8,
    /// The point that walks. The next evaluation is there.
    pub(crate) walker: Variables<'a>,
    /// Running mean of the gradient.
    pub(crate) mean: Variables<'a>,
    /// Running mean of the squared gradient, as its root.
    pub(crate) root_mean_square: Variables<'a>,
}

impl<'a> OptimizerState<'a> {
    /// Returns the state of a minimiser that remembers nothing, at `x`.
    pub(crate) fn empty(kind: OptimizerKind, x: &'a [f32]) -> Self {
        let zeros = || Cow::Owned(vec![0.0; x.len()]);
        match kind {
            OptimizerKind::Lbfgs => Self::Lbfgs(vec![]),
            OptimizerKind::Adam => {
                let (mean, root_mean_square) = (zeros(), zeros());
                Self::Adam(AdamState { steps: 0, attempts: 0, walker: x.into(), mean, root_mean_square })
            }
        }
    }
}
