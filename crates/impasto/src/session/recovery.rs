//! What a session does if the graphics card fails that its optimiser is on.
//!
//! The point and what the optimiser remembers are lost with the card. So the session keeps a state
//! in memory, of a few seconds before: its anchor. After a failure the card is opened again, the
//! session goes back to the anchor, and makes the steps since again. They have the same bits, so
//! nobody sees the difference. A second failure at the same scale is an error.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use impasto_engine::Image;
use impasto_engine::network::DeviceError;

use crate::error::{Error, Result};
use crate::loss::losses::Losses;
use crate::optimizer::step::Outcome;
use crate::session::position::{SchedulePosition, StopReason};
use crate::session::scale_setup::ScaleState;
use crate::session::state::SessionState;
use crate::session::task::Task;
use crate::session::{Scale, Session};

/// A state of the current scale in memory.
pub(super) struct Anchor {
    pub(super) state: SessionState<'static>,
    losses: Losses,
    taken: Instant,
    /// How long it took to read it.
    reading: Duration,
}

/// Least time between two anchors.
const INTERVAL: Duration = Duration::from_secs(10);

/// Time between two anchors, as a multiple of what one takes.
const SHARE: u32 = 50;

impl Anchor {
    pub(super) fn point(&self) -> Image {
        let Scale { width, height, .. } = self.state.position.here();
        Image::new(width, height, self.state.point.to_vec())
    }
}

impl Session {
    /// Reads the point from the card.
    ///
    /// Errors: the card fails, or the point is not there.
    pub(super) fn read_point(&self) -> Result<Image> {
        let on_card = self.work.as_ref().and_then(ScaleState::on_card).ok_or_else(cannot_go_on)?;
        let Scale { width, height, .. } = self.scales[self.scale];
        Ok(Image::new(width, height, on_card.point()?))
    }

    /// Brings the point to memory.
    ///
    /// Errors: the card fails.
    pub(super) fn fetch(&mut self) -> Result<()> {
        if self.point.get().is_none() {
            self.point = self.read_point()?.into();
        }
        Ok(())
    }

    /// Reads the state of a session whose optimiser is on the card.
    ///
    /// Errors: the card fails.
    pub(super) fn read_state(&self) -> Result<SessionState<'_>> {
        let work = self.work.as_ref().ok_or_else(cannot_go_on)?;
        let on_card = work.on_card().ok_or_else(cannot_go_on)?;
        Ok(SessionState {
            position: self.position(),
            point: match self.point.get() {
                Some(point) => Cow::Borrowed(point.as_slice()),
                None => on_card.point()?.into(),
            },
            optimizer: on_card.state()?,
            matches: work.task.matches().into_iter().map(Cow::Borrowed).collect(),
        })
    }

    /// Returns the anchor of a scale that has just begun, or to which the session has returned. The
    /// rest of the session is there already. `None`: its optimiser is in the process.
    ///
    /// Errors: the card fails.
    pub(super) fn anchor_of(&self, work: &ScaleState) -> Result<Option<Anchor>> {
        let Some(on_card) = work.on_card() else { return Ok(None) };
        let (taken, SchedulePosition { totals, identity, scales, scale, elapsed, finished }) =
            (Instant::now(), self.position());
        let totals = Cow::Owned(totals.into_owned());
        let state = SessionState {
            position: SchedulePosition { totals, identity, scales, scale, elapsed, finished },
            point: match self.point.get() {
                Some(point) => Cow::Owned(point.as_slice().to_vec()),
                None => on_card.point()?.into(),
            },
            optimizer: on_card.state()?,
            matches: work.task.matches().into_iter().map(|matches| Cow::Owned(matches.to_vec())).collect(),
        };
        let taken_after = Instant::now();
        Ok(Some(Anchor { state, losses: self.losses.clone(), taken: taken_after, reading: taken_after - taken }))
    }

    /// Takes another anchor if it is time.
    ///
    /// Errors: the card fails.
    pub(super) fn renew_anchor(&mut self) -> Result<()> {
        let is_due = |anchor: &Anchor| anchor.taken.elapsed() >= INTERVAL.max(SHARE * anchor.reading);
        if let Some(work) = &self.work
            && self.anchor.as_ref().is_some_and(is_due)
        {
            self.anchor = self.anchor_of(work)?;
        }
        Ok(())
    }

    /// Puts everything but the work back to the anchor, if there is one.
    fn fall_back(&mut self) {
        let Some(anchor) = &self.anchor else { return };
        let SchedulePosition { scales, scale, totals, finished, .. } = &anchor.state.position;
        (self.scales, self.scale, self.finished) = (scales.clone(), *scale, *finished);
        self.totals = totals.to_vec();
        self.losses = anchor.losses.clone();
        self.point = anchor.point().into();
        self.composed.take();
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
        if !self.plan.scales[self.scale].optimizer_on_card || std::mem::replace(&mut self.has_recovered, true) {
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

    /// Makes as many steps of the scale as there were, and one more unless it was the last of them
    /// that failed to end.
    fn make_again(&mut self, steps: usize, steps_before: usize) -> Result<Option<StopReason>> {
        if self.work.is_none() && self.anchor.is_some() {
            self.return_to_anchor()?;
        }
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
