//! What is told about a run.

use clap::Args;

/// What a command prints that makes a picture.
#[derive(Args, Debug)]
#[command(next_help_heading = "Reporting")]
pub struct ReportArgs {
    /// Print nothing but errors (and the JSON object, where --json asks for it).
    #[arg(short, long)]
    pub quiet: bool,

    /// Print the report as one JSON object on stdout instead of text. Progress stays on stderr.
    #[arg(long)]
    pub json: bool,
}
