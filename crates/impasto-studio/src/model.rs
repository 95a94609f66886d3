//! What the API says and hears, as plain data.

use impasto_job::job::{Job, values};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{Ref, RefOr};

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It waits for a worker.
    Queued,
    /// A worker is at it.
    Running,
    /// It waits until somebody resumes it.
    Paused,
    /// Its picture is made.
    Done,
    /// It cannot be made; `error` says why.
    Failed,
    /// Somebody ended it.
    Cancelled,
    /// Three workers vanished with it, so it is not tried again.
    SetAside,
}

impl State {
    /// All of them.
    pub const ALL: [State; 7] =
        [State::Queued, State::Running, State::Paused, State::Done, State::Failed, State::Cancelled, State::SetAside];

    /// Its word in the API and in the database.
    pub fn word(self) -> &'static str {
        match self {
            State::Queued => "queued",
            State::Running => "running",
            State::Paused => "paused",
            State::Done => "done",
            State::Failed => "failed",
            State::Cancelled => "cancelled",
            State::SetAside => "set-aside",
        }
    }

    /// The state with this word.
    pub fn of_word(word: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Whether nothing more happens to the job by itself or by a control.
    pub fn is_final(self) -> bool {
        matches!(self, State::Done | State::Failed | State::Cancelled | State::SetAside)
    }
}

/// The schema of a job, where it stands in another one. The job's library makes it.
pub(crate) fn job_schema() -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name("Job"))
}

/// A job as the API shows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct JobView {
    /// Names the job.
    pub id: String,
    /// Grows with every job.
    pub number: i64,
    /// Where it stands.
    pub state: State,
    /// `pause` or `cancel`: asked for, and not done yet.
    pub wanted: Option<String>,
    /// What went in: `photo × painting`.
    pub title: String,
    /// It is a preview, and not in the history.
    pub preview: bool,
    /// The jobs that it belongs to.
    pub group: Option<String>,
    /// Somebody wants to find it again.
    pub favourite: bool,
    /// Jobs with a larger one go first.
    pub priority: i64,
    /// When it was created, in milliseconds since 1970.
    pub created: i64,
    /// When its first step began.
    pub started: Option<i64>,
    /// When it came to its end.
    pub ended: Option<i64>,
    /// How many jobs are before it in the queue.
    pub ahead: i64,
    /// What was asked for.
    #[schema(schema_with = job_schema)]
    pub job: Job,
    /// What the run takes, once it is planned.
    #[schema(value_type = Option<Object>)]
    pub plan: Option<Value>,
    /// The last step.
    #[schema(value_type = Option<Object>)]
    pub progress: Option<Value>,
    /// What the run said at its end.
    #[schema(value_type = Option<Object>)]
    pub report: Option<Value>,
    /// Why it failed or was set aside.
    pub error: Option<String>,
    /// Width and height of the result in px, once the run is planned.
    #[schema(value_type = Option<Vec<u32>>)]
    pub size: Option<[u64; 2]>,
    /// The version of its live picture.
    pub picture: Option<i64>,
    /// Changes that were made while it ran.
    pub adjustments: Vec<Adjustment>,
    /// Who works on it, or did last.
    pub worker: Option<String>,
}

/// A change of a run's weights while it goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Adjustment {
    /// The steps that were done when it came. Not given when it is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<u64>,
    /// How far the picture goes from the photo (0) to the painting (100).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0.0, maximum = 100.0)]
    pub strength: Option<f64>,
    /// Weight of the total variation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0.0)]
    pub tv_weight: Option<f64>,
}

impl From<values::Adjustment> for Adjustment {
    fn from(made: values::Adjustment) -> Adjustment {
        let values::Adjustment { step, strength, tv_weight } = made;
        Adjustment {
            step: Some(step as u64),
            strength: strength.map(|strength| strength.get()),
            tv_weight: tv_weight.map(|weight| weight.get()),
        }
    }
}

impl From<Adjustment> for values::Adjustment {
    /// Values out of their range are left out. The API has refused them before.
    fn from(adjustment: Adjustment) -> values::Adjustment {
        let Adjustment { step, strength, tv_weight } = adjustment;
        values::Adjustment {
            step: usize::try_from(step.unwrap_or_default()).unwrap_or(usize::MAX),
            strength: strength.and_then(values::Strength::new),
            tv_weight: tv_weight.and_then(values::Weight::new),
        }
    }
}

/// A file that was uploaded.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct FileView {
    /// SHA-256 of its bytes in hexadecimal. Jobs name it by this.
    pub sha256: String,
    /// What it was called when it was first uploaded.
    pub name: String,
    /// How long it is.
    pub bytes: i64,
    /// Width of the upright picture in px.
    pub width: i64,
    /// Height of the upright picture in px.
    pub height: i64,
    /// The job of a picture that impasto made.
    #[schema(value_type = Option<Object>)]
    pub recipe: Option<Value>,
}

/// A list of jobs, newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct JobList {
    /// The jobs.
    pub jobs: Vec<JobView>,
    /// Give this as `before` for those that are older; `null`: there are none.
    pub next: Option<i64>,
}

/// A worker.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WorkerView {
    /// Its name: the machine and the process.
    pub name: String,
    /// What it computes with.
    pub device: String,
    /// `idle` or `working`.
    pub state: String,
    /// The job that it works on.
    pub job: Option<String>,
    /// When it last said that it is there, in milliseconds since 1970.
    pub seen: i64,
}
