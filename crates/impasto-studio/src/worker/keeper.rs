//! Keeps a job while it runs: notes what the run tells, and hears what is asked of it.

use std::io::ErrorKind;
use std::mem;
use std::path::PathBuf;
use std::time::Duration;

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

/// What is on its way to the store, and what waits for its way. Of each kind only the newest counts.
#[derive(Default)]
struct Uploads {
    /// The number of the last checkpoint.
    number: i64,
    checkpoint: Option<PathBuf>,
    storing: Option<JoinHandle<()>>,
    picture: Option<(i64, Vec<u8>)>,
    sending: Option<JoinHandle<Option<i64>>>,
}

impl Uploads {
    /// Whether nothing that must arrive is on its way.
    fn are_done(&self) -> bool {
        self.checkpoint.is_none() && self.storing.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

/// Adds something that the run told to the news, or to what waits for the store.
fn take(told: Told, news: &mut News, uploads: &mut Uploads) {
    match told {
        Told::Event(kind, body) => news.events.push((kind.to_owned(), body.to_string())),
        Told::Plan(plan) => {
            news.plan = Some(plan.to_string());
            news.events.push(("planned".to_owned(), plan.to_string()));
        }
        Told::Step(steps, step) => {
            news.steps = i64::try_from(steps).unwrap_or(i64::MAX);
            news.progress = Some(step.to_string());
            news.events.push(("step".to_owned(), step.to_string()));
        }
        Told::Adjusted(adjustment) => {
            let body = serde_json::to_string(&adjustment).unwrap_or_default();
            news.events.push(("adjusted".to_owned(), body));
            news.adjusted.push(adjustment);
        }
        Told::Picture(version) => news.picture = Some(version),
        Told::SentPicture(version, jpeg) => uploads.picture = Some((version, jpeg)),
        Told::Checkpoint(folder) => uploads.checkpoint = Some(folder),
    }
}

impl Keeper {
    /// Goes on until the run has told everything and the last of it is noted, or the job is
    /// another worker's. `worker`: its name.
    pub async fn keep(self, mut hears: mpsc::UnboundedReceiver<Told>, mut ends: watch::Receiver<bool>, worker: String) {
        let started = serde_json::json!({ "worker": worker, "attempt": self.lease.number }).to_string();
        let mut news = News { events: vec![("started".to_owned(), started)], ..News::default() };
        // On its way to the database, and sent again until it is noted.
        let mut sent = News::default();
        let mut uploads = Uploads { number: self.lease.number * run::CHECKPOINTS, ..Uploads::default() };
        let mut beat = tokio::time::interval(BEAT);
        let mut asks = self.database.asks();
        let mut is_over = false;
        loop {
            if !is_over {
                tokio::select! {
                    told = hears.recv() => match told {
                        Some(told) => {
                            take(told, &mut news, &mut uploads);
                            continue;
                        }
                        None => is_over = true,
                    },
                    _ = beat.tick() => {}
                    () = asks.wait(Duration::from_secs(60)) => {}
                }
            }
            if *ends.borrow_and_update() {
                self.requests.stop(Stop::Release);
            }
            if sent.is_empty() && !news.is_empty() {
                let batch = sent.batch + 1;
                sent = News { batch, ..mem::take(&mut news) };
            }
            let is_noted = match self.note(&mut sent).await {
                Ok(is_noted) => is_noted,
                Err(error) => {
                    warn!(%error, job = self.lease.job, "cannot note what a run tells; tries again");
                    tokio::time::sleep(BEAT).await;
                    false
                }
            };
            let stopped = self.requests.stopped();
            if matches!(stopped, Some(Stop::Cancel | Stop::Lost)) {
                // Nobody goes on from there.
                uploads.checkpoint = None;
            }
            if is_noted && news.is_empty() {
                // A checkpoint is of steps and adjustments that are noted.
                self.begin_uploads(&mut uploads, &mut news).await;
            }
            let is_done = is_noted && news.is_empty() && uploads.are_done();
            if is_over && (is_done || stopped == Some(Stop::Lost)) {
                return;
            }
            if is_over {
                tokio::time::sleep(BEAT / 10).await;
            }
        }
    }

    /// Begins to upload what waits, if the last of its kind has arrived.
    async fn begin_uploads(&self, uploads: &mut Uploads, news: &mut News) {
        if let Some(sent) = uploads.sending.take_if(|sending| sending.is_finished())
            && let Ok(Some(version)) = sent.await
        {
            news.picture = Some(version);
        }
        if uploads.sending.is_none()
            && let Some((version, jpeg)) = uploads.picture.take()
        {
            let (store, job) = (self.store.clone(), self.lease.job.clone());
            uploads.sending = Some(tokio::spawn(async move {
                match store.put(&Name::Live(&job), jpeg.into()).await {
                    Ok(()) => Some(version),
                    Err(error) => {
                        warn!(%error, job, "cannot show how the picture grows");
                        None
                    }
                }
            }));
        }
        uploads.storing.take_if(|storing| storing.is_finished());
        if uploads.storing.is_none()
            && let Some(folder) = uploads.checkpoint.take()
        {
            uploads.number += 1;
            uploads.storing = Some(tokio::spawn(self.upload(folder, uploads.number)));
        }
    }

    /// Brings the news to the database, and hears what is asked. Returns whether all is noted.
    async fn note(&self, news: &mut News) -> Result<bool> {
        if !news.is_empty() {
            if !self.database.note_news(&self.lease, news).await? {
                self.requests.stop(Stop::Lost);
                return Ok(false);
            }
            self.requests.noted(news.adjusted.len());
            *news = News { batch: news.batch, ..News::default() };
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
