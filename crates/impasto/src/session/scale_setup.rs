//! How a scale begins: with its targets and an optimiser, either from a picture or from the saved
//! state of a run.

use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use impasto_engine::network::{DeviceError, ResidentAdam, ResidentLbfgs, ResidentLbfgsSpec};
use impasto_engine::{Image, Padding};

use crate::checks::check_image;
use crate::error::{Error, PictureRole, Result};
use crate::loss::losses::Losses;
use crate::network::Network;
use crate::noise::white_noise;
use crate::optimizer::adam::AdamSettings;
use crate::optimizer::adam::in_memory::Adam;
use crate::optimizer::adam::on_card::AdamOnCard;
use crate::optimizer::lbfgs::in_memory::Lbfgs;
use crate::optimizer::lbfgs::on_card::LbfgsOnCard;
use crate::optimizer::lbfgs::{LbfgsSettings, MIN_COSINE};
use crate::optimizer::on_card::CardOptimizer;
use crate::optimizer::preconditioner::Preconditioner;
use crate::optimizer::state::OptimizerState;
use crate::optimizer::step::Optimizer;
use crate::options::{Init, OptimizerKind, Options, Weights};
use crate::session::memory::plan::{MemoryPlan, ScalePlan};
use crate::session::position::SchedulePosition;
use crate::session::schedule::Scale;
use crate::session::state::{SavedState, SessionState};
use crate::session::subject::Subject;
use crate::session::task::Task;
use crate::style::source::Style;
use crate::torus::resize;

/// What belongs to one scale.
pub(crate) struct ScaleState {
    pub(crate) task: Task,
    pub(crate) optimizer: Minimiser,
}

/// A minimiser, and where its arrays are.
pub(crate) enum Minimiser {
    /// In the process. The point is the session's.
    InProcess(Box<dyn Optimizer>),
    /// On a graphics card, the point among them.
    OnCard(Box<dyn CardOptimizer>),
}

impl ScaleState {
    /// Returns the minimiser if its arrays are on a card.
    pub(crate) fn on_card(&self) -> Option<&dyn CardOptimizer> {
        match &self.optimizer {
            Minimiser::OnCard(optimizer) => Some(&**optimizer),
            Minimiser::InProcess(_) => None,
        }
    }

    /// Reads the state at this position from the card. `point`: the point, if it is in memory
    /// already. `None`: the minimiser is in the process.
    ///
    /// Errors: the card fails.
    pub(crate) fn read_state<'a>(
        &'a self,
        position: SchedulePosition<'a>,
        point: Option<&'a Image>,
    ) -> Result<Option<SessionState<'a>>> {
        let Some(on_card) = self.on_card() else { return Ok(None) };
        Ok(Some(SessionState {
            position,
            point: match point {
                Some(point) => Cow::Borrowed(point.as_slice()),
                None => on_card.point()?.into(),
            },
            optimizer: on_card.state()?,
            matches: self.task.matches().into_iter().map(Cow::Borrowed).collect(),
        }))
    }
}

/// Everything that a scale is made from.
pub(crate) struct ScaleSetup<'a> {
    pub(crate) network: &'a Network,
    pub(crate) subject: &'a Subject,
    pub(crate) styles: &'a [Style],
    pub(crate) options: &'a Options,
    pub(crate) scales: &'a [Scale],
    pub(crate) plan: &'a MemoryPlan,
    /// The weights that count at present.
    pub(crate) weights: Weights,
}

impl ScaleSetup<'_> {
    /// Takes the targets at a scale and evaluates its start, on the current thread pool.
    pub(crate) fn work(&self, scale: usize, point: &Image) -> Result<(ScaleState, Losses)> {
        let mut task = self.task(scale)?;
        let (optimizer, losses) = self.optimizer(scale, &mut task, point)?;
        Ok((ScaleState { task, optimizer }, losses))
    }

    /// Takes the targets at a scale.
    pub(crate) fn task(&self, scale: usize) -> Result<Task> {
        let Scale { width, height, .. } = self.scales[scale];
        let halvings = self.scales.len() - 1 - scale;
        let ScalePlan { layout, style_layout, .. } = &self.plan.scales[scale];
        let subject = self.subject.resized(width, height, self.options.padding);
        let layouts = [layout, style_layout];
        let mut task = Task::new(self.network, subject, self.styles, halvings, layouts, self.options)?;
        task.set_weights(self.weights);
        Ok(task)
    }

    /// Makes an optimiser that begins at a point. Returns the losses there too.
    ///
    /// Errors: the losses or their gradient are not finite, or cannot be evaluated.
    pub(crate) fn optimizer(&self, scale: usize, task: &mut Task, point: &Image) -> Result<(Minimiser, Losses)> {
        task.renew_matches();
        self.optimizer_of(scale, task, point, None)
    }

    /// Makes an optimiser at a point, of a state if there is one: on the card if the plan says so,
    /// and in the process otherwise, or if the card cannot have it. Returns the losses there too.
    ///
    /// Errors: the losses or their gradient are not finite, or cannot be evaluated.
    pub(crate) fn optimizer_of(
        &self,
        scale: usize,
        task: &mut Task,
        point: &Image,
        state: Option<OptimizerState<'_>>,
    ) -> Result<(Minimiser, Losses)> {
        let mut problem = None;
        if self.plan.scales[scale].optimizer_on_card {
            let begun = match self.optimizer_on_card(scale, task, point, state.as_ref()) {
                Err(Error::Device { reason: DeviceError::Failed { name, reason } }) if !task.has_failed() => {
                    task.reopen()?;
                    self.network.notes().add(format!(
                        "{name} failed ({reason}) and was opened again; the run goes on from the same point"
                    ));
                    self.optimizer_on_card(scale, task, point, state.as_ref())
                }
                begun => begun,
            };
            match begun? {
                OnCard::Begun(optimizer, losses) => return Ok((Minimiser::OnCard(optimizer), losses)),
                OnCard::Refused(reason) => problem = Some(reason),
                OnCard::Elsewhere => {}
            }
            task.leave_card();
        }
        let (losses, gradient) = evaluated(task, point)?;
        // Where nothing slopes, there is nothing to compute.
        if let Some(problem) = problem.filter(|_| gradient.iter().any(|&g| g != 0.0)) {
            let name = task.identity();
            self.network.notes().add(format!("{name} {problem}; the optimiser computes on the CPU"));
        }
        let (value, kind) = (losses.total, self.plan.scales[scale].optimizer);
        let optimizer: Box<dyn Optimizer> = match state.map(OptimizerState::into_owned) {
            Some(OptimizerState::Lbfgs(pairs)) => {
                Box::new(Lbfgs::of_pairs(self.lbfgs_settings(scale), value, gradient, pairs))
            }
            Some(OptimizerState::Adam(state)) => {
                Box::new(Adam::of_state(AdamSettings::default(), value, gradient, state))
            }
            None if kind == OptimizerKind::Lbfgs => Box::new(Lbfgs::new(self.lbfgs_settings(scale), value, gradient)),
            None => Box::new(Adam::new(AdamSettings::default(), point.as_slice(), value, gradient)),
        };
        Ok((Minimiser::InProcess(optimizer), losses))
    }

    /// Makes an optimiser on the card, or says why the card cannot have it.
    ///
    /// Errors: the card fails.
    fn optimizer_on_card(
        &self,
        scale: usize,
        task: &mut Task,
        point: &Image,
        state: Option<&OptimizerState<'_>>,
    ) -> Result<OnCard> {
        let ScalePlan { optimizer: kind, history, .. } = self.plan.scales[scale];
        let Scale { width, height, .. } = self.scales[scale];
        let made = match kind {
            OptimizerKind::Lbfgs => {
                let preconditioner = Preconditioner::as_bases(width, height, self.wraps());
                let spec =
                    ResidentLbfgsSpec { history, min_cosine: MIN_COSINE as f32, preconditioner: &preconditioner };
                task.on_card(|workspace, terms| workspace.lbfgs(&spec, terms).map(CardArrays::Lbfgs))
            }
            OptimizerKind::Adam => task.on_card(|workspace, terms| workspace.adam(terms).map(CardArrays::Adam)),
        };
        let Some(made) = made else { return Ok(OnCard::Elsewhere) };
        let arrays = match made {
            Ok(arrays) => arrays,
            Err(DeviceError::Memory { .. } | DeviceError::MapTooLarge { .. }) => {
                return Ok(OnCard::Refused("has no room for what the optimiser remembers"));
            }
            Err(error) => return Err(Error::of_device(error)),
        };
        let mut losses = Losses::default();
        let mut evaluate = || {
            losses = task.evaluate_on_card()?;
            Ok(losses.total)
        };
        let (optimizer, mean_square): (Box<dyn CardOptimizer>, f64) = match arrays {
            CardArrays::Lbfgs(arrays) => {
                let pairs = match state {
                    Some(OptimizerState::Lbfgs(pairs)) => pairs.as_slice(),
                    _ => &[],
                };
                let first_step = LbfgsSettings::default().first_step;
                let (begun, square) = LbfgsOnCard::begin(arrays, first_step, point.as_slice(), pairs, &mut evaluate)?;
                (Box::new(begun), square)
            }
            CardArrays::Adam(arrays) => {
                let state = match state {
                    Some(OptimizerState::Adam(state)) => Some(state),
                    _ => None,
                };
                let settings = AdamSettings::default();
                let (begun, square) = AdamOnCard::begin(arrays, settings, point.as_slice(), state, &mut evaluate)?;
                (Box::new(begun), square)
            }
        };
        // If the losses are not finite, the CPU says so too.
        if !(losses.total.is_finite() && RANGE_OF_SUMS.contains(&mean_square.sqrt())) {
            return Ok(OnCard::Refused("makes no sums of a gradient as large or as small as this one"));
        }
        Ok(OnCard::Begun(optimizer, losses))
    }

    /// Makes the optimiser of a state at this scale, and restores its picture. The state fits the
    /// scale.
    ///
    /// Errors: the picture has another loss here than in the state; the file can no longer be read.
    pub(crate) fn restored(
        &self,
        scale: usize,
        task: &mut Task,
        saved: &SavedState,
    ) -> Result<(Minimiser, RestoredScale)> {
        let Scale { width, height, .. } = self.scales[scale];
        let point = Image::new(width, height, saved.point()?);
        if !task.set_matches(&saved.matches()?) {
            let problem = "its matches are not those of these pictures and options".to_owned();
            return Err(Error::UnfitState { problem });
        }
        let started = Instant::now();
        let (optimizer, losses) = self.optimizer_of(scale, task, &point, Some(saved.optimizer()?))?;
        let evaluation = started.elapsed();
        if !self.is_same_loss(saved.position(), losses.total, task.identity()) {
            let problem =
                "its picture has another loss here: it was made from other pictures, options or weights, or by \
                           another version of impasto"
                    .to_owned();
            return Err(Error::UnfitState { problem });
        }
        Ok((optimizer, RestoredScale { losses, point, evaluation }))
    }

    /// Returns whether `value` is the loss of a state's picture. On another device its last bits
    /// differ, which is noted.
    fn is_same_loss(&self, position: &SchedulePosition<'_>, value: f64, identity: &str) -> bool {
        let Some(&saved) = position.totals.last() else { return false };
        if saved.to_bits() == value.to_bits() {
            return true;
        }
        // A card may have had more free memory, and wider bands.
        let may_differ = position.identity != identity || self.network.card().is_some();
        let is_close = (value - saved).abs() <= OTHER_DEVICE * saved.abs();
        if may_differ && is_close {
            self.network.notes().add(format!(
                "the run was computed on {} before and goes on with {identity}: from here the last bits differ",
                position.identity
            ));
        }
        may_differ && is_close
    }

    fn wraps(&self) -> bool {
        self.options.padding == Padding::Circular
    }

    fn lbfgs_settings(&self, scale: usize) -> LbfgsSettings {
        let Scale { width, height, .. } = self.scales[scale];
        let preconditioner = Some(Preconditioner::new(width, height, self.wraps()));
        LbfgsSettings { history: self.plan.scales[scale].history, preconditioner, ..LbfgsSettings::default() }
    }
}

/// Root mean squares of a gradient whose squares a card can add up in f32.
const RANGE_OF_SUMS: RangeInclusive<f64> = 1e-12..=1e12;

/// What comes of an attempt to have an optimiser on a card.
enum OnCard {
    Begun(Box<dyn CardOptimizer>, Losses),
    /// What is wrong with the card.
    Refused(&'static str),
    /// No loss looks at a feature map, so nothing is on the card.
    Elsewhere,
}

/// The arrays of an optimiser on a card.
enum CardArrays {
    Lbfgs(Box<dyn ResidentLbfgs>),
    Adam(Box<dyn ResidentAdam>),
}

/// Most relative difference of a loss between two devices.
const OTHER_DEVICE: f64 = 1e-4;

/// The picture of a state at its scale, and the time of its evaluation.
pub(crate) struct RestoredScale {
    pub(crate) losses: Losses,
    pub(crate) point: Image,
    pub(crate) evaluation: Duration,
}

/// Returns losses and gradient of a point at which an optimiser may begin.
pub(crate) fn evaluated(task: &mut Task, point: &Image) -> Result<(Losses, Vec<f32>)> {
    let mut gradient = vec![0.0; point.as_slice().len()];
    let losses = task.evaluate(point.as_slice(), &mut gradient)?;
    if !(losses.total.is_finite() && gradient.iter().all(|g| g.is_finite())) {
        return Err(Error::NotFinite { total: losses.total });
    }
    Ok((losses, gradient))
}

/// Returns the picture to start from, in the size of the coarsest scale.
pub(crate) fn start(content: &Image, scale: &Scale, options: &Options) -> Result<Image> {
    let &Scale { width, height, .. } = scale;
    match &options.init {
        Init::Content => Ok(resize(content, width, height, options.padding)),
        Init::Noise => Ok(white_noise(width, height, options.seed)),
        Init::Image(image) => {
            check_image(PictureRole::Init, image)?;
            Ok(resize(image, width, height, options.padding))
        }
    }
}
