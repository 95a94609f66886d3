//! Peak memory of a run, planned before it begins.
//!
//! A scale holds the pictures, the optimiser's arrays, and the maps of an evaluation. If all of it
//! does not fit, the evaluation is cut into bands, L-BFGS remembers fewer steps, or Adam takes its
//! place. Of everything that fits, the plan takes what makes the shortest run. The engine chooses
//! the bands ([`impasto_engine::plan::choice`]).
//!
//! With a graphics card there are two budgets. The maps of an evaluation are on the card
//! ([`impasto_engine::plan::card`]), and so are the optimiser's arrays if there is room. The photo,
//! the styles and copies of what the optimiser remembers are in the process.
//!
//! The plan counts large arrays one by one. A margin covers the rest, so the figures are upper
//! bounds and not forecasts.
//!
//! - [`plan`]: what is planned
//! - [`needs`]: from what a run is about to its plan
//! - [`choices`]: the ways to evaluate a picture
//! - [`optimizers`]: the optimisers to choose from
//! - [`process`]: what a process takes besides

mod choices;
pub(crate) mod needs;
mod optimizers;
pub(crate) mod plan;
pub(crate) mod process;
