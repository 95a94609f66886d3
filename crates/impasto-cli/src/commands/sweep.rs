//! `impasto sweep PHOTO STYLE -o SHEET`: one photo over strengths, styles and style scales, on a
//! contact sheet.

use std::path::PathBuf;

use clap::Args;

use crate::args::{Maker, PictureArgs};
use crate::commands::make::{self, NamedInputs};
use crate::config::ConfigArgs;
use crate::failure::Failure;

const EXAMPLES: &str = "\
Examples:
  impasto sweep photo.jpg painting.jpg -o sheet.png
      Strengths 10, 30, 50, 70 and 90 side by side.
  impasto sweep photo.jpg painting.jpg -o sheet.png --strengths 30,60 --style-scales 0.5,1,2
      A row for each style scale, a column for each strength.
  impasto sweep photo.jpg --style a.jpg b.jpg c.jpg -o sheet.png --style-scales 0.5,1 --size 384
      A row for each style, a column for each style scale.

The pictures are those of single runs with the same options: `impasto photo.jpg painting.jpg -o out.png --size 256 --preset draft \
--strength 30`. All other options of a transfer apply to each.

Ctrl-C (or SIGTERM) leaves at once: no sheet is written, exit status 130.";

/// Try a photo over strengths, styles or style scales: a contact sheet of small pictures with
/// captions.
///
/// With two of them, one makes the rows, the other the columns. The photo and the styles stand
/// above.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES, override_usage = "impasto sweep [OPTIONS] --output <OUT> <PHOTO> <STYLE>")]
pub struct SweepArgs {
    /// The picture to be painted (PNG, JPEG, TIFF, WebP, HEIC, AVIF, JPEG XL).
    pub photo: Option<PathBuf>,

    /// The style: a picture, or a file of `impasto style save`.
    #[arg(conflicts_with = "styles")]
    pub style: Option<PathBuf>,

    #[command(flatten)]
    pub picture: PictureArgs,

    #[command(flatten)]
    pub config: ConfigArgs,
}

/// Makes the sheet and reports.
pub fn run(args: &SweepArgs) -> Result<(), Failure> {
    let names = NamedInputs { content: Some(("PHOTO", args.photo.as_ref())), style: Some(args.style.as_ref()) };
    make::run(Maker::Sweep, names, &args.picture, &args.config)
}
