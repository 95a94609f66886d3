//! Keeps a job while it runs: renews the lease, notes what the run tells, and hears what is asked
//! of it.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tracing::warn;

use crate::database::Database;
use crate::database::queue::{Lease, News};
use crate::error::{Error, Result};
use crate::store::{Name, Store};
use crate::worker::requests::{Requests, Stop};
use crate::worker::run;
use crate::worker::watcher::Told;

/// How often the database is asked and told.
const BEAT: Duration = Duration::from_millis(200);

/// What keeps one job.
pub struct Keeper {
    pub database: Database,
    pub store: Store,
    pub lease: Lease,
    pub requests: Requests,
}

impl Keeper {
    /// Goes on until the run has told everything and the last of it is noted, or the job is
    /// another worker's.
    pub async fn keep(self, mut hears: mpsc::UnboundedReceiver<Told>, mut ends: watch::Receiver<bool>, worker: String) {
        let mut news = News::default();
        let attempt = self.lease.number;
        news.events
            .push(("started".to_owned(), serde_json::json!({ "worker": worker, "attempt": attempt }).to_string()));
        let mut renewed = Instant::now();
        let mut upload: Option<JoinHandle<()>> = None;
        // The newest checkpoint that is still to be uploaded.
        let mut checkpoint: Option<PathBuf> = None;
        let mut checkpoints = attempt * run::CHECKPOINTS;
        let mut beat = tokio::time::interval(BEAT);
        let mut changes = self.database.news();
        let mut is_over = false;
        loop {
            if !is_over {
                tokio::select! {
                    told = hears.recv() => match told {
                        Some(told) => {
                            if let Some(folder) = self.take(told, &mut news).await {
                                checkpoint = Some(folder);
                            }
                            continue;
                        }
                        None => is_over = true,
                    },
                    _ = beat.tick() => {}
                    () = changes.wait(Duration::from_secs(60)) => {}
                }
            }
            if *ends.borrow_and_update() {
                self.requests.stop(Stop::Release);
            }
            let is_uploading = upload.as_ref().is_some_and(|upload| !upload.is_finished());
            if !is_uploading && let Some(folder) = checkpoint.take() {
                checkpoints += 1;
                upload = Some(tokio::spawn(self.upload(folder, checkpoints)));
            }
            let is_noted = match self.note(&mut news, &mut renewed).await {
                Ok(is_noted) => is_noted,
                Err(error) => {
                    warn!(%error, job = self.lease.job, "cannot note what a run tells; tries again");
                    tokio::time::sleep(BEAT).await;
                    false
                }
            };
            if is_over && checkpoint.is_none() && (is_noted || self.requests.stopped() == Some(Stop::Lost)) {
                break;
            }
            if is_over && let Some(upload) = upload.take_if(|_| checkpoint.is_some()) {
                drop(upload.await);
            }
        }
        if let Some(upload) = upload {
            drop(upload.await);
        }
    }

    /// Adds something that the run told to the news. Returns the folder of a new checkpoint.
    async fn take(&self, told: Told, news: &mut News) -> Option<PathBuf> {
        match told {
            Told::Event(kind, body) => news.events.push((kind.to_owned(), body.to_string())),
            Told::Plan(plan) => {
                news.plan = Some(plan.to_string());
                news.events.push(("planned".to_owned(), plan.to_string()));
            }
            Told::Step(steps, step) => {
                news.steps = steps as i64;
                news.progress = Some(step.to_string());
                news.events.push(("step".to_owned(), step.to_string()));
            }
            Told::Adjusted(adjustment) => {
                let body = serde_json::to_string(&adjustment).unwrap_or_default();
                news.events.push(("adjusted".to_owned(), body));
                news.adjusted.push(adjustment);
            }
            Told::Picture(version) => news.picture = Some(version),
            Told::SentPicture(version, jpeg) => match self.store.put(&Name::Live(&self.lease.job), jpeg.into()).await {
                Ok(()) => news.picture = Some(version),
                Err(error) => warn!(%error, job = self.lease.job, "cannot show how the picture grows"),
            },
            Told::Checkpoint(folder) => return Some(folder),
        }
        None
    }

    /// Brings the news to the database, and hears what is asked. Returns whether all is noted.
    async fn note(&self, news: &mut News, renewed: &mut Instant) -> Result<bool> {
        if !news.is_empty() {
            if !self.database.note_news(&self.lease, news).await? {
                self.requests.stop(Stop::Lost);
                return Ok(false);
            }
            self.requests.noted(news.adjusted.len());
            *news = News::default();
        }
        if renewed.elapsed() > self.lease.length / 5 {
            self.database.renew(&self.lease).await?;
            *renewed = Instant::now();
        }
        let asked = self.database.asked(&self.lease).await?;
        self.requests.set_watched(asked.watched);
        self.requests.set_adjustments(asked.adjustments);
        if asked.lost {
            self.requests.stop(Stop::Lost);
        } else if asked.cancel {
            self.requests.stop(Stop::Cancel);
        } else if asked.pause {
            self.requests.stop(Stop::Pause);
        } else {
            self.requests.go_on();
        }
        Ok(true)
    }

    /// Puts a checkpoint into the store, and removes the one before.
    fn upload(&self, folder: PathBuf, number: i64) -> impl Future<Output = ()> + use<> {
        let (database, store, lease) = (self.database.clone(), self.store.clone(), self.lease.clone());
        async move {
            let upload = async {
                run::store_checkpoint(&store, &lease.job, number, &folder).await?;
                match database.note_checkpoint(&lease, number).await? {
                    Some(0) => Ok(()),
                    Some(before) => run::remove_checkpoint(&store, &lease.job, before).await,
                    None => run::remove_checkpoint(&store, &lease.job, number).await,
                }
            };
            match upload.await {
                Ok(()) => {}
                // The run has finished, and has removed its checkpoint.
                Err(Error::Io(error)) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => warn!(%error, job = lease.job, "cannot store a checkpoint; the next one comes"),
            }
        }
    }
}
