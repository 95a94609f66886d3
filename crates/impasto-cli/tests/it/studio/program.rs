//! Studios and workers as processes, and requests to them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::{Desk, impasto};

/// Longest time that anything here takes. A test that waits longer has failed.
pub const PATIENCE: Duration = Duration::from_secs(240);

/// A process that is killed when it is dropped.
pub struct Process(pub Child);

impl Process {
    /// As `kill -9`.
    pub fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    pub fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.0.id().to_string()]).status().unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A studio that answers.
pub struct Studio {
    pub process: Process,
    /// Host and port.
    pub host: String,
    pub token: String,
}

impl Studio {
    /// Starts a studio with a folder, and waits until it answers.
    pub fn start(data: &Path, args: &[&str]) -> Studio {
        Studio::start_in(data, args, &[])
    }

    /// As [`Studio::start`], with variables.
    pub fn start_in(data: &Path, args: &[&str], variables: &[(&str, String)]) -> Studio {
        let data = data.to_str().unwrap();
        let all = [&["studio", "--no-open", "--port", "0", "--log", "quiet", "--data", data, "--free-disk", "0"], args]
            .concat();
        let mut child = impasto().args(all).envs(variables.iter().cloned()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("impasto studio: http://").unwrap_or_else(|| panic!("{line:?}"));
        let (host, token) = address.split_once("/?token=").unwrap();
        Studio { process: Process(child), host: host.to_owned(), token: token.to_owned() }
    }

    /// Sends a request. `None`: nobody answers.
    pub fn request(&self, method: &str, path: &str, body: &[u8]) -> Option<(u16, Vec<u8>)> {
        let mut stream = TcpStream::connect(&self.host).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        let Studio { host, token, .. } = self;
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).ok()?;
        stream.write_all(body).ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let body = answer[end + 4..].to_vec();
        let is_chunked = head.contains("transfer-encoding: chunked");
        Some((status, if is_chunked { unchunked(&body)? } else { body }))
    }

    pub fn get(&self, path: &str) -> (u16, Vec<u8>) {
        self.request("GET", path, b"").unwrap_or_else(|| panic!("the studio does not answer to {path}"))
    }

    pub fn json(&self, path: &str) -> Value {
        serde_json::from_slice(&self.get(path).1).unwrap()
    }

    /// All jobs, oldest first.
    pub fn jobs(&self) -> Vec<Value> {
        let mut jobs = self.json("/api/v1/jobs?limit=200")["jobs"].as_array().unwrap().clone();
        jobs.reverse();
        jobs
    }

    /// Waits until all jobs are done.
    pub fn wait_for_all(&self) -> Vec<Value> {
        let started = Instant::now();
        loop {
            let jobs = self.jobs();
            if jobs.iter().all(|job| job["state"] == "done") {
                return jobs;
            }
            assert!(started.elapsed() < PATIENCE, "not all are done: {jobs:#?}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Checks that each job was made once, with the bytes of the command line.
    pub fn check_results(&self, expected: &[Vec<u8>]) {
        let jobs = self.wait_for_all();
        assert_eq!(jobs.len(), expected.len(), "none is lost and none came twice");
        for (job, expected) in jobs.iter().zip(expected) {
            let id = job["id"].as_str().unwrap();
            let events = String::from_utf8(self.get(&format!("/api/v1/jobs/{id}/events")).1).unwrap();
            assert_eq!(events.matches("event: done\n").count(), 1, "{events}");
            let (status, result) = self.get(&format!("/api/v1/jobs/{id}/result"));
            assert_eq!(status, 200);
            assert!(result == *expected, "{} has other bytes than the command line's", job["job"]["options"]);
        }
    }
}

/// The body of an answer that came in chunks; `None`: it is not whole.
fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|window| window == b"\r\n")?;
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..end]).ok()?.trim(), 16).ok()?;
        if length == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(end + 2..end + 2 + length)?);
        rest = rest.get(end + 4 + length..)?;
    }
}

/// Writes `jobs.json` with small jobs of different strengths, which look at shallow layers only, and makes the pictures of the
/// command line.
pub fn small_jobs(desk: &Desk, number: usize, steps: usize) -> Vec<Vec<u8>> {
    let mut jobs = Vec::new();
    let mut expected = Vec::new();
    for i in 0..number {
        let (strength, steps) = ((10 * i).to_string(), steps.to_string());
        let args = [
            "content.png",
            "style.png",
            "-o",
            "out.png",
            "--strength",
            &strength,
            "--steps",
            &steps,
            "--tolerance",
            "0",
            "--no-recipe",
            "--content-layers",
            "relu2_2",
            "--style-layers",
            "relu1_1,relu2_1",
            "--quiet",
        ];
        let dry = desk.output(&[&args[..], &["--dry-run"]].concat());
        jobs.push(serde_json::from_slice::<Value>(&dry.stdout).unwrap());
        assert!(desk.output(&args).status.success());
        expected.push(std::fs::read(desk.path("out.png")).unwrap());
    }
    std::fs::write(desk.path("jobs.json"), Value::from(jobs).to_string()).unwrap();
    expected
}

/// A generator of numbers that are the same in each run of a test.
pub struct Chance(pub u64);

impl Chance {
    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        // Knuth's MMIX constants.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}
