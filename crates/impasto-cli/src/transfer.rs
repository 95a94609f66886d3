//! `impasto CONTENT STYLE -o OUT`: the transfer itself.

use std::ffi::OsString;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, bail};
use clap::ArgMatches;
use impasto::image_io::{Picture, SaveOptions};
use impasto::{
    ColorMode, Image, Init, Layer, Objective, Options, Padding, Preset, Session, SizeOptions, StopReason,
    StyleLossKind, image_io,
};

use crate::args::{FileArgs, InitFrom, OutputSize, TransferArgs};
use crate::checkpoint::Checkpoints;
use crate::interrupt::Interrupt;
use crate::progress::{Display, Progress};
use crate::recipe::Recipe;
use crate::{Failure, OrFail, input, report, styles};

/// Makes the picture and reports.
///
/// `matches`: what `files` and `args` were read from, for the recipe.
pub fn run(files: &FileArgs, args: &TransferArgs, matches: &ArgMatches) -> Result<(), Failure> {
    let started = Instant::now();
    let mut size = size_options(args).or_user()?;
    let mut options = options(args).or_user()?;
    size.validate().or_user()?;
    options.validate().or_user()?;
    let save = save_options(args);
    check_output(files, args, &save).or_user()?;

    let load = |path: &Path| input::load(path, args.quiet).or_user();
    let content = load(&files.content)?;
    let sources = styles::load(&styles::named(files), &args.look, args.quiet).or_user()?;
    let init = match &args.optimization.init {
        InitFrom::File(path) => Some(load(path)?),
        InitFrom::Content | InitFrom::Noise => None,
    };
    if args.size.size == Some(OutputSize::Original) {
        size.size = content.width().max(content.height());
    }
    let scaled = scale(files, &size, &options, &content).or_user()?;
    check_room(files, &save, &scaled).or_user()?;
    let recipe = recipe(matches, files, &scaled.image)?;
    let save = SaveOptions { alpha: content.alpha, profile: content.profile, exif: content.exif, recipe, ..save };
    let colors = Colors { mode: args.colors.colors.into(), content: &scaled.image };
    let styles = styles::scaled(sources, files, &args.regions, &size, &options, &scaled.image).or_user()?;
    let styles = styles::recolored(styles, files, colors.mode, &scaled.image).or_user()?;
    let subject = styles::subject(files, &args.regions, &scaled, colors.mode).or_user()?;
    if let Some(init) = init {
        options.init = Init::Image(init.resized(scaled.width(), scaled.height()).image);
    }
    let network = input::network(&args.network.engine)?;

    let display = Display::new(args.quiet, options.steps).or_program()?;
    let interrupt = Interrupt::install(display.clone()).or_program()?;
    let session = Session::with_styles(&network, &subject, &styles, &options);
    let mut session = session.map_err(|error| styles::with_name(error, files, &args.regions)).or_user()?;

    let mut inputs = pictures(files, args);
    inputs.extend(args.network.engine.weights.clone());
    let mut checkpoints =
        Checkpoints::begin(&args.checkpoint, files, &inputs, &mut session, display.clone()).or_user()?;

    let mut progress = Progress::new(display.clone(), options.objective);
    // The recipe leads to the result, not to what was there before.
    let save_snapshots = SaveOptions { recipe: None, ..save.clone() };
    let mut snapshots = Snapshots::new(files, &save_snapshots, options.steps, colors);
    let reason = session.run(&mut |state: &impasto::Progress<'_>| {
        interrupt.start();
        progress.update(state);
        snapshots.take(state, &interrupt);
        checkpoints.update(state, &interrupt);
        // At the start there is no step to end after.
        if state.step > 0 && interrupt.requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    display.clear();
    let reason = reason.or_program()?;
    report::check_start_left(&session).or_user()?;

    let written = {
        let _undisturbed = interrupt.undisturbed();
        write(&files.output, &colors.finish(session.image()), &save)
    };
    if reason == StopReason::Stopped || written.is_err() {
        checkpoints.leave(&session, &interrupt);
    } else {
        checkpoints.remove();
    }
    written.or_program()?;
    snapshots.result().or_program()?;

    let losses = session.losses();
    let report = report::Transfer {
        output: files.output.display().to_string(),
        size: [scaled.width(), scaled.height()],
        steps: session.steps_done(),
        steps_wanted: options.steps,
        stopped: report::stopped(reason),
        seconds: checkpoints.seconds_before + started.elapsed().as_secs_f64(),
        content_loss: losses.content_loss(),
        content_loss_by_layer: report::by_layer(&losses.content),
        style_loss: report::by_layer(&losses.style),
        tv: losses.tv,
        total_loss: losses.total,
        objective: report::objective(options.objective),
        content_in_units: losses.content_in_units(),
        style_in_units: losses.style_in_units(),
        scales: session.scales().iter().map(report::Scale::from).collect(),
        seed: options.seed,
        saved: snapshots.saved,
    };
    let text = if args.json {
        report::json(&report)?
    } else if args.quiet {
        return Ok(());
    } else {
        report::transfer_text(&report, losses)
    };
    if input::is_stream(&files.output) {
        report::print_aside(&text);
        return Ok(());
    }
    report::print(&text)
}

/// What is noted in the picture; nothing where a file came through a pipe, which cannot be read once more.
fn recipe(matches: &ArgMatches, files: &FileArgs, content: &Image) -> Result<Option<String>, Failure> {
    let recipe = Recipe::new(matches, &files.output, [content.width(), content.height()]).or_user()?;
    recipe.map(|recipe| recipe.to_json().or_program()).transpose()
}

/// The size to work in; that of the content is put in once the content is known.
pub fn size_options(args: &TransferArgs) -> anyhow::Result<SizeOptions> {
    let preset = Preset::from(args.optimization.preset);
    let size = match args.size.size {
        Some(OutputSize::Original) if args.size.upscale => {
            bail!("--upscale enlarges, and --size original keeps the content's size; leave one of them out")
        }
        Some(OutputSize::Longest(size)) => size,
        Some(OutputSize::Original) | None => preset.size(),
    };
    Ok(SizeOptions { size, upscale: args.size.upscale, style_scale: args.size.style_scale })
}

/// How the result is written; what comes with the content is put in later.
fn save_options(args: &TransferArgs) -> SaveOptions {
    SaveOptions {
        format: args.output.format.map(image_io::Format::from),
        bit_depth: args.output.bit_depth,
        quality: args.output.quality,
        ..SaveOptions::default()
    }
}

/// What errors call the output.
fn output_name(files: &FileArgs) -> &Path {
    if input::is_stream(&files.output) { Path::new("standard output") } else { &files.output }
}

/// Writes the picture to where it shall go.
fn write(output: &Path, image: &Image, save: &SaveOptions) -> anyhow::Result<()> {
    if !input::is_stream(output) {
        return Ok(image_io::save_with(output, image, save)?);
    }
    let bytes = image_io::encode(image, Path::new("standard output"), save)?;
    let mut stdout = io::stdout().lock();
    stdout.write_all(&bytes).and_then(|()| stdout.flush()).context("cannot write the picture to standard output")
}

/// Refuses a size that the format has no room for.
fn check_room(files: &FileArgs, save: &SaveOptions, picture: &Picture) -> anyhow::Result<()> {
    let most = save.validate(output_name(files))?.max_side();
    let (width, height) = (picture.width(), picture.height());
    if width.max(height) > most {
        let name = output_name(files).display();
        bail!(
            "{name} would be {width}x{height} px, and its format has room for {most} a side; choose a smaller --size"
        );
    }
    Ok(())
}

/// The library's options; a picture to start from is read and put in later.
pub fn options(args: &TransferArgs) -> anyhow::Result<Options> {
    let (optimization, network) = (&args.optimization, &args.network);
    let defaults = Options::for_objective(optimization.objective.into());
    if optimization.strength.is_some() && defaults.objective != Objective::Balanced {
        bail!(
            "--strength is a dial of the balanced objective; weigh the paper's with --content-weight and --style-weight"
        );
    }
    let strength = optimization.strength.map(impasto::content_weight_at);
    Ok(Options {
        steps: steps(args),
        content_weight: optimization.content_weight.or(strength).unwrap_or(defaults.content_weight),
        style_weight: optimization.style_weight.unwrap_or(defaults.style_weight),
        tv_weight: optimization.tv_weight.unwrap_or(defaults.tv_weight),
        content_layers: network.content_layers.clone().unwrap_or(defaults.content_layers),
        style_layers: network.style_layers.clone(),
        init: match optimization.init {
            InitFrom::Noise => Init::Noise,
            InitFrom::Content | InitFrom::File(_) => Init::Content,
        },
        seed: optimization.seed,
        optimizer: optimization.optimizer.into(),
        pooling: network.engine.pooling.into(),
        padding: optimization.padding.map_or(defaults.padding, Padding::from),
        style_loss: optimization.style_loss.map_or(defaults.style_loss, StyleLossKind::from),
        scales: optimization.scales.unwrap_or(defaults.scales),
        tolerance: optimization.tolerance,
        objective: defaults.objective,
        threads: network.engine.threads,
    })
}

/// Steps that the run may take.
fn steps(args: &TransferArgs) -> usize {
    args.optimization.steps.unwrap_or(Preset::from(args.optimization.preset).steps())
}

/// Refuses an output that cannot be written or that would destroy an input.
fn check_output(files: &FileArgs, args: &TransferArgs, save: &SaveOptions) -> anyhow::Result<()> {
    let pictures = pictures(files, args);
    let mut inputs: Vec<&Path> = pictures.iter().map(PathBuf::as_path).collect();
    input::check_stdin(&inputs)?;
    if input::is_stream(&files.output) {
        return check_stdout(files, save);
    }
    image_io::check_output(&files.output, save)?;
    inputs.retain(|path| !input::is_stream(path));
    inputs.extend(args.network.engine.weights.as_deref());
    let refuse = |output: &Path| match input::overwritten(output, &inputs) {
        Some(input) => bail!(
            "{} is to be written, but it is also an input ({}); choose another name for --output",
            output.display(),
            input.display()
        ),
        None => Ok(()),
    };
    refuse(&files.output)?;
    let Some(every) = files.save_every else {
        return Ok(());
    };
    // Only the steps that an input's name ends with can meet it, be it its own name or that of the file it links to.
    let names = inputs.iter().flat_map(|input| [Some(input.to_path_buf()), fs::canonicalize(input).ok()]).flatten();
    let steps = steps(args);
    for step in names.filter_map(|name| step_in_name(&name)) {
        if (1..=steps).contains(&step) && step.is_multiple_of(every) {
            refuse(&snapshot_path(&files.output, step, steps))?;
        }
    }
    Ok(())
}

/// Every picture and style file that is read.
fn pictures(files: &FileArgs, args: &TransferArgs) -> Vec<PathBuf> {
    let mut pictures = vec![files.content.clone()];
    pictures.extend(styles::paths(files, &args.look, &args.regions));
    if let InitFrom::File(path) = &args.optimization.init {
        pictures.push(path.clone());
    }
    pictures
}

/// Refuses what cannot go to standard output.
fn check_stdout(files: &FileArgs, save: &SaveOptions) -> anyhow::Result<()> {
    if save.format.is_none() {
        bail!("`-o -` has no extension; say with --format as what the picture shall be written");
    }
    save.validate(output_name(files))?;
    if files.save_every.is_some() {
        bail!("--save-every writes pictures beside the result, and `-o -` has no place beside it; name a file");
    }
    if io::stdout().is_terminal() {
        bail!("`-o -` writes the picture to standard output, which is the terminal; redirect it to a file or program");
    }
    Ok(())
}

/// The content at the size that it is worked on.
fn scale(files: &FileArgs, size: &SizeOptions, options: &Options, content: &Picture) -> anyhow::Result<Picture> {
    let longest = size.content_longest(content.width(), content.height());
    let (width, height) = image_io::fit(content.width(), content.height(), longest);
    let scaled = content.resized(width, height);
    // A term of weight 0 looks at no layer.
    let terms = [(options.style_weight, &options.style_layers), (options.content_weight, &options.content_layers)];
    let weighted = terms.into_iter().filter(|(weight, _)| *weight > 0.0);
    let layers: Vec<Layer> = weighted.flat_map(|(_, layers)| input::layers(layers)).collect();
    let (how, advice) = if (width, height) != (content.width(), content.height()) {
        (format!(" at --size {}", size.size), "; choose a larger --size")
    } else {
        (String::new(), "; take a larger picture or add --upscale")
    };
    input::check_sides(&files.content, &scaled.image, &layers, &how, advice)?;
    Ok(scaled)
}

/// What `--colors` asks for after the transfer.
#[derive(Clone, Copy)]
struct Colors<'a> {
    mode: ColorMode,
    /// In its own colours, of the result's size.
    content: &'a Image,
}

impl Colors<'_> {
    /// A picture of a run in the result's size and colours.
    fn finish(&self, picture: &Image) -> Image {
        self.mode.finish(image_io::resize(picture, self.content.width(), self.content.height()), self.content)
    }
}

/// The pictures of `--save-every`.
struct Snapshots<'a> {
    save: &'a SaveOptions,
    every: Option<usize>,
    steps: usize,
    colors: Colors<'a>,
    output: &'a Path,
    saved: Vec<String>,
    /// A snapshot that cannot be written ends the snapshots, not the run: the picture itself may still be saved.
    failure: Option<anyhow::Error>,
}

impl<'a> Snapshots<'a> {
    fn new(files: &'a FileArgs, save: &'a SaveOptions, steps: usize, colors: Colors<'a>) -> Snapshots<'a> {
        let (every, output) = (files.save_every, files.output.as_path());
        Snapshots { save, every, steps, colors, output, saved: Vec::new(), failure: None }
    }

    fn take(&mut self, state: &impasto::Progress<'_>, interrupt: &Interrupt) {
        let is_due = self.every.is_some_and(|every| state.step > 0 && state.step.is_multiple_of(every));
        if !is_due || self.failure.is_some() {
            return;
        }
        let path = snapshot_path(self.output, state.step, self.steps);
        let _undisturbed = interrupt.undisturbed();
        match image_io::save_with(&path, &self.colors.finish(state.image), self.save) {
            Ok(()) => self.saved.push(path.display().to_string()),
            Err(error) => self.failure = Some(error.into()),
        }
    }

    fn result(&mut self) -> anyhow::Result<()> {
        let output = self.output.display();
        match self.failure.take() {
            Some(error) => bail!("{output} is written, but not all that --save-every asks for: {error}"),
            None => Ok(()),
        }
    }
}

/// `out.png` at step 50 is `out-0050.png`; enough digits for the names to sort.
fn snapshot_path(output: &Path, step: usize, steps: usize) -> PathBuf {
    let digits = steps.to_string().len().max(4);
    let mut name = OsString::from(output.file_stem().unwrap_or_default());
    name.push(format!("-{step:0digits$}"));
    if let Some(extension) = output.extension() {
        name.push(".");
        name.push(extension);
    }
    output.with_file_name(name)
}

/// The number after the last hyphen of the name, where [`snapshot_path`] writes the step.
fn step_in_name(path: &Path) -> Option<usize> {
    path.file_stem()?.to_str()?.rsplit_once('-')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_carry_the_step_and_sort() {
        let name = |step, steps| snapshot_path(Path::new("a/out.v2.png"), step, steps);
        assert_eq!(name(50, 500), Path::new("a/out.v2-0050.png"));
        assert_eq!(name(50, 20_000), Path::new("a/out.v2-00050.png"));
        assert_eq!(snapshot_path(Path::new("out.jpg"), 5, 5), Path::new("out-0005.jpg"));
        assert_eq!(step_in_name(&name(50, 20_000)), Some(50));
        assert_eq!(step_in_name(Path::new("out.png")), None);
    }
}
