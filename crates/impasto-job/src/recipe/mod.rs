//! How a picture was made, as it is written into the picture: the job itself.
//!
//! A recipe is a complete [`Job`]: all of its options are set, so that later defaults do not change
//! it. Its inputs have checksums, and their paths are relative to the picture's folder. Recipes of
//! versions 1 and 2 were lists of arguments; they are still read.

mod legacy;

use std::path::Path;

use impasto::picture;
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::files;
use crate::job::inputs::InputFile;
use crate::job::options::JobOptions;
use crate::job::output::Output;
use crate::job::{Job, Made, PROGRAM, VERSION, from_map, to_map};
use crate::resolve;

/// What every version of a recipe says.
#[derive(Deserialize)]
struct OfAnyVersion {
    version: u32,
    #[serde(default)]
    program: String,
}

/// The recipe of a picture of `size` (width and height in px) that `job`, resolved, makes at
/// `output`; `None`: the job wants none, or has an input that cannot be read again.
pub(crate) fn text(job: &Job, output: &Path, size: [usize; 2]) -> Option<String> {
    if job.output.no_recipe || job.inputs.files().iter().any(|(_, file)| file.sha256.is_none()) {
        return None;
    }
    let mut recipe = job.clone();
    for InputFile { path, .. } in recipe.inputs.files_mut() {
        *path = files::from_folder_of(output, path);
    }
    // What leads to the picture, not where it lay.
    recipe.output = Output { file: None, save_every: None, ..recipe.output };
    recipe.version = VERSION;
    recipe.made = Some(Made { program: PROGRAM.to_owned(), size });
    Some(serde_json::to_string(&recipe).expect("a job has no maps with other keys than text"))
}

/// The recipe of a picture, its paths as seen from the picture's folder.
///
/// Errors: a file that cannot be read, that holds no recipe, or one that this program does not
/// understand.
pub fn of(picture: &Path) -> Result<Job> {
    let name = picture.display();
    let Some(text) = picture::recipe(picture)? else {
        return Err(Error::user(format!(
            "{name} holds no recipe; only pictures that impasto wrote from files do, unless --no-recipe was given or \
             another program has saved them since"
        )));
    };
    let unreadable = |error: String| Error::user(format!("{name} holds a recipe that cannot be read: {error}"));
    let OfAnyVersion { version, program } =
        serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))?;
    if version > VERSION {
        return Err(Error::user(format!("{name} was made by a newer program, {program}; use that")));
    }
    let job = if version < VERSION { legacy::job(&text) } else { Job::from_json(&text) };
    job.map_err(|error| unreadable(error.to_string()))
}

/// The job of a recipe with paths as seen from the current folder. `changed_inputs`: inputs may
/// have changed since.
///
/// Errors: an input that is missing or has changed.
pub fn located(recipe: Job, picture: &Path, changed_inputs: bool) -> Result<Job> {
    let mut job = recipe;
    let roles: Vec<&'static str> = job.inputs.files().iter().map(|(place, _)| role(place)).collect();
    for (file, role) in job.inputs.files_mut().into_iter().zip(roles) {
        let path = picture.parent().unwrap_or(Path::new("")).join(&file.path);
        let (name, made) = (path.display(), picture.display());
        if !path.is_file() {
            return Err(Error::user(format!("{made} was made from {name} ({role}), which is missing; restore it")));
        }
        if !changed_inputs
            && file.sha256.as_ref().is_some_and(|stated| files::sha256(&path).ok().as_ref() != Some(stated))
        {
            return Err(Error::user(format!(
                "{name} ({role}) has changed since {made} was made from it; restore the old file, or add --changed-inputs"
            )));
        }
        *file = path.into();
    }
    job.made = None;
    Ok(job)
}

/// What a place in a job is called in a message.
fn role(place: &str) -> &'static str {
    match place.rsplit('.').next() {
        Some("content") => "content",
        Some("file") => "style",
        Some("mask") if place.contains('[') => "style mask",
        Some("mask") => "mask",
        Some("keep") => "keep",
        Some("init") => "init",
        _ => "weights",
    }
}

/// A recipe without the options that follow from `preset` and `objective` alone, for a picture in
/// which one of these is another: they follow again.
///
/// Errors: options that contradict each other.
pub fn without_derived(recipe: &Job) -> Result<Job> {
    let JobOptions { preset, objective, .. } = recipe.options;
    let dials = JobOptions { preset, objective, ..JobOptions::default() };
    let derived = resolve::complete(&Job { options: dials.clone(), output: Output::default(), ..recipe.clone() })?;
    let (dials, derived) = (to_map(&dials), to_map(&derived.options));
    let mut options = to_map(&recipe.options);
    options.retain(|name, value| dials.contains_key(name) || derived.get(name) != Some(value));
    Ok(Job { options: from_map(options)?, ..recipe.clone() })
}
