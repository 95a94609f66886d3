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

/// Where in its schedule a run is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SchedulePosition<'a> {
    /// What the bits of the losses depend on; empty when no loss looks at a feature map.
    pub(crate) identity: String,
    /// Those that are done have the steps that they took.
    pub(crate) scales: Vec<Scale>,
    /// Index into `scales`.
    pub(crate) scale: usize,
    /// The objective at the start of the scale and after each of its steps.
    pub(crate) totals: Cow<'a, [f64]>,
    pub(crate) elapsed: Duration,
    pub(crate) finished: Option<StopReason>,
}

impl SchedulePosition<'_> {
    /// Steps done so far, at all scales.
    pub(crate) fn steps_done(&self) -> usize {
        let before = self.scales[..self.scale].iter().map(|scale| scale.steps);
        before.fold(self.totals.len() - 1, usize::saturating_add)
    }

    /// The scale that the run is at.
    pub(crate) fn here(&self) -> Scale {
        self.scales[self.scale]
    }

    /// Refuses a place that is not in a run with these scales.
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
            problem: format!(
                "it is of the scales {}, and the run has {}",
                scale_list(&self.scales),
                scale_list(scales)
            ),
        })
    }
}

/// `256x171:40,512x341:40`: width, height and steps of each.
pub(crate) fn scale_list(scales: &[Scale]) -> String {
    let word = |scale: &Scale| format!("{}x{}:{}", scale.width, scale.height, scale.steps);
    scales.iter().map(word).collect::<Vec<_>>().join(",")
}
