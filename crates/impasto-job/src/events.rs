//! What a run tells while it goes on.
//!
//! A run hands every [`Event`] to an [`Events`]: a terminal shows a bar, a server sends them on, a
//! test collects them. Events are plain data and serialisable. The other methods of the trait are
//! what a run asks of its surroundings; their defaults suit a run that nobody watches.

use std::path::PathBuf;

use impasto::{Image, Objective};
use serde::Serialize;
use serde_with::serde_as;

use crate::job::paths::AnyPath;
use crate::job::values::Adjustment;
use crate::plan::Plan;

/// Something that a run tells.
#[serde_as]
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Event {
    /// Something is not as it should be, and the run goes on.
    Warning {
        /// The file that it is about, if it is about one.
        #[serde_as(as = "Option<AnyPath>")]
        about: Option<PathBuf>,
        /// What it is, and what follows.
        text: String,
    },
    /// Something about a file that is good to know.
    Note {
        /// The file.
        #[serde_as(as = "AnyPath")]
        about: PathBuf,
        /// What it is.
        text: String,
    },
    /// The run is planned, and its first step comes next.
    Planned(Plan),
    /// A step is done; step 0 is the start.
    Step(Step),
    /// A picture in between is written.
    Saved {
        /// Its name.
        #[serde_as(as = "AnyPath")]
        path: PathBuf,
    },
    /// A checkpoint is written.
    Checkpoint {
        /// Its folder.
        #[serde_as(as = "AnyPath")]
        folder: PathBuf,
    },
    /// Weights changed, as [`Events::adjustment`] asked.
    Adjusted {
        /// What changed, and after which step.
        adjustment: Adjustment,
    },
    /// The steps are over, and the result follows.
    Ended,
    /// The run has ended early and left a checkpoint.
    CanResume {
        /// The folder to give to `impasto resume`.
        #[serde_as(as = "AnyPath")]
        folder: PathBuf,
        /// The run failed for want of room in its feature cache, and needs another folder for it.
        needs_feature_cache: bool,
    },
}

/// How far a run is.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Step {
    /// Steps done; 0 is the start.
    pub step: usize,
    /// Steps that there will be at most.
    pub steps: usize,
    /// The scale that the picture is worked on at; 0 is the coarsest.
    pub scale: usize,
    /// How many scales there are.
    pub scales: usize,
    /// Width and height of the picture at this scale in px.
    pub size: [usize; 2],
    /// Seconds that the rest takes, at most.
    pub seconds_left: f64,
    /// The content loss: in units with the balanced objective, else raw. `None`: it does not count.
    pub content: Option<f64>,
    /// The style loss, in the same way.
    pub style: Option<f64>,
    /// What is minimised.
    pub total: f64,
}

impl Step {
    pub(crate) fn new(progress: &impasto::Progress<'_>, objective: Objective) -> Step {
        let losses = progress.losses;
        let [content, style] = match objective {
            // Raw losses would say nothing: each counts in a unit of its own.
            Objective::Balanced => [losses.content_in_units(), losses.style_in_units()],
            Objective::Paper => [losses.content_loss(), losses.style_loss()],
        };
        Step {
            step: progress.step,
            steps: progress.steps,
            scale: progress.scale,
            scales: progress.scales,
            size: [progress.size.0, progress.size.1],
            seconds_left: progress.left.as_secs_f64(),
            // A term that does not count has no layers.
            content: (!losses.content.is_empty()).then_some(content),
            style: (!losses.style.is_empty()).then_some(style),
            total: losses.total,
        }
    }
}

/// The picture of a run after a step.
pub struct LivePicture<'a> {
    pub(crate) progress: &'a impasto::Progress<'a>,
    /// Brings a picture of the session to the result's size and colours.
    pub(crate) finish: &'a dyn Fn(&Image) -> Image,
}

impl LivePicture<'_> {
    /// Steps done.
    pub fn step(&self) -> usize {
        self.progress.step
    }

    /// The picture in the result's size and colours. On a graphics card this fetches it.
    pub fn image(&self) -> Image {
        (self.finish)(self.progress.image())
    }
}

/// What surrounds a run.
pub trait Events {
    /// Takes what the run tells.
    fn event(&mut self, event: Event);

    /// May look at the picture after every step.
    fn picture(&mut self, _picture: &LivePicture<'_>) {}

    /// Asks for other weights from the next step on; the step of the adjustment does not matter.
    /// The run calls this after every step.
    fn adjustment(&mut self) -> Option<Adjustment> {
        None
    }

    /// Whether the run is to end after this step.
    fn stop_requested(&self) -> bool {
        false
    }

    /// Calls `write`, which writes a file. Nothing may end the process meanwhile, or a part of a
    /// file would be left behind.
    fn while_writing(&mut self, write: &mut dyn FnMut()) {
        write();
    }
}

/// Nobody watches.
pub struct Unwatched;

impl Events for Unwatched {
    fn event(&mut self, _event: Event) {}
}

/// [`Events::while_writing`] with a result.
pub(crate) fn while_writing<T>(events: &mut dyn Events, write: impl FnOnce() -> T) -> T {
    let (mut write, mut result) = (Some(write), None);
    events.while_writing(&mut || result = write.take().map(|write| write()));
    result.expect("while_writing calls what it is given")
}
