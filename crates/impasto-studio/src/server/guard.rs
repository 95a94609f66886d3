//! Who may ask: whoever has the token, from the studio's own page or from a program.
//!
//! The token is in the address that the studio opens. The page's first answer puts it into a cookie
//! that other sites cannot send. A request that changes something, or comes with the cookie, must
//! come from the studio's own page; one for another host is refused, so that no name that was bent
//! to this machine reaches it.

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

use crate::server::error::ApiError;
use crate::server::state::Studio;

/// The name of the cookie with the token. Cookies do not know ports, so two studios on one host need
/// two names.
fn cookie_name(host: &str) -> String {
    let port =
        host.rsplit_once(':').map(|(_, port)| port).filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()));
    port.map_or("impasto_token".to_owned(), |port| format!("impasto_token_{port}"))
}

/// What the page may load: itself. Pictures may come from its own memory.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
    connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The token of a `Authorization: Bearer` header.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    text(headers, &header::AUTHORIZATION)?.strip_prefix("Bearer ").map(str::trim)
}

fn cookie<'a>(headers: &'a HeaderMap, host: &str) -> Option<&'a str> {
    let wanted = cookie_name(host);
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == wanted).map(|(_, value)| value)
}

/// Whether a request comes from the studio's own page, as far as a browser says.
fn is_own_page(headers: &HeaderMap, host: &str) -> bool {
    match text(headers, &header::ORIGIN) {
        Some(origin) => origin.split_once("://").is_some_and(|(_, from)| from == host),
        // Browsers send an origin with everything that changes something.
        None => !matches!(headers.get("sec-fetch-site").map(HeaderValue::as_bytes), Some(b"cross-site" | b"same-site")),
    }
}

/// Whether a path is for everybody: the page itself holds no secrets.
fn is_open(path: &str) -> bool {
    !(path.starts_with("/api/") || path == "/metrics")
}

/// The token in the query of the page's address.
fn token_of_query(uri: &Uri) -> Option<&str> {
    let query = uri.query()?;
    query.split('&').find_map(|pair| pair.strip_prefix("token="))
}

/// Lets a request through, or refuses it; adds the headers that every answer has.
pub async fn guard(State(studio): State<Studio>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let mut response = match check(&studio, &request) {
        Err(refused) => refused.into_response(),
        Ok(()) if path == "/" && token_of_query(request.uri()).is_some() => entrance(&studio, &request),
        Ok(()) => next.run(request).await,
    };
    studio.counts.answered(response.status());
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// The host that a request is for.
fn host_of(request: &Request) -> &str {
    text(request.headers(), &header::HOST).or_else(|| request.uri().host()).unwrap_or_default()
}

fn check(studio: &Studio, request: &Request) -> Result<(), ApiError> {
    let headers = request.headers();
    let host = host_of(request);
    // Probes ask for the health of the studio by its address.
    if request.uri().path() != "/healthz" && !studio.hosts.allow(host) {
        return Err(ApiError::forbidden(format!(
            "this studio does not answer for the host {host:?}; open it as localhost, or name the host with --host"
        )));
    }
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if (changes || headers.contains_key(header::ORIGIN)) && !is_own_page(headers, host) {
        return Err(ApiError::forbidden("another page sent this request; only the studio's own page may"));
    }
    if is_open(request.uri().path()) {
        return Ok(());
    }
    let given = bearer(headers).or_else(|| cookie(headers, host));
    if given.is_some_and(|given| studio.token.is(given)) { Ok(()) } else { Err(ApiError::unauthorized()) }
}

/// Puts the token of the address into a cookie, and shows the page without it.
fn entrance(studio: &Studio, request: &Request) -> Response {
    if !token_of_query(request.uri()).is_some_and(|token| studio.token.is(token)) {
        return ApiError::unauthorized().into_response();
    }
    let name = cookie_name(host_of(request));
    let cookie = format!("{name}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000", studio.token.text());
    ([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response()
}
