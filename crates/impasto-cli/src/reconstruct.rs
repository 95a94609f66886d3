//! `impasto reconstruct PHOTO --layer L -o OUT`: what a layer keeps of a picture.

use std::path::PathBuf;
use std::time::Instant;

use clap::{ArgMatches, Args, ValueEnum};
use impasto::{Init, Layer, Options, Preset, Scales, Session, SizeOptions, WeightedLayer};

use crate::args::{count, weight};
use crate::maker::Maker;
use crate::synthesis::{self, SynthesisArgs};
use crate::{Failure, OrFail, input, recipe};

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

/// What layers of the network keep of a picture: another one is made from noise until it looks the same to them.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub struct ReconstructArgs {
    /// The picture to be remembered (PNG, JPEG, TIFF, WebP).
    pub photo: PathBuf,

    /// Layers that have to find the picture, each with an optional weight (default 1).
    #[arg(long, value_name = "LAYER[:WEIGHT],...", value_delimiter = ',', default_value = "relu4_2")]
    pub layer: Vec<WeightedLayer>,

    /// Longest side of the result in px, never more than the picture has.
    #[arg(long, value_name = "PX", value_parser = count, default_value_t = Preset::default().size())]
    #[arg(allow_hyphen_values = true)]
    pub size: usize,

    /// Steps of the optimiser; each is one pass forward and one back through the network.
    #[arg(long, value_name = "N", value_parser = count, default_value_t = STEPS)]
    #[arg(allow_hyphen_values = true, help_heading = "Optimisation")]
    pub steps: usize,

    /// Where to start.
    #[arg(long, value_enum, default_value_t = InitName::Noise, help_heading = "Optimisation")]
    pub init: InitName,

    /// Weight of the total variation, in units of the picture's; 0 for none. It decides what the layers leave open.
    #[arg(long, value_name = "WEIGHT", value_parser = weight, default_value_t = TV_WEIGHT)]
    #[arg(allow_hyphen_values = true, help_heading = "Optimisation")]
    pub tv_weight: f64,

    #[command(flatten)]
    pub synthesis: SynthesisArgs,
}

/// A start that knows nothing of the picture.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum InitName {
    /// White noise.
    Noise,
    /// Mid-grey.
    Grey,
}

/// Noise takes longer to settle than a photo that is painted.
const STEPS: usize = 200;

/// Slight: enough to settle what a layer does not see.
const TV_WEIGHT: f64 = 0.003;

/// Reconstructs and reports.
pub fn run(args: &ReconstructArgs, matches: &ArgMatches) -> Result<(), Failure> {
    let started = Instant::now();
    let size = SizeOptions { size: args.size, ..SizeOptions::default() };
    size.validate().or_user()?;
    let inputs = vec![args.photo.clone()];
    args.synthesis.check_output(&inputs).or_user()?;
    let (scaled, is_scaled) = input::load_scaled(&args.photo, &size, args.synthesis.reading()).or_user()?;
    let layers: Vec<Layer> = input::layers(&args.layer).collect();
    let (how, advice) = if is_scaled {
        (format!(" at --size {}", args.size), "; choose a larger --size")
    } else {
        (String::new(), "; take a larger picture")
    };
    input::check_sides(&args.photo, &scaled, &layers, &how, advice).or_user()?;
    let options = Options {
        reserved_bytes: args.synthesis.aside((scaled.width(), scaled.height())).or_user()?,
        steps: args.steps,
        content_weight: 1.0,
        style_weight: 0.0,
        tv_weight: args.tv_weight,
        content_layers: args.layer.clone(),
        init: match args.init {
            InitName::Noise => Init::Noise,
            InitName::Grey => Init::Image(impasto::Image::filled(scaled.width(), scaled.height(), [127.5; 3])),
        },
        // A smaller picture would tell what the layers know of that.
        scales: Scales::Count(1),
        ..args.synthesis.options()
    };
    options.validate().or_user()?;
    let size = (scaled.width(), scaled.height());
    let recipe = recipe::noted(Maker::Reconstruct, matches, &args.synthesis.output, size)?;
    synthesis::run(&args.synthesis, inputs, &options, recipe, started, |network| {
        Ok(Session::reconstruct(network, &scaled, &options)?)
    })
}
