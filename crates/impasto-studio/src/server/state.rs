//! What answers need, and what they refuse to go beyond.

use std::ops::Deref;
use std::sync::Arc;

use tokio::sync::{Semaphore, watch};

use crate::database::Database;
use crate::gallery::Gallery;
use crate::live::LivePictures;
use crate::server::counts::Counts;
use crate::server::hub::Hub;
use crate::server::planner::Planner;
use crate::server::token::{Hosts, Token};
use crate::store::Store;

/// What the studio refuses to go beyond.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Most bytes of an uploaded file.
    pub file_bytes: usize,
    /// Most pixels of an uploaded picture, and of a result.
    pub pixels: u64,
    /// Most files that are kept.
    pub files: i64,
    /// Most jobs that wait.
    pub queue: i64,
    /// Bytes that stay free on the disk of the store.
    pub free_disk: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { file_bytes: 256 << 20, pixels: 100_000_000, files: 10_000, queue: 1_000, free_disk: 1 << 30 }
    }
}

/// Everything that answers need. Clones share it.
#[derive(Clone)]
pub(crate) struct Studio(pub(super) Arc<Inner>);

pub(crate) struct Inner {
    pub database: Database,
    pub store: Store,
    pub live: LivePictures,
    pub token: Token,
    pub hosts: Hosts,
    pub limits: Limits,
    pub hub: Hub,
    pub planner: Planner,
    pub gallery: Gallery,
    pub counts: Counts,
    pub ends: watch::Receiver<bool>,
    /// Reading and writing pictures takes memory and all cores, so few are at it at a time.
    pub pictures: Semaphore,
    /// Files arrive in memory, so few do at a time.
    pub uploads: Semaphore,
}

impl Deref for Studio {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}
