//! Figures for Prometheus.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::model::State as JobState;
use crate::server::counts::Labels;
use crate::server::error::{ApiError, ApiResult};
use crate::server::state::Studio;

/// Get figures for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "studio",
    responses((status = 200, description = "The figures, as OpenMetrics text.", body = String, content_type = "application/openmetrics-text")))]
pub async fn metrics(State(studio): State<Studio>) -> ApiResult<Response> {
    let mut registry = Registry::with_prefix("impasto");
    registry.register("http_requests", "Requests answered, by status", studio.counts.requests.clone());

    let jobs: Family<Labels, Gauge> = Family::default();
    let counted = studio.database.jobs_by_state().await?;
    for state in JobState::ALL {
        let number = counted.iter().find(|(other, _)| *other == state).map_or(0, |&(_, number)| number);
        jobs.get_or_create(&vec![("state", state.word().to_owned())]).set(number);
    }
    registry.register("jobs", "Jobs that are not deleted, by state", jobs);

    let workers: Family<Labels, Gauge> = Family::default();
    for state in ["idle", "working"] {
        let number = studio.database.workers().await?.iter().filter(|worker| worker.state == state).count();
        workers.get_or_create(&vec![("state", state.to_owned())]).set(number as i64);
    }
    registry.register("workers", "Workers that are there, by state", workers);

    let (files, bytes): (Gauge, Gauge) = Default::default();
    let held = studio.database.files_held().await?;
    files.set(held.0);
    bytes.set(held.1);
    registry.register("files", "Uploaded files", files);
    registry.register("files_bytes", "Bytes of the uploaded files", bytes);

    let mut text = String::new();
    encode(&mut text, &registry).map_err(ApiError::internal)?;
    let media_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, media_type)], text).into_response())
}
