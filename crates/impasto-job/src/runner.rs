//! The one run loop: from a resolved job to a picture in a file.
//!
//! [`run`] does one job. A [`Runner`] does several and keeps the network between them. Whatever
//! kind a job is of, its steps are the same: read the inputs, make a session, step and tell, keep
//! checkpoints, write the picture, report.

use std::io::{self, Write};
use std::mem;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use impasto::picture::{self, SaveOptions};
use impasto::{Image, Init, Network, Session, StopReason};

use crate::checkpoint::CheckpointWriter;
use crate::content::Content;
use crate::device::{self, TakenDevice};
use crate::error::{Error, OrWhose, Result};
use crate::events::{Event, Events, LivePicture, Step, while_writing};
use crate::files;
use crate::job::values::{Adjustment, Count};
use crate::job::{Job, Kind};
use crate::machine::{Limits, PlannedFor};
use crate::pictures;
use crate::plan::Plan;
use crate::prepared::Prepared;
use crate::report::{Report, ReportedScale};
use crate::resolve::{self, Resolved};
use crate::shared_inputs::SharedInputs;
use crate::snapshots::Snapshots;

/// Does one job: makes its picture, writes it and reports. A run that is asked to stop writes the
/// picture that it has.
///
/// Errors: inputs that do not go with each other, a run that finds no step, an output that cannot
/// be written.
pub fn run(resolved: &Resolved, events: &mut dyn Events) -> Result<Report> {
    Runner::default().run(resolved, events)
}

/// What a job takes, without doing any of it. The inputs are read, and a small picture is evaluated
/// to learn how fast the machine is.
///
/// Errors: as [`run`], before the first evaluation.
pub fn plan(resolved: &Resolved, events: &mut dyn Events) -> Result<Plan> {
    Runner::default().plan(resolved, events)
}

/// Does jobs one after the other.
#[derive(Default)]
pub struct Runner {
    /// The last network, with the file that it is from and the device that it is on.
    network: Option<(Option<PathBuf>, Network, TakenDevice)>,
    /// What the jobs share; `None`: nothing but the network.
    shared: Option<SharedInputs>,
}

/// A session that is ready for its first step.
struct Begun {
    prepared: Prepared,
    session: Session,
    network: Network,
    device: TakenDevice,
    plan: Plan,
    start_loss: f64,
}

/// A picture that was made, and how.
pub struct Painted {
    /// In the result's size and colours.
    pub image: Image,
    /// How it is written as a file, with what goes with it.
    pub save: SaveOptions,
    /// What the run says at its end.
    pub report: Report,
}

/// What a run does with its picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Destiny {
    /// It is written, even that of a run that was asked to stop.
    Written,
    /// It is written, unless the run was asked to stop.
    WrittenWhole,
    /// The caller takes it, unless the run was asked to stop.
    Taken,
}

impl Runner {
    /// A runner whose jobs share pictures and statistics: for many jobs with few photos and styles.
    pub(crate) fn sharing() -> Runner {
        Runner { network: None, shared: Some(SharedInputs::default()) }
    }

    /// A runner for jobs without a file of weights, which are evaluated by this network. What the
    /// machine says of the device has no effect.
    pub fn with_network(network: Network) -> Result<Runner> {
        let identity = network.identity()?.to_owned();
        let device = TakenDevice { name: identity.clone(), identity, why: None };
        Ok(Runner { network: Some((None, network, device)), shared: None })
    }

    /// As [`run`].
    pub fn run(&mut self, resolved: &Resolved, events: &mut dyn Events) -> Result<Report> {
        let painted = self.paint(resolved, Destiny::Written, events)?;
        painted.map(|painted| painted.report).ok_or_else(|| Error::interrupted("interrupted"))
    }

    /// Does one job and hands the picture to the caller, who writes it; `None`: the run was asked to
    /// stop, and its checkpoint has what was done.
    ///
    /// Errors: as [`run`], except for those of writing.
    pub fn take(&mut self, resolved: &Resolved, events: &mut dyn Events) -> Result<Option<Painted>> {
        self.paint(resolved, Destiny::Taken, events)
    }

    /// As [`plan`].
    pub fn plan(&mut self, resolved: &Resolved, events: &mut dyn Events) -> Result<Plan> {
        let job = &resolved.job;
        let (network, device) = self.network(job, &resolved.limits)?;
        let prepared = Prepared::new(resolved, &network, self.shared.as_mut(), events)?;
        let run = prepared.plan(job, &network)?;
        let time = run.estimate(&network)?;
        Ok(Plan::of_run(job.output.file.as_deref(), &run, time, prepared.numerics.memory, &device))
    }

    /// Makes the picture of a job; `None`: the run was asked to stop, and its picture is not wanted
    /// then.
    pub(crate) fn paint(
        &mut self,
        resolved: &Resolved,
        destiny: Destiny,
        events: &mut dyn Events,
    ) -> Result<Option<Painted>> {
        let started = Instant::now();
        let Begun { mut prepared, mut session, network, device, plan, start_loss } = self.begin(resolved, events)?;
        prepared.leave_styles();
        if let Some(shared) = &mut self.shared {
            shared.make_room(session.memory().peak, prepared.numerics.memory);
        }
        events.event(Event::Planned(plan));
        tell_notes(&network, events);
        let job = &resolved.job;
        let planned = planned_for(&prepared, &session, resolved, &device);
        let mut checkpoints = CheckpointWriter::begin(&resolved.checkpoints, job, planned, &mut session, events)?;
        tell_notes(&network, events);
        let mut snapshots = snapshots(resolved, &prepared)?;
        let mut made = Vec::new();
        let reason = Steps {
            network: &network,
            prepared: &prepared,
            checkpoints: &mut checkpoints,
            snapshots: snapshots.as_mut(),
            destiny,
            adjusted: &mut made,
        }
        .run(&mut session, events);
        events.event(Event::Ended);
        // Losses that are no numbers are in the options or the pictures; a batch goes on with the
        // next.
        let reason = match reason {
            Err(impasto::Error::FeatureCache { .. }) => {
                checkpoints.leave_failed(&session, true, events);
                reason.or_program()?
            }
            Err(impasto::Error::Device { .. }) => {
                checkpoints.leave_failed(&session, false, events);
                reason.or_program()?
            }
            reason => reason?,
        };
        if reason == StopReason::Interrupted && destiny != Destiny::Written {
            checkpoints.leave_quietly(&session, events);
            return Ok(None);
        }
        check_start_left(&prepared, &session)?;
        prepared.note_adjustments(resolved, network.identity()?, &made)?;
        let image = prepared.result(&session);
        let written = match destiny {
            Destiny::Taken => Ok(()),
            Destiny::Written | Destiny::WrittenWhole => write(resolved.output()?, &image, &prepared.save, events),
        };
        if reason == StopReason::Interrupted || written.is_err() {
            checkpoints.leave(&session, events);
        } else {
            checkpoints.remove(events);
        }
        written?;
        snapshots.as_ref().map_or(Ok(()), Snapshots::check)?;
        let seconds = checkpoints.seconds_before + started.elapsed().as_secs_f64();
        let saved = snapshots.map(|snapshots| snapshots.saved).unwrap_or_default();
        let report = report(job, &prepared, &session, &device, reason, seconds, start_loss);
        let report = Report { saved: (job.kind == Kind::Transfer).then_some(saved), ..report };
        Ok(Some(Painted { image, save: prepared.save, report }))
    }

    /// The content of a job at the size that it is worked on.
    pub(crate) fn content(&mut self, resolved: &Resolved, events: &mut dyn Events) -> Result<Content> {
        match &mut self.shared {
            Some(shared) => shared.content(resolved, events),
            None => Content::read(resolved, events),
        }
    }

    /// Reads the inputs and makes the session.
    fn begin(&mut self, resolved: &Resolved, events: &mut dyn Events) -> Result<Begun> {
        let job = &resolved.job;
        let (network, device) = self.network(job, &resolved.limits)?;
        let prepared = Prepared::new(resolved, &network, self.shared.as_mut(), events)?;
        let session = prepared.session(job, &network)?;
        let plan = Plan::of_session(job.output.file.as_deref(), &session, prepared.numerics.memory, &device);
        let start_loss = session.losses().total;
        Ok(Begun { prepared, session, network, device, plan, start_loss })
    }

    /// The network of a job on its device. All jobs of a runner have the same limits.
    pub(crate) fn network(&mut self, job: &Job, limits: &Limits) -> Result<(Network, TakenDevice)> {
        let weights = &job.inputs.weights;
        if let Some((known, network, device)) = &self.network
            && known.as_ref() == weights.as_ref().map(|file| &file.path)
        {
            return Ok((network.clone(), device.clone()));
        }
        let (network, device) = device::taken(&pictures::network(weights.as_ref())?, limits)?;
        let known = weights.as_ref().map(|file| file.path.clone());
        self.network = Some((known, network.clone(), device.clone()));
        Ok((network, device))
    }
}

/// What a session was planned for.
fn planned_for(prepared: &Prepared, session: &Session, resolved: &Resolved, device: &TakenDevice) -> PlannedFor {
    PlannedFor {
        device: device.identity.clone(),
        device_memory: resolved.limits.device_memory,
        memory: prepared.numerics.memory,
        threads: session.memory().threads,
        feature_cache: prepared.numerics.feature_cache.clone(),
    }
}

/// The pictures in between that a job asks for.
fn snapshots<'a>(resolved: &'a Resolved, prepared: &Prepared) -> Result<Option<Snapshots<'a>>> {
    let Some(every) = resolved.job.output.save_every.map(Count::get) else {
        return Ok(None);
    };
    Ok(Some(Snapshots::new(every, resolved.output()?, &prepared.save, prepared.numerics.steps)))
}

/// Tells what has happened to the device since the last call.
fn tell_notes(network: &Network, events: &mut dyn Events) {
    for text in network.take_notes() {
        events.event(Event::Warning { about: None, text });
    }
}

/// What is done after every step of a run.
struct Steps<'a, 'b> {
    network: &'a Network,
    prepared: &'a Prepared,
    checkpoints: &'a mut CheckpointWriter,
    snapshots: Option<&'a mut Snapshots<'b>>,
    destiny: Destiny,
    /// What was adjusted on the way.
    adjusted: &'a mut Vec<Adjustment>,
}

impl Steps<'_, '_> {
    /// Steps until there is nothing left to do or the run is asked to stop.
    fn run(mut self, session: &mut Session, events: &mut dyn Events) -> impasto::Result<StopReason> {
        let mut is_seen = false;
        loop {
            let mut adjustment = None;
            let reason = session.run(&mut |progress: &impasto::Progress<'_>| {
                // A session that goes on shows its last step again.
                if mem::take(&mut is_seen) {
                    return ControlFlow::Continue(());
                }
                if self.update(progress, events).is_break() {
                    return ControlFlow::Break(());
                }
                adjustment = events.adjustment();
                if adjustment.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?;
            match adjustment {
                Some(adjustment) if reason == StopReason::Interrupted => self.adjust(adjustment, session, events),
                _ => return Ok(reason),
            }
            is_seen = true;
        }
    }

    fn update(&mut self, progress: &impasto::Progress<'_>, events: &mut dyn Events) -> ControlFlow<()> {
        let prepared = self.prepared;
        tell_notes(self.network, events);
        events.event(Event::Step(Step::new(progress, prepared.numerics.objective)));
        events.picture(&LivePicture { progress, finish: &|image| prepared.finish(image) });
        if let Some(snapshots) = &mut self.snapshots {
            snapshots.update(progress, |image| prepared.finish(image), events);
        }
        self.checkpoints.update(progress, events);
        // At the start there is no picture yet that would be worth writing.
        let may_stop = progress.step > 0 || self.destiny != Destiny::Written;
        if may_stop && events.stop_requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Changes the weights of the session. The run goes on as it is if that cannot be.
    fn adjust(&mut self, wanted: Adjustment, session: &mut Session, events: &mut dyn Events) {
        let Adjustment { strength, tv_weight, .. } = wanted;
        let objective = self.prepared.numerics.objective;
        let made = resolve::adjustments(&[wanted], objective).and_then(|adjustments| {
            let [impasto::Adjustment { content_weight, tv_weight, .. }] = adjustments[..] else {
                return Err(Error::program("one adjustment came to several"));
            };
            Ok(session.adjust(content_weight, tv_weight)?)
        });
        match made {
            Ok(impasto::Adjustment { step, .. }) => {
                let made = Adjustment { step, strength, tv_weight };
                self.adjusted.push(made);
                events.event(Event::Adjusted { adjustment: made });
            }
            Err(error) => events.event(Event::Warning { about: None, text: error.to_string() }),
        }
    }
}

/// Refuses the end of a run that has found no step from its start, if there is a loss to lower: its
/// picture would be the start. The photo itself is a result: a strength of 0 asks for little else.
fn check_start_left(prepared: &Prepared, session: &Session) -> Result<()> {
    let total = session.losses().total;
    if prepared.numerics.init == Init::Content || session.steps_done() > 0 || total <= 0.0 {
        return Ok(());
    }
    Err(Error::user(format!(
        "no step reduced the starting loss ({total:e}), so nothing was written; change the loss weights"
    )))
}

/// Writes a picture to where it is to go.
pub(crate) fn write(output: &Path, image: &Image, save: &SaveOptions, events: &mut dyn Events) -> Result<()> {
    let save_with = || picture::save_with(output, image, save).or_program();
    if !files::is_passed_on(output) {
        return while_writing(events, save_with);
    }
    // Nothing is left behind if the run ends here, and the reader of a pipe may never come.
    if !files::is_stream(output) {
        return save_with();
    }
    let mut stdout = io::stdout().lock();
    picture::write(image, Path::new("standard output"), save, &mut stdout).or_program()?;
    stdout.flush().map_err(|error| Error::program(format!("cannot write the picture to standard output: {error}")))
}

/// What a run says at its end.
fn report(
    job: &Job,
    prepared: &Prepared,
    session: &Session,
    device: &TakenDevice,
    reason: StopReason,
    seconds: f64,
    start_loss: f64,
) -> Report {
    let (losses, numerics) = (session.losses(), &prepared.numerics);
    let is_transfer = job.kind == Kind::Transfer;
    let of_transfer = |value: f64| is_transfer.then_some(value);
    Report {
        output: job.output.file.clone().unwrap_or_default(),
        size: prepared.size.into(),
        steps: session.steps_done(),
        steps_wanted: numerics.steps,
        stopped: reason,
        seconds,
        device: device.identity.clone(),
        content_loss: of_transfer(losses.content_loss()),
        content_loss_by_layer: losses.content.as_slice().into(),
        style_loss: losses.style.as_slice().into(),
        strokes_loss: losses.strokes.as_slice().into(),
        tv: losses.tv,
        total_loss: losses.total,
        start_loss: (!is_transfer).then_some(start_loss),
        objective: is_transfer.then_some(numerics.objective),
        content_in_units: of_transfer(losses.content_in_units()),
        style_in_units: of_transfer(losses.style_in_units()),
        scales: session.scales().iter().map(ReportedScale::from).collect(),
        seed: numerics.seed,
        saved: None,
    }
}
