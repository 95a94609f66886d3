//! How the result is written.

use clap::{Args, ValueEnum};
use impasto::picture::{BitDepth, Format};

/// How the result is written.
#[derive(Args, Debug)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// Format of the result, whatever its name; needed with `-o -`. The content's colour profile (RGB) goes with it, its
    /// transparency (JPEG: laid over white) and its EXIF data (not in TIFF). [default: by the extension]
    #[arg(long, value_enum)]
    pub format: Option<FormatName>,

    /// Bits a value: 8, or 16 in PNG and TIFF.
    #[arg(long, value_name = "8|16", value_parser = bit_depth, default_value = "8", allow_hyphen_values = true)]
    pub bit_depth: BitDepth,

    /// Quality of a JPEG, 1 to 100. [default: 95]
    #[arg(long, value_name = "1..100", value_parser = quality, allow_hyphen_values = true)]
    pub quality: Option<u8>,

    #[command(flatten)]
    pub recipe: RecipeNoteArgs,
}

/// What is noted in the result.
#[derive(Args, Debug)]
#[command(next_help_heading = "Output")]
pub struct RecipeNoteArgs {
    /// Do not note in the picture how it was made: a recipe names the files that went in. [default: off]
    #[arg(long)]
    pub no_recipe: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum FormatName {
    Png,
    #[value(alias = "jpg")]
    Jpeg,
    #[value(alias = "tif")]
    Tiff,
    Webp,
}

impl FormatName {
    /// What a file's name ends in.
    pub fn extension(self) -> &'static str {
        match self {
            FormatName::Png => "png",
            FormatName::Jpeg => "jpg",
            FormatName::Tiff => "tif",
            FormatName::Webp => "webp",
        }
    }
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Format {
        match name {
            FormatName::Png => Format::Png,
            FormatName::Jpeg => Format::Jpeg,
            FormatName::Tiff => Format::Tiff,
            FormatName::Webp => Format::WebP,
        }
    }
}

fn bit_depth(text: &str) -> Result<BitDepth, &'static str> {
    match text {
        "8" => Ok(BitDepth::Eight),
        "16" => Ok(BitDepth::Sixteen),
        _ => Err("needs 8 or 16"),
    }
}

fn quality(text: &str) -> Result<u8, &'static str> {
    text.parse().ok().filter(|q| (1..=100).contains(q)).ok_or("needs a whole number from 1 to 100")
}
