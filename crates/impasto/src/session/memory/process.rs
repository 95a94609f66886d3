//! What a process takes besides what is planned one by one.

use impasto_engine::Layer;
use impasto_engine::plan::layout::Layout;

use crate::error::{Error, Result};

/// Bytes of a process that has no picture yet: the program, the weights as they are and as they are
/// laid out, transformed filters. 155 MiB were measured with two threads.
pub(crate) const BASE: usize = 190 << 20;

/// The same for a process that only goes forward, without what [`Layout::forward_memory`] counts.
/// 14 to 31 MiB were measured with two threads.
const FORWARD_BASE: usize = 40 << 20;

/// Most bytes that each thread has for itself.
pub(crate) const THREAD: usize = 12 << 20;

/// Safety margin added to every estimate, as a fraction. Covers allocator overhead, stacks and
/// temporary sums.
const RESERVE: f64 = 0.03;

/// Bytes of a picture's pixel.
pub(crate) const PIXEL: usize = 3 * size_of::<f32>();

/// Adds the safety margin to bytes of the process.
pub(crate) fn with_reserve(bytes: usize) -> u64 {
    (bytes as f64 * (1.0 + RESERVE)) as u64
}

/// Refuses a picture that does not fit in `memory` if the network sees all of it at once and only
/// goes forward. `others` counts further bytes.
pub(crate) fn check_forward(
    (width, height): (usize, usize),
    layers: &[Layer],
    others: usize,
    threads: usize,
    memory: Option<u64>,
) -> Result<()> {
    let evaluation = Layout::forward_memory(width, height, layers);
    let needed = with_reserve(FORWARD_BASE + THREAD * threads + PIXEL * width * height + evaluation + others);
    match memory {
        Some(budget) if needed > budget => Err(Error::OutOfMemory { width, height, needed, budget }),
        _ => Ok(()),
    }
}

/// The bytes that the process may use, and those that it uses in any case.
pub(crate) struct Budget {
    pub(crate) bytes: u64,
    pub(crate) lasting: usize,
}

impl Budget {
    /// Returns whether these bytes fit too.
    pub(crate) fn fits(&self, bytes: usize) -> bool {
        self.needed(bytes) <= self.bytes
    }

    /// Returns the bytes of the process with these.
    pub(crate) fn needed(&self, bytes: usize) -> u64 {
        with_reserve(self.lasting + bytes)
    }
}
