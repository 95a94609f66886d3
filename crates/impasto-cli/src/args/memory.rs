//! How much memory a run may take.

use std::path::{Path, PathBuf};

use bytesize::ByteSize;
use clap::{Args, ValueHint};
use impasto::Options;
use serde::{Deserialize, Serialize};
use sysinfo::System;

#[derive(Args, Debug)]
#[command(next_help_heading = "Machine")]
pub struct MemoryArgs {
    /// Memory that impasto may take at most: 4GiB, 800MB. A picture that does not fit is evaluated in bands, which takes longer and looks
    /// the same; and L-BFGS remembers fewer steps. [default: three quarters of what is free]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub memory: Option<ByteSize>,

    /// What a run was planned for that is to go on: what is free now may be another, and the bits with it.
    #[arg(skip)]
    pub resumed: Option<Limits>,
}

/// What a run is planned for.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Limits {
    /// Bytes of memory; `None`: no limit.
    pub memory: Option<u64>,
    /// Features of the photo may be in a file.
    pub scratch: bool,
}

impl From<&Options> for Limits {
    fn from(options: &Options) -> Limits {
        Limits { memory: options.memory, scratch: options.scratch.is_some() }
    }
}

/// Where features of the photo go for which there is no memory.
#[derive(Args, Debug)]
#[command(next_help_heading = "Machine")]
pub struct ScratchArgs {
    /// Where the photo's features go that the memory does not hold: into a file without a name, which is gone with the process, of at most 15
    /// GiB at 8192x8192 px. [default: the folder of OUT, if a quarter of what is free there is left]
    #[arg(long, value_name = "DIR", conflicts_with = "no_scratch", value_hint = ValueHint::DirPath)]
    pub scratch: Option<PathBuf>,

    /// Write no such file: what the memory does not hold is computed anew for every evaluation, which takes up to a third longer. [default:
    /// off]
    #[arg(long)]
    pub no_scratch: bool,
}

/// Whether there is only to be said what a run takes.
#[derive(Args, Debug)]
#[command(next_help_heading = "Machine")]
pub struct PlanArgs {
    /// Say what the run would take, its sizes, memory and time, and stop.
    #[arg(long)]
    pub plan: bool,
}

/// Part of the free memory, or of a disk's free room, that is taken unless it is said otherwise.
const SHARE: f64 = 0.75;

impl MemoryArgs {
    /// Bytes that may be taken; `None` where the system does not say what is free.
    pub fn limit(&self) -> Option<u64> {
        match (self.memory, self.resumed) {
            (Some(size), _) => Some(size.as_u64()),
            (None, Some(limits)) => limits.memory,
            (None, None) => free().map(|free| (SHARE * free as f64) as u64),
        }
    }
}

impl ScratchArgs {
    /// The folder for a file of at most `bytes`, for a picture that goes to `output`; `None`: there is to be none. `resumed`: what a run was
    /// planned for that is to go on.
    pub fn folder(&self, output: &Path, bytes: u64, resumed: Option<Limits>) -> Option<PathBuf> {
        let beside = || match output.parent() {
            Some(folder) if folder != "" => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        let has_room =
            |folder: &Path| fs4::available_space(folder).is_ok_and(|free| bytes as f64 <= SHARE * free as f64);
        match (&self.scratch, resumed) {
            (_, Some(Limits { scratch: false, .. })) => None,
            _ if self.no_scratch => None,
            (Some(folder), _) => Some(folder.clone()),
            (None, Some(_)) => Some(beside()),
            (None, None) => Some(beside()).filter(|folder| has_room(folder)),
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
