//! `impasto measure`: the losses of any picture.

use std::path::PathBuf;

use clap::Args;
use impasto::{Layer, MeasureOptions, image_io};

use crate::args::{NetworkArgs, count};
use crate::{Failure, OrFail, input, report};

const EXAMPLES: &str = "\
Examples:
  impasto measure out.png --content photo.jpg --style painting.jpg
  impasto measure out.png --content photo.jpg --style painting.jpg --style-size 512 --json";

/// Print the losses of any picture: content, style and total variation, by layer and without alpha and beta.
///
/// A picture of the content's size is measured as it is; if the sizes differ, the content is scaled to the picture's. The
/// style keeps its own size unless --style-size is given.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub struct MeasureArgs {
    /// The picture to measure.
    pub picture: PathBuf,

    /// The content picture.
    #[arg(long, value_name = "FILE")]
    pub content: PathBuf,

    /// The style picture.
    #[arg(long, value_name = "FILE")]
    pub style: PathBuf,

    /// Longest side, in px, to which the style is scaled first. [default: its own size]
    #[arg(long, value_name = "PX", value_parser = count, allow_hyphen_values = true)]
    pub style_size: Option<usize>,

    #[command(flatten)]
    pub network: NetworkArgs,

    /// Print one JSON object instead of a table.
    #[arg(long, help_heading = "Reporting")]
    pub json: bool,
}

/// Measures and prints.
pub fn run(args: &MeasureArgs) -> Result<(), Failure> {
    let defaults = MeasureOptions::default();
    let options = MeasureOptions {
        content_layers: args.network.content_layers.clone().unwrap_or(defaults.content_layers),
        style_layers: args.network.style_layers.clone(),
        pooling: args.network.engine.pooling.into(),
        threads: args.network.engine.threads,
    };

    input::check_stdin(&[&args.picture, &args.content, &args.style]).or_user()?;
    let picture = input::load(&args.picture, false).or_user()?.image;
    let content = input::load(&args.content, false).or_user()?.resized(picture.width(), picture.height()).image;
    let mut style = input::load(&args.style, false).or_user()?;
    let mut how = String::new();
    if let Some(size) = args.style_size {
        let (width, height) = image_io::fit(style.width(), style.height(), size);
        style = style.resized(width, height);
        how = format!(" at --style-size {size}");
    }
    let style = style.image;

    let style_layers: Vec<Layer> = input::layers(&options.style_layers).collect();
    let layers: Vec<Layer> = input::layers(&options.content_layers).chain(style_layers.iter().copied()).collect();
    input::check_sides(&args.picture, &picture, &layers, "", "").or_user()?;
    input::check_sides(&args.style, &style, &style_layers, &how, "").or_user()?;

    let network = input::network(&args.network.engine)?;
    let measurement = impasto::measure(&network, &picture, &content, &style, &options).or_user()?;
    let text = if args.json {
        report::json(&report::Measured::from(&measurement))?
    } else {
        report::measured_text(&args.picture, &measurement)
    };
    report::print(&text)
}
