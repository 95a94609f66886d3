//! Minimisers of smooth functions of many variables between bounds.
//!
//! They know a function by its value and gradient only. They know nothing of pictures, except for
//! the preconditioner, which knows how style transfer bends.

pub(crate) mod adam;
pub(crate) mod lbfgs;
pub(crate) mod on_card;
pub(crate) mod preconditioner;
pub(crate) mod state;
pub(crate) mod step;
#[cfg(test)]
pub(crate) mod testing;
