//! All routes of the API, and the document that describes them.

use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Map, Value};
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{OpenApi as Document, Ref, RefOr, ResponseBuilder};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::server::error::ErrorBody;
use crate::server::results::ResultFormat;
use crate::server::state::Studio;
use crate::server::{control, events, files, jobs, metrics, results, system};

/// The API as a document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "impasto studio",
        description = "Neural style transfer: upload pictures, make jobs, watch them, take their results. \
            Every request needs the token that `impasto studio` prints, as `Authorization: Bearer TOKEN` or as the \
            page's cookie."
    ),
    components(schemas(ErrorBody, ResultFormat)),
    modifiers(&Additions),
    security(("bearer" = []), ("cookie" = [])),
    tags(
        (name = "files", description = "Pictures that go into jobs."),
        (name = "jobs", description = "Pictures that are made."),
        (name = "studio", description = "The program and its workers.")
    )
)]
struct Api;

/// What is the same for all routes.
struct Additions;

impl Modify for Additions {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
        let cookie = ApiKey::Cookie(ApiKeyValue::new("impasto_token"));
        components.add_security_scheme("cookie", SecurityScheme::ApiKey(cookie));
    }
}

/// All routes but those of the page.
pub(super) fn routes() -> Router<Studio> {
    let (router, mut document) = OpenApiRouter::with_openapi(Api::openapi())
        .routes(routes!(files::upload))
        .routes(routes!(files::describe))
        .routes(routes!(files::bytes))
        .routes(routes!(files::thumbnail))
        .routes(routes!(jobs::plan))
        .routes(routes!(jobs::create, jobs::list))
        .routes(routes!(jobs::get, jobs::change, jobs::delete))
        .routes(routes!(jobs::restore))
        .routes(routes!(jobs::command))
        .routes(routes!(control::control))
        .routes(routes!(events::events))
        .routes(routes!(results::result))
        .routes(routes!(results::preview))
        .routes(routes!(results::thumbnail))
        .routes(routes!(system::system))
        .routes(routes!(system::schema))
        .routes(routes!(metrics::metrics))
        .split_for_parts();
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.patch, &mut item.delete];
        operations.into_iter().flatten().for_each(add_refusals);
    }
    let document = with_job(&document);
    router
        .route("/healthz", get(system::health))
        .route("/api/v1/openapi.json", get(move || async move { Json(document) }))
}

/// Refusals that any route may answer with.
const REFUSALS: [(&str, &str); 4] = [
    ("400", "The request cannot be read."),
    ("401", "The token is missing or wrong."),
    ("403", "The request comes from another page, or for another host."),
    ("500", "The studio failed; its log says why."),
];

fn add_refusals(operation: &mut Operation) {
    let body =
        || utoipa::openapi::ContentBuilder::new().schema(Some(RefOr::Ref(Ref::from_schema_name("ErrorBody")))).build();
    let responses = &mut operation.responses.responses;
    for (status, description) in REFUSALS {
        let response = ResponseBuilder::new().description(description).content("application/json", body());
        responses.entry(status.to_owned()).or_insert(RefOr::T(response.build()));
    }
    for (status, response) in responses.iter_mut() {
        if let RefOr::T(response) = response
            && status.starts_with(['4', '5'])
            && response.content.is_empty()
        {
            response.content.insert("application/json".to_owned(), RefOr::T(body()));
        }
    }
}

/// The document with the schema of a job, which another library makes.
fn with_job(document: &Document) -> Value {
    let mut document = serde_json::to_value(document).unwrap_or_default();
    let mut job = impasto_job::schema::schema().clone();
    let definitions = job.as_object_mut().and_then(|job| job.remove("$defs"));
    job.as_object_mut().map(|job| job.remove("$schema"));
    let schemas = &mut document["components"]["schemas"];
    if let (Some(schemas), Some(Value::Object(definitions))) = (schemas.as_object_mut(), definitions) {
        schemas.extend(definitions.into_iter().map(|(name, schema)| (format!("Job.{name}"), moved(schema))));
        schemas.insert("Job".to_owned(), moved(job));
    }
    document
}

/// A schema whose references lead to where the definitions are now.
fn moved(schema: Value) -> Value {
    match schema {
        Value::Object(map) => {
            let moved = |(key, value): (String, Value)| match (key.as_str(), &value) {
                ("$ref", Value::String(to)) => {
                    let name = to.rsplit('/').next().unwrap_or_default();
                    (key, format!("#/components/schemas/Job.{name}").into())
                }
                _ => (key, moved(value)),
            };
            Value::Object(map.into_iter().map(moved).collect::<Map<_, _>>())
        }
        Value::Array(list) => Value::Array(list.into_iter().map(moved).collect()),
        value => value,
    }
}
