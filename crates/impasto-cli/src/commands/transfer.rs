//! `impasto CONTENT STYLE -o OUT`: the transfer itself.

use std::path::PathBuf;

use clap::Args;

use crate::args::{Maker, PictureArgs};
use crate::commands::make::{self, NamedInputs};
use crate::config::ConfigArgs;
use crate::failure::Failure;

pub const EXAMPLES: &str = "\
Examples:
  impasto photo.jpg painting.jpg -o out.png
      The photo, 512 px on its longest side, painted like the painting.
  impasto photo.jpg painting.jpg -o out.png --strength 70
      More of the painting, less of the photo.
  impasto photo.jpg painting.jpg -o draft.png --preset draft
      The composition in 10 to 20 s, before --preset fine takes its time.
  impasto photo.jpg painting.jpg -o out.png --size 1024 --save-every 40
      Larger, and with a look in between: out-0040.png, out-0080.png ...
  impasto photo.jpg painting.jpg -o out.png --style-layers relu1_1,relu2_1,relu3_1:0.5
      Only the finer strokes.
  impasto photo.jpg --style a.jpg:2 --style b.jpg -o out.png
      Two styles blended, two parts of the first to one of the second.
  impasto photo.jpg --style sky.jpg --style ground.jpg --mask m.png -o out.png
      The first style where m.png is white, the second where it is black.
  impasto photo.jpg painting.jpg -o out.png --keep face.png
      All but what is white in face.png.
  impasto batch photos/*.jpg --style painting.jpg -o painted
      Every photo, each as painted/PHOTO-painting.png.
  impasto sweep photo.jpg painting.jpg -o sheet.png
      Small pictures of several strengths on one sheet, to choose from.
  impasto texture painting.jpg -o texture.png --tileable
      The painting's texture alone; copies of it meet without a seam.
  impasto photo.jpg painting.jpg -o large.png --size 4096 --memory 6GiB --plan
      What a large picture would take. Without --plan it is made, in 6 GiB.
  impasto photo.jpg painting.jpg -o out.png --strength 70 --dry-run > job.json
  impasto run job.json
      The job as a file, and the picture made from it.
  impasto resume out.png.checkpoint
      Continue a run that a crash, a power cut or Ctrl-C has ended.
  impasto measure out.png --content photo.jpg --style painting.jpg --json
      The losses of a finished picture.
  impasto bench --size 512,1024
      How long a step takes on this machine.

Ctrl-C (or SIGTERM) ends the run after the current step. The picture is still written, the exit status is 0, and the report says \
`interrupted`. If there are checkpoints (see --checkpoint), `impasto resume` continues from there. Before the first step there \
is no picture yet, and Ctrl-C leaves at once. A second Ctrl-C does so at any time: nothing is written, exit status 130.

Exit status: 0 the picture was written, 1 a failure such as a full disk, 2 an option or file has to be changed, 130 ended \
without a picture.";

/// What a transfer is made from.
#[derive(Args, Debug)]
pub struct TransferArgs {
    /// The picture to be painted, usually a photo (PNG, JPEG, TIFF, WebP, HEIC, AVIF, JPEG XL). `-`
    /// reads standard input.
    pub content: Option<PathBuf>,

    /// The picture whose manner is taken, usually a painting (PNG, JPEG, TIFF, WebP, HEIC, AVIF,
    /// JPEG XL), or a file of `impasto style save`. `-` reads standard input.
    #[arg(conflicts_with = "styles")]
    pub style: Option<PathBuf>,

    #[command(flatten)]
    pub picture: PictureArgs,

    #[command(flatten)]
    pub config: ConfigArgs,
}

/// Makes the picture and reports.
pub fn run(args: &TransferArgs) -> Result<(), Failure> {
    let names = NamedInputs { content: Some(("CONTENT", args.content.as_ref())), style: Some(args.style.as_ref()) };
    make::run(Maker::Transfer, names, &args.picture, &args.config)
}
