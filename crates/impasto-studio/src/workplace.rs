//! The files of a job in a folder of this machine.

use std::fs;
use std::path::Path;

use impasto::picture::Format;
use impasto_job::job::Job;
use impasto_job::job::inputs::InputFile;

use crate::error::{Error, Result};
use crate::names;
use crate::store::{Name, Store};

/// Brings the inputs of a job to a folder, under names that are made from what people called them.
/// Returns the job with their paths, and with an output there.
///
/// Errors: a file that is not in the store; the store or the disk.
pub async fn fetch(store: &Store, job: &Job, folder: &Path) -> Result<Job> {
    fs::create_dir_all(folder)
        .map_err(|error| Error::new(format!("cannot make the folder {}: {error}", folder.display())))?;
    let mut job = job.clone();
    let mut taken = names::name_inputs(&mut job);
    for InputFile { path, sha256, .. } in job.inputs.files_mut() {
        let name = path.display().to_string();
        let sha256 = sha256.clone().unwrap_or_default();
        let here = folder.join(&name);
        if !store.get_file(&Name::Upload(&sha256), &here).await? {
            return Err(Error::new(format!("{name} is no longer in the store; upload it again")));
        }
        *path = here;
    }
    let extension = job.output.format.unwrap_or(Format::Png).extension();
    job.output.file = Some(folder.join(names::unused(&format!("out.{extension}"), &mut taken)));
    Ok(job)
}
