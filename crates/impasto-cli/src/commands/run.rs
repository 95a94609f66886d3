//! `impasto run JOB.json`: a picture from its job.

use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::Args;
use impasto_job::error::Error;
use impasto_job::files;
use impasto_job::job::Job;
use impasto_job::machine::{CheckpointOptions, Compute, FeatureCacheOptions, Machine};
use serde_json::Value;

use crate::args::{OnlyArgs, ReportArgs};
use crate::commands::batch::{Many, make_all};
use crate::commands::make::make;
use crate::failure::{Failure, OrFail};

const EXAMPLES: &str = "\
Examples:
  impasto photo.jpg painting.jpg -o out.png --strength 70 --dry-run > job.json
  impasto run job.json
      The job of a command line as a file, and the picture made from it.
  impasto batch photos/*.jpg --style painting.jpg -o painted --dry-run | impasto run -
      A list of jobs, done one after the other.
  impasto run job.json --threads 4 --memory 8GiB
      A job says nothing of the machine: that is said here.

`impasto schema` prints what a job may hold. Paths in a job are relative to the current folder.";

/// Make the picture of a job, which is a JSON file.
///
/// Every command that makes a picture prints its job with --dry-run. A list of jobs is done as a batch.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub struct RunArgs {
    /// The job: a JSON object, or a list of them. `-` reads standard input.
    #[arg(value_name = "JOB.json")]
    pub job: PathBuf,

    /// Leave out results of a list that are there, and continue runs that ended early.
    #[arg(long)]
    pub resume: bool,

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
    let RunArgs { job, resume, compute, feature_cache, checkpoints, only, report } = args;
    let name = job.display();
    let text = if files::is_stream(job) {
        let mut text = String::new();
        io::stdin().lock().read_to_string(&mut text).context("cannot read standard input").or_user()?;
        text
    } else {
        fs::read_to_string(job).with_context(|| format!("cannot read {name}")).or_user()?
    };
    let in_file = |error: Error| anyhow!("{name}: {error}");
    let machine =
        Machine { compute: compute.clone(), feature_cache: feature_cache.clone(), checkpoints: checkpoints.clone() };
    if !text.trim_start().starts_with('[') {
        let job = Job::from_json(&text).map_err(in_file).or_user()?;
        return make(&job, &machine, only, report).map_err(|failure| failure.in_job_file(&name.to_string()));
    }
    let list: Vec<Value> = serde_json::from_str(&text).map_err(|error| anyhow!("{name}: {error}")).or_user()?;
    let mut jobs = Vec::new();
    for (i, value) in list.iter().enumerate() {
        let job = Job::from_json_value(value).map_err(|error| anyhow!("{name}: job {}: {error}", i + 1));
        jobs.push(job.or_user()?);
    }
    let many = Many { resume: *resume, checkpoints: false, folder: None };
    make_all(jobs, &machine, many, only, report).map_err(|failure| failure.in_job_file(&name.to_string()))
}
