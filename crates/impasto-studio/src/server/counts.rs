//! What is counted while the server runs.

use std::sync::atomic::AtomicU64;

use axum::http::StatusCode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

/// Labels of a family: names and values.
pub type Labels = Vec<(&'static str, String)>;

/// What has been answered since the server began.
#[derive(Default)]
pub struct Counts {
    /// Requests answered, by status.
    pub requests: Family<Labels, Counter<u64, AtomicU64>>,
}

impl Counts {
    /// Counts an answer.
    pub fn answered(&self, status: StatusCode) {
        self.requests.get_or_create(&vec![("status", status.as_str().to_owned())]).inc();
    }
}
