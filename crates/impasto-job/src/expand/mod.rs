//! Many pictures from one description: a batch and a sweep are lists of jobs.
//!
//! What comes out are ordinary transfers. Nothing is read here but names.

pub mod batch;
pub mod sweep;
