//! Jobs, their events and the uploaded files, in SQLite or PostgreSQL.
//!
//! A row of `jobs` is a job and its place in the queue at once, so the two cannot disagree. A
//! worker that takes a job has a lease on it: a number that grows with every taking, and a time at
//! which it ends unless the worker renews it. Everything that a worker writes about a job carries
//! the number, and is refused if another worker has taken the job since. So a job is made once,
//! whatever ends or comes back in between.
//!
//! Times are milliseconds since 1970 by the database's clock: the clocks of many machines differ.

pub mod events;
pub mod files;
pub mod jobs;
mod migrations;
pub mod queue;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::any::{AnyPoolOptions, AnyRow, install_default_drivers};
use sqlx::{AnyPool, AssertSqlSafe, Executor, Row};
use tokio::sync::watch;

use crate::error::{Error, Result};

/// Longest wait for a connection. A database that is being restarted is back sooner.
const CONNECT: Duration = Duration::from_secs(10);

/// How much SQL differs between the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// The time, in milliseconds.
    fn now(self) -> &'static str {
        match self {
            Dialect::Sqlite => "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
            Dialect::Postgres => "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
        }
    }

    /// Ends the selection of a row that is changed at once, past rows that others are changing.
    fn skip_locked(self) -> &'static str {
        match self {
            // SQLite has one writer at a time.
            Dialect::Sqlite => "",
            Dialect::Postgres => "FOR UPDATE SKIP LOCKED",
        }
    }
}

/// A database of the studio. Clones share it.
#[derive(Clone)]
pub struct Database {
    pool: AnyPool,
    dialect: Dialect,
    /// Rings in this process when there may be work. Other processes look from time to time.
    work: Bell,
    /// Rings in this process when something has happened to a job.
    news: Bell,
    /// Rings in this process when something is asked of a job.
    asks: Bell,
}

/// Wakes those who listen in this process.
#[derive(Clone)]
pub struct Bell(Arc<watch::Sender<()>>);

/// Hears a [`Bell`], even if it rang between two waits.
pub struct Listener(watch::Receiver<()>);

impl Bell {
    fn new() -> Bell {
        Bell(Arc::new(watch::Sender::new(())))
    }

    fn ring(&self) {
        self.0.send_replace(());
    }

    fn listener(&self) -> Listener {
        Listener(self.0.subscribe())
    }
}

impl Listener {
    /// Waits until the bell has rung since the last wait, at most that long.
    pub async fn wait(&mut self, at_most: Duration) {
        drop(tokio::time::timeout(at_most, self.0.changed()).await);
    }
}

impl Database {
    /// Opens a database, `postgres://...` or `sqlite://...`, and brings its tables up to date.
    ///
    /// Errors: an address of another kind; a database that does not answer or refuses.
    pub async fn open(address: &str) -> Result<Database> {
        install_default_drivers();
        let dialect = match address.split_once(':') {
            Some(("sqlite", _)) => Dialect::Sqlite,
            Some(("postgres" | "postgresql", _)) => Dialect::Postgres,
            _ => {
                return Err(Error::new(
                    "the database is neither postgres:// nor sqlite://; give one of these, as in \
                     postgres://user:password@host/impasto",
                ));
            }
        };
        let options = AnyPoolOptions::new().acquire_timeout(CONNECT).max_connections(match dialect {
            // More would only wait for each other.
            Dialect::Sqlite => 4,
            Dialect::Postgres => 8,
        });
        let options = options.after_connect(move |connection, _| {
            Box::pin(async move {
                if dialect == Dialect::Sqlite {
                    // With a log beside it, readers and the writer do not wait for each other. What
                    // is committed survives a kill and a power cut.
                    connection.execute("PRAGMA journal_mode = WAL").await?;
                    connection.execute("PRAGMA synchronous = FULL").await?;
                    connection.execute("PRAGMA busy_timeout = 10000").await?;
                }
                Ok(())
            })
        });
        let pool = options.connect(address).await.map_err(|error| {
            Error::new(format!(
                "cannot open the database {}: {error}; check the address, and whether it runs",
                without_password(address)
            ))
        })?;
        migrations::run(&pool).await?;
        Ok(Database { pool, dialect, work: Bell::new(), news: Bell::new(), asks: Bell::new() })
    }

    /// Opens the SQLite database in a file, which is made if it is not there.
    pub async fn open_file(path: &Path) -> Result<Database> {
        Database::open(&sqlite_address(path)?).await
    }

    /// SQL with `{now}` and `{skip_locked}` in the words of this database.
    fn sql(&self, template: &str) -> AssertSqlSafe<String> {
        // Templates are constants of this crate; values are bound and never written into them.
        AssertSqlSafe(
            template.replace("{now}", self.dialect.now()).replace("{skip_locked}", self.dialect.skip_locked()),
        )
    }

    /// The time, in milliseconds since 1970.
    pub async fn now(&self) -> Result<i64> {
        let row = sqlx::query(self.sql("SELECT {now} AS now")).fetch_one(&self.pool).await?;
        Ok(row.try_get("now")?)
    }

    /// Hears when there may be work.
    pub fn work(&self) -> Listener {
        self.work.listener()
    }

    /// Hears when something is asked of a job.
    pub fn asks(&self) -> Listener {
        self.asks.listener()
    }

    /// Hears when something has happened to a job.
    pub fn news(&self) -> Listener {
        self.news.listener()
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// The address of a file of SQLite.
fn sqlite_address(path: &Path) -> Result<String> {
    let text = path.to_str().filter(|text| !text.contains(['?', '#', '%']));
    match text {
        Some(text) => Ok(format!("sqlite://{text}?mode=rwc")),
        None => Err(Error::new(format!(
            "the folder of {} has a name that a database cannot have; choose another with --data",
            path.display()
        ))),
    }
}

/// An address as it may stand in a message.
fn without_password(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else {
        return address.to_owned();
    };
    match rest.split_once('@') {
        Some((user, host)) => format!("{scheme}://{}:...@{host}", user.split(':').next().unwrap_or_default()),
        None => address.to_owned(),
    }
}

/// A column that holds JSON, or nothing.
fn json<T: serde::de::DeserializeOwned>(row: &AnyRow, column: &str) -> Result<Option<T>> {
    let text: Option<String> = row.try_get(column)?;
    text.map(|text| serde_json::from_str(&text)).transpose().map_err(|error| {
        Error::new(format!("the database holds something in `{column}` that this version cannot read: {error}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_no_passwords() {
        assert_eq!(without_password("postgres://me:secret@host/db"), "postgres://me:...@host/db");
        assert_eq!(without_password("sqlite:///tmp/a.db"), "sqlite:///tmp/a.db");
    }

    #[tokio::test]
    async fn other_databases_are_refused_in_words() {
        let error = Database::open("mysql://host/db").await.err().map(|error| error.to_string());
        assert!(error.is_some_and(|text| text.contains("postgres://user:password@host/impasto")));
    }
}
