//! What the studio is, and what it has.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use sysinfo::System as Machine;
use tracing::warn;
use utoipa::ToSchema;

use crate::gallery::{Example, GalleryEntry};
use crate::model::WorkerView;
use crate::server::error::{ApiError, ApiResult};
use crate::server::extract::Json;
use crate::server::state::Studio;

/// What the studio is, and what it has.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct SystemView {
    /// The program and its version.
    program: String,
    /// What the workers compute with, in words.
    device: String,
    /// Cores of the server's machine.
    threads: usize,
    /// Bytes of memory that are free on the server's machine.
    memory: u64,
    /// The workers that are there.
    workers: Vec<WorkerView>,
    /// What the studio refuses to go beyond.
    limits: LimitsView,
    /// Styles to start with. They are uploaded already.
    gallery: Vec<GalleryEntry>,
    /// A photo and a style to start with. They are uploaded already.
    example: Example,
}

/// What the studio refuses to go beyond.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct LimitsView {
    /// Most bytes of an uploaded file.
    file_bytes: usize,
    /// Most pixels of an uploaded picture.
    pixels: u64,
    /// Most jobs that wait.
    jobs: i64,
}

/// Get what the studio is and has.
#[utoipa::path(get, path = "/api/v1/system", tag = "studio",
    responses((status = 200, description = "The studio.", body = SystemView)))]
pub async fn system(State(studio): State<Studio>) -> ApiResult<Json<SystemView>> {
    let workers = studio.database.workers().await?;
    let device = workers.first().map_or("no worker is there", |worker| worker.device.as_str()).to_owned();
    let mut machine = Machine::new();
    machine.refresh_memory();
    let limits = &studio.limits;
    Ok(Json(SystemView {
        program: impasto_job::job::PROGRAM.to_owned(),
        device,
        threads: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        memory: machine.available_memory(),
        workers,
        limits: LimitsView { file_bytes: limits.file_bytes, pixels: limits.pixels, jobs: limits.queue },
        gallery: studio.gallery.entries.clone(),
        example: studio.gallery.example.clone(),
    }))
}

/// Get the JSON Schema of a job.
#[utoipa::path(get, path = "/api/v1/schema", tag = "studio",
    responses((status = 200, description = "The schema.", body = Object)))]
pub async fn schema() -> Json<Value> {
    Json(impasto_job::schema::schema().clone())
}

/// `200` if the studio can do its work.
pub(super) async fn health(State(studio): State<Studio>) -> Response {
    match studio.database.now().await {
        Ok(_) => "ok\n".into_response(),
        Err(error) => {
            warn!(%error, "the database does not answer");
            ApiError::unavailable("the database does not answer").into_response()
        }
    }
}
