//! What is put in order from time to time, while a server runs.

use std::time::Duration;

use tracing::warn;

use crate::database::Database;
use crate::database::jobs::Lane;
use crate::error::{Error, Result};
use crate::gallery::Gallery;
use crate::store::{Name, Store};

/// How often vanished workers are looked for.
const SWEEP: Duration = Duration::from_secs(5);

/// Puts in order what vanished workers have left, and removes what is no longer needed, from time to
/// time.
pub async fn sweep(database: Database, store: Store) {
    for round in 0_u64.. {
        tokio::time::sleep(SWEEP).await;
        let swept = async {
            // Where no worker is left, nobody else notices that one has vanished.
            for lane in [Lane::Pictures, Lane::Previews] {
                database.expire(lane).await?;
            }
            if round.is_multiple_of(12) {
                remove_jobs(&database, &store).await?;
            }
            if round.is_multiple_of(720) {
                // The gallery is used, even if no job names it.
                Gallery::install(&database, &store).await?;
                remove_files(&database, &store).await?;
            }
            Ok::<_, Error>(())
        };
        if let Err(error) = swept.await {
            warn!(%error, "cannot remove what is no longer needed; tries again");
        }
    }
}

/// Removes jobs that nobody can restore any more, and what ended jobs no longer need. Their rows go
/// last, so nothing is lost track of.
async fn remove_jobs(database: &Database, store: &Store) -> Result<()> {
    for job in database.forgettable_jobs().await? {
        store.remove_job(&job).await?;
        database.forget_job(&job).await?;
    }
    for job in database.ended_with_checkpoints().await? {
        store.remove_passing(&job).await?;
        database.forget_checkpoints(&job).await?;
    }
    Ok(())
}

/// Removes files that no job names. If one is uploaded again in this moment, it is stored again
/// when it is uploaded the next time.
async fn remove_files(database: &Database, store: &Store) -> Result<()> {
    for sha256 in database.unused_files().await? {
        if database.forget_file(&sha256).await? {
            store.remove(&Name::Upload(&sha256)).await?;
            store.remove(&Name::Thumbnail(&sha256)).await?;
        }
    }
    Ok(())
}
