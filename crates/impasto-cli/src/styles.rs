//! Styles, and where each goes: their options and what is read for them.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};
use impasto::picture::{self, Picture};
use impasto::{
    ColorMode, Image, Layer, Mask, Options, PictureRole, SizeOptions, Style, StylePicture, StyleSource,
    StyleStatistics, Subject,
};

use crate::args::FileArgs;
use crate::input::{self, Reading};

/// How a style picture is looked at.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Styles and regions")]
pub struct LookArgs {
    /// Average the style over copies of the picture: 2 or 4 turned by equal angles, or 8, of which 4 are mirrored. Strokes then run in more
    /// directions.
    #[arg(long, value_name = "1|2|4|8", value_parser = rotations, default_value_t = 1, allow_hyphen_values = true)]
    pub style_rotations: usize,

    /// Take only this rectangle of the (first) style picture: its left and upper edge, width and height, in px of the file or in percent, as in
    /// 10%,0%,50%,50%.
    #[arg(long, value_name = "X,Y,W,H", allow_hyphen_values = true)]
    pub style_crop: Option<Crop>,

    /// A mask for each style picture, in their order: white counts, black does not; `none` for a picture that counts as a whole.
    #[arg(long, value_name = "MASK|none")]
    pub style_mask: Vec<PathBuf>,
}

/// Which parts of the photo are painted, and which styles go where.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Styles and regions")]
pub struct RegionArgs {
    /// Where on the photo the styles go. One style: white is painted, black is left to the content loss. Two: white is the first, black the
    /// second. More: red, green, blue, yellow, cyan, magenta, white, black, in their order. Soft edges share. Without a mask several styles are
    /// blended.
    #[arg(long, value_name = "MASK")]
    pub mask: Option<PathBuf>,

    /// Leave a part of the photo as it is: white is kept to the pixel, black is painted, greys blend.
    #[arg(long, value_name = "MASK")]
    pub keep: Option<PathBuf>,
}

/// `painting.jpg:2`.
#[derive(Clone, Debug, PartialEq)]
pub struct WeightedStyle {
    pub path: PathBuf,
    /// `None`: not said, 1.
    pub weight: Option<f64>,
}

impl WeightedStyle {
    /// What follows the last colon is a weight if it is a number, else part of the name.
    pub fn parser() -> impl TypedValueParser<Value = WeightedStyle> {
        OsStringValueParser::new().try_map(|text: OsString| {
            let split = text.to_str().and_then(|text| text.rsplit_once(':'));
            match split.and_then(|(path, weight)| Some((path, weight.parse::<f64>().ok()?))) {
                None => Ok(WeightedStyle { path: text.into(), weight: None }),
                Some((path, weight)) if weight.is_finite() && weight >= 0.0 => {
                    Ok(WeightedStyle { path: path.into(), weight: Some(weight) })
                }
                Some(_) => Err("needs a weight that is a finite number of at least 0, as in painting.jpg:2"),
            }
        })
    }
}

/// A rectangle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crop {
    /// Left, upper, width, height.
    sides: [f64; 4],
    /// Of the picture's sides, instead of px.
    percent: bool,
}

impl FromStr for Crop {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Crop, &'static str> {
        const NEEDED: &str = "needs four numbers of px, as in 100,50,300,200, or of percent, as in 10%,0%,50%,50%";
        let parts: Vec<&str> = text.split(',').collect();
        let percent = parts.iter().all(|part| part.ends_with('%'));
        let number = |part: &str| -> Option<f64> {
            let digits = if percent { part.strip_suffix('%')? } else { part };
            let number: f64 = digits.parse().ok()?;
            (number.is_finite() && number >= 0.0 && (percent || number.fract() == 0.0)).then_some(number)
        };
        let sides: Option<Vec<f64>> = parts.iter().map(|part| number(part)).collect();
        match sides.as_deref() {
            Some(&[x, y, width, height]) if width > 0.0 && height > 0.0 => {
                Ok(Crop { sides: [x, y, width, height], percent })
            }
            _ => Err(NEEDED),
        }
    }
}

impl fmt::Display for Crop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = if self.percent { "%" } else { "" };
        let [x, y, width, height] = self.sides;
        write!(f, "{x}{unit},{y}{unit},{width}{unit},{height}{unit}")
    }
}

impl Crop {
    /// Left, upper, width, height in px of a picture.
    fn within(&self, path: &Path, width: usize, height: usize) -> anyhow::Result<[usize; 4]> {
        let of = |i: usize, side: usize| {
            if self.percent { (self.sides[i] / 100.0 * side as f64).round() } else { self.sides[i] }
        };
        let [x, y, w, h] = [of(0, width), of(1, height), of(2, width), of(3, height)];
        if x + w > width as f64 || y + h > height as f64 || w < 1.0 || h < 1.0 {
            bail!("--style-crop {self} is not inside {}, which is {width}x{height} px; give less", path.display());
        }
        Ok([x, y, w, h].map(|v| v as usize))
    }
}

/// The values of `[H, W, N]` inside a rectangle.
fn cut<const N: usize>(values: &[f32], width: usize, [x, y, w, h]: [usize; 4]) -> Vec<f32> {
    (y..y + h).flat_map(|row| &values[(row * width + x) * N..][..w * N]).copied().collect()
}

fn rotations(text: &str) -> Result<usize, &'static str> {
    text.parse().ok().filter(|n| [1, 2, 4, 8].contains(n)).ok_or("needs 1, 2, 4 or 8")
}

/// A style as it was read, before its size is known.
pub enum Source {
    Picture(StylePicture),
    Statistics(Arc<StyleStatistics>),
}

/// The styles of the command line, in their order: those of `--style`, or the second name.
pub fn named(files: &FileArgs) -> Vec<WeightedStyle> {
    let positional = files.style.iter().map(|path| WeightedStyle { path: path.clone(), weight: None });
    positional.chain(files.styles.iter().cloned()).collect()
}

/// Every file that is read for the styles and regions.
pub fn paths(styles: &[WeightedStyle], look: &LookArgs, regions: &RegionArgs) -> Vec<PathBuf> {
    let masks = look.style_mask.iter().filter(|path| !is_none(path));
    let styles = styles.iter().map(|style| style.path.clone());
    styles.chain(masks.chain(&regions.mask).chain(&regions.keep).cloned()).collect()
}

fn is_none(path: &Path) -> bool {
    path == Path::new("none")
}

/// How each of the styles is looked at.
///
/// Errors: more masks than styles.
pub fn looks(styles: &[WeightedStyle], look: &LookArgs) -> anyhow::Result<Vec<LookArgs>> {
    if look.style_mask.len() > styles.len() {
        let (masks, count) = (look.style_mask.len(), styles.len());
        bail!("--style-mask is given {masks} times for {count} style(s); give one for each style, `none` for no mask");
    }
    let of = |i| LookArgs {
        style_rotations: look.style_rotations,
        style_crop: look.style_crop.filter(|_| i == 0),
        style_mask: look.style_mask.get(i).into_iter().cloned().collect(),
    };
    Ok((0..styles.len()).map(of).collect())
}

/// Reads the styles, each when it is asked for: several in full take memory.
///
/// Errors: as [`looks`].
pub fn load<'a>(
    styles: &'a [WeightedStyle],
    look: &LookArgs,
    reading: Reading,
) -> anyhow::Result<impl Iterator<Item = anyhow::Result<Source>> + use<'a>> {
    let looks = looks(styles, look)?;
    Ok(styles.iter().zip(looks).map(move |(style, look)| load_one(style, &look, reading)))
}

/// Reads a style; `look` is its own.
pub fn load_one(style: &WeightedStyle, look: &LookArgs, reading: Reading) -> anyhow::Result<Source> {
    let path = &style.path;
    let mask = look.style_mask.first().filter(|mask| !is_none(mask));
    if !input::is_stream(path) && StyleStatistics::is_style_file(path)? {
        if mask.is_some() || look.style_crop.is_some() || look.style_rotations > 1 {
            let name = path.display();
            bail!(
                "{name} is a style file; --style-mask, --style-crop and --style-rotations go with `impasto style save`"
            );
        }
        return Ok(Source::Statistics(Arc::new(StyleStatistics::load(path)?)));
    }
    picture(path, mask.map(PathBuf::as_path), look.style_crop, look.style_rotations, reading).map(Source::Picture)
}

/// Reads a style picture and cuts it.
pub fn picture(
    path: &Path,
    mask: Option<&Path>,
    crop: Option<Crop>,
    rotations: usize,
    reading: Reading,
) -> anyhow::Result<StylePicture> {
    let Picture { image, alpha, .. } = input::load(path, reading)?;
    let mask =
        mask.map(|mask| load_mask(mask, path, &image, reading)).transpose()?.map(|mask| Mask::from_brightness(&mask));
    let picture = StylePicture { opacity: alpha, mask, rotations, ..image.into() };
    let Some(crop) = crop else {
        return Ok(picture);
    };
    let (width, height) = (picture.image.width(), picture.image.height());
    let rectangle = crop.within(path, width, height)?;
    let [_, _, w, h] = rectangle;
    let cut_mask = |mask: Mask| Mask::new(w, h, cut::<1>(mask.resized(width, height).as_slice(), width, rectangle));
    Ok(StylePicture {
        image: Image::new(w, h, cut::<3>(picture.image.as_slice(), width, rectangle)),
        opacity: picture.opacity.map(cut_mask),
        mask: picture.mask.map(cut_mask),
        rotations,
    })
}

/// How far the shapes of a mask and its picture may differ, as a part of it: sides are rounded to whole pixels.
const SHAPE_TOLERANCE: f64 = 0.02;

/// Reads a mask of the shape of a picture.
fn load_mask(path: &Path, picture_path: &Path, picture: &Image, reading: Reading) -> anyhow::Result<Image> {
    let mask = picture::load_within(path, reading.memory)?.image;
    let shape = |image: &Image| image.width() as f64 / image.height() as f64;
    if (shape(&mask) / shape(picture) - 1.0).abs() > SHAPE_TOLERANCE {
        bail!(
            "{} is {}x{} px, {} {}x{} px; a mask needs its picture's shape",
            path.display(),
            mask.width(),
            mask.height(),
            picture_path.display(),
            picture.width(),
            picture.height()
        );
    }
    Ok(mask)
}

/// The styles at the size that they are worked on, each in its region.
pub fn scaled(
    sources: impl IntoIterator<Item = anyhow::Result<Source>>,
    files: &FileArgs,
    regions: &RegionArgs,
    size: &SizeOptions,
    options: &Options,
    content: &Image,
    reading: Reading,
) -> anyhow::Result<Vec<Style>> {
    let named = named(files);
    let longest = size.style_longest(content.width().max(content.height()))?;
    let mut styles = Vec::new();
    for (source, WeightedStyle { path, weight }) in sources.into_iter().zip(&named) {
        let style = match source? {
            Source::Statistics(statistics) => Style::from_statistics(statistics, longest),
            Source::Picture(picture) => resized(path, picture, longest, size, options)?.into(),
        };
        styles.push(style.with_weight(weight.unwrap_or(1.0)));
    }
    in_regions(styles, &named, regions, &files.content, content, reading)
}

/// The styles, each in its part of the mask of `content`, if there is one.
pub fn in_regions(
    styles: Vec<Style>,
    named: &[WeightedStyle],
    regions: &RegionArgs,
    content_path: &Path,
    content: &Image,
    reading: Reading,
) -> anyhow::Result<Vec<Style>> {
    let Some(path) = &regions.mask else {
        return Ok(styles);
    };
    if styles.len() > 1 && named.iter().any(|style| style.weight.is_some()) {
        bail!("weights of --style blend styles; with --mask each has a part of its own, so leave the weights out");
    }
    let mask = load_mask(path, content_path, content, reading)?;
    let masks = Mask::of_styles(&mask, styles.len()).with_context(|| path.display().to_string())?;
    Ok(styles.into_iter().zip(masks).map(|(style, mask)| style.with_region(mask)).collect())
}

/// A style picture with `longest` pixels on its longest side.
pub fn resized(
    path: &Path,
    picture: StylePicture,
    longest: usize,
    size: &SizeOptions,
    options: &Options,
) -> anyhow::Result<StylePicture> {
    let own = (picture.image.width(), picture.image.height());
    let target = picture::fit(own.0, own.1, longest);
    let is_scaled = target != own;
    let (how, advice) = if is_scaled {
        let how = format!(" at --size {} and --style-scale {}", size.size, size.style_scale);
        (how, "; choose a larger --style-scale or --size")
    } else {
        (String::new(), "; take a larger picture")
    };
    // A style without weight is not looked at.
    let layers: Vec<Layer> =
        if options.style_weight > 0.0 { input::layers(&options.style_layers).collect() } else { vec![] };
    brought_to(path, picture, target, &layers, &how, advice)
}

/// A style picture in some width and height, of which every layer sees something.
///
/// `how`, `advice`: as in [`input::check_sides`].
pub fn brought_to(
    path: &Path,
    picture: StylePicture,
    (width, height): (usize, usize),
    layers: &[Layer],
    how: &str,
    advice: &str,
) -> anyhow::Result<StylePicture> {
    let visible = Picture { alpha: picture.opacity, ..Picture::new(picture.image) };
    let Picture { image, alpha: opacity, .. } = visible.resized(width, height);
    input::check_sides(path, &image, layers, how, advice)?;
    Ok(StylePicture { image, opacity, mask: picture.mask, rotations: picture.rotations })
}

/// The styles in the colours that the transfer is to see.
///
/// Errors: colours asked for that are taken from the style's pixels, of a style that has none.
pub fn recolored(styles: Vec<Style>, files: &FileArgs, mode: ColorMode, content: &Image) -> anyhow::Result<Vec<Style>> {
    if matches!(mode, ColorMode::Style | ColorMode::Content) {
        return Ok(styles);
    }
    let recolored = |(style, named): (Style, WeightedStyle)| match style.source {
        StyleSource::Picture(picture) => {
            let image = mode.prepare_style(content, &picture.image);
            Ok(Style { source: StyleSource::Picture(StylePicture { image, ..picture }), ..style })
        }
        StyleSource::Statistics { .. } => bail!(
            "{} is a style file, whose colours are fixed; --colors style and --colors content go with it",
            named.path.display()
        ),
    };
    styles.into_iter().zip(named(files)).map(recolored).collect()
}

/// What is painted of the photo, in the colours that the transfer is to see.
pub fn subject(
    path: &Path,
    regions: &RegionArgs,
    content: &Picture,
    mode: ColorMode,
    reading: Reading,
) -> anyhow::Result<Subject> {
    let keep = regions.keep.as_ref().map(|mask| load_mask(mask, path, &content.image, reading)).transpose()?;
    Ok(Subject {
        content: mode.prepare_content(&content.image),
        opacity: content.alpha.clone(),
        keep: keep.map(|mask| Mask::from_brightness(&mask)),
    })
}

/// The error of a session with the name of the file that it is about, which the library does not know.
pub fn with_name(error: impasto::Error, named: &[WeightedStyle], regions: &RegionArgs) -> anyhow::Error {
    let file = match &error {
        impasto::Error::UnfitStatistics { style, .. } => named.get(style - 1).map(|style| style.path.clone()),
        impasto::Error::MaskVanishes { input: PictureRole::Mask, .. } => regions.mask.clone().or(regions.keep.clone()),
        _ => None,
    };
    match file {
        Some(file) => anyhow::Error::from(error).context(file.display().to_string()),
        None => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crops_are_of_px_or_percent_and_inside() {
        let crop: Crop = "2,1,3,2".parse().unwrap();
        assert_eq!(crop.within(Path::new("s.png"), 5, 3).unwrap(), [2, 1, 3, 2]);
        let message = crop.within(Path::new("s.png"), 4, 3).unwrap_err().to_string();
        assert_eq!(message, "--style-crop 2,1,3,2 is not inside s.png, which is 4x3 px; give less");
        let percent: Crop = "10%,0%,50%,100%".parse().unwrap();
        assert_eq!(percent.within(Path::new("s.png"), 40, 30).unwrap(), [4, 0, 20, 30]);
        for text in ["", "1,2,3", "1,2,3,0", "1,2,3,-4", "1,2%,3,4", "1,2,3,4,5", "1.5,2,3,4", "a,b,c,d", "nan,0,1,1"] {
            assert!(text.parse::<Crop>().is_err(), "{text}");
        }
        let values: Vec<f32> = (0..12).map(|v| v as f32).collect();
        assert_eq!(cut::<1>(&values, 4, [1, 1, 2, 2]), [5.0, 6.0, 9.0, 10.0]);
    }
}
