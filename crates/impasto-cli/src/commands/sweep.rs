//! `impasto sweep PHOTO STYLE -o SHEET`: one photo over strengths, styles and style scales, on a
//! contact sheet.

use std::path::PathBuf;

use clap::Args;
use impasto_job::expand::sweep::leaves_strengths_open;
use impasto_job::job::Kind;

use crate::args::{Maker, PictureArgs, with_inputs};
use crate::commands::make::{check_names, make};
use crate::config::{self, ConfigArgs, Configured, configured};
use crate::failure::{Failure, OrFail};
use crate::text;

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
/// With two of them, one makes the rows, the other the columns. The photo and the styles stand above.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES, override_usage = "impasto sweep [OPTIONS] --output <OUT> <PHOTO> <STYLE>")]
pub struct SweepArgs {
    /// The picture to be painted (PNG, JPEG, TIFF, WebP).
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
    let Configured { args: picture, from_file } =
        configured(Maker::Sweep, &args.config, args.picture.clone(), args.style.is_some()).or_user()?;
    if args.config.print_config {
        return text::print(&config::printed(Maker::Sweep, &picture).or_user()?);
    }
    let has_style = args.style.is_some() || !picture.styles.styles.is_empty();
    check_names(&[("PHOTO", args.photo.is_some()), ("STYLE", has_style)], &picture)?;
    let styles = picture.style_inputs(args.style.as_ref()).or_user()?;
    let mut job = with_inputs(picture.job(Kind::Sweep), args.photo.as_ref(), styles);
    // A weight of the content in the file is meant for single runs, not for a sweep that would
    // otherwise try strengths.
    let mut open = job.clone();
    if from_file.contains("strength") {
        open.options.strength = None;
    }
    if from_file.contains("content-weight") {
        open.options.content_weight = None;
    }
    if leaves_strengths_open(&open) {
        job = open;
    }
    make(&job, &picture.machine(), &picture.only, &picture.report)
}
