//! Reading what a job names: pictures, styles, masks, the network. Every error names the file.
//!
//! What could not be used of a picture (a broken profile, say) becomes an event and stops
//! nothing.

use std::path::Path;
use std::sync::Arc;

use impasto::picture::{self, Picture, ReadOptions};
use impasto::{
    ColorMode, Image, Layer, Mask, Network, PictureRole, SizeOptions, Style, StylePicture, StyleStatistics, Subject,
    WeightedLayer,
};

use crate::error::{Error, OrWhose, Result};
use crate::events::{Event, Events};
use crate::job::inputs::{InputFile, StyleInput, StyleLook, StyleTrim};
use crate::read_once::ReadOnce;

/// Limits of reading.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReadLimits {
    /// Bytes that the process may take; `None`: any number.
    pub memory: Option<u64>,
}

impl From<ReadLimits> for ReadOptions {
    fn from(limits: ReadLimits) -> ReadOptions {
        ReadOptions { memory: limits.memory, ..ReadOptions::default() }
    }
}

/// A style as it was read, before its size is known.
pub enum LoadedStyle {
    /// A picture, cut and masked.
    Picture(StylePicture),
    /// What was taken from a picture before.
    Statistics(Arc<StyleStatistics>),
}

/// What a message about too small a picture says besides.
pub struct SizeHint {
    /// At which size it is too small: ` at --size 10`, or nothing.
    pub at: String,
    /// What helps.
    pub remedy: Remedy,
}

/// What helps if a picture is too small.
pub enum Remedy {
    /// Another picture: these words, or none.
    Words(&'static str),
    /// An option that says how many px the longest side has.
    Longest {
        /// Its name.
        option: &'static str,
        /// Width and height of the picture in px.
        own: (usize, usize),
        /// What the option needs to enlarge the picture; `None`: it never does.
        enlarging: Option<Enlarging>,
    },
    /// An option that says how large a style is, by its nominal side.
    StyleSide {
        /// Its name.
        option: &'static str,
        /// Width and height of the style in px.
        own: (usize, usize),
    },
    /// An option that says how many times larger a style is than what `side` comes from.
    Factor {
        /// Its name.
        option: &'static str,
        /// Its value.
        factor: f64,
        /// The nominal side that it comes to, in px.
        side: usize,
        /// Width and height of the picture in px.
        own: (usize, usize),
    },
}

/// What an option needs to enlarge a picture.
pub enum Enlarging {
    /// Nothing.
    Allowed,
    /// A switch.
    With(&'static str),
}

impl SizeHint {
    /// Nothing besides.
    pub const NONE: SizeHint = SizeHint { at: String::new(), remedy: Remedy::Words("") };
}

impl Remedy {
    /// The words behind what is wrong, for a layer that needs `least` px a side.
    fn words(&self, least: usize) -> String {
        match *self {
            Remedy::Words(words) => words.to_owned(),
            Remedy::Longest { option, own, ref enlarging } => {
                let enough = side_for(own, least, picture::fit);
                match enlarging {
                    Some(Enlarging::Allowed) => format!("; choose a {option} of at least {enough}"),
                    _ if enough <= own.0.max(own.1) => format!("; choose a {option} of at least {enough}"),
                    Some(Enlarging::With(switch)) => {
                        format!("; take a larger picture, or add {switch} with a {option} of at least {enough}")
                    }
                    None => format!("; no {option} makes it larger than it is, so take a larger picture"),
                }
            }
            Remedy::StyleSide { option, own } => {
                format!("; choose a {option} of at least {}", side_for(own, least, picture::fit_nominal))
            }
            Remedy::Factor { option, factor, side, own } => {
                let enough = factor * side_for(own, least, picture::fit_nominal) as f64 / side as f64;
                // Two digits, rounded up, are enough and easy to type.
                format!("; choose a {option} of at least {}", (100.0 * enough).ceil() / 100.0)
            }
        }
    }
}

/// Returns width and height of a picture of such a shape, for a side that says how large it is.
type Fit = fn(usize, usize, usize) -> (usize, usize);

/// The least side with which `fit` gives a picture `least` px a side.
fn side_for((width, height): (usize, usize), least: usize, fit: Fit) -> usize {
    const LARGE: usize = 1 << 30;
    let short = |side: usize| {
        let (width, height) = fit(width, height, side);
        width.min(height)
    };
    let about = (least as f64 - 0.5) * LARGE as f64 / short(LARGE).max(1) as f64;
    // Rounding decides about the last pixels.
    let first = (about as usize).saturating_sub(2).max(1);
    (first..).find(|&side| short(side) >= least).unwrap_or(first)
}

/// The network: that in the program, or that of a file.
pub fn network(weights: Option<&InputFile>) -> Result<Network> {
    match weights {
        Some(InputFile { path, held: Some(bytes), .. }) => {
            Network::from_bytes(bytes.to_vec()).map_err(|error| Error::from(error).about(path))
        }
        Some(file) => Network::load(&file.path).or_user(),
        None => Network::embedded().or_program(),
    }
}

/// Reads a picture, from standard input if `path` is `-`.
pub fn load(path: &Path, limits: ReadLimits, events: &mut dyn Events) -> Result<Picture> {
    load_input(&path.to_owned().into(), limits, events)
}

/// As [`load`], from bytes that were read before if there are such.
pub fn load_input(file: &InputFile, limits: ReadLimits, events: &mut dyn Events) -> Result<Picture> {
    load_with(file, limits.into(), events)
}

/// As [`load_input`], with options of the library.
pub fn load_with(file: &InputFile, options: ReadOptions, events: &mut dyn Events) -> Result<Picture> {
    let picture = decoded(file, options)?;
    for warning in &picture.warnings {
        events.event(Event::Warning { about: Some(file.path.clone()), text: warning.to_string() });
    }
    Ok(picture)
}

fn decoded(file: &InputFile, options: ReadOptions) -> Result<Picture> {
    let file = held(file)?;
    let picture = match &file.held {
        Some(bytes) => picture::decode_with(bytes, file.name(), options),
        None => picture::load_with(&file.path, options),
    };
    Ok(picture?)
}

/// The file with its bytes, if they can be read only once.
fn held(file: &InputFile) -> Result<InputFile> {
    let mut file = file.clone();
    ReadOnce::default().hold_file(&mut file)?;
    Ok(file)
}

/// Whether a file holds statistics of a style and no picture.
pub(crate) fn is_style_file(file: &InputFile) -> Result<bool> {
    match &file.held {
        Some(bytes) => Ok(StyleStatistics::is_style(bytes)),
        None => Ok(StyleStatistics::is_style_file(&file.path)?),
    }
}

/// A picture at the size that it is worked on.
pub struct Scaled {
    /// Its pixels.
    pub image: Image,
    /// Width and height that it has in the file, in px.
    pub own: (usize, usize),
}

/// Reads a picture that is the only one of a run, at the size it is worked on.
pub fn load_scaled(
    file: &InputFile,
    size: &SizeOptions,
    limits: ReadLimits,
    events: &mut dyn Events,
) -> Result<Scaled> {
    let picture = load_input(file, limits, events)?;
    let own = (picture.width(), picture.height());
    let target = picture::fit(own.0, own.1, size.content_longest(own.0, own.1));
    Ok(Scaled { image: picture.resized(target.0, target.1).image, own })
}

/// Refuses a picture of which a layer would see nothing.
pub fn check_sides(path: &Path, image: &Image, layers: &[Layer], hint: &SizeHint) -> Result<()> {
    let (width, height) = (image.width(), image.height());
    let Some(layer) = layers.iter().copied().max_by_key(|layer| (layer.min_side(), std::cmp::Reverse(*layer))) else {
        return Ok(());
    };
    let (least, SizeHint { at, remedy }) = (layer.min_side(), hint);
    if width.min(height) < least {
        return Err(Error::user(format!(
            "{} is {width}x{height} px{at}; {layer} needs at least {least} px a side{}",
            path.display(),
            remedy.words(least)
        )));
    }
    Ok(())
}

/// The layers without their weights.
pub fn layers(weighted: &[WeightedLayer]) -> impl Iterator<Item = Layer> {
    weighted.iter().map(|weighted| weighted.layer)
}

/// Reads a style: a picture, cut and with its mask, or a style file.
pub fn load_style(style: &StyleInput, limits: ReadLimits, events: &mut dyn Events) -> Result<LoadedStyle> {
    let StyleInput { file, weight: _, mask, look: StyleLook { rotations, crop, trim } } = style;
    let file = &held(file)?;
    let path = file.name();
    let rotations = rotations.map_or(1, |rotations| rotations.get());
    if is_style_file(file)? {
        if mask.is_some() || crop.is_some() || rotations > 1 {
            return Err(Error::user(format!(
                "{} is a style file; give `style-mask`, `style-crop` and `style-rotations` to `impasto style save`",
                path.display()
            )));
        }
        let statistics = match &file.held {
            Some(bytes) => StyleStatistics::decode(bytes, path)?,
            None => StyleStatistics::load(path)?,
        };
        return Ok(LoadedStyle::Statistics(Arc::new(statistics)));
    }
    let Picture { image, alpha, .. } = load_input(file, limits, events)?;
    let mask = mask.as_ref().map(|mask| load_mask(mask, path, &image, limits)).transpose()?;
    let mask = mask.map(|mask| Mask::from_painted(&mask.image, mask.alpha.as_ref()));
    let style = StylePicture { opacity: alpha, mask, rotations, ..image.into() };
    let (width, height) = (style.image.width(), style.image.height());
    let rectangle = match (crop, trim.unwrap_or_default()) {
        (Some(crop), _) => Some(crop.within(path, width, height)?),
        (None, StyleTrim::Auto) => inside_frame(&style.image),
        (None, StyleTrim::None) => None,
    };
    let Some(rectangle) = rectangle else {
        return Ok(LoadedStyle::Picture(style));
    };
    if crop.is_none() {
        let [x, y, w, h] = rectangle;
        let (right, below) = (width - x - w, height - y - h);
        let text = format!(
            "its uniform frame is left out ({y} px above, {below} below, {x} left, {right} right); `style-trim` none keeps it"
        );
        events.event(Event::Note { about: path.to_owned(), text });
    }
    Ok(LoadedStyle::Picture(cropped(style, rectangle)))
}

/// A pixel is of a frame's colour if no channel is farther from it than this, in levels: what a
/// JPEG makes of one colour.
const FRAME_TOLERANCE: f32 = 24.0;

/// Part of a line that is of the frame's colour, at least, where the frame is sure.
const SURE_FRAME: f64 = 0.95;

/// The same where it may end: a frame stands a little askew. Such lines are at most as many as the
/// sure ones.
const LIKELY_FRAME: f64 = 0.5;

/// A frame takes at most one part in as many of a side. What takes more is a ground, not a frame.
const FRAME_SHARE: usize = 4;

/// The rectangle inside a frame of one colour that goes all around a picture: left, upper, width,
/// height in px. `None`: there is no such frame.
///
/// The colour is the median of the outermost lines. From each side inwards, lines belong to the
/// frame while nearly all of their pixels have that colour, then while half of them have it, and
/// one more: a frame's edge is soft.
fn inside_frame(image: &Image) -> Option<[usize; 4]> {
    let (width, height) = (image.width(), image.height());
    let pixels = image.as_slice().as_chunks::<3>().0;
    let colour = frame_colour(pixels, width, height)?;
    let is_frame = |x: usize, y: usize| {
        pixels[y * width + x].iter().zip(colour).all(|(value, colour)| (value - colour).abs() <= FRAME_TOLERANCE)
    };
    let row = |y: usize| (0..width).filter(|&x| is_frame(x, y)).count() as f64 / width as f64;
    let column = |x: usize| (0..height).filter(|&y| is_frame(x, y)).count() as f64 / height as f64;
    let top = frame_depth(height, row)?;
    let bottom = frame_depth(height, |y| row(height - 1 - y))?;
    let left = frame_depth(width, column)?;
    let right = frame_depth(width, |x| column(width - 1 - x))?;
    Some([left, top, width - left - right, height - top - bottom])
}

/// The median of each channel over the outermost lines; `None`: a picture without an inside.
fn frame_colour(pixels: &[[f32; 3]], width: usize, height: usize) -> Option<[f32; 3]> {
    if width.min(height) < 2 * FRAME_SHARE {
        return None;
    }
    let rows = (0..width).flat_map(|x| [x, (height - 1) * width + x]);
    let columns = (0..height).flat_map(|y| [y * width, y * width + width - 1]);
    let outermost: Vec<[f32; 3]> = rows.chain(columns).map(|i| pixels[i]).collect();
    Some(std::array::from_fn(|channel| {
        let mut values: Vec<f32> = outermost.iter().map(|pixel| pixel[channel]).collect();
        let middle = values.len() / 2;
        *values.select_nth_unstable_by(middle, f32::total_cmp).1
    }))
}

/// How many lines from a side inwards are of the frame, of which `share` tells what part has its
/// colour; `None`: none is, or too many are.
fn frame_depth(side: usize, share: impl Fn(usize) -> f64) -> Option<usize> {
    let most = side / FRAME_SHARE;
    let sure = (0..=most).take_while(|&line| share(line) >= SURE_FRAME).count();
    if sure == 0 || sure > most {
        return None;
    }
    let likely = (sure..2 * sure).take_while(|&line| share(line) >= LIKELY_FRAME).count();
    Some((sure + likely + 1).min(most))
}

/// A rectangle of a style picture.
fn cropped(style: StylePicture, rectangle: [usize; 4]) -> StylePicture {
    let (width, height) = (style.image.width(), style.image.height());
    let [_, _, w, h] = rectangle;
    let cut_mask = |mask: Mask| Mask::new(w, h, cut::<1>(mask.resized(width, height).as_slice(), width, rectangle));
    StylePicture {
        image: Image::new(w, h, cut::<3>(style.image.as_slice(), width, rectangle)),
        opacity: style.opacity.map(cut_mask),
        mask: style.mask.map(cut_mask),
        rotations: style.rotations,
    }
}

/// The values of `[H, W, N]` inside a rectangle.
fn cut<const N: usize>(values: &[f32], width: usize, [x, y, w, h]: [usize; 4]) -> Vec<f32> {
    (y..y + h).flat_map(|row| &values[(row * width + x) * N..][..w * N]).copied().collect()
}

/// How far the shapes of a mask and its picture may differ, as a part of it: sides are rounded to
/// whole pixels.
const SHAPE_TOLERANCE: f64 = 0.02;

/// Reads a mask of the shape of a picture.
pub fn load_mask(file: &InputFile, picture_path: &Path, picture: &Image, limits: ReadLimits) -> Result<Picture> {
    let mask = decoded(file, limits.into())?;
    let shape = |image: &Image| image.width() as f64 / image.height() as f64;
    if (shape(&mask.image) / shape(picture) - 1.0).abs() > SHAPE_TOLERANCE {
        return Err(Error::user(format!(
            "{} is {}x{} px, {} {}x{} px; a mask needs its picture's shape",
            file.name().display(),
            mask.width(),
            mask.height(),
            picture_path.display(),
            picture.width(),
            picture.height()
        )));
    }
    Ok(mask)
}

/// A style picture in some width and height, or as it is, of which every layer sees something.
pub fn fit_style(
    path: &Path,
    style: StylePicture,
    size: Option<(usize, usize)>,
    layers: &[Layer],
    hint: &SizeHint,
) -> Result<StylePicture> {
    let visible = Picture { alpha: style.opacity, ..Picture::new(style.image) };
    let Picture { image, alpha: opacity, .. } = match size {
        Some((width, height)) => visible.resized_as_style(width, height),
        None => visible,
    };
    check_sides(path, &image, layers, hint)?;
    Ok(StylePicture { image, opacity, mask: style.mask, rotations: style.rotations })
}

/// The styles, each in its part of the mask of `content`, if there is one.
///
/// Errors: weights together with a mask of several parts, a mask of another shape or other colours,
/// or with transparent places that belong to no style.
pub fn in_regions(
    styles: Vec<Style>,
    inputs: &[StyleInput],
    mask: Option<&InputFile>,
    content_path: &Path,
    content: &Image,
    limits: ReadLimits,
) -> Result<Vec<Style>> {
    let Some(mask) = mask else {
        return Ok(styles);
    };
    if styles.len() > 1 && inputs.iter().any(|style| style.weight.is_some()) {
        return Err(Error::user(
            "weights of `style` blend styles; with `mask` each style has a part of its own, so leave the weights out",
        ));
    }
    let Picture { image, alpha, .. } = load_mask(mask, content_path, content, limits)?;
    let masks = Mask::of_styles(&image, alpha.as_ref(), styles.len());
    let masks = masks.map_err(|error| Error::from(error).about(&mask.path))?;
    Ok(styles.into_iter().zip(masks).map(|(style, mask)| style.with_region(mask)).collect())
}

/// What is painted of a content, in the colours that the transfer is to see.
pub fn subject(
    path: &Path,
    keep: Option<&InputFile>,
    content: &Picture,
    mode: ColorMode,
    limits: ReadLimits,
) -> Result<Subject> {
    let keep = keep.map(|mask| load_mask(mask, path, &content.image, limits)).transpose()?;
    Ok(Subject {
        content: mode.prepare_content(&content.image),
        opacity: content.alpha.clone(),
        keep: keep.map(|mask| Mask::from_painted(&mask.image, mask.alpha.as_ref())),
    })
}

/// The error of a session, about the file that the library does not know.
pub fn with_name(
    error: impasto::Error,
    content: Option<&InputFile>,
    styles: &[StyleInput],
    mask: Option<&InputFile>,
    keep: Option<&InputFile>,
) -> Error {
    // With more than one style it could be any of them.
    let only_style = || if let [style] = styles { Some(style) } else { None };
    let file = match &error {
        impasto::Error::UnfitStatistics { style, .. } => styles.get(style - 1).map(|style| &style.file),
        impasto::Error::NothingPainted => keep,
        impasto::Error::MaskVanishes { input, .. } => match input {
            PictureRole::Mask => mask,
            PictureRole::Keep => keep,
            PictureRole::Opacity => content,
            PictureRole::StyleMask => only_style().and_then(|style| style.mask.as_ref()),
            PictureRole::StyleOpacity => only_style().map(|style| &style.file),
            _ => None,
        },
        _ => None,
    };
    match file {
        Some(file) => Error::from(error).about(&file.path),
        None => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deepest_layer_decides_about_the_size() {
        let picture = Image::filled(20, 12, [0.0; 3]);
        let layers: Vec<Layer> = ["relu5_2", "relu5_1", "relu1_1"].iter().map(|name| name.parse().unwrap()).collect();
        let path = Path::new("photo.jpg");
        let message = check_sides(path, &picture, &layers, &SizeHint::NONE).unwrap_err().to_string();
        assert_eq!(message, "photo.jpg is 20x12 px; relu5_1 needs at least 16 px a side");
        assert!(check_sides(path, &picture, &layers[2..], &SizeHint::NONE).is_ok());
    }

    #[test]
    fn the_size_that_would_do_is_the_least_one() {
        for (width, height) in [(1000, 20), (20, 1000), (512, 512), (999, 7), (400, 10), (3, 2), (1, 12_345)] {
            for least in [2, 4, 8, 16] {
                for fit in [picture::fit as Fit, picture::fit_nominal] {
                    let short = |side| {
                        let (width, height) = fit(width, height, side);
                        width.min(height)
                    };
                    let enough = side_for((width, height), least, fit);
                    assert!(short(enough) >= least && short(enough - 1) < least, "{width}x{height}, {least}: {enough}");
                }
            }
        }
    }

    /// A gradient with a frame of its own colour and widths: left, top, right, bottom.
    fn framed(colour: f32, [left, top, right, bottom]: [usize; 4]) -> Image {
        let (width, height) = (80, 60);
        let mut image = Image::filled(width, height, [colour; 3]);
        for (i, pixel) in image.as_mut_slice().as_chunks_mut::<3>().0.iter_mut().enumerate() {
            let (x, y) = (i % width, i / width);
            if (left..width - right).contains(&x) && (top..height - bottom).contains(&y) {
                *pixel = [3.0 * x as f32, 4.0 * y as f32, ((x * y) % 256) as f32];
            }
        }
        image
    }

    #[test]
    fn a_uniform_frame_is_found_with_its_soft_edge() {
        for colour in [0.0, 250.0] {
            assert_eq!(inside_frame(&framed(colour, [5, 3, 4, 6])), Some([6, 4, 69, 49]));
        }
        // What a JPEG makes of black.
        let mut image = framed(4.0, [5, 3, 4, 6]);
        image.as_mut_slice().iter_mut().step_by(7).for_each(|value| *value = (*value + 15.0).min(255.0));
        assert_eq!(inside_frame(&image), Some([6, 4, 69, 49]));
    }

    #[test]
    fn what_is_no_frame_stays() {
        // Bars above and below, a ground that takes more than a quarter, a picture of one colour, a
        // small one.
        for image in [
            framed(0.0, [0, 3, 0, 3]),
            framed(0.0, [30, 3, 4, 6]),
            framed(0.0, [0; 4]),
            Image::filled(80, 60, [9.0; 3]),
            Image::filled(3, 60, [9.0; 3]),
        ] {
            assert_eq!(inside_frame(&image), None);
        }
    }

    #[test]
    fn a_rectangle_is_cut_out_row_by_row() {
        let values: Vec<f32> = (0..12).map(|v| v as f32).collect();
        assert_eq!(cut::<1>(&values, 4, [1, 1, 2, 2]), [5.0, 6.0, 9.0, 10.0]);
    }
}
