//! `impasto reconstruct PHOTO --layer L -o OUT`: what a layer keeps of a picture.

use std::path::PathBuf;

use clap::Args;

use crate::args::{Maker, PictureArgs};
use crate::commands::make::{self, NamedInputs};
use crate::config::ConfigArgs;
use crate::failure::Failure;

const EXAMPLES: &str = "\
Examples:
  impasto reconstruct photo.jpg --layer relu4_2 -o remembered.png
      What relu4_2 knows of the photo: shapes and places, but few colours and no fine detail.
  impasto reconstruct photo.jpg --layer relu2_2:0.2,relu5_1 -o both.png
      One picture from two layers.
  for layer in relu1_1 relu2_1 relu3_1 relu4_1 relu5_1; do
    impasto reconstruct photo.jpg --layer $layer -o $layer.png --size 256
  done
      The deeper the layer, the less is left: the figure of the paper.

Ctrl-C ends the run after the current step and still writes the picture.";

/// Show what layers of the network keep of a picture: another one is made from noise until it
/// looks the same to them.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES, override_usage = "impasto reconstruct [OPTIONS] --output <OUT> <PHOTO>")]
pub struct ReconstructArgs {
    /// The picture to be remembered (PNG, JPEG, TIFF, WebP, HEIC, AVIF, JPEG XL).
    pub photo: Option<PathBuf>,

    #[command(flatten)]
    pub picture: PictureArgs,

    #[command(flatten)]
    pub config: ConfigArgs,
}

/// Reconstructs and reports.
pub fn run(args: &ReconstructArgs) -> Result<(), Failure> {
    let names = NamedInputs { content: Some(("PHOTO", args.photo.as_ref())), style: None };
    make::run(Maker::Reconstruct, names, &args.picture, &args.config)
}
