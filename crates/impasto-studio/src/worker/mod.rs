//! Making the pictures of the queue.
//!
//! A worker has two lanes, one for pictures and one for previews. Each takes the next job, makes
//! it and takes the next. While a preview is made, the run of the other lane waits between two
//! steps, so one picture computes at a time. Everything that a run needs comes from the store, and
//! everything that must not be lost goes there: a worker can vanish at any time.

pub mod gate;
mod keeper;
mod requests;
mod run;
mod watcher;

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use impasto_job::machine::Machine;
use impasto_job::runner::Runner;
use tokio::sync::{Mutex, mpsc, watch};
use tracing::{error, info, warn};

use crate::database::Database;
use crate::database::jobs::Lane;
use crate::database::queue::{Lease, Left, Taken};
use crate::error::{Error, Result};
use crate::live::{self, LivePictures};
use crate::store::{Name, Store};
use crate::worker::gate::Gate;
use crate::worker::keeper::Keeper;
use crate::worker::requests::{Requests, Stop};
use crate::worker::run::{Outcome, Workplace};
pub use crate::worker::watcher::VERSIONS;
use crate::worker::watcher::{Show, Watcher};

/// How often a worker looks for work that nobody in this process tells it of.
const LOOK: Duration = Duration::from_millis(500);

/// How long a worker waits after a failure of the database or the store.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// How long the last live picture of a run can still be seen.
const AFTERGLOW: Duration = Duration::from_secs(5);

/// How often a worker says that it is there.
const SIGN: Duration = Duration::from_secs(5);

/// What a worker is told.
#[derive(Clone, Debug)]
pub struct WorkerOptions {
    /// Names the worker among all: the machine and the process.
    pub name: String,
    /// Folder for the files of jobs while they are made.
    pub work: PathBuf,
    /// Device, threads, memory, and the time between checkpoints.
    pub machine: Machine,
    /// If it says nothing for this long, another worker takes its job.
    pub lease: Duration,
}

/// Takes jobs from the queue and makes their pictures. Clones are lanes of one worker.
#[derive(Clone)]
pub struct Worker {
    database: Database,
    store: Store,
    options: WorkerOptions,
    /// Pictures of runs, if those who watch are in this process.
    live: Option<LivePictures>,
    gate: Gate,
    /// The words for what it computes with, and the job that it makes.
    sign: Arc<std::sync::Mutex<(String, Option<String>)>>,
    /// The jobs that it has.
    leases: Arc<std::sync::Mutex<Vec<Lease>>>,
}

impl Worker {
    /// A worker that takes its jobs from a database and its files from a store. `live`: where the
    /// server of this process looks for pictures of runs.
    pub fn new(database: Database, store: Store, options: WorkerOptions, live: Option<LivePictures>) -> Worker {
        Worker { database, store, options, live, gate: Gate::default(), sign: Arc::default(), leases: Arc::default() }
    }

    /// Makes pictures until `ends` says so. A run that goes on then keeps its last step, and another
    /// worker continues it.
    ///
    /// Errors: the work folder cannot be made. Whatever else fails is tried again.
    pub async fn work(self, ends: watch::Receiver<bool>) -> Result<()> {
        let work = &self.options.work;
        fs::create_dir_all(work)
            .map_err(|error| Error::new(format!("cannot make the folder {}: {error}", work.display())))?;
        let device = self.device().await?;
        self.set_sign(Some(device), None);
        info!(worker = self.options.name, "waits for jobs");
        let signs = tokio::spawn(self.clone().give_signs());
        let lanes = [Lane::Pictures, Lane::Previews].map(|lane| tokio::spawn(self.clone().lane(lane, ends.clone())));
        let ended = futures_util::future::try_join_all(lanes).await;
        signs.abort();
        ended.map_err(|error| Error::new(format!("a lane of the worker ended: {error}")))?;
        // What the database does not hear now, it notices by itself.
        drop(self.database.forget_worker(&self.options.name).await);
        Ok(())
    }

    /// Gives back jobs whose step does not end in time. Another worker continues them from their
    /// last checkpoint. Whatever this process computes from here on is nobody's.
    pub async fn give_back(&self) {
        let leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for lease in leases {
            // What the database does not hear now, it notices by itself.
            drop(self.database.leave_job(&lease, &Left::Stopped).await);
        }
        drop(self.database.forget_worker(&self.options.name).await);
    }

    /// What this worker computes with, in words.
    async fn device(&self) -> Result<String> {
        let machine = self.options.machine.clone();
        let device = tokio::task::spawn_blocking(move || run::device(&machine)).await;
        device.map_err(|error| Error::new(error.to_string()))?.map_err(|error| Error::new(error.to_string()))
    }

    fn set_sign(&self, device: Option<String>, job: Option<Option<String>>) {
        let mut sign = self.sign.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(device) = device {
            sign.0 = device;
        }
        if let Some(job) = job {
            sign.1 = job;
        }
    }

    async fn give_signs(self) {
        loop {
            let (device, job) = self.sign.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Err(error) = self.database.note_worker(&self.options.name, &device, job.as_deref()).await {
                warn!(%error, "cannot say that the worker is there");
            }
            tokio::time::sleep(SIGN).await;
        }
    }

    /// Takes one job of the lane after the other.
    async fn lane(self, lane: Lane, mut ends: watch::Receiver<bool>) {
        let mut work = self.database.work();
        let mut runner = Arc::new(Mutex::new(Runner::default()));
        while !*ends.borrow() {
            match self.database.take_job(lane, &self.options.name, self.options.lease).await {
                Ok(Some(taken)) => {
                    if lane == Lane::Pictures {
                        self.set_sign(None, Some(Some(taken.lease.job.clone())));
                    }
                    let is_whole = self.make(lane, taken, &runner, &ends).await;
                    if !is_whole {
                        // What a panic leaves of it cannot be trusted.
                        runner = Arc::new(Mutex::new(Runner::default()));
                    }
                    if lane == Lane::Pictures {
                        self.set_sign(None, Some(None));
                    }
                }
                Ok(None) => {
                    tokio::select! {
                        () = work.wait(LOOK) => {}
                        _ = ends.changed() => {}
                    }
                }
                Err(error) => {
                    warn!(%error, "cannot look for jobs; tries again");
                    tokio::time::sleep(AFTER_FAILURE).await;
                }
            }
        }
    }

    /// Makes one job, and says how it stands then. Returns `false` if the run panicked.
    async fn make(&self, lane: Lane, taken: Taken, runner: &Arc<Mutex<Runner>>, ends: &watch::Receiver<bool>) -> bool {
        let started = Instant::now();
        self.leases.lock().unwrap_or_else(PoisonError::into_inner).push(taken.lease.clone());
        let id = taken.lease.job.clone();
        info!(job = id, attempt = taken.lease.number, worker = self.options.name, "begins");
        let requests = Requests::default();
        requests.set_watched(taken.watched);
        requests.set_adjustments(taken.asked.clone());
        let (told, hears) = mpsc::unbounded_channel();
        let keeper = Keeper {
            database: self.database.clone(),
            store: self.store.clone(),
            lease: taken.lease.clone(),
            requests: requests.clone(),
        };
        // Until the end is noted: storing a result takes time too.
        let renewing = tokio::spawn(renew(self.database.clone(), taken.lease.clone(), requests.clone()));
        let keeper = tokio::spawn(keeper.keep(hears, ends.clone(), self.options.name.clone()));
        let (outcome, is_whole) = self.outcome(lane, &taken, runner, &requests, told).await;
        // The last events are noted before the end is.
        drop(keeper.await);
        if let Some(live) = &self.live
            && matches!(outcome, Outcome::Stopped)
        {
            self.keep_picture(live, &id).await;
        }
        let left = self.left(&taken, outcome, &requests).await;
        let workplace = Workplace::new(&self.options.work, &taken);
        if let Some(left) = left {
            self.leave(&taken, &left).await;
            info!(job = id, state = ?left_word(&left), seconds = started.elapsed().as_secs_f64(), "ends");
        } else {
            info!(job = id, "is another worker's now");
        }
        renewing.abort();
        if let Some(live) = self.live.clone()
            && let Some(picture) = live.get(&id)
        {
            // Whoever has just heard of it asks for it in a moment.
            tokio::spawn(async move {
                tokio::time::sleep(AFTERGLOW).await;
                live.remove(&id, &picture);
            });
        }
        self.leases.lock().unwrap_or_else(PoisonError::into_inner).retain(|lease| *lease != taken.lease);
        workplace.remove();
        is_whole
    }

    /// Fetches the files of a job and runs it.
    async fn outcome(
        &self,
        lane: Lane,
        taken: &Taken,
        runner: &Arc<Mutex<Runner>>,
        requests: &Requests,
        told: mpsc::UnboundedSender<watcher::Told>,
    ) -> (Outcome, bool) {
        let workplace = Workplace::new(&self.options.work, taken);
        let job = loop {
            match workplace.fetch(&self.store, taken).await {
                Ok(job) => break job,
                Err(error) if error.is_passing() && requests.stopped().is_none() => {
                    warn!(%error, job = taken.lease.job, "cannot fetch the files of a job; tries again");
                    tokio::time::sleep(AFTER_FAILURE).await;
                }
                Err(error) if error.is_passing() => return (Outcome::Stopped, true),
                Err(error) => return (Outcome::Failed(error.to_string()), true),
            }
        };
        let is_preview = lane == Lane::Previews;
        let show = match &self.live {
            _ if is_preview => Show::Nothing,
            Some(live) => Show::Here(live.clone()),
            None => Show::Elsewhere,
        };
        let watcher = Watcher {
            job: taken.lease.job.clone(),
            first_version: taken.lease.number * VERSIONS,
            told,
            requests: requests.clone(),
            gate: (!is_preview).then(|| self.gate.clone()),
            show,
            next_picture: Instant::now(),
            has_begun: false,
        };
        let closed = is_preview.then(|| self.gate.close());
        let machine = self.options.machine.clone();
        let mut runner = Arc::clone(runner).lock_owned().await;
        let run = tokio::task::spawn_blocking(move || {
            let _closed = closed;
            workplace.run(&job, &machine, is_preview, &mut runner, watcher)
        });
        match run.await {
            Ok(outcome) => (outcome, true),
            Err(panic) => {
                error!(job = taken.lease.job, %panic, "a run panicked");
                let text = "the program has a defect, and this job meets it; the log of the worker says where";
                (Outcome::Failed(text.to_owned()), false)
            }
        }
    }

    /// Keeps the live picture of a run that goes on later, for those who look at it meanwhile.
    async fn keep_picture(&self, live: &LivePictures, id: &str) {
        let Some(picture) = live.get(id) else { return };
        let kept = async {
            let jpeg = tokio::task::spawn_blocking(move || picture.jpeg(live::QUALITY)).await;
            let jpeg = jpeg.map_err(|error| Error::new(error.to_string()))?;
            self.store.put(&Name::Live(id), jpeg.map_err(|error| Error::new(error.to_string()))?).await
        };
        if let Err(error) = kept.await {
            warn!(%error, job = id, "cannot keep the picture so far");
        }
    }

    /// How a job stands after its run; `None`: it is another worker's. What was made is in the
    /// store then.
    async fn left(&self, taken: &Taken, outcome: Outcome, requests: &Requests) -> Option<Left> {
        let made = match outcome {
            Outcome::Made(made) => made,
            Outcome::Failed(message) => return Some(Left::Failed(message)),
            Outcome::Stopped => {
                return match requests.stopped() {
                    Some(Stop::Lost) => None,
                    Some(Stop::Cancel) => Some(Left::Cancelled),
                    Some(Stop::Pause | Stop::Release) | None => Some(Left::Stopped),
                };
            }
        };
        loop {
            match run::store_result(&self.store, &taken.lease, &made).await {
                Ok(result) => return Some(Left::Done { result, report: made.report }),
                Err(error) => {
                    warn!(%error, job = taken.lease.job, "cannot store a result; tries again");
                    tokio::time::sleep(AFTER_FAILURE).await;
                    if requests.stopped() == Some(Stop::Lost) {
                        return None;
                    }
                }
            }
        }
    }

    /// Notes how a job stands, however long the database is away.
    async fn leave(&self, taken: &Taken, left: &Left) {
        loop {
            match self.database.leave_job(&taken.lease, left).await {
                Ok(true) => break,
                Ok(false) => {
                    info!(job = taken.lease.job, "was taken by another worker meanwhile");
                    return;
                }
                Err(error) if !error.is_passing() => {
                    error!(%error, job = taken.lease.job, "cannot note the end of a job");
                    return;
                }
                Err(error) => {
                    warn!(%error, job = taken.lease.job, "cannot note the end of a job; tries again");
                    tokio::time::sleep(AFTER_FAILURE).await;
                }
            }
        }
        if matches!(left, Left::Done { .. } | Left::Cancelled)
            && let Err(error) = self.store.remove_passing(&taken.lease.job).await
        {
            // They take room until the job is deleted, and do no other harm.
            warn!(%error, job = taken.lease.job, "cannot remove what the job no longer needs");
        }
    }
}

/// Renews a lease until it is lost.
async fn renew(database: Database, lease: Lease, requests: Requests) {
    loop {
        tokio::time::sleep(lease.length / 5).await;
        match database.renew(&lease).await {
            Ok(true) => {}
            Ok(false) => {
                requests.stop(Stop::Lost);
                return;
            }
            Err(error) => warn!(%error, job = lease.job, "cannot renew a lease; tries again"),
        }
    }
}

fn left_word(left: &Left) -> &'static str {
    match left {
        Left::Done { .. } => "done",
        Left::Failed(_) => "failed",
        Left::Cancelled => "cancelled",
        Left::Stopped => "stopped",
    }
}
