//! A job as a command line.

use std::path::Path;

use impasto_job::job::inputs::{InitFrom, Inputs, StyleInput, StyleLook};
use impasto_job::job::{Job, Kind, to_map};
use serde_json::Value;

/// A command line.
pub struct Line {
    /// For a shell, in the folder that the pictures are in.
    pub command: String,
    /// What it does not say; `None`: it says all of the job.
    pub note: Option<String>,
}

/// The command that makes the picture of a job. Inputs are files in the current folder by their
/// names.
pub fn of(job: &Job) -> Line {
    let Inputs { content, styles, mask, keep, init, weights: _ } = &job.inputs;
    let mut words = vec!["impasto".to_owned()];
    match job.kind {
        Kind::Transfer => {}
        kind => words.push(kind.word().to_owned()),
    }
    words.extend(content.iter().map(|file| argument(&file.path)));
    let mut note = styles_of(styles, job.kind, &mut words);
    for (flag, file) in [("--mask", mask), ("--keep", keep)] {
        if let Some(file) = file {
            words.extend([flag.to_owned(), argument(&file.path)]);
        }
    }
    match init {
        None => {}
        Some(InitFrom::File(file)) => words.extend(["--init".to_owned(), argument(&file.path)]),
        Some(word) => {
            let word = serde_json::to_value(word).unwrap_or_default();
            words.extend(["--init".to_owned(), text(&word)]);
        }
    }
    // Several adjustments are several flags.
    let mut options = to_map(&job.options);
    let adjust = options.remove("adjust");
    flags(&options, &mut words);
    for adjustment in adjust.iter().filter_map(Value::as_array).flatten() {
        words.extend(["--adjust".to_owned(), text(adjustment)]);
    }
    flags(&to_map(&job.output), &mut words);
    let format = job.output.format.map_or("png", |format| format.extension());
    words.extend(["-o".to_owned(), format!("out.{format}")]);
    let command = shlex::try_join(words.iter().map(String::as_str)).unwrap_or_else(|_| {
        note = Some("a name has a NUL character, which no command can have".to_owned());
        String::new()
    });
    Line { command, note }
}

/// Adds the styles. Returns what a command line cannot say of them.
fn styles_of(styles: &[StyleInput], kind: Kind, words: &mut Vec<String>) -> Option<String> {
    let is_plain = |style: &StyleInput| style.weight.is_none() && style.mask.is_none();
    match styles {
        [style] if is_plain(style) => words.push(argument(&style.file.path)),
        styles => {
            for style in styles {
                let weight = style.weight.map(|weight| format!(":{}", text(&serde_json::json!(weight))));
                let name = argument(&style.file.path);
                words.extend(["--style".to_owned(), format!("{name}{}", weight.unwrap_or_default())]);
            }
        }
    }
    let looks: Vec<&StyleLook> = styles.iter().map(|style| &style.look).collect();
    let (first, rest) = looks.split_first()?;
    let with_prefix = to_map(first).into_iter().map(|(name, value)| (format!("style-{name}"), value));
    flags(&with_prefix.collect(), words);
    let is_same =
        |look: &&StyleLook| look.rotations == first.rotations && look.trim == first.trim && look.crop.is_none();
    let has_mask = styles.iter().any(|style| style.mask.is_some());
    if rest.iter().all(is_same) && !has_mask && kind != Kind::Sweep {
        return None;
    }
    Some(
        "styles with masks, crops or looks of their own need `impasto run job.json`: save the job as that file"
            .to_owned(),
    )
}

/// The name of a file as an argument: one that could be taken for an option or a word leads from
/// the folder.
fn argument(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let is_word = !name.contains('.');
    if name.starts_with('-') || is_word { format!("./{name}") } else { name }
}

/// Adds options as flags.
fn flags(options: &serde_json::Map<String, Value>, words: &mut Vec<String>) {
    for (name, value) in options {
        match value {
            Value::Bool(true) => words.push(format!("--{name}")),
            Value::Bool(false) | Value::Null => {}
            value => words.extend([format!("--{name}"), text(value)]),
        }
    }
}

/// A value as a flag has it.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(text).collect::<Vec<_>>().join(","),
        Value::Number(number) => match number.as_f64() {
            Some(whole) if whole.fract() == 0.0 && whole.abs() < 1e15 => format!("{whole:.0}"),
            _ => number.to_string(),
        },
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(job: &str) -> Line {
        of(&Job::from_json(job).unwrap())
    }

    #[test]
    fn a_job_becomes_a_command() {
        let job = r#"{
            "inputs": { "content": "my photo.jpg", "styles": [{ "file": "night.png" }] },
            "options": { "strength": 70, "style-scale": 0.5, "adjust": ["40:strength=30", "50:tv-weight=0.1"] },
            "output": { "format": "png", "bit-depth": 16, "no-recipe": true }
        }"#;
        let Line { command, note } = line(job);
        assert_eq!(
            command,
            "impasto 'my photo.jpg' night.png --strength 70 --style-scale 0.5 --adjust '40:strength=30' \
             --adjust '50:tv-weight=0.1' --bit-depth 16 --format png --no-recipe -o out.png"
        );
        assert_eq!(note, None);
    }

    #[test]
    fn several_styles_have_weights_and_one_crop() {
        let job = r#"{ "inputs": { "content": "-p", "styles": [
            { "file": "a.jpg", "weight": 2, "look": { "crop": "10%,0%,50%,50%" } }, { "file": "b.jpg" }] } }"#;
        let Line { command, note } = line(job);
        assert_eq!(command, "impasto ./-p --style a.jpg:2 --style b.jpg --style-crop '10%,0%,50%,50%' -o out.png");
        assert_eq!(note, None);
        let job = job.replace(r#"{ "file": "b.jpg" }"#, r#"{ "file": "b.jpg", "look": { "crop": "0,0,9,9" } }"#);
        assert!(line(&job).note.is_some_and(|note| note.contains("impasto run")));
    }
}
