//! Recipes of versions 1 and 2, as jobs.
//!
//! They hold the options as arguments, `--name=value`, and the inputs by the arguments that named
//! them. This reader is frozen: nothing writes such recipes any more. What they say of the machine
//! (`--memory`, `--no-scratch`) is left out, because a job says nothing about it.

use serde::Deserialize;
use serde_json::{Map, Number, Value, json};

use crate::error::{Error, Result};
use crate::job::Job;

#[derive(Deserialize)]
struct Recipe {
    program: String,
    /// The subcommand; none for a transfer.
    #[serde(default)]
    command: Option<String>,
    arguments: Vec<String>,
    inputs: Vec<NamedInput>,
    size: [usize; 2],
}

#[derive(Deserialize)]
struct NamedInput {
    /// Its argument (`content`, `style`) or the name of its option (`init`).
    role: String,
    path: String,
    /// `None`: a word in a file's place, as in `--style-mask none`.
    sha256: Option<String>,
    #[serde(default)]
    weight: Option<f64>,
}

/// Options whose values are lists.
const LISTS: [&str; 4] = ["content-layers", "style-layers", "strengths", "style-scales"];

/// Options of the output.
const OF_OUTPUT: [&str; 3] = ["format", "bit-depth", "quality"];

/// Options of the machine.
const OF_MACHINE: [&str; 2] = ["memory", "no-scratch"];

/// The job of a recipe.
///
/// Errors: text that is no recipe, options that a job does not have.
pub(super) fn job(text: &str) -> Result<Job> {
    let Recipe { program, command, arguments, inputs, size } =
        serde_json::from_str(text).map_err(|error| Error::user(error.to_string()))?;
    let (mut options, mut output, mut look) = (Map::new(), Map::new(), Map::new());
    // Frames were not left out in those days.
    look.insert("trim".to_owned(), json!("none"));
    let mut words = Map::new();
    for argument in &arguments {
        let (name, value) = setting(argument);
        match name {
            "layer" => drop(options.insert("content-layers".to_owned(), list(value))),
            "init" => drop(words.insert("init".to_owned(), json!(value))),
            "style-crop" => drop(look.insert("crop".to_owned(), json!(value))),
            "style-rotations" => drop(look.insert("rotations".to_owned(), scalar(value))),
            name if OF_MACHINE.contains(&name) => {}
            name if OF_OUTPUT.contains(&name) => drop(output.insert(name.to_owned(), scalar(value))),
            name if LISTS.contains(&name) => drop(options.insert(name.to_owned(), list(value))),
            name => drop(options.insert(name.to_owned(), scalar(value))),
        }
    }
    let mut files = Map::new();
    let (mut styles, mut masks) = (Vec::new(), Vec::new());
    for NamedInput { role, path, sha256, weight } in inputs {
        let file = json!({ "path": path, "sha256": sha256 });
        match role.as_str() {
            "style" => styles.push(json!({ "file": file, "weight": weight })),
            "style-mask" => masks.push(sha256.is_some().then_some(file)),
            "photo" => drop(files.insert("content".to_owned(), file)),
            role => drop(files.insert(role.to_owned(), file)),
        }
    }
    for (i, style) in styles.iter_mut().enumerate() {
        style["mask"] = json!(masks.get(i));
        style["look"] = json!(look);
        // The rectangle is of the first style alone.
        look.remove("crop");
    }
    files.extend(words);
    files.insert("styles".to_owned(), Value::Array(styles));
    let job = json!({
        "kind": command.as_deref().unwrap_or("transfer"),
        "inputs": files,
        "options": options,
        "output": output,
        "made": { "program": program, "size": size },
    });
    Job::from_json_value(&job)
}

/// `size` and `512` of `--size=512`; `true` for a switch.
fn setting(argument: &str) -> (&str, &str) {
    argument.trim_start_matches("--").split_once('=').unwrap_or((argument.trim_start_matches("--"), "true"))
}

/// A number, `true`, or text.
fn scalar(text: &str) -> Value {
    match serde_json::from_str::<Number>(text) {
        Ok(number) => Value::Number(number),
        Err(_) if text == "true" => Value::Bool(true),
        Err(_) => json!(text),
    }
}

fn list(text: &str) -> Value {
    text.split(',').map(scalar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Kind;
    use crate::job::values::{OutputSize, Strength};

    #[test]
    fn a_transfer_of_version_2_is_read() {
        let recipe = json!({
            "version": 2,
            "program": "impasto 0.1.0",
            "arguments": [
                "--size=512", "--style-scale=1", "--strength=70", "--steps=2", "--scales=auto", "--bit-depth=16",
                "--style-layers=relu1_1,relu2_1:0.5", "--style-rotations=4", "--style-crop=10%,0%,80%,100%",
                "--init=noise", "--upscale", "--memory=4.0 GiB"
            ],
            "inputs": [
                { "role": "content", "path": "../content.png", "sha256": "00" },
                { "role": "style", "path": "a.png", "sha256": "01", "weight": 2.0 },
                { "role": "style", "path": "b.png", "sha256": "02" },
                { "role": "style-mask", "path": "none", "sha256": null },
                { "role": "style-mask", "path": "m.png", "sha256": "03" }
            ],
            "size": [48, 36]
        });
        let job = job(&recipe.to_string()).unwrap();
        assert_eq!(job.kind, Kind::Transfer);
        assert_eq!(job.options.size, Some(OutputSize::Longest(512)));
        assert_eq!(job.options.strength.map(Strength::get), Some(70.0));
        assert_eq!(job.options.style_layers.as_ref().unwrap()[1].to_string(), "relu2_1:0.5");
        assert!(job.options.upscale);
        let [first, second] = &job.inputs.styles[..] else { panic!("{job:?}") };
        assert_eq!(first.look.crop.unwrap().to_string(), "10%,0%,80%,100%");
        assert!(first.mask.is_none() && second.look.crop.is_none());
        assert_eq!(second.look.rotations, first.look.rotations);
        assert_eq!(second.mask.as_ref().unwrap().path.to_str(), Some("m.png"));
        assert_eq!(job.inputs.init, Some(crate::job::inputs::InitFrom::Noise));
        assert_eq!(job.made.unwrap().size, [48, 36]);
    }

    #[test]
    fn pictures_of_other_commands_are_read() {
        for (command, argument, role) in [
            ("texture", "--size=32x16", "style"),
            ("reconstruct", "--layer=relu2_1", "photo"),
            ("sweep", "--strengths=20,80", "photo"),
        ] {
            let recipe = json!({
                "version": 2, "program": "impasto 0.1.0", "command": command, "arguments": [argument],
                "inputs": [{ "role": role, "path": "a.png", "sha256": "00" }], "size": [32, 16]
            });
            let job = job(&recipe.to_string()).unwrap();
            assert_eq!(job.kind.word(), command);
            assert_eq!(job.inputs.files().len(), 1);
        }
    }
}
