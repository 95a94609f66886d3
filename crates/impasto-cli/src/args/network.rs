//! The network, and what computes it.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use impasto::{Objective, Options, Pooling, WeightedLayer};

use super::values::{count, name_of};

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

/// Layers as they are written on the command line.
fn layer_list(layers: &[WeightedLayer]) -> String {
    layers.iter().map(WeightedLayer::to_string).collect::<Vec<_>>().join(",")
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
