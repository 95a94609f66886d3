//! Pictures that other people's programs write, each compared with what that program reads from it.
//!
//! `pictures/others.py` makes them in a folder. `IMPASTO_OTHERS_PICTURES` names such a folder, or
//! the test has one made.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use impasto::Mask;
use impasto::picture;

/// Largest difference of a value to the twin, of 255.
const BOUND: f32 = 2.0;

/// The same for JPEG. Decoders enlarge and round its colours in different ways.
const JPEG_BOUND: f32 = 4.0;

/// What came of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Equal,
    Refused,
    Different,
}

/// Compares a picture with its twin. Returns what there is to say about it.
fn compare(path: &Path, twin: &Path) -> (Outcome, String) {
    let found = match picture::load(path) {
        Ok(found) => found,
        Err(error) => {
            let text = error.to_string();
            // All of them are in order, and each message names its file.
            let is_fair = text.contains(&*path.to_string_lossy()) && !text.contains("is damaged");
            return (if is_fair { Outcome::Refused } else { Outcome::Different }, text);
        }
    };
    let expected = picture::load(twin).unwrap();
    let size = |picture: &picture::Picture| (picture.width(), picture.height());
    if size(&found) != size(&expected) {
        return (Outcome::Different, format!("{:?} px, not {:?}", size(&found), size(&expected)));
    }
    let opaque = || Mask::filled(expected.width(), expected.height(), 1.0);
    let [alpha, expected_alpha] = [&found, &expected].map(|p| p.alpha.clone().unwrap_or_else(opaque));
    let difference = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    let colours = difference(found.image.as_slice(), expected.image.as_slice());
    let opacity = 255.0 * difference(alpha.as_slice(), expected_alpha.as_slice());
    let name = path.to_string_lossy().to_ascii_lowercase();
    let bound = if name.contains("jpeg") || name.ends_with(".jpg") { JPEG_BOUND } else { BOUND };
    let outcome = if colours.max(opacity) <= bound { Outcome::Equal } else { Outcome::Different };
    (outcome, format!("colours off by {colours}, opacity by {opacity}, {:?}", found.warnings))
}

/// Returns the folder with the pictures. The second part holds it if it is a temporary one.
fn folder() -> (PathBuf, Option<tempfile::TempDir>) {
    if let Some(folder) = std::env::var_os("IMPASTO_OTHERS_PICTURES") {
        return (folder.into(), None);
    }
    let made = tempfile::tempdir().unwrap();
    let script = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pictures/others.py"));
    let status = Command::new("python3").arg(script).arg(made.path()).status().unwrap();
    assert!(status.success(), "others.py needs programs and packages that it names in its head");
    (made.path().to_owned(), Some(made))
}

#[test]
#[ignore = "it needs Python packages and the programs that write pictures; others.py names them"]
fn pictures_of_other_programs_are_read_or_refused_by_name() {
    const TWIN: &str = ".srgb.png";
    let (folder, _made) = folder();
    let names = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter_map(|name| name.strip_suffix(TWIN).map(str::to_owned)).collect();
    names.sort();
    let mut counts: BTreeMap<(String, Outcome), usize> = BTreeMap::new();
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for name in &names {
        let path = folder.join(name);
        let (outcome, text) = compare(&path, &folder.join(format!("{name}{TWIN}")));
        let (program, extension) = (name.split('-').next().unwrap(), name.rsplit('.').next().unwrap());
        *counts.entry((format!("{program} {extension}"), outcome)).or_default() += 1;
        match outcome {
            Outcome::Equal => {}
            Outcome::Refused => *reasons.entry(text.replace(&*path.to_string_lossy(), "")).or_default() += 1,
            Outcome::Different => wrong.push(format!("{name}: {text}")),
        }
    }
    for ((kind, outcome), count) in &counts {
        println!("{kind}: {count} {outcome:?}");
    }
    for (reason, count) in &reasons {
        println!("{count} refused:{reason}");
    }
    assert!(!names.is_empty(), "there are no pictures in {}", folder.display());
    assert!(wrong.is_empty(), "{} of {} are wrong:\n{}", wrong.len(), names.len(), wrong.join("\n"));
}
