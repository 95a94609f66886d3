//! How a picture is to look, and how it is computed: one field for each option.
//!
//! To add an option, add a field here and follow the compiler: [`resolve`](crate::resolve) takes
//! the group apart field by field. `docs/adding.md` walks through an example.

use impasto::{ColorMode, Objective, OptimizerKind, Padding, Pooling, Preset, Scales, StyleLossKind, WeightedLayer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::job::values::{Adjustment, Brush, Count, Factor, OutputSize, Seed, Strength, Weight};

/// How the picture is to look, and how it is computed.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::Args))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct JobOptions {
    /// Longest side of the result in px. It never exceeds the content's own unless --upscale is
    /// given. `original` keeps the content's size. [default: 512; 1024 with --preset fine]
    #[cfg_attr(feature = "clap", arg(long, value_name = "PX|original", help_heading = "Size"))]
    #[cfg_attr(feature = "clap", arg(allow_hyphen_values = true))]
    pub size: Option<OutputSize>,

    /// Let --size enlarge a content picture that is smaller. [default: off]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "clap", arg(long, help_heading = "Size"))]
    #[schemars(extend("x-kinds" = ["transfer", "sweep"]))]
    pub upscale: bool,

    /// Longest side of the style picture, as a multiple of the result's. Below 1 strokes are finer,
    /// above 1 coarser. A picture longer than 2:1 counts as a 2:1 picture with the same area.
    /// [default: 1]
    #[cfg_attr(feature = "clap", arg(long, value_name = "FACTOR", help_heading = "Size"))]
    #[cfg_attr(feature = "clap", arg(allow_hyphen_values = true))]
    #[schemars(extend("x-kinds" = ["transfer", "sweep"]))]
    pub style_scale: Option<Factor>,

    /// Longest side, in px, that the style is scaled to first. A smaller one gives finer
    /// structures. A style longer than 2:1 gets the area of a 2:1 picture of this side. [default:
    /// its own size, but at most that of the result; of a style file the largest size that it holds
    /// and that is not larger]
    #[cfg_attr(feature = "clap", arg(long, value_name = "PX", help_heading = "Size"))]
    #[cfg_attr(feature = "clap", arg(allow_hyphen_values = true))]
    #[schemars(extend("x-kinds" = ["texture"]))]
    pub style_size: Option<Count>,

    /// Make a picture that continues at the opposite side: copies of it meet without a seam. Its
    /// sides have to be multiples of 16 px, or of what the deepest of --style-layers needs.
    /// [default: off]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "clap", arg(long, help_heading = "Size"))]
    #[schemars(extend("x-kinds" = ["texture"]))]
    pub tileable: bool,

    /// Strengths to try. [default: 10,30,50,70,90 if nothing else is varied]
    #[cfg_attr(feature = "clap", arg(long, value_name = "0..100,...", value_delimiter = ','))]
    #[cfg_attr(feature = "clap", arg(allow_hyphen_values = true, help_heading = "Sweep"))]
    #[cfg_attr(feature = "clap", arg(conflicts_with_all = ["strength", "content_weight"]))]
    #[schemars(extend("x-kinds" = ["sweep"]))]
    pub strengths: Option<Vec<Strength>>,

    /// Style scales to try: longest sides of the style picture, as multiples of the result's.
    #[cfg_attr(feature = "clap", arg(long, value_name = "FACTOR,...", value_delimiter = ','))]
    #[cfg_attr(feature = "clap", arg(allow_hyphen_values = true, help_heading = "Sweep"))]
    #[cfg_attr(feature = "clap", arg(conflicts_with = "style_scale"))]
    #[schemars(extend("x-kinds" = ["sweep"]))]
    pub style_scales: Option<Vec<Factor>>,

    /// Whose colours the result has. [default: style]
    #[cfg_attr(feature = "clap", arg(long, value_enum, help_heading = "Colours"))]
    #[schemars(extend("x-kinds" = ["transfer", "sweep"]))]
    pub colors: Option<ColorMode>,

    /// How far the picture goes from the photo (0: hardly touched) to the style (100: the photo can
    /// barely be guessed). The same number gives the same look at every size. [default: 50]
    #[cfg_attr(feature = "clap", arg(long, value_name = "0..100", help_heading = "Optimisation"))]
    #[cfg_attr(feature = "clap", arg(allow_hyphen_values = true, conflicts_with = "content_weight"))]
    #[schemars(extend("x-kinds" = ["transfer", "sweep"]))]
    pub strength: Option<Strength>,

    /// How broad the strokes are, from fine (0) to broad (100). It moves the size of the style, the
    /// weights of its layers, and the size that the work begins at. The composition stays. The same
    /// number gives the same strokes at every size. [default: 50]
    #[cfg_attr(feature = "clap", arg(long, value_name = "0..100", help_heading = "Optimisation"))]
    #[cfg_attr(feature = "clap", arg(allow_hyphen_values = true))]
    #[schemars(extend("x-kinds" = ["transfer", "sweep"]))]
    pub brush: Option<Brush>,

    /// How much work goes into the picture. [default: standard]
    #[cfg_attr(feature = "clap", arg(long, value_enum, help_heading = "Optimisation"))]
    #[schemars(extend("x-kinds" = ["transfer", "sweep"]))]
    pub preset: Option<Preset>,

    /// Change the strength or the weight of the total variation after a step, as in
    /// 40:strength=70,tv-weight=0.1. The optimiser begins anew there, at the picture so far. May be
    /// given several times, in the order of the steps. [default: no change]
    #[cfg_attr(feature = "clap", arg(long, value_name = "STEP:CHANGE,...", help_heading = "Optimisation"))]
    #[cfg_attr(feature = "clap", arg(allow_hyphen_values = true))]
    #[schemars(extend("x-kinds" = ["transfer"]))]
    pub adjust: Option<Vec<Adjustment>>,

    /// Steps of the optimiser over all scales. Each is one pass forward and one back through the
    /// network. [default: 40 draft, 120 standard, 400 fine]
    #[cfg_attr(feature = "clap", arg(long, value_name = "N", help_heading = "Optimisation"))]
    #[cfg_attr(feature = "clap", arg(allow_hyphen_values = true))]
    pub steps: Option<Count>,

    /// How many sizes to work at, from coarse to fine. Each is half the next.
    /// [default: auto; 1 with --objective paper]
    #[cfg_attr(feature = "clap", arg(long, value_name = "auto|N", help_heading = "Optimisation"))]
    #[cfg_attr(feature = "clap", arg(allow_hyphen_values = true))]
    #[schemars(extend("x-kinds" = ["transfer", "sweep", "texture"]))]
    pub scales: Option<Scales>,

    /// End a scale when each of its last ten steps lowered the total by less than this part of it.
    /// 0 never ends it early. [default: 0.0001]
    #[cfg_attr(feature = "clap", arg(long, value_name = "PART", help_heading = "Optimisation"))]
    #[cfg_attr(feature = "clap", arg(allow_hyphen_values = true))]
    #[schemars(extend("x-kinds" = ["transfer", "sweep"]))]
    pub tolerance: Option<Weight>,

    /// What is minimised. [default: balanced]
    #[cfg_attr(feature = "clap", arg(long, value_enum, help_heading = "Optimisation"))]
    #[schemars(extend("x-kinds" = ["transfer", "sweep"]))]
    pub objective: Option<Objective>,

    /// How the style is compared. [default: moments; gram with --objective paper]
    #[cfg_attr(feature = "clap", arg(long, value_enum, help_heading = "Optimisation"))]
    #[schemars(extend("x-kinds" = ["transfer", "sweep", "texture"]))]
    pub style_loss: Option<StyleLossKind>,

    /// Weight alpha of the content loss. 0 leaves the content out (texture synthesis).
    /// [default: 0.3; 1 with --objective paper]
    #[cfg_attr(feature = "clap", arg(long, value_name = "ALPHA", help_heading = "Optimisation"))]
    #[cfg_attr(feature = "clap", arg(allow_hyphen_values = true))]
    #[schemars(extend("x-kinds" = ["transfer", "sweep"]))]
    pub content_weight: Option<Weight>,

    /// Weight beta of the style loss. 0 leaves the style out (content reconstruction).
    /// [default: 1; 0.001 with --objective paper]
    #[cfg_attr(feature = "clap", arg(long, value_name = "BETA", help_heading = "Optimisation"))]
    #[cfg_attr(feature = "clap", arg(allow_hyphen_values = true))]
    #[schemars(extend("x-kinds" = ["transfer", "sweep"]))]
    pub style_weight: Option<Weight>,

    /// Weight of the total variation, which smooths. 0 leaves it out.
    /// [default: 0.03; 0 with --objective paper]
    #[cfg_attr(feature = "clap", arg(long, value_name = "WEIGHT", help_heading = "Optimisation"))]
    #[cfg_attr(feature = "clap", arg(allow_hyphen_values = true))]
    pub tv_weight: Option<Weight>,

    /// Seed of the noise. The same seed gives the same picture, bit for bit. [default: 0]
    #[cfg_attr(feature = "clap", arg(long, value_name = "N", help_heading = "Optimisation"))]
    #[cfg_attr(feature = "clap", arg(allow_hyphen_values = true))]
    pub seed: Option<Seed>,

    /// The optimiser. [default: lbfgs]
    #[cfg_attr(feature = "clap", arg(long, value_enum, help_heading = "Optimisation"))]
    pub optimizer: Option<OptimizerKind>,

    /// What the network sees beyond the picture's border. [default: replicate; zero with
    /// --objective paper]
    #[cfg_attr(feature = "clap", arg(long, value_enum, help_heading = "Network"))]
    #[schemars(extend("x-kinds" = ["transfer", "sweep"]))]
    pub padding: Option<Padding>,

    /// Layers that the content is compared at, each with an optional weight (default 1): relu4_2 or
    /// conv4_2:2.5. All 16 convolutions of VGG-19 can be used, before (conv) or after (relu) the
    /// rectifier. [default: relu4_2,relu3_2:2,relu2_2:0.4; relu4_2 with --objective paper]
    #[cfg_attr(feature = "clap", arg(long, value_name = "LAYER[:WEIGHT],...", value_delimiter = ','))]
    #[cfg_attr(feature = "clap", arg(help_heading = "Network"))]
    #[schemars(extend("x-kinds" = ["transfer", "sweep", "reconstruct"]))]
    pub content_layers: Option<Vec<WeightedLayer>>,

    /// Layers that the style is compared at, written in the same way.
    /// [default: relu1_1,relu2_1,relu3_1,relu4_1,relu5_1]
    #[cfg_attr(feature = "clap", arg(long, value_name = "LAYER[:WEIGHT],...", value_delimiter = ','))]
    #[cfg_attr(feature = "clap", arg(help_heading = "Network"))]
    #[schemars(extend("x-kinds" = ["transfer", "sweep", "texture"]))]
    pub style_layers: Option<Vec<WeightedLayer>>,

    /// How the network halves its maps: by the largest of four values, or by their mean.
    /// [default: max]
    #[cfg_attr(feature = "clap", arg(long, value_enum, help_heading = "Network"))]
    pub pooling: Option<Pooling>,
}
