//! From what was asked for to what is done: the only place that knows defaults.
//!
//! [`complete`] fills in the options of a job and looks at no file. It takes [`JobOptions`] apart
//! field by field, so that the compiler names a new field that it does not handle. [`resolve`] also
//! checks the files: every input is there and has the checksum that the job states, and the output
//! can be written and destroys no input. What both return needs no further parsing.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use impasto::picture::{self, BitDepth, SaveOptions};
use impasto::{
    ColorMode, DEFAULT_BRUSH, DEFAULT_STRENGTH, Init, Layer, Objective, Options, Padding, Preset, Scales, SizeOptions,
    content_weight_at,
};

use crate::checkpoint::CheckpointPlan;
use crate::error::{Error, Result};
use crate::files::{self, InputFiles};
use crate::job::inputs::{InitFrom, Inputs};
use crate::job::options::JobOptions;
use crate::job::output::Output;
use crate::job::values::{Adjustment, Brush, Count, Factor, OutputSize, Seed, Strength, Weight, check_pixels};
use crate::job::{Job, Kind, to_map};
use crate::machine::{Limits, Machine};
use crate::read_once::ReadOnce;
use crate::schema;
use crate::snapshots;

/// Total variation of a texture: enough against the specks that noise leaves. How smooth the
/// texture is, the style's statistics decide.
const TEXTURE_TV_WEIGHT: f64 = 0.02;

/// Total variation of a reconstruction: slight, enough to settle what a layer does not see.
const RECONSTRUCT_TV_WEIGHT: f64 = 0.003;

/// Steps of a reconstruction: noise takes longer to settle than a photo that is painted.
const RECONSTRUCT_STEPS: usize = 200;

/// The layer that a reconstruction looks at.
const RECONSTRUCT_LAYER: &str = "relu4_2";

/// Longest side of the pictures of a sweep in px.
pub(crate) const SWEEP_SIZE: usize = 256;

/// A job with every option that its kind has, and what the options come to.
#[derive(Clone, Debug)]
pub struct Complete {
    /// The options of the job, defaults filled in.
    pub options: JobOptions,
    /// The sizes to work in. The longest side of a content in its own size is put in once the
    /// content is known.
    pub size: SizeOptions,
    /// Whose colours the result has.
    pub colors: ColorMode,
    /// Where the run starts; `None`: a texture always starts from noise.
    pub init: Option<InitFrom>,
    /// What the library is told, without the limits of the machine and without a picture to start
    /// from.
    pub numerics: Options,
}

/// A job and a machine, complete and checked.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The job with every option that its kind has, and the checksums of its inputs.
    pub job: Job,
    /// What its options come to, within the limits.
    pub complete: Complete,
    /// How the result is written; what comes with the content is put in later.
    pub save: SaveOptions,
    /// What the machine comes to.
    pub limits: Limits,
    /// What checkpoints there are to be.
    pub checkpoints: CheckpointPlan,
    /// The recipe in the picture notes the folder that the picture is written to.
    pub notes_folder: bool,
}

impl Resolved {
    /// The same with a recipe that does not note where the picture was made. For a folder that is
    /// nobody's.
    #[must_use]
    pub fn without_folder(self) -> Resolved {
        Resolved { notes_folder: false, ..self }
    }
}

/// Fills in the options of a job.
///
/// Errors: fields that do not go with the kind of job, options that contradict each other or cannot
/// be meant.
pub fn complete(job: &Job) -> Result<Complete> {
    check_kind("JobOptions", "options", job.kind, &to_map(&job.options))?;
    check_kind("Output", "output", job.kind, &to_map(&job.output))?;
    let complete = match job.kind {
        Kind::Transfer | Kind::Sweep => transfer(job),
        Kind::Texture => texture(job),
        Kind::Reconstruct => reconstruct(job),
    }?;
    complete.size.validate()?;
    complete.numerics.validate()?;
    Ok(complete)
}

/// Checks a job for a machine, and measures the machine.
///
/// Errors: as [`complete`]; inputs that are missing or have another checksum than the job states;
/// an output that cannot be written or that would destroy an input.
pub fn resolve(job: &Job, machine: &Machine) -> Result<Resolved> {
    resolve_within(job, machine.measure(), CheckpointPlan::new(machine))
}

/// As [`resolve`], within limits that were measured before.
pub fn resolve_within(job: &Job, limits: Limits, checkpoints: CheckpointPlan) -> Result<Resolved> {
    let complete = within(complete(job)?, &limits);
    check_inputs(job)?;
    let save = save_options(&job.output);
    if let Some(output) = &job.output.file {
        check_output(job, output, &save, complete.numerics.steps)?;
    }
    let mut inputs = Inputs { init: complete.init.clone(), ..job.inputs.clone() };
    inputs.styles.iter_mut().for_each(|style| _ = style.look.trim.get_or_insert_default());
    let mut job = Job { inputs, options: complete.options.clone(), ..job.clone() };
    ReadOnce::default().hold(&mut job.inputs)?;
    check_checksums(&mut job.inputs)?;
    Ok(Resolved { job, complete, save, limits, checkpoints, notes_folder: true })
}

/// What options come to within limits.
fn within(complete: Complete, limits: &Limits) -> Complete {
    let Limits { threads, memory, planned_threads, feature_cache: _, device: _, device_memory: _ } = limits;
    let numerics = Options { threads: *threads, memory: *memory, plan_threads: *planned_threads, ..complete.numerics };
    Complete { numerics, ..complete }
}

/// How a result is written; what comes with the content is put in later.
pub fn save_options(output: &Output) -> SaveOptions {
    let Output { file: _, save_every: _, format, bit_depth, quality, no_recipe: _ } = output;
    SaveOptions {
        format: *format,
        bit_depth: bit_depth.unwrap_or(BitDepth::Eight),
        quality: quality.map(|quality| quality.get()),
        ..SaveOptions::default()
    }
}

/// Refuses fields that do not go with a kind of job.
fn check_kind(group: &str, path: &str, kind: Kind, set: &serde_json::Map<String, serde_json::Value>) -> Result<()> {
    match set.keys().find(|field| !schema::goes_with(group, field, kind)) {
        Some(field) => Err(Error::field(format!("{path}.{field}"), format!("does not go with a {kind}; leave it out"))),
        None => Ok(()),
    }
}

/// A transfer, or the pictures of a sweep.
fn transfer(job: &Job) -> Result<Complete> {
    let JobOptions {
        size,
        upscale,
        style_scale,
        style_size: _,
        tileable: _,
        strengths,
        style_scales,
        colors,
        strength,
        brush,
        preset,
        adjust,
        steps,
        scales,
        tolerance,
        objective,
        style_loss,
        content_weight,
        style_weight,
        tv_weight,
        seed,
        optimizer,
        padding,
        content_layers,
        style_layers,
        pooling,
    } = job.options.clone();
    let is_sweep = job.kind == Kind::Sweep;
    let preset = preset.unwrap_or(if is_sweep { Preset::Draft } else { Preset::default() });
    let defaults = Options::for_objective(objective.unwrap_or_default());
    if strength.is_some() || strengths.is_some() {
        check_dial(defaults.objective)?;
    }
    for (field, is_empty) in [
        ("options.strengths", strengths.as_ref().is_some_and(Vec::is_empty)),
        ("options.style-scales", style_scales.as_ref().is_some_and(Vec::is_empty)),
    ] {
        if is_empty {
            return Err(Error::field(field, "is empty; give at least one, or leave it out"));
        }
    }
    if strengths.is_some() && (strength.is_some() || content_weight.is_some()) {
        let other = if strength.is_some() { "strength" } else { "content-weight" };
        return Err(Error::field("options.strengths", format!("is given beside `{other}`; leave one of them out")));
    }
    if style_scales.is_some() && style_scale.is_some() {
        return Err(Error::field("options.style-scales", "is given beside `style-scale`; leave one of them out"));
    }
    if strength.is_some() && content_weight.is_some() {
        return Err(Error::field(
            "options.strength",
            "is the weight of the content in other words; leave it or `content-weight` out",
        ));
    }
    let usual = OutputSize::Longest(if is_sweep { SWEEP_SIZE } else { preset.size() });
    let size = size.unwrap_or(usual);
    let longest = match size {
        OutputSize::Original if upscale => {
            return Err(Error::field(
                "options.upscale",
                "enlarges, and `size` original keeps the content's size; leave one of them out",
            ));
        }
        OutputSize::Original => preset.size(),
        OutputSize::Longest(longest) => longest,
        OutputSize::Both(..) => {
            return Err(Error::field("options.size", format!("is {size}; give the longest side, or `original`")));
        }
    };
    let init = job.inputs.init.clone().unwrap_or(InitFrom::Content);
    let brush = brush.map_or(DEFAULT_BRUSH, Brush::get);
    let style_scale_given = style_scale.map_or(1.0, Factor::get);
    let size_options = SizeOptions { size: longest, upscale, style_scale: style_scale_given, brush };
    let numerics = Options {
        steps: steps.map_or(preset.steps(), Count::get),
        content_weight: match (content_weight, strength) {
            (Some(weight), _) => weight.get(),
            (None, Some(strength)) => content_weight_at(strength.get()),
            (None, None) => defaults.content_weight,
        },
        style_weight: style_weight.map_or(defaults.style_weight, Weight::get),
        tv_weight: tv_weight.map_or(defaults.tv_weight, Weight::get),
        brush,
        content_layers: content_layers.unwrap_or(defaults.content_layers),
        style_layers: style_layers.unwrap_or(defaults.style_layers),
        init: start(&init),
        seed: seed.map_or(defaults.seed, |Seed(seed)| seed),
        optimizer: optimizer.unwrap_or(defaults.optimizer),
        pooling: pooling.unwrap_or(defaults.pooling),
        padding: padding.unwrap_or(defaults.padding),
        style_loss: style_loss.unwrap_or(defaults.style_loss),
        scales: scales.unwrap_or(defaults.scales),
        tolerance: tolerance.map_or(defaults.tolerance, Weight::get),
        adjustments: adjustments(adjust.as_deref().unwrap_or_default(), defaults.objective)?,
        ..defaults
    };
    let colors = colors.unwrap_or_default();
    // The dial is the content's weight in other words: one of the two is set.
    let is_dial = content_weight.is_none() && numerics.objective == Objective::Balanced;
    let options = JobOptions {
        size: Some(size),
        upscale,
        style_scale: if style_scales.is_some() { None } else { Factor::new(size_options.style_scale) },
        style_size: None,
        tileable: false,
        strength: match strength {
            _ if strengths.is_some() || !is_dial => None,
            strength => strength.or(Strength::new(DEFAULT_STRENGTH)),
        },
        content_weight: if is_dial { None } else { Weight::new(numerics.content_weight) },
        brush: Brush::new(brush),
        strengths,
        style_scales,
        colors: Some(colors),
        preset: Some(preset),
        adjust: adjust.filter(|adjust| !adjust.is_empty()),
        steps: Count::new(numerics.steps),
        scales: Some(numerics.scales),
        tolerance: Weight::new(numerics.tolerance),
        objective: Some(numerics.objective),
        style_loss: Some(numerics.style_loss),
        style_weight: Weight::new(numerics.style_weight),
        tv_weight: Weight::new(numerics.tv_weight),
        seed: Some(Seed(numerics.seed)),
        optimizer: Some(numerics.optimizer),
        padding: Some(numerics.padding),
        content_layers: Some(numerics.content_layers.clone()),
        style_layers: Some(numerics.style_layers.clone()),
        pooling: Some(numerics.pooling),
    };
    Ok(Complete { options, size: size_options, colors, init: Some(init), numerics })
}

/// Changes of weights in the words of the library.
pub(crate) fn adjustments(adjust: &[Adjustment], objective: Objective) -> Result<Vec<impasto::Adjustment>> {
    adjust
        .iter()
        .map(|&Adjustment { step, strength, tv_weight }| {
            if strength.is_some() {
                check_dial(objective)?;
            }
            Ok(impasto::Adjustment {
                step,
                content_weight: strength.map(|strength| content_weight_at(strength.get())),
                tv_weight: tv_weight.map(Weight::get),
            })
        })
        .collect()
}

/// Refuses a strength if there is no such dial.
fn check_dial(objective: Objective) -> Result<()> {
    if objective == Objective::Balanced {
        return Ok(());
    }
    Err(Error::field(
        "options.strength",
        "is a dial of the balanced objective; weigh the paper's with `content-weight` and `style-weight`",
    ))
}

/// The options that a texture and a reconstruction share, and what they come to.
fn synthesis(job: &Job, steps: usize, tv_weight: f64) -> (JobOptions, Options) {
    let JobOptions { steps: wanted, tv_weight: weight, seed, optimizer, pooling, .. } = job.options.clone();
    let defaults = Options::default();
    let numerics = Options {
        steps: wanted.map_or(steps, Count::get),
        tv_weight: weight.map_or(tv_weight, Weight::get),
        seed: seed.map_or(defaults.seed, |Seed(seed)| seed),
        optimizer: optimizer.unwrap_or(defaults.optimizer),
        pooling: pooling.unwrap_or(defaults.pooling),
        ..defaults
    };
    let options = JobOptions {
        steps: Count::new(numerics.steps),
        tv_weight: Weight::new(numerics.tv_weight),
        seed: Some(Seed(numerics.seed)),
        optimizer: Some(numerics.optimizer),
        pooling: Some(numerics.pooling),
        ..JobOptions::default()
    };
    (options, numerics)
}

fn texture(job: &Job) -> Result<Complete> {
    let JobOptions { size, style_size, tileable, scales, style_loss, style_layers, .. } = job.options.clone();
    if job.inputs.init.is_some() {
        return Err(Error::field("inputs.init", "does not go with a texture, which starts from noise; leave it out"));
    }
    let (options, defaults) = synthesis(job, Options::default().steps, TEXTURE_TV_WEIGHT);
    let size = size.unwrap_or(OutputSize::Longest(Preset::default().size()));
    let numerics = Options {
        content_weight: 0.0,
        style_layers: style_layers.unwrap_or(defaults.style_layers),
        style_loss: style_loss.unwrap_or(defaults.style_loss),
        scales: scales.unwrap_or(defaults.scales),
        padding: if tileable { Padding::Circular } else { Padding::Replicate },
        init: Init::Noise,
        ..defaults
    };
    let (width, height) = texture_size(size)?;
    check_texture_size(width, height, tileable, &numerics.style_loss.layers(&numerics.style_layers))?;
    let options = JobOptions {
        size: Some(size),
        style_size,
        tileable,
        scales: Some(numerics.scales),
        style_loss: Some(numerics.style_loss),
        style_layers: Some(numerics.style_layers.clone()),
        ..options
    };
    let size = SizeOptions { size: width.max(height), ..SizeOptions::default() };
    Ok(Complete { options, size, colors: ColorMode::Style, init: None, numerics })
}

/// Width and height of a texture in px.
pub(crate) fn texture_size(size: OutputSize) -> Result<(usize, usize)> {
    let (width, height) = match size {
        OutputSize::Longest(side) => (side, side),
        OutputSize::Both(width, height) => (width, height),
        OutputSize::Original => {
            return Err(Error::field("options.size", "is `original`; give a texture a side, or WIDTHxHEIGHT"));
        }
    };
    check_pixels(width, height)?;
    Ok((width, height))
}

/// Refuses a size that a layer sees nothing of, or that cannot wrap around.
fn check_texture_size(width: usize, height: usize, tileable: bool, layers: &[Layer]) -> Result<()> {
    let Some(deepest) = layers.iter().copied().max_by_key(|layer| layer.min_side()) else {
        return Ok(());
    };
    let least = deepest.min_side();
    if width.min(height) < least {
        let problem = format!("is {width}x{height} px; {deepest} needs at least {least} px a side");
        return Err(Error::field("options.size", problem));
    }
    if tileable && !(width.is_multiple_of(least) && height.is_multiple_of(least)) {
        let [below, above] = [usize::div_euclid, usize::div_ceil]
            .map(|divided| [width, height].map(|side| divided(side, least) * least));
        let problem = format!(
            "is {width}x{height} px; `tileable` with {deepest} needs multiples of {least} px, as {}x{} or {}x{}",
            below[0], below[1], above[0], above[1]
        );
        return Err(Error::field("options.size", problem));
    }
    Ok(())
}

fn reconstruct(job: &Job) -> Result<Complete> {
    let JobOptions { size, content_layers, .. } = job.options.clone();
    let size = size.unwrap_or(OutputSize::Longest(Preset::default().size()));
    let OutputSize::Longest(longest) = size else {
        return Err(Error::field("options.size", format!("is {size}; give the longest side in px")));
    };
    let init = job.inputs.init.clone().unwrap_or(InitFrom::Noise);
    if matches!(init, InitFrom::Content | InitFrom::File(_)) {
        return Err(Error::field("inputs.init", "is a picture; a reconstruction starts from noise or grey"));
    }
    let (options, defaults) = synthesis(job, RECONSTRUCT_STEPS, RECONSTRUCT_TV_WEIGHT);
    let numerics = Options {
        content_weight: 1.0,
        style_weight: 0.0,
        content_layers: content_layers.unwrap_or(vec![RECONSTRUCT_LAYER.parse()?]),
        init: start(&init),
        // A smaller picture would tell what the layers know of that.
        scales: Scales::Count(1),
        ..defaults
    };
    let options = JobOptions { size: Some(size), content_layers: Some(numerics.content_layers.clone()), ..options };
    let size = SizeOptions { size: longest, ..SizeOptions::default() };
    Ok(Complete { options, size, colors: ColorMode::Style, init: Some(init), numerics })
}

/// The start of a run. A picture, grey among them, is put in once its size is known.
fn start(init: &InitFrom) -> Init {
    match init {
        InitFrom::Noise => Init::Noise,
        InitFrom::Content | InitFrom::Grey | InitFrom::File(_) => Init::Content,
    }
}

/// Refuses inputs that do not go with the kind of job, or that are missing.
pub fn check_inputs(job: &Job) -> Result<()> {
    let Inputs { content, styles, mask, keep, init: _, weights: _ } = &job.inputs;
    let (has_content, has_styles) = match job.kind {
        Kind::Transfer | Kind::Sweep => (true, true),
        Kind::Texture => (false, true),
        Kind::Reconstruct => (true, false),
    };
    let kind = job.kind;
    match content {
        None if has_content => return Err(Error::field("inputs.content", "is missing; name a picture")),
        Some(_) if !has_content => {
            return Err(Error::field("inputs.content", format!("does not go with a {kind}; leave it out")));
        }
        _ => {}
    }
    if has_styles && styles.is_empty() {
        return Err(Error::field("inputs.styles", "is missing; name a picture or a style file"));
    }
    if !has_styles && !styles.is_empty() {
        return Err(Error::field("inputs.styles", format!("does not go with a {kind}; leave it out")));
    }
    if kind == Kind::Texture && styles.len() > 1 {
        return Err(Error::field("inputs.styles", format!("has {} styles; a texture has one", styles.len())));
    }
    if kind == Kind::Texture && styles[0].weight.is_some() {
        return Err(Error::field(
            "inputs.styles[0].weight",
            "does not go with a texture, which blends nothing; leave it out",
        ));
    }
    for (name, file) in [("mask", mask), ("keep", keep)] {
        if file.is_some() && !(has_content && has_styles) {
            return Err(Error::field(format!("inputs.{name}"), format!("does not go with a {kind}; leave it out")));
        }
    }
    files::check_stdin(job.inputs.files().into_iter().map(|(_, file)| file.path.as_path()))
}

/// Refuses an output that cannot be written or that would destroy an input.
fn check_output(job: &Job, output: &Path, save: &SaveOptions, steps: usize) -> Result<()> {
    if files::is_stream(output) {
        return check_stdout(job, save);
    }
    picture::check_output(output, save)?;
    let inputs: Vec<&Path> = job.inputs.files().into_iter().map(|(_, file)| file.path.as_path()).collect();
    let files_read = InputFiles::new(inputs.iter().copied());
    files_read.refuse_overwriting(output)?;
    if files::is_stdout(output) {
        check_no_terminal(output)?;
    }
    let Some(every) = job.output.save_every.map(Count::get) else {
        return Ok(());
    };
    let first = every.min(steps);
    for step in (every..=steps).step_by(every) {
        // They lie in one folder, so one file on trial is enough.
        let path = snapshots::path(output, step, steps);
        if step == first { picture::check_writable(&path) } else { picture::check_kind(&path) }?;
    }
    // Only a step that an input's name ends with can meet it, be it its own name or that of the
    // file that it links to.
    let names = inputs.iter().flat_map(|input| [Some(input.to_path_buf()), fs::canonicalize(input).ok()]).flatten();
    for step in names.filter_map(|name| snapshots::step_in_name(&name)) {
        if (1..=steps).contains(&step) && step.is_multiple_of(every) {
            files_read.refuse_overwriting(&snapshots::path(output, step, steps))?;
        }
    }
    Ok(())
}

/// Refuses what cannot go to standard output.
fn check_stdout(job: &Job, save: &SaveOptions) -> Result<()> {
    if save.format.is_none() {
        return Err(Error::user("`-o -` has no extension; say with `format` in which format the picture is written"));
    }
    save.validate(output_name(Path::new("-")))?;
    if job.output.save_every.is_some() {
        return Err(Error::field(
            "output.save-every",
            "writes pictures beside the result, and `-o -` has no place beside it; name a file",
        ));
    }
    check_no_terminal(Path::new("-"))
}

/// Refuses an output that is standard output if that is a terminal.
fn check_no_terminal(output: &Path) -> Result<()> {
    if io::stdout().is_terminal() {
        return Err(Error::user(format!(
            "`-o {}` writes the picture to standard output, which is the terminal; redirect it to a file or program",
            output.display()
        )));
    }
    Ok(())
}

/// What errors call an output.
pub(crate) fn output_name(output: &Path) -> &Path {
    if files::is_stream(output) { Path::new("standard output") } else { output }
}

/// Puts in the checksums of all inputs, and refuses one that the job states otherwise.
fn check_checksums(inputs: &mut Inputs) -> Result<()> {
    // The files of a blend or of their masks are often the same.
    let mut known: Vec<(PathBuf, String)> = Vec::new();
    let places: Vec<String> = inputs.files().into_iter().map(|(place, _)| place).collect();
    for (file, place) in inputs.files_mut().into_iter().zip(places) {
        if file.sha256.as_ref().is_some_and(|stated| !files::is_sha256(stated)) {
            return Err(Error::field(format!("{place}.sha256"), "has to have 64 hexadecimal digits"));
        }
        if file.sha256.is_none() && file.held.is_none() && !file.path.is_file() {
            // Whatever reads the file says that it is missing, or a folder.
            continue;
        }
        let found = match known.iter().find(|(path, _)| *path == file.path) {
            Some((_, checksum)) => checksum.clone(),
            None => {
                let checksum = match &file.held {
                    Some(bytes) => files::sha256_of(bytes),
                    None => files::sha256(&file.path)?,
                };
                known.push((file.path.clone(), checksum.clone()));
                checksum
            }
        };
        if file.sha256.as_ref().is_some_and(|stated| !stated.eq_ignore_ascii_case(&found)) {
            return Err(Error::user(format!(
                "{} has another SHA-256 than the job states; restore the file, or remove `sha256` from the job",
                file.name().display()
            )));
        }
        file.sha256 = Some(found);
    }
    Ok(())
}

impl Resolved {
    /// The file that the result goes to.
    ///
    /// Errors: the job has none.
    pub fn output(&self) -> Result<&Path> {
        let missing = || Error::field("output.file", "is missing; name the result");
        self.job.output.file.as_deref().ok_or_else(missing)
    }

    /// Width and height of the texture that the job asks for.
    pub(crate) fn texture_size(&self) -> Result<(usize, usize)> {
        texture_size(self.job.options.size.unwrap_or(OutputSize::Original))
    }
}
