//! The program from outside: every test runs it in a folder of its own.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod again;
mod bad_input;
mod batch;
mod bench;
#[cfg(unix)]
mod checkpoint;
mod colors;
mod commands;
mod common;
mod config;
#[cfg(feature = "gpu")]
mod devices;
#[cfg(unix)]
mod interrupt;
mod jobs;
mod manual;
mod measure;
#[cfg(unix)]
mod names;
mod options;
#[cfg(unix)]
mod outputs;
#[cfg(unix)]
mod pipes;
mod snapshots;
mod streams;
#[cfg(all(unix, feature = "studio"))]
mod studio;
mod styles;
mod sweep;
mod synthesis;
