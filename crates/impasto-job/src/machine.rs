//! Where and how fast a job is computed: threads, memory, the cache of features, checkpoints.
//!
//! Nothing here changes a picture on purpose. If memory is short, the plan of a run depends on it,
//! and with the plan the last bits of gradients. So a [`Machine`] is measured once, into
//! [`Limits`], and all of a run works with these. A checkpoint keeps what the run was planned for
//! ([`PlannedFor`]), and a resumed run is planned for the same.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_with::{serde_as, skip_serializing_none};
use sysinfo::System;

use crate::device::choice::DeviceChoice;
use crate::files;
use crate::job::paths::AnyPath;
use crate::job::values::{Count, MemorySize, Seconds};

/// Where and how fast a job is computed, as it was asked for.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Machine {
    /// Device, threads and memory.
    #[serde(flatten)]
    pub compute: Compute,
    /// The cache of features.
    #[serde(flatten)]
    pub feature_cache: FeatureCacheOptions,
    /// Checkpoints.
    #[serde(flatten)]
    pub checkpoints: CheckpointOptions,
}

/// The device that evaluates the network.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[cfg_attr(feature = "clap", derive(clap::Args))]
#[cfg_attr(feature = "clap", command(next_help_heading = "Machine"))]
#[serde(default, rename_all = "kebab-case")]
pub struct DeviceOptions {
    /// What evaluates the network: auto, cpu, gpu, gpu:N, or a part of a graphics card's name.
    /// `auto` takes a card that passes its self-test and is faster than the CPU. `impasto devices`
    /// lists the cards. [default: auto]
    #[cfg_attr(feature = "clap", arg(long, value_name = "DEVICE", env = "IMPASTO_DEVICE", hide_env_values = true))]
    pub device: Option<DeviceChoice>,

    /// Memory of the graphics card that impasto may take at most: 6GiB. A picture that does not fit
    /// is evaluated in bands. L-BFGS may remember fewer steps, or compute on the CPU. [default: as
    /// much as the driver gives]
    #[cfg_attr(feature = "clap", arg(long, value_name = "SIZE"))]
    pub device_memory: Option<MemorySize>,
}

/// Device, threads and memory.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[cfg_attr(feature = "clap", derive(clap::Args))]
#[cfg_attr(feature = "clap", command(next_help_heading = "Machine"))]
#[serde(default, rename_all = "kebab-case")]
pub struct Compute {
    /// The device.
    #[cfg_attr(feature = "clap", command(flatten))]
    #[serde(flatten)]
    pub device: DeviceOptions,

    /// Threads to compute with. The result is the same at any number. [default: one for each core]
    #[cfg_attr(feature = "clap", arg(long, value_name = "N", allow_hyphen_values = true))]
    pub threads: Option<Count>,

    /// Memory that impasto may take at most: 4GiB, 800MB. A picture that does not fit is evaluated
    /// in bands: that takes longer and looks the same. L-BFGS may remember fewer steps. [default:
    /// three quarters of what is free]
    #[cfg_attr(feature = "clap", arg(long, value_name = "SIZE"))]
    pub memory: Option<MemorySize>,
}

/// Where features of the photo go that do not fit in memory.
#[serde_as]
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[cfg_attr(feature = "clap", derive(clap::Args))]
#[cfg_attr(feature = "clap", command(next_help_heading = "Machine"))]
#[serde(default, rename_all = "kebab-case")]
pub struct FeatureCacheOptions {
    /// Folder for features of the photo that do not fit in memory. They go into a file without a
    /// name, which disappears with the process. It takes at most 231 bytes a pixel with the default
    /// layers. [default: the folder of OUT, if a quarter of its free room stays free and its files
    /// are not in memory themselves]
    #[cfg_attr(feature = "clap", arg(long, alias = "scratch", value_name = "DIR"))]
    #[cfg_attr(feature = "clap", arg(conflicts_with = "no_feature_cache", value_hint = clap::ValueHint::DirPath))]
    #[serde_as(as = "Option<AnyPath>")]
    pub feature_cache: Option<PathBuf>,

    /// Write no such file. Features that do not fit in memory are computed again for every
    /// evaluation, which takes up to 40 % longer. [default: off]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "clap", arg(long, alias = "no-scratch"))]
    pub no_feature_cache: bool,
}

/// What is kept of a run while it goes on.
#[serde_as]
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[cfg_attr(feature = "clap", derive(clap::Args))]
#[cfg_attr(feature = "clap", command(next_help_heading = "Checkpoints"))]
#[serde(default, rename_all = "kebab-case")]
pub struct CheckpointOptions {
    /// Save progress in the folder DIR. After a crash, a power cut or Ctrl-C, `impasto resume DIR`
    /// continues to the identical picture, bit for bit. A run that has finished removes DIR.
    /// [default: OUT.checkpoint, for runs of more than ten minutes]
    #[cfg_attr(feature = "clap", arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath))]
    #[cfg_attr(feature = "clap", arg(conflicts_with = "no_checkpoint"))]
    #[serde_as(as = "Option<AnyPath>")]
    pub checkpoint: Option<PathBuf>,

    /// Seconds between checkpoints. If writing them took more than 2 % of the time, there are
    /// fewer. [default: 60]
    #[cfg_attr(feature = "clap", arg(long, value_name = "SECONDS", allow_hyphen_values = true))]
    pub checkpoint_every: Option<Seconds>,

    /// Keep no checkpoints. [default: off]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "clap", arg(long))]
    pub no_checkpoint: bool,
}

/// Seconds between checkpoints.
pub const CHECKPOINT_EVERY: f64 = 60.0;

/// Part of the free memory, or of a disk's free room, that is taken if nothing is asked for.
const SHARE: f64 = 0.75;

/// What a machine comes to: measured once, the same for all of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// What evaluates the network.
    pub device: DeviceChoice,
    /// Bytes of a card's memory that buffers may take; `None`: as many as the driver gives.
    pub device_memory: Option<u64>,
    /// Threads to compute with; `None`: one for each core.
    pub threads: Option<usize>,
    /// Bytes that the process may take; `None`: the system does not say what is free.
    pub memory: Option<u64>,
    /// Threads that memory is planned for, if those at work may be others.
    pub planned_threads: Option<usize>,
    /// Where features go that do not fit in memory.
    pub feature_cache: FeatureCache,
}

/// Where features of the photo go that do not fit in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeatureCache {
    /// Beside the result, if there is room.
    BesideResult,
    /// Into this folder.
    Folder(PathBuf),
    /// Nowhere: they are computed again.
    Off,
}

/// What a run was planned for. A checkpoint keeps it.
#[serde_as]
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PlannedFor {
    /// The device: [`TakenDevice::identity`](crate::device::TakenDevice::identity).
    pub device: String,
    /// Bytes of a card's memory; `None`: no limit.
    pub device_memory: Option<u64>,
    /// Bytes of memory; `None`: no limit.
    pub memory: Option<u64>,
    /// Threads at work.
    pub threads: usize,
    /// The folder of the feature cache; `None`: the run has none.
    #[serde_as(as = "Option<AnyPath>")]
    pub feature_cache: Option<PathBuf>,
}

impl Compute {
    /// Measures what is not said.
    pub fn measure(&self) -> Limits {
        let DeviceOptions { device, device_memory } = &self.device;
        Limits {
            device: device.clone().unwrap_or_default(),
            device_memory: device_memory.map(|MemorySize(bytes)| bytes),
            threads: self.threads.map(Count::get),
            memory: match self.memory {
                Some(MemorySize(bytes)) => Some(bytes),
                None => free_memory().map(|free| (SHARE * free as f64) as u64),
            },
            planned_threads: None,
            feature_cache: FeatureCache::BesideResult,
        }
    }
}

impl Machine {
    /// Measures what is not said.
    pub fn measure(&self) -> Limits {
        let FeatureCacheOptions { feature_cache, no_feature_cache } = &self.feature_cache;
        let feature_cache = match feature_cache {
            _ if *no_feature_cache => FeatureCache::Off,
            Some(folder) => FeatureCache::Folder(folder.clone()),
            None => FeatureCache::BesideResult,
        };
        Limits { feature_cache, ..self.compute.measure() }
    }

    /// Limits of a run that continues: it is planned for what it was planned for before.
    pub fn measure_resumed(&self, planned: &PlannedFor) -> Limits {
        let device = self.compute.device.device.clone();
        Limits {
            device: device.unwrap_or_else(|| DeviceChoice::of_identity(&planned.device)),
            device_memory: planned.device_memory,
            threads: self.compute.threads.map(Count::get),
            memory: planned.memory,
            planned_threads: Some(planned.threads),
            feature_cache: planned.feature_cache.clone().map_or(FeatureCache::Off, FeatureCache::Folder),
        }
    }
}

impl CheckpointOptions {
    /// Time between checkpoints.
    pub fn every(&self) -> Duration {
        Duration::from_secs_f64(self.checkpoint_every.map_or(CHECKPOINT_EVERY, Seconds::get))
    }
}

impl FeatureCache {
    /// The folder for a file of at most `bytes`, for a picture that goes to `output`; `None`: there
    /// is to be no file.
    pub(crate) fn folder(&self, output: Option<&Path>, bytes: u64) -> Option<PathBuf> {
        match self {
            FeatureCache::Off => None,
            FeatureCache::Folder(folder) => Some(folder.clone()),
            FeatureCache::BesideResult => {
                let output = output.filter(|output| !files::is_passed_on(output))?;
                Some(files::folder_of(output).to_owned()).filter(|folder| has_room(folder, bytes))
            }
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
    // The type of the number differs between architectures; the magic numbers have 32 bits.
    rustix::fs::statfs(folder).is_ok_and(|disk| IN_MEMORY.contains(&(disk.f_type as u32)))
}

#[cfg(not(target_os = "linux"))]
fn is_memory(_folder: &Path) -> bool {
    false
}

/// Bytes that are free on the machine, or in the container that this is.
fn free_memory() -> Option<u64> {
    let mut system = System::new();
    system.refresh_memory();
    let machine = system.available_memory();
    let container = system.cgroup_limits().map_or(u64::MAX, |limits| limits.free_memory);
    Some(machine.min(container)).filter(|&free| free > 0)
}
