//! Work that computes, apart from the threads that answer.

use crate::error::Result;
use crate::server::error::ApiError;

/// Runs something that computes, apart from the threads that answer.
pub(super) async fn computed<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work).await.map_err(ApiError::internal)
}
