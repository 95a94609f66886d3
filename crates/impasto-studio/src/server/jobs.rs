//! Creating jobs, finding them, and what they will take.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use impasto_job::job::{Job, values};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::command;
use crate::database::jobs::{Control, Created, Known, Lane, NewJob, Search};
use crate::model::{JobList, JobView, State as JobState};
use crate::names;
use crate::server::checks::{check_preview, check_queue, checked};
use crate::server::error::{ApiError, ApiResult};
use crate::server::extract::{Json, Path, Query};
use crate::server::files::check_disk;
use crate::server::state::Studio;

/// Previews go before everything else.
const PREVIEW_PRIORITY: i64 = 1000;

/// A job that is to be created.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NewJobBody {
    /// What is asked for. Every input needs the `sha256` of an uploaded file; its `path` is only a
    /// name. There is no output file: the studio keeps the result.
    #[schema(schema_with = crate::model::job_schema)]
    job: Value,
    /// It is a small preview: it is made at once, beside whatever runs, and is not in the history.
    #[serde(default)]
    preview: bool,
    /// Jobs with a larger one go first.
    #[serde(default)]
    #[schema(minimum = -100, maximum = 100)]
    priority: i64,
    /// The jobs that it belongs to, such as variants of one picture. The list of jobs leaves it
    /// out, unless asked for the group.
    #[schema(max_length = 64)]
    group: Option<String>,
    /// A job that is cancelled, because this one takes its place.
    replaces: Option<String>,
}

/// Says what a job takes, before it is made.
#[utoipa::path(post, path = "/api/v1/plan", tag = "jobs",
    request_body(content = ref("#/components/schemas/Job"), content_type = "application/json"),
    responses(
        (status = 200, description = "What the run takes.", body = Object),
        (status = 409, description = "A file was removed in this moment; upload it again."),
        (status = 413, description = "The body is too large."),
        (status = 415, description = "The body is not called JSON."),
        (status = 422, description = "The job cannot be made, or does not fit in memory."),
    ))]
pub async fn plan(State(studio): State<Studio>, Json(job): Json<Value>) -> ApiResult<Response> {
    let job = checked(&studio, &job).await?;
    let plan = studio.planner.plan(&studio.store, job).await?;
    Ok(axum::Json(plan).into_response())
}

/// Create a job.
///
/// With an `Idempotency-Key`, the same request creates one job however often it is sent.
#[utoipa::path(post, path = "/api/v1/jobs", tag = "jobs", request_body = NewJobBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "Any text of at most 128 characters.")),
    responses(
        (status = 201, description = "The job is in the queue.", body = JobView),
        (status = 200, description = "The same request came before, and this is its job.", body = JobView),
        (status = 409, description = "The key came before, with another request or for a job that was deleted; or the disk is full."),
        (status = 413, description = "The body is too large."),
        (status = 415, description = "The body is not called JSON."),
        (status = 422, description = "The job cannot be made."),
        (status = 429, description = "Too many jobs wait."),
    ))]
pub async fn create(
    State(studio): State<Studio>,
    headers: HeaderMap,
    Json(request): Json<Value>,
) -> ApiResult<Response> {
    let text = request.to_string();
    let body: NewJobBody =
        serde_json::from_value(request).map_err(|error| ApiError::unprocessable(error.to_string()))?;
    let NewJobBody { job, preview, priority, group, replaces } = body;
    let key = idempotency_key(&headers)?;
    if !(-100..=100).contains(&priority) {
        return Err(ApiError::field("priority", format!("is {priority}; give -100 to 100")));
    }
    if group.as_ref().is_some_and(|group| group.len() > 64 || group.is_empty() || group.contains('\0')) {
        return Err(ApiError::field("group", "is empty or longer than 64 bytes; give a shorter one"));
    }
    if let Some(key) = &key {
        match studio.database.known_key(key, &text).await? {
            Known::New => {}
            Known::Job(job) => return Ok((StatusCode::OK, axum::Json(*job)).into_response()),
            Known::OtherRequest => return Err(other_request()),
            Known::Deleted => return Err(deleted()),
        }
    }
    let job = checked(&studio, &job).await?;
    if preview {
        check_preview(&job)?;
    }
    check_disk(&studio, 0)?;
    check_queue(&studio).await?;
    let new = NewJob {
        title: names::title_of(&job),
        job,
        lane: if preview { Lane::Previews } else { Lane::Pictures },
        group,
        priority: if preview { PREVIEW_PRIORITY } else { priority },
        idempotency_key: key,
        request: text,
    };
    let job = match studio.database.create_job(&new).await? {
        Created::New(job) => job,
        Created::Before(job) => return Ok((StatusCode::OK, axum::Json(job)).into_response()),
        Created::OtherRequest => return Err(other_request()),
        Created::Deleted => return Err(deleted()),
    };
    if let Some(former) = replaces.filter(|id| check_id(id).is_ok()) {
        studio.database.control(&former, Control::Cancel).await?;
    }
    Ok((StatusCode::CREATED, axum::Json(job)).into_response())
}

fn other_request() -> ApiError {
    ApiError::conflict("this idempotency key came before, with another request; use another key for another request")
}

fn deleted() -> ApiError {
    ApiError::conflict("this idempotency key came before, and its job was deleted; use another key")
}

fn idempotency_key(headers: &HeaderMap) -> ApiResult<Option<String>> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    match key.to_str() {
        Ok(key) if (1..=128).contains(&key.len()) => Ok(Some(key.to_owned())),
        _ => Err(ApiError::bad_request("the idempotency key is no text of 1 to 128 characters; give such a one")),
    }
}

/// Which jobs are listed.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// At most so many. Default 50.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// Only jobs with a smaller number.
    before: Option<i64>,
    /// Part of the title.
    search: Option<String>,
    /// Only favourites.
    favourite: Option<bool>,
    /// Only jobs that stand there.
    state: Option<JobState>,
    /// The jobs of this group.
    group: Option<String>,
}

/// List jobs, newest first.
#[utoipa::path(get, path = "/api/v1/jobs", tag = "jobs", params(ListQuery),
    responses(
        (status = 200, description = "The jobs.", body = JobList),
        (status = 422, description = "The limit is out of its range, or a text too long."),
    ))]
pub async fn list(State(studio): State<Studio>, Query(query): Query<ListQuery>) -> ApiResult<Json<JobList>> {
    let ListQuery { limit, before, search, favourite, state, group } = query;
    let limit = limit.unwrap_or(50);
    if !(1..=200).contains(&limit) {
        return Err(ApiError::unprocessable(format!("`limit` is {limit}; give 1 to 200")));
    }
    let has_zero = |text: &Option<String>| text.as_ref().is_some_and(|text| text.contains('\0'));
    if has_zero(&search) || has_zero(&group) {
        return Err(ApiError::bad_request("the query has a NUL character; leave it out"));
    }
    if [&search, &group].into_iter().flatten().any(|text| text.len() > 200) {
        return Err(ApiError::unprocessable("`search` or `group` is longer than 200 bytes; give less"));
    }
    let favourite = favourite.unwrap_or(false);
    let search = Search { text: search, favourite, state, group, before, limit };
    Ok(Json(studio.database.jobs(&search).await?))
}

/// A job that is not deleted.
pub(super) async fn known(studio: &Studio, id: &str) -> ApiResult<JobView> {
    check_id(id)?;
    studio.database.job(id).await?.ok_or_else(unknown)
}

/// Refuses what cannot be the name of a job.
pub(super) fn check_id(id: &str) -> ApiResult<()> {
    if id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) { Ok(()) } else { Err(unknown()) }
}

fn unknown() -> ApiError {
    ApiError::not_found("there is no such job; it may have been deleted")
}

/// Get a job.
#[utoipa::path(get, path = "/api/v1/jobs/{id}", tag = "jobs",
    params(("id" = String, Path, description = "Name of the job.")),
    responses(
        (status = 200, description = "The job.", body = JobView),
        (status = 404, description = "There is no such job."),
    ))]
pub async fn get(State(studio): State<Studio>, Path(id): Path<String>) -> ApiResult<Json<JobView>> {
    Ok(Json(known(&studio, &id).await?))
}

/// What can be changed of a job.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ChangeBody {
    /// Somebody wants to find it again.
    favourite: bool,
}

/// Mark a job as a favourite, or as none.
#[utoipa::path(patch, path = "/api/v1/jobs/{id}", tag = "jobs", request_body = ChangeBody,
    params(("id" = String, Path, description = "Name of the job.")),
    responses(
        (status = 200, description = "The job as it is now.", body = JobView),
        (status = 404, description = "There is no such job."),
        (status = 413, description = "The body is too large."),
        (status = 415, description = "The body is not called JSON."),
        (status = 422, description = "The body cannot be meant."),
    ))]
pub async fn change(
    State(studio): State<Studio>,
    Path(id): Path<String>,
    Json(ChangeBody { favourite }): Json<ChangeBody>,
) -> ApiResult<Json<JobView>> {
    check_id(&id)?;
    Ok(Json(studio.database.set_favourite(&id, favourite).await?.ok_or_else(unknown)?))
}

/// Delete a job.
///
/// If it runs, it is ended. For ten minutes it can be restored.
#[utoipa::path(delete, path = "/api/v1/jobs/{id}", tag = "jobs",
    params(("id" = String, Path, description = "Name of the job.")),
    responses(
        (status = 204, description = "It is deleted."),
        (status = 404, description = "There is no such job."),
    ))]
pub async fn delete(State(studio): State<Studio>, Path(id): Path<String>) -> ApiResult<StatusCode> {
    check_id(&id)?;
    if studio.database.delete_job(&id).await? { Ok(StatusCode::NO_CONTENT) } else { Err(unknown()) }
}

/// Restore a job that was deleted less than ten minutes ago.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/restore", tag = "jobs",
    params(("id" = String, Path, description = "Name of the job.")),
    responses(
        (status = 200, description = "The job as it is now.", body = JobView),
        (status = 404, description = "There is no such job, or it is gone."),
    ))]
pub async fn restore(State(studio): State<Studio>, Path(id): Path<String>) -> ApiResult<Json<JobView>> {
    check_id(&id)?;
    Ok(Json(studio.database.restore_job(&id).await?.ok_or_else(unknown)?))
}

/// A job as a command line.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct CommandView {
    /// For a shell, in the folder that the pictures are in.
    command: String,
    /// The job, with what was adjusted while it ran. `impasto run` makes it too.
    #[schema(schema_with = crate::model::job_schema)]
    job: Job,
    /// The command says all of the job.
    exact: bool,
    /// What the command does not say.
    note: Option<String>,
}

/// Get the command that makes the same picture, bit for bit.
#[utoipa::path(get, path = "/api/v1/jobs/{id}/command", tag = "jobs",
    params(("id" = String, Path, description = "Name of the job.")),
    responses(
        (status = 200, description = "The command.", body = CommandView),
        (status = 404, description = "There is no such job."),
    ))]
pub async fn command(State(studio): State<Studio>, Path(id): Path<String>) -> ApiResult<Json<CommandView>> {
    let JobView { mut job, adjustments, .. } = known(&studio, &id).await?;
    values::Adjustment::add(&mut job.options.adjust, adjustments.into_iter().map(values::Adjustment::from));
    names::name_inputs(&mut job);
    let command::Line { command, note } = command::of(&job);
    Ok(Json(CommandView { command, job, exact: note.is_none(), note }))
}
