//! A run, step by step.
//!
//! A [`Session`] owns everything that a run needs: the pictures, the plan of its memory, a pool of
//! threads, and the state of the current scale. It makes one step at a time, so the caller decides
//! when to stop, what to show, and when to save. It prints nothing and writes no file, except for
//! the features that its memory does not hold.
//!
//! A run goes from coarse to fine. At each scale a `Task` says how good a picture is, and an
//! optimiser improves the picture. When a scale ends, its result is enlarged and starts the next
//! one. The pieces are in the files of this folder; this one puts them together.
//!
//! ```
//! use impasto::{Network, Options, Scales, Session};
//! # use impasto::Image;
//!
//! # fn main() -> impasto::Result<()> {
//! # let [content, style] = [[200.0, 90.0, 30.0], [20.0, 60.0, 180.0]].map(|colour| Image::filled(32, 32, colour));
//! let options = Options { steps: 2, scales: Scales::Count(1), ..Options::default() };
//! let mut session = Session::new(&Network::embedded()?, &content, &style, &options)?;
//! let start = session.losses().total;
//! while session.step()?.is_none() {
//!     println!("step {}: {:e}", session.steps_done(), session.losses().total);
//! }
//! assert!(session.losses().total <= start);
//! # Ok(())
//! # }
//! ```

mod adjusting;
pub(crate) mod anchor;
pub(crate) mod blueprint;
pub(crate) mod memory;
pub(crate) mod position;
mod recovery;
mod restore;
pub(crate) mod scale_setup;
pub(crate) mod schedule;
pub(crate) mod state;
pub(crate) mod subject;
pub(crate) mod summands;
pub(crate) mod task;
pub(crate) mod time;

use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::fmt;
use std::mem;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use impasto_engine::Image;
use rayon::ThreadPool;

use crate::error::{Error, Result};
use crate::loss::losses::Losses;
use crate::network::Network;
use crate::optimizer::state::OptimizerState;
use crate::optimizer::step::Outcome;
use crate::options::Options;
use crate::session::anchor::Anchor;
use crate::session::blueprint::Blueprint;
use crate::session::memory::plan::MemoryPlan;
use crate::session::position::{SchedulePosition, StopReason};
use crate::session::scale_setup::{Minimiser, ScaleSetup, ScaleState, evaluated, start};
use crate::session::schedule::{RENEWAL, Scale};
use crate::session::state::SessionState;
use crate::session::subject::Subject;
use crate::session::task::Task;
use crate::session::time::{EvaluationTime, RunCost};
use crate::style::source::Style;
use crate::torus::resize;

/// What an observer sees after a step.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// Steps done. 0 is the start.
    pub step: usize,
    /// Most steps that there will be. There are fewer if a scale converges before its end.
    pub steps: usize,
    /// The scale that the picture is worked on at. 0 is the coarsest.
    pub scale: usize,
    /// How many scales there are.
    pub scales: usize,
    /// Estimated time of the rest: [`Session::estimate`].
    pub left: Duration,
    /// Losses of the picture so far.
    pub losses: &'a Losses,
    /// Width and height of the picture so far in pixels: those of its scale.
    pub size: (usize, usize),
    session: &'a Session,
}

impl<'a> Progress<'a> {
    /// Returns the picture so far: [`Session::image`].
    pub fn image(&self) -> &'a Image {
        self.session.image()
    }

    /// Returns [`Session::state`] after this step.
    pub fn state(&self) -> SessionState<'a> {
        self.session.state()
    }
}

/// Watches a run, and may end it.
pub trait Observer {
    /// Sees the start and every step. `Break` ends the run.
    fn update(&mut self, progress: &Progress<'_>) -> ControlFlow<()>;
}

impl<F: FnMut(&Progress<'_>) -> ControlFlow<()>> Observer for F {
    fn update(&mut self, progress: &Progress<'_>) -> ControlFlow<()> {
        self(progress)
    }
}

/// A picture in the making. Every step brings it closer to `argmin alpha · content + beta · style +
/// tv_weight · TV`, eqs. (4) and (5), each loss in the unit of the [`Objective`](crate::Objective).
///
/// It is worked on from coarse to fine ([`Session::scales`]). Each scale starts from the result of
/// the one before, and has both pictures in its size. [`image`](Session::image) and
/// [`losses`](Session::losses) are those of the best picture found at the scale, its start
/// included. So with either optimiser a scale never ends with a higher objective than it started
/// with. Pixel values are finite and in 0..255 at all times.
pub struct Session {
    network: Network,
    subject: Subject,
    /// Pictures take memory, so this is empty after the last targets are taken.
    styles: Vec<Style>,
    options: Options,
    pool: ThreadPool,
    scales: Vec<Scale>,
    /// Index into `scales`.
    scale: usize,
    /// `None` after a failed attempt to start a scale, with the previous scale's result, and after
    /// the optimiser's card was lost, at the anchor.
    work: Option<ScaleState>,
    /// The objective at the start of the scale and after each of its steps.
    totals: Vec<f64>,
    plan: MemoryPlan,
    cost: RunCost,
    /// What the bits of the losses depend on. It is empty if no loss looks at a feature map.
    identity: String,
    /// The last matches of the previous scale, from when it ends until the next one has begun.
    matches_before: Vec<Vec<u32>>,
    /// The best point. It is empty while it is on a card alone, until someone looks.
    point: OnceCell<Image>,
    /// The picture that the point stands for, if parts of the content are kept. Otherwise the point
    /// is the picture. It is empty until someone looks.
    composed: OnceCell<Option<Image>>,
    /// What the session goes back to if the optimiser's card fails.
    anchor: Option<Anchor>,
    /// The task of the scale while its card is lost.
    lost_task: Option<Task>,
    /// Why the card could not be read when someone looked. The next step begins with it.
    failure: RefCell<Option<Error>>,
    /// The anchor's point, if someone looked and the card could not be read.
    older_point: OnceCell<Image>,
    losses: Losses,
    steps_done: usize,
    evaluation: EvaluationTime,
    /// When the session began, or restored a state. The time before that is in `elapsed_before`.
    started: Instant,
    elapsed_before: Duration,
    finished: Option<StopReason>,
    is_intact: bool,
    /// How many of [`Options::adjustments`] have been made.
    adjusted: usize,
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

impl Session {
    /// Starts a run from one content picture and one style picture; see [`Session::with_styles`].
    ///
    /// The result has the content's size. The style has any size. [`prepare`](crate::prepare)
    /// resizes both.
    pub fn new(network: &Network, content: &Image, style: &Image, options: &Options) -> Result<Self> {
        Self::with_styles(network, &content.into(), &[style.into()], options)
    }

    /// Starts a run: takes the targets at the coarsest scale, makes the start, and evaluates it. It
    /// makes a thread pool of its own.
    ///
    /// Errors: options that make no sense; pictures without pixels, too small for a layer or for
    /// the scales, or with values outside 0..255; masks that leave nothing; styles without weight;
    /// statistics that do not fit the run; a size that does not fit in [`Options::memory`]; weights
    /// so large that the loss at the start is not finite; threads that are not to be had; a file of
    /// features that cannot be written to [`Options::feature_cache`].
    pub fn with_styles(network: &Network, subject: &Subject, styles: &[Style], options: &Options) -> Result<Self> {
        let session_started = Instant::now();
        let Blueprint { subject, styles, scales, memory: plan, cost, pool } =
            Blueprint::new(network, subject, styles, options)?;
        let point = start(&subject.content, &scales[0], options)?;
        let setup = ScaleSetup {
            network,
            subject: &subject,
            styles: &styles,
            options,
            scales: &scales,
            plan: &plan,
            weights: options.weights(0),
        };
        let begun = Instant::now();
        let (mut work, losses) = pool.install(|| setup.work(0, &point))?;
        let evaluation = EvaluationTime::new(cost.0[0].evaluation_by_start(begun.elapsed()));
        let mut session = Self {
            network: network.clone(),
            composed: OnceCell::new(),
            identity: work.task.identity().to_owned(),
            anchor: None,
            lost_task: None,
            failure: RefCell::default(),
            older_point: OnceCell::new(),
            work: None,
            totals: vec![losses.total],
            subject,
            styles,
            options: options.clone(),
            pool,
            scales,
            scale: 0,
            plan,
            cost,
            matches_before: vec![],
            point: point.into(),
            losses,
            steps_done: 0,
            evaluation,
            started: session_started,
            elapsed_before: Duration::ZERO,
            finished: None,
            is_intact: true,
            adjusted: 0,
        };
        session.anchor = session.anchor_of_begun(&mut work)?;
        session.work = Some(work);
        session.drop_used_styles();
        Ok(session)
    }

    /// Drops the styles after the last targets are taken.
    fn drop_used_styles(&mut self) {
        if self.is_last_scale() {
            self.styles = vec![];
        }
    }

    /// Returns what [`Session::restore`] needs to continue later, in another process for example.
    /// It borrows the arrays that are in memory.
    ///
    /// An optimiser on a graphics card is read from there. If the card fails, the state is that of
    /// a few steps before, which the session keeps in memory.
    pub fn state(&self) -> SessionState<'_> {
        if let Some(anchor) = &self.anchor {
            let read = self.work.as_ref().map(|work| work.read_state(self.position(), self.point.get()));
            return match read {
                Some(Ok(Some(state))) => state,
                Some(Err(error)) => {
                    self.failure.replace(Some(error));
                    anchor.state.lent()
                }
                // The session has fallen back to it.
                Some(Ok(None)) | None => anchor.state.lent(),
            };
        }
        SessionState {
            position: self.position(),
            point: Cow::Borrowed(self.point().as_slice()),
            optimizer: match &self.work {
                Some(ScaleState { optimizer: Minimiser::InProcess(optimizer), .. }) => optimizer.state(),
                // The next scale begins without a memory.
                _ => OptimizerState::empty(self.plan.scales[self.scale].optimizer, self.point().as_slice()),
            },
            matches: match &self.work {
                Some(work) => work.task.matches().into_iter().map(Cow::Borrowed).collect(),
                None => self.matches_before.iter().map(|matches| Cow::Borrowed(matches.as_slice())).collect(),
            },
        }
    }

    fn position(&self) -> SchedulePosition<'_> {
        SchedulePosition {
            identity: self.identity.clone(),
            scales: self.scales.clone(),
            scale: self.scale,
            totals: Cow::Borrowed(&self.totals),
            elapsed: self.elapsed(),
            finished: self.finished,
            adjusted: self.adjusted,
        }
    }

    /// Returns the best point. If its card fails, returns the anchor's, and the next step begins
    /// with the failure.
    fn point(&self) -> &Image {
        if let Some(point) = self.point.get() {
            return point;
        }
        match self.read_point() {
            Ok(point) => self.point.get_or_init(|| point),
            Err(error) => {
                self.failure.replace(Some(error));
                let of_anchor = || self.anchor.as_ref().expect("a point on a card has an anchor").point();
                self.older_point.get_or_init(of_anchor)
            }
        }
    }

    fn setup(&self) -> ScaleSetup<'_> {
        let Self { network, subject, styles, options, scales, plan, .. } = self;
        ScaleSetup { network, subject, styles, options, scales, plan, weights: options.weights(self.adjusted) }
    }

    /// Returns how long the run has taken, including the time in the observer, and the time before
    /// the state that the session continues from.
    pub fn elapsed(&self) -> Duration {
        self.elapsed_before + self.started.elapsed()
    }

    /// Makes one step of the optimiser. Returns a reason if nothing is left to do, at once or after
    /// this step.
    ///
    /// The first step of a scale takes the targets there before it begins. Errors: those of
    /// [`Session::new`] at that scale; a file of features that can no longer be read; a graphics
    /// card that fails twice at a scale. Nothing is lost then: the state can be saved, and the next
    /// call makes the same step, to the last bit. If the optimiser is on the card, the session goes
    /// back to its last state in memory, and the next call makes the step after it.
    pub fn step(&mut self) -> Result<Option<StopReason>> {
        let steps_before = self.steps_done;
        match self.try_step() {
            Ok(finished) => Ok(finished),
            Err(error) => self.recover(error, steps_before),
        }
    }

    /// Does [`Session::step`], without help if the card fails.
    fn try_step(&mut self) -> Result<Option<StopReason>> {
        self.check_failure()?;
        if self.finished.is_some() {
            return Ok(self.finished);
        }
        if self.steps_here() == self.scales[self.scale].steps {
            self.refine()?;
        } else if self.work.is_none() {
            self.return_to_anchor()?;
        }
        while self.optimise()? == Outcome::Stuck {
            if self.is_last_scale() {
                self.finished = Some(StopReason::Converged);
                self.fetch()?;
                return Ok(self.finished);
            }
            self.end_scale();
            self.refine()?;
        }
        self.end_if_done()?;
        Ok(self.finished)
    }

    /// Matches strokes anew at the best point. The objective is another one from here on, so its
    /// last value in the course is replaced. Called again at the same point, it changes nothing.
    ///
    /// Errors: the point cannot be evaluated. The matches are then those of before.
    fn renew_matches(&mut self) -> Result<()> {
        let Self { pool, work, point, losses, totals, is_intact, .. } = self;
        let ScaleState { task, optimizer } = work.as_mut().expect("a scale has been begun");
        // The search may be done when the evaluation fails. Matches take little memory: one number
        // for each position of a layer.
        let before: Vec<Vec<u32>> = task.matches().into_iter().map(<[u32]>::to_vec).collect();
        task.renew_matches();
        let point = point.get();
        let renewed = pool.install(|| match optimizer {
            Minimiser::InProcess(optimizer) => {
                let (renewed, gradient) = evaluated(task, point.expect("the point is in memory"))?;
                optimizer.renew(renewed.total, gradient);
                Ok(renewed)
            }
            Minimiser::OnCard(optimizer) => {
                let mut renewed = Losses::default();
                optimizer.renew(&mut || {
                    renewed = task.evaluate_on_card()?;
                    Ok(renewed.total)
                })?;
                Ok(renewed)
            }
        });
        let renewed = match renewed {
            Ok(renewed) => renewed,
            Err(error) => {
                *is_intact &= task.set_matches(&before);
                return Err(error);
            }
        };
        if let Some(last) = totals.last_mut() {
            *last = renewed.total;
        }
        *losses = renewed;
        Ok(())
    }

    /// Lets the optimiser make a step, and counts it unless it is stuck.
    ///
    /// Errors: a point cannot be evaluated. Calling this again then makes the same step.
    fn optimise(&mut self) -> Result<Outcome> {
        self.make_adjustments()?;
        let has_matches = self.work.as_ref().is_some_and(|work| work.task.has_matches());
        if has_matches && self.steps_here() > 0 && self.steps_here().is_multiple_of(RENEWAL) {
            self.renew_matches()?;
        }
        // The estimate counts searches by themselves.
        let started = Instant::now();
        let Self { pool, work, point, composed, losses, .. } = self;
        let ScaleState { task, optimizer } = work.as_mut().expect("a scale has been begun");
        let mut latest = Losses::default();
        let outcome = pool.install(|| match optimizer {
            Minimiser::InProcess(optimizer) => {
                let point = point.get_mut().expect("the point is in memory");
                optimizer.step(point.as_mut_slice(), &mut |pixels, gradient| {
                    latest = task.evaluate(pixels, gradient)?;
                    Ok(latest.total)
                })
            }
            Minimiser::OnCard(optimizer) => optimizer.step(&mut || {
                latest = task.evaluate_on_card()?;
                Ok(latest.total)
            }),
        })?;
        if outcome == Outcome::Improved {
            *losses = latest;
            composed.take();
            if let Minimiser::OnCard(_) = optimizer {
                point.take();
            }
        }
        if outcome != Outcome::Stuck {
            self.totals.push(self.losses.total);
            self.steps_done += 1;
            self.evaluation.add_step(started.elapsed());
        }
        Ok(outcome)
    }

    /// Ends the scale or the run if its steps are done or have converged.
    ///
    /// Errors: the card fails.
    fn end_if_done(&mut self) -> Result<()> {
        match (self.has_converged(), self.is_last_scale()) {
            (true, true) => self.finished = Some(StopReason::Converged),
            (true, false) => self.end_scale(),
            (false, true) if self.steps_here() == self.scales[self.scale].steps => {
                self.finished = Some(StopReason::Completed);
            }
            (false, _) => {}
        }
        if self.finished.is_some() { self.fetch() } else { self.renew_anchor() }
    }

    /// Returns whether a state taken now is one of the run. It is `false` after a state that could
    /// not be restored, until another one is. A step that fails leaves a state of the run.
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

    /// Goes on to the next scale, from the picture so far.
    fn refine(&mut self) -> Result<()> {
        self.fetch()?;
        self.anchor = None;
        let next = self.scale + 1;
        let Scale { width, height, .. } = self.scales[next];
        // Dropped first, so that two scales never take memory together.
        self.matches_before = match self.work.take().map(|work| work.task).or_else(|| self.lost_task.take()) {
            Some(task) => task.matches().iter().map(|matches| matches.to_vec()).collect(),
            None => mem::take(&mut self.matches_before),
        };
        let point = resize(self.point(), width, height, self.options.padding);
        let setup = self.setup();
        let (mut work, losses) = self.pool.install(|| setup.work(next, &point))?;
        let before = (mem::take(&mut self.totals), mem::replace(&mut self.losses, losses));
        self.totals = vec![self.losses.total];
        let point = mem::replace(&mut self.point, point.into());
        self.scale = next;
        self.anchor = match self.anchor_of_begun(&mut work) {
            Ok(anchor) => anchor,
            Err(error) => {
                // The next attempt begins where this one did.
                ((self.totals, self.losses), self.point, self.scale) = (before, point, next - 1);
                return Err(error);
            }
        };
        self.work = Some(work);
        self.composed = OnceCell::new();
        let [from, to] = [next - 1, next].map(|scale| self.cost.0[scale].evaluation);
        self.evaluation.change_scale(from, to);
        self.matches_before = vec![];
        self.drop_used_styles();
        Ok(())
    }

    /// Returns the steps done at this scale.
    fn steps_here(&self) -> usize {
        self.totals.len() - 1
    }

    /// Returns after how many steps of this scale the objective became what it is, because strokes
    /// were matched anew or weights changed.
    fn renewed_after(&self) -> usize {
        let has_matches = self.work.as_ref().is_some_and(|work| work.task.has_matches());
        let matched = if has_matches { self.steps_here().saturating_sub(1) / RENEWAL * RENEWAL } else { 0 };
        let adjusted = self.options.adjustments[..self.adjusted].last().map_or(0, |last| last.step);
        let before = self.steps_done - self.steps_here();
        matched.max(adjusted.saturating_sub(before))
    }

    /// Returns whether the last steps gained less than [`Options::tolerance`] of the objective
    /// each. Steps before the last matches do not count.
    fn has_converged(&self) -> bool {
        let steps = self.steps_here();
        let Some(before) = steps.checked_sub(TOLERANCE_STEPS).filter(|&step| step >= self.renewed_after()) else {
            return false;
        };
        let (before, now) = (self.totals[before], self.totals[steps]);
        before - now < self.options.tolerance * TOLERANCE_STEPS as f64 * now
    }

    /// Makes steps until nothing is left to do or the observer ends the run. The observer sees the
    /// start first, then every step.
    ///
    /// After the observer has ended it, another call continues the run.
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
            // A step that leads nowhere is not shown.
            if let Some(reason) = self.step()?
                && self.steps_done == steps_before
            {
                return Ok(reason);
            }
        }
    }

    /// Returns the picture so far, in the size of the current scale, with values in 0..255.
    pub fn image(&self) -> &Image {
        let composed = self.composed.get_or_init(|| self.composition());
        composed.as_ref().unwrap_or_else(|| self.point())
    }

    /// Returns the picture that the point stands for, if parts of the content are kept.
    fn composition(&self) -> Option<Image> {
        self.subject.keep.as_ref()?;
        let point = self.point();
        if let Some(work) = &self.work {
            return work.task.composed(point.as_slice());
        }
        let mut picture = point.clone();
        self.subject.resized(point.width(), point.height(), self.options.padding).keep_in(picture.as_mut_slice());
        Some(picture)
    }

    /// Returns the losses of [`image`](Session::image), at the current scale.
    pub fn losses(&self) -> &Losses {
        &self.losses
    }

    /// Returns the steps done so far, at all scales.
    pub fn steps_done(&self) -> usize {
        self.steps_done
    }

    /// Returns the sizes that the picture is worked on at, coarsest first. The last is the
    /// content's. A scale that converged early has the steps that it took.
    pub fn scales(&self) -> &[Scale] {
        &self.scales
    }

    /// Estimates how long the rest takes at most. A scale that converges early takes less. Before
    /// the first step the estimate goes by the time of the start, which may include the unpacking
    /// of the weights.
    pub fn estimate(&self) -> Duration {
        let left = self.scales[self.scale].steps - self.steps_here();
        let later = self.cost.of_scales(&self.scales, self.scale + 1);
        self.evaluation.of_rest(left, &self.cost.0[self.scale], later)
    }

    /// Returns width and height of the content in pixels, which are the result's.
    pub fn content_size(&self) -> (usize, usize) {
        (self.subject.content.width(), self.subject.content.height())
    }

    /// Returns how much memory the run takes, and what is done so that it fits.
    pub fn memory(&self) -> &MemoryPlan {
        &self.plan
    }

    /// Returns the picture so far in the content's size. At a coarser scale it is enlarged.
    pub fn picture(&self) -> Image {
        let content = &self.subject.content;
        let mut picture = resize(self.point(), content.width(), content.height(), self.options.padding);
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
            size: (self.scales[self.scale].width, self.scales[self.scale].height),
            session: self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::white_noise;
    use crate::options::{OptimizerKind, Scales};
    use crate::session::state::SavedState;
    #[cfg(target_os = "linux")]
    use {
        crate::options::StyleLossKind,
        std::fs::{self, File},
        std::path::{Path, PathBuf},
    };

    #[test]
    fn a_session_between_two_scales_can_be_restored() {
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
            // A scale that could not be started leaves it like this.
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

    /// Returns the arrays of a saved state, without the words before and the checksum after them.
    #[cfg(target_os = "linux")]
    fn arrays_of_state(path: &Path) -> Vec<u8> {
        let bytes = fs::read(path).unwrap();
        let words = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        bytes[8 + words..bytes.len() - 4].to_vec()
    }

    /// Returns the file that this process has open in the folder. It has no name there any more.
    #[cfg(target_os = "linux")]
    fn open_file_in(folder: &Path) -> PathBuf {
        let open = fs::read_dir("/proc/self/fd").unwrap().map(|open| open.unwrap().path());
        let mut there = open.filter(|open| fs::read_link(open).is_ok_and(|file| file.starts_with(folder)));
        there.next().unwrap()
    }

    /// The step that fails can be made again, with the bits that it would have had. With strokes,
    /// their renewed matches are found before the evaluation fails.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_of_features_that_cannot_be_read_is_an_error_and_loses_nothing() {
        let network = Network::embedded().unwrap();
        let [content, style] = [1, 2].map(|seed| white_noise(384, 384, seed));
        for (optimizer, style_loss) in [
            (OptimizerKind::Lbfgs, StyleLossKind::Moments),
            (OptimizerKind::Adam, StyleLossKind::Moments),
            (OptimizerKind::Lbfgs, StyleLossKind::Strokes),
        ] {
            let what = format!("{optimizer:?} {style_loss:?}");
            let folder = tempfile::tempdir().unwrap();
            let options = Options {
                optimizer,
                style_loss,
                scales: Scales::Count(1),
                memory: Some(300 << 20),
                feature_cache: Some(folder.path().to_owned()),
                ..Options::default()
            };
            let mut session = Session::new(&network, &content, &style, &options).unwrap();
            assert!(session.memory().scales[0].feature_cache_bytes > 0, "{:?}", session.memory());
            session.step().unwrap();
            if style_loss == StyleLossKind::Strokes {
                // As if it had made that many. The matches are those of the start, and others are
                // found now.
                session.totals.resize(RENEWAL + 1, session.losses.total);
                session.steps_done = RENEWAL;
            }
            let [before, after] = ["before", "after"].map(|name| folder.path().join(name));
            session.state().save(&before).unwrap();
            let (image, losses, done) = (session.image().clone(), session.losses().clone(), session.steps_done());

            let file = open_file_in(folder.path());
            let features = fs::read(&file).unwrap();
            File::options().write(true).open(&file).unwrap().set_len(1000).unwrap();
            for _ in 0..2 {
                let error = session.step().unwrap_err();
                assert!(matches!(error, Error::FeatureCache { .. }), "{what}: {error}");
                assert!(session.is_intact(), "{what}");
                assert!(*session.image() == image && *session.losses() == losses, "{what}");
                assert_eq!(session.steps_done(), done, "{what}");
            }
            session.state().save(&after).unwrap();
            assert!(arrays_of_state(&before) == arrays_of_state(&after), "{what}");
            fs::write(&file, features).unwrap();

            let mut next = || {
                session.step().unwrap();
                let found = (session.image().clone(), session.losses().clone());
                session.restore(&SavedState::open(&before).unwrap()).unwrap();
                found
            };
            assert!(next() == next(), "{what}");
        }
    }
}
