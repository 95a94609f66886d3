//! The command line: what can be asked for, in which words. What it means is the library's `Options`.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use impasto::bench::Benchmark;
use impasto::image_io::{BitDepth, Format};
use impasto::{
    BALANCED_WEIGHTS, DEFAULT_STRENGTH, Init, Objective, OptimizerKind, Options, PAPER_WEIGHTS, Padding, Pooling,
    Preset, Scales, SizeOptions, StyleLossKind, WeightedLayer, image_io,
};

use crate::again::{AgainArgs, RecipeArgs};
use crate::batch::BatchArgs;
use crate::checkpoint::{CheckpointArgs, ResumeArgs};
use crate::colors::ColorArgs;
use crate::inspect::InspectArgs;
use crate::manual::{CompletionsArgs, ManArgs};
use crate::reconstruct::ReconstructArgs;
use crate::style_file::StyleFileArgs;
use crate::styles::{LookArgs, RegionArgs, WeightedStyle};
use crate::sweep::SweepArgs;
use crate::texture::TextureArgs;

const EXAMPLES: &str = "\
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
      The first where m.png is white, the second where it is black.
  impasto photo.jpg painting.jpg -o out.png --keep face.png
      All but what is white in face.png.
  impasto batch photos/*.jpg --style painting.jpg -o painted
      Every photo, each as painted/PHOTO-painting.png.
  impasto sweep photo.jpg painting.jpg -o sheet.png
      Small pictures of several strengths on one sheet, to choose from.
  impasto texture painting.jpg -o texture.png --tileable
      The painting's texture alone, to be laid side by side without a seam.
  impasto resume out.png.checkpoint
      On with a run that a crash, a power cut or Ctrl-C has broken off.
  impasto measure out.png --content photo.jpg --style painting.jpg --json
      The losses of a finished picture.
  impasto bench --size 512,1024
      How long a step takes on this machine.

Ctrl-C (or SIGTERM) ends the run after the current step and still writes the picture: exit status 0, and `interrupted` in \
the report. Where there are checkpoints (see --checkpoint), `impasto resume` goes on from there. Before the first step there \
is no picture yet and it leaves at once, as a second Ctrl-C does at any time: nothing is written, exit status 130.

Exit status: 0 the picture was written, 1 a failure such as a full disk, 2 an option or file that has to be changed, 130 left \
without a picture.";

const MEASURE_EXAMPLES: &str = "\
Examples:
  impasto measure out.png --content photo.jpg --style painting.jpg
  impasto measure out.png --content photo.jpg --style painting.jpg --style-size 512 --json";

const BENCH_EXAMPLES: &str = "\
Examples:
  impasto bench
  impasto bench --size 256,512,1920x1080 --runs 9 --json
  IMPASTO_ISA=avx2 impasto bench --threads 1 --layers

Rates count the operations of direct convolution (18 * channels in * channels out * pixels, forward and backward each), whatever \
the kernels make of them. Peak memory is the process's until then, as Linux counts it; elsewhere it is left out.

IMPASTO_ISA=portable|avx2|avx512 forces an instruction set, here and in every other use of the program.";

/// Paint a photo in the manner of a painting (neural style transfer, on the CPU).
///
/// The photo stays recognisable, while the structures, colours and strokes of the painting are laid over it. The network
/// (VGG-19) is part of the program: nothing is downloaded.
#[derive(Debug, Parser)]
#[command(
    name = "impasto",
    version,
    after_long_help = EXAMPLES,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true,
    max_term_width = 110
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    /// `None` under a subcommand.
    #[command(flatten)]
    pub files: Option<FileArgs>,
    #[command(flatten)]
    pub transfer: TransferArgs,
    #[command(flatten)]
    pub checkpoint: CheckpointArgs,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Batch(BatchArgs),
    Sweep(SweepArgs),
    Texture(TextureArgs),
    Reconstruct(ReconstructArgs),
    Inspect(InspectArgs),
    Measure(MeasureArgs),
    Bench(BenchArgs),
    Recipe(RecipeArgs),
    Again(AgainArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
    Style(StyleFileArgs),
    Resume(ResumeArgs),
}

/// The options of a transfer, whatever its files: all have defaults.
#[derive(Args, Debug)]
pub struct TransferArgs {
    #[command(flatten)]
    pub output: OutputArgs,

    #[command(flatten)]
    pub size: SizeArgs,

    #[command(flatten)]
    pub colors: ColorArgs,

    #[command(flatten)]
    pub regions: RegionArgs,

    #[command(flatten)]
    pub look: LookArgs,

    #[command(flatten)]
    pub optimization: OptimizationArgs,

    #[command(flatten)]
    pub network: NetworkArgs,

    /// Print nothing but errors (and the JSON object, where --json asks for it).
    #[arg(short, long, help_heading = "Reporting")]
    pub quiet: bool,

    /// Print the report as one JSON object on stdout instead of text. Progress stays on stderr.
    #[arg(long, help_heading = "Reporting")]
    pub json: bool,
}

#[derive(Args, Debug)]
pub struct FileArgs {
    /// The picture to be painted, usually a photo (PNG, JPEG, TIFF, WebP); `-` reads standard input.
    pub content: PathBuf,

    /// The picture whose manner is taken, usually a painting (PNG, JPEG, TIFF, WebP), or a file of `impasto style save`;
    /// `-` reads standard input.
    #[arg(required_unless_present = "styles", conflicts_with = "styles")]
    pub style: Option<PathBuf>,

    /// A style, in place of the second name; several are blended by their weights (default 1), or each has its part of --mask.
    #[arg(id = "styles", long = "style", value_name = "FILE[:WEIGHT]", value_parser = WeightedStyle::parser())]
    #[arg(help_heading = "Styles and regions")]
    pub styles: Vec<WeightedStyle>,

    /// Where the result goes; the extension (png, jpg, tif, webp) says as what. An existing file is replaced. `-` writes the
    /// picture to standard output and the report to standard error.
    #[arg(short, long, value_name = "OUT")]
    pub output: PathBuf,

    /// Also write the picture every N steps, with the step in its name: out-0050.png. [default: never]
    #[arg(long, value_name = "N", value_parser = count, allow_hyphen_values = true)]
    pub save_every: Option<usize>,
}

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
}

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

#[derive(Args, Debug)]
#[command(next_help_heading = "Optimisation")]
pub struct OptimizationArgs {
    #[arg(long, value_name = "0..100", value_parser = strength, allow_hyphen_values = true)]
    #[arg(conflicts_with = "content_weight")]
    #[arg(help = format!(
        "How far to go, from the photo (0: hardly touched) to the style (100: the photo can barely be guessed). The same number \
         gives the same look at every size. [default: {DEFAULT_STRENGTH}]"
    ))]
    pub strength: Option<f64>,

    /// How much is done.
    #[arg(long, value_enum, default_value_t = name_of(Preset::default()))]
    pub preset: PresetName,

    #[arg(long, value_name = "N", value_parser = count, allow_hyphen_values = true)]
    #[arg(help = format!(
        "Steps of the optimiser, over all scales; each is one pass forward and one back through the network. [default: {} draft, {} \
         standard, {} fine]",
        Preset::Draft.steps(),
        Preset::Standard.steps(),
        Preset::Fine.steps()
    ))]
    pub steps: Option<usize>,

    /// How many sizes to work at, from coarse to fine, each half the next. [default: auto, or 1 with --objective paper]
    #[arg(long, value_name = "auto|N", value_parser = scales, allow_hyphen_values = true)]
    pub scales: Option<Scales>,

    /// End a scale when its last ten steps lowered the total by less than this part of it each; 0 for never.
    #[arg(long, value_name = "PART", value_parser = weight, default_value_t = Options::default().tolerance)]
    #[arg(allow_hyphen_values = true)]
    pub tolerance: f64,

    /// What is minimised.
    #[arg(long, value_enum, default_value_t = name_of(Options::default().objective))]
    pub objective: ObjectiveName,

    /// How the style is compared. [default: moments, or gram with --objective paper]
    #[arg(long, value_enum)]
    pub style_loss: Option<StyleLossName>,

    #[arg(long, value_name = "ALPHA", value_parser = weight, allow_hyphen_values = true)]
    #[arg(help = with_default("Weight alpha of the content loss; 0 leaves the content out (texture synthesis).", 0))]
    pub content_weight: Option<f64>,

    #[arg(long, value_name = "BETA", value_parser = weight, allow_hyphen_values = true)]
    #[arg(help = with_default("Weight beta of the style loss; 0 leaves the style out (content reconstruction).", 1))]
    pub style_weight: Option<f64>,

    #[arg(long, value_name = "WEIGHT", value_parser = weight, allow_hyphen_values = true)]
    #[arg(help = with_default("Weight of the total variation, which smooths; 0 for none.", 2))]
    pub tv_weight: Option<f64>,

    /// Where to start: `content`, white `noise`, or a picture FILE, which is scaled to the result's size.
    #[arg(long, value_name = "content|noise|FILE", default_value = default_init())]
    #[arg(value_parser = OsStringValueParser::new().map(InitFrom::from), value_hint = ValueHint::AnyPath)]
    pub init: InitFrom,

    /// Seed of the noise: the same seed gives the same picture, bit for bit.
    #[arg(long, value_name = "N", value_parser = seed, default_value_t = Options::default().seed)]
    #[arg(allow_hyphen_values = true)]
    pub seed: u64,

    /// What the network sees beyond the picture's border. [default: replicate, or zero with --objective paper]
    #[arg(long, value_enum, help_heading = "Network")]
    pub padding: Option<PaddingName>,

    /// The optimiser.
    #[arg(long, value_enum, default_value_t = name_of(Options::default().optimizer))]
    pub optimizer: OptimizerName,
}

/// Options of everything that looks through the network.
#[derive(Args, Debug)]
#[command(next_help_heading = "Network")]
pub struct NetworkArgs {
    #[arg(long, value_name = "LAYER[:WEIGHT],...", value_delimiter = ',')]
    #[arg(help = format!(
        "Layers on which the content is compared, each with an optional weight (default 1): relu4_2 or conv4_2:2.5. All 16 \
         convolutions of VGG-19 can be used, before (conv) or after (relu) the rectifier. [default: {} to minimise the balanced \
         objective, else {}]",
        layer_list(&Options::default().content_layers),
        layer_list(&Options::for_objective(Objective::Paper).content_layers)
    ))]
    pub content_layers: Option<Vec<WeightedLayer>>,

    /// Layers on which the style is compared, written in the same way.
    #[arg(long, value_name = "LAYER[:WEIGHT],...", value_delimiter = ',', default_values_t = Options::default().style_layers)]
    pub style_layers: Vec<WeightedLayer>,

    #[command(flatten)]
    pub engine: EngineArgs,
}

/// Options of everything that runs the network.
#[derive(Args, Debug)]
#[command(next_help_heading = "Network")]
pub struct EngineArgs {
    /// How the network halves its maps: the largest of four values, or their mean.
    #[arg(long, value_enum, default_value_t = name_of(Options::default().pooling))]
    pub pooling: PoolingName,

    /// A safetensors file with VGG-19's weights, by their own names (conv1_1.weight) or torchvision's (features.0.weight).
    /// [default: the weights in the program]
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,

    /// Threads to compute with; the result is the same at any number. [default: one for each core]
    #[arg(long, value_name = "N", value_parser = count, allow_hyphen_values = true)]
    pub threads: Option<usize>,
}

/// Print the losses of any picture: content, style and total variation, by layer and without alpha and beta.
///
/// A picture of the content's size is measured as it is; if the sizes differ, the content is scaled to the picture's. The
/// style keeps its own size unless --style-size is given.
#[derive(Args, Debug)]
#[command(after_long_help = MEASURE_EXAMPLES)]
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

/// Print how long one iteration takes on this machine: forward pass, losses and image gradient, on noise.
///
/// That is what every step of a run does, but for its optimiser: Gram losses at relu1_1, relu2_1, relu3_1, relu4_1 and relu5_1,
/// content loss at relu4_2. Times are medians; one iteration more, the first, is not counted.
#[derive(Args, Debug)]
#[command(after_long_help = BENCH_EXAMPLES)]
pub struct BenchArgs {
    /// Sizes of the image in px, a side or WIDTHxHEIGHT; the smallest is run first, so that each has a peak memory of its own.
    #[arg(long, value_name = "PX|WxH,...", value_delimiter = ',', default_values_t = [BenchSize::square(512)])]
    #[arg(allow_hyphen_values = true)]
    pub size: Vec<BenchSize>,

    /// Iterations that are counted, for each size.
    #[arg(long, value_name = "N", value_parser = count, default_value_t = 5, allow_hyphen_values = true)]
    pub runs: usize,

    #[command(flatten)]
    pub engine: EngineArgs,

    /// Print each convolution's times as well, medians too.
    #[arg(long, help_heading = "Reporting")]
    pub layers: bool,

    /// Print one JSON object a line for each size instead of a table.
    #[arg(long, help_heading = "Reporting")]
    pub json: bool,
}

/// A size that can be benchmarked, in px.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BenchSize {
    pub width: usize,
    pub height: usize,
}

impl BenchSize {
    const fn square(side: usize) -> BenchSize {
        BenchSize { width: side, height: side }
    }
}

impl fmt::Display for BenchSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.width, self.height) {
            (width, height) if width == height => write!(f, "{width}"),
            (width, height) => write!(f, "{width}x{height}"),
        }
    }
}

impl FromStr for BenchSize {
    type Err = String;

    /// `512` or `768x512`.
    fn from_str(text: &str) -> Result<BenchSize, String> {
        let (width, height) = text.split_once('x').unwrap_or((text, text));
        let (Ok(width), Ok(height)) = (width.parse(), height.parse()) else {
            return Err("needs px, as in 512 or 768x512".to_owned());
        };
        let least = Benchmark::min_side();
        if least > Ord::min(width, height) {
            return Err(format!("needs at least {least} px a side"));
        }
        // What cannot be a picture is no size to measure.
        let most = image_io::MAX_PIXELS;
        if (width as u64).checked_mul(height as u64).is_none_or(|pixels| pixels > most) {
            return Err(format!("needs at most {} megapixels", most / 1_000_000));
        }
        Ok(BenchSize { width, height })
    }
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

/// The start of the run, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InitFrom {
    Content,
    Noise,
    File(PathBuf),
}

impl From<OsString> for InitFrom {
    fn from(name: OsString) -> InitFrom {
        match name.to_str() {
            Some("content") => InitFrom::Content,
            Some("noise") => InitFrom::Noise,
            _ => InitFrom::File(name.into()),
        }
    }
}

/// The help of a weight, whose default is the objective's.
fn with_default(help: &str, weight: usize) -> String {
    match (BALANCED_WEIGHTS[weight], PAPER_WEIGHTS[weight]) {
        (balanced, paper) if balanced == paper => format!("{help} [default: {balanced}]"),
        (balanced, paper) => format!("{help} [default: {balanced}, or {paper} with --objective paper]"),
    }
}

/// Layers as they are written on the command line.
fn layer_list(layers: &[WeightedLayer]) -> String {
    layers.iter().map(WeightedLayer::to_string).collect::<Vec<_>>().join(",")
}

fn default_init() -> &'static str {
    match Options::default().init {
        Init::Noise => "noise",
        // No picture can be the default.
        Init::Content | Init::Image(_) => "content",
    }
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

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum PresetName {
    /// The composition, in a third of the time of the standard.
    Draft,
    /// For the screen.
    Standard,
    /// For prints: larger, and until steps change little.
    Fine,
}

impl From<PresetName> for Preset {
    fn from(name: PresetName) -> Preset {
        match name {
            PresetName::Draft => Preset::Draft,
            PresetName::Standard => Preset::Standard,
            PresetName::Fine => Preset::Fine,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum StyleLossName {
    /// Means and covariances of each layer's channels: clean, coherent strokes.
    Moments,
    /// Gram matrices, as in the source paper.
    Gram,
}

impl From<StyleLossName> for StyleLossKind {
    fn from(name: StyleLossName) -> StyleLossKind {
        match name {
            StyleLossName::Moments => StyleLossKind::Moments,
            StyleLossName::Gram => StyleLossKind::Gram,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum PaddingName {
    /// The border's own pixels: nothing happens there.
    Replicate,
    /// Zeros (the mean colour), as the network was trained.
    Zero,
}

impl From<PaddingName> for Padding {
    fn from(name: PaddingName) -> Padding {
        match name {
            PaddingName::Replicate => Padding::Replicate,
            PaddingName::Zero => Padding::Zero,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum OptimizerName {
    /// Limited-memory BFGS: fewer steps for the same loss.
    Lbfgs,
    /// Adam: less memory.
    Adam,
}

impl From<OptimizerName> for OptimizerKind {
    fn from(name: OptimizerName) -> OptimizerKind {
        match name {
            OptimizerName::Lbfgs => OptimizerKind::Lbfgs,
            OptimizerName::Adam => OptimizerKind::Adam,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum PoolingName {
    /// The largest of each 2x2 values, as VGG-19 was trained.
    Max,
    /// The mean of each 2x2 values: smoother.
    Avg,
}

impl From<PoolingName> for Pooling {
    fn from(name: PoolingName) -> Pooling {
        match name {
            PoolingName::Max => Pooling::Max,
            PoolingName::Avg => Pooling::Average,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ObjectiveName {
    /// Every loss in a unit that is measured at the start, so that the weights mean the same for every pair and size.
    Balanced,
    /// The source paper's sum, to the letter: alpha * content + beta * style + weight * total variation.
    Paper,
}

impl From<ObjectiveName> for Objective {
    fn from(name: ObjectiveName) -> Objective {
        match name {
            ObjectiveName::Balanced => Objective::Balanced,
            ObjectiveName::Paper => Objective::Paper,
        }
    }
}

/// The command line's word for a value of the library.
pub fn name_of<N: ValueEnum + Copy + Into<T>, T: PartialEq>(value: T) -> N {
    *N::value_variants()
        .iter()
        .find(|&&name| name.into() == value)
        .expect("the library's default has a name on the command line")
}

pub fn count(text: &str) -> Result<usize, &'static str> {
    text.parse().ok().filter(|&n| n > 0).ok_or("needs a whole number of at least 1")
}

fn output_size(text: &str) -> Result<OutputSize, &'static str> {
    match text {
        "original" => Ok(OutputSize::Original),
        _ => count(text).map(OutputSize::Longest).map_err(|_| "needs a whole number of at least 1, or `original`"),
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

pub fn seed(text: &str) -> Result<u64, &'static str> {
    text.parse().map_err(|_| "needs a whole number from 0 to 18446744073709551615")
}

pub fn weight(text: &str) -> Result<f64, &'static str> {
    text.parse().ok().filter(|&w: &f64| w.is_finite() && w >= 0.0).ok_or("needs a finite number of at least 0")
}

pub fn strength(text: &str) -> Result<f64, &'static str> {
    text.parse().ok().filter(|s| (0.0..=100.0).contains(s)).ok_or("needs a number from 0 to 100")
}

pub fn scales(text: &str) -> Result<Scales, &'static str> {
    match text {
        "auto" => Ok(Scales::Auto),
        _ => count(text).map(Scales::Count).map_err(|_| "needs `auto`, or a whole number of at least 1"),
    }
}

pub fn factor(text: &str) -> Result<f64, &'static str> {
    text.parse().ok().filter(|&f: &f64| f.is_finite() && f > 0.0).ok_or("needs a finite number above 0")
}
