//! What a run tells, on its way to the database.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use impasto::picture::{self, Format, SaveOptions};
use impasto_job::events::{Event, Events, LivePicture};
use impasto_job::job::values;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;

use crate::live::{self, LivePictures};
use crate::model::Adjustment;
use crate::worker::gate::Gate;
use crate::worker::requests::Requests;

/// A picture grows at most four times a second.
const BETWEEN_PICTURES: Duration = Duration::from_millis(250);

/// Elsewhere than in this process it grows more slowly: each picture goes through the store.
const BETWEEN_SENT_PICTURES: Duration = Duration::from_secs(2);

/// Showing the picture takes at most one part in as many of the time.
const SHOWING_SHARE: u32 = 25;

/// Versions of pictures that each taking of a job has room for: one for each step.
pub const VERSIONS: i64 = 1_000_000;

/// Something that a run tells.
#[derive(Debug)]
pub enum Told {
    /// Something for those who watch: its word, and its data as JSON.
    Event(&'static str, Value),
    /// What the run takes.
    Plan(Value),
    /// A step, with the steps done.
    Step(u64, Value),
    /// A checkpoint is written in that folder.
    Checkpoint(PathBuf),
    /// There is a new live picture in this process, with its version.
    Picture(i64),
    /// A new live picture, as a JPEG for the store.
    SentPicture(i64, Vec<u8>),
    /// A change was made.
    Adjusted(Adjustment),
}

/// How a run is watched.
pub enum Show {
    /// Its pictures are kept in this process.
    Here(LivePictures),
    /// Its pictures go through the store.
    Elsewhere,
    /// It is too short to be watched.
    Nothing,
}

/// Hands on what a run tells, and what is asked of it.
pub struct Watcher {
    pub job: String,
    /// Versions of pictures are larger than this.
    pub first_version: i64,
    pub told: UnboundedSender<Told>,
    pub requests: Requests,
    /// Where the run waits for previews; `None`: it is one.
    pub gate: Option<Gate>,
    pub show: Show,
    /// The next picture is due then.
    pub next_picture: Instant,
    /// The run has begun: its start is evaluated, or its state restored.
    pub has_begun: bool,
}

impl Watcher {
    fn tell(&self, told: Told) {
        // Nobody listens any more if the worker ends, and then nobody has to know.
        drop(self.told.send(told));
    }
}

impl Events for Watcher {
    fn event(&mut self, event: Event) {
        let told = match event {
            Event::Planned(plan) => {
                let mut plan = value(&plan);
                // The folder is the worker's.
                plan["output"] = Value::Null;
                Told::Plan(plan)
            }
            Event::Step(step) => {
                self.has_begun = true;
                Told::Step(step.step as u64, value(&step))
            }
            Event::Warning { about, text } => Told::Event("warning", about_file(about.as_deref(), &text)),
            Event::Note { about, text } => Told::Event("note", about_file(Some(&about), &text)),
            Event::Checkpoint { folder } => Told::Checkpoint(folder),
            Event::Adjusted { adjustment } => Told::Adjusted(adjustment.into()),
            _ => return,
        };
        self.tell(told);
    }

    fn picture(&mut self, live: &LivePicture<'_>) {
        if let Some(gate) = &self.gate {
            gate.pass(|| self.requests.stopped().is_some());
        }
        if !self.requests.is_watched() || Instant::now() < self.next_picture {
            return;
        }
        let started = Instant::now();
        let version = self.first_version + live.step() as i64;
        let told = match &self.show {
            Show::Nothing => return,
            Show::Here(pictures) => {
                pictures.set(&self.job, live::LivePicture::new(live.image()));
                Some(Told::Picture(version))
            }
            Show::Elsewhere => {
                let options =
                    SaveOptions { format: Some(Format::Jpeg), quality: Some(live::QUALITY), ..SaveOptions::default() };
                // A picture that cannot be encoded is not shown; the run itself says what is wrong.
                let jpeg = picture::encode(&live.image(), Path::new("live.jpg"), &options).ok();
                jpeg.map(|jpeg| Told::SentPicture(version, jpeg))
            }
        };
        let between = if matches!(self.show, Show::Here(_)) { BETWEEN_PICTURES } else { BETWEEN_SENT_PICTURES };
        self.next_picture = Instant::now() + between.max(started.elapsed().saturating_mul(SHOWING_SHARE));
        if let Some(told) = told {
            self.tell(told);
        }
    }

    fn stop_requested(&self) -> bool {
        self.requests.stopped().is_some()
    }

    fn adjustment(&mut self) -> Option<values::Adjustment> {
        self.requests.next_adjustment().map(Into::into)
    }
}

fn value(data: &impl Serialize) -> Value {
    serde_json::to_value(data).unwrap_or_default()
}

/// What a run tells about a file, by the file's name: its folder is the worker's.
fn about_file(path: Option<&Path>, text: &str) -> Value {
    let name = path.and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    serde_json::json!({ "about": name, "text": text })
}
