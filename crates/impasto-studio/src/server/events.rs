//! The stream of a job's events.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use utoipa::ToSchema;

use crate::server::error::ApiResult;
use crate::server::extract::Path;
use crate::server::jobs::known;
use crate::server::state::Studio;

/// An event of a stream.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it is written as text; this describes it")]
pub struct EventView {
    /// Its number. Pictures and the end have none.
    id: Option<String>,
    /// Its word: `queued`, `started`, `planned`, `step`, `warning`, `note`, `adjusted`, `paused`, `resumed`,
    /// `cancelled`, `done`, `failed`, `set-aside`, `picture` or `end`.
    event: String,
    /// Its data, as JSON.
    data: String,
}

/// Watch a job.
///
/// Server-sent events. Those with an `id` are numbered without gaps from 1; after a break the
/// stream goes on behind `Last-Event-ID`. `picture` has no `id`: it says that there is a newer live
/// picture, and only the newest counts. `end` is the last.
#[utoipa::path(get, path = "/api/v1/jobs/{id}/events", tag = "jobs",
    params(
        ("id" = String, Path, description = "Name of the job."),
        ("Last-Event-ID" = Option<String>, Header, description = "Number of the last event that arrived."),
    ),
    responses(
        (status = 200, description = "The events.", body = EventView, content_type = "text/event-stream"),
        (status = 404, description = "There is no such job."),
    ))]
pub async fn events(State(studio): State<Studio>, Path(id): Path<String>, headers: HeaderMap) -> ApiResult<Response> {
    let job = known(&studio, &id).await?;
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok()?.parse().ok());
    let stream = studio.hub.stream(&job.id, last.unwrap_or(0), studio.ends.clone());
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-cache"),
        // A reverse proxy must not wait for more.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, Body::from_stream(stream)).into_response())
}
