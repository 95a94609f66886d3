//! What a minimiser remembers.

use std::borrow::Cow;

use crate::options::OptimizerKind;

/// Values of the variables. The minimiser lends them, or they are owned.
pub(crate) type Variables<'a> = Cow<'a, [f32]>;

/// What a minimiser remembers between steps, besides the value and the gradient at its best point.
/// One evaluation gives these two again.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum OptimizerState<'a> {
    /// The pairs of [L-BFGS](crate::optimizer::lbfgs), the oldest first: changes of x and of the
    /// gradient.
    Lbfgs(Vec<[Variables<'a>; 2]>),
    /// The arrays of [Adam](crate::optimizer::adam).
    Adam(AdamState<'a>),
}

/// What [Adam](crate::optimizer::adam) remembers.
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

    /// Returns the same with arrays of its own.
    pub(crate) fn into_owned(self) -> OptimizerState<'static> {
        let own = |values: Variables<'_>| Cow::Owned(values.into_owned());
        match self {
            Self::Lbfgs(pairs) => OptimizerState::Lbfgs(pairs.into_iter().map(|pair| pair.map(own)).collect()),
            Self::Adam(AdamState { steps, attempts, walker, mean, root_mean_square }) => {
                let [walker, mean, root_mean_square] = [walker, mean, root_mean_square].map(own);
                OptimizerState::Adam(AdamState { steps, attempts, walker, mean, root_mean_square })
            }
        }
    }

    /// Returns the same, with the arrays of this one.
    pub(crate) fn lent(&self) -> OptimizerState<'_> {
        match self {
            Self::Lbfgs(pairs) => {
                let lent = pairs.iter().map(|pair| pair.each_ref().map(|values| Cow::Borrowed(&**values)));
                OptimizerState::Lbfgs(lent.collect())
            }
            Self::Adam(AdamState { steps, attempts, walker, mean, root_mean_square }) => {
                let [walker, mean, root_mean_square] =
                    [walker, mean, root_mean_square].map(|values| Cow::Borrowed(&**values));
                OptimizerState::Adam(AdamState { steps: *steps, attempts: *attempts, walker, mean, root_mean_square })
            }
        }
    }
}
