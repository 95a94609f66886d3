//! The parts put together: a server with its worker, or a worker alone, from beginning to end.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use impasto_job::machine::Machine;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tracing::{info, warn};

use crate::database::Database;
use crate::error::{Error, Result};
use crate::live::LivePictures;
use crate::server::{self, Hosts, Limits, Parts, Token};
use crate::store::{Name, Store};
use crate::worker::{Worker, WorkerOptions};

/// How long the end may take. What has not ended by then is left as it is: nothing is lost.
const END: Duration = Duration::from_millis(1800);

/// How often deleted jobs and unused files are removed.
const SWEEP: Duration = Duration::from_secs(60);

/// Where jobs and files are.
#[derive(Clone, Debug)]
pub struct Place {
    /// Folder of this machine for everything that is not said otherwise.
    pub data: PathBuf,
    /// The database; `None`: a file of SQLite in the folder.
    pub database: Option<String>,
    /// The store; `None`: a folder in the folder.
    pub store: Option<String>,
}

/// A server that is to be started.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Where jobs and files are.
    pub place: Place,
    /// Where it listens. Port 0: any that is free.
    pub address: SocketAddr,
    /// Names under which others reach it.
    pub hosts: Vec<String>,
    /// The token; `None`: one that is kept in the folder.
    pub token: Option<String>,
    /// What its worker is like; `None`: others work for it.
    pub worker: Option<WorkOptions>,
    /// What it refuses to go beyond.
    pub limits: Limits,
}

/// What a worker is like.
#[derive(Clone, Debug)]
pub struct WorkOptions {
    /// Device, threads, memory, and the time between checkpoints.
    pub machine: Machine,
    /// If it says nothing for this long, another worker takes its job.
    pub lease: Duration,
}

/// What comes of starting a server.
#[derive(Debug, PartialEq, Eq)]
pub enum Served {
    /// It ran, and has ended.
    Ended,
    /// Another one runs with this folder, at that address.
    AlreadyRuns(String),
}

/// Runs a server until the process is told to end. `ready` is called with the address to open, once
/// it answers.
///
/// Errors: the folder, the database, the store or the address cannot be used.
pub fn serve(options: &ServerOptions, ready: impl FnOnce(&str)) -> Result<Served> {
    let data = &options.place.data;
    make_folder(data)?;
    // A server whose database and store are elsewhere shares nothing with others here.
    let is_alone = options.place.database.is_none();
    let mut lock = None;
    if is_alone {
        match Lock::take(&data.join("studio.lock"))? {
            Ok(taken) => lock = Some(taken),
            Err(address) => return Ok(Served::AlreadyRuns(address)),
        }
    }
    let runtime = runtime()?;
    let served = runtime.block_on(serve_on(options, is_alone, |address| {
        if let Some(lock) = &mut lock {
            lock.note(address);
        }
        ready(address);
    }));
    // A step that still computes must not hold up the end.
    runtime.shutdown_background();
    served.map(|()| Served::Ended)
}

async fn serve_on(options: &ServerOptions, is_alone: bool, ready: impl FnOnce(&str)) -> Result<()> {
    let ServerOptions { place, address, hosts, token, worker, limits } = options;
    let (ends, end) = watch::channel(false);
    let (database, store) = open(place).await?;
    if is_alone {
        database.end_all_leases().await?;
    }
    let work = Workroom::take(&place.data)?;
    let live = LivePictures::default();
    let token = match token {
        Some(token) => Token::of(token),
        None => kept_token(&place.data)?,
    };
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| Error::new(format!("cannot listen at {address}: {error}; choose another port with --port")))?;
    let address = listener.local_addr()?;
    let hosts = match hosts.as_slice() {
        [] if address.ip().is_loopback() => Hosts::Loopback,
        [] => Hosts::Any,
        names => Hosts::Named(names.to_vec()),
    };
    let app = server::app(Parts {
        database: database.clone(),
        store: store.clone(),
        live: live.clone(),
        token: token.clone(),
        hosts,
        limits: limits.clone(),
        machine: worker.as_ref().map(|worker| worker.machine.clone()).unwrap_or_default(),
        work: work.folder.clone(),
        ends: end.clone(),
    });
    let app = app.await?;
    let working = worker.as_ref().map(|worker| {
        let WorkOptions { machine, lease } = worker.clone();
        let options = WorkerOptions { name: worker_name(), work: work.folder.clone(), machine, lease };
        Worker::new(database.clone(), store.clone(), options, Some(live))
    });
    let tasks = working.clone().map(|worker| tokio::spawn(worker.work(end.clone())));
    let sweeper = tokio::spawn(sweep(database.clone(), store));
    let mut stopped = end.clone();
    let server = axum::serve(listener, app).with_graceful_shutdown(async move {
        drop(stopped.wait_for(|ends| *ends).await);
    });
    let mut server = tokio::spawn(server.into_future());
    ready(&format!("http://{address}/?token={}", token.text()));
    tokio::select! {
        signal = told_to_end() => signal?,
        failed = &mut server => return Err(Error::new(format!("the server ended: {failed:?}"))),
    }
    info!("ends");
    ends.send_replace(true);
    sweeper.abort();
    let all = async {
        drop(server.await);
        if let Some(tasks) = tasks {
            drop(tasks.await);
        }
    };
    if tokio::time::timeout(END, all).await.is_err()
        && let Some(worker) = working
    {
        worker.give_back().await;
    }
    Ok(())
}

/// Works for a queue until the process is told to end.
///
/// Errors: the folder, the database or the store cannot be used.
pub fn work(place: &Place, options: &WorkOptions) -> Result<()> {
    let runtime = runtime()?;
    let worked = runtime.block_on(async {
        let (ends, end) = watch::channel(false);
        let (database, store) = open(place).await?;
        let room = Workroom::take(&place.data)?;
        let WorkOptions { machine, lease } = options.clone();
        let options = WorkerOptions { name: worker_name(), work: room.folder.clone(), machine, lease };
        let worker = Worker::new(database, store, options, None);
        let mut working = tokio::spawn(worker.clone().work(end));
        tokio::select! {
            signal = told_to_end() => signal?,
            ended = &mut working => return ended.map_err(|error| Error::new(error.to_string()))?,
        }
        info!("ends");
        ends.send_replace(true);
        if tokio::time::timeout(END, working).await.is_err() {
            worker.give_back().await;
        }
        Ok(())
    });
    runtime.shutdown_background();
    worked
}

/// Opens the database and the store of a place.
pub async fn open(place: &Place) -> Result<(Database, Store)> {
    let Place { data, database, store } = place;
    make_folder(data)?;
    let database = match database {
        Some(address) => Database::open(address).await?,
        None => Database::open_file(&data.join("studio.db")).await?,
    };
    let store = match store {
        Some(address) => Store::open(address)?,
        None => Store::folder(&data.join("store"))?,
    };
    Ok((database, store))
}

pub(crate) fn runtime() -> Result<Runtime> {
    Ok(Builder::new_multi_thread().worker_threads(2).thread_name("studio").enable_all().build()?)
}

fn make_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(|error| {
        Error::new(format!("cannot make the folder {}: {error}; choose another with --data", folder.display()))
    })
}

/// The machine and the process.
fn worker_name() -> String {
    let host = sysinfo::System::host_name().unwrap_or_else(|| "machine".to_owned());
    format!("{host}-{}", std::process::id())
}

/// Waits for Ctrl-C, or on Unix for SIGTERM.
async fn told_to_end() -> Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminated = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted?,
            _ = terminated.recv() => {}
        }
        Ok(())
    }
    #[cfg(not(unix))]
    Ok(tokio::signal::ctrl_c().await?)
}

/// Removes what nobody can restore or uses any more, from time to time.
async fn sweep(database: Database, store: Store) {
    loop {
        tokio::time::sleep(SWEEP).await;
        let swept = async {
            for job in database.forget_deleted_jobs().await? {
                store.remove_job(&job).await?;
            }
            for sha256 in database.forget_unused_files().await? {
                store.remove(&Name::Upload(&sha256)).await?;
                store.remove(&Name::Thumbnail(&sha256)).await?;
            }
            Ok::<_, Error>(())
        };
        if let Err(error) = swept.await {
            warn!(%error, "cannot remove what is no longer needed; tries again");
        }
    }
}

/// The token in the folder, which only its owner may read. It is made if it is not there.
fn kept_token(data: &Path) -> Result<Token> {
    let path = data.join("token");
    let unusable = |error: std::io::Error| Error::new(format!("cannot keep the token in {}: {error}", path.display()));
    match fs::read_to_string(&path) {
        Ok(text) if text.trim().len() >= 32 => return Ok(Token::of(text.trim())),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(unusable(error)),
    }
    let token = Token::random();
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&path).and_then(|mut file| file.write_all(token.text().as_bytes())).map_err(unusable)?;
    Ok(token)
}

/// The right of one server to a folder. The system takes it back when the process ends.
struct Lock(File);

impl Lock {
    /// Takes the right; the inner error is the address of the server that has it.
    fn take(path: &Path) -> Result<std::result::Result<Lock, String>> {
        let options = File::options().create(true).truncate(false).read(true).write(true).open(path);
        let mut file = options.map_err(|error| Error::new(format!("cannot write {}: {error}", path.display())))?;
        match file.try_lock() {
            Ok(()) => Ok(Ok(Lock(file))),
            Err(TryLockError::WouldBlock) => {
                let mut address = String::new();
                file.read_to_string(&mut address)?;
                Ok(Err(address))
            }
            Err(TryLockError::Error(error)) => Err(Error::new(format!("cannot lock {}: {error}", path.display()))),
        }
    }

    /// Notes the address for those who come later. Without it they are told less.
    fn note(&mut self, address: &str) {
        let written =
            self.0.set_len(0).and_then(|()| self.0.rewind()).and_then(|()| self.0.write_all(address.as_bytes()));
        if let Err(error) = written {
            warn!(%error, "cannot note the address of the studio");
        }
    }
}

/// A folder for the files of jobs while they are made. One that a killed process has left is used
/// again.
struct Workroom {
    folder: PathBuf,
    _lock: File,
}

impl Workroom {
    fn take(data: &Path) -> Result<Workroom> {
        let rooms = data.join("work");
        make_folder(&rooms)?;
        for number in 0.. {
            let path = rooms.join(format!("{number}.lock"));
            let lock = File::options().create(true).truncate(false).write(true).open(&path)?;
            match lock.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => continue,
                Err(TryLockError::Error(error)) => return Err(error.into()),
            }
            let folder = rooms.join(number.to_string());
            drop(fs::remove_dir_all(&folder));
            make_folder(&folder)?;
            return Ok(Workroom { folder, _lock: lock });
        }
        Err(Error::new("all work folders are taken"))
    }
}
