//! `impasto submit`: putting jobs into the queue of a studio.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::{Args, Command, FromArgMatches};
use impasto_job::job::Job;
use impasto_studio::submit;

use crate::args::Maker;
use crate::commands::batch::{self, BatchArgs};
use crate::commands::run;
use crate::commands::studio::PlaceArgs;
use crate::config::configured;
use crate::failure::{Failure, OrFail};
use crate::text;

const EXAMPLES: &str = "\
Examples:
  impasto photo.jpg painting.jpg -o out.png --strength 70 --dry-run | impasto submit -
      The job of a command line, in the queue of the studio on this machine.
  impasto submit job.json --database postgres://me:secret@db/impasto --store s3://pictures
      In the queue of that studio.
  impasto submit --batch photos/*.jpg --style painting.jpg -o painted --strength 70
      Every photo, with the arguments of `impasto batch`. They stand last.

The studio keeps the results. What it is told of --output is only the format.";

/// Put jobs into the queue of a studio. The studio need not run.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub struct SubmitArgs {
    /// A job, or a list of them, as JSON. `-` reads standard input.
    #[arg(value_name = "JOB.json", required_unless_present = "batch")]
    pub job: Option<PathBuf>,

    /// Submit a batch: what follows are the arguments of `impasto batch`.
    #[arg(long, num_args = 1.., allow_hyphen_values = true, value_name = "ARGUMENT", conflicts_with = "job")]
    pub batch: Option<Vec<OsString>>,

    /// Jobs with a larger number go first, -100 to 100.
    #[arg(long, value_name = "N", default_value_t = 0, allow_hyphen_values = true)]
    #[arg(value_parser = clap::value_parser!(i64).range(-100..=100))]
    pub priority: i64,

    /// Print one JSON object a job instead of text.
    #[arg(long, help_heading = "Reporting")]
    pub json: bool,

    #[command(flatten)]
    pub place: PlaceArgs,
}

/// Puts the jobs into the queue, and names each.
pub fn run(args: &SubmitArgs) -> Result<(), Failure> {
    let jobs = match (&args.batch, &args.job) {
        (Some(batch), _) => batch_jobs(batch)?,
        (None, Some(file)) => {
            let text = run::read(file).or_user()?;
            let jobs = if text.trim_start().starts_with('[') {
                run::jobs_of(&text)
            } else {
                Job::from_json(&text).map(|job| vec![job]).map_err(Into::into)
            };
            jobs.with_context(|| file.display().to_string()).or_user()?
        }
        (None, None) => return Err(Failure::User(anyhow!("JOB.json is missing; see `impasto submit --help`"))),
    };
    let mut failed = Ok(());
    let submitted = submit::submit(&args.place.place()?, &jobs, args.priority, |job| {
        let line = if args.json { text::json(job) } else { Ok(format!("{}  {}\n", job.id, job.title)) };
        let printed = line.and_then(|line| text::print(&line));
        if failed.is_ok() {
            failed = printed;
        }
    });
    submitted.or_user()?;
    failed
}

/// What clap says of an error, without the usage that follows.
fn first_paragraph(error: &clap::Error) -> String {
    let message = error.render().to_string();
    let message = message.strip_prefix("error: ").unwrap_or(&message);
    message.lines().map(str::trim).take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The jobs of the arguments of `impasto batch`.
fn batch_jobs(arguments: &[OsString]) -> Result<Vec<Job>, Failure> {
    let command = Maker::Batch.adapt(BatchArgs::augment_args(Command::new("batch").no_binary_name(true)));
    let parsed = command.try_get_matches_from(arguments).and_then(|matches| BatchArgs::from_arg_matches(&matches));
    let args = parsed.map_err(|error| anyhow!("--batch: {}", first_paragraph(&error))).or_user()?;
    let picture = configured(Maker::Batch, &args.config, args.picture.clone(), false).or_user()?;
    batch::jobs(&args, &picture)
}
