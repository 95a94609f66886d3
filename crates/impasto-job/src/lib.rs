//! What was asked for, and making it so that nothing is lost.
//!
//! A [`Job`](job::Job) describes one picture; a [`Machine`](machine::Machine) says where it is
//! computed. [`resolve`](resolve::resolve) completes and checks the two, and [`run`](runner::run)
//! carries them out. Command line, configuration file, recipe, checkpoint, page, queue and Python
//! all hold the same [`Job`](job::Job) and call the same [`run`](runner::run).
//!
//! | room | what it knows |
//! |---|---|
//! | [`job`] | the description: plain data with help, JSON Schema and ranges |
//! | [`machine`] | threads, memory, caches, checkpoints as asked for; measured once |
//! | [`resolve`] | every default, and every check before the work |
//! | [`expand`] | a batch and a sweep as lists of jobs |
//! | [`runner`] | the only run loop; [`batch_runner`], [`sweep_runner`]: many jobs |
//! | [`events`], [`plan`], [`report`] | what a run tells before, while and after it goes |
//! | [`checkpoint`], [`recipe`] | the job beside a run's state, and in its picture |
//! | [`pictures`], [`files`] | reading what a job names |
//!
//! ```
//! use impasto_job::events::Unwatched;
//! use impasto_job::job::Job;
//! use impasto_job::machine::Machine;
//! use impasto_job::{resolve, runner};
//!
//! # let folder = tempfile::tempdir().expect("a temporary folder");
//! # let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");
//! # let output = folder.path().join("out.png").display().to_string();
//! let mut job = Job::from_json(r#"{ "options": { "size": 48, "steps": 2 } }"#)?;
//! job.inputs.content = Some(format!("{examples}/astronaut.jpg").as_str().into());
//! job.inputs.styles = vec![format!("{examples}/gravel.jpg").as_str().into()];
//! job.output.file = Some(output.into());
//!
//! let resolved = resolve::resolve(&job, &Machine::default())?;
//! let report = runner::run(&resolved, &mut Unwatched)?;
//! assert_eq!(report.steps, 2);
//! # Ok::<(), impasto_job::error::Error>(())
//! ```

pub mod batch_runner;
pub mod checkpoint;
mod content;
pub mod device;
pub mod error;
pub mod events;
pub mod expand;
pub mod files;
pub mod job;
pub mod machine;
pub mod pictures;
pub mod plan;
mod prepared;
mod read_once;
pub mod recipe;
pub mod report;
pub mod resolve;
pub mod runner;
pub mod schema;
mod shared_inputs;
mod snapshots;
pub mod sweep_runner;
