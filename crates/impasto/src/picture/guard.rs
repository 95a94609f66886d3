//! Decoders that panic. A decoder is other people's code, and it meets files that nobody foresaw.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::Once;

use crate::error::{Error, Result};

thread_local! {
    /// Whether a decoder is at work on this thread.
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs a decoder. If it panics, that is an error about the file of this name, and nothing is
/// printed.
pub(crate) fn guarded<T>(name: &Path, decode: impl FnOnce() -> Result<T>) -> Result<T> {
    silence_guarded();
    let before = IS_GUARDED.replace(true);
    // What the decoder has built is dropped, so nothing half-made is seen.
    let outcome = panic::catch_unwind(AssertUnwindSafe(decode));
    IS_GUARDED.set(before);
    outcome.unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<&str>().copied().or(payload.downcast_ref::<String>().map(String::as_str));
        let text = text.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
        let reason = format!("its decoder failed ({text})");
        Err(Error::Damaged { path: name.to_owned(), reason })
    })
}

/// Runs a part of a guarded decoder that works on several threads of `rayon`. If one of them panics,
/// the caller does, and nothing is printed.
pub(crate) fn guarded_threads<T: Send>(decode: impl FnOnce() -> T + Send) -> T {
    let threads = rayon::ThreadPoolBuilder::new()
        .num_threads(rayon::current_num_threads())
        .start_handler(|_| IS_GUARDED.set(true));
    match threads.build() {
        Ok(threads) => threads.install(decode),
        // Without threads of its own it may print, but it works.
        Err(_) => decode(),
    }
}

/// Keeps panics of guarded decoders off stderr. The hook of before sees all others.
fn silence_guarded() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !IS_GUARDED.get() {
                before(info);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_that_names_the_file() {
        let number = 3;
        let error = guarded(Path::new("a.tif"), || -> Result<()> { panic!("row {number}\n is missing") }).unwrap_err();
        assert_eq!(error.to_string(), "a.tif is damaged: its decoder failed (row 3 is missing)");
        assert_eq!(guarded(Path::new("b.tif"), || Ok(number)).unwrap(), 3);
        let error =
            guarded(Path::new("c.heic"), || -> Result<()> { guarded_threads(|| panic!("tile 7")) }).unwrap_err();
        assert_eq!(error.to_string(), "c.heic is damaged: its decoder failed (tile 7)");
        assert!(!IS_GUARDED.get());
    }
}
