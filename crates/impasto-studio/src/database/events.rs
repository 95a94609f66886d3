//! What has happened to each job, in its order.

use sqlx::{Any, Row, Transaction};

use crate::database::Database;
use crate::error::Result;
use crate::model::State;

/// One thing that happened to a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRow {
    /// Its number; 1 is the job's first.
    pub seq: i64,
    /// Its word: `step`.
    pub kind: String,
    /// Its data, as JSON.
    pub body: String,
}

/// How far a job has come, for those who watch it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Course {
    /// The number of its newest event.
    pub last_event: i64,
    /// The version of its live picture.
    pub picture: Option<i64>,
    /// Nothing more happens to it.
    pub is_final: bool,
}

impl Database {
    /// Events of a job after the one with that number, at most so many.
    pub async fn events_after(&self, job: &str, seq: i64, at_most: i64) -> Result<Vec<EventRow>> {
        let rows = sqlx::query("SELECT seq, kind, body FROM events WHERE job = $1 AND seq > $2 ORDER BY seq LIMIT $3")
            .bind(job)
            .bind(seq)
            .bind(at_most)
            .fetch_all(&self.pool)
            .await?;
        let event = |row: &sqlx::any::AnyRow| {
            Ok(EventRow { seq: row.try_get("seq")?, kind: row.try_get("kind")?, body: row.try_get("body")? })
        };
        rows.iter().map(event).collect()
    }

    /// How far a job has come; `None`: there is no such job.
    pub async fn course(&self, job: &str) -> Result<Option<Course>> {
        let row = sqlx::query("SELECT last_event, picture, state FROM jobs WHERE id = $1")
            .bind(job)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| {
            let state: String = row.try_get("state")?;
            let is_final = State::of_word(&state).is_some_and(State::is_final);
            Ok(Course { last_event: row.try_get("last_event")?, picture: row.try_get("picture")?, is_final })
        })
        .transpose()
    }

    /// Notes that somebody watches a job: its worker then shows how the picture grows.
    pub async fn note_watched(&self, job: &str) -> Result<()> {
        let sql = self.sql("UPDATE jobs SET watched = {now} WHERE id = $1");
        sqlx::query(sql).bind(job).execute(&self.pool).await?;
        Ok(())
    }
}

/// Adds events to a job whose `last_event` was raised by as many in this transaction, to `last`.
pub(super) async fn append(
    transaction: &mut Transaction<'_, Any>,
    job: &str,
    last: i64,
    events: &[(String, String)],
) -> Result<()> {
    let first = last - events.len() as i64 + 1;
    for (seq, (kind, body)) in (first..).zip(events) {
        sqlx::query("INSERT INTO events (job, seq, kind, body) VALUES ($1, $2, $3, $4)")
            .bind(job)
            .bind(seq)
            .bind(kind)
            .bind(body)
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}
