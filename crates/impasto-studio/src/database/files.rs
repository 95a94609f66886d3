//! The uploaded files. Their bytes are in the store, under their checksum.

use serde_json::Value;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::database::{Database, json};
use crate::error::Result;
use crate::model::FileView;

/// Files that no job names are kept this long after their last use, in milliseconds.
const UNUSED: i64 = 24 * 60 * 60 * 1000;

fn view(row: &AnyRow) -> Result<FileView> {
    Ok(FileView {
        sha256: row.try_get("sha256")?,
        name: row.try_get("name")?,
        bytes: row.try_get("bytes")?,
        width: row.try_get("width")?,
        height: row.try_get("height")?,
        recipe: json::<Value>(row, "recipe")?,
    })
}

impl Database {
    /// A file by its checksum.
    pub async fn file(&self, sha256: &str) -> Result<Option<FileView>> {
        let row = sqlx::query("SELECT * FROM files WHERE sha256 = $1").bind(sha256).fetch_optional(&self.pool).await?;
        row.as_ref().map(view).transpose()
    }

    /// Notes a file whose bytes are in the store. One that is known keeps its name.
    pub async fn add_file(&self, file: &FileView) -> Result<()> {
        let recipe = file.recipe.as_ref().map(Value::to_string);
        let sql = self.sql(
            "INSERT INTO files (sha256, name, bytes, width, height, recipe, created, used) \
             VALUES ($1, $2, $3, $4, $5, $6, {now}, {now}) \
             ON CONFLICT (sha256) DO UPDATE SET used = excluded.used",
        );
        sqlx::query(sql)
            .bind(&file.sha256)
            .bind(&file.name)
            .bind(file.bytes)
            .bind(file.width)
            .bind(file.height)
            .bind(recipe)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// How many files there are, and how long they are together.
    pub async fn files_held(&self) -> Result<(i64, i64)> {
        let row = sqlx::query("SELECT COUNT(*) AS number, CAST(COALESCE(SUM(bytes), 0) AS BIGINT) AS bytes FROM files")
            .fetch_one(&self.pool)
            .await?;
        Ok((row.try_get("number")?, row.try_get("bytes")?))
    }

    /// Notes that a file is used, so that it stays. Returns whether there is one.
    pub async fn use_file(&self, sha256: &str) -> Result<bool> {
        let sql = self.sql("UPDATE files SET used = {now} WHERE sha256 = $1");
        Ok(sqlx::query(sql).bind(sha256).execute(&self.pool).await?.rows_affected() > 0)
    }

    /// Files that no job names and that nobody has used for a day, at most a hundred.
    pub async fn unused_files(&self) -> Result<Vec<String>> {
        // A job's text has the checksums of its inputs.
        let sql = self.sql(
            "SELECT sha256 FROM files WHERE used < {now} - $1 \
             AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.job LIKE '%' || files.sha256 || '%') LIMIT 100",
        );
        let rows = sqlx::query(sql).bind(UNUSED).fetch_all(&self.pool).await?;
        rows.iter().map(|row| Ok(row.try_get("sha256")?)).collect()
    }

    /// Forgets a file, unless somebody has used it meanwhile. Returns whether it is forgotten.
    pub async fn forget_file(&self, sha256: &str) -> Result<bool> {
        let sql = self.sql("DELETE FROM files WHERE sha256 = $1 AND used < {now} - $2");
        Ok(sqlx::query(sql).bind(sha256).bind(UNUSED).execute(&self.pool).await?.rows_affected() > 0)
    }
}
