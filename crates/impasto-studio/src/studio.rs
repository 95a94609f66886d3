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
use crate::database::jobs::Lane;
use crate::error::{Error, Result};
use crate::gallery::Gallery;
use crate::live::LivePictures;
use crate::server::{self, Hosts, Limits, Parts, Token};
use crate::store::{Name, Store};
use crate::worker::{Worker, WorkerOptions};

/// How long the end may take. What has not ended by then is left as it is: nothing is lost.
const END: Duration = Duration::from_millis(1800);

/// How often vanished workers are looked for.
const SWEEP: Duration = Duration::from_secs(5);

/// How long giving back a job may take at the end.
const GIVE_BACK: Duration = Duration::from_millis(150);

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
        match Lock::take(data)? {
            Ok(taken) => lock = Some(taken),
            Err(address) => return Ok(Served::AlreadyRuns(address)),
        }
    }
    let runtime = runtime()?;
    let served = runtime.block_on(serve_on(options, is_alone, |address| {
        if let Some(lock) = &lock {
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
    let mut tasks = tokio::spawn({
        let (working, mut end) = (working.clone(), end.clone());
        async move {
            match working {
                Some(worker) => worker.work(end).await,
                None => {
                    drop(end.wait_for(|ends| *ends).await);
                    Ok(())
                }
            }
        }
    });
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
        failed = &mut tasks => {
            return Err(Error::new(format!("the worker ended: {}", failed.map_or_else(|error| error.to_string(), words))));
        }
    }
    info!("ends");
    ends.send_replace(true);
    sweeper.abort();
    let all = async {
        drop(server.await);
        drop(tasks.await);
    };
    if tokio::time::timeout(END, all).await.is_err()
        && let Some(worker) = working
    {
        // What the database does not hear in time, it notices by itself.
        drop(tokio::time::timeout(GIVE_BACK, worker.give_back()).await);
    }
    Ok(())
}

/// How a worker ended.
fn words(ended: Result<()>) -> String {
    ended.err().map_or_else(|| "nobody told it to".to_owned(), |error| error.to_string())
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
            drop(tokio::time::timeout(GIVE_BACK, worker.give_back()).await);
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

/// Makes a folder that is not there, for its owner alone.
fn make_folder(folder: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| {
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

/// Puts in order what vanished workers have left, and removes what is no longer needed, from time to
/// time.
async fn sweep(database: Database, store: Store) {
    for round in 0_u64.. {
        tokio::time::sleep(SWEEP).await;
        let swept = async {
            // Where no worker is left, nobody else notices that one has vanished.
            for lane in [Lane::Pictures, Lane::Previews] {
                database.expire(lane).await?;
            }
            if round.is_multiple_of(12) {
                remove_jobs(&database, &store).await?;
            }
            if round.is_multiple_of(720) {
                // The gallery is used, even if no job names it.
                Gallery::install(&database, &store).await?;
                remove_files(&database, &store).await?;
            }
            Ok::<_, Error>(())
        };
        if let Err(error) = swept.await {
            warn!(%error, "cannot remove what is no longer needed; tries again");
        }
    }
}

/// Removes jobs that nobody can restore any more, and what ended jobs no longer need. Their rows go
/// last, so nothing is lost track of.
async fn remove_jobs(database: &Database, store: &Store) -> Result<()> {
    for job in database.forgettable_jobs().await? {
        store.remove_job(&job).await?;
        database.forget_job(&job).await?;
    }
    for job in database.ended_with_checkpoints().await? {
        store.remove_passing(&job).await?;
        database.forget_checkpoints(&job).await?;
    }
    Ok(())
}

/// Removes files that no job names. If one is uploaded again in this moment, it is stored again
/// when it is uploaded the next time.
async fn remove_files(database: &Database, store: &Store) -> Result<()> {
    for sha256 in database.unused_files().await? {
        if database.forget_file(&sha256).await? {
            store.remove(&Name::Upload(&sha256)).await?;
            store.remove(&Name::Thumbnail(&sha256)).await?;
        }
    }
    Ok(())
}

/// The token in the folder, which only its owner may read. It is made if it is not there.
fn kept_token(data: &Path) -> Result<Token> {
    let path = data.join("token");
    let unusable = |error: std::io::Error| Error::new(format!("cannot keep the token in {}: {error}", path.display()));
    let mut file = private_file(&path).map_err(unusable)?;
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(unusable)?;
    if text.trim().len() >= 32 {
        return Ok(Token::of(text.trim()));
    }
    let token = Token::random();
    rewrite(&mut file, token.text()).map_err(unusable)?;
    Ok(token)
}

/// Opens a file that only its owner may read. It is made if it is not there.
fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.create(true).truncate(false).read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(file)
}

fn rewrite(file: &mut File, text: &str) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(text.as_bytes())
}

/// The right of one server to a folder. The system takes it back when the process ends.
struct Lock {
    /// Where its address is, for those who come later.
    address: PathBuf,
    _file: File,
}

impl Lock {
    /// Takes the right; the inner error is the address of the server that has it.
    fn take(data: &Path) -> Result<std::result::Result<Lock, String>> {
        let (path, address) = (data.join("studio.lock"), data.join("address"));
        let file =
            private_file(&path).map_err(|error| Error::new(format!("cannot write {}: {error}", path.display())))?;
        match file.try_lock() {
            Ok(()) => {
                // That of a server that has ended.
                drop(fs::remove_file(&address));
                Ok(Ok(Lock { address, _file: file }))
            }
            Err(TryLockError::WouldBlock) => {
                let words = |_| format!("it has just begun; look into {} in a moment", address.display());
                Ok(Err(fs::read_to_string(&address).unwrap_or_else(words)))
            }
            Err(TryLockError::Error(error)) => Err(Error::new(format!("cannot lock {}: {error}", path.display()))),
        }
    }

    /// Notes the address for those who come later. Without it they are told less.
    fn note(&self, address: &str) {
        let written = private_file(&self.address).and_then(|mut file| rewrite(&mut file, address));
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
