//! Events of jobs for those who watch, however many they are.
//!
//! The events of a watched job are read from the database once, by one task, and kept as the bytes
//! that a stream sends. Each stream has its place among them, so a slow reader loses nothing and
//! delays nobody. Of live pictures only the newest counts.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::sync::watch;
use tracing::warn;

use crate::database::Database;
use crate::database::events::EventRow;
use crate::error::Result;
use crate::worker::VERSIONS;

/// How often the database is asked for what other processes have written.
const LOOK: Duration = Duration::from_millis(300);

/// How often a worker is reminded that somebody watches.
const REMIND: Duration = Duration::from_secs(4);

/// A stream that has nothing to say sends an empty comment this often, so that both sides know
/// that the other is there.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Events that are read at once.
const AT_ONCE: i64 = 1000;

/// All jobs that somebody watches.
pub struct Hub {
    database: Database,
    tails: Mutex<HashMap<String, Weak<Tail>>>,
}

/// The events of one job.
struct Tail {
    /// As a stream sends them; the event with the number n is at n - 1.
    frames: RwLock<Vec<Bytes>>,
    length: watch::Sender<Length>,
}

/// How far a tail has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Length {
    frames: usize,
    picture: Option<i64>,
    is_over: bool,
}

impl Hub {
    /// A hub that nobody watches yet.
    pub fn new(database: Database) -> Hub {
        Hub { database, tails: Mutex::default() }
    }

    /// The stream of a job's events after the one with the number `after`. It ends with the job, or
    /// when `ends` says so.
    pub fn stream(
        &self,
        job: &str,
        after: usize,
        ends: watch::Receiver<bool>,
    ) -> impl Stream<Item = std::result::Result<Bytes, Infallible>> + use<> {
        let tail = self.tail(job);
        let length = tail.length.subscribe();
        let watcher = Watching { tail, length, ends, sent: after, picture: None, is_over: false };
        unfold(watcher, |mut watcher| async { Some((Ok(watcher.next().await?), watcher)) })
    }

    fn tail(&self, job: &str) -> Arc<Tail> {
        let mut tails = self.tails.lock().unwrap_or_else(PoisonError::into_inner);
        tails.retain(|_, tail| tail.strong_count() > 0);
        if let Some(tail) = tails.get(job).and_then(Weak::upgrade) {
            return tail;
        }
        let tail = Arc::new(Tail { frames: RwLock::default(), length: watch::Sender::default() });
        tails.insert(job.to_owned(), Arc::downgrade(&tail));
        tokio::spawn(follow(self.database.clone(), job.to_owned(), Arc::downgrade(&tail)));
        tail
    }
}

/// Reads the events of a job for as long as somebody watches it.
async fn follow(database: Database, job: String, tail: Weak<Tail>) {
    let mut news = database.news();
    let mut reminded: Option<std::time::Instant> = None;
    loop {
        let Some(tail) = tail.upgrade() else { return };
        if reminded.is_none_or(|at| at.elapsed() >= REMIND) {
            if let Err(error) = database.note_watched(&job).await {
                warn!(%error, job, "cannot say that somebody watches");
            }
            reminded = Some(std::time::Instant::now());
        }
        match tail.read_on(&database, &job).await {
            Ok(true) => return,
            Ok(false) => {}
            Err(error) => warn!(%error, job, "cannot read events; tries again"),
        }
        drop(tail);
        news.wait(LOOK).await;
        // What comes in quick succession is read at once.
        tokio::time::sleep(LOOK / 6).await;
    }
}

impl Tail {
    /// Reads what is new. Returns whether nothing comes any more.
    async fn read_on(&self, database: &Database, job: &str) -> Result<bool> {
        let Some(course) = database.course(job).await? else {
            self.length.send_modify(|length| length.is_over = true);
            return Ok(true);
        };
        let mut read = self.length.borrow().frames;
        let last = usize::try_from(course.last_event).unwrap_or(0);
        while read < last {
            let events = database.events_after(job, read as i64, AT_ONCE).await?;
            let new: Vec<Bytes> = events.iter().map(frame).collect();
            if new.is_empty() {
                break;
            }
            read += new.len();
            self.frames.write().unwrap_or_else(PoisonError::into_inner).extend(new);
        }
        let length = Length { frames: read, picture: course.picture, is_over: course.is_final && read >= last };
        self.length.send_if_modified(|old| std::mem::replace(old, length) != length);
        Ok(length.is_over)
    }
}

/// An event as a stream sends it.
fn frame(event: &EventRow) -> Bytes {
    let EventRow { seq, kind, body } = event;
    // JSON as serde_json writes it has no line breaks.
    format!("id: {seq}\nevent: {kind}\ndata: {body}\n\n").into()
}

/// One who watches.
struct Watching {
    tail: Arc<Tail>,
    length: watch::Receiver<Length>,
    ends: watch::Receiver<bool>,
    sent: usize,
    picture: Option<i64>,
    is_over: bool,
}

impl Watching {
    /// What comes next; `None`: nothing any more.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if self.is_over || *self.ends.borrow() {
                return None;
            }
            let length = *self.length.borrow_and_update();
            let mut bytes = BytesMut::new();
            if length.frames > self.sent {
                let frames = self.tail.frames.read().unwrap_or_else(PoisonError::into_inner);
                frames[self.sent..length.frames].iter().for_each(|frame| bytes.extend_from_slice(frame));
                self.sent = length.frames;
            }
            if let Some(version) = length.picture.filter(|_| length.picture != self.picture && !length.is_over) {
                self.picture = Some(version);
                let data = serde_json::json!({ "version": version, "step": version % VERSIONS });
                bytes.extend_from_slice(format!("event: picture\ndata: {data}\n\n").as_bytes());
            }
            if length.is_over {
                self.is_over = true;
                bytes.extend_from_slice(b"event: end\ndata: {}\n\n");
            }
            if !bytes.is_empty() {
                return Some(bytes.freeze());
            }
            tokio::select! {
                changed = self.length.changed() => if changed.is_err() { return None },
                _ = self.ends.changed() => {}
                () = tokio::time::sleep(KEEP_ALIVE) => return Some(Bytes::from_static(b":\n\n")),
            }
        }
    }
}
