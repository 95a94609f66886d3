//! Answers with small pictures.

use std::path::Path;

use axum::body::Bytes;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use impasto::picture;

use crate::server::compute::computed;
use crate::server::error::{ApiError, ApiResult};
use crate::server::state::Studio;
use crate::thumbnails::of_picture;

/// Longest side of those that are made if nobody says, in px.
const USUAL: usize = 256;

/// The longest side that was asked for.
///
/// Errors: it is out of its range.
pub fn check_size(size: Option<usize>) -> ApiResult<usize> {
    let size = size.unwrap_or(USUAL);
    if !(16..=2048).contains(&size) {
        return Err(ApiError::unprocessable(format!("`size` is {size}; give 16 to 2048 px")));
    }
    Ok(size)
}

/// Answers with a small JPEG of a picture.
pub async fn answer(studio: &Studio, bytes: Bytes, longest: usize, cache: &'static str) -> ApiResult<Response> {
    let _permit = studio.pictures.acquire().await.map_err(ApiError::internal)?;
    let small = computed(move || {
        let picture = picture::decode(&bytes, Path::new("picture"))?;
        Ok::<_, impasto::Error>(of_picture(&picture.image, longest))
    });
    let small = small.await?.map_err(ApiError::internal)?;
    Ok(([(header::CONTENT_TYPE, "image/jpeg"), (header::CACHE_CONTROL, cache)], small).into_response())
}
