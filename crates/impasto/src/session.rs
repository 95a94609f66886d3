//! A run, step by step.

use std::borrow::Cow;
use std::fmt;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use rayon::ThreadPool;

use crate::checkpoint::SessionState;
use crate::loss::Losses;
use crate::noise::white_noise;
use crate::optimizer::{Adam, AdamSettings, Lbfgs, LbfgsSettings, Optimizer, Outcome, Preconditioner, history_for};
use crate::regions;
use crate::schedule::{Scale, schedule};
use crate::task::{Task, check_image, thread_pool};
use crate::wrap::resize;
use crate::{Error, Image, Init, Input, Network, OptimizerKind, Options, Padding, Result, Style, Subject};

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

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// All steps are done.
    Completed,
    /// The observer ended it.
    Stopped,
    /// No step lowers the objective any further, or none by enough ([`Options::tolerance`]).
    Converged,
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
    styles: Vec<Style>,
    options: Options,
    pool: ThreadPool,
    scales: Vec<Scale>,
    /// Index into `scales`.
    scale: usize,
    work: Work,
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

/// What belongs to one scale.
struct Work {
    task: Task,
    optimizer: Box<dyn Optimizer>,
    /// The objective at the start of the scale and after each of its steps.
    totals: Vec<f64>,
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
    /// values outside 0..255, masks that leave nothing, styles without weight, statistics that do not fit the run, weights so large that
    /// the loss of the start is not finite, no threads to be had.
    pub fn with_styles(network: &Network, subject: &Subject, styles: &[Style], options: &Options) -> Result<Self> {
        let session_started = Instant::now();
        options.validate()?;
        check_image(Input::Content, &subject.content)?;
        let subject = subject.normalised()?;
        let styles = regions::normalised(styles)?;
        let sizes: Vec<_> = styles.iter().filter_map(Style::size).collect();
        let scales = schedule(&subject.content, &sizes, options)?;
        regions::check_statistics(network, &styles, scales.len(), options)?;
        let point = start(&subject.content, &scales[0], options)?;
        let pool = thread_pool(options.threads)?;
        let (work, losses, evaluation) = pool.install(|| {
            let (mut work, losses) = Work::begin(network, &subject, &styles, options, &scales, 0, &point)?;
            // Once more for the time: the first evaluation unpacks the weights.
            let started = Instant::now();
            work.task.evaluate(point.as_slice(), &mut vec![0.0; point.as_slice().len()]);
            Ok::<_, Error>((work, losses, started.elapsed()))
        })?;
        Ok(Self {
            network: network.clone(),
            subject,
            styles,
            options: options.clone(),
            pool,
            scales,
            scale: 0,
            composed: work.task.composed(point.as_slice()),
            work,
            point,
            losses,
            steps_done: 0,
            evaluation,
            started: session_started,
            elapsed_before: Duration::ZERO,
            finished: None,
        })
    }

    /// What it takes to go on later, in another process say, with [`Session::restore`]. It borrows the arrays.
    pub fn state(&self) -> SessionState<'_> {
        SessionState {
            isa: self.work.task.isa().to_owned(),
            scales: self.scales.clone(),
            scale: self.scale,
            totals: Cow::Borrowed(&self.work.totals),
            point: Cow::Borrowed(self.point.as_slice()),
            optimizer: self.work.optimizer.state(),
            elapsed: self.elapsed(),
            finished: self.finished,
        }
    }

    /// Goes on from a state: from here the run is, bit for bit, the one that the state was taken of. The session has to be made of the same
    /// pictures, options and weights as that one; threads may be others.
    ///
    /// The loss is computed anew, and has to be the one of the state, to the last bit.
    ///
    /// Errors: [`Error::UnfitState`] for the state of another run, or from another instruction set; those of [`Session::new`] at the scale of
    /// the state. The session is as it was then.
    pub fn restore(&mut self, state: SessionState<'static>) -> Result<()> {
        state.check_scales(&self.scales)?;
        let scale = state.scale;
        let Scale { width, height, .. } = self.scales[scale];
        let point = Image::new(width, height, state.point.into_owned());
        let Self { pool, network, subject, styles, options, scales, work, .. } = self;
        let (task, optimizer, losses, evaluation) = pool.install(|| {
            let mut other = match scale == self.scale {
                true => None,
                false => Some(Work::task(network, subject, styles, options, scales, scale)?),
            };
            let task = other.as_mut().unwrap_or(&mut work.task);
            if task.isa() != state.isa {
                return Err(Error::UnfitState { problem: other_isa(&state.isa, task.isa()) });
            }
            let started = Instant::now();
            let (mut optimizer, losses) = Work::optimizer(task, options, &point)?;
            let evaluation = started.elapsed();
            if state.totals.last().map(|total| total.to_bits()) != Some(losses.total.to_bits()) {
                let problem = "the loss of its picture is another here: it is of other pictures, options or weights, or of another version \
                               of impasto"
                    .to_owned();
                return Err(Error::UnfitState { problem });
            }
            optimizer.restore(state.optimizer).map_err(|problem| Error::UnfitState { problem })?;
            Ok((other, optimizer, losses, evaluation))
        })?;
        if let Some(task) = task {
            self.work.task = task;
        }
        self.work.optimizer = optimizer;
        self.work.totals = state.totals.into_owned();
        self.composed = self.work.task.composed(point.as_slice());
        (self.point, self.losses, self.evaluation) = (point, losses, evaluation);
        (self.scale, self.scales) = (scale, state.scales);
        self.steps_done = self.scales[..scale].iter().map(|scale| scale.steps).sum::<usize>() + self.work.steps();
        (self.elapsed_before, self.started) = (state.elapsed, Instant::now());
        self.finished = state.finished;
        Ok(())
    }

    /// How long the run has taken, waiting for the observer included: since the session was made, or since its state was taken, and before.
    pub fn elapsed(&self) -> Duration {
        self.elapsed_before + self.started.elapsed()
    }

    /// One step of the optimiser; `Some` when there is nothing left to do, at once or after this step.
    ///
    /// The first step of a scale takes the targets there first. Errors: those of [`Session::new`] at that scale.
    pub fn step(&mut self) -> Result<Option<StopReason>> {
        if self.finished.is_some() {
            return Ok(self.finished);
        }
        if self.work.steps() == self.scales[self.scale].steps {
            self.refine()?;
        }
        loop {
            let started = Instant::now();
            let Self { pool, work: Work { task, optimizer, totals }, point, composed, losses, .. } = self;
            let mut latest = Losses::default();
            let outcome = pool.install(|| {
                optimizer.step(point.as_mut_slice(), &mut |pixels, gradient| {
                    latest = task.evaluate(pixels, gradient);
                    latest.total
                })
            });
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
            totals.push(losses.total);
            self.steps_done += 1;
            let evaluation = started.elapsed().div_f64(1.0 + OPTIMIZER_SHARE);
            self.evaluation = self.evaluation.mul_f64(1.0 - NEWEST) + evaluation.mul_f64(NEWEST);
            break;
        }
        if self.work.has_converged(self.options.tolerance) {
            if self.is_last_scale() {
                self.finished = Some(StopReason::Converged);
            } else {
                self.end_scale();
            }
        } else if self.is_last_scale() && self.work.steps() == self.scales[self.scale].steps {
            self.finished = Some(StopReason::Completed);
        }
        Ok(self.finished)
    }

    fn is_last_scale(&self) -> bool {
        self.scale + 1 == self.scales.len()
    }

    /// Leaves out the steps that the scale still has.
    fn end_scale(&mut self) {
        self.scales[self.scale].steps = self.work.steps();
    }

    /// On to the next scale, from the picture so far.
    fn refine(&mut self) -> Result<()> {
        let next = self.scale + 1;
        let Scale { width, height, .. } = self.scales[next];
        let point = resize(&self.point, width, height, self.options.padding);
        let Self { pool, network, subject, styles, options, scales, .. } = self;
        let (work, losses) = pool.install(|| Work::begin(network, subject, styles, options, scales, next, &point))?;
        self.evaluation = self.evaluation.mul_f64(cost(&scales[next]) / cost(&scales[self.scale]));
        self.composed = work.task.composed(point.as_slice());
        (self.work, self.losses, self.point, self.scale) = (work, losses, point, next);
        Ok(())
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
                return Ok(StopReason::Stopped);
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
        let here = &self.scales[self.scale];
        let of_steps = |scale: &Scale, steps: usize| steps as f64 * (1.0 + OPTIMIZER_SHARE) * cost(scale);
        let finer = self.scales[self.scale + 1..].iter();
        let later: f64 = finer.map(|scale| of_steps(scale, scale.steps) + EVALUATIONS_A_START * cost(scale)).sum();
        let left = here.steps - self.work.steps();
        self.evaluation.mul_f64((of_steps(here, left) + later) / cost(here))
    }

    /// The picture so far in the content's size: enlarged while the scale is a coarser one.
    pub fn picture(&self) -> Image {
        let content = &self.subject.content;
        let mut picture = resize(&self.point, content.width(), content.height(), self.options.padding);
        self.subject.keep_in(picture.as_mut_slice());
        picture
    }

    fn progress(&self) -> Progress<'_> {
        let later: usize = self.scales[self.scale..].iter().map(|scale| scale.steps).sum();
        Progress {
            step: self.steps_done,
            steps: self.steps_done - self.work.steps() + later,
            scale: self.scale,
            scales: self.scales.len(),
            left: self.estimate(),
            losses: &self.losses,
            image: self.image(),
            session: self,
        }
    }
}

/// Why a state from one instruction set is none for another.
fn other_isa(then: &str, now: &str) -> String {
    format!(
        "it was computed with the instruction set {then}, and the bits of {now} are others; set IMPASTO_ISA={then}, on a CPU that has it"
    )
}

/// What an evaluation costs at a scale, in pixels.
fn cost(scale: &Scale) -> f64 {
    (scale.width * scale.height) as f64 + PIXELS_OF_AN_EVALUATION
}

impl Work {
    /// Takes the targets at a scale and evaluates its start, on the current thread pool.
    fn begin(
        network: &Network,
        subject: &Subject,
        styles: &[Style],
        options: &Options,
        scales: &[Scale],
        scale: usize,
        point: &Image,
    ) -> Result<(Self, Losses)> {
        let mut task = Self::task(network, subject, styles, options, scales, scale)?;
        let (optimizer, losses) = Self::optimizer(&mut task, options, point)?;
        Ok((Self { task, optimizer, totals: vec![losses.total] }, losses))
    }

    /// Takes the targets at a scale.
    fn task(
        network: &Network,
        subject: &Subject,
        styles: &[Style],
        options: &Options,
        scales: &[Scale],
        scale: usize,
    ) -> Result<Task> {
        let Scale { width, height, .. } = scales[scale];
        let halvings = scales.len() - 1 - scale;
        Task::new(
            network,
            subject.resized(width, height, options.padding),
            styles,
            halvings,
            &impasto_engine::Layout::whole(),
            options,
        )
    }

    /// An optimiser that begins at a point, and the losses there.
    fn optimizer(task: &mut Task, options: &Options, point: &Image) -> Result<(Box<dyn Optimizer>, Losses)> {
        let mut gradient = vec![0.0; point.as_slice().len()];
        let losses = task.evaluate(point.as_slice(), &mut gradient);
        if !(losses.total.is_finite() && gradient.iter().all(|g| g.is_finite())) {
            return Err(Error::NotFinite { total: losses.total });
        }
        let optimizer: Box<dyn Optimizer> = match options.optimizer {
            OptimizerKind::Lbfgs => {
                let wraps = options.padding == Padding::Circular;
                let preconditioner = Some(Preconditioner::new(point.width(), point.height(), wraps));
                let history = history_for(gradient.len());
                let settings = LbfgsSettings { history, preconditioner, ..LbfgsSettings::default() };
                Box::new(Lbfgs::new(settings, losses.total, gradient))
            }
            OptimizerKind::Adam => {
                Box::new(Adam::new(AdamSettings::default(), point.as_slice(), losses.total, gradient))
            }
        };
        Ok((optimizer, losses))
    }

    /// Steps done at this scale.
    fn steps(&self) -> usize {
        self.totals.len() - 1
    }

    /// The last steps lowered the objective by less than `tolerance` of it each.
    fn has_converged(&self, tolerance: f64) -> bool {
        let Some(before) = self.steps().checked_sub(TOLERANCE_STEPS).map(|step| self.totals[step]) else {
            return false;
        };
        let now = self.totals[self.steps()];
        before - now < tolerance * TOLERANCE_STEPS as f64 * now
    }
}

/// The picture to start from, of the size of the coarsest scale.
fn start(content: &Image, scale: &Scale, options: &Options) -> Result<Image> {
    let &Scale { width, height, .. } = scale;
    match &options.init {
        Init::Content => Ok(resize(content, width, height, options.padding)),
        Init::Noise => Ok(white_noise(width, height, options.seed)),
        Init::Image(image) => {
            check_image(Input::Init, image)?;
            Ok(resize(image, width, height, options.padding))
        }
    }
}
