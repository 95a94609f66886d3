//! A run, step by step.

use std::ops::ControlFlow;

use rayon::ThreadPool;

use crate::image_io::resize;
use crate::loss::Losses;
use crate::noise::white_noise;
use crate::optimizer::{Adam, AdamSettings, Lbfgs, LbfgsSettings, Optimizer, Outcome};
use crate::task::{Task, check_image, thread_pool};
use crate::{Error, Image, Init, Input, Network, OptimizerKind, Options, Result};

/// What an observer sees after a step.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// Steps done; 0 = the start.
    pub step: usize,
    /// Steps that there will be.
    pub steps: usize,
    /// Losses of `image`.
    pub losses: &'a Losses,
    /// The picture so far, values in 0..255.
    pub image: &'a Image,
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
    /// No step lowers the objective any further.
    Converged,
}

/// A picture being made: content, style and options go in, every step brings the picture closer to
/// `argmin alpha · content + beta · style + tv_weight · TV`, eqs. (4) and (5), each loss in the unit of the
/// [`Objective`](crate::Objective).
///
/// [`image`](Session::image) and [`losses`](Session::losses) are those of the best picture found, the start included: with
/// either optimiser the objective never ends above its start. Pixel values are finite and in 0..255 at all times.
pub struct Session {
    pool: ThreadPool,
    task: Task,
    optimizer: Box<dyn Optimizer>,
    image: Image,
    losses: Losses,
    steps: usize,
    steps_done: usize,
    finished: Option<StopReason>,
}

impl Session {
    /// Takes the targets from both pictures, makes the start and evaluates it, all on a thread pool of its own.
    ///
    /// The result has the content's size; the style has any ([`prepare`](crate::prepare) brings both to size).
    ///
    /// Errors: options that cannot be meant, pictures without pixels, too small for a layer or with values outside 0..255,
    /// weights so large that the loss of the start is not finite, no threads to be had.
    pub fn new(network: &Network, content: &Image, style: &Image, options: &Options) -> Result<Self> {
        options.validate()?;
        check_image(Input::Content, content)?;
        check_image(Input::Style, style)?;
        let image = start(content, options)?;
        let pool = thread_pool(options.threads)?;

        let (task, optimizer, losses) = pool.install(|| {
            let mut task = Task::new(network, content, style, options)?;
            let mut gradient = vec![0.0; image.as_slice().len()];
            let losses = task.evaluate(image.as_slice(), &mut gradient);
            if !(losses.total.is_finite() && gradient.iter().all(|g| g.is_finite())) {
                return Err(Error::NotFinite { total: losses.total });
            }
            let optimizer: Box<dyn Optimizer> = match options.optimizer {
                OptimizerKind::Lbfgs => Box::new(Lbfgs::new(LbfgsSettings::default(), losses.total, gradient)),
                OptimizerKind::Adam => {
                    Box::new(Adam::new(AdamSettings::default(), image.as_slice(), losses.total, gradient))
                }
            };
            Ok((task, optimizer, losses))
        })?;
        Ok(Self { pool, task, optimizer, image, losses, steps: options.steps, steps_done: 0, finished: None })
    }

    /// One step of the optimiser; `Some` when there is nothing left to do, at once or after this step.
    pub fn step(&mut self) -> Result<Option<StopReason>> {
        if self.finished.is_some() {
            return Ok(self.finished);
        }
        let Self { pool, task, optimizer, image, .. } = self;
        let mut latest = Losses::default();
        let outcome = pool.install(|| {
            optimizer.step(image.as_mut_slice(), &mut |pixels, gradient| {
                latest = task.evaluate(pixels, gradient);
                latest.total
            })
        });
        match outcome {
            Outcome::Improved => self.losses = latest,
            Outcome::NotImproved => {}
            Outcome::Stuck => {
                self.finished = Some(StopReason::Converged);
                return Ok(self.finished);
            }
        }
        self.steps_done += 1;
        if self.steps_done == self.steps {
            self.finished = Some(StopReason::Completed);
        }
        Ok(self.finished)
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
            // A step that leads nowhere is not one to look at.
            if let Some(reason @ StopReason::Converged) = self.step()? {
                return Ok(reason);
            }
        }
    }

    /// The picture so far, values in 0..255.
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// Losses of [`image`](Session::image).
    pub fn losses(&self) -> &Losses {
        &self.losses
    }

    /// Steps done so far.
    pub fn steps_done(&self) -> usize {
        self.steps_done
    }

    /// The picture, without the rest.
    pub fn into_image(self) -> Image {
        self.image
    }

    fn progress(&self) -> Progress<'_> {
        Progress { step: self.steps_done, steps: self.steps, losses: &self.losses, image: &self.image }
    }
}

/// The picture to start from, of the content's size.
fn start(content: &Image, options: &Options) -> Result<Image> {
    match &options.init {
        Init::Content => Ok(content.clone()),
        Init::Noise => Ok(white_noise(content.width(), content.height(), options.seed)),
        Init::Image(image) => {
            check_image(Input::Init, image)?;
            Ok(resize(image, content.width(), content.height()))
        }
    }
}
