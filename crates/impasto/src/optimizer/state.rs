//! What a minimiser remembers.

use std::borrow::Cow;

use crate::OptimizerKind;

/// Values of the variables, borrowed from the minimiser or from nowhere.
pub(crate) type Values<'a> = Cow<'a, [f32]>;

/// What a minimiser remembers between steps, besides the value and the gradient at its best point: these can be had again by one
/// evaluation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum OptimizerState<'a> {
    /// Of an [`Lbfgs`](super::Lbfgs): changes of x and of the gradient, oldest first.
    Lbfgs(Vec<[Values<'a>; 2]>),
    /// Of an [`Adam`](super::Adam).
    Adam {
        /// Steps done.
        steps: i32,
        /// The point that walks.
        walker: Values<'a>,
        /// At the walker.
        gradient: Values<'a>,
        /// Running mean of the gradient.
        mean: Values<'a>,
        /// Running mean of the squared gradient, as its root.
        root_mean_square: Values<'a>,
    },
}

impl<'a> OptimizerState<'a> {
    /// Of a minimiser that remembers nothing, at `x`.
    pub(crate) fn empty(kind: OptimizerKind, x: &'a [f32]) -> Self {
        let zeros = || Cow::Owned(vec![0.0; x.len()]);
        match kind {
            OptimizerKind::Lbfgs => Self::Lbfgs(vec![]),
            OptimizerKind::Adam => {
                Self::Adam { steps: 0, walker: x.into(), gradient: zeros(), mean: zeros(), root_mean_square: zeros() }
            }
        }
    }
}

impl OptimizerState<'_> {
    /// The minimiser's name.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Lbfgs(_) => "lbfgs",
            Self::Adam { .. } => "adam",
        }
    }

    /// Every array.
    pub(crate) fn arrays(&self) -> Vec<&[f32]> {
        match self {
            Self::Lbfgs(pairs) => pairs.iter().flatten().map(|values| &**values).collect(),
            Self::Adam { walker, gradient, mean, root_mean_square, .. } => {
                vec![walker, gradient, mean, root_mean_square]
            }
        }
    }

    /// Why a minimiser of another name cannot go on with this.
    pub(super) fn unfit(&self, name: &str) -> String {
        format!("its optimiser is {}, and that of the run {name}", self.name())
    }

    /// Refuses arrays of another length.
    pub(super) fn check_len(&self, variables: usize) -> Result<(), String> {
        match self.arrays().iter().find(|values| values.len() != variables) {
            Some(values) => Err(format!("its optimiser has {} values where the run has {variables}", values.len())),
            None => Ok(()),
        }
    }
}
