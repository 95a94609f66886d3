//! From a resolved job to a session, and from the session's picture to the result.

use impasto::picture::{self, SaveOptions};
use impasto::{
    ColorMode, Image, Init, Layer, Network, Options, RunPlan, Session, SizeOptions, Style, StylePicture, StyleSource,
    StyleStatistics, Subject,
};

use crate::content::{self, Content};
use crate::error::{Error, Result};
use crate::events::Events;
use crate::job::inputs::{InitFrom, StyleInput};
use crate::job::values::{Adjustment, Count};
use crate::job::{Job, Kind};
use crate::pictures::{self, LoadedStyle, ReadLimits, Remedy, Scaled, SizeHint};
use crate::recipe;
use crate::resolve::{Resolved, output_name};
use crate::shared_inputs::{SharedInputs, StyleKey};

/// A picture to be made, with all that its session needs but the network.
pub(crate) struct Prepared {
    /// What the library is told.
    pub(crate) numerics: Options,
    /// How the result is written.
    pub(crate) save: SaveOptions,
    /// Width and height of the result in px.
    pub(crate) size: (usize, usize),
    sources: Sources,
}

/// What the session is made of.
enum Sources {
    Transfer {
        /// In its own colours, of the result's size.
        content: Image,
        colors: ColorMode,
        subject: Subject,
        styles: Vec<Style>,
    },
    Texture(Style),
    Reconstruct(Image),
}

impl Prepared {
    /// Reads the inputs and brings them to size. `shared`: what other jobs have read and computed
    /// already.
    ///
    /// Errors: inputs that cannot be read or do not go with each other, a size that the format has
    /// no room for.
    pub(crate) fn new(
        resolved: &Resolved,
        network: &Network,
        shared: Option<&mut SharedInputs>,
        events: &mut dyn Events,
    ) -> Result<Prepared> {
        match resolved.job.kind {
            Kind::Transfer => transfer(resolved, network, shared, events),
            Kind::Texture => texture(resolved, network, events),
            Kind::Reconstruct => reconstruct(resolved, network, events),
            Kind::Sweep => Err(Error::user("a sweep is made of transfers; it is no picture of its own")),
        }
    }

    /// The run that makes the picture.
    pub(crate) fn session(&self, job: &Job, network: &Network) -> Result<Session> {
        let (width, height) = self.size;
        let session = match &self.sources {
            Sources::Transfer { subject, styles, .. } => Session::with_styles(network, subject, styles, &self.numerics),
            Sources::Texture(style) => Session::texture(network, style.clone(), width, height, &self.numerics),
            Sources::Reconstruct(photo) => Session::reconstruct(network, photo, &self.numerics),
        };
        session.map_err(|error| named(error, job))
    }

    /// What the run takes, without computing anything of it.
    pub(crate) fn plan(&self, job: &Job, network: &Network) -> Result<RunPlan> {
        let (width, height) = self.size;
        let plan = match &self.sources {
            Sources::Transfer { subject, styles, .. } => RunPlan::new(network, subject, styles, &self.numerics),
            Sources::Texture(style) => RunPlan::texture(network, style.clone(), width, height, &self.numerics),
            Sources::Reconstruct(photo) => RunPlan::reconstruct(network, photo, &self.numerics),
        };
        plan.map_err(|error| named(error, job))
    }

    /// Notes in the recipe what was adjusted while the run went on.
    pub(crate) fn note_adjustments(&mut self, resolved: &Resolved, device: &str, made: &[Adjustment]) -> Result<()> {
        if !made.is_empty() {
            let mut job = resolved.job.clone();
            Adjustment::add(&mut job.options.adjust, made.iter().copied());
            self.save.recipe = recipe_with(resolved, &job, device, self.size)?;
        }
        Ok(())
    }

    /// Gives the style pictures back. A session has them for itself for as long as it needs them.
    pub(crate) fn leave_styles(&mut self) {
        if let Sources::Transfer { styles, .. } = &mut self.sources {
            *styles = vec![];
        }
    }

    /// A picture of the run in the result's size and colours.
    pub(crate) fn finish(&self, picture: &Image) -> Image {
        let (width, height) = self.size;
        match &self.sources {
            Sources::Transfer { content, colors, .. } => {
                colors.finish(picture::resize(picture, width, height), content)
            }
            Sources::Texture(_) | Sources::Reconstruct(_) => picture::resize(picture, width, height),
        }
    }

    /// The result of a session.
    pub(crate) fn result(&self, session: &Session) -> Image {
        match &self.sources {
            Sources::Transfer { .. } => self.finish(session.image()),
            // A texture is enlarged around its torus.
            Sources::Texture(_) | Sources::Reconstruct(_) => session.picture(),
        }
    }
}

/// The library's error, about a file of the job.
fn named(error: impasto::Error, job: &Job) -> Error {
    let inputs = &job.inputs;
    let [content, mask, keep] = [&inputs.content, &inputs.mask, &inputs.keep].map(Option::as_ref);
    pictures::with_name(error, content, &inputs.styles, mask, keep)
}

fn transfer(
    resolved: &Resolved,
    network: &Network,
    mut shared: Option<&mut SharedInputs>,
    events: &mut dyn Events,
) -> Result<Prepared> {
    let Resolved { job, complete, .. } = resolved;
    let limits = ReadLimits { memory: complete.numerics.memory };
    let content_path = content::file(job)?.name();
    let content = match &mut shared {
        Some(shared) => shared.content(resolved, events)?,
        None => Content::read(resolved, events)?,
    };
    let Content { scaled, wanted, alpha, profile, exif } = content;
    let size = SizeOptions { size: wanted, ..complete.size };
    let (width, height) = (scaled.width(), scaled.height());
    check_room(resolved, (width, height))?;
    let recipe = recipe_of(resolved, network, (width, height))?;
    let mut save = SaveOptions { alpha, profile, exif, recipe, ..resolved.save.clone() };
    let mut numerics = with_room(resolved, (width, height), &save)?;
    let init = match (&job.inputs.init, &mut shared) {
        (Some(InitFrom::File(file)), Some(shared)) => Some(shared.init(file, limits)?),
        (Some(InitFrom::File(file)), None) => Some(pictures::load_input(file, limits, events)?),
        _ => None,
    };
    if let Some(init) = init {
        numerics.init = Init::Image(init.resized(width, height).image);
    }
    if job.inputs.init == Some(InitFrom::Grey) {
        numerics.init = grey(width, height);
    }

    let colors = complete.colors;
    let side = size.style_side(picture::nominal_side(width, height))?;
    let mut styles = Vec::new();
    for input in &job.inputs.styles {
        let brought = |style| brought_to_size(input, style, side, &size, &numerics);
        let loaded = match &mut shared {
            Some(shared) => {
                let key = StyleKey::new(input, (width, height), side, job);
                shared.style(key, limits, |loaded| {
                    let LoadedStyle::Picture(picture) = loaded else { return Ok(loaded) };
                    // Colours that depend on the photo, or no style at all: there is nothing to
                    // share.
                    let depends_on_photo = matches!(colors, ColorMode::Luminance | ColorMode::Matched);
                    if depends_on_photo || numerics.style_weight == 0.0 {
                        return Ok(LoadedStyle::Picture(picture));
                    }
                    let statistics = StyleStatistics::for_run(network, &brought(picture)?, (width, height), &numerics)?;
                    Ok(LoadedStyle::Statistics(statistics.into()))
                })?
            }
            None => pictures::load_style(input, limits, events)?,
        };
        let style = match loaded {
            LoadedStyle::Statistics(statistics) => Style::from_statistics(statistics, side),
            LoadedStyle::Picture(picture) => brought(picture)?.into(),
        };
        styles.push(style.with_weight(input.weight.map_or(1.0, |weight| weight.get())));
    }
    let styles = pictures::in_regions(
        styles,
        &job.inputs.styles,
        job.inputs.mask.as_ref(),
        content_path,
        &scaled.image,
        limits,
    )?;
    let styles = recolored(styles, &job.inputs.styles, colors, &scaled.image)?;
    let subject = pictures::subject(content_path, job.inputs.keep.as_ref(), &scaled, colors, limits)?;
    save.offset = subject.keep.as_ref().map(|keep| scaled.kept_offset(keep)).transpose()?.flatten();
    numerics.reserved_bytes += save.offset.as_ref().map_or(0, |offset| size_of_val(offset.as_slice()) as u64);
    let sources = Sources::Transfer { content: scaled.image, colors, subject, styles };
    Ok(Prepared { numerics, save, size: (width, height), sources })
}

/// Refuses a size that the format has no room for.
pub(crate) fn check_room(resolved: &Resolved, (width, height): (usize, usize)) -> Result<()> {
    let name = output_name(resolved.output()?);
    let most = resolved.save.validate(name)?.max_side();
    if width.max(height) > most {
        let name = name.display();
        return Err(Error::user(format!(
            "{name} would be {width}x{height} px, and its format has room for {most} a side; choose a smaller `size`"
        )));
    }
    Ok(())
}

/// What is written into the picture.
fn recipe_of(resolved: &Resolved, network: &Network, (width, height): (usize, usize)) -> Result<Option<String>> {
    recipe_with(resolved, &resolved.job, network.identity()?, (width, height))
}

/// As [`recipe_of`], of the job with what was adjusted while it ran.
fn recipe_with(
    resolved: &Resolved,
    job: &Job,
    device: &str,
    (width, height): (usize, usize),
) -> Result<Option<String>> {
    Ok(recipe::text(job, resolved.output()?, [width, height], device, resolved.notes_folder))
}

/// The options with memory reserved for writing the picture and its snapshots, and with a place for
/// what does not fit in memory.
///
/// Errors: a picture that cannot be written so, a folder that takes no file.
fn with_room(resolved: &Resolved, (width, height): (usize, usize), save: &SaveOptions) -> Result<Options> {
    let Resolved { job, complete, limits, .. } = resolved;
    let output = resolved.output()?;
    let mut numerics = complete.numerics.clone();
    // The content's colours are given to a copy.
    let recoloured = usize::from(matches!(complete.colors, ColorMode::Content | ColorMode::Luminance));
    // A snapshot of a coarser scale is enlarged, in linear light.
    let enlarged = if job.output.save_every.is_some() { 2 } else { 0 };
    let pictures = (recoloured + enlarged) * 3 * size_of::<f32>() * width * height;
    // What was read from a pipe stays.
    let held: usize =
        job.inputs.files().iter().filter_map(|(_, file)| file.held.as_ref()).map(|bytes| bytes.len()).sum();
    numerics.reserved_bytes = (pictures + held) as u64 + save.memory(output_name(output), width, height)?;
    let bytes = numerics.feature_cache_bytes(width, height);
    numerics.feature_cache = limits.feature_cache.folder(Some(output), bytes);
    if let Some(folder) = &numerics.feature_cache {
        impasto::check_feature_cache(folder)?;
    }
    Ok(numerics)
}

/// Mid-grey.
fn grey(width: usize, height: usize) -> Init {
    Init::Image(Image::filled(width, height, [127.5; 3]))
}

/// A style picture with the nominal side `side`.
fn brought_to_size(
    input: &StyleInput,
    style: StylePicture,
    side: usize,
    size: &SizeOptions,
    numerics: &Options,
) -> Result<StylePicture> {
    let own = (style.image.width(), style.image.height());
    let target = picture::fit_nominal(own.0, own.1, side);
    let at = format!(" at `size` {} and `style-scale` {}", size.size, size.style_scale);
    let remedy = Remedy::Factor { option: "`style-scale`", factor: size.style_scale, side, own };
    let hint = SizeHint { at: if target == own { String::new() } else { at }, remedy };
    // A style without weight is not looked at.
    let layers: Vec<Layer> =
        if numerics.style_weight > 0.0 { numerics.style_loss.layers(&numerics.style_layers) } else { vec![] };
    pictures::fit_style(input.file.name(), style, Some(target), &layers, &hint)
}

/// The styles in the colours that the transfer is to see.
///
/// Errors: colours that are taken from the style's pixels, of a style that has none.
fn recolored(styles: Vec<Style>, inputs: &[StyleInput], mode: ColorMode, content: &Image) -> Result<Vec<Style>> {
    if matches!(mode, ColorMode::Style | ColorMode::Content) {
        return Ok(styles);
    }
    let recolored = |(style, input): (Style, &StyleInput)| match style.source {
        StyleSource::Picture(picture) => {
            let image = mode.prepare_style(content, &picture.image);
            Ok(Style { source: StyleSource::Picture(StylePicture { image, ..picture }), ..style })
        }
        StyleSource::Statistics { .. } => Err(Error::user(format!(
            "{} is a style file, whose colours are fixed; give `colors` style or `colors` content",
            input.file.path.display()
        ))),
    };
    styles.into_iter().zip(inputs).map(recolored).collect()
}

fn texture(resolved: &Resolved, network: &Network, events: &mut dyn Events) -> Result<Prepared> {
    let Resolved { job, complete, .. } = resolved;
    let limits = ReadLimits { memory: complete.numerics.memory };
    let (width, height) = resolved.texture_size()?;
    check_room(resolved, (width, height))?;
    let save = SaveOptions { recipe: recipe_of(resolved, network, (width, height))?, ..resolved.save.clone() };
    let numerics = with_room(resolved, (width, height), &save)?;
    let [input] = &job.inputs.styles[..] else {
        return Err(Error::field("inputs.styles", "needs one style for a texture"));
    };
    let style = match pictures::load_style(input, limits, events)? {
        LoadedStyle::Statistics(statistics) => {
            let most = picture::nominal_side(width, height);
            let side = job.options.style_size.map_or_else(|| largest(&statistics, most), Count::get);
            Style::from_statistics(statistics, side)
        }
        LoadedStyle::Picture(picture) => texture_style(input, picture, job, (width, height), &numerics)?.into(),
    };
    Ok(Prepared { numerics, save, size: (width, height), sources: Sources::Texture(style) })
}

/// The style picture of a texture at the size that it is worked on.
fn texture_style(
    input: &StyleInput,
    style: StylePicture,
    job: &Job,
    (width, height): (usize, usize),
    numerics: &Options,
) -> Result<StylePicture> {
    let own = (style.image.width(), style.image.height());
    let (own_side, wanted) = (picture::nominal_side(own.0, own.1), job.options.style_size.map(Count::get));
    let side = wanted.unwrap_or(own_side.min(picture::nominal_side(width, height)));
    let remedy = Remedy::StyleSide { option: "`style-size`", own };
    let hint = match wanted {
        _ if side == own_side && input.look.crop.is_some() => {
            SizeHint { at: " in `style-crop`".to_owned(), remedy: Remedy::Words("; take more of it") }
        }
        _ if side == own_side => SizeHint { at: String::new(), remedy },
        Some(size) => SizeHint { at: format!(" at `style-size` {size}"), remedy },
        None => SizeHint { at: " at this `size`".to_owned(), remedy },
    };
    let layers = numerics.style_loss.layers(&numerics.style_layers);
    let target = picture::fit_nominal(own.0, own.1, side);
    pictures::fit_style(input.file.name(), style, Some(target), &layers, &hint)
}

/// The largest size of a style file that is at most `most` px, or its smallest.
fn largest(statistics: &StyleStatistics, most: usize) -> usize {
    let sizes = statistics.sizes();
    let smallest = sizes.last().copied().unwrap_or(most);
    sizes.into_iter().find(|&size| size <= most).unwrap_or(smallest)
}

fn reconstruct(resolved: &Resolved, network: &Network, events: &mut dyn Events) -> Result<Prepared> {
    let Resolved { job, complete, .. } = resolved;
    let limits = ReadLimits { memory: complete.numerics.memory };
    let content = content::file(job)?;
    let Scaled { image: photo, own } = pictures::load_scaled(content, &complete.size, limits, events)?;
    let size = (photo.width(), photo.height());
    let at = if size == own { String::new() } else { format!(" at `size` {}", complete.size.size) };
    let hint = SizeHint { at, remedy: Remedy::Longest { option: "`size`", own, enlarging: None } };
    let layers: Vec<Layer> = pictures::layers(&complete.numerics.content_layers).collect();
    pictures::check_sides(content.name(), &photo, &layers, &hint)?;
    check_room(resolved, size)?;
    let save = SaveOptions { recipe: recipe_of(resolved, network, size)?, ..resolved.save.clone() };
    let mut numerics = with_room(resolved, size, &save)?;
    if job.inputs.init == Some(InitFrom::Grey) {
        numerics.init = grey(size.0, size.1);
    }
    Ok(Prepared { numerics, save, size, sources: Sources::Reconstruct(photo) })
}
