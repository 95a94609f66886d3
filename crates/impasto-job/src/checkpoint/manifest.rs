//! The file of a checkpoint that says what the run was asked for.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use impasto::picture;
use serde::{Deserialize, Serialize};
use serde_with::serde_as;

use crate::error::{Error, OrWhose, Result};
use crate::files;
use crate::job::inputs::InputFile;
use crate::job::paths::AnyPath;
use crate::job::{Job, PROGRAM};
use crate::machine::{Machine, PlannedFor};

/// Changes when an older program would misread the file.
const VERSION: u32 = 7;

/// What it takes to begin a run as it was begun.
#[serde_as]
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct CheckpointManifest {
    /// Version of the file.
    version: u32,
    /// The program and its version.
    program: String,
    /// The folder that the run was begun in, absolute. The paths of the job are relative to it.
    #[serde_as(as = "AnyPath")]
    pub folder: PathBuf,
    /// The job, complete and with the checksums of its inputs.
    pub job: Job,
    /// The machine, as it was asked for.
    pub machine: Machine,
    /// What the run was planned for.
    pub planned: PlannedFor,
}

/// The file.
#[derive(Deserialize, Serialize)]
struct Sealed {
    run: CheckpointManifest,
    /// CRC-32 of `run` as it is written.
    crc32: u32,
}

/// What every version of the file says.
#[derive(Deserialize)]
struct OfAnyVersion {
    run: MadeBy,
}

#[derive(Deserialize)]
struct MadeBy {
    version: u32,
    program: String,
}

impl CheckpointManifest {
    /// The manifest of a run in the current folder.
    ///
    /// Errors: an input that cannot be read again, standard input say.
    pub(crate) fn new(job: &Job, machine: &Machine, planned: PlannedFor) -> Result<CheckpointManifest> {
        let is_gone = |file: &InputFile| file.held.is_some() || file.sha256.is_none();
        if let Some((_, file)) = job.inputs.files().into_iter().find(|(_, file)| is_gone(file)) {
            let name = if files::is_stream(&file.path) { "standard input" } else { "a pipe" };
            return Err(Error::user(format!("a run that reads {name} cannot be resumed; give it a file")));
        }
        Ok(CheckpointManifest {
            version: VERSION,
            program: PROGRAM.to_owned(),
            folder: current_folder()?,
            job: job.clone(),
            machine: machine.clone(),
            planned,
        })
    }

    /// Writes the file, whole or not at all.
    pub(crate) fn save(&self, path: &Path) -> Result<()> {
        let sealed = Sealed { run: self.clone(), crc32: self.checksum()? };
        let bytes = serde_json::to_vec_pretty(&sealed).map_err(|error| error.to_string()).or_program()?;
        picture::write_whole(path, &bytes).or_program()
    }

    /// Reads what [`CheckpointManifest::save`] wrote; `None`: there is no file.
    ///
    /// Errors: a file that cannot be read or is damaged, or one of another version of the program.
    pub(crate) fn load(path: &Path) -> Result<Option<CheckpointManifest>> {
        let name = path.display();
        let bytes = match fs::read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            bytes => bytes.map_err(|error| Error::user(format!("cannot read {name}: {error}")))?,
        };
        let damaged = || Error::user(format!("{name} is damaged; begin the run again"));
        // Another version may have other fields, and compute other bits.
        let OfAnyVersion { run: MadeBy { version, program } } =
            serde_json::from_slice(&bytes).map_err(|_| damaged())?;
        if version != VERSION || program != PROGRAM {
            return Err(Error::user(format!(
                "{name} belongs to a run of {program}, file version {version}; this is {PROGRAM}, file version \
                 {VERSION}; continue with that program"
            )));
        }
        let Sealed { run, crc32 } = serde_json::from_slice(&bytes).map_err(|_| damaged())?;
        if run.checksum()? != crc32 {
            return Err(damaged());
        }
        Ok(Some(run))
    }

    /// Whether it was begun for that job, in the folder that is the current one. Whether the inputs
    /// are as they were is for [`CheckpointManifest::check_inputs`].
    pub(crate) fn is_of(&self, job: &Job) -> Result<bool> {
        let without_checksums = |job: &Job| {
            let mut job = job.clone();
            for InputFile { sha256, .. } in job.inputs.files_mut() {
                *sha256 = None;
            }
            job
        };
        Ok(self.folder == current_folder()? && without_checksums(&self.job) == without_checksums(job))
    }

    /// Refuses inputs that are not as they were. The folder of the run is the current one.
    pub fn check_inputs(&self) -> Result<()> {
        for (_, file) in self.job.inputs.files() {
            let name = self.folder.join(&file.path);
            if !file.path.exists() {
                return Err(Error::user(format!("the run's input {} is missing; restore it", name.display())));
            }
            if Some(files::sha256(&file.path)?) != file.sha256 {
                return Err(Error::user(format!(
                    "the run's input {} has changed since the run was begun; restore the old file",
                    name.display()
                )));
            }
        }
        Ok(())
    }

    fn checksum(&self) -> Result<u32> {
        let bytes =
            serde_json::to_vec(self).map_err(|error| Error::user(format!("the run cannot be kept: {error}")))?;
        Ok(crc32fast::hash(&bytes))
    }
}

fn current_folder() -> Result<PathBuf> {
    std::env::current_dir().map_err(|error| Error::user(format!("there is no current folder: {error}")))
}
