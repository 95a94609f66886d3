//! The defaults that the help of options states are those that a job comes to.

use impasto_job::job::{Job, Kind, to_map};
use impasto_job::resolve;
use impasto_job::schema::schema;
use serde_json::Value;

/// Defaults that the help gives in other words than the value.
const IN_WORDS: [&str; 6] = ["adjust", "style-size", "strengths", "style-scales", "upscale", "tileable"];

/// A value as it is written on the command line.
fn word(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(word).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// What the help of an option says its default is: the text after `[default: `, in parts.
fn stated(help: &str) -> Vec<String> {
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let (_, default) = help.split_once("[default: ").unwrap_or_else(|| panic!("no default in: {help}"));
    default.split([';', ']']).map(|part| part.trim().to_owned()).collect()
}

#[test]
fn defaults_are_those_of_the_help() {
    let options = schema()["$defs"]["JobOptions"]["properties"].as_object().unwrap();
    let default = to_map(&resolve::complete(&Job::default()).unwrap().options);
    let mut job = Job::default();
    job.options.objective = Some(impasto::Objective::Paper);
    let paper = to_map(&resolve::complete(&job).unwrap().options);
    let mut checked = 0;
    for (name, property) in options {
        if IN_WORDS.contains(&name.as_str()) {
            continue;
        }
        let parts = stated(property["description"].as_str().unwrap());
        let of_paper = parts.iter().find_map(|part| part.strip_suffix(" with --objective paper"));
        if let Some(stated) = of_paper {
            assert_eq!(stated, word(&paper[name]), "{name} with --objective paper");
        }
        let Some(value) = default.get(name) else {
            // One of the two: the dial is the content's weight in other words.
            assert_eq!(name, "content-weight");
            assert_eq!(parts[0].parse::<f64>().unwrap(), impasto::content_weight_at(impasto::DEFAULT_STRENGTH));
            continue;
        };
        match name.as_str() {
            "steps" => {
                let preset = |preset: impasto::Preset| format!("{} {preset}", preset.steps());
                let all = [impasto::Preset::Draft, impasto::Preset::Standard, impasto::Preset::Fine].map(preset);
                assert_eq!(parts[0], all.join(", "));
            }
            _ => assert_eq!(parts[0], word(value), "{name}"),
        }
        checked += 1;
    }
    assert!(checked > 15, "{checked}");
}

#[test]
fn a_complete_job_comes_to_itself() {
    for kind in Kind::ALL {
        let job = Job { kind, ..Job::default() };
        let complete = resolve::complete(&job).unwrap();
        let again = resolve::complete(&Job { options: complete.options.clone(), ..job }).unwrap();
        assert_eq!(again.options, complete.options, "{kind}");
        assert_eq!(again.numerics, complete.numerics, "{kind}");
        assert_eq!(again.size, complete.size, "{kind}");
    }
}

#[test]
fn every_option_names_kinds_that_there_are() {
    for group in ["JobOptions", "Output"] {
        for (name, property) in schema()["$defs"][group]["properties"].as_object().unwrap() {
            let Some(kinds) = property.get("x-kinds") else { continue };
            for kind in kinds.as_array().unwrap() {
                assert!(Kind::ALL.iter().any(|known| kind == known.word()), "{name}: {kind}");
            }
        }
    }
}

/// Descriptions are the help of the command line, and a person reads them.
#[test]
fn descriptions_have_no_links_into_the_source() {
    let text = schema().to_string();
    for mark in ["[`", "](", "crate::"] {
        assert!(!text.contains(mark), "{mark} in {}", &text[text.find(mark).unwrap_or(0)..][..80]);
    }
}
