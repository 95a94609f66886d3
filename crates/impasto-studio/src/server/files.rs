//! Uploading files, and showing them.

use std::path::Path as FilePath;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::BytesMut;
use futures_util::StreamExt;
use serde::Deserialize;
use tokio::time::timeout;
use utoipa::IntoParams;

use crate::model::FileView;
use crate::names;
use crate::server::compute::computed;
use crate::server::error::{ApiError, ApiResult};
use crate::server::extract::{Json, Path, Query};
use crate::server::state::Studio;
use crate::server::thumbnails;
use crate::store::Name;
use crate::uploads::{self, Unfit};

/// What an upload says besides its bytes.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct UploadQuery {
    /// What the file is called. The studio shows it and never uses it as a path.
    #[param(max_length = 255, example = "photo.jpg")]
    name: String,
}

/// Upload a picture.
///
/// The body is the file itself: PNG, JPEG, TIFF, WebP, HEIC, AVIF or JPEG XL. Jobs name it by the
/// checksum in the answer. Uploading the same bytes again changes nothing.
#[utoipa::path(post, path = "/api/v1/files", tag = "files", params(UploadQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = 201, description = "The file is new.", body = FileView),
        (status = 200, description = "The file was there before.", body = FileView),
        (status = 408, description = "The file stopped arriving."),
        (status = 409, description = "The disk is full."),
        (status = 413, description = "The file, or its picture, is too large."),
        (status = 415, description = "The file is no picture that impasto reads."),
        (status = 429, description = "There are too many files."),
    ))]
pub async fn upload(
    State(studio): State<Studio>,
    Query(UploadQuery { name }): Query<UploadQuery>,
    body: Body,
) -> ApiResult<Response> {
    let name = names::cleaned(FilePath::new(&name));
    let _upload = studio.uploads.acquire().await.map_err(ApiError::internal)?;
    let bytes = read(body, &name, studio.limits.file_bytes).await?;
    let sha256 = uploads::checksum(&bytes);
    if let Some(known) = studio.database.file(&sha256).await?
        && studio.database.use_file(&sha256).await?
        && studio.store.has(&Name::Upload(&sha256)).await?
    {
        return Ok((StatusCode::OK, axum::Json(known)).into_response());
    }
    check_room(&studio, bytes.len()).await?;
    let (read, most) = (bytes.clone(), studio.limits.pixels);
    let _picture = studio.pictures.acquire().await.map_err(ApiError::internal)?;
    let described = computed(move || uploads::described(&read, &name, sha256, most)).await?;
    let described = described.map_err(|unfit| match unfit {
        Unfit::TooLarge(words) => ApiError::too_large(words),
        Unfit::NoPicture(words) => ApiError::unsupported(words),
    })?;
    uploads::keep(&studio.database, &studio.store, &described, bytes).await?;
    Ok((StatusCode::CREATED, axum::Json(described.file)).into_response())
}

/// A body that brings nothing for so long has been given up.
const SILENCE: Duration = Duration::from_secs(30);

/// The body, up to a limit.
async fn read(body: Body, name: &str, most: usize) -> ApiResult<Bytes> {
    let mut body = body.into_data_stream();
    let mut bytes = BytesMut::new();
    loop {
        let part = timeout(SILENCE, body.next()).await;
        let part = part.map_err(|_| ApiError::timed_out(format!("{name} stopped arriving; send it again")))?;
        let Some(part) = part else { return Ok(bytes.freeze()) };
        let part = part.map_err(|error| ApiError::bad_request(format!("{name} did not arrive whole: {error}")))?;
        if bytes.len() + part.len() > most {
            return Err(ApiError::too_large(format!("{name} is longer than {} MiB; send a smaller file", most >> 20)));
        }
        bytes.extend_from_slice(&part);
    }
}

/// Refuses a file that there is no room for.
async fn check_room(studio: &Studio, bytes: usize) -> ApiResult<()> {
    let (files, _) = studio.database.files_held().await?;
    if files >= studio.limits.files {
        return Err(ApiError::too_many(format!(
            "the studio keeps {files} files, and no more; delete jobs that use them"
        )));
    }
    check_disk(studio, bytes as u64)
}

/// Refuses what would fill the disk of the store.
pub(super) fn check_disk(studio: &Studio, bytes: u64) -> ApiResult<()> {
    let Some(folder) = studio.store.local_folder() else { return Ok(()) };
    let free = fs4::available_space(folder).map_err(ApiError::internal)?;
    if free.saturating_sub(bytes) < studio.limits.free_disk {
        return Err(ApiError::no_room(format!(
            "the disk of the studio has {} MiB left; delete jobs, or make room",
            free >> 20
        )));
    }
    Ok(())
}

/// Whether a text can be a checksum as the studio writes it.
pub(super) fn is_checksum(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// A file that was uploaded.
async fn known(studio: &Studio, sha256: &str) -> ApiResult<FileView> {
    let file = if is_checksum(sha256) { studio.database.file(sha256).await? } else { None };
    file.ok_or_else(|| ApiError::not_found("there is no file with this checksum; upload it"))
}

/// Describe a file.
#[utoipa::path(get, path = "/api/v1/files/{sha256}", tag = "files",
    params(("sha256" = String, Path, description = "Checksum of the file.")),
    responses(
        (status = 200, description = "The file is there.", body = FileView),
        (status = 404, description = "No such file was uploaded."),
    ))]
pub async fn describe(State(studio): State<Studio>, Path(sha256): Path<String>) -> ApiResult<Json<FileView>> {
    Ok(Json(known(&studio, &sha256).await?))
}

/// Get a file as it was uploaded.
#[utoipa::path(get, path = "/api/v1/files/{sha256}/bytes", tag = "files",
    params(("sha256" = String, Path, description = "Checksum of the file.")),
    responses(
        (status = 200, description = "The bytes.", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 404, description = "No such file was uploaded."),
    ))]
pub async fn bytes(State(studio): State<Studio>, Path(sha256): Path<String>) -> ApiResult<Response> {
    let file = known(&studio, &sha256).await?;
    let bytes = studio.store.get(&Name::Upload(&file.sha256)).await?;
    let bytes = bytes.ok_or_else(|| ApiError::not_found("the file is no longer in the store; upload it again"))?;
    let headers = [(header::CONTENT_TYPE, "application/octet-stream"), (header::CACHE_CONTROL, FOR_EVER)];
    Ok((headers, bytes).into_response())
}

/// What is named by its checksum never changes.
pub(super) const FOR_EVER: &str = "private, max-age=31536000, immutable";

/// How large a small picture is to be.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SizeQuery {
    /// Longest side in px. Default 256.
    #[param(minimum = 16, maximum = 2048)]
    pub(super) size: Option<usize>,
    /// Ignored. A page gives another one to get a newer picture.
    #[allow(dead_code)]
    v: Option<String>,
}

/// Get a small picture of a file.
///
/// A JPEG, upright and in sRGB, whatever the file is.
#[utoipa::path(get, path = "/api/v1/files/{sha256}/thumbnail", tag = "files",
    params(("sha256" = String, Path, description = "Checksum of the file."), SizeQuery),
    responses(
        (status = 200, description = "The picture.", body = Vec<u8>, content_type = "image/jpeg"),
        (status = 404, description = "No such file was uploaded."),
        (status = 422, description = "The size is out of its range."),
    ))]
pub async fn thumbnail(
    State(studio): State<Studio>,
    Path(sha256): Path<String>,
    Query(SizeQuery { size, .. }): Query<SizeQuery>,
) -> ApiResult<Response> {
    let file = known(&studio, &sha256).await?;
    let size = thumbnails::check_size(size)?;
    let name =
        if size > crate::thumbnails::STORED { Name::Upload(&file.sha256) } else { Name::Thumbnail(&file.sha256) };
    let bytes = studio.store.get(&name).await?;
    let bytes = bytes.ok_or_else(|| ApiError::not_found("the file is no longer in the store; upload it again"))?;
    thumbnails::answer(&studio, bytes, size, FOR_EVER).await
}
