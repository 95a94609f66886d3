//! The tables, and how they came to be what they are.

use std::time::Duration;

use sqlx::AnyPool;
use sqlx::migrate::{Migration, MigrationType, Migrator};

use crate::error::{Error, Result};

/// All migrations in their order. One that has been released never changes.
const ALL: [(i64, &str, &str); 1] = [(1, "jobs, events, files, workers", include_str!("migrations/1.sql"))];

/// Brings the tables up to date.
pub(super) async fn run(pool: &AnyPool) -> Result<()> {
    let migrations = ALL.map(|(version, description, sql)| {
        Migration::new(version, description.into(), MigrationType::Simple, sqlx::SqlSafeStr::into_sql_str(sql), false)
    });
    let migrator = Migrator::with_migrations(migrations.to_vec());
    let mut run = migrator.run(pool).await;
    if run.is_err() {
        // With SQLite another process may be at it: its tables are there now.
        tokio::time::sleep(Duration::from_millis(500)).await;
        run = migrator.run(pool).await;
    }
    run.map_err(|error| {
        Error::new(format!("cannot bring the database up to date: {error}; was it used by a newer impasto?"))
    })
}
