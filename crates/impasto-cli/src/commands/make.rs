//! Doing a job at a terminal. Every command that makes one picture comes to this.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use impasto_job::job::{Job, Kind};
use impasto_job::machine::Machine;
use impasto_job::report::Report;
use impasto_job::resolve::{self, Resolved};
use impasto_job::sweep_runner::SweepReport;
use impasto_job::{files, runner, sweep_runner};

use crate::args::{Maker, OnlyArgs, PictureArgs, ReportArgs, with_inputs};
use crate::config::{self, ConfigArgs, configured};
use crate::failure::{Failure, OrFail};
use crate::report;
use crate::terminal::Terminal;
use crate::text::{self, duration, number, table};

/// Pictures that a command line names. The outer `None`: the command has no such name.
pub struct NamedInputs<'a> {
    /// What the help calls the content, and its path.
    pub content: Option<(&'a str, Option<&'a PathBuf>)>,
    /// The path of the style. `--style` can take its place.
    pub style: Option<Option<&'a PathBuf>>,
}

/// What a command that makes one picture does: completes its options with those of the
/// configuration file, and prints them or makes the picture.
pub fn run(maker: Maker, names: NamedInputs<'_>, picture: &PictureArgs, config: &ConfigArgs) -> Result<(), Failure> {
    let NamedInputs { content, style } = names;
    let named_style = style.flatten();
    let picture = configured(maker, config, picture.clone(), named_style.is_some()).or_user()?;
    if config.print_config {
        return text::print(&config::printed(maker, &picture).or_user()?);
    }
    let content_name = content.map(|(name, path)| (name, path.is_some()));
    let style_name = style.map(|path| ("STYLE", path.is_some() || !picture.styles.styles.is_empty()));
    let needed: Vec<(&str, bool)> = content_name.into_iter().chain(style_name).collect();
    check_names(&needed, &picture)?;
    let styles = picture.style_inputs(named_style).or_user()?;
    let job = with_inputs(picture.job(maker.kind()), content.and_then(|(_, path)| path), styles);
    make(&job, &picture.machine(), &picture.only, &picture.report)
}

/// Makes the picture of a job and reports; or prints the job or its plan, if only that is asked
/// for.
pub fn make(job: &Job, machine: &Machine, only: &OnlyArgs, report: &ReportArgs) -> Result<(), Failure> {
    if only.dry_run {
        resolve::complete(job)?;
        return text::print(&text::json(job)?);
    }
    if job.kind == Kind::Sweep {
        return sheet(job, machine, report);
    }
    make_resolved(&resolve::resolve(job, machine)?, only, report)
}

/// As [`make`], for a job that is resolved.
pub fn make_resolved(resolved: &Resolved, only: &OnlyArgs, report: &ReportArgs) -> Result<(), Failure> {
    let mut terminal = Terminal::single(report.quiet)?;
    if only.plan {
        let plan = runner::plan(resolved, &mut terminal)?;
        return text::print(&if report.json { text::json(&plan)? } else { report::plan_text(&plan) });
    }
    let done = runner::run(resolved, &mut terminal)?;
    tell(resolved.output()?, &done, report)
}

/// Prints the report of a picture: to stderr if stdout has the picture itself.
fn tell(output: &Path, done: &Report, report: &ReportArgs) -> Result<(), Failure> {
    let text = if report.json {
        text::json(done)?
    } else if report.quiet {
        return Ok(());
    } else {
        report::report_text(done)
    };
    print_beside(output, &text)
}

fn print_beside(output: &Path, text: &str) -> Result<(), Failure> {
    if files::is_stdout(output) {
        text::print_aside(text);
        return Ok(());
    }
    text::print(text)
}

/// Makes the sheet of a sweep and reports.
fn sheet(job: &Job, machine: &Machine, report: &ReportArgs) -> Result<(), Failure> {
    let mut terminal = Terminal::many(report.quiet)?;
    let display = terminal.display();
    let mut note =
        |number: usize, of: usize, caption: &str| display.note(&format!("picture {number} of {of}: {caption}"));
    let swept = sweep_runner::run(job, machine, &mut note, &mut terminal)?;
    let text = if report.json {
        text::json(&swept)?
    } else if report.quiet {
        return Ok(());
    } else {
        sheet_text(&swept)
    };
    print_beside(&swept.output, &text)
}

fn sheet_text(swept: &SweepReport) -> String {
    let SweepReport { output, size: [width, height], pictures, seconds, .. } = swept;
    let mut rows = Vec::new();
    for picture in pictures {
        let losses = [("content", picture.report.content_in_units), ("style", picture.report.style_in_units)];
        for (name, value) in losses {
            rows.push([picture.caption.clone(), name.to_owned(), number(value.unwrap_or(f64::NAN))]);
        }
    }
    let output = output.display();
    format!("{output}: {width}x{height} px, {} pictures, {}\n{}", pictures.len(), duration(*seconds), table(&rows))
}

/// Refuses a command line on which names are missing: `names` are those that are needed, and
/// whether they are there. The result's name is always needed.
pub fn check_names(names: &[(&str, bool)], picture: &PictureArgs) -> Result<(), Failure> {
    let output = ("--output", picture.output.file.is_some());
    let missing = names.iter().copied().chain([output]).filter(|(_, is_there)| !is_there);
    let missing: Vec<&str> = missing.map(|(name, _)| name).collect();
    let text = match missing.as_slice() {
        [] => return Ok(()),
        [name] => format!("{name} is missing"),
        [names @ .., last] => format!("{} and {last} are missing", names.join(", ")),
    };
    Err(Failure::User(anyhow!("{text}; see `impasto --help`")))
}
