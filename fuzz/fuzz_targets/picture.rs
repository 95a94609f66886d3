//! Any bytes as a picture; CONTRIBUTING.md has the command.
#![no_main]

#[path = "../../crates/impasto/tests/it/harness.rs"]
mod harness;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| harness::read_and_write(bytes));
