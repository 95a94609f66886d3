//! What can be asked of a run: every choice with its words, and the [`Options`] that hold them.
//!
//! A choice is an enum that is declared together with its words ([`impasto_engine::words!`]).
//! Files, a command line and reports all use these words. [`Options`] holds what a
//! [`Session`](crate::Session) needs, with a default for everything. [`Options::validate`] finds
//! what makes no sense before anything is computed.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use impasto_engine::{Image, Layer, Padding, Pooling, UnknownWord, as_text, words};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::brush::DEFAULT_BRUSH;
use crate::error::{Error, Result};
use crate::loss::strokes;
use crate::threads::check_threads;

/// Default alpha and beta of eq. (4) and default weight of eq. (5) with [`Objective::Balanced`].
/// Alpha is [`content_weight_at`] the default strength.
pub const BALANCED_WEIGHTS: [f64; 3] = [0.3, 1.0, 0.03];

/// Default strength: how far the picture goes from the photo (0) to the style (100).
pub const DEFAULT_STRENGTH: f64 = 50.0;

/// Strengths count as at least this far from 0 and from 100. At 0 the content weighs 2,400 times
/// the default and at 100 as many times less, so its weight is neither infinite nor 0.
const LEAST_STRENGTH: f64 = 2.0;

/// Default alpha and beta of eq. (4) and default weight of eq. (5) with [`Objective::Paper`]. The
/// raw style loss is large: relu4_1 alone begins near 1e11, while the content loss ends near 1e6.
pub const PAPER_WEIGHTS: [f64; 3] = [1.0, 1e-3, 0.0];

words! {
    /// How much is done for a picture.
    #[derive(Default)]
    pub enum Preset {
        /// The composition, in a third of the time of the standard.
        Draft => "draft",
        /// For the screen.
        #[default]
        Standard => "standard",
        /// For prints: larger, and until steps change little.
        Fine => "fine",
    }
}

impl Preset {
    /// Returns the number of steps over all scales.
    pub fn steps(self) -> usize {
        match self {
            Preset::Draft => 40,
            Preset::Standard => 120,
            Preset::Fine => 400,
        }
    }

    /// Returns the longest side of the result in pixels.
    pub fn size(self) -> usize {
        match self {
            Preset::Draft | Preset::Standard => 512,
            Preset::Fine => 1024,
        }
    }
}

/// A layer and the weight of its loss in eq. (4), written `relu4_1:2.5`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WeightedLayer {
    /// The layer.
    pub layer: Layer,
    /// Factor of the layer's loss: finite, above 0.
    pub weight: f64,
}

impl From<Layer> for WeightedLayer {
    /// Takes the layer with the weight 1.
    fn from(layer: Layer) -> Self {
        Self { layer, weight: 1.0 }
    }
}

impl FromStr for WeightedLayer {
    type Err = Error;

    /// Parses `relu4_1:2.5`, or `relu4_1` for the weight 1. Spaces around it, as in a list, do not
    /// count.
    fn from_str(s: &str) -> Result<Self> {
        let s = s.trim();
        let Some((name, weight)) = s.split_once(':') else {
            return Ok(s.parse::<Layer>()?.into());
        };
        let layer = name.parse()?;
        match weight.parse() {
            Ok(weight) if is_positive(weight) => Ok(Self { layer, weight }),
            _ => Err(Error::LayerWeight { layer, found: weight.to_owned() }),
        }
    }
}

impl fmt::Display for WeightedLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.weight == 1.0 { self.layer.fmt(f) } else { write!(f, "{}:{}", self.layer, self.weight) }
    }
}

as_text!(WeightedLayer);

#[cfg(feature = "schema")]
impl schemars::JsonSchema for WeightedLayer {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "WeightedLayer".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A layer of VGG-19 and the weight of its loss, a number above 0; 1 if it is left out.",
            "pattern": r"^(conv|relu)([12]_[12]|[345]_[1-4])(:[0-9.eE+-]+)?$",
            "examples": ["relu4_1", "conv4_2:2.5"],
        })
    }
}

words! {
    /// What is minimised.
    #[derive(Default)]
    pub enum Objective {
        /// Every loss in a unit that is measured at the start, so that the weights mean the same
        /// for every pair and size.
        ///
        /// This is eqs. (4) and (5) in those units. The unit of a style layer is its loss for the
        /// content picture. The unit of the content loss is the variance of the content's features,
        /// and the unit of the total variation is that of the content. So no layer drowns the
        /// others.
        #[default]
        Balanced => "balanced",
        /// The source paper's sum, to the letter: alpha * content + beta * style + weight * total
        /// variation.
        ///
        /// This is eq. (4) plus total variation, of raw losses.
        Paper => "paper",
    }
}

words! {
    /// How the style of a layer is compared.
    #[derive(Default)]
    pub enum StyleLossKind {
        /// Means and covariances of each layer's channels: clean, coherent strokes.
        #[default]
        Moments => "moments",
        /// Moments, and strokes that are matched one by one: longer strokes and cleaner edges.
        ///
        /// Every place of the picture is also drawn to the place of the style that is most like it.
        Strokes => "strokes",
        /// Gram matrices, as in the source paper.
        ///
        /// Eqs. (2) and (3).
        Gram => "gram",
    }
}

impl StyleLossKind {
    /// Returns the layers that the style is looked at for these style layers: those, and the layers
    /// whose positions are matched.
    pub fn layers(self, style_layers: &[WeightedLayer]) -> Vec<Layer> {
        style_layers.iter().map(|weighted| weighted.layer).chain(self.stroke_layers().iter().copied()).collect()
    }

    /// Returns the layers whose positions are matched.
    pub(crate) fn stroke_layers(self) -> &'static [Layer] {
        match self {
            Self::Strokes => strokes::layers(),
            Self::Moments | Self::Gram => &[],
        }
    }
}

/// How many sizes the picture is worked on at, from coarse to fine. Each is half the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scales {
    /// As many as make sense: the coarsest size still shows the photo's composition, and every mask
    /// still leaves something of every layer. It is one size if the start is a given picture.
    #[default]
    Auto,
    /// This many, at least 1.
    Count(usize),
}

impl Scales {
    /// The word for [`Scales::Auto`].
    const AUTO: &str = "auto";

    /// What can be given.
    const WORDS: [&str; 2] = [Self::AUTO, "a whole number of at least 1"];
}

impl FromStr for Scales {
    type Err = UnknownWord;

    /// Parses `auto`, or a whole number of at least 1.
    fn from_str(word: &str) -> std::result::Result<Self, UnknownWord> {
        match word.parse() {
            Ok(count) if count > 0 => Ok(Self::Count(count)),
            _ if word == Self::AUTO => Ok(Self::Auto),
            _ => Err(UnknownWord::new(word, &Self::WORDS)),
        }
    }
}

impl fmt::Display for Scales {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.pad(Self::AUTO),
            Self::Count(count) => count.fmt(f),
        }
    }
}

impl Serialize for Scales {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            Self::Auto => serializer.serialize_str(Self::AUTO),
            Self::Count(count) => count.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Scales {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum NumberOrWord {
            Number(i64),
            Word(String),
        }
        let found = match NumberOrWord::deserialize(deserializer)? {
            NumberOrWord::Number(number) => number.to_string(),
            NumberOrWord::Word(word) => word,
        };
        found.parse().map_err(de::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Scales {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Scales".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "How many sizes the picture is worked on at, from coarse to fine.",
            "oneOf": [{ "const": Scales::AUTO }, { "type": "integer", "minimum": 1 }],
        })
    }
}

/// `alpha(50) · ((100 - s) / s)²`: alpha of eq. (4) for a strength `s`, with
/// [`Objective::Balanced`].
///
/// The strength goes from 0 (hardly touched) to 100 (nearly pure style).
pub fn content_weight_at(strength: f64) -> f64 {
    let strength = strength.clamp(LEAST_STRENGTH, 100.0 - LEAST_STRENGTH);
    BALANCED_WEIGHTS[0] * ((100.0 - strength) / strength).powi(2)
}

words! {
    /// How the objective is minimised.
    #[derive(Default)]
    pub enum OptimizerKind {
        /// Limited-memory BFGS: fewer steps for the same loss.
        ///
        /// It stays within 0..255, and the loss never rises.
        #[default]
        Lbfgs => "lbfgs",
        /// Adam: less memory.
        ///
        /// Its pixels are clamped to 0..255.
        Adam => "adam",
    }
}

/// Where the picture starts.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Init {
    /// The content picture.
    #[default]
    Content,
    /// White noise, made from [`Options::seed`]: Gaussian around mid-grey with a standard deviation
    /// of 40 levels, clamped to 0..255.
    Noise,
    /// This picture, resized to the content's size if it has another.
    Image(Image),
}

/// Everything that a [`Session`](crate::Session) can be told.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Steps of the optimiser over all scales, at least 1. One step costs about one pass through
    /// the network and back at its scale. Default 120.
    pub steps: usize,
    /// alpha of eq. (4): finite, not negative. With 0 the run synthesises a texture.
    /// [`content_weight_at`] returns the weight for a strength. Default 0.3.
    pub content_weight: f64,
    /// beta of eq. (4): finite, not negative. With 0 the run reconstructs the content. Default 1.
    pub style_weight: f64,
    /// Weight of the total variation, eq. (5): finite, not negative. Default 0.03.
    pub tv_weight: f64,
    /// Layers that compare the content, each at most once. Default relu4_2, relu3_2:2 and
    /// relu2_2:0.4: the shallower ones keep faces.
    pub content_layers: Vec<WeightedLayer>,
    /// Layers that compare the style, each at most once. Default relu1_1, relu2_1, relu3_1,
    /// relu4_1, relu5_1.
    pub style_layers: Vec<WeightedLayer>,
    /// How broad the strokes are, 0 (fine) to 100 (broad). It moves the coarsest of
    /// [`Scales::Auto`] and the weights of the style layers.
    /// [`SizeOptions::brush`](crate::SizeOptions::brush) moves the size of the style besides.
    /// Default 50, which changes nothing.
    pub brush: f64,
    /// Where the picture starts. Default the content.
    pub init: Init,
    /// Seed of the noise. The same seed gives the same noise on every machine. Default 0.
    pub seed: u64,
    /// How the objective is minimised. Default L-BFGS.
    pub optimizer: OptimizerKind,
    /// How the network halves its maps. Default the maximum, as the network was trained.
    pub pooling: Pooling,
    /// What the network sees beyond the picture's border. Default the border's own pixels.
    pub padding: Padding,
    /// How the style is compared. Default by its moments.
    pub style_loss: StyleLossKind,
    /// How many sizes the picture is worked on at. Default automatic.
    pub scales: Scales,
    /// Least gain of a step, as a fraction of the objective: finite, not negative. A scale ends
    /// when its last ten steps gained less than this each. With 0 it never ends early. Default
    /// 1e-4.
    pub tolerance: f64,
    /// What is minimised. Default balanced.
    pub objective: Objective,
    /// Threads to work with, 1 to 1024, or `None` for one for each core. Results do not depend on
    /// it, unless memory is short ([`Options::plan_threads`]). Default `None`.
    pub threads: Option<usize>,
    /// Peak resident memory, in bytes, that the process may reach with a
    /// [`Session`](crate::Session), or `None` for as much as it takes.
    ///
    /// If a picture does not fit, it is evaluated in bands. The features are the same, except for
    /// the order of sums. If L-BFGS does not fit, it remembers fewer steps. Default `None`.
    pub memory: Option<u64>,
    /// Bytes of [`Options::memory`] that the caller needs while the session rests, between its
    /// steps and after the last one. Writing the picture takes
    /// [`SaveOptions::memory`](crate::picture::SaveOptions::memory), for example. Default 0.
    pub reserved_bytes: u64,
    /// Threads that the memory is planned for, or `None` for those at work. If memory is short, the
    /// plan depends on this number, and with it the last bits of gradients. Default `None`.
    pub plan_threads: Option<usize>,
    /// Folder for a file of the content's features that [`Options::memory`] does not hold. Without
    /// it they are computed again in every evaluation. The file has no name there, and disappears
    /// with the session or the process. Default `None`.
    pub feature_cache: Option<PathBuf>,
    /// Changes of the weights in the course of the run, by their steps. Default none.
    /// [`Session::adjust`](crate::Session::adjust) adds one.
    pub adjustments: Vec<Adjustment>,
}

/// A change of the objective's weights in the course of a run. From there the optimiser begins
/// anew at the picture so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Adjustment {
    /// Steps, over all scales, after which it is made.
    pub step: usize,
    /// alpha of eq. (4) from there on: finite, positive. `None`: as before.
    pub content_weight: Option<f64>,
    /// Weight of the total variation from there on: finite, not negative. `None`: as before.
    pub tv_weight: Option<f64>,
}

/// The weights of the objective that can be adjusted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Weights {
    pub(crate) content_weight: f64,
    pub(crate) tv_weight: f64,
}

impl Default for Options {
    fn default() -> Self {
        let [content_weight, style_weight, tv_weight] = BALANCED_WEIGHTS;
        Self {
            steps: Preset::default().steps(),
            content_weight,
            style_weight,
            tv_weight,
            content_layers: usual_layers(&["relu4_2", "relu3_2:2", "relu2_2:0.4"]),
            style_layers: usual_layers(&["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]),
            brush: DEFAULT_BRUSH,
            init: Init::default(),
            seed: 0,
            optimizer: OptimizerKind::default(),
            pooling: Pooling::default(),
            padding: Padding::Replicate,
            style_loss: StyleLossKind::default(),
            scales: Scales::default(),
            tolerance: 1e-4,
            objective: Objective::default(),
            threads: None,
            memory: None,
            reserved_bytes: 0,
            plan_threads: None,
            feature_cache: None,
            adjustments: vec![],
        }
    }
}

fn usual_layers(names: &[&str]) -> Vec<WeightedLayer> {
    names.iter().map(|name| name.parse().expect("a layer of VGG-19")).collect()
}

impl Options {
    /// Returns the defaults for an objective.
    ///
    /// For [`Objective::Paper`] they are the paper's layers and losses, zeros beyond the border,
    /// and one size from start to end.
    pub fn for_objective(objective: Objective) -> Self {
        match objective {
            Objective::Balanced => Self::default(),
            Objective::Paper => {
                let [content_weight, style_weight, tv_weight] = PAPER_WEIGHTS;
                Self {
                    objective,
                    content_weight,
                    style_weight,
                    tv_weight,
                    content_layers: usual_layers(&["relu4_2"]),
                    style_loss: StyleLossKind::Gram,
                    padding: Padding::Zero,
                    scales: Scales::Count(1),
                    ..Self::default()
                }
            }
        }
    }

    /// Returns the largest size, in bytes, of the file in [`Options::feature_cache`], for a content
    /// of this width and height and any memory.
    pub fn feature_cache_bytes(&self, width: usize, height: usize) -> u64 {
        let layers = self.content_layers.iter().filter(|_| self.content_weight > 0.0);
        let values = layers.map(|WeightedLayer { layer, .. }| {
            let halvings = layer.block() - 1;
            ((width >> halvings) * (height >> halvings) * layer.channels()) as u64
        });
        // Each value takes a bit more.
        values.sum::<u64>() * 33 / 8
    }

    /// Returns the layers at which the content counts, in their order.
    pub(crate) fn active_content_layers(&self) -> Vec<Layer> {
        let layers = self.content_layers.iter().filter(|_| self.content_weight > 0.0);
        layers.map(|weighted| weighted.layer).collect()
    }

    /// Returns the layers at which the style counts, in their order, and then those of matched
    /// strokes.
    pub(crate) fn active_style_layers(&self) -> Vec<Layer> {
        if self.style_weight > 0.0 { self.style_loss.layers(&self.style_layers) } else { vec![] }
    }

    /// Returns the layers whose positions are matched.
    pub(crate) fn stroke_layers(&self) -> &'static [Layer] {
        if self.style_weight > 0.0 { self.style_loss.stroke_layers() } else { &[] }
    }

    /// Returns the number of threads that memory is planned for, if so many are at work.
    pub(crate) fn planned_threads(&self, at_work: usize) -> usize {
        self.plan_threads.unwrap_or(at_work)
    }

    /// Checks that the options make sense.
    ///
    /// Errors: no steps; a weight that is negative or not finite; a layer given twice; a weight
    /// without layers that it could apply to; nothing to minimise; a number of threads outside
    /// 1..=1024.
    pub fn validate(&self) -> Result<()> {
        if self.steps == 0 {
            return Err(Error::option("steps", "is 0; give at least 1"));
        }
        for (option, weight) in [
            ("content_weight", self.content_weight),
            ("style_weight", self.style_weight),
            ("tv_weight", self.tv_weight),
        ] {
            if !(weight.is_finite() && weight >= 0.0) {
                return Err(Error::option(option, format!("is {weight}; give a finite number, 0 or above")));
            }
        }
        if !(self.tolerance.is_finite() && self.tolerance >= 0.0) {
            return Err(Error::option("tolerance", format!("is {}; give a finite number, 0 or above", self.tolerance)));
        }
        if !(0.0..=100.0).contains(&self.brush) {
            return Err(Error::option("brush", format!("is {}; give a number from 0 to 100", self.brush)));
        }
        if self.scales == Scales::Count(0) {
            return Err(Error::option("scales", "is 0; give at least 1"));
        }
        if self.content_weight == 0.0 && self.style_weight == 0.0 && self.tv_weight == 0.0 {
            return Err(Error::NothingToMinimise);
        }
        for (option, layers, weight) in [
            ("content_layers", &self.content_layers, self.content_weight),
            ("style_layers", &self.style_layers, self.style_weight),
        ] {
            check_layers(option, layers)?;
            if layers.is_empty() && weight > 0.0 {
                let weight_option = option.replace("layers", "weight");
                return Err(Error::option(
                    option,
                    format!("is empty while {weight_option} is {weight}; give a layer, or make {weight_option} 0"),
                ));
            }
        }
        self.check_adjustments()?;
        check_threads(self.threads)
    }

    /// Refuses adjustments that are out of order or that cannot be made.
    fn check_adjustments(&self) -> Result<()> {
        let refused = |problem: String| Err(Error::option("adjustments", problem));
        if self.adjustments.windows(2).any(|pair| pair[0].step > pair[1].step) {
            return refused("are not in the order of their steps; sort them".to_owned());
        }
        for &Adjustment { step, content_weight, tv_weight } in &self.adjustments {
            if content_weight.is_none() && tv_weight.is_none() {
                return refused(format!("change nothing after step {step}; give a weight, or leave it out"));
            }
            if let Some(weight) = content_weight.filter(|&weight| !is_positive(weight)) {
                return refused(format!("give the content the weight {weight}; give a finite number above 0"));
            }
            if content_weight.is_some() && self.content_weight == 0.0 {
                return refused("give the content a weight in a run without content; leave it out".to_owned());
            }
            if let Some(weight) = tv_weight.filter(|&weight| !(weight.is_finite() && weight >= 0.0)) {
                return refused(format!(
                    "give the total variation the weight {weight}; give a finite number, 0 or above"
                ));
            }
        }
        Ok(())
    }

    /// Returns the weights that count after the first `made` adjustments.
    pub(crate) fn weights(&self, made: usize) -> Weights {
        let Self { content_weight, tv_weight, .. } = *self;
        self.adjustments[..made].iter().fold(Weights { content_weight, tv_weight }, |before, adjustment| Weights {
            content_weight: adjustment.content_weight.unwrap_or(before.content_weight),
            tv_weight: adjustment.tv_weight.unwrap_or(before.tv_weight),
        })
    }
}

/// Refuses weights that are not above 0, and layers given twice.
pub(crate) fn check_layers(option: &'static str, layers: &[WeightedLayer]) -> Result<()> {
    for (i, &WeightedLayer { layer, weight }) in layers.iter().enumerate() {
        if !is_positive(weight) {
            return Err(Error::LayerWeight { layer, found: weight.to_string() });
        }
        if layers[..i].iter().any(|other| other.layer == layer) {
            return Err(Error::option(option, format!("has {layer} twice; give every layer once")));
        }
    }
    Ok(())
}

fn is_positive(weight: f64) -> bool {
    weight.is_finite() && weight > 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(options: Options) -> String {
        options.validate().unwrap_err().to_string()
    }

    #[test]
    fn defaults_are_valid() {
        for objective in [Objective::Balanced, Objective::Paper] {
            Options::for_objective(objective).validate().unwrap();
        }
        assert_eq!(Options::for_objective(Objective::default()), Options::default());
    }

    #[test]
    fn weighted_layers_parse_and_print() {
        for text in ["relu4_1:2.5", "conv1_1", "relu5_4:0.001"] {
            assert_eq!(text.parse::<WeightedLayer>().unwrap().to_string(), text);
        }
        assert_eq!("relu4_1:1".parse::<WeightedLayer>().unwrap().to_string(), "relu4_1");
        for weight in ["", "0", "-1", "nan", "inf", "much", "1e999"] {
            let error = format!("relu4_1:{weight}").parse::<WeightedLayer>().unwrap_err().to_string();
            assert_eq!(
                error,
                format!("the weight of relu4_1 is `{weight}`; give a finite number above 0, as in relu4_1:2.5")
            );
        }
        let error = "relu9_1:2".parse::<WeightedLayer>().unwrap_err().to_string();
        assert!(error.starts_with("no layer `relu9_1` in VGG-19; did you mean"), "{error}");
    }

    #[test]
    fn bad_numbers_are_refused_by_name() {
        let default = Options::default;
        assert_eq!(message(Options { steps: 0, ..default() }), "`steps` is 0; give at least 1");
        assert_eq!(
            message(Options { style_weight: f64::NAN, ..default() }),
            "`style_weight` is NaN; give a finite number, 0 or above"
        );
        for weight in [-1.0, f64::INFINITY, f64::NAN] {
            assert!(message(Options { content_weight: weight, ..default() }).starts_with("`content_weight` is "));
            assert!(message(Options { tv_weight: weight, ..default() }).starts_with("`tv_weight` is "));
        }
        assert_eq!(
            message(Options { threads: Some(0), ..default() }),
            "`threads` is 0; give 1 to 1024, or none for one per core"
        );
        assert!(message(Options { threads: Some(usize::MAX), ..default() }).starts_with("`threads` is "));
        assert_eq!(
            message(Options { tolerance: -1.0, ..default() }),
            "`tolerance` is -1; give a finite number, 0 or above"
        );
        for brush in [-1.0, 101.0, f64::NAN] {
            let found = message(Options { brush, ..default() });
            assert_eq!(found, format!("`brush` is {brush}; give a number from 0 to 100"));
        }
        assert_eq!(message(Options { scales: Scales::Count(0), ..default() }), "`scales` is 0; give at least 1");
    }

    #[test]
    fn the_dial_meets_the_default_and_never_turns_back() {
        assert_eq!(content_weight_at(DEFAULT_STRENGTH), Options::default().content_weight);
        let weights: Vec<f64> = (0..=100).map(|strength| content_weight_at(strength.into())).collect();
        assert!(weights.windows(2).all(|pair| pair[0] >= pair[1]) && weights[100] > 0.0 && weights[0].is_finite());
    }

    #[test]
    fn bad_layers_are_refused() {
        let twice = usual_layers(&["relu1_1", "relu2_1", "relu1_1:3"]);
        assert_eq!(
            message(Options { style_layers: twice, ..Options::default() }),
            "`style_layers` has relu1_1 twice; give every layer once"
        );
        let negative = vec![WeightedLayer { weight: -1.0, ..usual_layers(&["relu1_1"])[0] }];
        assert_eq!(
            message(Options { content_layers: negative, ..Options::default() }),
            "the weight of relu1_1 is `-1`; give a finite number above 0, as in relu1_1:2.5"
        );
        assert_eq!(
            message(Options { content_layers: vec![], ..Options::default() }),
            "`content_layers` is empty while content_weight is 0.3; give a layer, or make content_weight 0"
        );
    }

    #[test]
    fn losses_without_weight_need_no_layers_but_one_loss_must_stay() {
        Options { content_weight: 0.0, content_layers: vec![], ..Options::default() }.validate().unwrap();
        Options { style_weight: 0.0, style_layers: vec![], ..Options::default() }.validate().unwrap();
        let nothing = Options { content_weight: 0.0, style_weight: 0.0, tv_weight: 0.0, ..Options::default() };
        assert!(matches!(nothing.validate(), Err(Error::NothingToMinimise)));
        Options { tv_weight: 1.0, ..nothing }.validate().unwrap();
    }
}
