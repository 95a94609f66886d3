//! `impasto recipe PICTURE`: how a picture was made.

use std::path::PathBuf;

use clap::Args;
use impasto_job::recipe;

use crate::failure::Failure;
use crate::text;

/// Print how a picture was made: its job, with the files that went in.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  impasto recipe out.png
      The options, and the files with their checksums.
  impasto again out.png --strength 70
      The picture again, with another strength.")]
pub struct RecipeArgs {
    /// A picture that impasto has written.
    pub picture: PathBuf,
}

/// Prints the recipe.
pub fn run(args: &RecipeArgs) -> Result<(), Failure> {
    text::print(&text::json(&recipe::of(&args.picture)?)?)
}
