//! Tests of the engine by its public interface, in one program: it is linked once.

mod conformance;
mod cpu;
#[cfg(feature = "gpu")]
mod gpu;
#[path = "../reference/mod.rs"]
mod reference;
mod weights;
