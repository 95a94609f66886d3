//! PostgreSQL and a server that speaks S3, for tests of many machines.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::studio::program::{PATIENCE, Process};

/// A port that is free at present.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn wait_for(port: u16) {
    let started = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(started.elapsed() < PATIENCE, "nobody listens at {port}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Says that a test is left out, or fails it if the servers have to be there.
pub fn skip(what: &str) {
    assert!(std::env::var_os("IMPASTO_REQUIRE_SERVERS").is_none(), "there is no {what}");
    eprintln!("SKIPPED: no {what}");
}

/// A server of PostgreSQL with a database of its own.
pub struct Postgres {
    folder: TempDir,
    programs: PathBuf,
    port: u16,
}

impl Postgres {
    /// Starts one. `None`: it is not installed.
    pub fn start() -> Option<Postgres> {
        let programs = programs()?;
        let folder = tempfile::tempdir().unwrap();
        let postgres = Postgres { folder, programs, port: free_port() };
        if is_root() {
            assert!(Command::new("chown").arg("postgres").arg(postgres.folder.path()).status().unwrap().success());
        }
        let data = postgres.data();
        postgres.run("initdb", &["-D", &data, "-A", "trust", "-U", "impasto", "--no-sync"]);
        postgres.begin();
        postgres.run("createdb", &["-h", "127.0.0.1", "-p", &postgres.port.to_string(), "-U", "impasto", "impasto"]);
        Some(postgres)
    }

    pub fn address(&self) -> String {
        format!("postgres://impasto@127.0.0.1:{}/impasto", self.port)
    }

    /// Ends it as if its machine had lost power, and starts it again.
    pub fn restart(&self) {
        self.run("pg_ctl", &["-D", &self.data(), "stop", "-m", "immediate", "-w"]);
        std::thread::sleep(Duration::from_millis(700));
        self.begin();
    }

    fn begin(&self) {
        let options = format!("-p {} -c listen_addresses=127.0.0.1 -k {}", self.port, self.folder.path().display());
        let log = self.folder.path().join("log");
        self.run("pg_ctl", &["-D", &self.data(), "-o", &options, "-l", log.to_str().unwrap(), "-w", "start"]);
    }

    fn data(&self) -> String {
        self.folder.path().join("data").to_str().unwrap().to_owned()
    }

    fn run(&self, program: &str, args: &[&str]) {
        let program = self.programs.join(program);
        // PostgreSQL does not run as root.
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(&program);
            command
        } else {
            Command::new(&program)
        };
        let status = command.args(args).current_dir("/").stdout(Stdio::null()).status().unwrap();
        assert!(status.success(), "{} {args:?}", program.display());
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.run("pg_ctl", &["-D", &self.data(), "stop", "-m", "immediate", "-w"]);
    }
}

fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let folders = versions.flatten().map(|version| version.path().join("bin"));
    folders.filter(|folder| folder.join("initdb").exists()).max()
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout == b"0\n"
}

/// A server that speaks S3: moto, in a folder of Python programs.
pub struct S3 {
    _process: Process,
    port: u16,
}

impl S3 {
    /// Starts the one that `IMPASTO_MOTO` names, and makes a bucket `pictures`. `None`: it names
    /// none.
    pub fn start() -> Option<S3> {
        let program = std::env::var_os("IMPASTO_MOTO")?;
        let port = free_port();
        let process = Command::new(Path::new(&program))
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let process = Process(process);
        wait_for(port);
        let s3 = S3 { _process: process, port };
        s3.make_bucket();
        Some(s3)
    }

    fn make_bucket(&self) {
        use std::io::{Read, Write};
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let head = "PUT /pictures HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains(" 200 "), "{answer}");
    }

    /// What a program needs to use it.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT", format!("http://127.0.0.1:{}", self.port)),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_ACCESS_KEY_ID", "key".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
        ]
    }
}
