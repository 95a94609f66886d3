//! Jobs from outside: what they come to, and which file of the project imports which.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod defaults;
#[cfg(target_os = "linux")]
mod failure;
mod imports;
mod options;
