//! Jobs as workers see them: taking one, keeping it, and giving it back.

use std::time::Duration;

use impasto_job::job::Job;
use sqlx::Row;

use crate::database::jobs::Lane;
use crate::database::{Database, events, json};
use crate::error::{Error, Result};
use crate::model::{Adjustment, State, WorkerView};

/// A job stays a worker's for this long after its last word, if nobody says otherwise. Others take
/// it over then.
pub const LEASE: Duration = Duration::from_secs(15);

/// So many workers may vanish with a job, one after the other, without its coming further.
pub const STRIKES: i64 = 3;

/// Why a job is set aside.
const SET_ASIDE: &str = "three workers ended abruptly at this job, one after the other; it may need more memory than \
    there is, or one of its files may be harmful; try a smaller size";

/// A worker that has said nothing for this long is no longer listed.
const LISTED: Duration = Duration::from_secs(60);

/// The right of a worker to a job. Another worker's right to it has another number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The job.
    pub job: String,
    /// Which taking of it this is.
    pub number: i64,
    /// It lasts for this long after the worker's last word.
    pub length: Duration,
}

/// A job that a worker has taken.
#[derive(Clone, Debug)]
pub struct Taken {
    /// By which right.
    pub lease: Lease,
    /// What is asked for.
    pub job: Job,
    /// The number of its newest checkpoint in the store; `None`: it begins at its start.
    pub checkpoint: Option<i64>,
    /// Changes that were made before, or are asked for, in their order.
    pub adjustments: Vec<Adjustment>,
    /// Changes that are asked for.
    pub asked: Vec<Adjustment>,
    /// Somebody watches it.
    pub watched: bool,
}

/// What is asked of a worker about its job.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asked {
    /// Stop, and keep what is there.
    pub pause: bool,
    /// Stop, and forget it.
    pub cancel: bool,
    /// Another worker has it, or it is gone.
    pub lost: bool,
    /// Go on with other weights.
    pub adjustments: Vec<Adjustment>,
    /// Somebody watches how the picture grows.
    pub watched: bool,
}

/// What a worker tells of its job while it goes on.
#[derive(Clone, Debug, Default)]
pub struct News {
    /// Grows with every news under a lease, from 1. The same news may be sent again.
    pub batch: i64,
    /// Events, each with its word and its data as JSON.
    pub events: Vec<(String, String)>,
    /// The last step, as JSON.
    pub progress: Option<String>,
    /// What the run takes, as JSON.
    pub plan: Option<String>,
    /// Steps done.
    pub steps: i64,
    /// The version of the live picture.
    pub picture: Option<i64>,
    /// A change that was made.
    pub adjusted: Vec<Adjustment>,
}

/// How a worker leaves a job.
#[derive(Clone, Debug)]
pub enum Left {
    /// Its picture is made, and is in the store under that name.
    Done {
        /// The name of the result in the store.
        result: String,
        /// The report, as JSON.
        report: String,
    },
    /// It cannot be made.
    Failed(String),
    /// Somebody asked for its end.
    Cancelled,
    /// It was asked to stop, or the worker ends. Another one goes on, now or when it is resumed.
    Stopped,
}

fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

impl Database {
    /// Takes the next job of a lane for that long; `None`: there is none.
    pub async fn take_job(&self, lane: Lane, worker: &str, length: Duration) -> Result<Option<Taken>> {
        self.expire(lane).await?;
        let sql = self.sql(
            "UPDATE jobs SET state = 'running', worker = $1, lease = lease + 1, batch = 0, lease_until = {now} + $2, \
             strikes = strikes + 1, started = COALESCE(started, {now}) WHERE id = (SELECT id FROM jobs \
             WHERE lane = $3 AND deleted IS NULL \
             AND (state = 'queued' OR (state = 'running' AND lease_until < {now})) \
             ORDER BY priority DESC, number LIMIT 1 {skip_locked}) \
             RETURNING id, job, lease, checkpoint, adjustments, asked, \
             CASE WHEN watched > {now} - 10000 THEN 1 ELSE 0 END AS is_watched",
        );
        let row = sqlx::query(sql)
            .bind(worker)
            .bind(milliseconds(length))
            .bind(lane.word())
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let lease = Lease { job: row.try_get("id")?, number: row.try_get("lease")?, length };
        let text: String = row.try_get("job")?;
        let job = match Job::from_json(&text) {
            Ok(job) => job,
            Err(error) => {
                self.leave_job(&lease, &Left::Failed(format!("the job cannot be read: {error}"))).await?;
                return Ok(None);
            }
        };
        let checkpoint: i64 = row.try_get("checkpoint")?;
        let watched: i64 = row.try_get("is_watched")?;
        Ok(Some(Taken {
            lease,
            job,
            checkpoint: (checkpoint > 0).then_some(checkpoint),
            adjustments: json(&row, "adjustments")?.unwrap_or_default(),
            asked: json(&row, "asked")?.unwrap_or_default(),
            watched: watched != 0,
        }))
    }

    /// Puts in order the jobs whose workers have vanished: one that too many have vanished with is
    /// set aside, and one that was to be paused or cancelled is.
    pub async fn expire(&self, lane: Lane) -> Result<()> {
        let gone = "state = 'running' AND lane = $1 AND lease_until < {now}";
        let sql = self.sql(&format!("SELECT id FROM jobs WHERE {gone} LIMIT 1"));
        if sqlx::query(sql).bind(lane.word()).fetch_optional(&self.pool).await?.is_none() {
            return Ok(());
        }
        let ends = [
            (State::Cancelled, "(wanted = 'cancel' OR deleted IS NOT NULL)", 0, None),
            (State::Paused, "wanted = 'pause'", 0, None),
            (State::SetAside, "wanted IS NULL", STRIKES, Some(SET_ASIDE)),
        ];
        for (state, condition, strikes, error) in ends {
            let sql = self.sql(&format!(
                "UPDATE jobs SET state = $2, error = $3, wanted = NULL, lease = lease + 1, last_event = last_event + 1, \
                 ended = CASE WHEN $2 = 'paused' THEN NULL ELSE {{now}} END \
                 WHERE {gone} AND {condition} AND strikes >= $4 RETURNING id, last_event"
            ));
            let mut transaction = self.pool.begin().await?;
            let ended = sqlx::query(sql).bind(lane.word()).bind(state.word()).bind(error).bind(strikes);
            for row in ended.fetch_all(&mut *transaction).await? {
                let (id, last): (String, i64) = (row.try_get("id")?, row.try_get("last_event")?);
                let body = serde_json::json!({ "message": error }).to_string();
                events::append(&mut transaction, &id, last, &[(state.word().to_owned(), body)]).await?;
            }
            transaction.commit().await?;
        }
        self.news.ring();
        Ok(())
    }

    /// Takes back all leases. Only for the process that alone works with the database: whoever had
    /// them is gone.
    pub async fn end_all_leases(&self) -> Result<()> {
        sqlx::query("UPDATE jobs SET lease_until = 0 WHERE state = 'running'").execute(&self.pool).await?;
        Ok(())
    }

    /// Keeps a job for longer. Returns `false` if it is no longer the worker's.
    pub async fn renew(&self, lease: &Lease) -> Result<bool> {
        let sql =
            self.sql("UPDATE jobs SET lease_until = {now} + $1 WHERE id = $2 AND lease = $3 AND state = 'running'");
        let renewed = sqlx::query(sql)
            .bind(milliseconds(lease.length))
            .bind(&lease.job)
            .bind(lease.number)
            .execute(&self.pool)
            .await?;
        Ok(renewed.rows_affected() > 0)
    }

    /// What is asked of the worker that has a job.
    pub async fn asked(&self, lease: &Lease) -> Result<Asked> {
        let sql = self.sql(
            "SELECT wanted, asked, deleted, CASE WHEN watched > {now} - 10000 THEN 1 ELSE 0 END AS is_watched FROM jobs \
             WHERE id = $1 AND lease = $2 AND state = 'running'",
        );
        let row = sqlx::query(sql).bind(&lease.job).bind(lease.number).fetch_optional(&self.pool).await?;
        let Some(row) = row else {
            return Ok(Asked { lost: true, ..Asked::default() });
        };
        let wanted: Option<String> = row.try_get("wanted")?;
        let deleted: Option<i64> = row.try_get("deleted")?;
        let watched: i64 = row.try_get("is_watched")?;
        Ok(Asked {
            pause: wanted.as_deref() == Some("pause"),
            cancel: wanted.as_deref() == Some("cancel") || deleted.is_some(),
            lost: false,
            adjustments: json(&row, "asked")?.unwrap_or_default(),
            watched: watched != 0,
        })
    }

    /// Notes what a worker tells of its job, once, however often it is sent: a database can die
    /// between a change and its answer. Returns `false` if it is no longer its job.
    pub async fn note_news(&self, lease: &Lease, news: &News) -> Result<bool> {
        let mut transaction = self.pool.begin().await?;
        let sql = self.sql(
            "UPDATE jobs SET last_event = last_event + $1, progress = COALESCE($2, progress), \
             plan = COALESCE($3, plan), picture = COALESCE($4, picture), \
             strikes = CASE WHEN $5 > furthest THEN 0 ELSE strikes END, \
             furthest = CASE WHEN $5 > furthest THEN $5 ELSE furthest END, \
             batch = $8 WHERE id = $6 AND lease = $7 AND state = 'running' AND batch < $8 \
             RETURNING last_event, adjustments, asked",
        );
        let row = sqlx::query(sql)
            .bind(i64::try_from(news.events.len()).unwrap_or(i64::MAX))
            .bind(&news.progress)
            .bind(&news.plan)
            .bind(news.picture)
            .bind(news.steps)
            .bind(&lease.job)
            .bind(lease.number)
            .bind(news.batch)
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(row) = row else {
            let known = sqlx::query("SELECT batch FROM jobs WHERE id = $1 AND lease = $2 AND state = 'running'")
                .bind(&lease.job)
                .bind(lease.number)
                .fetch_optional(&mut *transaction)
                .await?;
            return Ok(known.is_some());
        };
        events::append(&mut transaction, &lease.job, row.try_get("last_event")?, &news.events).await?;
        if !news.adjusted.is_empty() {
            let mut made: Vec<Adjustment> = json(&row, "adjustments")?.unwrap_or_default();
            let mut asked: Vec<Adjustment> = json(&row, "asked")?.unwrap_or_default();
            for adjustment in &news.adjusted {
                // A run that began again at a checkpoint may come to an earlier step.
                made.retain(|other| other.step <= adjustment.step);
                made.push(*adjustment);
            }
            asked.drain(..news.adjusted.len().min(asked.len()));
            let text = |list: &[Adjustment]| serde_json::to_string(list).map_err(|error| Error::new(error.to_string()));
            sqlx::query("UPDATE jobs SET adjustments = $1, asked = $2 WHERE id = $3")
                .bind(text(&made)?)
                .bind(text(&asked)?)
                .bind(&lease.job)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        self.news.ring();
        Ok(true)
    }

    /// Notes that a checkpoint is in the store. Returns the number of the one before, which is to
    /// be removed there; `None`: the job is another worker's now.
    pub async fn note_checkpoint(&self, lease: &Lease, number: i64) -> Result<Option<i64>> {
        let mut transaction = self.pool.begin().await?;
        let before = sqlx::query(
            "UPDATE jobs SET state = state WHERE id = $1 AND lease = $2 AND state = 'running' RETURNING checkpoint",
        )
        .bind(&lease.job)
        .bind(lease.number)
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(before) = before else {
            return Ok(None);
        };
        sqlx::query("UPDATE jobs SET checkpoint = $1 WHERE id = $2")
            .bind(number)
            .bind(&lease.job)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(Some(before.try_get("checkpoint")?))
    }

    /// Ends a worker's right to a job, and says how the job stands from now on. One that goes on later
    /// stands where it was asked to last. Returns `false` if it was no longer the worker's.
    pub async fn leave_job(&self, lease: &Lease, left: &Left) -> Result<bool> {
        let mut transaction = self.pool.begin().await?;
        // A change that changes nothing keeps the row as it is until the end of this transaction.
        let asked = sqlx::query(
            "UPDATE jobs SET state = state WHERE id = $1 AND lease = $2 AND state = 'running' RETURNING wanted, deleted",
        )
        .bind(&lease.job)
        .bind(lease.number)
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(asked) = asked else {
            return Ok(false);
        };
        let (wanted, deleted): (Option<String>, Option<i64>) = (asked.try_get("wanted")?, asked.try_get("deleted")?);
        let (state, message, result, report) = match left {
            Left::Done { result, report } => (State::Done, None, Some(result), Some(report)),
            Left::Failed(message) => (State::Failed, Some(message), None, None),
            Left::Cancelled => (State::Cancelled, None, None, None),
            Left::Stopped => match wanted.as_deref() {
                _ if deleted.is_some() => (State::Cancelled, None, None, None),
                Some("cancel") => (State::Cancelled, None, None, None),
                Some("pause") => (State::Paused, None, None, None),
                _ => (State::Queued, None, None, None),
            },
        };
        let sql = self.sql(
            "UPDATE jobs SET state = $1, wanted = NULL, error = $2, result = $3, report = $4, strikes = 0, \
             picture = CASE WHEN $5 = 1 THEN NULL ELSE picture END, lease_until = 0, last_event = last_event + 1, \
             ended = CASE WHEN $5 = 1 THEN {now} ELSE NULL END WHERE id = $6 RETURNING last_event",
        );
        let row = sqlx::query(sql)
            .bind(state.word())
            .bind(message)
            .bind(result)
            .bind(report)
            .bind(i64::from(state.is_final()))
            .bind(&lease.job)
            .fetch_one(&mut *transaction)
            .await?;
        let event = (state.word().to_owned(), serde_json::json!({ "message": message }).to_string());
        events::append(&mut transaction, &lease.job, row.try_get("last_event")?, &[event]).await?;
        transaction.commit().await?;
        self.news.ring();
        self.work.ring();
        Ok(true)
    }

    /// The name of a job's result in the store.
    pub async fn result_of(&self, id: &str) -> Result<Option<String>> {
        let row = sqlx::query("SELECT result FROM jobs WHERE id = $1").bind(id).fetch_optional(&self.pool).await?;
        Ok(row.map(|row| row.try_get("result")).transpose()?.flatten())
    }

    /// A worker says that it is there.
    pub async fn note_worker(&self, name: &str, device: &str, job: Option<&str>) -> Result<()> {
        let sql = self.sql(
            "INSERT INTO workers (name, device, job, seen) VALUES ($1, $2, $3, {now}) ON CONFLICT (name) DO UPDATE SET \
             device = excluded.device, job = excluded.job, seen = excluded.seen",
        );
        sqlx::query(sql).bind(name).bind(device).bind(job).execute(&self.pool).await?;
        Ok(())
    }

    /// A worker ends.
    pub async fn forget_worker(&self, name: &str) -> Result<()> {
        sqlx::query("DELETE FROM workers WHERE name = $1").bind(name).execute(&self.pool).await?;
        Ok(())
    }

    /// The workers that are there.
    pub async fn workers(&self) -> Result<Vec<WorkerView>> {
        let sql = self.sql("SELECT name, device, job, seen FROM workers WHERE seen > {now} - $1 ORDER BY name");
        let rows = sqlx::query(sql).bind(milliseconds(LISTED)).fetch_all(&self.pool).await?;
        let worker = |row: &sqlx::any::AnyRow| {
            let job: Option<String> = row.try_get("job")?;
            let state = if job.is_some() { "working" } else { "idle" }.to_owned();
            let (name, device, seen) = (row.try_get("name")?, row.try_get("device")?, row.try_get("seen")?);
            Ok(WorkerView { name, device, state, job, seen })
        };
        rows.iter().map(worker).collect()
    }
}

impl News {
    /// Whether there is nothing to note.
    pub fn is_empty(&self) -> bool {
        let News { batch: _, events, progress, plan, steps: _, picture, adjusted } = self;
        events.is_empty() && progress.is_none() && plan.is_none() && picture.is_none() && adjusted.is_empty()
    }
}
