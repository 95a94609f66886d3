//! What of a job can be told before it is in the queue.

use std::path::Path;

use impasto::picture;
use impasto_job::job::values::OutputSize;
use impasto_job::job::{Job, Kind};
use impasto_job::resolve;
use serde_json::Value;

use crate::model::State;
use crate::names;
use crate::server::error::{ApiError, ApiResult};
use crate::server::files::is_checksum;
use crate::server::state::Studio;

/// Most styles of a job.
const STYLES: usize = 16;

/// Longest side of a preview in px, and its most steps: it holds back all pictures.
const PREVIEW: (usize, usize) = (256, 100);

/// Refuses a preview that is no small picture.
pub fn check_preview(job: &Job) -> ApiResult<()> {
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

/// A job as it came, if it can be made from what was uploaded.
pub async fn checked(studio: &Studio, job: &Value) -> ApiResult<Job> {
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
        .validate(Path::new("out.png"))
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

/// Refuses a job if too many wait.
pub async fn check_queue(studio: &Studio) -> ApiResult<()> {
    let counted = studio.database.jobs_by_state().await?;
    let waiting: i64 = counted.iter().filter(|(state, _)| *state == State::Queued).map(|(_, number)| number).sum();
    if waiting >= studio.limits.queue {
        return Err(ApiError::too_many(format!("{waiting} jobs wait, and no more may; come back when some are made")));
    }
    Ok(())
}
