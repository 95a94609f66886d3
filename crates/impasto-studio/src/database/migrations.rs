//! The tables, and how they came to be what they are.

use sqlx::AnyPool;
use sqlx::migrate::{Migration, MigrationType, Migrator};

use crate::error::{Error, Result};

/// All migrations in their order. One that has been released never changes.
const ALL: [(i64, &str, &str); 1] = [(1, "jobs, events, files, workers", include_str!("migrations/1.sql"))];

/// Brings the tables up to date. Several processes may do so at once.
pub(super) async fn run(pool: &AnyPool) -> Result<()> {
    let migrations = ALL.map(|(version, description, sql)| {
        Migration::new(version, description.into(), MigrationType::Simple, sqlx::SqlSafeStr::into_sql_str(sql), false)
    });
    let migrator = Migrator::with_migrations(migrations.to_vec());
    migrator.run(pool).await.map_err(|error| {
        Error::new(format!("cannot bring the database up to date: {error}; was it used by a newer impasto?"))
    })
}
