//! `impasto measure`: the losses of any picture.

use std::path::{Path, PathBuf};

use clap::Args;
use impasto::picture;
use impasto::{ColorMode, Layer, MeasureOptions, Objective, Padding, Style, StyleLossKind};

use crate::args::{MemoryArgs, NetworkArgs, ObjectiveName, PaddingName, StyleLossName, count};
use crate::input::Reading;
use crate::styles::{LookArgs, RegionArgs, Source, WeightedStyle};
use crate::{Failure, OrFail, input, report, styles};

const EXAMPLES: &str = "\
Examples:
  impasto measure out.png --content photo.jpg --style painting.jpg
  impasto measure out.png --content photo.jpg --style art.jpg --style-size 512 --objective balanced
      What a run of 512 px reports of its result, or as close as a file's whole numbers are.
  impasto measure out.png --content photo.jpg --style sky.jpg --style ground.jpg --mask m.png --json
      As one JSON object, with the losses of each part of the mask.";

/// Print the losses of any picture: content, style and total variation, by layer and without alpha and beta.
///
/// A picture of the content's size is measured as it is; if the sizes differ, the content is scaled to the picture's. Styles keep
/// their own size unless --style-size is given. What is transparent in the content or a style does not count, as in a run.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
#[command(mut_arg("memory", |arg| arg.help(
    "Memory that impasto may take at most: 4GiB, 800MB. A picture that does not fit is evaluated in bands, which takes longer. [default: \
     three quarters of what is free]"
)))]
#[command(mut_arg("mask", |arg| arg.help(
    "Where on the content the styles are looked for, as the run had it; then the losses of each part are printed too. Without a mask \
     several styles are blended"
).long_help(None::<&str>)))]
#[command(mut_arg("keep", |arg| arg.help(
    "What the run left as it was: white is kept and no style is looked for there, black is painted, greys count in part"
).long_help(None::<&str>)))]
pub struct MeasureArgs {
    /// The picture to measure.
    pub picture: PathBuf,

    /// The content picture.
    #[arg(long, value_name = "FILE")]
    pub content: PathBuf,

    /// A style picture, or a file of `impasto style save`; several are blended by their weights (default 1), or each has its part of
    /// --mask.
    #[arg(id = "styles", long = "style", value_name = "FILE[:WEIGHT]", value_parser = WeightedStyle::parser(), required = true)]
    pub styles: Vec<WeightedStyle>,

    /// Longest side, in px, to which the styles are scaled first. [default: their own size, the largest of a style file]
    #[arg(long, value_name = "PX", value_parser = count, allow_hyphen_values = true)]
    pub style_size: Option<usize>,

    /// Losses of which objective, before its units and weights: it decides about --content-layers, --style-loss and --padding where they
    /// are not given.
    #[arg(long, value_enum, default_value_t = ObjectiveName::Paper)]
    pub objective: ObjectiveName,

    /// How the style is compared. [default: gram, or moments with --objective balanced]
    #[arg(long, value_enum)]
    pub style_loss: Option<StyleLossName>,

    #[command(flatten)]
    pub regions: RegionArgs,

    #[command(flatten)]
    pub look: LookArgs,

    #[command(flatten)]
    pub network: NetworkArgs,

    #[command(flatten)]
    pub memory: MemoryArgs,

    /// What the network sees beyond the picture's border. [default: zero, or replicate with --objective balanced]
    #[arg(long, value_enum, help_heading = "Network")]
    pub padding: Option<PaddingName>,

    /// Print one JSON object instead of a table.
    #[arg(long, help_heading = "Reporting")]
    pub json: bool,
}

/// Measures and prints.
pub fn run(args: &MeasureArgs) -> Result<(), Failure> {
    let defaults = MeasureOptions::for_objective(Objective::from(args.objective));
    let options = MeasureOptions {
        content_layers: args.network.content_layers.clone().unwrap_or(defaults.content_layers),
        style_layers: args.network.style_layers.clone(),
        style_loss: args.style_loss.map_or(defaults.style_loss, StyleLossKind::from),
        pooling: args.network.engine.pooling.into(),
        padding: args.padding.map_or(defaults.padding, Padding::from),
        threads: args.network.engine.threads,
        memory: args.memory.limit(),
    };

    let mut inputs = vec![args.picture.clone(), args.content.clone()];
    inputs.extend(styles::paths(&args.styles, &args.look, &args.regions));
    input::check_stdin(&inputs.iter().map(PathBuf::as_path).collect::<Vec<_>>()).or_user()?;
    let reading = Reading { quiet: false, memory: options.memory };
    let picture = input::load(&args.picture, reading).or_user()?.image;
    let content = input::load(&args.content, reading).or_user()?.resized(picture.width(), picture.height());
    let style_layers: Vec<Layer> = input::layers(&options.style_layers).collect();
    let layers: Vec<Layer> = input::layers(&options.content_layers).chain(style_layers.iter().copied()).collect();
    input::check_sides(&args.picture, &picture, &layers, "", "").or_user()?;
    let sources = styles::load(&args.styles, &args.look, reading).or_user()?;
    let scaled = sources.zip(&args.styles).map(|(source, named)| {
        let style = scaled(source?, &named.path, args.style_size, &style_layers)?;
        Ok(style.with_weight(named.weight.unwrap_or(1.0)))
    });
    let scaled = scaled.collect::<anyhow::Result<Vec<Style>>>().or_user()?;
    let in_regions =
        styles::in_regions(scaled, &args.styles, &args.regions, &args.content, &content.image, reading).or_user()?;
    let subject = styles::subject(&args.content, &args.regions, &content, ColorMode::Style, reading).or_user()?;

    drop(content);
    let network = input::network(&args.network.engine)?;
    let measurement = impasto::measure_styles(&network, &picture, &subject, &in_regions, &options)
        .map_err(|error| styles::with_name(error, &args.styles, &args.regions))
        .or_user()?;
    // Without a mask there is one region, whose losses are the style's.
    let named: &[WeightedStyle] = if args.regions.mask.is_some() { &args.styles } else { &[] };
    let text = if args.json {
        report::json(&report::Measured::new(&measurement, named))?
    } else {
        report::measured_text(&args.picture, &measurement, named)
    };
    report::print(&text)
}

/// A style with `size` pixels on its longest side; `None`: in its own size.
fn scaled(source: Source, path: &Path, size: Option<usize>, layers: &[Layer]) -> anyhow::Result<Style> {
    let style = match source {
        Source::Picture(style) => style,
        Source::Statistics(statistics) => {
            let own = statistics.sizes().first().copied().unwrap_or_default();
            return Ok(Style::from_statistics(statistics, size.unwrap_or(own)));
        }
    };
    let own = (style.image.width(), style.image.height());
    let target = size.map_or(own, |size| picture::fit(own.0, own.1, size));
    let how = size.map(|size| format!(" at --style-size {size}")).unwrap_or_default();
    styles::brought_to(path, style, target, layers, &how, "").map(Style::from)
}
