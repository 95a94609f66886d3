//! `impasto texture STYLE -o OUT`: the style alone, from noise.

use std::path::PathBuf;

use clap::Args;

use crate::args::{Maker, PictureArgs};
use crate::commands::make::{self, NamedInputs};
use crate::config::ConfigArgs;
use crate::failure::Failure;

const EXAMPLES: &str = "\
Examples:
  impasto texture gravel.jpg -o more-gravel.png
      A picture of gravel, 512 px a side, that shows no place of the original.
  impasto texture gravel.jpg -o tile.png --size 512 --tileable
      A tile: copies of it, side by side, show no seam.
  impasto texture painting.jpg -o sky.png --style-crop 5%,5%,90%,40%
      The painting's sky alone.
  impasto texture painting.jpg -o strokes.png --size 1024x768 --style-size 512 --seed 7
      The painting's strokes at half the size that fits, from other noise.
  impasto style save gravel.jpg -o gravel.impasto-style --tileable
  impasto texture gravel.impasto-style -o tile.png --tileable
      A tile from a style file, without the picture.

Whatever is in the style comes back in the texture: leave a frame or a white margin out with --style-crop or --style-mask.

Ctrl-C ends the run after the current step and still writes the picture.";

/// Make a picture of a style alone: its colours, strokes and structures, but none of its places.
///
/// The style loss alone shapes it, from noise, from small to large. A texture of the size of its
/// style has structures of the same size; a larger one has more of them.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES, override_usage = "impasto texture [OPTIONS] --output <OUT> <STYLE>")]
pub struct TextureArgs {
    /// The style: the picture whose manner is taken (PNG, JPEG, TIFF, WebP, HEIC, AVIF, JPEG XL),
    /// or a file of `impasto style save`.
    pub style: Option<PathBuf>,

    #[command(flatten)]
    pub picture: PictureArgs,

    #[command(flatten)]
    pub config: ConfigArgs,
}

/// Makes the texture and reports.
pub fn run(args: &TextureArgs) -> Result<(), Failure> {
    let names = NamedInputs { content: None, style: Some(args.style.as_ref()) };
    make::run(Maker::Texture, names, &args.picture, &args.config)
}
