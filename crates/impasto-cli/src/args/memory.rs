//! How much memory a run may take.

use bytesize::ByteSize;
use clap::Args;
use sysinfo::System;

#[derive(Args, Debug)]
#[command(next_help_heading = "Machine")]
pub struct MemoryArgs {
    /// Memory that impasto may take at most: 4GiB, 800MB. A picture that does not fit is evaluated in bands, which takes longer and looks
    /// the same; and L-BFGS remembers fewer steps. [default: three quarters of what is free]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub memory: Option<ByteSize>,

    /// Bytes that a run was begun with which is to go on: what is free now may be another, and the bits with it.
    #[arg(skip)]
    pub resumed: Option<u64>,
}

/// Whether there is only to be said what a run takes.
#[derive(Args, Debug)]
#[command(next_help_heading = "Machine")]
pub struct PlanArgs {
    /// Say what the run would take, its sizes, memory and time, and stop.
    #[arg(long)]
    pub plan: bool,
}

/// Part of the free memory that is taken unless it is said otherwise.
const SHARE: f64 = 0.75;

impl MemoryArgs {
    /// Bytes that may be taken; `None` where the system does not say what is free.
    pub fn limit(&self) -> Option<u64> {
        match (self.memory, self.resumed) {
            (Some(size), _) => Some(size.as_u64()),
            (None, Some(bytes)) => Some(bytes),
            (None, None) => free().map(|free| (SHARE * free as f64) as u64),
        }
    }
}

/// Bytes that are free on the machine, or in the container that this is.
fn free() -> Option<u64> {
    let mut system = System::new();
    system.refresh_memory();
    let machine = system.available_memory();
    let container = system.cgroup_limits().map_or(u64::MAX, |limits| limits.free_memory);
    Some(machine.min(container)).filter(|&free| free > 0)
}

fn size(text: &str) -> Result<ByteSize, &'static str> {
    text.parse().ok().filter(|size: &ByteSize| size.as_u64() > 0).ok_or("needs a size such as 4GiB or 800MB")
}
