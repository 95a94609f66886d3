//! `impasto again PICTURE`: a picture made again from its recipe, with changes.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use clap::{Args, Command, ValueHint};
use impasto_job::error::Error;
use impasto_job::job::inputs::{Inputs, StyleInput};
use impasto_job::job::options::JobOptions;
use impasto_job::job::output::Output;
use impasto_job::job::values::Rotations;
use impasto_job::job::{Job, Kind, from_map, to_map};
use impasto_job::recipe::{self, Located, Moved};

use crate::args::inputs::{StylesArgs, look_at, other_inputs};
use crate::args::{Maker, PictureArgs, with_rules};
use crate::commands::make::make;
use crate::config;
use crate::failure::{Failure, OrFail};
use crate::text;
use crate::wording::wording;

/// Make a picture again from its recipe. Options that are given replace those of the recipe.
///
/// Options have to go with the picture's kind: one of `texture`, `reconstruct` or `sweep` takes
/// those of that command. One of `batch` is made alone, as by a transfer.
///
/// The files that went in are looked for where they were, seen from the picture and from the
/// folder that it was made in, and by their names in the current folder and beside the picture. The
/// checksums in the recipe decide, and a line names a file that was found elsewhere.
#[derive(Args, Debug)]
#[command(mut_arg("output", |arg| with_rules(
    arg,
    "Where the result goes. [default: beside the picture, as PICTURE-again, with a number if that name is taken]"
)))]
#[command(mut_arg("content_layers", |arg| arg.alias("layer")))]
#[command(mut_arg("resume", |arg| arg.hide(true)), mut_arg("checkpoints", |arg| arg.hide(true)))]
pub struct AgainArgs {
    /// A picture that impasto has written.
    pub picture: PathBuf,

    /// Take files that went in as they are, even if they have changed since.
    #[arg(long)]
    pub changed_inputs: bool,

    /// The picture to be painted, in place of the one that went in.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub content: Option<PathBuf>,

    #[command(flatten)]
    pub changes: PictureArgs,
}

/// Makes the picture again and reports.
pub fn run(args: &AgainArgs) -> Result<(), Failure> {
    let recipe = recipe::of(&args.picture)?;
    let program = recipe.made.as_ref().map(|made| made.program.clone()).unwrap_or_default();
    let job = changed(recipe, args);
    let job = job.map_err(|error| match error {
        // What was changed is the user's; what was there is the recipe's.
        ChangeError::Recipe(error) => {
            anyhow!("{}, as it was made by {program}: {}", args.picture.display(), wording(&error))
        }
        ChangeError::Words(error) => error,
    });
    let PictureArgs { only, report, .. } = &args.changes;
    make(&job.or_user()?, &args.changes.machine(), only, report)
}

/// Why a recipe cannot be changed so.
enum ChangeError {
    Recipe(Error),
    Words(anyhow::Error),
}

impl From<Error> for ChangeError {
    fn from(error: Error) -> ChangeError {
        ChangeError::Recipe(error)
    }
}

impl From<anyhow::Error> for ChangeError {
    fn from(error: anyhow::Error) -> ChangeError {
        ChangeError::Words(error)
    }
}

/// The job of a recipe with the changes of a command line.
fn changed(recipe: Job, args: &AgainArgs) -> Result<Job, ChangeError> {
    let changes = &args.changes;
    refuse_others(recipe.kind, changes)?;
    if args.content.is_some() && recipe.kind == Kind::Texture {
        return Err(anyhow!("--content does not go with a texture; leave it out").into());
    }
    let is_dial_turned = changes.options.preset.is_some() || changes.options.objective.is_some();
    let recipe = if is_dial_turned { recipe::without_derived(&recipe)? } else { recipe };
    let options = changed_options(&recipe.options, &changes.options)?;
    let output = changed_output(&recipe.output, &changes.output)?;
    let rotations = recipe.inputs.styles.first().and_then(|style| style.look.rotations);
    // Inputs that are replaced need not be there any more.
    let mut kept = without_replaced(recipe.inputs.clone(), changes);
    kept.content = kept.content.filter(|_| args.content.is_none());
    let Located { job: located, moved } =
        recipe::located(Job { inputs: kept, ..recipe }, &args.picture, args.changed_inputs)
            .map_err(|error| anyhow!("{}", wording(&error)))?;
    if !changes.report.quiet {
        moved.iter().for_each(tell);
    }
    let mut inputs = changed_inputs(located.inputs.clone(), changes, rotations)?;
    inputs.content = args.content.clone().map(Into::into).or(inputs.content);
    let file = match output.file {
        Some(file) => file,
        None => free_name(&args.picture)?,
    };
    Ok(Job { inputs, options, output: Output { file: Some(file), ..output }, ..located })
}

/// A line about an input that lies elsewhere than the recipe says.
fn tell(Moved { role, wanted, found }: &Moved) {
    let (found, wanted) = (found.display(), wanted.display());
    text::print_aside(&format!("{found}: taken as the {role}, in place of {wanted}\n"));
}

/// Refuses changes that have no effect on a picture of this kind. The style of a texture is
/// changed with `--style`, as the command has no second name.
fn refuse_others(kind: Kind, changes: &PictureArgs) -> anyhow::Result<()> {
    let mut changes = changes.clone();
    if kind == Kind::Texture {
        changes.styles = StylesArgs::default();
    }
    config::refuse_others(Maker::of(kind), &changes)
}

/// Options with others in their place. Those that a new one conflicts with give way to it.
fn changed_options(recipe: &JobOptions, changes: &JobOptions) -> Result<JobOptions, Error> {
    let command = JobOptions::augment_args(Command::new("options"));
    let (mut options, changes) = (to_map(recipe), to_map(changes));
    for arg in command.get_arguments().filter(|arg| changes.contains_key(&arg.get_id().as_str().replace('_', "-"))) {
        for conflict in config::conflicts(&command, arg) {
            options.remove(&conflict);
        }
    }
    options.extend(changes);
    from_map(options)
}

fn changed_output(recipe: &Output, changes: &Output) -> Result<Output, Error> {
    let mut output = to_map(recipe);
    output.extend(to_map(changes));
    from_map(output)
}

/// The inputs that the changes leave.
fn without_replaced(inputs: Inputs, changes: &PictureArgs) -> Inputs {
    let PictureArgs { styles, regions, look, init, weights, .. } = changes;
    let mut inputs = inputs;
    if !styles.styles.is_empty() {
        inputs.styles.clear();
    }
    for (style, _) in inputs.styles.iter_mut().zip(&look.masks.style_mask) {
        style.mask = None;
    }
    inputs.mask = inputs.mask.filter(|_| regions.mask.is_none());
    inputs.keep = inputs.keep.filter(|_| regions.keep.is_none());
    inputs.init = inputs.init.filter(|_| init.init.is_none());
    inputs.weights = inputs.weights.filter(|_| weights.weights.is_none());
    inputs
}

/// Inputs with others in their place. `rotations`: those of the recipe's styles, which new styles
/// keep.
fn changed_inputs(inputs: Inputs, changes: &PictureArgs, rotations: Option<Rotations>) -> anyhow::Result<Inputs> {
    let PictureArgs { styles, regions, look, init, weights, .. } = changes;
    let Inputs { mask, keep, init, weights, .. } = other_inputs(regions, init, weights);
    let mut all = Inputs {
        mask: mask.or(inputs.mask),
        keep: keep.or(inputs.keep),
        init: init.or(inputs.init),
        weights: weights.or(inputs.weights),
        ..inputs
    };
    if !styles.styles.is_empty() {
        all.styles = styles.styles.iter().cloned().map(StyleInput::from).collect();
        all.styles.iter_mut().for_each(|style| style.look.rotations = rotations);
    }
    look_at(&mut all.styles, look)?;
    Ok(all)
}

/// `out-again.png` for `out.png`, or `out-again-2.png` and so on if there is such a file.
fn free_name(picture: &Path) -> anyhow::Result<PathBuf> {
    const MOST: usize = 1000;
    let name = |number: usize| {
        let mut name = OsString::from(picture.file_stem().unwrap_or_default());
        name.push(if number == 1 { "-again".to_owned() } else { format!("-again-{number}") });
        if let Some(extension) = picture.extension() {
            name.push(".");
            name.push(extension);
        }
        picture.with_file_name(name)
    };
    match (1..=MOST).map(name).find(|path| path.symlink_metadata().is_err()) {
        Some(path) => Ok(path),
        None => bail!("there are {MOST} pictures beside {} already; name one with --output", picture.display()),
    }
}
