//! The optimisers to choose from.

use impasto_engine::plan::card::{CardArrays, CardLimits};

use crate::optimizer::adam::in_memory::ADAM_ARRAYS;
use crate::optimizer::lbfgs::in_memory::LBFGS_ARRAYS;
use crate::optimizer::lbfgs::{LEAST_HISTORY, history_for};
use crate::options::OptimizerKind;
use crate::session::memory::process::PIXEL;
use crate::session::schedule::Scale;

/// Histories of L-BFGS that are tried if the planned one does not fit, and how much longer a run
/// takes with them. After 200 steps, a history of 10 ends 7 % behind one of 20. The other factors,
/// and Adam's, are estimates.
pub(crate) const HISTORIES: [(usize, f64); 3] = [(LEAST_HISTORY, 1.05), (5, 1.2), (3, 1.4)];

/// How much longer a run takes with Adam than with L-BFGS.
pub(crate) const ADAM_COST: f64 = 2.0;

/// How much longer a run on a card takes with its optimiser in the process. This is an estimate.
pub(crate) const IN_PROCESS_COST: f64 = 1.4;

/// Copies in the process of what an optimiser on a card remembers: that to go back to if the card
/// fails, and one on its way to a file.
const COPIES_OF_CARD: usize = 2;

/// An optimiser, the bytes that it takes, and how much longer a run takes with it.
#[derive(Clone, Copy)]
pub(crate) struct OptimizerChoice {
    pub(crate) optimizer: OptimizerKind,
    pub(crate) history: usize,
    /// Of the process.
    pub(crate) bytes: usize,
    /// On a card; `None`: all is in the process.
    pub(crate) arrays: Option<CardArrays>,
    pub(crate) cost: f64,
}

/// Returns the optimisers to choose from, with the bytes that each takes and how much longer a run
/// takes with it. `keeps`: whether a part of the picture may stay.
pub(crate) fn optimizers(
    kind: OptimizerKind,
    scale: &Scale,
    card: Option<&CardLimits>,
    keeps: bool,
) -> Vec<OptimizerChoice> {
    let array = PIXEL * scale.width * scale.height;
    let adam = OptimizerChoice {
        optimizer: OptimizerKind::Adam,
        history: 0,
        bytes: ADAM_ARRAYS * array,
        arrays: None,
        cost: ADAM_COST,
    };
    let full = history_for(3 * scale.width * scale.height);
    let shorter = HISTORIES.into_iter().filter(|(history, _)| *history < full);
    let lbfgs = |(history, cost)| OptimizerChoice {
        optimizer: OptimizerKind::Lbfgs,
        history,
        bytes: (LBFGS_ARRAYS + 2 * history) * array,
        arrays: None,
        cost,
    };
    let mut all: Vec<OptimizerChoice> = match kind {
        OptimizerKind::Adam => vec![adam],
        OptimizerKind::Lbfgs => [(full, 1.0)].into_iter().chain(shorter).map(lbfgs).chain([adam]).collect(),
    };
    if let Some(card) = card {
        let on_card: Vec<_> = all.iter().filter_map(|choice| on_card(scale, card, keeps, choice)).collect();
        all.iter_mut().for_each(|choice| choice.cost *= IN_PROCESS_COST);
        all.splice(..0, on_card);
    }
    all
}

/// Returns an optimiser with its arrays on a card. `None`: they cannot be there.
fn on_card(scale: &Scale, card: &CardLimits, keeps: bool, of: &OptimizerChoice) -> Option<OptimizerChoice> {
    let Scale { width, height, .. } = *scale;
    let arrays = match of.optimizer {
        OptimizerKind::Lbfgs => CardArrays::lbfgs(width, height, of.history, keeps),
        OptimizerKind::Adam => CardArrays::adam(width, height, keeps),
    };
    let remembered = match of.optimizer {
        OptimizerKind::Lbfgs => 1 + 2 * of.history,
        OptimizerKind::Adam => ADAM_ARRAYS,
    };
    let copy = remembered * PIXEL * width * height;
    // While the arrays are made, there is at most the copy that they are made from.
    let bytes = (COPIES_OF_CARD * copy).max(copy + arrays.passing);
    let fits = card.keeps_points && arrays.largest_buffer <= card.largest_buffer;
    fits.then_some(OptimizerChoice { bytes, arrays: Some(arrays), ..*of })
}
