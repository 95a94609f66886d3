//! Putting jobs into the queue from a shell.

use std::path::Path;

use impasto_job::job::inputs::InputFile;
use impasto_job::job::{Job, Kind};
use impasto_job::resolve;

use crate::database::Database;
use crate::database::jobs::{Created, Lane, NewJob};
use crate::error::{Error, Result};
use crate::model::JobView;
use crate::names;
use crate::server::Limits;
use crate::store::{Name, Store};
use crate::studio::{self, Place};
use crate::uploads::{self, Unfit};

/// Uploads the inputs of jobs and puts them into the queue, in their order. `told` hears of each.
///
/// Errors: a job that cannot be made, of which and of those after it none is in the queue; the
/// database or the store.
pub fn submit(place: &Place, jobs: &[Job], priority: i64, mut told: impl FnMut(&JobView)) -> Result<()> {
    for job in jobs {
        checked(job)?;
    }
    studio::runtime()?.block_on(async {
        let (database, store) = studio::open(place).await?;
        for job in jobs {
            told(&put(&database, &store, job, priority).await?);
        }
        Ok(())
    })
}

fn checked(job: &Job) -> Result<()> {
    let words = |error: impasto_job::error::Error| Error::new(error.to_string());
    resolve::complete(job).map_err(words)?;
    resolve::check_inputs(job).map_err(words)?;
    if job.kind == Kind::Sweep {
        return Err(Error::new("a sweep is a sheet of many pictures; submit a job for each"));
    }
    if job.inputs.weights.is_some() {
        return Err(Error::new("`inputs.weights` cannot be given to a queue; the network in the program is used"));
    }
    Ok(())
}

async fn put(database: &Database, store: &Store, job: &Job, priority: i64) -> Result<JobView> {
    let mut job = job.clone();
    // The studio keeps the result, in the format that the output's name says.
    if let (None, Some(file)) = (job.output.format, &job.output.file) {
        job.output.format = impasto::picture::Format::of(file).ok();
    }
    (job.output.file, job.output.save_every, job.made) = (None, None, None);
    for InputFile { path, sha256, .. } in job.inputs.files_mut() {
        let name = names::cleaned(path);
        *sha256 = Some(upload(database, store, path, &name, sha256.as_deref()).await?);
        *path = name.into();
    }
    let title = names::title_of(&job);
    let request = job.to_json();
    let new = NewJob { job, title, lane: Lane::Pictures, group: None, priority, idempotency_key: None, request };
    match database.create_job(&new).await? {
        Created::New(job) | Created::Before(job) => Ok(job),
        Created::OtherRequest | Created::Deleted => Err(Error::new("the job was deleted while it was created")),
    }
}

/// Uploads a file where it is not yet. Returns its checksum.
async fn upload(database: &Database, store: &Store, path: &Path, name: &str, stated: Option<&str>) -> Result<String> {
    let shown = path.display();
    let bytes = std::fs::read(path).map_err(|error| Error::new(format!("cannot read {shown}: {error}")))?;
    let sha256 = uploads::checksum(&bytes);
    if stated.is_some_and(|stated| !stated.eq_ignore_ascii_case(&sha256)) {
        return Err(Error::new(format!("{shown} is not the file that the job names: its checksum is {sha256}")));
    }
    if database.use_file(&sha256).await? && store.has(&Name::Upload(&sha256)).await? {
        return Ok(sha256);
    }
    let described = uploads::described(&bytes, name, sha256.clone(), Limits::default().pixels);
    let described = described.map_err(|unfit| match unfit {
        Unfit::TooLarge(words) | Unfit::NoPicture(words) => Error::new(words),
    })?;
    uploads::keep(database, store, &described, bytes.into()).await?;
    Ok(sha256)
}
