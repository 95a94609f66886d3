//! Minimisers of smooth functions of many variables between bounds. They know a function by its value and gradient only.

pub(crate) mod adam;
pub(crate) mod lbfgs;
pub(crate) mod preconditioner;
pub(crate) mod state;
pub(crate) mod step;
#[cfg(test)]
pub(crate) mod testing;
