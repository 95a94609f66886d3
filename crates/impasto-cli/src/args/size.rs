//! The sizes that are worked on.

use std::fmt;

use clap::Args;
use impasto::{Preset, SizeOptions};

use super::values::{count, factor};

#[derive(Args, Debug)]
#[command(next_help_heading = "Size")]
pub struct SizeArgs {
    #[arg(long, value_name = "PX|original", value_parser = output_size, allow_hyphen_values = true)]
    #[arg(help = format!(
        "Longest side of the result in px, never more than the content has unless --upscale is given; `original` for the \
         content's own size. [default: {}, or {} with --preset fine]",
        Preset::Standard.size(),
        Preset::Fine.size()
    ))]
    pub size: Option<OutputSize>,

    /// Let --size enlarge a content picture that is smaller. [default: off]
    #[arg(long)]
    pub upscale: bool,

    /// Longest side of the style picture, as a multiple of the result's: below 1 finer strokes, above 1 coarser ones.
    #[arg(long, value_name = "FACTOR", value_parser = factor, default_value_t = SizeOptions::default().style_scale)]
    #[arg(allow_hyphen_values = true)]
    pub style_scale: f64,
}

/// The size of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputSize {
    /// That of the content.
    Original,
    /// The longest side in px.
    Longest(usize),
}

impl fmt::Display for OutputSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OutputSize::Original => f.write_str("original"),
            OutputSize::Longest(size) => size.fmt(f),
        }
    }
}

fn output_size(text: &str) -> Result<OutputSize, &'static str> {
    match text {
        "original" => Ok(OutputSize::Original),
        _ => count(text).map(OutputSize::Longest).map_err(|_| "needs a whole number of at least 1, or `original`"),
    }
}
