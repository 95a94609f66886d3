//! What the API answers if it cannot do what was asked. A 4xx says what to change; a 5xx is logged.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use impasto_job::error::{Cause, Whose};
use serde::Serialize;
use tracing::error;
use utoipa::ToSchema;

use crate::error::Error;

/// The result of a handler.
pub type ApiResult<T> = Result<T, ApiError>;

/// A refusal.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    field: Option<String>,
}

/// A refusal as the API says it.
#[derive(Serialize, ToSchema)]
pub struct ErrorBody {
    error: ErrorWords,
}

/// What is wrong.
#[derive(Serialize, ToSchema)]
struct ErrorWords {
    /// A word for programs: `not-found`.
    code: String,
    /// For people: what was found, and what to do.
    message: String,
    /// The field of the job that it is about: `options.strength`.
    field: Option<String>,
}

impl ApiError {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> ApiError {
        ApiError { status, code, message: message.into(), field: None }
    }

    /// 400: the request cannot be read.
    pub fn bad_request(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::BAD_REQUEST, "bad-request", message)
    }

    /// 401: it is not known who asks.
    pub fn unauthorized() -> ApiError {
        let message = "this studio asks for its token; open the address that `impasto studio` printed, or send \
            `Authorization: Bearer TOKEN`";
        ApiError::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
    }

    /// 403: the request comes from another page or for another host.
    pub fn forbidden(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    /// 404: there is no such thing.
    pub fn not_found(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::NOT_FOUND, "not-found", message)
    }

    /// 408: the request stopped arriving.
    pub fn timed_out(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::REQUEST_TIMEOUT, "timed-out", message)
    }

    /// 503: the database is away.
    pub fn unavailable(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
    }

    /// 409: it cannot be done as things stand.
    pub fn conflict(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::CONFLICT, "conflict", message)
    }

    /// 413: a body or a picture is too large.
    pub fn too_large(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", message)
    }

    /// 415: the bytes are nothing that can be read here.
    pub fn unsupported(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported", message)
    }

    /// 422: the request can be read, and cannot be meant.
    pub fn unprocessable(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "unprocessable", message)
    }

    /// 422 about a field of the job.
    pub fn field(field: impl Into<String>, problem: impl std::fmt::Display) -> ApiError {
        let field = field.into();
        let message = format!("`{field}` {problem}");
        ApiError { field: Some(field), ..ApiError::unprocessable(message) }
    }

    /// 429: there is too much of it already.
    pub fn too_many(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too-many", message)
    }

    /// 409 too: there is no room until somebody makes some.
    pub fn no_room(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::CONFLICT, "no-room", message)
    }

    /// The same without a part of its words, such as a folder that nobody has to know.
    #[must_use]
    pub fn without(self, part: &str) -> ApiError {
        ApiError { message: self.message.replace(part, ""), ..self }
    }

    /// 500: not the fault of whoever asks.
    pub fn internal(error: impl std::fmt::Display) -> ApiError {
        error!(%error, "a request failed");
        let message = "the studio could not do this; its log says why";
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> ApiError {
        ApiError::internal(error)
    }
}

impl From<impasto_job::error::Error> for ApiError {
    fn from(error: impasto_job::error::Error) -> ApiError {
        if error.whose == Whose::Program {
            return ApiError::internal(error);
        }
        if let Cause::Numerics { error, .. } = &error.cause
            && let impasto::Error::Option { option, problem } = &**error
        {
            return ApiError::field(format!("options.{}", option.replace('_', "-")), problem);
        }
        let field = match &error.cause {
            Cause::Field { field, .. } => Some(field.clone()),
            // Fields that cannot be read stand at the beginning, in backquotes.
            _ => error
                .to_string()
                .strip_prefix('`')
                .and_then(|rest| rest.split_once('`'))
                .map(|(field, _)| field.to_owned()),
        };
        ApiError { field, ..ApiError::unprocessable(error.to_string()) }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let ApiError { status, code, message, field } = self;
        let body = ErrorBody { error: ErrorWords { code: code.to_owned(), message, field } };
        (status, Json(body)).into_response()
    }
}
