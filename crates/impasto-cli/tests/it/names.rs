//! Names of files that are not Unicode: on Linux a name is bytes.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::process::Output;

use serde_json::{Value, json};

use crate::common::{Desk, impasto, pixels, text};

/// A byte that begins no character, before the rest of a name.
fn odd(rest: &str) -> OsString {
    OsString::from_vec([b"\xff", rest.as_bytes()].concat())
}

/// How JSON holds the name.
fn in_json(rest: &str) -> Value {
    let digits: String = odd(rest).as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    json!({ "bytes": digits })
}

/// The line in the desk's folder; a word that begins with `%` is a name that is no Unicode.
fn run(desk: &Desk, line: &str) -> Output {
    let words = line.split(' ').map(|word| word.strip_prefix('%').map_or_else(|| OsString::from(word), odd));
    impasto().current_dir(desk.path("")).args(words).output().unwrap()
}

fn ok(desk: &Desk, line: &str) -> String {
    let output = run(desk, line);
    assert!(output.status.success(), "{line}: {}", text(&output.stderr));
    text(&output.stdout)
}

fn parsed(desk: &Desk, line: &str) -> Value {
    serde_json::from_str(&ok(desk, line)).unwrap()
}

fn path(desk: &Desk, name: &OsStr) -> PathBuf {
    desk.path("").join(name)
}

/// A desk whose pictures have such names too; `None`: the file system does not take them.
fn desk() -> Option<Desk> {
    let desk = Desk::new();
    for (from, to) in [("content.png", "c.png"), ("style.png", "s.png"), ("content.png", "m.png")] {
        if let Err(error) = fs::copy(desk.path(from), path(&desk, &odd(to))) {
            eprintln!("there are no such names here: {error}");
            return None;
        }
    }
    Some(desk)
}

#[test]
fn they_survive_every_option_the_report_and_the_recipe() {
    let Some(desk) = desk() else { return };
    let line = "%c.png --style %s.png:2 --style %c.png --style-mask none --style-mask %m.png --keep %m.png --init %s.png -o %o.png --steps 2";
    let report = parsed(&desk, &format!("{line} -q --json --save-every 1"));
    assert_eq!(report["output"], in_json("o.png"));
    assert_eq!(report["saved"], json!([in_json("o-0001.png"), in_json("o-0002.png")]));
    assert!(path(&desk, &odd("o-0001.png")).exists());
    let wanted = pixels(&path(&desk, &odd("o.png")));

    let recipe = parsed(&desk, "recipe %o.png");
    assert_eq!(recipe["inputs"]["content"]["path"], in_json("c.png"));
    let styles = &recipe["inputs"]["styles"];
    assert_eq!((&styles[0]["file"]["path"], &styles[0]["weight"]), (&in_json("s.png"), &json!(2)));
    assert_eq!(styles[1]["mask"]["path"], in_json("m.png"));
    ok(&desk, "again %o.png -q");
    assert!(pixels(&path(&desk, &odd("o-again.png"))) == wanted);

    let job = ok(&desk, &format!("{line} --dry-run"));
    fs::write(path(&desk, &odd("job.json")), job).unwrap();
    fs::remove_file(path(&desk, &odd("o.png"))).unwrap();
    ok(&desk, "run %job.json -q");
    assert!(pixels(&path(&desk, &odd("o.png"))) == wanted);
    assert_eq!(parsed(&desk, "%c.png %s.png -o %o.png --plan --json -q")["output"], in_json("o.png"));
}

#[test]
fn they_survive_a_batch_a_sweep_and_the_other_commands() {
    let Some(desk) = desk() else { return };
    let lines = ok(&desk, "batch %c.png --style %s.png -o %made --steps 1 -q --json");
    let line: Value = serde_json::from_str(&lines).unwrap();
    assert_eq!((&line["photo"], &line["style"]), (&in_json("c.png"), &in_json("s.png")));
    let name = OsString::from_vec(b"\xffc-\xffs.png".to_vec());
    assert!(path(&desk, &odd("made")).join(&name).exists());
    let there = ok(&desk, "batch %c.png --style %s.png -o %made --steps 1 -q --json --resume");
    assert!(there.contains("\"result\":\"present\"") && there.contains("\"output\":{\"bytes\":"), "{there}");

    let sheet = parsed(&desk, "sweep %c.png %s.png --strengths 20,80 --size 32 --steps 1 -q --json -o %sheet.png");
    assert_eq!((&sheet["output"], &sheet["pictures"][0]["style"]), (&in_json("sheet.png"), &in_json("s.png")));
    let maps = parsed(&desk, "inspect %c.png --layer relu1_1 --maps 1 -o %maps.png --json");
    assert_eq!(maps["output"], in_json("maps.png"));
    ok(&desk, "style save %s.png -o %t.impasto-style --size 48");
    ok(&desk, "%c.png %t.impasto-style -o o.png --size 48 --steps 1 -q");
    let parts = "measure %c.png --content %c.png --style %s.png --style %c.png --mask mask.png --json";
    let mask = image::GrayImage::from_fn(48, 36, |x, _| image::Luma([if x < 24 { 255 } else { 0 }]));
    mask.save(desk.path("mask.png")).unwrap();
    assert_eq!(parsed(&desk, parts)["regions"][0]["style"], in_json("s.png"));
}

#[test]
fn they_survive_a_checkpoint() {
    let Some(desk) = desk() else { return };
    let line = "%c.png %s.png -q --steps 20 --scales 1";
    ok(&desk, &format!("{line} -o %whole.png"));
    let words = format!("{line} -o %o.png --checkpoint %kept --checkpoint-every 0");
    let words = words.split(' ').map(|word| word.strip_prefix('%').map_or_else(|| OsString::from(word), odd));
    let mut child = impasto().current_dir(desk.path("")).args(words).spawn().unwrap();
    let state = path(&desk, &odd("kept")).join("state.before");
    while !state.exists() {
        assert!(child.try_wait().unwrap().is_none(), "the run ended by itself");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    ok(&desk, "resume %kept -q");
    assert!(pixels(&path(&desk, &odd("o.png"))) == pixels(&path(&desk, &odd("whole.png"))));
}

#[test]
fn messages_name_them_as_well_as_text_can() {
    let Some(desk) = desk() else { return };
    for (line, message) in [
        ("%none.png %s.png -o o.png", "impasto: there is no file \u{fffd}none.png\n"),
        ("%c.png %s.png -o %s.png", "impasto: \u{fffd}s.png is to be written, but it is also an input"),
        ("%c.png --style %none.png:2 -o o.png", "impasto: there is no file \u{fffd}none.png\n"),
        ("%c.png %s.png -o o.png --print-config --mask %m.png", "has no form in a configuration file"),
    ] {
        let output = run(&desk, line);
        assert_eq!(output.status.code(), Some(2), "{line}");
        assert!(text(&output.stderr).contains(message), "{}", text(&output.stderr));
    }
}

/// A snapshot would have the name of an input that is no Unicode.
#[test]
fn a_snapshot_does_not_replace_such_an_input() {
    let Some(desk) = desk() else { return };
    fs::copy(desk.path("content.png"), path(&desk, &odd("o-0002.png"))).unwrap();
    let output = run(&desk, "%o-0002.png %s.png -o %o.png --steps 4 --save-every 2 -q");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("o-0002.png is to be written, but it is also an input"));
}
