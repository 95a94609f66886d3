//! The server: the page, the API, and what guards them.

// The macros of utoipa write names in full.
#![allow(unused_qualifications)]

mod checks;
mod compute;
mod control;
mod counts;
mod error;
mod events;
mod extract;
mod files;
mod guard;
mod hub;
mod jobs;
mod metrics;
mod openapi;
mod page;
mod planner;
mod results;
mod state;
mod system;
mod thumbnails;
mod token;

use std::any::Any;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::response::IntoResponse;
use impasto_job::machine::Machine;
use tokio::sync::{Semaphore, watch};
use tower_http::catch_panic::CatchPanicLayer;

use crate::database::Database;
use crate::error::Result;
use crate::gallery::Gallery;
use crate::live::LivePictures;
use crate::server::counts::Counts;
use crate::server::error::ApiError;
use crate::server::hub::Hub;
use crate::server::planner::Planner;
use crate::server::state::{Inner, Studio};
use crate::store::Store;

pub use crate::server::state::Limits;
pub use crate::server::token::{Hosts, Token};

/// Most bytes of a body that is no file.
const JSON_BODY: usize = 1 << 20;

/// What a server is made from.
pub struct Parts {
    /// Jobs.
    pub database: Database,
    /// Files.
    pub store: Store,
    /// Pictures of runs in this process.
    pub live: LivePictures,
    /// Who may ask.
    pub token: Token,
    /// For which hosts it answers.
    pub hosts: Hosts,
    /// What it refuses to go beyond.
    pub limits: Limits,
    /// What plans are made for.
    pub machine: Machine,
    /// Folder for files while plans are made.
    pub work: PathBuf,
    /// Becomes `true` when the server ends.
    pub ends: watch::Receiver<bool>,
}

/// The server's routes.
///
/// Errors: the gallery cannot be stored.
pub async fn app(parts: Parts) -> Result<Router> {
    let Parts { database, store, live, token, hosts, limits, machine, work, ends } = parts;
    let gallery = Gallery::install(&database, &store).await?;
    let studio = Studio(Arc::new(Inner {
        hub: Hub::new(database.clone()),
        planner: Planner::new(machine, work),
        gallery,
        counts: Counts::default(),
        pictures: Semaphore::new(2),
        uploads: Semaphore::new(4),
        database,
        store,
        live,
        token,
        hosts,
        limits,
        ends,
    }));
    let router = openapi::routes().fallback(page::page);
    Ok(router
        .layer(DefaultBodyLimit::max(JSON_BODY))
        .layer(CatchPanicLayer::custom(|_: Box<dyn Any + Send>| {
            ApiError::internal("a handler panicked").into_response()
        }))
        .layer(middleware::from_fn_with_state(studio.clone(), guard::guard))
        .with_state(studio))
}
