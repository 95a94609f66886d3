//! Any bytes that begin like a JPEG XL; CONTRIBUTING.md has the command.
#![no_main]

#[path = "../../crates/impasto/tests/it/harness.rs"]
mod harness;

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    if !(bytes.starts_with(b"\xff\x0a") || bytes.starts_with(b"\0\0\0\x0cJXL ")) {
        return Corpus::Reject;
    }
    harness::read_and_write(bytes);
    Corpus::Keep
});
