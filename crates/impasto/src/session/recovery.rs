//! What a session does if its optimiser's card fails.
//!
//! The point and what the optimiser remembers are lost with the card. So the session keeps a recent
//! state in memory, its anchor. After a failure the card is opened again, the session goes back to
//! the anchor, and makes the steps since again. They have the same bits if the card still has room
//! for the optimiser. A second failure at the same scale is an error.

use impasto_engine::Image;
use impasto_engine::network::DeviceError;

use crate::error::{Error, Result};
use crate::optimizer::step::Outcome;
use crate::session::Session;
use crate::session::anchor::Anchor;
use crate::session::position::{SchedulePosition, StopReason};
use crate::session::scale_setup::ScaleState;
use crate::session::schedule::Scale;
use crate::session::task::Task;

impl Session {
    /// Reads the point from the card.
    ///
    /// Errors: the card fails, or the point is not there.
    pub(super) fn read_point(&self) -> Result<Image> {
        let on_card = self.work.as_ref().and_then(ScaleState::on_card).ok_or_else(cannot_go_on)?;
        let Scale { width, height, .. } = self.scales[self.scale];
        Ok(Image::new(width, height, on_card.point()?))
    }

    /// Returns the failure of a card that could not be read when someone looked.
    ///
    /// Errors: there was one.
    pub(super) fn check_failure(&self) -> Result<()> {
        self.failure.take().map_or(Ok(()), Err)
    }

    /// Brings the point to memory.
    ///
    /// Errors: the card fails.
    pub(super) fn fetch(&mut self) -> Result<()> {
        self.check_failure()?;
        if self.point.get().is_none() {
            self.point = self.read_point()?.into();
        }
        Ok(())
    }

    /// Returns the anchor of a scale that has just begun. The rest of the session is there already.
    /// `None`: its optimiser is in the process.
    ///
    /// Errors: the card fails.
    pub(super) fn anchor_of(&self, work: &ScaleState) -> Result<Option<Anchor>> {
        Anchor::read(work, self.position().into_owned(), self.point.get(), &self.losses)
    }

    /// Returns the anchor of a scale that has just begun, as [`Session::anchor_of`] does. If the card
    /// fails meanwhile for the first time at this scale, the scale begins again at the same point.
    ///
    /// Errors: the card fails again.
    pub(super) fn anchor_of_begun(&mut self, work: &mut ScaleState) -> Result<Option<Anchor>> {
        let (name, reason) = match self.anchor_of(work) {
            Err(Error::Device { reason: DeviceError::Failed { name, reason } }) if !work.task.has_failed() => {
                (name, reason)
            }
            read => return read,
        };
        let (setup, scale, point) = (self.setup(), self.scale, self.point());
        let begun = self.pool.install(|| {
            work.task.reopen()?;
            setup.optimizer(scale, &mut work.task, point)
        });
        let (optimizer, losses) = begun?;
        work.optimizer = optimizer;
        self.totals = vec![losses.total];
        self.losses = losses;
        self.network
            .notes()
            .add(format!("{name} failed ({reason}) and was opened again; the run goes on from the same point"));
        self.anchor_of(work)
    }

    /// Takes another anchor if it is time.
    ///
    /// Errors: the card fails.
    pub(super) fn renew_anchor(&mut self) -> Result<()> {
        if let Some(work) = &self.work
            && self.anchor.as_ref().is_some_and(Anchor::is_old)
        {
            self.anchor = self.anchor_of(work)?;
        }
        Ok(())
    }

    /// Puts everything but the work back to the anchor, if there is one.
    pub(super) fn fall_back(&mut self) {
        let Some(anchor) = &self.anchor else { return };
        let SchedulePosition { scales, scale, totals, finished, adjusted, .. } = &anchor.state.position;
        (self.scales, self.scale, self.finished) = (scales.clone(), *scale, *finished);
        self.adjusted = *adjusted;
        self.totals = totals.to_vec();
        self.losses = anchor.losses.clone();
        self.point = anchor.point().into();
        self.composed.take();
        self.older_point.take();
        self.failure.take();
        if let Some(work) = self.work.take() {
            self.lost_task = Some(work.task);
        }
        self.steps_done = anchor.state.steps_done();
    }

    /// Begins the work again at the anchor, to which the session has fallen back.
    ///
    /// Errors: there is none; the card fails.
    pub(super) fn return_to_anchor(&mut self) -> Result<()> {
        let (Some(anchor), Some(mut task)) = (&self.anchor, self.lost_task.take()) else {
            return Err(cannot_go_on());
        };
        let (setup, scale, point, state) = (self.setup(), self.scale, self.point(), &anchor.state);
        let begun = self.pool.install(|| {
            task.reopen()?;
            task.set_weights(setup.weights);
            let matches: Vec<Vec<u32>> = state.matches.iter().map(|matches| matches.to_vec()).collect();
            task.set_matches(&matches);
            setup.optimizer_of(scale, &mut task, point, Some(state.optimizer.lent()))
        });
        let optimizer = match begun {
            Ok((optimizer, _)) => optimizer,
            Err(error) => {
                self.lost_task = Some(task);
                return Err(error);
            }
        };
        let work = ScaleState { task, optimizer };
        if work.on_card().is_none() {
            // The card has less room than before, and the optimiser is in the process now.
            self.anchor = None;
        }
        self.work = Some(work);
        Ok(())
    }

    /// Returns the task of this scale without its optimiser. If the card was lost, it is opened
    /// again.
    ///
    /// Errors: it cannot be opened. The task is kept then.
    pub(super) fn take_task(&mut self) -> Result<Option<Task>> {
        if let Some(work) = self.work.take() {
            return Ok(Some(work.task));
        }
        let Some(mut task) = self.lost_task.take() else { return Ok(None) };
        match task.reopen() {
            Ok(()) => Ok(Some(task)),
            Err(error) => {
                self.lost_task = Some(task);
                Err(error)
            }
        }
    }

    /// Goes on after an error of a step, if the card has failed for the first time at this scale.
    /// The step is the one after `steps_before` steps.
    ///
    /// Errors: it is another error, or the card fails again.
    pub(super) fn recover(&mut self, error: Error, steps_before: usize) -> Result<Option<StopReason>> {
        let Error::Device { reason: DeviceError::Failed { name, reason } } = &error else { return Err(error) };
        let steps = self.steps_here();
        self.fall_back();
        if self.anchor.is_none() || self.lost_task.as_ref().is_none_or(Task::has_failed) {
            return Err(error);
        }
        let note = format!("{name} failed ({reason}) and was opened again; ");
        let again = steps - self.steps_here();
        let result = self.make_again(steps, steps_before);
        if result.is_err() {
            self.fall_back();
            return result;
        }
        self.network.notes().add(match again {
            0 => note + "the run goes on from the same point",
            1 => note + "the last step was made again",
            _ => note + &format!("the last {again} steps were made again"),
        });
        result
    }

    /// Repeats the first `steps` of the scale from the anchor on. If the step that failed was not
    /// counted yet, makes it too.
    fn make_again(&mut self, steps: usize, steps_before: usize) -> Result<Option<StopReason>> {
        self.return_to_anchor()?;
        while self.steps_here() < steps && self.optimise()? != Outcome::Stuck {}
        if self.steps_done == steps_before {
            return self.try_step();
        }
        self.end_if_done()?;
        Ok(self.finished)
    }
}

fn cannot_go_on() -> Error {
    let problem = "the session could not return to its last state; make a new one".to_owned();
    Error::UnfitState { problem }
}
