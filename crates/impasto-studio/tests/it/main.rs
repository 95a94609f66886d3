//! Tests of the studio without a socket: requests go to the router, workers run in this process.
#![allow(clippy::unwrap_used, reason = "the lint knows a test function, but not its helpers")]

mod events;
mod harness;
mod jobs;
mod openapi;
mod queue;
mod refusals;
mod worker;
