//! The stream of a job's events.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};

use crate::server::error::ApiResult;
use crate::server::extract::Path;
use crate::server::jobs::known;
use crate::server::state::Studio;

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
        (status = 200, description = "The events.", body = String, content_type = "text/event-stream"),
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
