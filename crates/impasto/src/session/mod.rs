//! A run, step by step.

pub(crate) mod memory;
pub(crate) mod position;
pub(crate) mod scale_setup;
pub(crate) mod schedule;
pub(crate) mod state;
pub(crate) mod subject;
pub(crate) mod task;

use std::borrow::Cow;
use std::fmt;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use impasto_engine::Image;
use rayon::ThreadPool;

use crate::checks::check_image;
use crate::error::{Error, PictureRole, Result};
use crate::loss::losses::Losses;
use crate::network::Network;
use crate::optimizer::state::OptimizerState;
use crate::optimizer::step::Outcome;
use crate::options::Options;
use crate::session::memory::{MemoryPlan, Needs, ScalePlan};
use crate::session::position::{SchedulePosition, StopReason};
use crate::session::scale_setup::{RestoredScale, ScaleSetup, ScaleState, start};
use crate::session::schedule::{Scale, schedule};
use crate::session::state::{SavedState, SessionState};
use crate::session::subject::Subject;
use crate::style::regions;
use crate::style::source::Style;
use crate::threads::thread_pool;
use crate::torus::resize;

/// What an observer sees after a step.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// Steps done; 0 = the start.
    pub step: usize,
    /// Steps that there will be at most: fewer once a scale has converged before its end.
    pub steps: usize,
    /// The scale that the picture is worked on at; 0 = the coarsest.
    pub scale: usize,
    /// How many scales there are.
    pub scales: usize,
    /// [`Session::estimate`] of the time that the rest takes.
    pub left: Duration,
    /// Losses of `image`.
    pub losses: &'a Losses,
    /// The picture so far, of the size of its scale, values in 0..255.
    pub image: &'a Image,
    session: &'a Session,
}

impl<'a> Progress<'a> {
    /// [`Session::state`] after this step.
    pub fn state(&self) -> SessionState<'a> {
        self.session.state()
    }
}

/// Watches a run and may end it.
pub trait Observer {
    /// Called with the start and after every step; `Break` ends the run.
    fn update(&mut self, progress: &Progress<'_>) -> ControlFlow<()>;
}

impl<F: FnMut(&Progress<'_>) -> ControlFlow<()>> Observer for F {
    fn update(&mut self, progress: &Progress<'_>) -> ControlFlow<()> {
        self(progress)
    }
}

/// A picture being made: content, style and options go in, every step brings the picture closer to
/// `argmin alpha · content + beta · style + tv_weight · TV`, eqs. (4) and (5), each loss in the unit of the
/// [`Objective`](crate::Objective).
///
/// It is worked on from coarse to fine ([`Session::scales`]): each scale starts from the result of the one before, and has both pictures
/// in its size. [`image`](Session::image) and [`losses`](Session::losses) are those of the best picture found at the scale, its start
/// included: with either optimiser the objective of a scale never ends above its start. Pixel values are finite and in 0..255 at
/// all times.
pub struct Session {
    network: Network,
    subject: Subject,
    /// Empty once the last targets are taken: pictures take memory.
    styles: Vec<Style>,
    options: Options,
    pool: ThreadPool,
    scales: Vec<Scale>,
    /// Index into `scales`.
    scale: usize,
    /// `None` once a scale could not be begun, the session being at the end of the one before, or begun again.
    work: Option<ScaleState>,
    /// The objective at the start of the scale and after each of its steps.
    totals: Vec<f64>,
    plan: MemoryPlan,
    /// What the bits of the losses depend on; empty when no loss looks at a feature map.
    identity: String,
    /// What the optimiser works on.
    point: Image,
    /// The picture that it stands for, where parts of the content are kept; else it is the picture.
    composed: Option<Image>,
    losses: Losses,
    steps_done: usize,
    /// What one evaluation takes at the current scale.
    evaluation: Duration,
    /// Since when the session is at work; the time before a restored state was taken counts.
    started: Instant,
    elapsed_before: Duration,
    finished: Option<StopReason>,
    is_intact: bool,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scales, scale, steps_done, finished, .. } = self;
        f.debug_struct("Session")
            .field("scales", scales)
            .field("scale", scale)
            .field("steps_done", steps_done)
            .field("finished", finished)
            .finish_non_exhaustive()
    }
}

/// Steps over which [`Options::tolerance`] looks back.
const TOLERANCE_STEPS: usize = 10;

/// Evaluations that the start of a scale takes: a forward pass each for style and content, their targets, and the start itself.
const EVALUATIONS_A_START: f64 = 2.0;

/// Pixels that take as long as what an evaluation costs at any size, transforming the filters above all. Measured at 256 and 512 px.
const PIXELS_OF_AN_EVALUATION: f64 = 8_400.0;

/// What a step takes besides its evaluation, as a part of it.
const OPTIMIZER_SHARE: f64 = 0.03;

/// How much the newest step counts in what an evaluation is taken to cost.
const NEWEST: f64 = 0.1;

impl Session {
    /// [`Session::with_styles`] for all of one content picture and one style picture.
    ///
    /// The result has the content's size; the style has any ([`prepare`](crate::prepare) brings both to size).
    pub fn new(network: &Network, content: &Image, style: &Image, options: &Options) -> Result<Self> {
        Self::with_styles(network, &content.into(), &[style.into()], options)
    }

    /// Takes the targets at the coarsest scale, makes the start and evaluates it, all on a thread pool of its own.
    ///
    /// Errors: options that cannot be meant, pictures without pixels, too small for a layer or for the scales asked for, or with
    /// values outside 0..255, masks that leave nothing, styles without weight, statistics that do not fit the run, a size that does not
    /// fit [`Options::memory`], weights so large that the loss of the start is not finite, no threads to be had, a file of features that
    /// cannot be written to [`Options::feature_cache`].
    pub fn with_styles(network: &Network, subject: &Subject, styles: &[Style], options: &Options) -> Result<Self> {
        let session_started = Instant::now();
        options.validate()?;
        check_image(PictureRole::Content, &subject.content)?;
        let subject = subject.normalised()?;
        let styles = regions::normalised(styles)?;
        let sizes: Vec<_> = styles.iter().filter_map(Style::size).collect();
        let leave_something = |halvings, size| regions::leave_something(&subject, &styles, size, halvings, options);
        let scales = schedule(&subject.content, &sizes, options, &leave_something)?;
        regions::check_statistics(network, &styles, scales.len(), options)?;
        let point = start(&subject.content, &scales[0], options)?;
        let pool = thread_pool(options.threads)?;
        let needs = Needs {
            options,
            content: (subject.content.width(), subject.content.height()),
            masks: [&subject.opacity, &subject.keep].into_iter().flatten().count()
                + styles.iter().filter(|style| style.region.is_some()).count(),
            styles: sizes,
            threads: options.planned_threads(pool.current_num_threads()),
        };
        let plan = needs.plan(&scales)?;
        let begun = ScaleSetup { network, subject: &subject, styles: &styles, options, scales: &scales, plan: &plan };
        let (work, losses, evaluation) = pool.install(|| {
            let (mut work, losses) = begun.work(0, &point)?;
            // Once more for the time: the first evaluation unpacks the weights.
            let started = Instant::now();
            work.task.evaluate(point.as_slice(), &mut vec![0.0; point.as_slice().len()])?;
            Ok::<_, Error>((work, losses, started.elapsed()))
        })?;
        let mut session = Self {
            network: network.clone(),
            subject,
            styles,
            options: options.clone(),
            pool,
            scales,
            scale: 0,
            composed: work.task.composed(point.as_slice()),
            identity: work.task.identity().to_owned(),
            work: Some(work),
            totals: vec![losses.total],
            plan,
            point,
            losses,
            steps_done: 0,
            evaluation,
            started: session_started,
            elapsed_before: Duration::ZERO,
            finished: None,
            is_intact: true,
        };
        session.leave_styles();
        Ok(session)
    }

    /// Gives the styles back once nothing is taken from them any more.
    fn leave_styles(&mut self) {
        if self.is_last_scale() {
            self.styles = vec![];
        }
    }

    /// What it takes to go on later, in another process say, with [`Session::restore`]. It borrows the arrays.
    pub fn state(&self) -> SessionState<'_> {
        SessionState {
            place: SchedulePosition {
                identity: self.identity.clone(),
                scales: self.scales.clone(),
                scale: self.scale,
                totals: Cow::Borrowed(&self.totals),
                elapsed: self.elapsed(),
                finished: self.finished,
            },
            point: self.point.as_slice(),
            optimizer: match &self.work {
                Some(work) => work.optimizer.state(),
                // The next scale begins without a memory.
                None => OptimizerState::empty(self.plan.scales[self.scale].optimizer, self.point.as_slice()),
            },
        }
    }

    /// Goes on from a state: from here the run is, bit for bit, the one that the state was taken of. The session has to be made of the same
    /// pictures, options and weights as that one; threads may be others.
    ///
    /// The loss is computed anew, and has to be the one of the state, to the last bit. What the optimiser remembers is given back before that
    /// of the state is read.
    ///
    /// Errors: [`Error::UnfitState`] for the state of another run, from another instruction set, or of a coarser scale where the session is at
    /// the last, which has left the styles behind; those of [`Session::new`] at the scale of the state; a file that cannot be read any more.
    /// The session then has the picture that it had, from which its optimiser begins anew; unless it could not be evaluated again, and there are no
    /// more steps.
    pub fn restore(&mut self, saved: &SavedState) -> Result<()> {
        let place = saved.place();
        place.check_scales(&self.scales)?;
        if self.identity != place.identity {
            return Err(Error::UnfitState { problem: other_identity(&place.identity, &self.identity) });
        }
        let scale = place.scale;
        let ScalePlan { optimizer, history, .. } = self.plan.scales[scale];
        saved.check_optimizer(optimizer, history)?;
        let here = self.scale;
        if scale != here && self.is_last_scale() {
            let problem =
                "it is of a coarser scale, and the session is at the last; take it up in a new session".to_owned();
            return Err(Error::UnfitState { problem });
        }
        let Self { pool, network, subject, styles, options, scales, plan, work, .. } = self;
        let begin = ScaleSetup { network, subject, styles, options, scales, plan };
        let mut task = work.take().map(|work| work.task).filter(|_| scale == here);
        let restored = pool.install(|| {
            let mut there = task.take().map_or_else(|| begin.task(scale), Ok)?;
            match begin.restored(scale, &mut there, saved) {
                Ok(restored) => Ok((there, restored)),
                Err(error) => {
                    task = Some(there).filter(|_| scale == here);
                    Err(error)
                }
            }
        });
        let (task, RestoredScale { optimizer, losses, point, evaluation }) = match restored {
            Ok(restored) => restored,
            Err(error) => {
                let work = pool.install(|| {
                    let mut task = task.map_or_else(|| begin.task(here), Ok)?;
                    let (optimizer, _) = begin.optimizer(here, &mut task, &self.point)?;
                    Ok::<_, Error>(ScaleState { task, optimizer })
                });
                (self.work, self.is_intact) = (work.ok(), false);
                return Err(error);
            }
        };
        let place = place.clone();
        self.composed = task.composed(point.as_slice());
        self.work = Some(ScaleState { task, optimizer });
        self.totals = place.totals.into_owned();
        (self.point, self.losses, self.evaluation) = (point, losses, evaluation);
        (self.scale, self.scales) = (scale, place.scales);
        self.steps_done = self.scales[..scale].iter().map(|scale| scale.steps).sum::<usize>() + self.steps_here();
        (self.elapsed_before, self.started) = (place.elapsed, Instant::now());
        (self.finished, self.is_intact) = (place.finished, true);
        self.leave_styles();
        Ok(())
    }

    /// How long the run has taken, waiting for the observer included: since the session was made, or since its state was taken, and before.
    pub fn elapsed(&self) -> Duration {
        self.elapsed_before + self.started.elapsed()
    }

    /// One step of the optimiser; `Some` when there is nothing left to do, at once or after this step.
    ///
    /// The first step of a scale takes the targets there first. Errors: those of [`Session::new`] at that scale; a file of features that
    /// cannot be read any more. The session has the best picture still ([`Session::is_intact`]).
    pub fn step(&mut self) -> Result<Option<StopReason>> {
        if self.finished.is_some() {
            return Ok(self.finished);
        }
        if self.steps_here() == self.scales[self.scale].steps {
            self.refine()?;
        } else if self.work.is_none() {
            let problem = "the session could not go back to where it was before; make a new one".to_owned();
            return Err(Error::UnfitState { problem });
        }
        loop {
            let started = Instant::now();
            let Self { pool, work, point, composed, losses, .. } = self;
            let ScaleState { task, optimizer } = work.as_mut().expect("a scale has been begun");
            let mut latest = Ok(Losses::default());
            let outcome = pool.install(|| {
                optimizer.step(point.as_mut_slice(), &mut |pixels, gradient| {
                    // A point that cannot be evaluated is none that the optimiser stays at.
                    if latest.is_ok() {
                        latest = task.evaluate(pixels, gradient);
                    }
                    latest.as_ref().map_or(f64::NAN, |losses| losses.total)
                })
            });
            // What the optimiser remembers is of points that were never evaluated.
            self.is_intact &= latest.is_ok();
            let latest = latest?;
            match outcome {
                Outcome::Improved => (*losses, *composed) = (latest, task.composed(point.as_slice())),
                Outcome::NotImproved => {}
                Outcome::Stuck if self.is_last_scale() => {
                    self.finished = Some(StopReason::Converged);
                    return Ok(self.finished);
                }
                Outcome::Stuck => {
                    self.end_scale();
                    self.refine()?;
                    continue;
                }
            }
            self.totals.push(self.losses.total);
            self.steps_done += 1;
            let evaluation = started.elapsed().div_f64(1.0 + OPTIMIZER_SHARE);
            self.evaluation = self.evaluation.mul_f64(1.0 - NEWEST) + evaluation.mul_f64(NEWEST);
            break;
        }
        if self.has_converged() {
            if self.is_last_scale() {
                self.finished = Some(StopReason::Converged);
            } else {
                self.end_scale();
            }
        } else if self.is_last_scale() && self.steps_here() == self.scales[self.scale].steps {
            self.finished = Some(StopReason::Completed);
        }
        Ok(self.finished)
    }

    /// Whether a state taken now is the one of a run in which nothing failed: not after a step that could not be evaluated, or a state that was
    /// not taken up.
    pub fn is_intact(&self) -> bool {
        self.is_intact
    }

    fn is_last_scale(&self) -> bool {
        self.scale + 1 == self.scales.len()
    }

    /// Leaves out the steps that the scale still has.
    fn end_scale(&mut self) {
        self.scales[self.scale].steps = self.steps_here();
    }

    /// On to the next scale, from the picture so far.
    fn refine(&mut self) -> Result<()> {
        let next = self.scale + 1;
        let Scale { width, height, .. } = self.scales[next];
        // Given back first, so that the two scales are never there together.
        self.work = None;
        let point = resize(&self.point, width, height, self.options.padding);
        let Self { pool, network, subject, styles, options, scales, plan, .. } = self;
        let begin = ScaleSetup { network, subject, styles, options, scales, plan };
        let (work, losses) = pool.install(|| begin.work(next, &point))?;
        self.evaluation = self.evaluation.mul_f64(self.cost(next) / self.cost(self.scale));
        self.composed = work.task.composed(point.as_slice());
        self.totals = vec![losses.total];
        (self.work, self.losses, self.point, self.scale) = (Some(work), losses, point, next);
        self.leave_styles();
        Ok(())
    }

    /// Steps done at this scale.
    fn steps_here(&self) -> usize {
        self.totals.len() - 1
    }

    /// The last steps lowered the objective by less than [`Options::tolerance`] of it each.
    fn has_converged(&self) -> bool {
        let Some(before) = self.steps_here().checked_sub(TOLERANCE_STEPS).map(|step| self.totals[step]) else {
            return false;
        };
        let now = self.totals[self.steps_here()];
        before - now < self.options.tolerance * TOLERANCE_STEPS as f64 * now
    }

    /// What an evaluation costs at a scale, in pixels.
    fn cost(&self, scale: usize) -> f64 {
        let Scale { width, height, .. } = self.scales[scale];
        ((width * height) as f64 + PIXELS_OF_AN_EVALUATION) * self.plan.scales[scale].work
    }

    /// Steps until there is nothing left to do or the observer ends it. The observer sees the start first, then every step.
    ///
    /// A run that was ended can be taken up again.
    pub fn run(&mut self, observer: &mut dyn Observer) -> Result<StopReason> {
        loop {
            let wish = observer.update(&self.progress());
            if let Some(reason) = self.finished {
                return Ok(reason);
            }
            if wish.is_break() {
                return Ok(StopReason::Interrupted);
            }
            let steps_before = self.steps_done;
            // A step that leads nowhere is not one to look at.
            if let Some(reason) = self.step()?
                && self.steps_done == steps_before
            {
                return Ok(reason);
            }
        }
    }

    /// The picture so far, of the size of the current scale, values in 0..255.
    pub fn image(&self) -> &Image {
        self.composed.as_ref().unwrap_or(&self.point)
    }

    /// Losses of [`image`](Session::image), at the current scale.
    pub fn losses(&self) -> &Losses {
        &self.losses
    }

    /// Steps done so far, at all scales.
    pub fn steps_done(&self) -> usize {
        self.steps_done
    }

    /// The sizes that the picture is worked on at, coarsest first; the last is the content's. A scale that has converged early has
    /// the steps that it took.
    pub fn scales(&self) -> &[Scale] {
        &self.scales
    }

    /// How long the rest takes, by what evaluations have taken: at most, for a scale that converges early takes less.
    pub fn estimate(&self) -> Duration {
        let of_steps = |scale: usize, steps: usize| steps as f64 * (1.0 + OPTIMIZER_SHARE) * self.cost(scale);
        let finer = self.scale + 1..self.scales.len();
        let later: f64 = finer.map(|i| of_steps(i, self.scales[i].steps) + EVALUATIONS_A_START * self.cost(i)).sum();
        let left = self.scales[self.scale].steps - self.steps_here();
        self.evaluation.mul_f64((of_steps(self.scale, left) + later) / self.cost(self.scale))
    }

    /// Width and height of the content, which are the result's, in pixels.
    pub fn content_size(&self) -> (usize, usize) {
        (self.subject.content.width(), self.subject.content.height())
    }

    /// What the run takes of the machine's memory, and what is done so that it fits.
    pub fn memory(&self) -> &MemoryPlan {
        &self.plan
    }

    /// The picture so far in the content's size: enlarged while the scale is a coarser one.
    pub fn picture(&self) -> Image {
        let content = &self.subject.content;
        let mut picture = resize(&self.point, content.width(), content.height(), self.options.padding);
        if self.subject.keep.is_some() {
            self.subject.keep_in(picture.as_mut_slice());
        }
        picture
    }

    fn progress(&self) -> Progress<'_> {
        let later: usize = self.scales[self.scale..].iter().map(|scale| scale.steps).sum();
        Progress {
            step: self.steps_done,
            steps: self.steps_done - self.steps_here() + later,
            scale: self.scale,
            scales: self.scales.len(),
            left: self.estimate(),
            losses: &self.losses,
            image: self.image(),
            session: self,
        }
    }
}

/// Why a run cannot go on where the bits of its losses are others.
fn other_identity(then: &str, now: &str) -> String {
    let differs = format!("it was computed on {then}, whose bits differ from those of {now}");
    match then.strip_prefix("cpu ") {
        Some(isa) => format!("{differs}; set IMPASTO_ISA={isa}, on a CPU that has it"),
        None => format!("{differs}; continue it there"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::white_noise;
    use crate::options::{OptimizerKind, Scales};

    #[test]
    fn a_session_between_two_scales_can_be_taken_up() {
        let network = Network::embedded().unwrap();
        let [content, style] = [1, 2].map(|seed| white_noise(48, 40, seed));
        for optimizer in [OptimizerKind::Lbfgs, OptimizerKind::Adam] {
            let options = Options { optimizer, scales: Scales::Count(2), steps: 4, ..Options::default() };
            let session = || Session::new(&network, &content, &style, &options).unwrap();
            let mut whole = session();
            whole.run(&mut |_: &Progress<'_>| ControlFlow::Continue(())).unwrap();

            let mut broken = session();
            while broken.steps_here() < broken.scales[0].steps {
                broken.step().unwrap();
            }
            // As a scale that could not be begun leaves it.
            broken.work = None;
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("state");
            broken.state().save(&path).unwrap();
            let mut resumed = session();
            resumed.restore(&SavedState::open(&path).unwrap()).unwrap();
            for session in [&mut broken, &mut resumed] {
                session.run(&mut |_: &Progress<'_>| ControlFlow::Continue(())).unwrap();
                assert!(session.image() == whole.image(), "{optimizer:?}");
            }
        }
    }
}
