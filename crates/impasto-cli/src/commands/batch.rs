//! `impasto batch PHOTOS... --style STYLES... -o FOLDER`: every photo with every style.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Args;
use impasto_job::batch_runner::{BatchOutcome, BatchRunner};
use impasto_job::expand;
use impasto_job::job::output::Output;
use impasto_job::job::paths::AnyPath;
use impasto_job::job::{Job, Kind};
use impasto_job::report::Report;
use impasto_job::resolve;
use serde::Serialize;
use serde_with::serde_as;

use crate::args::{BatchOptions, Maker, PictureArgs, ReportArgs};
use crate::commands::make::check_names;
use crate::config::{self, ConfigArgs, configured};
use crate::failure::{Failure, OrFail};
use crate::report::report_line;
use crate::terminal::Terminal;
use crate::text;
use crate::wording::wording;

const EXAMPLES: &str = "\
Examples:
  impasto batch photos/*.jpg --style painting.jpg -o painted
      Every photo: painted/beach-painting.png, painted/street-painting.png ...
  impasto batch beach.jpg street.jpg --style a.jpg b.jpg -o painted --format jpeg --strength 70
      Four pictures: each photo with each style.
  impasto batch photos/*.jpg --style painting.jpg -o painted --resume
      Those that are not there yet.

A photo that cannot be painted is left out. The others are made, those that failed are listed at the end, and the exit status is 1. \
With --colors luminance and --colors matched a style depends on its photo and is looked at again for each; otherwise once for each size.

Ctrl-C (or SIGTERM) ends the batch after the current step. The picture that is not finished is left out. If it has checkpoints, as \
pictures of more than ten minutes have, --resume continues it; if not, --resume makes it again. The exit status is 130.";

/// Paint every photo with every style, each a picture of its own: FOLDER/PHOTO-STYLE.png.
///
/// The pictures are those of single runs with the same options. The network is read once, and a
/// style is looked at once.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
#[command(override_usage = "impasto batch [OPTIONS] <PHOTO>... --style <FILE>... --output <FOLDER>")]
pub struct BatchArgs {
    /// The pictures to be painted (PNG, JPEG, TIFF, WebP, HEIC, AVIF, JPEG XL).
    #[arg(value_name = "PHOTO")]
    pub photos: Vec<PathBuf>,

    #[command(flatten)]
    pub picture: PictureArgs,

    #[command(flatten)]
    pub config: ConfigArgs,
}

/// What became of one of the pictures, for JSON.
#[serde_as]
#[derive(Serialize)]
struct BatchLine<'a> {
    /// Its place among all, from 1.
    number: usize,
    /// How many there are.
    of: usize,
    #[serde_as(as = "AnyPath")]
    photo: PathBuf,
    #[serde_as(as = "AnyPath")]
    style: PathBuf,
    #[serde(flatten)]
    outcome: PictureOutcome<'a>,
}

#[serde_as]
#[derive(Serialize)]
#[serde(tag = "result", rename_all = "lowercase")]
enum PictureOutcome<'a> {
    /// Painted and written.
    Made(&'a Report),
    /// There already.
    Present {
        #[serde_as(as = "AnyPath")]
        output: PathBuf,
    },
    /// Not made, and why.
    Failed {
        #[serde_as(as = "AnyPath")]
        output: PathBuf,
        error: String,
    },
}

/// Makes the pictures and reports each.
pub fn run(args: &BatchArgs) -> Result<(), Failure> {
    let picture = configured(Maker::Batch, &args.config, args.picture.clone(), false).or_user()?;
    if args.config.print_config {
        return text::print(&config::printed(Maker::Batch, &picture).or_user()?);
    }
    let folder = picture.output.file.clone().unwrap_or_default();
    make_all(jobs(args, &picture)?, Some(&folder), &picture)
}

/// The jobs of a batch whose options are complete.
pub fn jobs(args: &BatchArgs, picture: &PictureArgs) -> Result<Vec<Job>, Failure> {
    let names = [("PHOTO", !args.photos.is_empty()), ("--style", !picture.styles.styles.is_empty())];
    check_names(&names, picture)?;
    let styles = picture.style_inputs(None).or_user()?;
    let folder = picture.output.file.clone().unwrap_or_default();
    let template = picture.job(Kind::Transfer);
    let template = Job { output: Output { file: None, ..template.output }, ..template };
    Ok(expand::batch::jobs(&template, &args.photos, &styles, &folder)?)
}

/// Does many jobs and reports each; or prints them, if only that is asked for. `folder` is made
/// first. Of `options`, those count that are not part of a job.
pub fn make_all(jobs: Vec<Job>, folder: Option<&Path>, options: &PictureArgs) -> Result<(), Failure> {
    let PictureArgs { batch, only, report, .. } = options;
    if only.dry_run {
        for job in &jobs {
            resolve::complete(job)?;
        }
        return text::print(&text::json(&jobs)?);
    }
    let BatchOptions { resume, checkpoints } = *batch;
    let machine = options.machine();
    let mut terminal = Terminal::many(report.quiet)?;
    let mut runner = BatchRunner::new(jobs, &machine, folder, &mut terminal)?.resuming(resume).keeping(checkpoints);
    terminal.start();
    let of = runner.jobs().len();
    let mut failures = Vec::new();
    let mut done = 0;
    let result = loop {
        if done == of {
            break Ok(());
        }
        match runner.run(done, &mut terminal) {
            Ok(Some(outcome)) => {
                let output = runner.jobs()[done].output.file.clone().unwrap_or_default();
                if let BatchOutcome::Failed(error) = &outcome {
                    failures.push(format!("{}: {}", output.display(), wording(error)));
                }
                tell(&runner.jobs()[done], (done + 1, of), &outcome, report)?;
                done += 1;
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(Failure::from(error)),
        }
    };
    failures.iter().for_each(|failure| text::print_error(failure));
    result?;
    let failed = failures.len();
    if done < of {
        let there = done - failed;
        return Err(Failure::Interrupted(anyhow!(
            "interrupted: {there} of {of} pictures are there; --resume makes the rest"
        )));
    }
    if failed > 0 {
        return Err(Failure::Program(anyhow!("{failed} of {of} pictures could not be made")));
    }
    Ok(())
}

/// A line on stdout about one of the pictures.
fn tell(job: &Job, (number, of): (usize, usize), outcome: &BatchOutcome, report: &ReportArgs) -> Result<(), Failure> {
    let output = job.output.file.clone().unwrap_or_default();
    if report.json {
        let outcome = match outcome {
            BatchOutcome::Made(report) => PictureOutcome::Made(report),
            BatchOutcome::Present => PictureOutcome::Present { output },
            BatchOutcome::Failed(error) => PictureOutcome::Failed { output, error: wording(error) },
        };
        let photo = job.inputs.content.as_ref().map(|content| content.path.clone()).unwrap_or_default();
        let style = job.inputs.styles.first().map(|style| style.file.path.clone()).unwrap_or_default();
        return text::print(&text::json_line(&BatchLine { number, of, photo, style, outcome })?);
    }
    if report.quiet {
        return Ok(());
    }
    let what = match outcome {
        BatchOutcome::Made(report) => report_line(report),
        BatchOutcome::Present => format!("{}: there already", output.display()),
        BatchOutcome::Failed(_) => format!("{}: failed", output.display()),
    };
    text::print(&format!("{number} of {of}  {what}\n"))
}
