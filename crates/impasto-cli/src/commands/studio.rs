//! `impasto studio`: a page to make pictures with.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::{Args, ValueEnum, ValueHint};
use etcetera::BaseStrategy;
use impasto_job::job::values::Seconds;
use impasto_job::machine::{CheckpointOptions, Compute, Machine};
use impasto_studio::database::queue::LEASE;
use impasto_studio::server::Limits;
use impasto_studio::studio::{self, Place, Served, ServerOptions, WorkOptions};
use tracing_subscriber::filter::LevelFilter;

use crate::failure::{Failure, OrFail};
use crate::text;

const EXAMPLES: &str = "\
Examples:
  impasto studio
      Open the page in the browser. Everything stays on this machine.
  impasto studio --allow-remote --host studio.lan
      Let others on the network use it, a phone say. The address has the token that lets them in.
  impasto studio --database postgres://me:secret@db/impasto --store s3://pictures --no-worker
      Only the server; `impasto worker` makes the pictures, on as many machines as there are.

Ctrl-C (or SIGTERM) ends the studio within two seconds. A picture that is being made goes on from its last checkpoint when the \
studio begins again. docs/studio.md tells more.";

/// Where jobs and files are.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Place")]
pub struct PlaceArgs {
    /// Folder for jobs, pictures and the token. [default: the folder of the system for data of
    /// programs]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, env = "IMPASTO_DATA", hide_env_values = true)]
    pub data: Option<PathBuf>,

    /// Database for jobs: postgres://USER:PASSWORD@HOST/NAME, for many machines. [default: a file of
    /// SQLite in the folder]
    #[arg(long, value_name = "ADDRESS", env = "IMPASTO_DATABASE", hide_env_values = true)]
    pub database: Option<String>,

    /// Store for pictures and checkpoints: s3://BUCKET/FOLDER, or a folder. Keys, region and
    /// endpoint of S3 are read from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and
    /// AWS_ENDPOINT. [default: a folder in the folder]
    #[arg(long, value_name = "ADDRESS", env = "IMPASTO_STORE", hide_env_values = true)]
    pub store: Option<String>,
}

impl PlaceArgs {
    /// The place, with the system's folder if no other is given.
    pub fn place(&self) -> Result<Place, Failure> {
        let data = match &self.data {
            Some(data) => data.clone(),
            None => {
                let folders = etcetera::choose_base_strategy().context("this system names no home folder; give --data");
                folders.or_user()?.data_dir().join("impasto")
            }
        };
        let data = std::path::absolute(&data).with_context(|| format!("cannot use {}", data.display())).or_user()?;
        Ok(Place { data, database: self.database.clone(), store: self.store.clone() })
    }
}

/// What a worker computes with.
#[derive(Args, Clone, Debug)]
pub struct WorkArgs {
    #[command(flatten)]
    pub compute: Compute,

    /// Seconds between checkpoints of a picture. If writing them took more than 2 % of the time,
    /// there are fewer. [default: 15]
    #[arg(long, value_name = "SECONDS", allow_hyphen_values = true, help_heading = "Checkpoints")]
    pub checkpoint_every: Option<Seconds>,

    /// Seconds of silence after which a worker counts as vanished, and another one takes its job.
    /// [default: 15]
    #[arg(long, value_name = "SECONDS", allow_hyphen_values = true, help_heading = "Machine")]
    pub lease: Option<Seconds>,
}

/// Seconds that a lease may have.
const LEASES: RangeInclusive<f64> = 2.0..=3600.0;

/// Seconds between checkpoints, if nobody says.
const CHECKPOINT_EVERY: f64 = 15.0;

impl WorkArgs {
    /// What the worker is like.
    ///
    /// Errors: a lease that is too short to be renewed, or so long that nobody would notice.
    pub fn options(&self) -> Result<WorkOptions, Failure> {
        let lease = self.lease.map_or(LEASE.as_secs_f64(), Seconds::get);
        if !LEASES.contains(&lease) {
            let (least, most) = (LEASES.start(), LEASES.end());
            return Err(Failure::User(anyhow!("--lease is {lease} s; give {least} to {most} s")));
        }
        Ok(WorkOptions { machine: self.machine(), lease: Duration::from_secs_f64(lease) })
    }

    fn machine(&self) -> Machine {
        let checkpoint_every = self.checkpoint_every.or(Seconds::new(CHECKPOINT_EVERY));
        Machine {
            compute: self.compute.clone(),
            checkpoints: CheckpointOptions { checkpoint_every, ..CheckpointOptions::default() },
            ..Machine::default()
        }
    }
}

/// How logs are written.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Reporting")]
pub struct LogArgs {
    /// How logs are written to standard error.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = LogFormat::Text, hide_default_value = true)]
    pub log: LogFormat,
}

/// A way to write logs.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LogFormat {
    /// Lines for people (default).
    Text,
    /// One JSON object a line.
    Json,
    /// Only what went wrong, as lines.
    Quiet,
}

impl LogArgs {
    /// Begins to write logs.
    pub fn begin(&self) {
        let level = if matches!(self.log, LogFormat::Quiet) { LevelFilter::WARN } else { LevelFilter::INFO };
        let logs = tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(level).with_target(false);
        match self.log {
            LogFormat::Json => logs.json().init(),
            LogFormat::Text | LogFormat::Quiet => logs.with_ansi(false).init(),
        }
    }
}

/// Make pictures on a page in the browser.
///
/// The page is part of the program, and no request leaves the machine. Pictures are made one after
/// the other, and a queue keeps them: after a crash or a power cut the studio goes on where it was.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub struct StudioArgs {
    /// Port to listen at; 0 is any that is free.
    #[arg(long, value_name = "PORT", default_value_t = 4747, help_heading = "Server")]
    pub port: u16,

    /// Address to listen at. Another than this machine's own needs --allow-remote.
    #[arg(long, value_name = "IP", help_heading = "Server")]
    pub listen: Option<IpAddr>,

    /// Let other machines in. Whoever has the address with the token can use the studio: upload
    /// pictures, see all pictures, and fill the queue. Nothing is encrypted, so use a reverse proxy
    /// with HTTPS beyond your own network.
    #[arg(long, help_heading = "Server")]
    pub allow_remote: bool,

    /// Name under which others reach the studio, behind a reverse proxy say. May be given several
    /// times. [default: any, with --allow-remote]
    #[arg(long = "host", value_name = "NAME", help_heading = "Server")]
    pub hosts: Vec<String>,

    /// Token that lets in, at least 32 characters. [default: a random one that DATA/token keeps]
    #[arg(long, value_name = "TOKEN", env = "IMPASTO_TOKEN", hide_env_values = true, help_heading = "Server")]
    pub token: Option<String>,

    /// Do not open the page in the browser.
    #[arg(long, help_heading = "Server")]
    pub no_open: bool,

    /// Make no pictures in this process; `impasto worker` makes them.
    #[arg(long, help_heading = "Server")]
    pub no_worker: bool,

    /// Most MiB of a file that is uploaded.
    #[arg(long, value_name = "MIB", default_value_t = 256, help_heading = "Limits")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub max_file: u32,

    /// Most millions of pixels of a picture.
    #[arg(long, value_name = "MILLIONS", default_value_t = 100, help_heading = "Limits")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub max_pixels: u32,

    /// Most files that are kept.
    #[arg(long, value_name = "N", default_value_t = 10_000, help_heading = "Limits")]
    pub max_files: i64,

    /// Most jobs that wait.
    #[arg(long, value_name = "N", default_value_t = 1_000, help_heading = "Limits")]
    pub max_queue: i64,

    /// MiB that stay free on the disk of the store.
    #[arg(long, value_name = "MIB", default_value_t = 1_024, help_heading = "Limits")]
    pub free_disk: u32,

    #[command(flatten)]
    pub place: PlaceArgs,

    #[command(flatten)]
    pub work: WorkArgs,

    #[command(flatten)]
    pub logs: LogArgs,
}

/// Least characters of a token.
const TOKEN: usize = 32;

/// Runs the studio until it is told to end.
pub fn run(args: &StudioArgs) -> Result<(), Failure> {
    let any = if args.allow_remote { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST };
    let listen = args.listen.unwrap_or(any.into());
    if !listen.is_loopback() && !args.allow_remote {
        return Err(Failure::User(anyhow!(
            "--listen {listen} lets other machines in: whoever has the token can use the studio; add --allow-remote if \
             that is meant"
        )));
    }
    if args.token.as_ref().is_some_and(|token| token.len() < TOKEN || !token.bytes().all(|b| b.is_ascii_alphanumeric()))
    {
        return Err(Failure::User(anyhow!(
            "--token is shorter than {TOKEN} characters, or has others than letters and digits; give a longer one, or \
             leave it out"
        )));
    }
    args.logs.begin();
    let options = ServerOptions {
        place: args.place.place()?,
        address: SocketAddr::new(listen, args.port),
        hosts: args.hosts.clone(),
        token: args.token.clone(),
        worker: if args.no_worker { None } else { Some(args.work.options()?) },
        limits: Limits {
            file_bytes: (args.max_file as usize) << 20,
            pixels: u64::from(args.max_pixels) * 1_000_000,
            files: args.max_files,
            queue: args.max_queue,
            free_disk: u64::from(args.free_disk) << 20,
        },
    };
    let served = studio::serve(&options, |address| {
        announce(&format!("impasto studio: {address}\n"));
        if args.allow_remote {
            text::print_aside(
                "whoever has this address can use the studio from another machine; nothing is encrypted\n",
            );
        }
        open(args, address);
    });
    match served.or_program()? {
        Served::Ended => Ok(()),
        Served::AlreadyRuns(address) => {
            announce(&format!("the studio already runs: {address}\n"));
            open(args, &address);
            Ok(())
        }
    }
}

/// Prints a line. Whoever reads it may have gone.
fn announce(line: &str) {
    drop(text::print(line));
}

/// Opens the page. A machine without a browser is no failure: the address is printed.
fn open(args: &StudioArgs, address: &str) {
    if !args.no_open && webbrowser::open(address).is_err() {
        text::print_aside("no browser could be opened; open the address above\n");
    }
}
