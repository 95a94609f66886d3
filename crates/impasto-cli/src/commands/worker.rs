//! `impasto worker`: making the pictures of a queue.

use anyhow::anyhow;
use clap::Args;
use impasto_studio::studio;

use crate::commands::studio::{LogArgs, PlaceArgs, WorkArgs};
use crate::failure::{Failure, OrFail};

const EXAMPLES: &str = "\
Examples:
  impasto worker --database postgres://me:secret@db/impasto --store s3://pictures
      Make the pictures of that queue, beside any number of other workers.

Ctrl-C (or SIGTERM) ends the worker within two seconds, and another one continues its picture. A worker that vanishes is noticed \
within 30 seconds.";

/// Make the pictures of a studio's queue, on this machine.
///
/// Workers and servers share a database and a store, and need nothing else of each other.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub struct WorkerArgs {
    #[command(flatten)]
    pub place: PlaceArgs,

    #[command(flatten)]
    pub work: WorkArgs,

    #[command(flatten)]
    pub logs: LogArgs,
}

/// Works until it is told to end.
pub fn run(args: &WorkerArgs) -> Result<(), Failure> {
    let place = args.place.place()?;
    if place.database.is_none() {
        return Err(Failure::User(anyhow!(
            "--database is missing: name the one of the studio; the worker of a studio without one is the studio itself"
        )));
    }
    if place.store.is_none() {
        return Err(Failure::User(anyhow!("--store is missing: name the one of the studio")));
    }
    let options = args.work.options()?;
    args.logs.begin();
    studio::work(&place, &options).or_program()
}
