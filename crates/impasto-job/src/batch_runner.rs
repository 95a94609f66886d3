//! Many jobs one after the other: what one cannot do stops no other.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use impasto::picture;

use crate::checkpoint::{self, CheckpointPlan};
use crate::error::{Error, Result, Whose};
use crate::events::Events;
use crate::files::{InputFiles, is_stream, replaced};
use crate::job::inputs::{InitFrom, StyleInput};
use crate::job::{Job, Kind};
use crate::machine::{FeatureCache, Limits, Machine};
use crate::pictures::{self, ReadLimits};
use crate::read_once::ReadOnce;
use crate::report::Report;
use crate::resolve;
use crate::runner::{Destiny, Runner};

/// Does many jobs, which share a network, pictures and statistics of styles.
pub struct BatchRunner {
    jobs: Vec<Job>,
    runner: Runner,
    machine: Machine,
    limits: Limits,
    /// Leave out results that are there, and continue runs that ended early.
    resume: bool,
    /// Keep checkpoints of every picture beside it, however short its run.
    keeps_all: bool,
}

/// What became of a job.
#[derive(Debug)]
pub enum BatchOutcome {
    /// Painted and written.
    Made(Box<Report>),
    /// There already.
    Present,
    /// Not made, and why.
    Failed(Error),
}

impl BatchRunner {
    /// Gets ready for `jobs`. Every style and start is read once, so that a misspelt name is found
    /// before hours of work. `folder`: made before the outputs are checked. The machine is measured
    /// here, once for all jobs.
    ///
    /// Errors: options that cannot be meant, styles that cannot be read, outputs that cannot be
    /// written or that would destroy an input.
    pub fn new(
        mut jobs: Vec<Job>,
        machine: &Machine,
        folder: Option<&Path>,
        events: &mut dyn Events,
    ) -> Result<BatchRunner> {
        let limits = machine.measure();
        for job in &jobs {
            if job.kind == Kind::Sweep {
                return Err(Error::field(
                    "kind",
                    "is sweep, which is many pictures; a list holds single ones, run it alone",
                ));
            }
            resolve::complete(job)?;
            resolve::check_inputs(job)?;
            if let Some((place, _)) = job.inputs.files().into_iter().find(|(_, file)| is_stream(&file.path)) {
                return Err(Error::field(place, "is standard input, which a list of jobs does not read; name a file"));
            }
            if let Some(output) = &job.output.file {
                picture::check_kind(output)?;
                resolve::save_options(&job.output).validate(output)?;
            }
        }
        let mut read_once = ReadOnce::default();
        jobs.iter_mut().try_for_each(|job| read_once.hold(&mut job.inputs))?;
        let mut runner = Runner::sharing();
        read_shared(&jobs, &limits, events)?;
        if let Some(job) = jobs.first() {
            runner.network(job, &limits)?;
        }
        if let Some(folder) = folder {
            make_folder(folder)?;
        }
        check_outputs(&jobs)?;
        Ok(BatchRunner { jobs, runner, machine: machine.clone(), limits, resume: false, keeps_all: false })
    }

    /// Whether results that are there are left out, and runs that ended early are continued.
    #[must_use]
    pub fn resuming(self, resume: bool) -> BatchRunner {
        BatchRunner { resume, ..self }
    }

    /// Whether every picture has checkpoints beside it, however short its run.
    #[must_use]
    pub fn keeping(self, keeps_all: bool) -> BatchRunner {
        BatchRunner { keeps_all, ..self }
    }

    /// The jobs.
    pub fn jobs(&self) -> &[Job] {
        &self.jobs
    }

    /// Does one of the jobs; `None`: the run was asked to stop.
    ///
    /// Errors: the machine failed, as with a full disk. What stood in the way of this picture
    /// stands in that of the next as well.
    pub fn run(&mut self, index: usize, events: &mut dyn Events) -> Result<Option<BatchOutcome>> {
        if events.stop_requested() {
            return Ok(None);
        }
        let job = self.jobs[index].clone();
        if self.resume && job.output.file.as_deref().is_some_and(is_made) {
            return Ok(Some(BatchOutcome::Present));
        }
        match self.paint(&job, events) {
            Ok(report) => Ok(report.map(|report| BatchOutcome::Made(Box::new(report)))),
            Err(error) if error.whose == Whose::User => Ok(Some(BatchOutcome::Failed(error))),
            Err(error) => Err(error),
        }
    }

    fn paint(&mut self, job: &Job, events: &mut dyn Events) -> Result<Option<Report>> {
        let mut machine = self.machine.clone();
        if self.keeps_all {
            machine.checkpoints.checkpoint = job.output.file.as_deref().map(checkpoint::beside);
        }
        let plan = CheckpointPlan::new(&machine);
        let mut resolved = resolve::resolve_within(job, self.limits.clone(), plan)?;
        if self.resume
            && let Some(interrupted) = checkpoint::interrupted(resolved.output()?, &resolved.job)?
        {
            let mut planned = interrupted.manifest.planned.clone();
            // Another folder changes nothing.
            if let (Some(folder), FeatureCache::Folder(asked)) =
                (&mut planned.feature_cache, &self.limits.feature_cache)
            {
                folder.clone_from(asked);
            }
            let plan = resolved.checkpoints.resuming(interrupted);
            resolved = resolve::resolve_within(job, self.machine.measure_resumed(&planned), plan)?;
        }
        let painted = self.runner.paint(&resolved, Destiny::WrittenWhole, events)?;
        Ok(painted.map(|painted| painted.report))
    }
}

/// Reads every style and every start once.
pub(crate) fn read_shared(jobs: &[Job], limits: &Limits, events: &mut dyn Events) -> Result<()> {
    let limits = ReadLimits { memory: limits.memory };
    let mut read: Vec<&StyleInput> = Vec::new();
    for style in jobs.iter().flat_map(|job| &job.inputs.styles) {
        if !read.contains(&style) {
            pictures::load_style(style, limits, events)?;
            read.push(style);
        }
    }
    let mut starts: Vec<&InitFrom> = Vec::new();
    for init in jobs.iter().filter_map(|job| job.inputs.init.as_ref()) {
        if let InitFrom::File(file) = init
            && !starts.contains(&init)
        {
            pictures::load_input(file, limits, events)?;
            starts.push(init);
        }
    }
    Ok(())
}

fn make_folder(folder: &Path) -> Result<()> {
    let name = folder.display();
    if folder.exists() && !folder.is_dir() {
        return Err(Error::user(format!("{name} is a file; give `output` the folder that the results go to")));
    }
    fs::create_dir_all(folder).map_err(|error| Error::user(format!("cannot make the folder {name}: {error}")))
}

/// Refuses outputs that cannot be written, that two jobs have, or that would destroy an input.
fn check_outputs(jobs: &[Job]) -> Result<()> {
    let inputs = InputFiles::new(jobs.iter().flat_map(|job| job.inputs.files()).map(|(_, file)| file.path.as_path()));
    let mut outputs: HashSet<PathBuf> = HashSet::new();
    for job in jobs {
        let missing = || Error::field("output.file", "is missing; name the result");
        let output = job.output.file.as_deref().ok_or_else(missing)?;
        if is_stream(output) {
            return Err(Error::field(
                "output.file",
                "is standard output, which a list of jobs does not write; name a file",
            ));
        }
        // Two spellings of a name are one file.
        if !outputs.insert(replaced(output).unwrap_or_else(|| output.to_owned())) {
            return Err(Error::user(format!("{} is the result of two jobs; rename one", output.display())));
        }
        picture::check_output(output, &resolve::save_options(&job.output))?;
        inputs.refuse_overwriting(output)?;
    }
    Ok(())
}

/// Whether a picture is there. Files are written whole or not at all, so one that can be read is
/// finished.
fn is_made(output: &Path) -> bool {
    output.is_file() && picture::load(output).is_ok()
}
