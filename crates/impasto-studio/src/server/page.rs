//! The page: files that are part of the program.

use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

use crate::server::error::ApiError;
use crate::server::files::FOR_EVER;

/// What Vite has built from `web/src`.
#[derive(RustEmbed)]
#[folder = "web/dist"]
struct Built;

/// Answers with a file of the page.
pub async fn page(method: Method, uri: Uri) -> Response {
    let path = match uri.path() {
        "/" => "index.html",
        "/docs" | "/docs/" => "docs.html",
        path => path.trim_start_matches('/'),
    };
    let Some(file) = Built::get(path).filter(|_| !path.starts_with("api/")) else {
        return ApiError::not_found(format!("there is nothing at {}; /docs lists what there is", uri.path()))
            .into_response();
    };
    if !matches!(method, Method::GET | Method::HEAD) {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response();
    }
    // Names under assets/ have a checksum in them.
    let cache = if path.starts_with("assets/") { FOR_EVER } else { "no-cache" };
    let headers = [(header::CONTENT_TYPE, media_type(path)), (header::CACHE_CONTROL, cache)];
    (headers, file.data.into_owned()).into_response()
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "json" | "webmanifest" => "application/json",
        "png" => "image/png",
        _ => "application/octet-stream",
    }
}
