//! `impasto schema`: what a job may hold.

use clap::Args;
use impasto_job::schema;

use crate::failure::Failure;
use crate::text;

/// Print the JSON Schema of a job, as `impasto run` takes it.
///
/// `x-kinds` of a field lists the kinds of job that it goes with; a field without it goes with
/// all.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  impasto schema > job.schema.json
      For an editor, which then completes and checks jobs.")]
pub struct SchemaArgs {}

/// Prints the schema.
pub fn run(_args: &SchemaArgs) -> Result<(), Failure> {
    text::print(&text::json(schema::schema())?)
}
