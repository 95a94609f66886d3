//! How a session continues from a state.

use std::cell::OnceCell;
use std::mem;
use std::time::Instant;

use crate::error::{Error, Result};
use crate::session::Session;
use crate::session::anchor::Anchor;
use crate::session::memory::plan::ScalePlan;
use crate::session::position::SchedulePosition;
use crate::session::scale_setup::{RestoredScale, ScaleState};
use crate::session::state::SavedState;
use crate::session::task::Task;
use crate::session::time::EvaluationTime;

/// The scale of a state, what it was restored to, and its anchor.
type ReadScale = (ScaleState, RestoredScale, Option<Anchor>);

impl Session {
    /// Continues from a state. From here the run is, bit for bit, the one that the state was taken
    /// from.
    ///
    /// The session must be made from the same pictures, options and weights as that run. Threads
    /// may differ. The loss is computed again and must be the state's, to the last bit. If the
    /// state is from another instruction set or device, or from a graphics card, the loss may
    /// differ by one part in 10,000. The run then goes on with other last bits, and
    /// [`Network::take_notes`](crate::Network::take_notes) says so.
    ///
    /// The optimiser's memory is dropped before that of the state is read, so the two never take
    /// memory together.
    ///
    /// Errors: [`Error::UnfitState`] for the state of another run; the same for the state of a
    /// coarser scale if the session is at the last scale, because its styles are gone then; those
    /// of [`Session::new`] at the scale of the state; a file that can no longer be read. After an
    /// error the session still has its picture, and its optimiser begins again from there. If the
    /// picture cannot be evaluated again, there are no more steps.
    pub fn restore(&mut self, saved: &SavedState) -> Result<()> {
        self.check_fits(saved)?;
        let is_current = saved.position().scale == self.scale;
        // The scale may have to begin again, so the point must not be on a card alone.
        if self.fetch().is_err() {
            self.fall_back();
        }
        let mut task = self.take_task()?.filter(|_| is_current);
        self.anchor = None;
        let adjusted = mem::replace(&mut self.adjusted, saved.position().adjusted);
        match self.read_scale(saved, &mut task) {
            Ok(read) => {
                self.adopt(read, saved.position().clone());
                Ok(())
            }
            Err(error) => {
                self.adjusted = adjusted;
                self.begin_scale_again(task.filter(|_| is_current));
                Err(error)
            }
        }
    }

    /// Refuses a state that this session cannot continue from.
    fn check_fits(&self, saved: &SavedState) -> Result<()> {
        let position = saved.position();
        position.check_scales(&self.scales)?;
        let adjustments = self.options.adjustments.len();
        if position.adjusted > adjustments {
            let problem = format!(
                "its weights were adjusted {} times, but the run has {adjustments} adjustments",
                position.adjusted
            );
            return Err(Error::UnfitState { problem });
        }
        let ScalePlan { optimizer, history, .. } = self.plan.scales[position.scale];
        saved.check_optimizer(optimizer, history)?;
        if position.scale != self.scale && self.is_last_scale() {
            let problem =
                "it belongs to a coarser scale, but the session is at the last one; restore it in a new session";
            return Err(Error::UnfitState { problem: problem.to_owned() });
        }
        Ok(())
    }

    /// Reads the scale of a state that fits. `task` is that scale's task if there is one already.
    /// It is still there after an error.
    fn read_scale(&self, saved: &SavedState, task: &mut Option<Task>) -> Result<ReadScale> {
        let scale = saved.position().scale;
        let setup = self.setup();
        self.pool.install(|| {
            let mut there = task.take().map_or_else(|| setup.task(scale), Ok)?;
            there.set_weights(setup.weights);
            let (optimizer, restored) = match setup.restored(scale, &mut there, saved) {
                Ok(restored) => restored,
                Err(error) => {
                    *task = Some(there);
                    return Err(error);
                }
            };
            let work = ScaleState { task: there, optimizer };
            match Anchor::read(&work, saved.position().clone(), Some(&restored.point), &restored.losses) {
                Ok(anchor) => Ok((work, restored, anchor)),
                Err(error) => {
                    *task = Some(work.task);
                    Err(error)
                }
            }
        })
    }

    /// Takes over the scale and the position of a state.
    fn adopt(&mut self, (work, restored, anchor): ReadScale, position: SchedulePosition<'static>) {
        let RestoredScale { losses, point, evaluation } = restored;
        self.composed = OnceCell::new();
        self.totals = position.totals.into_owned();
        (self.point, self.losses, self.evaluation) = (point.into(), losses, EvaluationTime::new(evaluation));
        (self.scale, self.scales) = (position.scale, position.scales);
        self.steps_done = self.scales[..self.scale].iter().map(|scale| scale.steps).sum::<usize>() + self.steps_here();
        (self.elapsed_before, self.started) = (position.elapsed, Instant::now());
        (self.finished, self.is_intact) = (position.finished, true);
        self.anchor = anchor;
        self.work = Some(work);
        self.drop_used_styles();
    }

    /// Begins the current scale again from its picture, if that is possible.
    fn begin_scale_again(&mut self, task: Option<Task>) {
        let (setup, scale, point) = (self.setup(), self.scale, self.point());
        let work = self.pool.install(|| {
            let mut task = task.map_or_else(|| setup.task(scale), Ok)?;
            task.set_weights(setup.weights);
            let (optimizer, _) = setup.optimizer(scale, &mut task, point)?;
            Ok::<_, Error>(ScaleState { task, optimizer })
        });
        let begun = work.and_then(|work| Ok((self.anchor_of(&work)?, work)));
        self.is_intact = false;
        (self.anchor, self.work) = match begun {
            Ok((anchor, work)) => (anchor, Some(work)),
            Err(_) => (None, None),
        };
    }
}
