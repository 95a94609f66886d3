//! `impasto style save`: a style's statistics as a file.

use std::path::PathBuf;

use anyhow::bail;
use clap::{Args, Subcommand};
use impasto::picture;
use impasto::{Objective, Options, Padding, Preset, SizeOptions, StyleLossKind, StyleStatistics, WeightedLayer};
use impasto_job::files::InputFiles;
use impasto_job::job::values::{Count, Factor};
use impasto_job::machine::Compute;
use impasto_job::pictures::{self, LoadedStyle, ReadLimits, Remedy, SizeHint};

use crate::args::engine::NetworkArgs;
use crate::args::inputs::{LookArgs, WeightedStyle, style_inputs};
use crate::failure::{Failure, OrFail};
use crate::terminal::FileMessages;

const EXAMPLES: &str = "\
Examples:
  impasto style save painting.jpg -o painting.impasto-style
  impasto photo.jpg painting.impasto-style -o out.png
      The style without its picture, and without the time that taking it costs.
  impasto style save painting.jpg -o large.impasto-style --size 1024
  impasto photo.jpg large.impasto-style -o out.png --size 1024
  impasto style save gravel.jpg -o gravel.impasto-style --tileable
  impasto texture gravel.impasto-style -o tile.png --tileable
      A style for tiles, which have no border.

A style file fits runs of the --size that it was saved with, and of that size halved once, twice ... down to 64 px. The run needs \
the same --style-scale, layers, style loss, pooling, padding and weights.";

/// Files of styles.
#[derive(Args, Debug)]
pub struct StyleFileArgs {
    #[command(subcommand)]
    pub command: StyleCommand,
}

#[derive(Debug, Subcommand)]
pub enum StyleCommand {
    Save(Box<SaveArgs>),
}

/// Save the statistics of a style picture as a file. The file can be given wherever a run takes a
/// style.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub struct SaveArgs {
    /// The style picture.
    pub style: PathBuf,

    /// Where the style goes: a name that ends in .impasto-style. An existing file is replaced, as a
    /// result of `impasto` is.
    #[arg(short, long, value_name = "OUT")]
    pub output: PathBuf,

    /// Longest side, in px, of the largest results that the style is for. [default: 512]
    #[arg(long, value_name = "PX", allow_hyphen_values = true)]
    pub size: Option<Count>,

    /// Longest side of the style picture, as a multiple of the result's. A picture longer than 2:1
    /// counts as a 2:1 picture with the same area. [default: 1]
    #[arg(long, value_name = "FACTOR", allow_hyphen_values = true)]
    pub style_scale: Option<Factor>,

    #[command(flatten)]
    pub look: LookArgs,

    /// Layers that the style is compared at. [default: relu1_1,relu2_1,relu3_1,relu4_1,relu5_1]
    #[arg(long, value_name = "LAYER,...", value_delimiter = ',', help_heading = "Network")]
    pub style_layers: Option<Vec<WeightedLayer>>,

    /// The objective that the style is for. It decides about --style-loss and --padding if they
    /// are not given.
    #[arg(long, value_enum, default_value_t)]
    pub objective: Objective,

    /// How the style is compared. [default: moments; gram with --objective paper]
    #[arg(long, value_enum)]
    pub style_loss: Option<StyleLossKind>,

    /// What the network sees beyond the picture's border. [default: replicate; zero with
    /// --objective paper]
    #[arg(long, value_enum, help_heading = "Network")]
    pub padding: Option<Padding>,

    /// Save a style for `impasto texture --tileable`, and for nothing else.
    #[arg(long, conflicts_with = "padding")]
    pub tileable: bool,

    #[command(flatten)]
    pub network: NetworkArgs,

    #[command(flatten)]
    pub compute: Compute,
}

/// Runs what is asked for.
pub fn run(args: &StyleFileArgs) -> Result<(), Failure> {
    match &args.command {
        StyleCommand::Save(args) => save(args),
    }
}

fn save(args: &SaveArgs) -> Result<(), Failure> {
    let (options, size) = (options(args), size(args));
    options.validate().or_user()?;
    size.validate().or_user()?;
    check_output(args).or_user()?;

    let named = WeightedStyle { path: args.style.clone(), weight: None };
    let input = style_inputs([named], &args.look).or_user()?.remove(0);
    let read = ReadLimits { memory: options.memory };
    let LoadedStyle::Picture(style) = pictures::load_style(&input, read, &mut FileMessages { quiet: false })? else {
        return Err(Failure::User(anyhow::anyhow!("{} is a style file already", args.style.display())));
    };
    let side = size.style_side(size.size).or_user()?;
    let own = (style.image.width(), style.image.height());
    let target = picture::fit_nominal(own.0, own.1, side);
    let at = format!(" at --size {} and --style-scale {}", size.size, size.style_scale);
    let remedy = Remedy::Factor { option: "--style-scale", factor: size.style_scale, side, own };
    let hint = SizeHint { at: if target == own { String::new() } else { at }, remedy };
    let layers = options.style_loss.layers(&options.style_layers);
    let style = pictures::fit_style(&args.style, style, Some(target), &layers, &hint)?;
    let (network, _) = args.network.network_on(&args.compute.measure())?;
    let sizes = StyleStatistics::sizes_of_a_run(size.size);
    let statistics = StyleStatistics::new(&network, &style, sizes, &options).or_user()?;
    statistics.save(&args.output).or_program()
}

/// How the style is looked at.
fn options(args: &SaveArgs) -> Options {
    let (defaults, limits) = (Options::for_objective(args.objective), args.compute.measure());
    Options {
        style_layers: args.style_layers.clone().unwrap_or(defaults.style_layers),
        style_loss: args.style_loss.unwrap_or(defaults.style_loss),
        padding: match args.padding {
            _ if args.tileable => Padding::Circular,
            padding => padding.unwrap_or(defaults.padding),
        },
        pooling: args.network.pooling(),
        threads: limits.threads,
        memory: limits.memory,
        ..defaults
    }
}

fn size(args: &SaveArgs) -> SizeOptions {
    SizeOptions {
        size: args.size.map_or(Preset::default().size(), Count::get),
        style_scale: args.style_scale.map_or(1.0, Factor::get),
        ..SizeOptions::default()
    }
}

/// What a style file's name ends in.
const EXTENSION: &str = "impasto-style";

/// Refuses a name that says something else, and the style picture itself.
fn check_output(args: &SaveArgs) -> anyhow::Result<()> {
    if args.output.is_dir() {
        let example = args.output.join("painting").with_extension(EXTENSION);
        bail!("{} is a folder; name the file too, as in {}", args.output.display(), example.display());
    }
    picture::check_kind(&args.output)?;
    let output = args.output.display();
    if args.output.extension().is_none_or(|extension| extension != EXTENSION) {
        bail!("{output} does not end in .{EXTENSION}; name the style like painting.{EXTENSION}");
    }
    let masks = args.look.masks.style_mask.iter().map(PathBuf::as_path);
    let inputs = [args.style.as_path()].into_iter().chain(masks).chain(args.network.weights());
    InputFiles::new(inputs).refuse_overwriting(&args.output)?;
    picture::check_writable(&args.output)?;
    Ok(())
}
