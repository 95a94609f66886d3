//! Checkpoints of a run: what it takes to continue after a crash to the identical picture.
//!
//! A checkpoint is a folder. `run.json` is its [manifest](manifest::CheckpointManifest): the job
//! with the checksums of its inputs, the machine, what the run was planned for. `state` is the
//! session's state as it was last, `state.before` the one before that. A new state is written under
//! a name of its own and takes its place once it is whole. Whoever writes there holds a lock, which
//! the system takes back when the process ends, however that ends.
//!
//! A [`CheckpointPlan`] says what is to be kept; a `CheckpointWriter` keeps it. A checkpoint that
//! cannot be written is reported once and does not end the run.

pub(crate) mod lock;
pub mod manifest;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use impasto::picture;
use impasto::{SavedState, Session, SessionState};

use crate::checkpoint::lock::{LOCK, Lock};
use crate::checkpoint::manifest::CheckpointManifest;
use crate::error::{Error, Result};
use crate::events::{Event, Events, while_writing};
use crate::files;
use crate::job::Job;
use crate::job::options::JobOptions;
use crate::machine::{CheckpointOptions, Machine, PlannedFor};

const RUN: &str = "run.json";
const STATE: &str = "state";
const BEFORE: &str = "state.before";
const NEW: &str = "state.new";

/// Runs that take longer have checkpoints without being asked.
const LONG: Duration = Duration::from_secs(600);

/// Writing takes at most one part in as many of the time.
const WRITING_SHARE: u32 = 50;

/// What checkpoints a run is to have.
#[derive(Clone, Debug)]
pub struct CheckpointPlan {
    destination: Destination,
    /// The machine as it was asked for, for the manifest.
    machine: Machine,
}

#[derive(Clone, Debug)]
enum Destination {
    /// Into OUT.checkpoint, if the run is long.
    BesideLongRuns,
    /// Into this folder.
    Folder(PathBuf),
    /// Nowhere.
    Nowhere,
    /// The run continues from what is in a folder, and keeps more there.
    Resumed(Box<Resumed>),
}

/// A run that ended early, and the right to continue it.
#[derive(Clone, Debug)]
pub struct Resumed {
    folder: PathBuf,
    lock: Arc<Lock>,
    /// What it was asked for.
    pub manifest: CheckpointManifest,
}

impl CheckpointPlan {
    /// What a machine asks for.
    pub fn new(machine: &Machine) -> CheckpointPlan {
        let CheckpointOptions { checkpoint, checkpoint_every: _, no_checkpoint } = &machine.checkpoints;
        let destination = match checkpoint {
            _ if *no_checkpoint => Destination::Nowhere,
            Some(folder) => Destination::Folder(folder.clone()),
            None => Destination::BesideLongRuns,
        };
        CheckpointPlan { destination, machine: machine.clone() }
    }

    /// No checkpoints.
    pub fn none() -> CheckpointPlan {
        CheckpointPlan { destination: Destination::Nowhere, machine: Machine::default() }
    }

    /// The same for a run that continues.
    #[must_use]
    pub fn resuming(self, resumed: Resumed) -> CheckpointPlan {
        CheckpointPlan { destination: Destination::Resumed(Box::new(resumed)), ..self }
    }
}

impl Resumed {
    /// The same run, whose inputs and output are now where `job` says. Its checkpoints may have
    /// come from another machine.
    ///
    /// Errors: `job` is another one.
    pub fn moved(mut self, job: &Job) -> Result<Resumed> {
        let manifest = &mut self.manifest;
        let [of_run, of_job] =
            [&manifest.job, job].map(|job| job.inputs.files().into_iter().map(|(_, f)| f.sha256.clone()));
        if !of_run.eq(of_job) {
            return Err(Error::user(format!(
                "{} holds the checkpoints of a run with other inputs; begin the run again",
                self.folder.display()
            )));
        }
        let options = JobOptions { adjust: job.options.adjust.clone(), ..manifest.job.options.clone() };
        if let (Some(cache), Some(output)) = (&mut manifest.planned.feature_cache, &job.output.file) {
            *cache = files::folder_of(output).to_owned();
        }
        manifest.job = Job { options, inputs: job.inputs.clone(), output: job.output.clone(), ..manifest.job.clone() };
        Ok(self)
    }
}

/// Opens a folder of checkpoints, for a run that is to continue.
///
/// Errors: there is no such folder, it holds no checkpoints or damaged ones, another process is at
/// work on it.
pub fn open(folder: &Path) -> Result<Resumed> {
    let name = folder.display();
    let folder = fs::canonicalize(folder).map_err(|_| Error::user(format!("there is no folder {name}")))?;
    let none = || Error::user(format!("{name} holds no checkpoints: there is no {RUN} in it"));
    if !folder.join(RUN).exists() {
        return Err(none());
    }
    let lock = Lock::of(&folder)?;
    // Whoever had the lock before may have finished the run.
    let manifest = CheckpointManifest::load(&folder.join(RUN))?.ok_or_else(none)?;
    Ok(Resumed { folder, lock, manifest })
}

/// The run of a job that ended early, whose checkpoints lie beside its output; `None`: there is
/// none.
///
/// Errors: another process is at work on it, it is of another job, its inputs have changed.
pub(crate) fn interrupted(output: &Path, job: &Job) -> Result<Option<Resumed>> {
    let folder = beside(output);
    if !folder.join(RUN).exists() {
        return Ok(None);
    }
    let lock = Lock::of(&folder)?;
    let Some(manifest) = CheckpointManifest::load(&folder.join(RUN))? else {
        return Ok(None);
    };
    if !manifest.is_of(job)? {
        return Err(Error::user(format!(
            "{} holds the checkpoints of a run with other options, or from another folder; give the same options, or \
             remove it",
            folder.display()
        )));
    }
    manifest.check_inputs()?;
    Ok(Some(Resumed { folder, lock, manifest }))
}

/// Keeps the checkpoints of a run.
pub(crate) struct CheckpointWriter {
    /// `None`: there are none.
    kept: Option<Kept>,
    /// Those of a run that is too short for checkpoints, if it fails.
    kept_if_failed: Option<Kept>,
    /// How long the run had taken before it ended early.
    pub(crate) seconds_before: f64,
}

struct Kept {
    folder: PathBuf,
    /// `None` before the first checkpoint in a folder that nobody asked for.
    lock: Option<Arc<Lock>>,
    /// What is still to be written to it.
    manifest: Option<CheckpointManifest>,
    every: Duration,
    last: Instant,
    /// The next checkpoint comes this long after `last`.
    wait: Duration,
    /// A failure has been reported.
    warned: bool,
    /// Steps of the newest state that was written.
    steps: usize,
}

impl CheckpointWriter {
    /// Takes the session to where its run ended, if it did, and gets ready for checkpoints of it,
    /// if there are to be any. `planned`: what the session was planned for.
    ///
    /// Errors: a state that cannot be used, a folder asked for that cannot.
    pub(crate) fn begin(
        plan: &CheckpointPlan,
        job: &Job,
        planned: PlannedFor,
        session: &mut Session,
        events: &mut dyn Events,
    ) -> Result<CheckpointWriter> {
        let mut writer = CheckpointWriter { kept: None, kept_if_failed: None, seconds_before: 0.0 };
        let kept = |folder: PathBuf, lock, manifest| {
            let (every, last) = (plan.machine.checkpoints.every(), Instant::now());
            Some(Kept { folder, lock, manifest, every, last, wait: every, warned: false, steps: 0 })
        };
        let manifest = || CheckpointManifest::new(job, &plan.machine, planned);
        match &plan.destination {
            Destination::Resumed(resumed) => {
                let Resumed { folder, lock, .. } = &**resumed;
                remove_parts(folder);
                if let Some(state) = newest_state(folder, events)? {
                    writer.seconds_before = state.elapsed().as_secs_f64();
                    session.restore(&state).map_err(|error| Error::from(error).about(folder))?;
                }
                writer.kept = kept(folder.clone(), Some(Arc::clone(lock)), None);
            }
            Destination::Folder(folder) => {
                let lock = begin_in(folder, &manifest()?)?;
                writer.kept = kept(folder.clone(), Some(lock), None);
            }
            Destination::BesideLongRuns => {
                let output = job.output.file.as_deref().filter(|output| !files::is_passed_on(output));
                if let Some(output) = output {
                    let (folder, is_long) = (beside(output), session.estimate() > LONG);
                    match refuse_taken(&folder).and_then(|()| manifest()) {
                        Ok(manifest) if is_long => writer.kept = kept(folder, None, Some(manifest)),
                        Ok(manifest) => writer.kept_if_failed = kept(folder, None, Some(manifest)),
                        Err(error) if is_long => warn(events, format!("the run has no checkpoints: {error}")),
                        Err(_) => {}
                    }
                }
            }
            Destination::Nowhere => {}
        }
        Ok(writer)
    }

    /// Writes a checkpoint if one is due.
    pub(crate) fn update(&mut self, progress: &impasto::Progress<'_>, events: &mut dyn Events) {
        if self.kept.as_ref().is_some_and(|kept| progress.step > 0 && kept.last.elapsed() >= kept.wait) {
            self.write(&progress.state(), events, "; the run continues, and tries again");
        }
    }

    /// The run ended early, or its picture could not be written: writes a last checkpoint, and
    /// tells how to continue.
    pub(crate) fn leave(&mut self, session: &Session, events: &mut dyn Events) {
        if self.leave_quietly(session, events) {
            self.tell_how_to_resume(events, false);
        }
    }

    /// The run failed: writes a last checkpoint of the steps before the failure, even of a run that
    /// was too short for checkpoints. If that works, or there is an earlier checkpoint, tells how
    /// to continue. `needs_feature_cache`: it failed for want of room there.
    pub(crate) fn leave_failed(&mut self, session: &Session, needs_feature_cache: bool, events: &mut dyn Events) {
        if self.kept.is_none() {
            self.kept = self.kept_if_failed.take().filter(|_| session.steps_done() > 0);
        }
        if session.is_intact() {
            self.leave_quietly(session, events);
        }
        if self.kept.as_ref().is_some_and(|kept| kept.folder.join(STATE).exists()) {
            self.tell_how_to_resume(events, needs_feature_cache);
        }
    }

    fn tell_how_to_resume(&self, events: &mut dyn Events, needs_feature_cache: bool) {
        if let Some(Kept { folder, .. }) = &self.kept {
            events.event(Event::CanResume { folder: folder.clone(), needs_feature_cache });
        }
    }

    /// As [`CheckpointWriter::leave`], without a word; whether there is a checkpoint to continue
    /// from.
    pub(crate) fn leave_quietly(&mut self, session: &Session, events: &mut dyn Events) -> bool {
        self.write(&session.state(), events, "")
    }

    /// Whether there is a checkpoint of this state or a later one now. A failure is reported once,
    /// with what follows from it.
    fn write(&mut self, state: &SessionState<'_>, events: &mut dyn Events, then: &str) -> bool {
        let Some(kept) = &mut self.kept else {
            return false;
        };
        let started = Instant::now();
        let result = while_writing(events, || kept.write(state));
        kept.last = Instant::now();
        kept.wait = kept.every.max(started.elapsed().saturating_mul(WRITING_SHARE));
        match result {
            Ok(()) => {
                events.event(Event::Checkpoint { folder: kept.folder.clone() });
                true
            }
            Err(error) => {
                if !kept.warned {
                    warn(events, format!("no checkpoint: {error}{then}"));
                }
                kept.warned = true;
                false
            }
        }
    }

    /// The run has finished: removes its checkpoints, and the folder, unless something else is in
    /// it.
    pub(crate) fn remove(&self, events: &mut dyn Events) {
        let Some(Kept { folder, .. }) = &self.kept else {
            return;
        };
        remove_parts(folder);
        for name in [RUN, NEW, STATE, BEFORE, LOCK] {
            let path = folder.join(name);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    warn(events, format!("cannot remove {}: {error}", path.display()));
                }
                _ => {}
            }
        }
        // Fails if the folder is not empty: what else is there is not ours.
        drop(fs::remove_dir(folder));
    }
}

impl Kept {
    fn write(&mut self, state: &SessionState<'_>) -> Result<()> {
        // A session whose card has failed may be at an earlier state than it was.
        if state.steps_done() < self.steps {
            return Ok(());
        }
        if let Some(manifest) = &self.manifest {
            self.lock = Some(begin_in(&self.folder, manifest)?);
            self.manifest = None;
        }
        let [new, current, before] = [NEW, STATE, BEFORE].map(|name| self.folder.join(name));
        state.save(&new)?;
        let rename = |from: &Path, to: &Path| {
            fs::rename(from, to).map_err(|error| Error::program(format!("cannot rename {}: {error}", from.display())))
        };
        if current.exists() {
            rename(&current, &before)?;
        }
        rename(&new, &current)?;
        self.steps = state.steps_done();
        Ok(())
    }
}

fn warn(events: &mut dyn Events, text: String) {
    events.event(Event::Warning { about: None, text });
}

/// The newest state in the folder that is in order; `None`: the run ended before the first.
fn newest_state(folder: &Path, events: &mut dyn Events) -> Result<Option<SavedState>> {
    let load = |name: &str| match SavedState::open(&folder.join(name)) {
        Err(impasto::Error::Missing { .. }) => Ok(None),
        state => state.map(Some),
    };
    match load(STATE) {
        Ok(None) => Ok(load(BEFORE)?),
        Ok(state) => Ok(state),
        Err(error) => match load(BEFORE) {
            Ok(Some(state)) => {
                warn(events, format!("{error}; the run continues from the state before it"));
                Ok(Some(state))
            }
            Ok(None) | Err(_) => Err(Error::user(format!("{error}; begin the run again, with another folder"))),
        },
    }
}

/// Makes the folder of a run, and takes it into possession.
///
/// Errors: it holds another run, on which another process may be at work.
fn begin_in(folder: &Path, manifest: &CheckpointManifest) -> Result<Arc<Lock>> {
    fs::create_dir_all(folder).map_err(|error| {
        let name = folder.display();
        Error::user(format!("cannot make the folder {name}: {error}; name another with `checkpoint`"))
    })?;
    let lock = Lock::of(folder)?;
    refuse_taken(folder)?;
    manifest.save(&folder.join(RUN))?;
    Ok(lock)
}

/// `out.png.checkpoint`.
pub(crate) fn beside(output: &Path) -> PathBuf {
    let mut name = output.as_os_str().to_owned();
    name.push(".checkpoint");
    name.into()
}

/// Refuses a folder with the checkpoints of another run.
fn refuse_taken(folder: &Path) -> Result<()> {
    if folder.join(RUN).exists() {
        let name = folder.display();
        return Err(Error::user(format!(
            "{name} holds the checkpoints of a run; continue it with `impasto resume {name}`, or remove the folder"
        )));
    }
    Ok(())
}

/// Removes what a process that was killed while it wrote has left.
fn remove_parts(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if picture::is_part(&entry.path()) {
            // It takes room, and does no other harm.
            drop(fs::remove_file(entry.path()));
        }
    }
}
