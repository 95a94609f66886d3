//! What is asked of a run while it goes on, between the task that hears it and the run.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::Adjustment;

/// Why a run is to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Somebody asked for a pause.
    Pause,
    /// The worker ends, and another one is to go on.
    Release,
    /// Somebody asked for its end.
    Cancel,
    /// Another worker has the job, or it is gone.
    Lost,
}

/// What is asked of a run. Clones share it.
#[derive(Clone, Default)]
pub struct Requests(Arc<Shared>);

#[derive(Default)]
struct Shared {
    stop: AtomicU8,
    watched: AtomicBool,
    adjustments: Mutex<Adjustments>,
}

#[derive(Default)]
struct Adjustments {
    /// All that were asked for and that the database does not call made, in their order.
    asked: Vec<Adjustment>,
    /// So many of these have been handed to the run.
    taken: usize,
}

impl Requests {
    /// Asks the run to stop after its step. The graver reason stays.
    pub fn stop(&self, stop: Stop) {
        self.0.stop.fetch_max(stop as u8 + 1, Ordering::SeqCst);
    }

    /// Takes back that the run is to pause.
    pub fn go_on(&self) {
        // Only a pause can be taken back.
        let pause = Stop::Pause as u8 + 1;
        self.0.stop.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |stop| (stop == pause).then_some(0)).ok();
    }

    /// Why the run is to stop; `None`: it is not.
    pub fn stopped(&self) -> Option<Stop> {
        let reasons = [Stop::Pause, Stop::Release, Stop::Cancel, Stop::Lost];
        reasons.into_iter().find(|&stop| stop as u8 + 1 == self.0.stop.load(Ordering::SeqCst))
    }

    /// Says whether somebody watches how the picture grows.
    pub fn set_watched(&self, watched: bool) {
        self.0.watched.store(watched, Ordering::Relaxed);
    }

    /// Whether somebody watches how the picture grows.
    pub fn is_watched(&self) -> bool {
        self.0.watched.load(Ordering::Relaxed)
    }

    /// Takes all changes that are asked for and not made, as the database has them. Those that the
    /// run has made since, and that are not noted there yet, come first.
    pub fn set_adjustments(&self, asked: Vec<Adjustment>) {
        let mut adjustments = self.0.adjustments.lock().unwrap_or_else(PoisonError::into_inner);
        adjustments.asked = asked;
    }

    /// Some changes that the run has made are noted in the database now.
    pub fn noted(&self, number: usize) {
        let mut adjustments = self.0.adjustments.lock().unwrap_or_else(PoisonError::into_inner);
        adjustments.taken = adjustments.taken.saturating_sub(number);
        let noted = number.min(adjustments.asked.len());
        adjustments.asked.drain(..noted);
    }

    /// The next change for the run to make.
    pub fn next_adjustment(&self) -> Option<Adjustment> {
        let mut adjustments = self.0.adjustments.lock().unwrap_or_else(PoisonError::into_inner);
        let next = adjustments.asked.get(adjustments.taken).copied()?;
        adjustments.taken += 1;
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_graver_reason_stays_and_only_a_pause_is_taken_back() {
        let requests = Requests::default();
        assert_eq!(requests.stopped(), None);
        requests.stop(Stop::Pause);
        requests.go_on();
        assert_eq!(requests.stopped(), None);
        requests.stop(Stop::Cancel);
        requests.stop(Stop::Pause);
        requests.go_on();
        assert_eq!(requests.stopped(), Some(Stop::Cancel));
    }

    #[test]
    fn each_adjustment_is_handed_out_once() {
        let strength = |strength: f64| Adjustment { strength: Some(strength), ..Adjustment::default() };
        let requests = Requests::default();
        requests.set_adjustments(vec![strength(1.0)]);
        assert_eq!(requests.next_adjustment(), Some(strength(1.0)));
        assert_eq!(requests.next_adjustment(), None);
        // The database does not have it as made yet.
        requests.set_adjustments(vec![strength(1.0), strength(2.0)]);
        requests.noted(1);
        assert_eq!(requests.next_adjustment(), Some(strength(2.0)));
        requests.set_adjustments(vec![strength(2.0)]);
        assert_eq!(requests.next_adjustment(), None);
    }
}
