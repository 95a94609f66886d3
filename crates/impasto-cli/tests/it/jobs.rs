//! Jobs as files: what a command line asks for, printed, read and done.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::common::{Desk, pixels, text};

fn ok(desk: &Desk, args: &[&str]) -> String {
    let output = desk.output(args);
    assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

fn refused(desk: &Desk, args: &[&str]) -> String {
    let output = desk.output(args);
    assert_eq!(output.status.code(), Some(2), "{args:?}");
    assert_eq!(text(&output.stderr).lines().count(), 1, "{}", text(&output.stderr));
    text(&output.stderr)
}

/// A desk with a mask of the photo's shape and a second style.
fn desk() -> Desk {
    let desk = Desk::new();
    let mask = image::GrayImage::from_fn(48, 36, |x, _| image::Luma([if x < 24 { 255 } else { 0 }]));
    mask.save(desk.path("mask.png")).unwrap();
    fs::copy(desk.path("content.png"), desk.path("other.png")).unwrap();
    desk
}

/// Command lines of every kind of picture, with options of every group.
const LINES: [&str; 7] = [
    "content.png style.png -o out.png --steps 2 --strength 70 --bit-depth 16",
    "content.png --style style.png:2 --style other.png:0.5 -o out.png --steps 2 --init noise --seed 18446744073709551615 \
     --style-rotations 2 --style-trim none --style-crop 10%,0%,80%,100% --tolerance 1e-5 --content-weight 0.30000000000000004 --no-recipe",
    "content.png style.png -o out.png --steps 2 --keep mask.png --colors matched --objective paper \
     --style-loss moments --padding zero --style-mask none --weights WEIGHTS",
    "content.png style.png -o out.png --mask mask.png --steps 3 --save-every 1 --init other.png --optimizer adam --pooling avg --size 40 \
     --style-scale 0.9 --scales 1 --content-layers conv3_1:2,relu2_2 --style-layers relu1_1,relu2_1:0.5 --format png",
    "texture style.png -o out.png --size 48x32 --tileable --steps 2 --style-size 40 --tv-weight 0.01 --scales 2",
    "reconstruct content.png -o out.png --layer relu2_1,relu3_1:0.5 --init grey --steps 2 --size 40",
    "sweep content.png style.png -o out.png --strengths 20,80 --style-scales 0.8,1 --steps 1 --size 32",
];

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().map(|word| if word == "WEIGHTS" { crate::common::WEIGHTS } else { word }).collect()
}

#[test]
fn a_job_makes_the_picture_of_its_command_line() {
    let desk = desk();
    for line in LINES {
        let words = words(line);
        ok(&desk, &[&words[..], &["-q"]].concat());
        let wanted = pixels(&desk.path("out.png"));
        fs::remove_file(desk.path("out.png")).unwrap();

        let job = ok(&desk, &[&words[..], &["--dry-run"]].concat());
        assert!(!desk.path("out.png").exists(), "a dry run writes nothing");
        fs::write(desk.path("job.json"), &job).unwrap();
        assert_eq!(ok(&desk, &["run", "job.json", "--dry-run"]), job, "{line}");
        ok(&desk, &["run", "job.json", "-q"]);
        assert!(pixels(&desk.path("out.png")) == wanted, "{line}");
    }
}

#[test]
fn every_field_of_the_schema_is_set_by_some_command_line() {
    let desk = desk();
    let schema: Value = serde_json::from_str(&ok(&desk, &["schema"])).unwrap();
    let mut set = Vec::new();
    let more = [
        "content.png style.png -o out.jpg --upscale --preset draft --quality 80 --style-weight 2 --tv-weight 1 --keep mask.png \
         --style-mask mask.png",
        "content.png style.png -o out.png --colors content --adjust 1:strength=70,tv-weight=0.1 --adjust 2:strength=10",
    ];
    for line in LINES.iter().copied().chain(more) {
        let job: Value = serde_json::from_str(&ok(&desk, &[&words(line)[..], &["--dry-run"]].concat())).unwrap();
        paths(&job, "", &mut set);
    }
    ok(&desk, &["content.png", "style.png", "-o", "out.png", "--steps", "1", "-q"]);
    paths(&serde_json::from_str(&ok(&desk, &["recipe", "out.png"])).unwrap(), "", &mut set);
    let mut fields = Vec::new();
    for (group, path) in [
        ("JobOptions", "options."),
        ("Output", "output."),
        ("Inputs", "inputs."),
        ("StyleInput", "inputs.styles[]."),
        ("StyleLook", "inputs.styles[].look."),
        ("Made", "made."),
    ] {
        let properties =
            schema["$defs"][group]["properties"].as_object().unwrap_or_else(|| panic!("{group}: {schema}"));
        fields.extend(properties.keys().map(|name| format!("{path}{name}")));
    }
    fields.extend(schema["properties"].as_object().unwrap().keys().cloned());
    assert!(fields.len() > 45, "{fields:?}");
    for field in fields {
        assert!(set.contains(&field), "{field} is set by no command line");
    }
}

/// The paths of all fields of a value; list items without their index.
fn paths(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                found.push(path.clone());
                paths(value, &path, found);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| paths(value, &format!("{path}[]"), found)),
        _ => {}
    }
}

#[test]
fn a_list_of_jobs_is_done_as_a_batch() {
    let desk = desk();
    let line =
        ["batch", "content.png", "other.png", "--style", "style.png", "-o", "made", "--steps", "1", "--size", "32"];
    ok(&desk, &[&line[..], &["-q"]].concat());
    let wanted = ["content", "other"].map(|name| pixels(&desk.path(&format!("made/{name}-style.png"))));
    let jobs = ok(&desk, &[&line[..], &["--dry-run"]].concat());
    assert_eq!(serde_json::from_str::<Value>(&jobs).unwrap().as_array().unwrap().len(), 2);
    // The list makes the folder of its results, as the batch does.
    fs::remove_dir_all(desk.path("made")).unwrap();
    fs::write(desk.path("jobs.json"), jobs).unwrap();
    let stdin = fs::File::open(desk.path("jobs.json")).unwrap();
    let output = desk.command(&["run", "-", "-q"]).stdin(stdin).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    for (name, wanted) in ["content", "other"].into_iter().zip(wanted) {
        assert!(pixels(&desk.path(&format!("made/{name}-style.png"))) == wanted, "{name}");
    }
    let again = ok(&desk, &["run", "jobs.json", "--resume"]);
    assert_eq!(again.matches("there already").count(), 2, "{again}");
}

#[test]
fn mistakes_in_a_job_are_named_by_their_path() {
    let desk = desk();
    let job = |change: Value| {
        let mut job = json!({
            "inputs": { "content": "content.png", "styles": [{ "file": "style.png" }] },
            "options": { "steps": 1 },
            "output": { "file": "out.png" }
        });
        for (group, fields) in change.as_object().unwrap() {
            match fields {
                Value::Object(fields) => fields.iter().for_each(|(name, value)| job[group][name] = value.clone()),
                value => job[group] = value.clone(),
            }
        }
        job.to_string()
    };
    let style = |field: &str, value: Value| json!({ "inputs": { "styles": [{ "file": "style.png", field: value }] } });
    let look = |field: &str, value: Value| style("look", json!({ field: value }));
    for (change, words) in [
        (json!({ "options": { "stength": 5 } }), vec!["`options.stength`: unknown field", "did you mean `strength`?"]),
        (json!({ "opitons": { "steps": 1 } }), vec!["`opitons`: unknown field", "`options`"]),
        (json!({ "options": { "strength": 101 } }), vec!["`options.strength`", "`101`", "a number from 0 to 100"]),
        (json!({ "options": { "strength": "much" } }), vec!["`options.strength`", "a number from 0 to 100"]),
        (
            json!({ "options": { "size": "512 mm" } }),
            vec!["`options.size`", "\"512 mm\"", "a whole number of at least 1"],
        ),
        (json!({ "options": { "steps": 0.5 } }), vec!["`options.steps`", "a whole number of at least 1"]),
        (json!({ "options": { "steps": null, "content-weight": -1 } }), vec!["`options.content-weight`", "at least 0"]),
        (
            json!({ "options": { "style-layers": ["relu1_1", "relu9_1"] } }),
            vec!["`options.style-layers[1]`", "relu9_1"],
        ),
        (json!({ "options": { "objective": "cubist" } }), vec!["`options.objective`", "cubist", "balanced"]),
        (json!({ "options": { "padding": "circular" } }), vec!["`options.padding`", "circular"]),
        (json!({ "output": { "bit-depth": 12 } }), vec!["`output.bit-depth`", "12"]),
        (json!({ "output": { "format": "gif" } }), vec!["`output.format`", "gif"]),
        (look("crop", json!("10%,5px")), vec!["`inputs.styles[0].look.crop`", "10%,5px", "four numbers"]),
        (look("rotations", json!(3)), vec!["`inputs.styles[0].look.rotations`", "1, 2, 4 or 8"]),
        (style("weight", json!("heavy")), vec!["`inputs.styles[0].weight`", "a finite number of at least 0"]),
        (json!({ "inputs": { "content": 3 } }), vec!["`inputs.content`", "the path of a file"]),
        (json!({ "kind": "sculpture" }), vec!["`kind`", "sculpture"]),
        (json!({ "version": 99 }), vec!["99", "use a newer one"]),
        (json!({ "options": { "tileable": true } }), vec!["job.json: `options.tileable` does not go with a transfer"]),
        (
            json!({ "options": { "strength": 5, "content-weight": 1 } }),
            vec!["job.json: `options.strength`", "`content-weight`"],
        ),
        (json!({ "kind": "texture" }), vec!["does not go with a texture"]),
    ] {
        fs::write(desk.path("job.json"), job(change.clone())).unwrap();
        let message = refused(&desk, &["run", "job.json"]);
        for word in words {
            assert!(message.contains(word), "{change}: no `{word}` in {message}");
        }
        assert!(!desk.path("out.png").exists(), "{change}");
    }
    for (text, words) in [
        (r#"{ "options": { "strength": NaN } }"#, "`options.strength`"),
        (r#"{ "options": { "strength": 1e999 } }"#, "`options.strength`"),
        ("{}", "job.json: `inputs.content` is missing"),
        ("[{}]", "is missing"),
        ("nothing", "job.json: "),
        (r#"[{ "options": { "steps": 0 } }]"#, "job.json: job 1: `options.steps`"),
        (
            r#"[{ "options": { "tileable": true }, "output": { "file": "new/out.png" } }]"#,
            "job.json: `options.tileable` does not go with a transfer",
        ),
    ] {
        fs::write(desk.path("job.json"), text).unwrap();
        let message = refused(&desk, &["run", "job.json"]);
        assert!(message.contains(words), "{text}: {message}");
    }
    assert!(!desk.path("new").exists());
    assert_eq!(refused(&desk, &["run", "absent.json"]), "impasto: there is no file absent.json\n");
    fs::write(desk.path("job.json"), "[]").unwrap();
    assert_eq!(refused(&desk, &["run", "job.json"]), "impasto: job.json: the list has no jobs\n");
    let stdin = fs::File::open(desk.path("job.json")).unwrap();
    let output = desk.command(&["run", "-"]).stdin(stdin).output().unwrap();
    assert_eq!(text(&output.stderr), "impasto: standard input: the list has no jobs\n");
}

#[test]
fn options_of_a_list_and_of_a_single_job_are_told_apart() {
    let desk = desk();
    let batch = ["batch", "content.png", "--style", "style.png", "-o", "made", "--steps", "1", "--size", "32"];
    fs::write(desk.path("list.json"), ok(&desk, &[&batch[..], &["--dry-run"]].concat())).unwrap();
    fs::write(desk.path("job.json"), ok(&desk, &["content.png", "style.png", "-o", "out.png", "--dry-run"])).unwrap();
    fs::write(desk.path("sweep.json"), ok(&desk, &["sweep", "content.png", "style.png", "-o", "s.png", "--dry-run"]))
        .unwrap();
    for (file, option, message) in [
        ("job.json", "--resume", "--resume is for a list of jobs, and this is a single one; leave it out"),
        ("job.json", "--checkpoints", "--checkpoints is for a list of jobs, and this is a single one; leave it out"),
        ("list.json", "--checkpoint=kept", "--checkpoint does not go with a batch; leave it out"),
        ("list.json", "--plan", "--plan does not go with a batch; leave it out"),
        ("sweep.json", "--plan", "--plan does not go with a sweep; leave it out"),
        ("sweep.json", "--no-checkpoint", "--no-checkpoint does not go with a sweep; leave it out"),
    ] {
        assert_eq!(refused(&desk, &["run", file, option]), format!("impasto: {message}\n"), "{file}");
        assert!(!desk.path("made").exists());
    }
    ok(&desk, &["run", "list.json", "--checkpoints", "-q"]);
    assert!(desk.path("made/content-style.png").exists());
}

#[test]
fn a_job_that_states_a_checksum_refuses_another_file() {
    let desk = desk();
    ok(&desk, &["content.png", "style.png", "-o", "out.png", "--steps", "1", "-q"]);
    let wanted = pixels(&desk.path("out.png"));
    let mut job: Value = serde_json::from_str(&ok(&desk, &["recipe", "out.png"])).unwrap();
    job["output"]["file"] = json!("new.png");
    fs::write(desk.path("job.json"), job.to_string()).unwrap();
    ok(&desk, &["run", "job.json", "-q"]);
    assert!(pixels(&desk.path("new.png")) == wanted);
    fs::copy(desk.path("mask.png"), desk.path("style.png")).unwrap();
    let message = refused(&desk, &["run", "job.json"]);
    assert!(message.contains("style.png has another SHA-256 than the job states"), "{message}");
}

/// Pictures that earlier versions of the program made, and the command lines that they were made
/// with.
const OLD: [(&str, &str); 4] = [
    (
        "transfer.png",
        "content.png style.png --steps 2 --strength 70 --init noise --seed 3 --style-crop 0%,0%,90%,100% \
         --style-layers relu1_1,relu2_1:0.5 --bit-depth 16 --scales 1",
    ),
    ("texture.png", "texture style.png --size 32x16 --tileable --steps 2 --seed 3"),
    ("reconstruct.png", "reconstruct content.png --layer relu2_1:0.5 --init grey --steps 2"),
    ("sweep.png", "sweep content.png style.png --strengths 20,80 --steps 1 --size 32"),
];

#[test]
fn recipes_of_earlier_versions_are_read() {
    let desk = Desk::new();
    let recipes = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recipes");
    for entry in fs::read_dir(recipes).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        fs::copy(&path, desk.path(path.file_name().unwrap().to_str().unwrap())).unwrap();
    }
    for (picture, line) in OLD {
        ok(&desk, &[&words(line)[..], &["-o", "direct.png", "-q"]].concat());
        ok(&desk, &["again", picture, "-o", "again.png", "-q"]);
        assert!(pixels(&desk.path("again.png")) == pixels(&desk.path("direct.png")), "{picture}");
        let recipe: Value = serde_json::from_str(&ok(&desk, &["recipe", picture])).unwrap();
        assert_eq!(recipe["made"]["program"], "impasto 0.1.0", "{recipe}");
    }
}
