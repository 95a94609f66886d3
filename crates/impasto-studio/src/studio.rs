//! The parts put together: a server with its worker, or a worker alone, from beginning to end.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::time::Duration;

use impasto_job::machine::Machine;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tracing::info;

use crate::database::Database;
use crate::error::{Error, Result};
use crate::folder::{Lock, Workroom, kept_token, make_folder};
use crate::live::LivePictures;
use crate::server::{self, Hosts, Limits, Parts, Token};
use crate::store::Store;
use crate::sweep::sweep;
use crate::worker::{Worker, WorkerOptions};

/// How long the end may take. What has not ended by then is left as it is: nothing is lost.
const END: Duration = Duration::from_millis(1800);

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
    let hosts_given = hosts.as_slice();
    let hosts = match hosts_given {
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
    ready(&format!("http://{}:{}/?token={}", reachable(address.ip(), hosts_given), address.port(), token.text()));
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

/// The host under which a server can be opened. One that listens everywhere has the first name that
/// was given, or else the address of this machine in its network.
fn reachable(ip: IpAddr, hosts: &[String]) -> String {
    let of_network = || {
        // Connecting a socket for datagrams sends nothing. It says which address would be used.
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
        // An address of documentation, RFC 5737: nobody has it.
        socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
        Some(socket.local_addr().ok()?.ip()).filter(|ip| !ip.is_unspecified())
    };
    match (ip, hosts) {
        (ip, [host, ..]) if ip.is_unspecified() => host.clone(),
        (ip, []) if ip.is_unspecified() => of_network().unwrap_or(Ipv4Addr::LOCALHOST.into()).to_string(),
        (IpAddr::V6(ip), _) => format!("[{ip}]"),
        (ip, _) => ip.to_string(),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_address_can_be_opened_by_those_who_are_let_in() {
        let host = |ip: &str, hosts: &[&str]| {
            let hosts: Vec<String> = hosts.iter().map(|&host| host.to_owned()).collect();
            reachable(ip.parse().unwrap(), &hosts)
        };
        assert_eq!(host("127.0.0.1", &[]), "127.0.0.1");
        assert_eq!(host("127.0.0.1", &["studio.lan"]), "127.0.0.1", "a proxy is in front");
        assert_eq!(host("::1", &[]), "[::1]");
        assert_eq!(host("0.0.0.0", &["studio.lan", "other.lan"]), "studio.lan");
        let of_network: IpAddr = host("0.0.0.0", &[]).parse().unwrap();
        assert!(!of_network.is_unspecified());
    }
}
