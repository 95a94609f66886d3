//! Any bytes that begin like an AVIF; CONTRIBUTING.md has the command.
#![no_main]

#[path = "../../crates/impasto/tests/it/harness.rs"]
mod harness;

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    if !(bytes.get(4..8).is_some_and(|kind| kind == b"ftyp") && bytes.windows(4).any(|part| part == b"av01")) {
        return Corpus::Reject;
    }
    harness::read_and_write(bytes);
    Corpus::Keep
});
