//! A studio in a temporary folder, and requests to it.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use impasto_job::machine::{CheckpointOptions, Compute, DeviceOptions, Machine};
use impasto_studio::database::Database;
use impasto_studio::database::queue::LEASE;
use impasto_studio::live::LivePictures;
use impasto_studio::server::{self, Hosts, Limits, Parts, Token};
use impasto_studio::store::Store;
use impasto_studio::worker::{Worker, WorkerOptions};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::watch;
use tower::ServiceExt;

/// The token of all studios here.
pub const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// The host that requests name.
pub const HOST: &str = "127.0.0.1:4747";

/// A studio in a temporary folder.
pub struct Studio {
    pub folder: TempDir,
    pub database: Database,
    pub store: Store,
    pub live: LivePictures,
    pub app: Router,
    ends: watch::Sender<bool>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: header::HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The words of a refusal.
    pub fn message(&self) -> String {
        self.json()["error"]["message"].as_str().unwrap().to_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Studio {
    pub async fn new() -> Studio {
        Studio::with_limits(Limits { free_disk: 0, ..Limits::default() }).await
    }

    pub async fn with_limits(limits: Limits) -> Studio {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open_file(&folder.path().join("studio.db")).await.unwrap();
        let store = Store::folder(&folder.path().join("store")).unwrap();
        let live = LivePictures::default();
        let (ends, end) = watch::channel(false);
        let app = server::app(Parts {
            database: database.clone(),
            store: store.clone(),
            live: live.clone(),
            token: Token::of(TOKEN),
            hosts: Hosts::Loopback,
            limits,
            machine: machine(),
            work: folder.path().to_owned(),
            ends: end,
        });
        let app = app.await.unwrap();
        Studio { folder, database, store, live, app, ends }
    }

    /// A worker in this process. It works until the studio is dropped.
    pub fn start_worker(&self, name: &str) -> (Worker, tokio::task::JoinHandle<()>) {
        let options = WorkerOptions {
            name: name.to_owned(),
            work: self.folder.path().join(name),
            machine: machine(),
            lease: LEASE,
        };
        let worker = Worker::new(self.database.clone(), self.store.clone(), options, Some(self.live.clone()));
        let working = worker.clone().work(self.ends.subscribe());
        (worker, tokio::spawn(async move { working.await.unwrap() }))
    }

    /// Ends workers and streams.
    pub fn end(&self) {
        self.ends.send_replace(true);
    }

    /// Sends a request as it is.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(request(Method::GET, path).body(Body::empty()).unwrap()).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(request(Method::DELETE, path).body(Body::empty()).unwrap()).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(with_json(request(Method::POST, path), body)).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(with_json(request(Method::PATCH, path), body)).await
    }

    pub async fn upload(&self, name: &str, bytes: Vec<u8>) -> Answer {
        let request = request(Method::POST, &format!("/api/v1/files?name={name}"));
        self.send(request.body(bytes.into()).unwrap()).await
    }

    /// Uploads a photo and a style. Returns a small job with them.
    pub async fn small_job(&self) -> Value {
        let photo = self.upload("photo.png", picture(48, 36, 1)).await.json();
        let style = self.upload("style.png", picture(40, 40, 2)).await.json();
        json!({
            "inputs": {
                "content": { "path": "photo.png", "sha256": photo["sha256"] },
                "styles": [{ "file": { "path": "style.png", "sha256": style["sha256"] } }],
            },
            "options": { "size": 48, "steps": 6 },
            "output": { "no-recipe": true },
        })
    }

    /// Creates a job. Returns its name.
    pub async fn create(&self, job: &Value) -> String {
        let answer = self.post("/api/v1/jobs", &json!({ "job": job })).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    /// Waits until a job stands there. Returns it.
    pub async fn wait_for(&self, id: &str, state: &str) -> Value {
        for _ in 0..1200 {
            let job = self.get(&format!("/api/v1/jobs/{id}")).await.json();
            if job["state"] == state {
                return job;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the job {id} never was {state}: {}", self.get(&format!("/api/v1/jobs/{id}")).await.json());
    }

    /// Waits until a job has made so many steps.
    pub async fn wait_for_step(&self, id: &str, step: u64) {
        for _ in 0..1200 {
            let job = self.get(&format!("/api/v1/jobs/{id}")).await.json();
            if job["progress"]["step"].as_u64() >= Some(step) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the job {id} never made step {step}");
    }

    /// All events of a job that has ended: their words and data.
    pub async fn events(&self, id: &str) -> Vec<(String, Value)> {
        let text = String::from_utf8(self.get(&format!("/api/v1/jobs/{id}/events")).await.body).unwrap();
        text.split("\n\n").filter(|frame| frame.contains("event:")).map(parse).collect()
    }
}

impl Drop for Studio {
    /// A run that goes on would keep the test from ending.
    fn drop(&mut self) {
        self.end();
    }
}

/// A frame of a stream: its word and its data.
pub fn parse(frame: &str) -> (String, Value) {
    let field = |name: &str| frame.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    (field("event: ").to_owned(), serde_json::from_str(field("data: ")).unwrap())
}

/// The CPU, with one thread, and a checkpoint after every step.
pub fn machine() -> Machine {
    let device = DeviceOptions { device: Some(impasto_job::device::DeviceChoice::Cpu), device_memory: None };
    Machine {
        compute: Compute { device, threads: impasto_job::job::values::Count::new(1), memory: None },
        checkpoints: CheckpointOptions {
            checkpoint_every: impasto_job::job::values::Seconds::new(0.001),
            ..CheckpointOptions::default()
        },
        ..Machine::default()
    }
}

/// A request with the token.
pub fn request(method: Method, path: &str) -> axum::http::request::Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, HOST)
        .header(header::AUTHORIZATION, format!("Bearer {TOKEN}"))
}

fn with_json(request: axum::http::request::Builder, body: &Value) -> Request<Body> {
    request.header(header::CONTENT_TYPE, "application/json").body(body.to_string().into()).unwrap()
}

/// A PNG with stripes and spots; others for other seeds.
pub fn picture(width: u32, height: u32, seed: u32) -> Vec<u8> {
    let image = image::RgbImage::from_fn(width, height, |x, y| {
        let wave = |k: u32| (128.0 + 100.0 * (f64::from((x * k + y * seed) % 97) / 9.0).sin()) as u8;
        image::Rgb([wave(3 + seed), wave(5), wave(7 * seed)])
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}
