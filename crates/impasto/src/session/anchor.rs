//! A state in memory that a session goes back to.

use std::time::{Duration, Instant};

use impasto_engine::Image;

use crate::error::Result;
use crate::loss::losses::Losses;
use crate::session::position::SchedulePosition;
use crate::session::scale_setup::ScaleState;
use crate::session::schedule::Scale;
use crate::session::state::SessionState;

/// A state of the current scale in memory.
pub(crate) struct Anchor {
    pub(crate) state: SessionState<'static>,
    /// Losses at the point.
    pub(crate) losses: Losses,
    taken: Instant,
    /// How long it took to read it.
    reading: Duration,
}

/// Least time between two anchors.
const INTERVAL: Duration = Duration::from_secs(10);

/// Time between two anchors, as a multiple of what one takes.
const SHARE: u32 = 50;

impl Anchor {
    /// Reads the state of a scale at this position from the card. `point`: the point, if it is in
    /// memory already. `None`: the optimiser is in the process.
    ///
    /// Errors: the card fails.
    pub(crate) fn read(
        work: &ScaleState,
        position: SchedulePosition<'static>,
        point: Option<&Image>,
        losses: &Losses,
    ) -> Result<Option<Self>> {
        let began = Instant::now();
        let Some(state) = work.read_state(position, point)? else { return Ok(None) };
        let state = state.into_owned();
        let taken = Instant::now();
        Ok(Some(Self { state, losses: losses.clone(), taken, reading: taken - began }))
    }

    /// Returns whether it is time for another one.
    pub(crate) fn is_old(&self) -> bool {
        self.taken.elapsed() >= INTERVAL.max(SHARE * self.reading)
    }

    /// Returns the point.
    pub(crate) fn point(&self) -> Image {
        let Scale { width, height, .. } = self.state.position.here();
        Image::new(width, height, self.state.point.to_vec())
    }
}
