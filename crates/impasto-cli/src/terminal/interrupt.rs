//! Ctrl-C and SIGTERM: once to end the run after the current step, twice to leave at once.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;

use crate::failure::INTERRUPTED;
use crate::terminal::progress::Display;

/// The answer to a signal if the picture so far is written.
pub const KEEPS_PICTURE: &str = "ending after this step; press Ctrl-C again to leave without the picture";

/// The answer to a signal if it is not.
pub const LEAVES_PICTURE_OUT: &str = "ending after this step, without its picture; press Ctrl-C again to leave at once";

#[derive(Default)]
struct State {
    /// There is a picture that could be written.
    started: AtomicBool,
    /// The user has asked for the end.
    requested: AtomicBool,
    /// Held while a picture is being written. Apart from the flags: a run that writes at every
    /// step would hardly let a signal through.
    writing: Mutex<()>,
}

/// What the user has asked for by signals. Clones share it.
#[derive(Clone)]
pub struct Interrupt {
    state: Arc<State>,
    display: Display,
    answer: &'static str,
}

/// While this lives, no signal ends the process: a picture is being written and no temporary file
/// may stay behind.
pub struct Undisturbed<'a>(#[expect(dead_code, reason = "held for its lock")] MutexGuard<'a, ()>);

impl Interrupt {
    /// Takes over Ctrl-C and SIGTERM. `answer`: what the first signal is answered with.
    ///
    /// SIGHUP stays as it is, so that a run started with `nohup` survives the logout.
    pub fn install(display: Display, answer: &'static str) -> anyhow::Result<Interrupt> {
        let interrupt = Interrupt { state: Arc::default(), display, answer };
        listen(interrupt.clone()).context("cannot listen for Ctrl-C")?;
        Ok(interrupt)
    }

    /// From now on there is a picture worth writing.
    pub fn start(&self) {
        self.state.started.store(true, Ordering::SeqCst);
    }

    /// Whether the run is to end.
    pub fn requested(&self) -> bool {
        self.state.requested.load(Ordering::SeqCst)
    }

    /// Puts off the end by signals.
    pub fn undisturbed(&self) -> Undisturbed<'_> {
        Undisturbed(self.state.writing.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn signalled(&self) {
        let is_first = !self.state.requested.swap(true, Ordering::SeqCst);
        if is_first && self.state.started.load(Ordering::SeqCst) {
            // The step that is still to be finished can take a while.
            self.display.note(self.answer);
            return;
        }
        let _undisturbed = self.undisturbed();
        self.display.clear();
        process::exit(INTERRUPTED.into());
    }
}

#[cfg(unix)]
fn listen(interrupt: Interrupt) -> anyhow::Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for _ in signals.forever() {
            interrupt.signalled();
        }
    })?;
    Ok(())
}

#[cfg(not(unix))]
fn listen(interrupt: Interrupt) -> anyhow::Result<()> {
    ctrlc::set_handler(move || interrupt.signalled())?;
    Ok(())
}
