//! How a scale begins: with its targets and an optimiser, either from a picture or from the saved
//! state of a run.

use std::time::{Duration, Instant};

use impasto_engine::{Image, Padding};

use crate::checks::check_image;
use crate::error::{Error, PictureRole, Result};
use crate::loss::losses::Losses;
use crate::network::Network;
use crate::noise::white_noise;
use crate::optimizer::adam::{Adam, AdamSettings};
use crate::optimizer::lbfgs::{Lbfgs, LbfgsSettings};
use crate::optimizer::preconditioner::Preconditioner;
use crate::optimizer::state::OptimizerState;
use crate::optimizer::step::Optimizer;
use crate::options::{Init, OptimizerKind, Options};
use crate::session::memory::{MemoryPlan, ScalePlan};
use crate::session::schedule::Scale;
use crate::session::state::SavedState;
use crate::session::subject::Subject;
use crate::session::task::Task;
use crate::style::source::Style;
use crate::torus::resize;

/// What belongs to one scale.
pub(crate) struct ScaleState {
    pub(crate) task: Task,
    pub(crate) optimizer: Box<dyn Optimizer>,
}

/// Everything that a scale is made from.
pub(crate) struct ScaleSetup<'a> {
    pub(crate) network: &'a Network,
    pub(crate) subject: &'a Subject,
    pub(crate) styles: &'a [Style],
    pub(crate) options: &'a Options,
    pub(crate) scales: &'a [Scale],
    pub(crate) plan: &'a MemoryPlan,
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
        Task::new(self.network, subject, self.styles, halvings, [layout, style_layout], self.options)
    }

    /// Makes an optimiser that begins at a point. Returns the losses there too.
    pub(crate) fn optimizer(
        &self,
        scale: usize,
        task: &mut Task,
        point: &Image,
    ) -> Result<(Box<dyn Optimizer>, Losses)> {
        task.renew_matches();
        let (losses, gradient) = evaluated(task, point)?;
        let value = losses.total;
        let optimizer: Box<dyn Optimizer> = match self.plan.scales[scale].optimizer {
            OptimizerKind::Lbfgs => Box::new(Lbfgs::new(self.lbfgs_settings(scale), value, gradient)),
            OptimizerKind::Adam => Box::new(Adam::new(AdamSettings::default(), point.as_slice(), value, gradient)),
        };
        Ok((optimizer, losses))
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
    ) -> Result<(Box<dyn Optimizer>, RestoredScale)> {
        let Scale { width, height, .. } = self.scales[scale];
        let point = Image::new(width, height, saved.point()?);
        if !task.set_matches(&saved.matches()?) {
            let problem = "its matches are not those of these pictures and options".to_owned();
            return Err(Error::UnfitState { problem });
        }
        let started = Instant::now();
        let (losses, gradient) = evaluated(task, &point)?;
        let evaluation = started.elapsed();
        let value = losses.total;
        if saved.position().totals.last().map(|total| total.to_bits()) != Some(value.to_bits()) {
            let problem =
                "its picture has another loss here: it was made from other pictures, options or weights, or by \
                           another version of impasto"
                    .to_owned();
            return Err(Error::UnfitState { problem });
        }
        let optimizer: Box<dyn Optimizer> = match saved.optimizer()? {
            OptimizerState::Lbfgs(pairs) => {
                Box::new(Lbfgs::of_pairs(self.lbfgs_settings(scale), value, gradient, pairs))
            }
            OptimizerState::Adam(state) => Box::new(Adam::of_state(AdamSettings::default(), value, gradient, state)),
        };
        Ok((optimizer, RestoredScale { losses, point, evaluation }))
    }

    fn lbfgs_settings(&self, scale: usize) -> LbfgsSettings {
        let Scale { width, height, .. } = self.scales[scale];
        let wraps = self.options.padding == Padding::Circular;
        let preconditioner = Some(Preconditioner::new(width, height, wraps));
        LbfgsSettings { history: self.plan.scales[scale].history, preconditioner, ..LbfgsSettings::default() }
    }
}

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
