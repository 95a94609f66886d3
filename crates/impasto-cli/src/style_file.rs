//! `impasto style save`: a style's statistics as a file.

use std::path::PathBuf;

use anyhow::bail;
use clap::{Args, Subcommand};
use impasto::{
    Objective, Options, Padding, Preset, SizeOptions, StyleLossKind, StyleStatistics, WeightedLayer, picture,
};

use crate::args::{EngineArgs, MemoryArgs, ObjectiveName, PaddingName, StyleLossName};
use crate::input::{Inputs, Reading};
use crate::styles::{LookArgs, Source, WeightedStyle};
use crate::{Failure, OrFail, input, styles};

const EXAMPLES: &str = "\
Examples:
  impasto style save painting.jpg -o painting.impasto-style
  impasto photo.jpg painting.impasto-style -o out.png
      The style without its picture, and without the time that taking it costs.
  impasto style save painting.jpg -o large.impasto-style --size 1024
  impasto photo.jpg large.impasto-style -o out.png --size 1024
  impasto style save gravel.jpg -o gravel.impasto-style --tileable
  impasto texture gravel.impasto-style -o tile.png --tileable
      A style for tiles, which are looked at without a border.

A style file fits runs of the --size that it was saved with, and of that halved once, twice ... down to 64 px; with the same \
--style-scale, layers, style loss, pooling, padding and weights.";

/// Files of styles.
#[derive(Args, Debug)]
pub struct StyleFileArgs {
    #[command(subcommand)]
    pub command: StyleCommand,
}

#[derive(Debug, Subcommand)]
pub enum StyleCommand {
    Save(SaveArgs),
}

/// Save the statistics of a style picture as a file that can be given wherever a run takes a style.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub struct SaveArgs {
    /// The style picture.
    pub style: PathBuf,

    /// Where the style goes: a name that ends in .impasto-style. An existing file is replaced.
    #[arg(short, long, value_name = "OUT")]
    pub output: PathBuf,

    /// Longest side, in px, of the largest results it is for.
    #[arg(long, value_name = "PX", value_parser = crate::args::count, default_value_t = Preset::default().size())]
    #[arg(allow_hyphen_values = true)]
    pub size: usize,

    /// Longest side of the style picture, as a multiple of the result's.
    #[arg(long, value_name = "FACTOR", value_parser = crate::args::factor, allow_hyphen_values = true)]
    #[arg(default_value_t = SizeOptions::default().style_scale)]
    pub style_scale: f64,

    #[command(flatten)]
    pub look: LookArgs,

    /// Layers on which the style is compared.
    #[arg(long, value_name = "LAYER,...", value_delimiter = ',', default_values_t = Options::default().style_layers)]
    #[arg(help_heading = "Network")]
    pub style_layers: Vec<WeightedLayer>,

    /// The objective that it is for: it decides about --style-loss and --padding where they are not given.
    #[arg(long, value_enum, default_value_t = ObjectiveName::Balanced)]
    pub objective: ObjectiveName,

    /// How the style is compared. [default: moments, or gram with --objective paper]
    #[arg(long, value_enum)]
    pub style_loss: Option<StyleLossName>,

    /// What the network sees beyond the picture's border. [default: replicate, or zero with --objective paper]
    #[arg(long, value_enum, help_heading = "Network")]
    pub padding: Option<PaddingName>,

    /// For `impasto texture --tileable`, and for nothing else.
    #[arg(long, conflicts_with = "padding")]
    pub tileable: bool,

    #[command(flatten)]
    pub engine: EngineArgs,

    #[command(flatten)]
    pub memory: MemoryArgs,
}

/// Runs what is asked for.
pub fn run(args: &StyleFileArgs) -> Result<(), Failure> {
    match &args.command {
        StyleCommand::Save(args) => save(args),
    }
}

fn save(args: &SaveArgs) -> Result<(), Failure> {
    let defaults = Options::for_objective(Objective::from(args.objective));
    let options = Options {
        style_layers: args.style_layers.clone(),
        style_loss: args.style_loss.map_or(defaults.style_loss, StyleLossKind::from),
        padding: match args.padding {
            _ if args.tileable => Padding::Circular,
            padding => padding.map_or(defaults.padding, Padding::from),
        },
        pooling: args.engine.pooling.into(),
        threads: args.engine.threads,
        memory: args.memory.limit(),
        ..defaults
    };
    let size = SizeOptions { size: args.size, style_scale: args.style_scale, ..SizeOptions::default() };
    options.validate().or_user()?;
    size.validate().or_user()?;
    check_output(args).or_user()?;

    let named = WeightedStyle { path: args.style.clone(), weight: None };
    let looks = styles::looks(std::slice::from_ref(&named), &args.look).or_user()?;
    let reading = Reading { quiet: false, memory: options.memory };
    let picture = match styles::load_one(&named, &looks[0], reading).or_user()? {
        Source::Picture(picture) => picture,
        Source::Statistics(_) => {
            return Err(Failure::User(anyhow::anyhow!("{} is a style file already", args.style.display())));
        }
    };
    let longest = size.style_longest(args.size).or_user()?;
    let picture = styles::resized(&args.style, picture, longest, &size, &options).or_user()?;
    let network = input::network(&args.engine)?;
    let sizes = StyleStatistics::sizes_of_a_run(args.size);
    let statistics = StyleStatistics::new(&network, &picture, sizes, &options).or_user()?;
    statistics.save(&args.output).or_program()
}

/// What a style file's name ends in.
const EXTENSION: &str = "impasto-style";

/// Refuses a name that says something else, and the style picture itself.
fn check_output(args: &SaveArgs) -> anyhow::Result<()> {
    let output = args.output.display();
    if args.output.extension().is_none_or(|extension| extension != EXTENSION) {
        bail!("{output} does not end in .{EXTENSION}; name the style like painting.{EXTENSION}");
    }
    let mut inputs = vec![args.style.as_path()];
    inputs.extend(args.look.style_mask.iter().map(PathBuf::as_path));
    inputs.extend(args.engine.weights.as_deref());
    Inputs::new(inputs.into_iter()).refuse_overwriting(&args.output)?;
    picture::check_writable(&args.output)?;
    Ok(())
}
