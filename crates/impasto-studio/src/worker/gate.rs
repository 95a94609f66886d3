//! One picture computes at a time: a run waits between two steps while a preview is made.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How often a run that waits looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(100);

/// Holds runs back. Clones share it.
#[derive(Clone, Default)]
pub struct Gate(Arc<(Mutex<usize>, Condvar)>);

/// While this lives, runs wait before their next step.
pub struct Closed(Gate);

impl Gate {
    /// Makes runs wait before their next step.
    pub fn close(&self) -> Closed {
        let (closed, _) = &*self.0;
        *closed.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Closed(self.clone())
    }

    /// Waits until nobody holds runs back, or until the run is to stop.
    pub fn pass(&self, is_stopped: impl Fn() -> bool) {
        let (closed, changed) = &*self.0;
        let mut guard = closed.lock().unwrap_or_else(PoisonError::into_inner);
        while *guard > 0 && !is_stopped() {
            guard = changed.wait_timeout(guard, LOOK).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for Closed {
    fn drop(&mut self) {
        let (closed, changed) = &*self.0.0;
        *closed.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn a_run_waits_for_all_previews() {
        let gate = Gate::default();
        gate.pass(|| false);
        let (first, second) = (gate.close(), gate.close());
        let passed = Arc::new(AtomicBool::new(false));
        let run = {
            let (gate, passed) = (gate.clone(), Arc::clone(&passed));
            thread::spawn(move || {
                gate.pass(|| false);
                passed.store(true, Ordering::SeqCst);
            })
        };
        drop(first);
        thread::sleep(Duration::from_millis(50));
        assert!(!passed.load(Ordering::SeqCst), "one preview is still made");
        drop(second);
        run.join().unwrap();
        assert!(passed.load(Ordering::SeqCst));
        let _closed = gate.close();
        gate.pass(|| true);
    }
}
