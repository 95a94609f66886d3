//! Where in its schedule a run is, and why it ended there.

use std::borrow::Cow;
use std::time::Duration;

use impasto_engine::words;

use crate::error::{Error, Result};
use crate::session::schedule::Scale;

words! {
    /// Why a run ended.
    pub enum StopReason {
        /// All steps are done.
        Completed => "completed",
        /// The observer ended it.
        Interrupted => "interrupted",
        /// No step lowers the objective any further, or none by enough.
        Converged => "converged",
    }
}

/// The place of a run in its schedule.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SchedulePosition<'a> {
    /// What the bits of the losses depend on. It is empty if no loss looks at a feature map.
    pub(crate) identity: String,
    /// The scales. One that is done has the steps that it took.
    pub(crate) scales: Vec<Scale>,
    /// Index into `scales`.
    pub(crate) scale: usize,
    /// The objective at the start of the scale and after each of its steps.
    pub(crate) totals: Cow<'a, [f64]>,
    pub(crate) elapsed: Duration,
    pub(crate) finished: Option<StopReason>,
    /// How many of [`Options::adjustments`](crate::Options::adjustments) have been made.
    pub(crate) adjusted: usize,
}

impl SchedulePosition<'_> {
    /// Returns the same with a course of its own.
    pub(crate) fn into_owned(self) -> SchedulePosition<'static> {
        let Self { identity, scales, scale, totals, elapsed, finished, adjusted } = self;
        SchedulePosition { identity, scales, scale, totals: totals.into_owned().into(), elapsed, finished, adjusted }
    }

    /// Returns the steps done so far, at all scales.
    pub(crate) fn steps_done(&self) -> usize {
        let before = self.scales[..self.scale].iter().map(|scale| scale.steps);
        before.fold(self.totals.len() - 1, usize::saturating_add)
    }

    /// Returns the current scale.
    pub(crate) fn here(&self) -> Scale {
        self.scales[self.scale]
    }

    /// Refuses a position that is not in a run with these scales.
    pub(crate) fn check_scales(&self, scales: &[Scale]) -> Result<()> {
        let fits = self.scales.len() == scales.len()
            && self.scales.iter().zip(scales).enumerate().all(|(i, (own, other))| {
                let steps = if i > self.scale { own.steps == other.steps } else { own.steps <= other.steps };
                steps && (own.width, own.height) == (other.width, other.height)
            });
        if fits {
            return Ok(());
        }
        Err(Error::UnfitState {
            problem: format!("it has the scales {}, but the run has {}", scale_list(&self.scales), scale_list(scales)),
        })
    }
}

/// Writes width, height and steps of each scale: `256x171:40,512x341:40`.
pub(crate) fn scale_list(scales: &[Scale]) -> String {
    let word = |scale: &Scale| format!("{}x{}:{}", scale.width, scale.height, scale.steps);
    scales.iter().map(word).collect::<Vec<_>>().join(",")
}
