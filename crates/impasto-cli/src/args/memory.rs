//! How much memory a run may take.

use std::path::{Path, PathBuf};

use bytesize::ByteSize;
use clap::{Args, ValueHint};
use impasto::{Options, Session};
use serde::{Deserialize, Serialize};
use sysinfo::System;

use crate::input;

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
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Limits {
    /// Bytes of memory; `None`: no limit.
    pub memory: Option<u64>,
    /// Threads at work.
    pub threads: usize,
    /// Features of the photo may be in a file there.
    pub scratch: Option<PathBuf>,
}

impl Limits {
    pub fn of(options: &Options, session: &Session) -> Limits {
        Limits { memory: options.memory, threads: session.memory().threads, scratch: options.feature_cache.clone() }
    }

    /// Has a run planned as the one before it.
    pub fn plan_as(&self, options: &mut Options) {
        options.memory = self.memory;
        options.plan_threads = Some(self.threads);
        options.feature_cache.clone_from(&self.scratch);
    }
}

/// Where features of the photo go for which there is no memory.
#[derive(Args, Debug)]
#[command(next_help_heading = "Machine")]
pub struct ScratchArgs {
    /// Where the photo's features go that the memory does not hold: into a file without a name, which is gone with the process, of at most 231
    /// bytes a pixel with the default layers. [default: the folder of OUT, if a quarter of what is free there is left and it is no memory]
    #[arg(long, value_name = "DIR", conflicts_with = "no_scratch", value_hint = ValueHint::DirPath)]
    pub scratch: Option<PathBuf>,

    /// Write no such file: what the memory does not hold is computed anew for every evaluation, which takes up to 40 % longer. [default:
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
        match (self.memory, &self.resumed) {
            (Some(size), _) => Some(size.as_u64()),
            (None, Some(limits)) => limits.memory,
            (None, None) => free().map(|free| (SHARE * free as f64) as u64),
        }
    }
}

impl ScratchArgs {
    /// The folder for a file of at most `bytes`, for a picture that goes to `output`; `None`: there is to be none.
    pub fn folder(&self, output: &Path, bytes: u64) -> Option<PathBuf> {
        let beside = || match output.parent() {
            _ if input::is_stream(output) => None,
            Some(folder) if folder != "" => Some(folder.to_owned()),
            _ => Some(PathBuf::from(".")),
        };
        match &self.scratch {
            _ if self.no_scratch => None,
            Some(folder) => Some(folder.clone()),
            None => beside().filter(|folder| has_room(folder, bytes)),
        }
    }
}

/// Whether a file of that many bytes has room in a folder, and takes no memory there.
fn has_room(folder: &Path, bytes: u64) -> bool {
    let has_room = fs4::available_space(folder).is_ok_and(|free| bytes as f64 <= SHARE * free as f64);
    has_room && !is_memory(folder)
}

/// Whether files of this folder are in memory.
#[cfg(target_os = "linux")]
fn is_memory(folder: &Path) -> bool {
    /// TMPFS_MAGIC and RAMFS_MAGIC of statfs(2).
    const IN_MEMORY: [u32; 2] = [0x0102_1994, 0x8584_58f6];
    // The type of the number is not the same on all architectures; the magic ones have 32 bits.
    rustix::fs::statfs(folder).is_ok_and(|disk| IN_MEMORY.contains(&(disk.f_type as u32)))
}

#[cfg(not(target_os = "linux"))]
fn is_memory(_folder: &Path) -> bool {
    false
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
