//! How a picture was made, as it is noted in the picture.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Arg, ArgMatches, ValueHint};
use impasto::picture;
use serde::{Deserialize, Serialize};

use crate::maker::Maker;
use crate::styles::WeightedStyle;
use crate::{Failure, OrFail, config, input, settings};

/// Changes when an older program would misread a recipe.
const VERSION: u32 = 2;

/// Options that leave the picture as it is, but for last bits where memory is short and plans differ.
pub const WITHOUT_EFFECT: [&str; 10] = [
    "save-every",
    "no-recipe",
    "checkpoint",
    "checkpoint-every",
    "no-checkpoint",
    "scratch",
    "threads",
    "plan",
    "quiet",
    "json",
];

/// The switch for pictures without a recipe.
const NO_RECIPE: &str = "no_recipe";

/// How a picture was made.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
pub struct Recipe {
    /// [`VERSION`].
    pub version: u32,
    /// The program and its version.
    pub program: String,
    /// The subcommand: [`Maker::name`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Every option that has a say in the picture, `--name=value`, defaults included, files left out.
    pub arguments: Vec<String>,
    /// The files that went in.
    pub inputs: Vec<Input>,
    /// Width and height in px.
    pub size: [usize; 2],
}

/// A file that went into a picture.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
pub struct Input {
    /// Its argument (`content`, `style`) or the name of its option (`init`).
    pub role: String,
    /// From the picture's folder; absolute where there is no such way. A name that is no Unicode is not found again.
    pub path: String,
    /// SHA-256 of its bytes, in hexadecimal; `None` for a word in a file's place, as in `--style-mask none`.
    pub sha256: Option<String>,
    /// What was given behind the name: the weight of a style.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
}

/// What an argument names: a file, or a word in its place.
struct Named<'a> {
    path: &'a Path,
    is_word: bool,
    weight: Option<f64>,
}

impl Recipe {
    /// What `matches` ask of `maker`, with the inputs as they are now; `None` where an input is standard input, which is gone afterwards, and
    /// where no recipe is wanted.
    ///
    /// `size`: width and height of the picture in px.
    ///
    /// Errors: inputs that cannot be read.
    pub fn new(maker: Maker, matches: &ArgMatches, output: &Path, size: [usize; 2]) -> anyhow::Result<Option<Recipe>> {
        if matches.get_flag(NO_RECIPE) {
            return Ok(None);
        }
        let command = maker.command();
        let mut options = config::options(&command);
        let mut inputs = Vec::new();
        for arg in command.get_positionals().chain(options.iter().copied()) {
            for named in files(arg, matches).unwrap_or_default() {
                if input::is_stream(named.path) {
                    return Ok(None);
                }
                inputs.push(Input::new(role(arg), &named, output)?);
            }
        }
        options.retain(|arg| files(arg, matches).is_none() && !WITHOUT_EFFECT.contains(&role(arg)));
        let mut arguments = Vec::new();
        for (option, setting) in settings::in_force(maker, &options, matches)? {
            let text = |argument: OsString| argument.to_string_lossy().into_owned();
            arguments.extend(settings::arguments(option, &setting).into_iter().map(text));
        }
        let program = concat!("impasto ", env!("CARGO_PKG_VERSION")).to_owned();
        let command = maker.name().map(str::to_owned);
        Ok(Some(Recipe { version: VERSION, program, command, arguments, inputs, size }))
    }

    /// The recipe of a picture.
    ///
    /// Errors: a file that cannot be read, that holds no recipe, or one that this program does not understand.
    pub fn of(picture: &Path) -> anyhow::Result<Recipe> {
        let name = picture.display();
        let Some(text) = picture::recipe(picture)? else {
            bail!(
                "{name} holds no recipe; only pictures that impasto wrote from files do, unless --no-recipe was given or another program has saved them since"
            );
        };
        let recipe: Recipe =
            serde_json::from_str(&text).with_context(|| format!("{name} holds a recipe that cannot be read"))?;
        if recipe.version > VERSION || recipe.maker().is_none() {
            bail!("{name} was made by a newer program, {}; use that", recipe.program);
        }
        Ok(recipe)
    }

    /// What made the picture; `None`: a command that this program does not have.
    pub fn maker(&self) -> Option<Maker> {
        Maker::named(self.command.as_deref())
    }

    /// As it is noted in the picture.
    pub fn to_json(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string(self)?)
    }
}

impl Input {
    fn new(role: &str, named: &Named<'_>, output: &Path) -> anyhow::Result<Input> {
        let &Named { path, is_word, weight } = named;
        let from_there = if is_word { path.to_owned() } else { from_folder_of(output, path) };
        let sha256 = (!is_word).then(|| input::sha256(path)).transpose()?;
        Ok(Input { role: role.to_owned(), path: from_there.to_string_lossy().into_owned(), sha256, weight })
    }

    /// Where the file is, seen from the current folder, when `picture` was made from it; a word as it is.
    ///
    /// Errors: it is not there, or has changed (unless `may_have_changed`).
    pub fn find(&self, picture: &Path, may_have_changed: bool) -> anyhow::Result<PathBuf> {
        let Some(expected) = &self.sha256 else {
            return Ok(self.path.clone().into());
        };
        let path = picture.parent().unwrap_or(Path::new("")).join(&self.path);
        if !path.is_file() {
            bail!(
                "{} was made from {} ({}), which is not there; put it back",
                picture.display(),
                path.display(),
                self.role
            );
        }
        if !may_have_changed && input::sha256(&path)? != *expected {
            bail!(
                "{} ({}) has changed since {} was made from it; put the old file back, or add --changed-inputs",
                path.display(),
                self.role,
                picture.display()
            );
        }
        Ok(path)
    }
}

/// What is noted in a picture of `maker`, if anything is: [`Recipe::new`].
pub fn noted(
    maker: Maker,
    matches: &ArgMatches,
    output: &Path,
    (width, height): (usize, usize),
) -> Result<Option<String>, Failure> {
    let recipe = Recipe::new(maker, matches, output, [width, height]).or_user()?;
    recipe.map(|recipe| recipe.to_json().or_program()).transpose()
}

/// What an argument is called in a recipe.
pub fn role(arg: &Arg) -> &str {
    arg.get_long().unwrap_or(arg.get_id().as_str())
}

/// The files that an argument names; `None` if it names none.
fn files<'a>(arg: &Arg, matches: &'a ArgMatches) -> Option<Vec<Named<'a>>> {
    let id = arg.get_id().as_str();
    if let Ok(Some(styles)) = matches.try_get_many::<WeightedStyle>(id) {
        return Some(styles.map(|style| Named { path: &style.path, is_word: false, weight: style.weight }).collect());
    }
    if !matches!(arg.get_value_hint(), ValueHint::AnyPath | ValueHint::FilePath) {
        return None;
    }
    let names = arg.get_value_names().unwrap_or_default();
    // `content|noise|FILE`: the first two are words.
    let is_word = |value: &OsStr| names.iter().any(|name| name.split('|').any(|word| *value == *word));
    let values: Vec<&OsStr> = matches.get_raw(id)?.collect();
    let named = |value: &&'a OsStr| Named { path: Path::new(*value), is_word: is_word(value), weight: None };
    // A word alone is an option like any other.
    (!values.iter().all(|value| is_word(value))).then(|| values.iter().map(named).collect())
}

/// `path` as seen from the folder of `output`; absolute where there is no way from one to the other.
fn from_folder_of(output: &Path, path: &Path) -> PathBuf {
    let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (Ok(folder), Ok(path)) = (fs::canonicalize(folder), fs::canonicalize(path)) else {
        return path.to_owned();
    };
    let (from, to): (Vec<Component>, Vec<Component>) = (folder.components().collect(), path.components().collect());
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    if common == 0 {
        return path;
    }
    let up = from[common..].iter().map(|_| Component::ParentDir);
    up.chain(to[common..].iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_found_from_the_pictures_folder() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("photos/old")).unwrap();
        fs::create_dir(at("out")).unwrap();
        fs::write(at("photos/old/a.jpg"), "abc").unwrap();
        let path = at("photos/old/a.jpg");
        assert_eq!(from_folder_of(&at("out/a.png"), &path), Path::new("../photos/old/a.jpg"));
        assert_eq!(from_folder_of(&at("photos/a.png"), &path), Path::new("old/a.jpg"));

        let picture = at("out/a.png");
        let named = Named { path: &path, is_word: false, weight: None };
        let input = Input::new("content", &named, &picture).unwrap();
        assert_eq!(input.sha256.as_deref(), Some("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
        assert!(input.find(&picture, false).unwrap().ends_with("../photos/old/a.jpg"));
        fs::write(&path, "abd").unwrap();
        let error = input.find(&picture, false).unwrap_err().to_string();
        assert!(error.contains("a.jpg (content) has changed since"), "{error}");
        assert!(input.find(&picture, true).is_ok());
        fs::remove_file(&path).unwrap();
        let error = input.find(&picture, true).unwrap_err().to_string();
        assert!(error.contains("which is not there"), "{error}");
    }
}
