//! How a picture was made, as it is written into the picture: the job itself.
//!
//! A recipe is a complete [`Job`]: all of its options are set, so that later defaults do not change
//! it. Its inputs have checksums, and their paths are relative to the picture's folder. An input
//! from a pipe has a checksum and no path.
//!
//! If the picture has been moved, its inputs may still be where they were. So the recipe notes the
//! picture's folder too, with `~` for the home folder: it tells nobody's name. A checksum decides
//! whether a file that is found is the input.
//!
//! Recipes of versions 1 and 2 were lists of arguments; they are still read.

mod legacy;

use std::path::{Path, PathBuf};
use std::{env, fs};

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
/// `output` on `device`; `None`: the job wants none, or has an input without a checksum. It notes
/// the folder of `output` if `notes_folder` says so.
pub(crate) fn text(job: &Job, output: &Path, size: [usize; 2], device: &str, notes_folder: bool) -> Option<String> {
    if job.output.no_recipe || job.inputs.files().iter().any(|(_, file)| file.sha256.is_none()) {
        return None;
    }
    let mut recipe = job.clone();
    let folder = files::folder_of_recipe(output);
    for InputFile { path, held, .. } in recipe.inputs.files_mut() {
        // What was read once cannot be found again, whatever it was called.
        *path = if held.is_some() { PathBuf::from("-") } else { files::from_folder(folder, path) };
    }
    // What leads to the picture, not where it lay.
    recipe.output = Output { file: None, save_every: None, ..recipe.output };
    recipe.version = VERSION;
    let folder = notes_folder.then(|| without_home(folder)).flatten();
    recipe.made = Some(Made { program: PROGRAM.to_owned(), device: Some(device.to_owned()), size, folder });
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
            "{name} holds no recipe; only pictures that impasto wrote do, unless --no-recipe was given or another \
             program has saved them since"
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

/// A folder as a recipe notes it: `~` stands for the home folder.
fn without_home(folder: &Path) -> Option<PathBuf> {
    let folder = fs::canonicalize(folder).ok()?;
    match home().and_then(|home| folder.strip_prefix(home).ok().map(Path::to_owned)) {
        Some(rest) if rest.as_os_str().is_empty() => Some(PathBuf::from(HOME)),
        Some(rest) => Some(Path::new(HOME).join(rest)),
        None => Some(folder),
    }
}

/// A folder that [`without_home`] has noted.
fn with_home(folder: &Path) -> Option<PathBuf> {
    match folder.strip_prefix(HOME) {
        Ok(rest) => Some(home()?.join(rest)),
        Err(_) => Some(folder.to_owned()),
    }
}

/// What stands for the home folder.
const HOME: &str = "~";

/// The home folder, unless that is the root of all.
fn home() -> Option<PathBuf> {
    fs::canonicalize(env::home_dir()?).ok().filter(|home| home.parent().is_some())
}

/// The job of a recipe, with its inputs where they were found.
#[derive(Debug)]
pub struct Located {
    /// Its paths are as seen from the current folder.
    pub job: Job,
    /// Inputs that were found elsewhere than the recipe says.
    pub moved: Vec<Moved>,
}

/// An input that was found elsewhere than the recipe says.
#[derive(Debug)]
pub struct Moved {
    /// What it is: `content`, `style` ...
    pub role: &'static str,
    /// Where it should be.
    pub wanted: PathBuf,
    /// Where it is.
    pub found: PathBuf,
}

/// Finds the inputs of a recipe. Each is looked for where it is from the picture's folder, where it
/// was from the folder that the picture was made in, and under its own name in the current folder
/// and beside the picture. The checksum decides. `changed_inputs`: inputs may have changed since,
/// and the first file with the name is taken.
///
/// Errors: an input that is missing or has changed, or that was a pipe.
pub fn located(recipe: Job, picture: &Path, changed_inputs: bool) -> Result<Located> {
    let mut job = recipe;
    let made = picture.display();
    let old_folder = job.made.as_ref().and_then(|made| with_home(made.folder.as_deref()?));
    let roles: Vec<&'static str> = job.inputs.files().iter().map(|(place, _)| role(place)).collect();
    let mut moved = Vec::new();
    for (file, role) in job.inputs.files_mut().into_iter().zip(roles) {
        let flag = flag(role);
        if files::is_stream(&file.path) {
            return Err(Error::user(format!(
                "{made} was made from a pipe or standard input ({role}), which cannot be read again; give a file with \
                 {flag}"
            )));
        }
        let places = places(&file.path, picture, old_folder.as_deref());
        let is_it = |path: &&PathBuf| {
            changed_inputs
                || file.sha256.as_ref().is_none_or(|stated| files::sha256(path).is_ok_and(|found| found == *stated))
        };
        let there: Vec<&PathBuf> = places.iter().filter(|path| path.is_file()).collect();
        let wanted = &places[0];
        let name = wanted.display();
        let found = match (there.iter().copied().find(is_it), there.first()) {
            (Some(found), _) => found,
            (None, None) => {
                return Err(Error::user(format!(
                    "{made} was made from {name} ({role}), which is missing, and {} is neither in the current folder \
                     nor beside the picture; restore it, or give the file with {flag}",
                    file.path.file_name().map(Path::new).unwrap_or(&file.path).display()
                )));
            }
            (None, Some(other)) => {
                return Err(Error::user(format!(
                    "{} ({role}) has changed since {made} was made from it; restore the old file, give it with {flag}, \
                     or add --changed-inputs",
                    other.display()
                )));
            }
        };
        if found != wanted {
            moved.push(Moved { role, wanted: wanted.clone(), found: found.clone() });
        }
        *file = found.clone().into();
    }
    job.made = None;
    Ok(Located { job, moved })
}

/// Where an input may be: first where the recipe says.
fn places(path: &Path, picture: &Path, old_folder: Option<&Path>) -> Vec<PathBuf> {
    let beside = picture.parent().unwrap_or(Path::new(""));
    let old = old_folder.map(|folder| folder.join(path));
    let names = path.file_name().into_iter().flat_map(|name| [PathBuf::from(name), beside.join(name)]);
    [beside.join(path)].into_iter().chain(old).chain([path.to_owned()]).chain(names).collect()
}

/// The flag that gives an input to `again`.
fn flag(role: &str) -> String {
    format!("--{}", role.replace(' ', "-"))
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
