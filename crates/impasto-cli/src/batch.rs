//! `impasto batch PHOTOS... --style STYLES... -o FOLDER`: every photo with every style.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use clap::{ArgMatches, Args};
use impasto::picture::{self, Picture, SaveOptions};
use serde::Serialize;

use crate::args::{FileArgs, FormatName, Limits, TransferArgs};
use crate::checkpoint::{self, CheckpointArgs};
use crate::input::Inputs;
use crate::interrupt::{self, Interrupt};
use crate::maker::Maker;
use crate::painting::Wish;
use crate::recipe::Recipe;
use crate::series::{Keep, Painted, Series};
use crate::styles::{LookArgs, WeightedStyle};
use crate::{Failure, OrFail, again, config, input, output, recipe, report, settings};

const EXAMPLES: &str = "\
Examples:
  impasto batch photos/*.jpg --style painting.jpg -o painted
      Every photo: painted/beach-painting.png, painted/street-painting.png ...
  impasto batch beach.jpg street.jpg --style a.jpg b.jpg -o painted --format jpeg --strength 70
      Four pictures: each photo with each style.
  impasto batch photos/*.jpg --style painting.jpg -o painted --resume
      Those that are not there yet.

A photo that cannot be painted is left out: the others are made, those that failed are listed at the end, and the exit status is 1. \
With --colors luminance and --colors matched a style depends on its photo and is looked at anew for each; otherwise once for each size.

Ctrl-C (or SIGTERM) ends the batch after the current step. The picture that is not finished is left out; --resume goes on with it where \
it has checkpoints, as pictures of more than ten minutes have, and makes it anew where not: exit status 130.";

/// What `--mask` is where each picture has one style.
pub const REGION: &str = "Where on the photo the style goes: white is painted, black is left to the content loss.";

/// Paint every photo with every style, each a picture of its own: FOLDER/PHOTO-STYLE.png.
///
/// The pictures are those of single runs with the same options; the network is read once, and a style is looked at once.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
#[command(mut_arg("format", |arg| arg.help(
    "Format of the results. The photo's colour profile (RGB) goes with it, its transparency (JPEG: laid over white) and its EXIF data \
     (not in TIFF). [default: png]"
)))]
#[command(mut_arg("json", |arg| arg.help(
    "Print one JSON object a line for each picture on stdout instead of text. Progress stays on stderr."
)))]
#[command(mut_arg("mask", |arg| arg.help(REGION)))]
pub struct BatchArgs {
    /// The pictures to be painted (PNG, JPEG, TIFF, WebP).
    #[arg(required = true, value_name = "PHOTO")]
    pub photos: Vec<PathBuf>,

    /// The styles: pictures, or files of `impasto style save`.
    #[arg(id = "styles", long = "style", value_name = "FILE", value_parser = WeightedStyle::parser(), num_args = 1..)]
    #[arg(required = true, help_heading = "Styles and regions")]
    pub styles: Vec<WeightedStyle>,

    /// The folder that the results go to; it is made where it is not there. Files of their names are replaced.
    #[arg(short, long, value_name = "FOLDER")]
    pub output: PathBuf,

    /// Leave out what is there already, results that can be read as a picture, and go on with what was broken off and has checkpoints.
    #[arg(long)]
    pub resume: bool,

    /// Keep checkpoints of every picture while it is made, in OUT.checkpoint beside it. [default: of those that take more than ten minutes]
    #[arg(long, conflicts_with = "no_checkpoint", help_heading = "Checkpoints")]
    pub checkpoints: bool,

    /// Seconds between checkpoints. Where writing them would take more than 2 % of the time, there are fewer.
    #[arg(long, value_name = "SECONDS", value_parser = checkpoint::seconds, default_value = checkpoint::EVERY)]
    #[arg(allow_hyphen_values = true, help_heading = "Checkpoints")]
    pub checkpoint_every: Duration,

    /// Keep no checkpoints. [default: off]
    #[arg(long, help_heading = "Checkpoints")]
    pub no_checkpoint: bool,

    #[command(flatten)]
    pub transfer: TransferArgs,
}

/// One of the pictures.
struct Job {
    /// The place of the photo among all.
    photo: usize,
    /// The place of the style among all.
    style: usize,
    files: FileArgs,
}

/// What became of one of the pictures, for JSON.
#[derive(Serialize)]
struct Line<'a> {
    /// Its place among all, from 1.
    number: usize,
    /// How many there are.
    of: usize,
    photo: String,
    style: String,
    #[serde(flatten)]
    outcome: &'a Outcome,
}

#[derive(Serialize)]
#[serde(tag = "result", rename_all = "lowercase")]
enum Outcome {
    /// Painted and written.
    Made(Box<report::Transfer>),
    /// There already.
    Present { output: String },
    /// Not made, and why.
    Failed { output: String, error: String },
}

/// Makes the pictures and reports each.
pub fn run(args: &BatchArgs, matches: &ArgMatches) -> Result<(), Failure> {
    let transfer = &args.transfer;
    let save = SaveOptions {
        format: Some(transfer.output.format.unwrap_or(FormatName::Png).into()),
        ..output::save_options(transfer)
    };
    let jobs = jobs(args).or_user()?;
    // The options are the same for all.
    Wish::new(&jobs[0].files, transfer).or_user()?;
    save.validate(&jobs[0].files.output).or_user()?;
    let series = Series::new(transfer, &args.styles)?;
    let interrupt = Interrupt::install_answering(series.display.clone(), interrupt::LEAVES_PICTURE_OUT).or_program()?;
    make_folder(&args.output).or_user()?;
    check_outputs(args, &jobs, &save).or_user()?;
    interrupt.start();

    let mut batch = Batch { args, matches, save, series, interrupt, photo: None, failures: Vec::new() };
    let done = batch.paint_all(&jobs);
    batch.failures.iter().for_each(|failure| crate::print_error(failure));
    let (done, of, failed) = (done?, jobs.len(), batch.failures.len());
    if done < of {
        let there = done - failed;
        return Err(Failure::Interrupted(anyhow!(
            "interrupted: {there} of {of} pictures are there; --resume makes the rest"
        )));
    }
    if failed > 0 {
        return Err(Failure::Program(anyhow!("{failed} of {of} pictures could not be made")));
    }
    Ok(())
}

/// The work, and how far it is.
struct Batch<'a> {
    args: &'a BatchArgs,
    /// What `args` were read from.
    matches: &'a ArgMatches,
    save: SaveOptions,
    series: Series<'a>,
    interrupt: Interrupt,
    /// What reading a photo and bringing it to size came to, and its place among all: the next job may have the same.
    photo: Option<(usize, anyhow::Result<Picture>)>,
    /// What could not be made, and why.
    failures: Vec<String>,
}

impl Batch<'_> {
    /// How many of the pictures were dealt with: all, or those before the user ended it.
    ///
    /// Errors: a picture cannot be written. What stands in its way is in that of the next as well.
    fn paint_all(&mut self, jobs: &[Job]) -> Result<usize, Failure> {
        for (i, job) in jobs.iter().enumerate() {
            if self.interrupt.requested() {
                return Ok(i);
            }
            let Some(outcome) = self.outcome(job)? else {
                return Ok(i);
            };
            tell(self.args, job, (i + 1, jobs.len()), &outcome)?;
        }
        Ok(jobs.len())
    }

    /// Makes one of the pictures; `None` where the user has ended it.
    fn outcome(&mut self, job: &Job) -> Result<Option<Outcome>, Failure> {
        let path = &job.files.output;
        let output = path.display().to_string();
        if self.args.resume && is_made(path) {
            return Ok(Some(Outcome::Present { output }));
        }
        match self.paint(job) {
            Ok(Some((painted, save))) => {
                let _undisturbed = self.interrupt.undisturbed();
                output::write(path, &painted.image, &save).or_program()?;
                painted.checkpoints.remove();
                Ok(Some(Outcome::Made(Box::new(painted.report))))
            }
            Ok(None) => Ok(None),
            Err(error) => {
                let error = crate::wording(&error);
                self.failures.push(format!("{output}: {error}"));
                Ok(Some(Outcome::Failed { output, error }))
            }
        }
    }

    /// A picture, and how it is to be written; `None` where the user has ended it.
    fn paint(&mut self, job: &Job) -> anyhow::Result<Option<(Painted, SaveOptions)>> {
        let Batch { args, matches, save, series, interrupt, photo, .. } = self;
        if photo.as_ref().is_some_and(|(place, _)| *place != job.photo) {
            *photo = None;
        }
        let transfer = &args.transfer;
        let mut wish = Wish::new(&job.files, transfer)?;
        // The file's own size can be much larger, and is not needed any more.
        let mut read = || input::load(&job.files.content, transfer.reading()).and_then(|content| wish.scale(&content));
        let (_, content) = photo.get_or_insert_with(|| (job.photo, read()));
        let content = content.as_ref().map_err(|error| anyhow!("{}", crate::wording(error)))?;
        let scaled = wish.scale(content)?;
        output::check_room(&job.files, save, (scaled.width(), scaled.height()))?;
        let size = [scaled.width(), scaled.height()];
        let mut line = single_run(job, series.look(job.style), matches);
        if transfer.output.recipe.no_recipe {
            line.insert(1, "--no-recipe".into());
        }
        let (cli, single) = config::parse_whole(line.clone())?;
        let recipe = Recipe::new(Maker::Transfer, &single, &job.files.output, size)?;
        let (kept, mut resumed) = keep(args, job, &cli.transfer, line)?;
        if let Some(limits) = &mut resumed {
            // Another folder changes nothing.
            if let (Some(there), Some(folder)) = (&mut limits.scratch, &transfer.scratch.scratch) {
                there.clone_from(folder);
            }
            limits.plan_as(&mut wish.options);
        }
        wish.resumed = resumed;
        let recipe = recipe.map(|recipe| recipe.to_json()).transpose()?;
        let save = SaveOptions { recipe, ..output::with_content(save, content) };
        let painted = series.paint(wish, job.style, scaled, &save, Some(&kept), interrupt)?;
        Ok(painted.map(|painted| (painted, save)))
    }
}

/// The pictures, photo by photo. Errors: names that cannot be meant, or that two of the pictures would have.
fn jobs(args: &BatchArgs) -> anyhow::Result<Vec<Job>> {
    let extension = args.transfer.output.format.unwrap_or(FormatName::Png).extension();
    for path in args.photos.iter().chain(args.styles.iter().map(|style| &style.path)) {
        if input::is_stream(path) {
            bail!("`-` is standard input, which a batch does not read; name a file");
        }
        if path.is_dir() {
            let path = path.display();
            bail!("{path} is a folder; name the pictures in it, as in {path}/*.jpg");
        }
    }
    if let Some(style) = args.styles.iter().find(|style| style.weight.is_some()) {
        let path = style.path.display();
        bail!(
            "--style {path} has a weight, but a batch blends no styles: each makes its own pictures; leave the weight out"
        );
    }
    let mut names: HashMap<OsString, (&Path, &Path)> = HashMap::new();
    let mut jobs = Vec::new();
    for (p, photo) in args.photos.iter().enumerate() {
        for (s, style) in args.styles.iter().enumerate() {
            let name = name(photo, &style.path, extension);
            let output = args.output.join(&name);
            // To some file systems upper and lower case are one.
            if let Some((other, other_style)) = names.insert(name.to_ascii_lowercase(), (photo, &style.path)) {
                bail!(
                    "{} would be the name of {} with {}, and of {} with {}; rename one, or give it a batch of its own",
                    output.display(),
                    other.display(),
                    other_style.display(),
                    photo.display(),
                    style.path.display()
                );
            }
            let files =
                FileArgs { content: photo.clone(), style: None, styles: vec![style.clone()], output, save_every: None };
            jobs.push(Job { photo: p, style: s, files });
        }
    }
    Ok(jobs)
}

/// The command line of the single run that makes the same picture; `look`: how its style is looked at.
fn single_run(job: &Job, look: &LookArgs, matches: &ArgMatches) -> Vec<OsString> {
    let with = |name: &str, value: &OsStr| {
        let mut argument = OsString::from(format!("--{name}="));
        argument.push(value);
        argument
    };
    let mut line: Vec<OsString> = vec!["impasto".into(), "--no-config".into()];
    for option in config::options(&Maker::Transfer.command()) {
        let (name, id) = (settings::name(option), option.get_id().as_str());
        if recipe::WITHOUT_EFFECT.contains(&name) || OF_EACH_STYLE.contains(&id) {
            continue;
        }
        if settings::is_switch(option) {
            line.extend(matches.get_flag(id).then(|| format!("--{name}").into()));
        } else {
            line.extend(matches.get_raw(id).into_iter().flatten().map(|value| with(name, value)));
        }
    }
    line.extend(look.style_mask.iter().map(|mask| with("style-mask", mask.as_os_str())));
    line.extend(look.style_crop.map(|crop| with("style-crop", crop.to_string().as_ref())));
    line.extend(job.files.styles.iter().map(|style| with("style", &again::weighted(style.path.clone(), None))));
    line.extend(["--output".into(), job.files.output.clone().into()]);
    // Behind this, a name that begins with a hyphen is a name.
    line.extend(["--".into(), job.files.content.clone().into()]);
    line
}

/// The checkpoints of one of the pictures, and, where it is to go on from some, what it was planned for.
///
/// `single`, `line`: the single run that makes the same picture. Errors: checkpoints that it cannot go on from.
fn keep(
    args: &BatchArgs,
    job: &Job,
    single: &TransferArgs,
    line: Vec<OsString>,
) -> anyhow::Result<(Keep, Option<Limits>)> {
    let folder = checkpoint::beside(&job.files.output);
    let broken_off = if args.resume { checkpoint::interrupted(&folder, &line)? } else { None };
    let (resumed, limits) = broken_off.unzip();
    let mut inputs = output::pictures(&job.files, single);
    inputs.extend(single.network.engine.weights.clone());
    let args = CheckpointArgs {
        checkpoint: args.checkpoints.then_some(folder),
        checkpoint_every: args.checkpoint_every,
        no_checkpoint: args.no_checkpoint,
        line,
        resumed,
    };
    Ok((Keep { args, inputs }, limits))
}

/// Options of a batch whose values are for one style each.
const OF_EACH_STYLE: [&str; 3] = ["styles", "style_mask", "style_crop"];

/// `PHOTO-STYLE.png`.
fn name(photo: &Path, style: &Path, extension: &str) -> OsString {
    let mut name = OsString::from(photo.file_stem().unwrap_or_default());
    name.push("-");
    name.push(style.file_stem().unwrap_or_default());
    name.push(".");
    name.push(extension);
    name
}

fn make_folder(folder: &Path) -> anyhow::Result<()> {
    if folder.exists() && !folder.is_dir() {
        bail!("{} is a file; give --output the folder that the results go to", folder.display());
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))
}

/// Refuses outputs that cannot be written or that would destroy an input.
fn check_outputs(args: &BatchArgs, jobs: &[Job], save: &SaveOptions) -> anyhow::Result<()> {
    let transfer = &args.transfer;
    // The first photo's jobs have all styles.
    let firsts = jobs.iter().take(args.styles.len());
    let others: Vec<PathBuf> = firsts.flat_map(|job| output::pictures(&job.files, transfer)).collect();
    let inputs = args.photos.iter().chain(&others).chain(&transfer.network.engine.weights).map(PathBuf::as_path);
    let inputs = Inputs::new(inputs);
    for job in jobs {
        picture::check_output(&job.files.output, save)?;
        inputs.refuse_overwriting(&job.files.output)?;
    }
    Ok(())
}

/// Whether a picture is there. Files are written whole or not at all, so that one that can be read is finished.
fn is_made(output: &Path) -> bool {
    output.exists() && picture::load(output).is_ok()
}

/// A line on stdout about one of the pictures.
fn tell(args: &BatchArgs, job: &Job, (number, of): (usize, usize), outcome: &Outcome) -> Result<(), Failure> {
    if args.transfer.report.json {
        let [photo, style] = [&job.files.content, &args.styles[job.style].path].map(|path| path.display().to_string());
        return report::print(&report::json_line(&Line { number, of, photo, style, outcome })?);
    }
    if args.transfer.report.quiet {
        return Ok(());
    }
    let what = match outcome {
        Outcome::Made(made) => report::transfer_line(made),
        Outcome::Present { output } => format!("{output}: there already"),
        Outcome::Failed { output, .. } => format!("{output}: failed"),
    };
    report::print(&format!("{number} of {of}  {what}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_of_both_pictures() {
        assert_eq!(name(Path::new("a/beach.v2.jpg"), Path::new("night.jpeg"), "png"), "beach.v2-night.png");
        assert_eq!(name(Path::new("beach"), Path::new("b/s.impasto-style"), "jpg"), "beach-s.jpg");
    }
}
