//! Pausing, resuming, cancelling and adjusting jobs.

use axum::extract::State;
use impasto::Objective;
use impasto_job::job::Kind;
use impasto_job::job::values::{Strength, Weight};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::database::jobs::{Control, Controlled};
use crate::model::{Adjustment, JobView, State as JobState};
use crate::server::error::{ApiError, ApiResult};
use crate::server::extract::{Json, Path};
use crate::server::jobs::{check_id, known};
use crate::server::state::Studio;

/// What is asked of a job.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ControlBody {
    /// What it is to do.
    action: Action,
    /// Of `adjust`: how far the picture goes from the photo (0) to the painting (100).
    #[schema(minimum = 0.0, maximum = 100.0)]
    strength: Option<f64>,
    /// Of `adjust`: weight of the total variation, which smooths.
    #[schema(minimum = 0.0)]
    tv_weight: Option<f64>,
}

/// What a job can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Action {
    /// Stop after this step, and keep what is there.
    Pause,
    /// Go on.
    Resume,
    /// End without a picture.
    Cancel,
    /// Go on with other weights.
    Adjust,
}

impl Action {
    /// What the job is then.
    fn done(self) -> &'static str {
        match self {
            Action::Pause => "paused",
            Action::Resume => "resumed",
            Action::Cancel => "cancelled",
            Action::Adjust => "adjusted",
        }
    }
}

/// Pause, resume, cancel or adjust a job.
///
/// A job that runs does so after its current step. Adjusting changes its strength or the weight of
/// its total variation, and it goes on from the picture so far.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/control", tag = "jobs", request_body = ControlBody,
    params(("id" = String, Path, description = "Name of the job.")),
    responses(
        (status = 200, description = "It is done, or will be after this step.", body = JobView),
        (status = 404, description = "There is no such job."),
        (status = 409, description = "The job stands where that cannot be done."),
        (status = 413, description = "The body is too large."),
        (status = 415, description = "The body is not called JSON."),
        (status = 422, description = "The body cannot be meant."),
    ))]
pub async fn control(
    State(studio): State<Studio>,
    Path(id): Path<String>,
    Json(body): Json<ControlBody>,
) -> ApiResult<Json<JobView>> {
    check_id(&id)?;
    let ControlBody { action, strength, tv_weight } = body;
    let control = match action {
        Action::Adjust => {
            let adjustment = adjustment(strength, tv_weight)?;
            check_adjustable(&known(&studio, &id).await?, adjustment)?;
            Control::Adjust(adjustment)
        }
        _ if strength.is_some() || tv_weight.is_some() => {
            return Err(ApiError::unprocessable("weights go with the action `adjust`; leave them out"));
        }
        Action::Pause => Control::Pause,
        Action::Resume => Control::Resume,
        Action::Cancel => Control::Cancel,
    };
    match studio.database.control(&id, control).await? {
        Controlled::Yes(job) => Ok(Json(*job)),
        Controlled::NotIn(state) => {
            let (done, state) = (action.done(), words(state));
            Err(ApiError::conflict(format!("the job is {state}, so it cannot be {done}")))
        }
        Controlled::Unknown => Err(ApiError::not_found("there is no such job; it may have been deleted")),
    }
}

fn words(state: JobState) -> &'static str {
    match state {
        JobState::SetAside => "set aside",
        state => state.word(),
    }
}

/// Refuses an adjustment that the job's run would refuse.
fn check_adjustable(view: &JobView, adjustment: Adjustment) -> ApiResult<()> {
    if view.job.kind != Kind::Transfer {
        return Err(ApiError::unprocessable(format!("a {} cannot be adjusted", view.job.kind)));
    }
    if adjustment.strength.is_some() && view.job.options.objective == Some(Objective::Paper) {
        return Err(ApiError::field("strength", "is a dial of the balanced objective, and this job has the paper's"));
    }
    if adjustment.strength.is_some() && view.job.options.content_weight.is_some_and(|weight| weight.get() == 0.0) {
        return Err(ApiError::field("strength", "weighs the content, which this job leaves out"));
    }
    if view.adjustments.len() >= ADJUSTMENTS {
        return Err(ApiError::conflict(format!("the job was adjusted {ADJUSTMENTS} times, which is the most")));
    }
    Ok(())
}

/// Most adjustments of a job.
const ADJUSTMENTS: usize = 200;

fn adjustment(strength: Option<f64>, tv_weight: Option<f64>) -> ApiResult<Adjustment> {
    if strength.is_none() && tv_weight.is_none() {
        return Err(ApiError::unprocessable("nothing is to be adjusted; give `strength`, `tv-weight` or both"));
    }
    if strength.is_some_and(|strength| Strength::new(strength).is_none()) {
        return Err(ApiError::field("strength", "is out of its range; give 0 to 100"));
    }
    if tv_weight.is_some_and(|weight| Weight::new(weight).is_none()) {
        return Err(ApiError::field("tv-weight", "is out of its range; give 0 or above"));
    }
    Ok(Adjustment { step: None, strength, tv_weight })
}
