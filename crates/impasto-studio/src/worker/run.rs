//! One job in its folder: its files, its run, and what is kept of it.

use std::fs;
use std::path::{Path, PathBuf};

use impasto::picture::{self, BitDepth, Format, SaveOptions};
use impasto_job::checkpoint::{self, CheckpointPlan};
use impasto_job::device;
use impasto_job::error::Whose;
use impasto_job::events::{Event, Events};
use impasto_job::job::Job;
use impasto_job::job::values::Adjustment;
use impasto_job::machine::Machine;
use impasto_job::pictures;
use impasto_job::resolve::{self, Resolved};
use impasto_job::runner::{Painted, Runner};

use crate::database::queue::{Lease, Taken};
use crate::error::Result;
use crate::store::{Name, Store};
use crate::thumbnails;
use crate::worker::watcher::Watcher;
use crate::workplace;

/// Checkpoints that each taking of a job has numbers for.
pub const CHECKPOINTS: i64 = 1_000_000;

/// The parts of a checkpoint.
const PARTS: [&str; 2] = ["run.json", "state"];

/// How a run ended.
pub enum Outcome {
    /// With a picture.
    Made(Made),
    /// It was asked to stop.
    Stopped,
    /// It cannot be made.
    Failed(String),
}

/// A picture that was made.
pub struct Made {
    /// The result as a file.
    pub file: Vec<u8>,
    /// Copies for other uses; `None`: it is a preview, which has none.
    pub copies: Option<Copies>,
    /// The report, as JSON.
    pub report: String,
}

/// Copies of a result.
pub struct Copies {
    /// With 16 bits a value, as PNG, to be converted from.
    pub master: Vec<u8>,
    /// A small JPEG.
    pub small: Vec<u8>,
}

/// What a machine computes with, in words.
pub fn device(machine: &Machine) -> impasto_job::error::Result<String> {
    let (_, device) = device::taken(&pictures::network(None)?, &machine.measure())?;
    Ok(device.to_string())
}

/// The folder of a job while it is made.
pub struct Workplace {
    folder: PathBuf,
    checkpoint: PathBuf,
}

impl Workplace {
    /// The folder of one taking of a job. Nothing is made yet.
    pub fn new(work: &Path, taken: &Taken) -> Workplace {
        let folder = work.join(format!("{}-{}", taken.lease.job, taken.lease.number));
        let checkpoint = folder.join("checkpoint");
        Workplace { folder, checkpoint }
    }

    /// Brings the files of a job here. Returns the job with their paths.
    ///
    /// Errors: a file that is not in the store; the store or the disk.
    pub async fn fetch(&self, store: &Store, taken: &Taken) -> Result<Job> {
        drop(fs::remove_dir_all(&self.folder));
        let mut job = workplace::fetch(store, &taken.job, &self.folder.join("files")).await?;
        let made = taken.adjustments.iter().copied().map(Adjustment::from);
        Adjustment::add(&mut job.options.adjust, made);
        if let Some(number) = taken.checkpoint {
            fs::create_dir_all(&self.checkpoint)?;
            for part in PARTS {
                let name = Name::Checkpoint(&taken.lease.job, number, part);
                if !store.get_file(&name, &self.checkpoint.join(part)).await? {
                    // The run begins at its start.
                    fs::remove_dir_all(&self.checkpoint)?;
                    break;
                }
            }
        }
        Ok(job)
    }

    /// Removes the folder.
    pub fn remove(&self) {
        // What stays takes room, and does no other harm.
        drop(fs::remove_dir_all(&self.folder));
    }

    /// Runs the job. It continues from its checkpoint, if there is one that fits, and else begins at
    /// its start.
    pub fn run(
        &self,
        job: &Job,
        machine: &Machine,
        is_preview: bool,
        runner: &mut Runner,
        mut watcher: Watcher,
    ) -> Outcome {
        let has_checkpoint = self.checkpoint.join(PARTS[0]).exists();
        let mut ended = self.attempt(job, machine, is_preview, runner, &mut watcher);
        if let Err(error) = &ended
            && has_checkpoint
            && !watcher.has_begun
            && error.whose != Whose::Interrupted
        {
            let text = format!("{}; the run begins at its start", self.words(error));
            watcher.event(Event::Warning { about: None, text });
            drop(fs::remove_dir_all(&self.checkpoint));
            ended = self.attempt(job, machine, is_preview, runner, &mut watcher);
        }
        let painting = match ended {
            Ok(Some(painting)) => painting,
            Ok(None) => return Outcome::Stopped,
            Err(error) if error.whose == Whose::Interrupted => return Outcome::Stopped,
            Err(error) => return Outcome::Failed(self.words(&error)),
        };
        match made(job, painting, is_preview) {
            Ok(made) => Outcome::Made(made),
            Err(error) => Outcome::Failed(self.words(&error)),
        }
    }

    /// Runs the job from its checkpoint, if there is one.
    fn attempt(
        &self,
        job: &Job,
        machine: &Machine,
        is_preview: bool,
        runner: &mut Runner,
        watcher: &mut Watcher,
    ) -> impasto_job::error::Result<Option<Painted>> {
        let mut machine = machine.clone();
        if is_preview {
            machine.checkpoints.no_checkpoint = true;
        } else {
            machine.checkpoints.checkpoint = Some(self.checkpoint.clone());
        }
        let plan = CheckpointPlan::new(&machine);
        let resolved = if self.checkpoint.join(PARTS[0]).exists() {
            self.resumed(job, &machine, plan)?
        } else {
            resolve::resolve_within(job, machine.measure(), plan)?
        };
        runner.take(&resolved.without_folder(), watcher)
    }

    /// The job as it continues from the checkpoint, which may be from another machine.
    fn resumed(&self, job: &Job, machine: &Machine, plan: CheckpointPlan) -> impasto_job::error::Result<Resolved> {
        let resumed = checkpoint::open(&self.checkpoint)?.moved(job)?;
        let planned = resumed.manifest.planned.clone();
        let mut machine = machine.clone();
        // The same device if this machine has it, and else the one that it has.
        machine.compute.device.device.get_or_insert_default();
        let job = resumed.manifest.job.clone();
        resolve::resolve_within(&job, machine.measure_resumed(&planned), plan.resuming(resumed))
    }

    /// The words of an error, with the names of files and without their folder.
    fn words(&self, error: &impasto_job::error::Error) -> String {
        let folder = format!("{}/", self.folder.display());
        // PostgreSQL has no text with NUL.
        error.to_string().replace(&format!("{folder}files/"), "").replace(&folder, "").replace('\0', "")
    }
}

/// What is kept of a picture.
///
/// Errors: it cannot be written in its format.
fn made(job: &Job, painting: Painted, is_preview: bool) -> impasto_job::error::Result<Made> {
    let Painted { image, save, mut report } = painting;
    let output = job.output.file.clone().unwrap_or_default();
    report.output = output.file_name().map(PathBuf::from).unwrap_or_default();
    let file = picture::encode(&image, &output, &save)?;
    let report =
        serde_json::to_string(&report).map_err(|error| impasto_job::error::Error::program(error.to_string()))?;
    if is_preview {
        return Ok(Made { file, copies: None, report });
    }
    let options =
        SaveOptions { format: Some(Format::Png), bit_depth: BitDepth::Sixteen, quality: None, recipe: None, ..save };
    let master = picture::encode(&image, Path::new("master.png"), &options)?;
    let small = thumbnails::of_picture(&image, thumbnails::STORED);
    Ok(Made { file, copies: Some(Copies { master, small }), report })
}

/// Puts a result into the store. Returns its name there.
pub async fn store_result(store: &Store, lease: &Lease, made: &Made) -> Result<String> {
    let name = Name::Result(&lease.job, lease.number);
    let result = name.to_string();
    store.put(&name, made.file.clone().into()).await?;
    if let Some(Copies { master, small }) = &made.copies {
        store.put(&Name::Master(&result), master.clone().into()).await?;
        store.put(&Name::Small(&result), small.clone().into()).await?;
    }
    Ok(result)
}

/// Puts the checkpoint in a folder into the store.
pub async fn store_checkpoint(store: &Store, job: &str, number: i64, folder: &Path) -> Result<()> {
    for part in PARTS {
        store.put_file(&Name::Checkpoint(job, number, part), &folder.join(part)).await?;
    }
    Ok(())
}

/// Removes a checkpoint from the store.
pub async fn remove_checkpoint(store: &Store, job: &str, number: i64) -> Result<()> {
    for part in PARTS {
        store.remove(&Name::Checkpoint(job, number, part)).await?;
    }
    Ok(())
}
