//! Jobs as people ask for them: creating, finding, changing and removing them.

use impasto_job::job::Job;
use sqlx::any::AnyRow;
use sqlx::{Any, Row, Transaction};

use crate::database::{Database, events, json};
use crate::error::{Error, Result};
use crate::model::{Adjustment, JobList, JobView, State};

/// A deleted job can be restored for this long, in milliseconds.
pub const RESTORABLE: i64 = 10 * 60 * 1000;

/// Which worker's lane a job goes to. A worker has one of each, so a preview does not wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Pictures that were asked for, one after the other.
    Pictures,
    /// Small previews of what a picture will be.
    Previews,
}

impl Lane {
    /// Its word in the database.
    pub fn word(self) -> &'static str {
        match self {
            Lane::Pictures => "picture",
            Lane::Previews => "preview",
        }
    }
}

/// A job that is to be created.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// What is asked for.
    pub job: Job,
    /// What went in, for people.
    pub title: String,
    /// Where it goes.
    pub lane: Lane,
    /// The jobs that it belongs to.
    pub group: Option<String>,
    /// Jobs with a larger one go first.
    pub priority: i64,
    /// Asking twice with the same key creates one job.
    pub idempotency_key: Option<String>,
    /// The request, to be compared if its key comes again.
    pub request: String,
}

/// What came of creating a job.
#[derive(Debug)]
pub enum Created {
    /// It is new.
    New(JobView),
    /// The same request came before, and this is its job.
    Before(JobView),
    /// The key came before, with another request.
    OtherRequest,
    /// The same request came before, and its job was deleted.
    Deleted,
}

/// What came of an idempotency key before.
#[derive(Debug)]
pub enum Known {
    /// Nothing: it is new.
    New,
    /// The same request, and this is its job.
    Job(Box<JobView>),
    /// Another request.
    OtherRequest,
    /// The same request, and its job was deleted.
    Deleted,
}

/// Which jobs are looked for.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Part of the title, in capital letters or not.
    pub text: Option<String>,
    /// Only favourites.
    pub favourite: bool,
    /// Only those that stand there.
    pub state: Option<State>,
    /// Those of a group; `None`: those of none.
    pub group: Option<String>,
    /// Only those with a smaller number.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: i64,
}

/// What can be asked of a job.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Control {
    /// Stop after this step, and keep what is there.
    Pause,
    /// Go on.
    Resume,
    /// End without a picture.
    Cancel,
    /// Go on with other weights.
    Adjust(Adjustment),
}

/// What came of a control.
#[derive(Debug)]
pub enum Controlled {
    /// It is done, or will be after the current step.
    Yes(Box<JobView>),
    /// The job stands where that cannot be done.
    NotIn(State),
    /// There is no such job.
    Unknown,
}

/// A job as the API shows it. Columns of the row: those of `jobs`, and `ahead`.
fn view(row: &AnyRow) -> Result<JobView> {
    let job: String = row.try_get("job")?;
    // One that another version has written must not hide all others.
    let (job, unreadable) = match Job::from_json(&job) {
        Ok(job) => (job, None),
        Err(error) => (Job::default(), Some(format!("this version cannot read the job: {error}"))),
    };
    let state: String = row.try_get("state")?;
    let state = State::of_word(&state).ok_or_else(|| Error::new(format!("a job in the database is {state:?}")))?;
    let plan: Option<serde_json::Value> = json(row, "plan")?;
    let size = plan.as_ref().and_then(|plan| serde_json::from_value(plan["size"].clone()).ok());
    let lane: String = row.try_get("lane")?;
    let favourite: i64 = row.try_get("favourite")?;
    Ok(JobView {
        id: row.try_get("id")?,
        number: row.try_get("number")?,
        state,
        wanted: row.try_get("wanted")?,
        title: row.try_get("title")?,
        preview: lane == Lane::Previews.word(),
        group: row.try_get("jobs_group")?,
        favourite: favourite != 0,
        priority: row.try_get("priority")?,
        created: row.try_get("created")?,
        started: row.try_get("started")?,
        ended: row.try_get("ended")?,
        ahead: row.try_get("ahead")?,
        job,
        size,
        plan,
        progress: json(row, "progress")?,
        report: json(row, "report")?,
        error: unreadable.or(row.try_get("error")?),
        picture: row.try_get("picture")?,
        adjustments: json(row, "adjustments")?.unwrap_or_default(),
        worker: row.try_get("worker")?,
    })
}

/// The columns of [`view`].
const VIEW: &str = "SELECT jobs.*, CASE WHEN jobs.state = 'queued' THEN (SELECT COUNT(*) FROM jobs AS other \
    WHERE other.lane = jobs.lane AND other.deleted IS NULL AND other.state IN ('queued', 'running') \
    AND (other.state = 'running' OR other.priority > jobs.priority \
    OR (other.priority = jobs.priority AND other.number < jobs.number))) ELSE 0 END AS ahead FROM jobs ";

impl Database {
    /// Puts a job into the queue, unless the same was asked for before.
    pub async fn create_job(&self, new: &NewJob) -> Result<Created> {
        let id = uuid::Uuid::now_v7().simple().to_string();
        let mut transaction = self.pool.begin().await?;
        // Whoever changes the counter goes first: others with the same key wait here.
        let number: i64 = sqlx::query("UPDATE counters SET value = value + 1 WHERE name = 'jobs' RETURNING value")
            .fetch_one(&mut *transaction)
            .await?
            .try_get("value")?;
        if let Some(key) = &new.idempotency_key {
            let known = sqlx::query("SELECT id, request FROM jobs WHERE idempotency_key = $1")
                .bind(key)
                .fetch_optional(&mut *transaction)
                .await?;
            if let Some(row) = known {
                let (id, request): (String, String) = (row.try_get("id")?, row.try_get("request")?);
                transaction.rollback().await?;
                if request != new.request {
                    return Ok(Created::OtherRequest);
                }
                return Ok(self.job(&id).await?.map_or(Created::Deleted, Created::Before));
            }
        }
        let sql = self.sql(
            "INSERT INTO jobs (id, number, job, title, lane, jobs_group, priority, state, idempotency_key, request, \
             title_lower, created) VALUES ($1, $2, $3, $4, $5, $6, $7, 'queued', $8, $9, $10, {now})",
        );
        sqlx::query(sql)
            .bind(&id)
            .bind(number)
            .bind(new.job.to_json())
            .bind(&new.title)
            .bind(new.lane.word())
            .bind(&new.group)
            .bind(new.priority)
            .bind(&new.idempotency_key)
            .bind(&new.request)
            // SQLite makes small letters of Latin ones only.
            .bind(new.title.to_lowercase())
            .execute(&mut *transaction)
            .await?;
        tell(&mut transaction, &id, "queued", "{}").await?;
        transaction.commit().await?;
        self.work.ring();
        Ok(self.job(&id).await?.map_or(Created::Deleted, Created::New))
    }

    /// What came of an idempotency key before.
    pub async fn known_key(&self, key: &str, request: &str) -> Result<Known> {
        let row = sqlx::query("SELECT id, request FROM jobs WHERE idempotency_key = $1")
            .bind(key)
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else {
            return Ok(Known::New);
        };
        let (id, before): (String, String) = (row.try_get("id")?, row.try_get("request")?);
        if before != request {
            return Ok(Known::OtherRequest);
        }
        Ok(self.job(&id).await?.map_or(Known::Deleted, |job| Known::Job(Box::new(job))))
    }

    /// A job that is not deleted.
    pub async fn job(&self, id: &str) -> Result<Option<JobView>> {
        let sql = self.sql(&format!("{VIEW} WHERE jobs.id = $1 AND jobs.deleted IS NULL"));
        let row = sqlx::query(sql).bind(id).fetch_optional(&self.pool).await?;
        row.as_ref().map(view).transpose()
    }

    /// Jobs, newest first. Previews are none of them.
    pub async fn jobs(&self, search: &Search) -> Result<JobList> {
        let Search { text, favourite, state, group, before, limit } = search;
        let sql = self.sql(&format!(
            "{VIEW} WHERE jobs.deleted IS NULL AND jobs.lane = 'picture' \
             AND (jobs.jobs_group = $1 OR ($1 IS NULL AND jobs.jobs_group IS NULL)) \
             AND jobs.title_lower LIKE $2 ESCAPE '!' AND jobs.favourite >= $3 AND jobs.number < $4 \
             AND (jobs.state = $5 OR $5 = '') ORDER BY jobs.number DESC LIMIT $6"
        ));
        let pattern = text.as_deref().unwrap_or_default().to_lowercase();
        let pattern = pattern.replace('!', "!!").replace('%', "!%").replace('_', "!_");
        let rows = sqlx::query(sql)
            .bind(group)
            .bind(format!("%{pattern}%"))
            .bind(i64::from(*favourite))
            .bind(before.unwrap_or(i64::MAX))
            .bind(state.map_or("", State::word))
            .bind(limit + 1)
            .fetch_all(&self.pool)
            .await?;
        let mut jobs = rows.iter().map(view).collect::<Result<Vec<JobView>>>()?;
        let has_more = jobs.len() as i64 > *limit;
        jobs.truncate(usize::try_from(*limit).unwrap_or(0));
        let next = jobs.last().map(|job| job.number).filter(|_| has_more);
        Ok(JobList { jobs, next })
    }

    /// How many jobs there are in each state.
    pub async fn jobs_by_state(&self) -> Result<Vec<(State, i64)>> {
        let rows = sqlx::query("SELECT state, COUNT(*) AS number FROM jobs WHERE deleted IS NULL GROUP BY state")
            .fetch_all(&self.pool)
            .await?;
        let counted = rows.iter().map(|row| {
            let state: String = row.try_get("state")?;
            Ok(State::of_word(&state).map(|state| row.try_get("number").map(|number| (state, number))).transpose()?)
        });
        Ok(counted.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
    }

    /// Marks a job as a favourite, or as none.
    pub async fn set_favourite(&self, id: &str, favourite: bool) -> Result<Option<JobView>> {
        sqlx::query("UPDATE jobs SET favourite = $1 WHERE id = $2 AND deleted IS NULL")
            .bind(i64::from(favourite))
            .bind(id)
            .execute(&self.pool)
            .await?;
        self.job(id).await
    }

    /// Deletes a job, and ends it first if it runs. Returns whether there was one.
    pub async fn delete_job(&self, id: &str) -> Result<bool> {
        self.control(id, Control::Cancel).await?;
        let sql = self.sql("UPDATE jobs SET deleted = {now} WHERE id = $1 AND deleted IS NULL");
        let deleted = sqlx::query(sql).bind(id).execute(&self.pool).await?.rows_affected() > 0;
        self.asks.ring();
        Ok(deleted)
    }

    /// Takes back that a job was deleted; `None`: it was not, or it is gone.
    pub async fn restore_job(&self, id: &str) -> Result<Option<JobView>> {
        sqlx::query("UPDATE jobs SET deleted = NULL WHERE id = $1 AND deleted IS NOT NULL")
            .bind(id)
            .execute(&self.pool)
            .await?;
        self.job(id).await
    }

    /// Jobs that nobody can restore any more, and old previews.
    pub async fn forgettable_jobs(&self) -> Result<Vec<String>> {
        let sql = self.sql(
            "SELECT id FROM jobs WHERE state <> 'running' AND (deleted < {now} - $1 \
             OR (lane = 'preview' AND state <> 'queued' AND created < {now} - $1)) LIMIT 100",
        );
        let rows = sqlx::query(sql).bind(RESTORABLE).fetch_all(&self.pool).await?;
        rows.iter().map(|row| Ok(row.try_get("id")?)).collect()
    }

    /// Removes the rows of a job whose files are removed.
    pub async fn forget_job(&self, id: &str) -> Result<()> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query("DELETE FROM events WHERE job = $1").bind(id).execute(&mut *transaction).await?;
        sqlx::query("DELETE FROM jobs WHERE id = $1").bind(id).execute(&mut *transaction).await?;
        Ok(transaction.commit().await?)
    }

    /// Jobs that have ended and may still have checkpoints in the store.
    pub async fn ended_with_checkpoints(&self) -> Result<Vec<String>> {
        let rows = sqlx::query(
            "SELECT id FROM jobs WHERE checkpoint > 0 AND state IN ('done', 'cancelled', 'set-aside', 'failed') LIMIT 100",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| Ok(row.try_get("id")?)).collect()
    }

    /// Notes that a job that has ended has no checkpoints any more.
    pub async fn forget_checkpoints(&self, id: &str) -> Result<()> {
        sqlx::query("UPDATE jobs SET checkpoint = 0 WHERE id = $1").bind(id).execute(&self.pool).await?;
        Ok(())
    }

    /// Pauses, resumes, cancels or adjusts a job. If a worker is at it, it answers after its step.
    pub async fn control(&self, id: &str, control: Control) -> Result<Controlled> {
        let mut transaction = self.pool.begin().await?;
        // A change that changes nothing keeps the row as it is until the end of this transaction.
        let row = sqlx::query("UPDATE jobs SET state = state WHERE id = $1 AND deleted IS NULL RETURNING state, asked")
            .bind(id)
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(row) = row else {
            return Ok(Controlled::Unknown);
        };
        let word: String = row.try_get("state")?;
        let state = State::of_word(&word).ok_or_else(|| Error::new(format!("a job in the database is {word:?}")))?;
        match (control, state) {
            (Control::Pause, State::Queued) => {
                self.set_state(&mut transaction, id, State::Paused, "paused").await?;
            }
            (Control::Pause, State::Running) => want(&mut transaction, id, Some("pause")).await?,
            (Control::Resume, State::Paused) => {
                self.set_state(&mut transaction, id, State::Queued, "resumed").await?;
            }
            // Taken back before the worker has done it.
            (Control::Resume, State::Running) => want(&mut transaction, id, None).await?,
            (Control::Cancel, State::Queued | State::Paused) => {
                self.set_state(&mut transaction, id, State::Cancelled, "cancelled").await?;
            }
            (Control::Cancel, State::Running) => want(&mut transaction, id, Some("cancel")).await?,
            (Control::Adjust(adjustment), State::Running | State::Paused | State::Queued) => {
                let mut asked: Vec<Adjustment> = json(&row, "asked")?.unwrap_or_default();
                asked.push(adjustment);
                sqlx::query("UPDATE jobs SET asked = $1 WHERE id = $2")
                    .bind(serde_json::to_string(&asked).map_err(|error| Error::new(error.to_string()))?)
                    .bind(id)
                    .execute(&mut *transaction)
                    .await?;
            }
            _ => return Ok(Controlled::NotIn(state)),
        }
        transaction.commit().await?;
        self.work.ring();
        self.news.ring();
        self.asks.ring();
        match self.job(id).await? {
            Some(job) => Ok(Controlled::Yes(Box::new(job))),
            None => Ok(Controlled::Unknown),
        }
    }

    /// Moves a job that no worker is at, and tells of it.
    async fn set_state(
        &self,
        transaction: &mut Transaction<'_, Any>,
        id: &str,
        state: State,
        event: &str,
    ) -> Result<()> {
        let sql = self.sql(
            "UPDATE jobs SET state = $1, wanted = NULL, strikes = 0, \
             ended = CASE WHEN $2 = 1 THEN {now} ELSE ended END WHERE id = $3",
        );
        sqlx::query(sql)
            .bind(state.word())
            .bind(i64::from(state.is_final()))
            .bind(id)
            .execute(&mut **transaction)
            .await?;
        tell(transaction, id, event, "{}").await
    }
}

async fn want(transaction: &mut Transaction<'_, Any>, id: &str, wanted: Option<&str>) -> Result<()> {
    sqlx::query("UPDATE jobs SET wanted = $1 WHERE id = $2").bind(wanted).bind(id).execute(&mut **transaction).await?;
    Ok(())
}

/// Adds one event to a job.
async fn tell(transaction: &mut Transaction<'_, Any>, id: &str, kind: &str, body: &str) -> Result<()> {
    let last: i64 = sqlx::query("UPDATE jobs SET last_event = last_event + 1 WHERE id = $1 RETURNING last_event")
        .bind(id)
        .fetch_one(&mut **transaction)
        .await?
        .try_get("last_event")?;
    events::append(transaction, id, last, &[(kind.to_owned(), body.to_owned())]).await
}
