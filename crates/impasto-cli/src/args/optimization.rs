//! What is minimised, from which start, and how.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, ValueEnum, ValueHint};
use impasto::{
    BALANCED_WEIGHTS, DEFAULT_STRENGTH, Init, Objective, OptimizerKind, Options, PAPER_WEIGHTS, Padding, Preset,
    Scales, StyleLossKind,
};

use super::values::{count, name_of, scales, seed, strength, weight};

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

/// The help of a weight, whose default is the objective's.
fn with_default(help: &str, weight: usize) -> String {
    match (BALANCED_WEIGHTS[weight], PAPER_WEIGHTS[weight]) {
        (balanced, paper) if balanced == paper => format!("{help} [default: {balanced}]"),
        (balanced, paper) => format!("{help} [default: {balanced}, or {paper} with --objective paper]"),
    }
}

fn default_init() -> &'static str {
    match Options::default().init {
        Init::Noise => "noise",
        // No picture can be the default.
        Init::Content | Init::Image(_) => "content",
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
