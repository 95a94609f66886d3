//! Checkpoints of a run, and `impasto resume`.
//!
//! A folder with the arguments of the run and the checksums of its inputs (`run.json`), and the session's state as it was last (`state`)
//! and before (`state.before`). A new state is written under a name of its own, and takes its place when it is whole. Who writes there
//! holds a lock (`lock`), which the system takes back when the process ends, however that ends.

use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{env, fs};

use anyhow::{Context, bail};
use clap::{Args, ValueHint};
use impasto::{Options, SavedState, Session, SessionState, picture};

use crate::args::Limits;
use crate::input;
use crate::interrupt::Interrupt;
use crate::progress::Display;
use crate::run_file::Run;
use crate::{Failure, OrFail, config};

const RUN: &str = "run.json";
const STATE: &str = "state";
const BEFORE: &str = "state.before";
const NEW: &str = "state.new";
const LOCK: &str = "lock";

/// Runs that take longer have checkpoints of themselves.
const LONG: Duration = Duration::from_secs(600);

/// Seconds between checkpoints.
pub const EVERY: &str = "60";

/// Writing takes at most one part in as many of the time.
const WRITING_SHARE: u32 = 50;

/// What is kept while a run goes on.
#[derive(Args, Debug)]
#[command(next_help_heading = "Checkpoints")]
pub struct CheckpointArgs {
    /// Keep in the folder DIR what `impasto resume DIR` needs to go on after a crash, a power cut or Ctrl-C; removed when the run has
    /// finished. [default: OUT.checkpoint, for runs of more than ten minutes]
    #[arg(long, value_name = "DIR", conflicts_with = "no_checkpoint", value_hint = ValueHint::DirPath)]
    pub checkpoint: Option<PathBuf>,

    /// Seconds between checkpoints. Where writing them would take more than 2 % of the time, there are fewer.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = EVERY, allow_hyphen_values = true)]
    pub checkpoint_every: Duration,

    /// Keep no checkpoints. [default: off]
    #[arg(long)]
    pub no_checkpoint: bool,

    /// The command line with what impasto.toml adds to it.
    #[arg(skip)]
    pub line: Vec<OsString>,

    /// The run that is to go on.
    #[arg(skip)]
    pub resumed: Option<Resumed>,
}

/// A run that was broken off.
#[derive(Debug)]
pub struct Resumed {
    folder: PathBuf,
    lock: Arc<Lock>,
}

/// The right to write to a folder of checkpoints, until the process ends or this is dropped.
#[derive(Debug)]
struct Lock(#[expect(dead_code, reason = "held for its lock")] File);

impl Lock {
    /// Errors: another process has it.
    fn of(folder: &Path) -> anyhow::Result<Arc<Lock>> {
        let path = folder.join(LOCK);
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.with_context(|| format!("cannot write {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(Arc::new(Lock(file))),
            Err(TryLockError::WouldBlock) => {
                bail!("another process is at work on the run in {}; wait for it, or end it first", folder.display())
            }
            Err(TryLockError::Error(error)) => {
                bail!("cannot lock {}: {error}; name a folder on another disk with --checkpoint", path.display())
            }
        }
    }
}

/// The run that was broken off in `folder`, with what it was planned for; `None` where there is none.
///
/// Errors: another process is at work on it, it is of another command line than `line`, its inputs have changed.
pub fn interrupted(folder: &Path, line: &[OsString]) -> anyhow::Result<Option<(Resumed, Limits)>> {
    if !folder.join(RUN).exists() {
        return Ok(None);
    }
    let lock = Lock::of(folder)?;
    let Some(run) = Run::load(&folder.join(RUN))? else {
        return Ok(None);
    };
    if !run.is_of(line)? {
        bail!(
            "{} holds the checkpoints of a run with other options, or from another folder; give the same, or remove it",
            folder.display()
        );
    }
    run.check_inputs()?;
    Ok(Some((Resumed { folder: folder.to_owned(), lock }, run.limits)))
}

/// Go on with a run that was broken off: the picture is the one of a run that was not, bit for bit.
///
/// The run's inputs have to be where they were, unchanged. On a CPU with other instruction sets set IMPASTO_ISA as the message says; the
/// number of cores does not matter.
#[derive(Args, Debug)]
pub struct ResumeArgs {
    /// The folder of the run's checkpoints: OUT.checkpoint, or what --checkpoint said.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,

    /// Another folder for the photo's features that the memory does not hold, where the run was begun with one.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub scratch: Option<PathBuf>,
}

pub fn seconds(text: &str) -> Result<Duration, &'static str> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.ok_or("needs a number of seconds of at least 0")
}

/// `impasto resume DIR`.
pub fn resume(args: &ResumeArgs) -> Result<(), Failure> {
    let name = args.folder.display();
    let folder = fs::canonicalize(&args.folder).with_context(|| format!("there is no folder {name}")).or_user()?;
    let none = || Failure::User(anyhow::anyhow!("{name} holds no checkpoints: there is no {RUN} in it"));
    if !folder.join(RUN).exists() {
        return Err(none());
    }
    let lock = Lock::of(&folder).or_user()?;
    // Whoever had the lock before may have finished the run.
    let run = Run::load(&folder.join(RUN)).or_user()?.ok_or_else(none)?;
    let scratch = args.scratch.as_deref().map(|folder| {
        fs::canonicalize(folder).with_context(|| format!("there is no folder {}", folder.display())).or_user()
    });
    let scratch = scratch.transpose()?;
    env::set_current_dir(&run.folder)
        .with_context(|| format!("the run was begun in {}, where its files are looked for; put it back", run.folder))
        .or_user()?;
    run.check_inputs().or_user()?;
    let mut limits = run.limits;
    if let Some(folder) = scratch {
        if limits.scratch.is_none() {
            return Err(Failure::User(anyhow::anyhow!(
                "the run in {name} was begun without a file of features, and --scratch has no effect; leave it out"
            )));
        }
        limits.scratch = Some(folder);
    }
    let line = run.arguments.into_iter().map(OsString::from).collect();
    let parsed = config::parse_whole(line).map_err(|error| anyhow::anyhow!("{name}: {}", crate::summary(&error)));
    let (mut cli, matches) = parsed.or_user()?;
    match cli.run_mut() {
        Some((checkpoint, memory)) => {
            checkpoint.resumed = Some(Resumed { folder, lock });
            memory.resumed = Some(limits);
        }
        None => return Err(Failure::User(anyhow::anyhow!("{name} holds no run that has checkpoints"))),
    }
    crate::run(&cli, &matches)
}

/// The checkpoints of a run.
pub struct Checkpoints {
    /// `None`: there are none.
    kept: Option<Kept>,
    display: Display,
    /// How long the run had taken before it was broken off.
    pub seconds_before: f64,
}

struct Kept {
    /// In the words of the command line.
    folder: PathBuf,
    /// `None` before the first checkpoint in a folder that nobody asked for.
    lock: Option<Arc<Lock>>,
    /// What is still to be written to it.
    run: Option<Run>,
    every: Duration,
    last: Instant,
    /// After `last`.
    wait: Duration,
    /// A failure has been told.
    warned: bool,
}

impl Checkpoints {
    /// Takes the session to where its run was broken off, if it was, and gets ready for checkpoints of it, if there are to be any.
    ///
    /// `output`: where the picture goes. `inputs`: every file that is read. `options`: what the session was planned for.
    ///
    /// Errors: a state that cannot be used, a folder asked for that cannot.
    pub fn begin(
        args: &CheckpointArgs,
        output: &Path,
        inputs: &[PathBuf],
        options: &Options,
        session: &mut Session,
        display: Display,
    ) -> anyhow::Result<Checkpoints> {
        let mut checkpoints = Checkpoints::none(display);
        let limits = Limits::of(options, session);
        let kept = |folder: PathBuf, lock, run| {
            let (every, last) = (args.checkpoint_every, Instant::now());
            Some(Kept { folder, lock, run, every, last, wait: every, warned: false })
        };
        if let Some(Resumed { folder, lock }) = &args.resumed {
            remove_parts(folder);
            if let Some(state) = checkpoints.load(folder)? {
                checkpoints.seconds_before = state.elapsed().as_secs_f64();
                session.restore(&state).with_context(|| folder.display().to_string())?;
            }
            checkpoints.kept = kept(folder.clone(), Some(Arc::clone(lock)), None);
        } else if let Some(folder) = &args.checkpoint {
            let run = Run::new(&args.line, inputs, limits)?;
            let lock = begin_in(folder, &run)?;
            checkpoints.kept = kept(folder.clone(), Some(lock), None);
        } else if !args.no_checkpoint && !input::is_stream(output) && session.estimate() > LONG {
            let folder = beside(output);
            match refuse_taken(&folder).and_then(|()| Run::new(&args.line, inputs, limits)) {
                Ok(run) => checkpoints.kept = kept(folder, None, Some(run)),
                Err(error) => checkpoints.display.warn(&format!("the run has no checkpoints: {error:#}")),
            }
        }
        Ok(checkpoints)
    }

    /// None, of a run that is not worth it.
    pub fn none(display: Display) -> Checkpoints {
        Checkpoints { kept: None, display, seconds_before: 0.0 }
    }

    /// The newest state in the folder that is in order; `None` where the run was broken off before the first.
    fn load(&self, folder: &Path) -> anyhow::Result<Option<SavedState>> {
        let load = |name: &str| match SavedState::open(&folder.join(name)) {
            Err(impasto::Error::Missing { .. }) => Ok(None),
            state => state.map(Some),
        };
        match load(STATE) {
            Ok(None) => Ok(load(BEFORE)?),
            Ok(state) => Ok(state),
            Err(error) => match load(BEFORE) {
                Ok(Some(state)) => {
                    self.display.warn(&format!("{error}; the run goes on from the one before it"));
                    Ok(Some(state))
                }
                Ok(None) | Err(_) => bail!("{error}; begin the run anew, into another folder"),
            },
        }
    }

    /// Writes a checkpoint if one is due.
    pub fn update(&mut self, progress: &impasto::Progress<'_>, interrupt: &Interrupt) {
        if self.kept.as_ref().is_some_and(|kept| progress.step > 0 && kept.last.elapsed() >= kept.wait) {
            self.write(&progress.state(), interrupt, "; the run goes on, and tries again");
        }
    }

    /// The run was interrupted, or its picture could not be written: writes a last checkpoint, and says how to go on.
    pub fn leave(&mut self, session: &Session, interrupt: &Interrupt) {
        if self.leave_quietly(session, interrupt) {
            self.say_how_to_go_on("");
        }
    }

    /// The run could not go on: writes a last checkpoint, unless the session has lost what belongs in it, and says how to go on if there is
    /// one.
    pub fn leave_failed(&mut self, session: &Session, interrupt: &Interrupt) {
        if session.is_intact() {
            self.leave_quietly(session, interrupt);
        }
        if self.kept.as_ref().is_some_and(|kept| kept.folder.join(STATE).exists()) {
            self.say_how_to_go_on(" --scratch DIR");
        }
    }

    fn say_how_to_go_on(&self, options: &str) {
        if let Some(kept) = &self.kept {
            self.display.note(&format!("to go on: impasto resume {}{options}", kept.folder.display()));
        }
    }

    /// As [`Checkpoints::leave`], without a word; whether there is a checkpoint to go on from.
    pub fn leave_quietly(&mut self, session: &Session, interrupt: &Interrupt) -> bool {
        self.write(&session.state(), interrupt, "")
    }

    /// Whether there is a new checkpoint now. A failure is told once, with what follows from it, and does not end the run.
    fn write(&mut self, state: &SessionState<'_>, interrupt: &Interrupt, then: &str) -> bool {
        let Some(kept) = &mut self.kept else {
            return false;
        };
        let _undisturbed = interrupt.undisturbed();
        let started = Instant::now();
        let result = kept.write(state);
        kept.last = Instant::now();
        kept.wait = kept.every.max(started.elapsed().saturating_mul(WRITING_SHARE));
        match result {
            Ok(()) => true,
            Err(error) => {
                if !kept.warned {
                    self.display.warn(&format!("no checkpoint: {error:#}{then}"));
                }
                kept.warned = true;
                false
            }
        }
    }

    /// The run has finished: takes its checkpoints away, and the folder, unless something else is in it.
    pub fn remove(&self) {
        let Some(kept) = &self.kept else {
            return;
        };
        remove_parts(&kept.folder);
        for name in [RUN, NEW, STATE, BEFORE, LOCK] {
            let path = kept.folder.join(name);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    self.display.warn(&format!("cannot remove {}: {error}", path.display()));
                }
                _ => {}
            }
        }
        // Fails where it is not empty: what else is there is not ours.
        drop(fs::remove_dir(&kept.folder));
    }
}

impl Kept {
    fn write(&mut self, state: &SessionState<'_>) -> anyhow::Result<()> {
        if let Some(run) = &self.run {
            self.lock = Some(begin_in(&self.folder, run)?);
            self.run = None;
        }
        let [new, current, before] = [NEW, STATE, BEFORE].map(|name| self.folder.join(name));
        state.save(&new)?;
        let moved =
            |from: &Path, to: &Path| fs::rename(from, to).with_context(|| format!("cannot rename {}", from.display()));
        if current.exists() {
            moved(&current, &before)?;
        }
        moved(&new, &current)
    }
}

/// Makes the folder of a run, and takes it into possession.
///
/// Errors: it holds another run, on which another process may be at work.
fn begin_in(folder: &Path, run: &Run) -> anyhow::Result<Arc<Lock>> {
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}; name another with --checkpoint", folder.display()))?;
    let lock = Lock::of(folder)?;
    refuse_taken(folder)?;
    run.save(&folder.join(RUN))?;
    Ok(lock)
}

/// `out.png.checkpoint`.
pub fn beside(output: &Path) -> PathBuf {
    let mut name = output.as_os_str().to_owned();
    name.push(".checkpoint");
    name.into()
}

/// Refuses a folder with the checkpoints of another run.
fn refuse_taken(folder: &Path) -> anyhow::Result<()> {
    if folder.join(RUN).exists() {
        let name = folder.display();
        bail!("{name} holds the checkpoints of a run; go on with `impasto resume {name}`, or remove the folder");
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
