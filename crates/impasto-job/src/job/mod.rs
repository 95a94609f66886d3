//! What was asked for.
//!
//! A [`Job`] describes one picture completely and says nothing about where or how fast it is
//! computed: that is a [`Machine`](crate::machine::Machine). It is the one value that a command
//! line, a configuration file, a recipe in a picture, a checkpoint, a request and a queue's row
//! hold. It is a plain struct of groups. Every field is optional, and only
//! [`resolve`](crate::resolve) knows what a missing one comes to.
//!
//! The doc comment of a field is its help on the command line, its comment in the configuration
//! file and its description in the JSON Schema. `x-kinds` in the schema says which kinds of job a
//! field goes with; without it, a field goes with all.
//!
//! ```
//! use impasto_job::job::Job;
//!
//! let job = Job::from_json(r#"{
//!     "inputs": { "content": "photo.jpg", "styles": [{ "file": "painting.jpg" }] },
//!     "options": { "strength": 70 },
//!     "output": { "file": "out.png" }
//! }"#)?;
//! assert_eq!(job.options.strength.map(|strength| strength.get()), Some(70.0));
//!
//! let error = Job::from_json(r#"{ "options": { "strength": 700 } }"#).unwrap_err().to_string();
//! assert!(error.starts_with("`options.strength`: invalid value: integer `700`"));
//! # Ok::<(), impasto_job::error::Error>(())
//! ```

pub mod inputs;
pub mod options;
pub mod output;
pub mod paths;
pub mod values;

use std::cmp::Ordering;
use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use serde_with::serde_as;

use crate::error::{Error, Result};
use crate::job::inputs::Inputs;
use crate::job::options::JobOptions;
use crate::job::output::Output;
use crate::job::paths::AnyPath;

/// Version of the description. Recipes before it (1 and 2) were lists of arguments.
pub const VERSION: u32 = 3;

/// The program and its version.
pub const PROGRAM: &str = concat!("impasto ", env!("CARGO_PKG_VERSION"));

/// One picture, as it was asked for.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Job {
    /// Version of this description. A program refuses any other than its own.
    pub version: u32,
    /// What kind of picture is made.
    pub kind: Kind,
    /// The files that go in.
    pub inputs: Inputs,
    /// How the picture is to look and how it is computed.
    pub options: JobOptions,
    /// Where the result goes, and in which form.
    pub output: Output,
    /// Who made the picture, in a recipe. Running a job does not read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub made: Option<Made>,
}

/// What kind of picture a job makes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The content, painted like the styles.
    #[default]
    Transfer,
    /// A contact sheet: the content over strengths, style scales or styles.
    Sweep,
    /// A style alone.
    Texture,
    /// What layers of the network keep of the content.
    Reconstruct,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 4] = [Kind::Transfer, Kind::Sweep, Kind::Texture, Kind::Reconstruct];

    /// Its word in a job, which is also its command's name.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Transfer => "transfer",
            Kind::Sweep => "sweep",
            Kind::Texture => "texture",
            Kind::Reconstruct => "reconstruct",
        }
    }
}

impl fmt::Display for Kind {
    /// What a message calls the picture.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Reconstruct => "reconstruction",
            kind => kind.word(),
        })
    }
}

/// Who made a picture.
#[serde_as]
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Made {
    /// The program and its version.
    pub program: String,
    /// What evaluated the network, with all that the last bits depend on: `cpu avx512`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Width and height of the picture in px.
    pub size: [usize; 2],
    /// The folder that the picture was written to, from which the paths of the inputs lead. `~` is
    /// the home folder of whoever made it.
    #[serde_as(as = "Option<AnyPath>")]
    #[schemars(with = "Option<AnyPath>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
}

impl Default for Job {
    fn default() -> Job {
        Job {
            version: VERSION,
            kind: Kind::default(),
            inputs: Inputs::default(),
            options: JobOptions::default(),
            output: Output::default(),
            made: None,
        }
    }
}

impl Job {
    /// Reads a job. Whether its fields can be meant together is for [`resolve`](crate::resolve).
    ///
    /// Errors: text that is no JSON, an unknown field, a value that a field cannot have, each with
    /// the path of the field; another version than [`VERSION`].
    pub fn from_json(text: &str) -> Result<Job> {
        let mut reader = serde_json::Deserializer::from_str(text);
        let job: Job = from_value(&mut reader)?;
        reader.end().map_err(|error| Error::user(format!("the job is no JSON: {error}")))?;
        job.check_version()?;
        Ok(job)
    }

    /// As [`Job::from_json`], from a value that was parsed before.
    pub fn from_json_value(value: &Value) -> Result<Job> {
        let job: Job = from_value(value)?;
        job.check_version()?;
        Ok(job)
    }

    /// The job as it is written to a file: one field a line.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a job has no maps with other keys than text")
    }

    fn check_version(&self) -> Result<()> {
        let found = self.version;
        let advice = match found.cmp(&VERSION) {
            Ordering::Equal => return Ok(()),
            Ordering::Less => "give that, or leave it out",
            Ordering::Greater => "use a newer one",
        };
        Err(Error::field("version", format!("is {found}; {PROGRAM} reads version {VERSION}; {advice}")))
    }
}

/// Reads a value, and says at which path it is wrong.
fn from_value<'de, T: Deserialize<'de>, D: serde::Deserializer<'de, Error = serde_json::Error>>(
    reader: D,
) -> Result<T> {
    serde_path_to_error::deserialize(reader).map_err(|error| {
        let path = error.path().to_string();
        let mut problem = error.inner().to_string();
        // The list of all fields would bury the one that was meant.
        let split = problem.split_once(", expected one of ").or(problem.split_once(", expected `"));
        if let Some((unknown, known)) = split
            && unknown.starts_with("unknown field ")
        {
            problem = format!("unknown field{}", nearest(&path, known));
        }
        match path.as_str() {
            "." => Error::user(format!("the job: {problem}")),
            path => Error::user(format!("`{path}`: {problem}")),
        }
    })
}

/// `; did you mean ...?` for the last part of a path, among names in backquotes.
fn nearest(path: &str, known: &str) -> String {
    let name = path.rsplit('.').next().unwrap_or_default();
    let known = known.split(['`', ',', ' ']).filter(|word| word.chars().any(char::is_alphabetic) && *word != "at");
    let likeness = |word: &str| strsim::jaro_winkler(word, name);
    match known.max_by(|a, b| likeness(a).total_cmp(&likeness(b))) {
        Some(word) if likeness(word) > 0.7 => format!("; did you mean `{word}`?"),
        _ => "; remove it".to_owned(),
    }
}

/// A group of options as a map: one entry for each option that is set. Maps are how groups are
/// merged, compared and printed, whatever options they have.
pub fn to_map(group: &impl Serialize) -> Map<String, Value> {
    let value = serde_json::to_value(group).expect("groups of options are maps with text as keys");
    let Value::Object(mut map) = value else { return Map::new() };
    map.retain(|_, value| !value.is_null());
    map
}

/// A group of options from a map.
///
/// Errors: an unknown option, a value that an option cannot have; the path is the option's name.
pub fn from_map<T: for<'de> Deserialize<'de>>(map: Map<String, Value>) -> Result<T> {
    from_value(Value::Object(map))
}
