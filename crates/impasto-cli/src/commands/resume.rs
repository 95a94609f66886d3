//! `impasto resume DIR`: continuing a run from its checkpoints.

use std::env;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::{Args, ValueHint};
use impasto_job::checkpoint::{self, CheckpointPlan};
use impasto_job::device::DeviceChoice;
use impasto_job::job::values::Count;
use impasto_job::resolve;

use crate::args::{OnlyArgs, ReportArgs};
use crate::commands::make::make_resolved;
use crate::failure::{Failure, OrFail};

/// Continue a run that ended early. The picture is the one of a run that did not, bit for bit.
///
/// The run's inputs have to be in their places, unchanged. The number of cores does not matter. On
/// another device, or a CPU with other instruction sets, the run goes on with other last bits, and
/// says so.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  impasto resume out.png.checkpoint
      Continue, and write out.png.
  impasto resume out.png.checkpoint --quiet --json
      The same for a program: only the report, as JSON.")]
pub struct ResumeArgs {
    /// The folder of the run's checkpoints: OUT.checkpoint, or that of --checkpoint.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,

    /// Another folder for features of the photo that do not fit in memory, if the run was begun
    /// with one.
    #[arg(long, alias = "scratch", value_name = "DIR", value_hint = ValueHint::DirPath)]
    #[arg(help_heading = "Machine")]
    pub feature_cache: Option<PathBuf>,

    /// What evaluates the network, as `impasto devices` lists it. [default: what did before]
    #[arg(long, value_name = "DEVICE", env = "IMPASTO_DEVICE", hide_env_values = true, help_heading = "Machine")]
    pub device: Option<DeviceChoice>,

    /// Threads to compute with. The result is the same at any number. [default: as the run was
    /// begun]
    #[arg(long, value_name = "N", allow_hyphen_values = true, help_heading = "Machine")]
    pub threads: Option<Count>,

    #[command(flatten)]
    pub report: ReportArgs,
}

/// Continues the run and reports.
pub fn run(args: &ResumeArgs) -> Result<(), Failure> {
    let resumed = checkpoint::open(&args.folder)?;
    let manifest = resumed.manifest.clone();
    let folder =
        |folder: &PathBuf| fs::canonicalize(folder).with_context(|| format!("there is no folder {}", folder.display()));
    let feature_cache = args.feature_cache.as_ref().map(folder).transpose().or_user()?;
    let begun_in = manifest.folder.display();
    env::set_current_dir(&manifest.folder)
        .with_context(|| format!("the run was begun in {begun_in}, and its files are named from there; restore it"))
        .or_user()?;
    manifest.check_inputs()?;
    let mut planned = manifest.planned.clone();
    if let Some(folder) = feature_cache {
        if planned.feature_cache.is_none() {
            return Err(Failure::User(anyhow!(
                "the run in {} was begun without a file of features, and --feature-cache has no effect; leave it out",
                args.folder.display()
            )));
        }
        planned.feature_cache = Some(folder);
    }
    let mut machine = manifest.machine.clone();
    machine.compute.device.device.clone_from(&args.device);
    machine.compute.threads = args.threads.or(machine.compute.threads);
    let checkpoints = CheckpointPlan::new(&machine).resuming(resumed);
    let resolved = resolve::resolve_within(&manifest.job, machine.measure_resumed(&planned), checkpoints)?;
    make_resolved(&resolved, &OnlyArgs::default(), &args.report)
}
