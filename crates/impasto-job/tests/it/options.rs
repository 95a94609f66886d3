//! No option of a job is lost, and none is left aside without a word.

use std::fs;
use std::path::Path;

use impasto_job::batch_runner::BatchRunner;
use impasto_job::events::Unwatched;
use impasto_job::job::inputs::InputFile;
use impasto_job::job::{Job, Kind, from_map, to_map};
use impasto_job::machine::Machine;
use impasto_job::resolve;
use impasto_job::schema::{goes_with, schema};
use serde_json::{Map, Value, json};

/// A value of each option that is not its default. A new option needs one here.
fn sample(name: &str) -> Value {
    match name {
        "size" => json!(96),
        "upscale" | "tileable" => json!(true),
        "style-scale" => json!(0.30000000000000004),
        "style-size" => json!(64),
        "strengths" => json!([20.5, 80]),
        "style-scales" => json!([0.5, 2]),
        "colors" => json!("luminance"),
        "strength" => json!(33.333333333333336),
        "brush" => json!(66.66666666666667),
        "preset" => json!("fine"),
        "adjust" => json!(["3:strength=0.1", "4:tv-weight=2"]),
        "steps" => json!(7),
        "scales" => json!(2),
        "tolerance" => json!(0.1),
        "objective" => json!("paper"),
        "style-loss" => json!("gram"),
        "content-weight" => json!(0.7),
        "style-weight" => json!(1.7976931348623157e30),
        "tv-weight" => json!(5e-324),
        "seed" => json!(u64::MAX),
        "optimizer" => json!("adam"),
        "padding" => json!("zero"),
        "content-layers" | "style-layers" => json!(["relu2_1", "relu3_1:0.1"]),
        "pooling" => json!("avg"),
        name => panic!("no sample of `{name}`"),
    }
}

/// A job of a kind in which one option is set.
fn with_option(kind: Kind, name: &str) -> Job {
    let options = Map::from_iter([(name.to_owned(), sample(name))]);
    Job { kind, options: from_map(options).unwrap(), ..Job::default() }
}

#[test]
fn an_option_of_a_kind_comes_back_complete_and_any_other_is_refused() {
    for name in schema()["$defs"]["JobOptions"]["properties"].as_object().unwrap().keys() {
        for kind in Kind::ALL {
            let job = with_option(kind, name);
            let asked = to_map(&job.options);
            match resolve::complete(&job) {
                Ok(complete) => {
                    assert!(goes_with("JobOptions", name, kind), "{name} of a {kind}");
                    assert_eq!(to_map(&complete.options).get(name), asked.get(name), "{name} of a {kind}");
                }
                Err(error) => {
                    assert!(!goes_with("JobOptions", name, kind), "{name} of a {kind}: {error}");
                    let message = error.to_string();
                    assert!(message.contains(&format!("`options.{name}` does not go with a {kind}")), "{message}");
                }
            }
        }
    }
}

#[test]
fn a_job_is_the_same_after_it_was_written_and_read() {
    for name in schema()["$defs"]["JobOptions"]["properties"].as_object().unwrap().keys() {
        let job = with_option(Kind::Sweep, name);
        assert_eq!(Job::from_json(&job.to_json()).unwrap(), job, "{name}");
    }
}

/// Weights of all magnitudes, to the last bit: 15 digits are not enough for them.
#[test]
fn numbers_are_read_to_the_last_bit() {
    let mut bits = 1u64;
    for _ in 0..2000 {
        bits = bits.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let weight = f64::from_bits(bits & !(1 << 63));
        if weight.is_finite() {
            let text = json!({ "options": { "tv-weight": weight } }).to_string();
            let read = Job::from_json(&text).unwrap().options.tv_weight.map(|weight| weight.get());
            assert_eq!(read.map(f64::to_bits), Some(weight.to_bits()), "{text}");
        }
    }
}

fn refused(kind: Kind, options: Value) -> String {
    let job = json!({ "kind": kind, "options": options });
    resolve::complete(&Job::from_json(&job.to_string()).unwrap()).unwrap_err().to_string()
}

#[test]
fn what_would_be_left_aside_is_refused() {
    for (kind, options, words) in [
        (Kind::Sweep, json!({ "strengths": [] }), "`options.strengths` is empty"),
        (Kind::Sweep, json!({ "style-scales": [] }), "`options.style-scales` is empty"),
        (Kind::Sweep, json!({ "strengths": [1, 2], "strength": 3 }), "`options.strengths` is given beside `strength`"),
        (Kind::Sweep, json!({ "strengths": [1], "content-weight": 3 }), "beside `content-weight`"),
        (Kind::Sweep, json!({ "style-scales": [1], "style-scale": 3 }), "beside `style-scale`"),
    ] {
        let message = refused(kind, options.clone());
        assert!(message.contains(words), "{options}: {message}");
    }
    for (version, words) in [(0, "give that, or leave it out"), (2, "reads version 3"), (4, "use a newer one")] {
        let message = Job::from_json(&json!({ "version": version }).to_string()).unwrap_err().to_string();
        assert!(message.starts_with(&format!("`version` is {version};")) && message.contains(words), "{message}");
    }
}

/// The jobs of a folder with a photo and a style, and the message that refuses them.
fn refused_list(folder: &Path, jobs: &[Value]) -> String {
    let picture = impasto::Image::filled(32, 32, [90.0, 120.0, 40.0]);
    for name in ["photo.png", "style.png"] {
        impasto::picture::save(&folder.join(name), &picture).unwrap();
    }
    let at = |name: &str| folder.join(name).display().to_string();
    let jobs = jobs.iter().map(|changes| {
        let mut job = json!({
            "inputs": { "content": at("photo.png"), "styles": [{ "file": at("style.png") }] },
            "output": { "file": at("out.png") }
        });
        for (place, value) in changes.as_object().unwrap() {
            *job.pointer_mut(place).unwrap_or_else(|| panic!("no {place}")) = value.clone();
        }
        Job::from_json(&job.to_string()).unwrap()
    });
    BatchRunner::new(jobs.collect(), &Machine::default(), None, &mut Unwatched).err().unwrap().to_string()
}

#[test]
fn a_list_is_refused_before_the_first_of_its_jobs_is_done() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    let at = |name: &str| json!(folder.path().join(name).display().to_string());
    let list = |changes: &[Value]| refused_list(folder.path(), changes);
    let same = list(&[json!({}), json!({ "/output/file": at("sub/../out.png") })]);
    assert!(same.contains("is the result of two jobs"), "{same}");
    let stream = list(&[json!({}), json!({ "/inputs/content": "-", "/output/file": at("b.png") })]);
    assert!(stream.starts_with("`inputs.content` is standard input"), "{stream}");
    let stdout = list(&[json!({}), json!({ "/output": { "file": "-", "format": "png" } })]);
    assert!(stdout.starts_with("`output.file` is standard output"), "{stdout}");
    let missing = list(&[json!({}), json!({ "/inputs/styles": [], "/output/file": at("b.png") })]);
    assert!(missing.starts_with("`inputs.styles` is missing"), "{missing}");
}

#[test]
fn a_checksum_is_checked_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let photo = folder.path().join("photo.png");
    impasto::picture::save(&photo, &impasto::Image::filled(32, 32, [90.0, 120.0, 40.0])).unwrap();
    let resolved = |path: &Path, sha256: &str| {
        let mut job = Job { kind: Kind::Reconstruct, ..Job::default() };
        job.inputs.content = Some(InputFile { path: path.to_owned(), sha256: Some(sha256.to_owned()), held: None });
        resolve::resolve(&job, &Machine::default())
    };
    let mut job = Job { kind: Kind::Reconstruct, ..Job::default() };
    job.inputs.content = Some(photo.clone().into());
    let checked = resolve::resolve(&job, &Machine::default()).unwrap().job;
    let found = checked.inputs.content.unwrap().sha256.unwrap();
    assert!(resolved(&photo, &found.to_uppercase()).is_ok());
    let other = resolved(&photo, &"0".repeat(64)).unwrap_err().to_string();
    assert!(other.contains("has another SHA-256"), "{other}");
    let short = resolved(&photo, "00").unwrap_err().to_string();
    assert_eq!(short, "`inputs.content.sha256` has to have 64 hexadecimal digits");
    let folder = resolved(folder.path(), &found).unwrap_err().to_string();
    assert!(folder.contains("is a folder, not a file"), "{folder}");
}

/// Names of files are bytes, and need not be text.
#[cfg(unix)]
#[test]
fn names_that_are_not_unicode_are_written_and_read_again() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;

    let name = OsString::from_vec(b"caf\xe9.png".to_vec());
    let mut job = Job::default();
    job.inputs.content = Some(std::path::PathBuf::from(name.clone()).into());
    job.output.file = Some(name.into());
    let json = job.to_json();
    assert!(json.contains(r#""bytes": "636166e92e706e67""#), "{json}");
    assert_eq!(Job::from_json(&json).unwrap(), job);
    let wrong = Job::from_json(r#"{"output": {"file": {"bytes": "6"}}}"#).unwrap_err().to_string();
    assert!(wrong.starts_with("`output.file`: expected the path of a file"), "{wrong}");
}
