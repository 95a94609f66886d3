//! The files that a command line names, and what they come to as a job's inputs.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, ValueHint};
use impasto_job::job::inputs::{InitFrom, Inputs, StyleInput, StyleLook};
use impasto_job::job::paths::{AnyPath, AnyPaths};
use impasto_job::job::values::Weight;
use impasto_job::job::{from_map, to_map};
use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize, Serializer};
use serde_with::{DeserializeAs, SerializeAs, serde_as, skip_serializing_none};

/// The styles of `--style`.
#[derive(Args, Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[command(next_help_heading = "Styles and regions")]
#[serde(default, rename_all = "kebab-case")]
pub struct StylesArgs {
    /// A style, in place of the second name. Several styles are blended by their weights (default
    /// 1), or each has its part of --mask.
    #[arg(id = "styles", long = "style", value_name = "FILE[:WEIGHT]", value_parser = WeightedStyle::parser())]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub styles: Vec<WeightedStyle>,
}

/// Which parts of the photo are painted, and which styles go where.
#[serde_as]
#[skip_serializing_none]
#[derive(Args, Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[command(next_help_heading = "Styles and regions")]
#[serde(default, rename_all = "kebab-case")]
pub struct RegionArgs {
    /// Where on the photo the styles go. One style: white is painted, black is left to the content
    /// loss. Two styles: white is the first, black the second. More: red, green, blue, yellow,
    /// cyan, magenta, white, black, in their order. At soft edges both share. Without a mask
    /// several styles are blended.
    #[arg(long, value_name = "MASK", value_hint = ValueHint::FilePath)]
    #[serde_as(as = "Option<AnyPath>")]
    pub mask: Option<PathBuf>,

    /// Leave a part of the photo as it is: white is kept to the pixel, black is painted, greys
    /// blend.
    #[arg(long, value_name = "MASK", value_hint = ValueHint::FilePath)]
    #[serde_as(as = "Option<AnyPath>")]
    pub keep: Option<PathBuf>,
}

/// How style pictures are looked at.
#[derive(Args, Clone, Debug, Default)]
pub struct LookArgs {
    #[command(flatten)]
    pub look: StyleLook,
    #[command(flatten)]
    pub masks: StyleMaskArgs,
}

/// What counts of style pictures.
#[serde_as]
#[derive(Args, Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[command(next_help_heading = "Styles and regions")]
#[serde(default, rename_all = "kebab-case")]
pub struct StyleMaskArgs {
    /// A mask for each style picture, in their order: white counts, black does not. `none` is for
    /// a picture that counts as a whole.
    #[arg(long, value_name = "MASK|none", value_hint = ValueHint::FilePath)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[serde_as(as = "AnyPaths")]
    pub style_mask: Vec<PathBuf>,
}

/// Where a run starts.
#[skip_serializing_none]
#[derive(Args, Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct InitArgs {
    /// Where to start: from the `content`, from white `noise`, from mid-`grey`, or from a picture
    /// FILE, which is scaled to the result's size. [default: content]
    #[arg(long, value_name = "content|noise|grey|FILE", help_heading = "Optimisation")]
    #[arg(value_parser = OsStringValueParser::new().map(|name| InitFrom::from(PathBuf::from(name))))]
    #[arg(value_hint = ValueHint::AnyPath)]
    pub init: Option<InitFrom>,
}

/// The network's weights.
#[serde_as]
#[skip_serializing_none]
#[derive(Args, Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct WeightsArgs {
    /// A safetensors file with VGG-19's weights, by their own names (conv1_1.weight) or
    /// torchvision's (features.0.weight). [default: the weights in the program]
    #[arg(long, value_name = "FILE", help_heading = "Network", value_hint = ValueHint::FilePath)]
    #[serde_as(as = "Option<AnyPath>")]
    pub weights: Option<PathBuf>,
}

/// `painting.jpg:2`. It is written and read as this text.
#[derive(Clone, Debug, PartialEq)]
pub struct WeightedStyle {
    pub path: PathBuf,
    /// `None`: not said, 1.
    pub weight: Option<Weight>,
}

impl WeightedStyle {
    /// Reads `FILE[:WEIGHT]` from the command line.
    pub fn parser() -> impl TypedValueParser<Value = WeightedStyle> {
        OsStringValueParser::new().try_map(|text: OsString| WeightedStyle::try_from(PathBuf::from(text)))
    }
}

impl TryFrom<PathBuf> for WeightedStyle {
    type Error = &'static str;

    /// What follows the last colon is a weight if it is a number, else part of the name.
    fn try_from(text: PathBuf) -> Result<WeightedStyle, &'static str> {
        match split_weight(&text) {
            None => Ok(WeightedStyle { path: text, weight: None }),
            Some((path, weight)) => match Weight::new(weight) {
                Some(weight) => Ok(WeightedStyle { path, weight: Some(weight) }),
                None => Err("needs a weight that is a finite number of at least 0, as in painting.jpg:2"),
            },
        }
    }
}

/// What stands before the last colon, and the number behind it.
fn split_weight(text: &Path) -> Option<(PathBuf, f64)> {
    let bytes = text.as_os_str().as_encoded_bytes();
    let colon = bytes.iter().rposition(|&byte| byte == b':')?;
    let weight = std::str::from_utf8(&bytes[colon + 1..]).ok()?.parse().ok()?;
    Some((first_bytes(text, colon)?, weight))
}

/// The first bytes of a name, which need not be Unicode.
#[cfg(unix)]
fn first_bytes(text: &Path, count: usize) -> Option<PathBuf> {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    Some(OsStr::from_bytes(&text.as_os_str().as_bytes()[..count]).into())
}

#[cfg(not(unix))]
fn first_bytes(text: &Path, count: usize) -> Option<PathBuf> {
    Some(text.to_str()?.get(..count)?.into())
}

impl Serialize for WeightedStyle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        AnyPath::serialize_as(&self.clone().into(), serializer)
    }
}

impl<'de> Deserialize<'de> for WeightedStyle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<WeightedStyle, D::Error> {
        let text: PathBuf = AnyPath::deserialize_as(deserializer)?;
        WeightedStyle::try_from(text).map_err(de::Error::custom)
    }
}

impl From<WeightedStyle> for PathBuf {
    fn from(style: WeightedStyle) -> PathBuf {
        let WeightedStyle { path, weight } = style;
        // What follows the last colon of a name could be taken for its weight.
        let ends_in_a_number = split_weight(&path).is_some();
        let mut text = path.into_os_string();
        match weight {
            Some(weight) => text.push(format!(":{weight}")),
            None if ends_in_a_number => text.push(":1"),
            None => {}
        }
        text.into()
    }
}

impl From<WeightedStyle> for StyleInput {
    fn from(style: WeightedStyle) -> StyleInput {
        StyleInput { weight: style.weight, ..style.path.into() }
    }
}

/// The styles of a command line as they are looked at.
///
/// Errors: more masks than styles.
pub fn style_inputs(
    styles: impl IntoIterator<Item = WeightedStyle>,
    look: &LookArgs,
) -> anyhow::Result<Vec<StyleInput>> {
    let mut styles: Vec<StyleInput> = styles.into_iter().map(StyleInput::from).collect();
    look_at(&mut styles, look)?;
    Ok(styles)
}

/// Puts in how the styles are looked at; what is not said stays as it is.
///
/// Errors: more masks than styles.
pub fn look_at(styles: &mut [StyleInput], look: &LookArgs) -> anyhow::Result<()> {
    let style_mask = &look.masks.style_mask;
    if style_mask.len() > styles.len() {
        let (masks, count) = (style_mask.len(), styles.len());
        bail!("--style-mask is given {masks} times for {count} style(s); give one for each style, `none` for no mask");
    }
    for (style, mask) in styles.iter_mut().zip(style_mask) {
        style.mask = (mask != Path::new("none")).then(|| mask.clone().into());
    }
    for (i, style) in styles.iter_mut().enumerate() {
        // The rectangle is of the first style alone.
        let wanted = StyleLook { crop: look.look.crop.filter(|_| i == 0), ..look.look.clone() };
        let mut merged = to_map(&style.look);
        merged.extend(to_map(&wanted));
        style.look = from_map(merged)?;
    }
    Ok(())
}

/// Inputs without content and styles.
pub fn other_inputs(regions: &RegionArgs, init: &InitArgs, weights: &WeightsArgs) -> Inputs {
    Inputs {
        mask: regions.mask.clone().map(Into::into),
        keep: regions.keep.clone().map(Into::into),
        init: init.init.clone(),
        weights: weights.weights.clone().map(Into::into),
        ..Inputs::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_follows_the_last_colon_if_it_is_a_number() {
        let parsed = |text: &str| WeightedStyle::try_from(PathBuf::from(text));
        let WeightedStyle { path, weight } = parsed("a:b.jpg:2.5").unwrap();
        assert_eq!((path.to_str(), weight.map(Weight::get)), (Some("a:b.jpg"), Some(2.5)));
        assert_eq!(parsed("a:b.jpg").unwrap().weight, None);
        assert!(parsed("a.jpg:-1").is_err() && parsed("a.jpg:nan").is_err());
        for (path, weight) in [("a.jpg", None), ("a:3", None), ("a.jpg", Weight::new(2.0))] {
            let style = WeightedStyle { path: path.into(), weight };
            let again = WeightedStyle::try_from(PathBuf::from(style.clone())).unwrap();
            assert_eq!(
                (&again.path, again.weight.map_or(1.0, Weight::get)),
                (&style.path, weight.map_or(1.0, Weight::get))
            );
        }
    }
}
