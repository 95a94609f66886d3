//! Changes of the objective's weights in the course of a run.
//!
//! What the optimiser remembers belongs to the old weights, so it begins anew at the picture so
//! far. A run that is told of an adjustment beforehand, and one that is told of it after that step,
//! make the same picture, bit for bit.

use std::mem;

use crate::error::Result;
use crate::options::{Adjustment, Options};
use crate::session::Session;
use crate::session::scale_setup::ScaleState;

impl Session {
    /// Changes weights of the objective before the next step. `None`: the weight stays. Returns the
    /// adjustment, with which another session makes the same picture from its start.
    ///
    /// Adjustments that [`Options::adjustments`] has for later steps are dropped.
    ///
    /// Errors: a weight that cannot be used, as in [`Options::validate`]. Nothing is changed then.
    pub fn adjust(&mut self, content_weight: Option<f64>, tv_weight: Option<f64>) -> Result<Adjustment> {
        let adjustment = Adjustment { step: self.steps_done, content_weight, tv_weight };
        let mut adjustments = self.options.adjustments.clone();
        adjustments.retain(|other| other.step <= self.steps_done);
        adjustments.push(adjustment);
        let options = Options { adjustments, ..self.options.clone() };
        options.validate()?;
        self.options = options;
        Ok(adjustment)
    }

    /// Makes the adjustments that are due after the steps so far.
    ///
    /// Errors: the picture cannot be evaluated. The session is as before then, except if a card has
    /// failed.
    pub(super) fn make_adjustments(&mut self) -> Result<()> {
        let due = self.options.adjustments.iter().take_while(|adjustment| adjustment.step <= self.steps_done).count();
        if due <= self.adjusted {
            return Ok(());
        }
        self.fetch()?;
        let before = mem::replace(&mut self.adjusted, due);
        let work = self.work.take().expect("a scale has been begun");
        let was_on_card = work.on_card().is_some();
        let ScaleState { mut task, optimizer } = work;
        // A card may have no room for two.
        let optimizer = Some(optimizer).filter(|_| !was_on_card);
        if was_on_card {
            task.leave_card();
        }
        let setup = self.setup();
        task.set_weights(setup.weights);
        let (scale, point) = (self.scale, self.point());
        let begun = self.pool.install(|| setup.optimizer_of(scale, &mut task, point, None));
        let (renewed, losses) = match begun {
            Ok(begun) => begun,
            Err(error) => {
                self.adjusted = before;
                task.set_weights(self.options.weights(before));
                match optimizer {
                    Some(optimizer) => self.work = Some(ScaleState { task, optimizer }),
                    // The next step begins at the anchor.
                    None => self.lost_task = Some(task),
                }
                return Err(error);
            }
        };
        if let Some(last) = self.totals.last_mut() {
            *last = losses.total;
        }
        self.losses = losses;
        let work = ScaleState { task, optimizer: renewed };
        match self.anchor_of(&work) {
            Ok(anchor) => self.anchor = anchor,
            Err(error) => {
                self.adjusted = before;
                self.lost_task = Some(work.task);
                return Err(error);
            }
        }
        self.work = Some(work);
        Ok(())
    }
}
