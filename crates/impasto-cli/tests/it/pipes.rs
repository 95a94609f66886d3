//! Inputs that can be read only once: pipes and standard input.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::common::{Desk, WEIGHTS, pixels, text};

/// Runs `line` with each of `pipes` a pipe that one program writes once: a file's name, and the
/// pipe's.
fn with_pipes(desk: &Desk, pipes: &[(&str, &str)], line: &str) -> Output {
    let mut writers = Vec::new();
    for (file, pipe) in pipes {
        let path = desk.path(pipe);
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        let mut writer = Command::new("sh");
        writer.args(["-c", "exec cat \"$1\" > \"$2\"", "sh"]).arg(desk.path(file)).arg(&path);
        writers.push((writer.spawn().unwrap(), path));
    }
    let words: Vec<&str> = line.split(' ').collect();
    let output = desk.output(&words);
    for (mut writer, path) in writers {
        // It waits for ever if nobody has read.
        writer.kill().unwrap();
        writer.wait().unwrap();
        fs::remove_file(path).unwrap();
    }
    output
}

fn ok(output: &Output) -> String {
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    text(&output.stderr)
}

/// A desk with a mask, a style file and the network's weights beside the pictures.
fn desk() -> Desk {
    let desk = Desk::new();
    let mask = image::GrayImage::from_fn(48, 36, |x, _| image::Luma([if x < 24 { 255 } else { 0 }]));
    mask.save(desk.path("mask.png")).unwrap();
    let save = ["style", "save", "style.png", "-o", "s.impasto-style", "--size", "48"];
    ok(&desk.output(&save));
    desk
}

#[test]
fn every_input_can_be_a_pipe() {
    let desk = desk();
    let steps = "-q --steps 2 -o";
    for (pipes, line) in [
        (&[("content.png", "P1"), ("style.png", "P2")][..], "P1 P2"),
        (&[("s.impasto-style", "P1")], "content.png P1 --size 48"),
        (&[("style.png", "P1"), ("mask.png", "P2")], "content.png P1 --keep P2"),
        (&[("mask.png", "P1"), ("content.png", "P2")], "content.png style.png --mask P1 --init P2"),
        (&[("style.png", "P1")], "content.png style.png --style-mask P1"),
        (&[("style.png", "P1")], "texture P1 --size 32"),
        (&[("content.png", "P1")], "reconstruct P1 --layer relu1_1"),
        (&[("content.png", "P1"), ("style.png", "P2")], "sweep P1 P2 --strengths 20,80 --size 32"),
        (&[("content.png", "P1"), ("style.png", "P2")], "sweep P1 --style P2 style.png --size 32"),
    ] {
        let plain = pipes.iter().fold(line.to_owned(), |line, (file, pipe)| line.replace(pipe, file));
        let words: Vec<String> = format!("{plain} {steps} plain.png").split(' ').map(str::to_owned).collect();
        // A sheet has the names of its pictures on it.
        let is_sheet = line.starts_with("sweep");
        ok(&desk.output(&words));
        ok(&with_pipes(&desk, pipes, &format!("{line} {steps} piped.png")));
        let [plain, piped] = ["plain.png", "piped.png"].map(|name| pixels(&desk.path(name)));
        assert!(is_sheet || plain == piped, "{line}");
    }
    ok(&with_pipes(&desk, &[("content.png", "P1"), ("style.png", "P2")], "batch P1 --style P2 -o made -q --steps 1"));
    assert!(desk.path("made/P1-P2.png").exists());
}

#[test]
fn weights_and_other_commands_take_pipes() {
    let desk = desk();
    fs::copy(Path::new(WEIGHTS), desk.path("weights")).unwrap();
    let line = "content.png style.png --weights P1 -q --steps 1 -o out.png";
    ok(&with_pipes(&desk, &[("weights", "P1")], line));
    for (pipe, line) in [
        ("style.png", "measure content.png --content content.png --style P1"),
        ("s.impasto-style", "measure content.png --content content.png --style P1"),
        ("style.png", "style save P1 -o t.impasto-style --size 48"),
        ("content.png", "inspect P1 --layer relu1_1 --maps 1 -q -o sheet.png"),
    ] {
        let objective = if pipe.ends_with("style") { " --objective balanced" } else { "" };
        ok(&with_pipes(&desk, &[(pipe, "P1")], &format!("{line}{objective}")));
    }
    // The words at the front of a style file have no order.
    let length = |name: &str| desk.path(name).metadata().unwrap().len();
    assert_eq!(length("s.impasto-style"), length("t.impasto-style"));
}

#[test]
fn a_substituted_process_is_a_style() {
    let desk = Desk::new();
    let mut bash = Command::new("bash");
    bash.args(["-c", "\"$0\" content.png <(cat style.png) -q --steps 1 -o out.png"]);
    bash.arg(assert_cmd::cargo::cargo_bin!("impasto")).current_dir(desk.path(""));
    ok(&bash.output().unwrap());
    assert!(desk.path("out.png").exists());
}

#[test]
fn a_recipe_keeps_the_checksum_of_a_pipe_and_again_asks_for_the_file() {
    let desk = Desk::new();
    ok(&desk.output(&"content.png style.png -q --steps 2 -o plain.png".split(' ').collect::<Vec<_>>()));
    let wanted = pixels(&desk.path("plain.png"));
    ok(&with_pipes(&desk, &[("content.png", "P1")], "P1 style.png -q --steps 2 -o out.png"));
    let checksum = |picture: &str| {
        let recipe: Value = serde_json::from_str(&ok(&desk.output(&["recipe", picture]))).unwrap();
        recipe["inputs"]["content"].clone()
    };
    assert_eq!(checksum("out.png")["path"], "-");
    assert_eq!(checksum("out.png")["sha256"], checksum("plain.png")["sha256"]);
    let again = ["again", "out.png", "-q", "-o", "new.png"];
    assert_eq!(
        refused(&desk.output(&again)),
        "impasto: out.png was made from a pipe or standard input (content), which cannot be read again; give a file with \
         --content\n"
    );
    ok(&desk.output(&[&again[..], &["--content", "content.png"]].concat()));
    assert!(pixels(&desk.path("new.png")) == wanted);

    // Standard input is no other.
    let stdin = File::open(desk.path("style.png")).unwrap();
    let line = ["content.png", "-", "-q", "--steps", "2", "-o", "out.png"];
    ok(&desk.command(&line).stdin(stdin).output().unwrap());
    let error = refused(&desk.output(&again));
    assert!(error.contains("(style), which cannot be read again; give a file with --style"), "{error}");
    ok(&desk.output(&[&again[..], &["--style", "style.png"]].concat()));
    assert!(pixels(&desk.path("new.png")) == wanted);
}

#[test]
fn a_checksum_of_a_pipe_is_checked() {
    let desk = Desk::new();
    ok(&desk.output(&"content.png style.png -q --steps 1 -o out.png".split(' ').collect::<Vec<_>>()));
    let mut job: Value = serde_json::from_str(&ok(&desk.output(&["recipe", "out.png"]))).unwrap();
    job["inputs"]["content"]["path"] = "-".into();
    job["output"]["file"] = "new.png".into();
    fs::write(desk.path("job.json"), job.to_string()).unwrap();
    for (file, is_it) in [("content.png", true), ("style.png", false)] {
        let stdin = File::open(desk.path(file)).unwrap();
        let output = desk.command(&["run", "job.json", "-q"]).stdin(stdin).output().unwrap();
        if is_it {
            ok(&output);
        } else {
            let error = refused(&output);
            assert!(error.contains("standard input has another SHA-256 than the job states"), "{error}");
        }
    }
}
