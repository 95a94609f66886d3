//! Any bytes as a picture: `cargo +nightly fuzz run picture fuzz/corpus/picture crates/impasto/tests/pictures`.
#![no_main]

#[path = "../../crates/impasto/tests/harness/mod.rs"]
mod harness;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| harness::read_and_write(bytes));
