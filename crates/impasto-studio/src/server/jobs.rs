//! Creating jobs, finding them, and what they will take.

use std::path::Path as FilePath;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use impasto::picture;
use impasto_job::job::values::OutputSize;
use impasto_job::job::{Job, Kind, values};
use impasto_job::resolve;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::command;
use crate::database::jobs::{Control, Created, Known, Lane, NewJob, Search};
use crate::model::{JobList, JobView, State as JobState};
use crate::names;
use crate::server::error::{ApiError, ApiResult};
use crate::server::extract::{Json, Path, Query};
use crate::server::files::{check_disk, is_checksum};
use crate::server::state::Studio;

/// Most styles of a job.
const STYLES: usize = 16;

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
        (status = 409, description = "The key came before, with another request or for a job that was deleted."),
        (status = 413, description = "The body is too large."),
        (status = 415, description = "The body is not called JSON."),
        (status = 422, description = "The job cannot be made."),
        (status = 429, description = "Too many jobs wait."),
        (status = 507, description = "The disk is full."),
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
        title: title(&job),
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

/// Longest side of a preview in px, and its most steps: it holds back all pictures.
const PREVIEW: (usize, usize) = (256, 100);

/// Refuses a preview that is no small picture.
fn check_preview(job: &Job) -> ApiResult<()> {
    let (longest, steps) = PREVIEW;
    let complete = resolve::complete(job)?;
    if job.options.size == Some(OutputSize::Original) || complete.size.size > longest {
        return Err(ApiError::field("options.size", format!("is too large for a preview; give at most {longest}")));
    }
    if complete.numerics.steps > steps {
        return Err(ApiError::field("options.steps", format!("are too many for a preview; give at most {steps}")));
    }
    Ok(())
}

fn idempotency_key(headers: &HeaderMap) -> ApiResult<Option<String>> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    match key.to_str() {
        Ok(key) if (1..=128).contains(&key.len()) => Ok(Some(key.to_owned())),
        _ => Err(ApiError::bad_request("the idempotency key is no text of 1 to 128 characters; give such a one")),
    }
}

/// A job as it came, if it can be made from what was uploaded.
pub(super) async fn checked(studio: &Studio, job: &Value) -> ApiResult<Job> {
    if !job.is_object() {
        return Err(ApiError::unprocessable("the job is no JSON object; `impasto schema` says what it may hold"));
    }
    let mut job = Job::from_json_value(job)?;
    if job.kind == Kind::Sweep {
        return Err(ApiError::field("kind", "is sweep, which is a sheet of many pictures; create a job for each"));
    }
    if job.inputs.weights.is_some() {
        return Err(ApiError::field("inputs.weights", "cannot be given here; the network in the program is used"));
    }
    if job.output.file.is_some() || job.output.save_every.is_some() {
        let field = if job.output.file.is_some() { "output.file" } else { "output.save-every" };
        return Err(ApiError::field(field, "cannot be given here, because the studio keeps the result; leave it out"));
    }
    // Who made a picture is nothing that a request can say.
    job.made = None;
    job.inputs.files_mut().into_iter().for_each(|file| file.path = names::cleaned(&file.path).into());
    let complete = resolve::complete(&job)?;
    resolve::check_inputs(&job)?;
    resolve::save_options(&job.output)
        .validate(FilePath::new("out.png"))
        .map_err(|error| ApiError::unprocessable(error.to_string()))?;
    if job.inputs.styles.len() > STYLES {
        return Err(ApiError::field("inputs.styles", format!("are more than {STYLES}; give fewer")));
    }
    for (field, file) in job.inputs.files() {
        let name = names::cleaned(&file.path);
        let Some(sha256) = &file.sha256 else {
            return Err(ApiError::field(
                format!("{field}.sha256"),
                format!("is missing; upload {name}, and give its checksum"),
            ));
        };
        let sha256 = sha256.to_lowercase();
        if !is_checksum(&sha256) || !studio.database.use_file(&sha256).await? {
            return Err(ApiError::field(field, format!("is {name}, which is not uploaded; upload it first")));
        }
    }
    check_pixels(studio, &job, complete.size.size).await?;
    for file in job.inputs.files_mut() {
        file.sha256 = file.sha256.as_ref().map(|sha256| sha256.to_lowercase());
    }
    Ok(job)
}

/// Refuses a result with too many pixels.
async fn check_pixels(studio: &Studio, job: &Job, longest: usize) -> ApiResult<()> {
    let content = match job.inputs.content.as_ref().and_then(|file| file.sha256.as_ref()) {
        Some(sha256) => studio.database.file(&sha256.to_lowercase()).await?,
        None => None,
    };
    let (width, height) = match (job.options.size, content) {
        (Some(OutputSize::Both(width, height)), _) => (width, height),
        (Some(OutputSize::Original), Some(file)) => (file.width as usize, file.height as usize),
        (_, Some(file)) => picture::fit(file.width as usize, file.height as usize, longest),
        (_, None) => (longest, longest),
    };
    if width as u64 * height as u64 > studio.limits.pixels {
        let most = studio.limits.pixels / 1_000_000;
        return Err(ApiError::field("options.size", format!("asks for more than {most} million px; give less")));
    }
    Ok(())
}

async fn check_queue(studio: &Studio) -> ApiResult<()> {
    let counted = studio.database.jobs_by_state().await?;
    let waiting: i64 = counted.iter().filter(|(state, _)| *state == JobState::Queued).map(|(_, number)| number).sum();
    if waiting >= studio.limits.queue {
        return Err(ApiError::too_many(format!("{waiting} jobs wait, and no more may; come back when some are made")));
    }
    Ok(())
}

/// What a job is called.
fn title(job: &Job) -> String {
    let content = job.inputs.content.iter().map(|file| file.path.as_path());
    names::title(content.chain(job.inputs.styles.iter().map(|style| style.file.path.as_path())))
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
