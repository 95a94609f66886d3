//! `impasto run JOB.json`: a picture from its job.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use clap::Args;
use impasto_job::files;
use impasto_job::job::Job;
use impasto_job::machine::{CheckpointOptions, Compute, FeatureCacheOptions};
use impasto_job::resolve;
use serde_json::Value;

use crate::args::{BatchOptions, Maker, OnlyArgs, PictureArgs, ReportArgs};
use crate::commands::batch::make_all;
use crate::commands::make::make;
use crate::config::refuse_others;
use crate::failure::{Failure, OrFail};

const EXAMPLES: &str = "\
Examples:
  impasto photo.jpg painting.jpg -o out.png --strength 70 --dry-run > job.json
  impasto run job.json
      The job of a command line as a file, and the picture made from it.
  impasto batch photos/*.jpg --style painting.jpg -o painted --dry-run | impasto run -
      A list of jobs, done one after the other. Missing folders of results are made.
  impasto run job.json --threads 4 --memory 8GiB
      A job says nothing of the machine: that is said here.

`impasto schema` prints what a job may hold. Paths in a job are relative to the current folder.";

/// Make the picture of a job, which is a JSON file.
///
/// Every command that makes a picture prints its job with --dry-run. A list of jobs is done as a
/// batch.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
#[command(mut_arg("resume", |arg| arg.help(
    "Leave out results of a list that are there and can be read as a picture, and continue runs that ended early and have checkpoints"
)))]
#[command(mut_arg("checkpoints", |arg| arg.help(
    "Keep checkpoints of every picture of a list while it is made, in OUT.checkpoint beside it. [default: of those that take more than ten minutes]"
)))]
pub struct RunArgs {
    /// The job: a JSON object, or a list of them. `-` reads standard input.
    #[arg(value_name = "JOB.json")]
    pub job: PathBuf,

    #[command(flatten)]
    pub batch: BatchOptions,

    #[command(flatten)]
    pub compute: Compute,

    #[command(flatten)]
    pub feature_cache: FeatureCacheOptions,

    #[command(flatten)]
    pub checkpoints: CheckpointOptions,

    #[command(flatten)]
    pub only: OnlyArgs,

    #[command(flatten)]
    pub report: ReportArgs,
}

/// Reads the job, makes its picture and reports.
pub fn run(args: &RunArgs) -> Result<(), Failure> {
    let RunArgs { job, batch, compute, feature_cache, checkpoints, only, report } = args;
    let name = if files::is_stream(job) { "standard input".to_owned() } else { job.display().to_string() };
    let options = PictureArgs {
        batch: batch.clone(),
        compute: compute.clone(),
        feature_cache: feature_cache.clone(),
        checkpoints: checkpoints.clone(),
        only: only.clone(),
        report: report.clone(),
        ..PictureArgs::default()
    };
    let text = read(job).or_user()?;
    let made = if text.trim_start().starts_with('[') {
        let jobs = jobs_of(&text).with_context(|| name.clone()).or_user()?;
        refuse_others(Maker::Batch, &options).or_user()?;
        let folders = if only.dry_run { Ok(()) } else { make_folders(&jobs) };
        folders.and_then(|()| make_all(jobs, None, &options))
    } else {
        let job = Job::from_json(&text).map_err(|error| anyhow!("{name}: {error}")).or_user()?;
        check_single(batch).and_then(|()| refuse_others(Maker::of(job.kind), &options)).or_user()?;
        make(&job, &options.machine(), only, report)
    };
    made.map_err(|failure| failure.in_job_file(&name))
}

/// The text of the file, or of standard input.
pub fn read(path: &Path) -> anyhow::Result<String> {
    let name = path.display();
    if files::is_stream(path) {
        return io::read_to_string(io::stdin().lock()).context("cannot read standard input");
    }
    fs::read_to_string(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => anyhow!("there is no file {name}"),
        io::ErrorKind::IsADirectory => anyhow!("{name} is a folder, not a file"),
        _ => anyhow!("cannot read {name}: {error}"),
    })
}

/// The jobs of a list.
pub fn jobs_of(text: &str) -> anyhow::Result<Vec<Job>> {
    let list: Vec<Value> = serde_json::from_str(text)?;
    if list.is_empty() {
        bail!("the list has no jobs");
    }
    let numbered = list.iter().map(Job::from_json_value).enumerate();
    numbered.map(|(i, job)| job.map_err(|error| anyhow!("job {}: {error}", i + 1))).collect()
}

/// Refuses options of a list for a single job.
fn check_single(batch: &BatchOptions) -> anyhow::Result<()> {
    let BatchOptions { resume, checkpoints } = *batch;
    for (name, is_set) in [("resume", resume), ("checkpoints", checkpoints)] {
        if is_set {
            bail!("--{name} is for a list of jobs, and this is a single one; leave it out");
        }
    }
    Ok(())
}

/// Makes the folders of all results.
///
/// Errors: options of a job that cannot be meant, before any folder is made.
fn make_folders(jobs: &[Job]) -> Result<(), Failure> {
    for job in jobs {
        resolve::complete(job)?;
    }
    let outputs = jobs.iter().filter_map(|job| job.output.file.as_deref());
    for folder in outputs.filter_map(Path::parent).filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)
            .map_err(|error| anyhow!("cannot make the folder {}: {error}", folder.display()))
            .or_user()?;
    }
    Ok(())
}
