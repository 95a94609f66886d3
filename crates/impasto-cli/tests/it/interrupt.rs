//! Ctrl-C and SIGTERM.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Command, Stdio};

use crate::common::{Desk, WIDTH, photo, size};
use serde_json::Value;

/// A run that would take hours, after its first line of progress: the start has been evaluated.
fn spawn(desk: &Desk, args: &[&str]) -> (Child, BufReader<ChildStderr>) {
    let all = [&["content.png", "style.png", "-o", "out.png", "--steps", "1000000", "--json"], args].concat();
    let mut child = desk.command(&all).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    wait_for_the_start(&mut stderr);
    (child, stderr)
}

/// Reads on to the first line of progress, which comes after the plan.
fn wait_for_the_start(stderr: &mut BufReader<ChildStderr>) {
    assert!(line(stderr).contains(" px on the CPU"));
    assert!(line(stderr).starts_with("step 0/1000000 "));
}

fn line(stderr: &mut BufReader<ChildStderr>) -> String {
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    line
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

#[test]
fn one_signal_ends_the_run_and_keeps_the_picture() {
    for name in ["-INT", "-TERM"] {
        let desk = Desk::new();
        let before = desk.files();
        let (mut child, mut stderr) = spawn(&desk, &[]);
        signal(&child, name);
        let mut rest = String::new();
        stderr.read_to_string(&mut rest).unwrap();
        let mut stdout = String::new();
        child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0), "{name}");
        assert!(rest.contains("ending after this step"), "{rest}");

        let json: Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!(json["stopped"], "interrupted");
        assert!((1..1_000_000).contains(&json["steps"].as_u64().unwrap()), "{json}");
        assert_eq!(json["steps_wanted"], 1_000_000);
        assert_eq!(size(&desk.path("out.png")).0, WIDTH);
        let files = desk.files();
        assert_eq!(files.difference(&before).collect::<Vec<_>>(), ["out.png", "out.png.checkpoint"]);
        assert!(rest.contains("to continue: impasto resume out.png.checkpoint"), "{rest}");
    }
}

#[test]
fn a_second_signal_leaves_at_once_without_a_picture() {
    let desk = Desk::new();
    // Large enough that a step outlasts the way from the first signal to the second.
    photo(512, 512).save(desk.path("content.png")).unwrap();
    let before = desk.files();
    let (mut child, mut stderr) = spawn(&desk, &["--size", "512"]);
    signal(&child, "-INT");
    assert!(line(&mut stderr).starts_with("ending after this step"));
    signal(&child, "-INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    assert_eq!(stdout, "");
    assert_eq!(desk.files(), before);
}

/// The style takes minutes before there is a step to end.
#[cfg(target_os = "linux")]
#[test]
fn a_signal_before_the_first_step_leaves_at_once() {
    let desk = Desk::new();
    let before = desk.files();
    let args = ["content.png", "style.png", "-o", "out.png", "--style-scale", "100", "--memory", "64GiB"];
    let mut child = desk.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let tasks = format!("/proc/{}/task", child.id());
    let listens = || {
        let names = std::fs::read_dir(&tasks).unwrap().flatten().map(|task| task.path().join("comm"));
        names.flat_map(std::fs::read_to_string).any(|name| name.trim() == "signals")
    };
    while !listens() {
        assert!(child.try_wait().unwrap().is_none(), "the run ended by itself");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    std::thread::sleep(std::time::Duration::from_millis(300));
    signal(&child, "-INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let mut rest = String::new();
    child.stderr.take().unwrap().read_to_string(&mut rest).unwrap();
    assert_eq!((rest.as_str(), desk.files()), ("", before));
}

#[test]
fn a_quiet_run_says_nothing_when_it_is_interrupted() {
    let desk = Desk::new();
    let args = [
        "content.png",
        "style.png",
        "-o",
        "out.png",
        "--steps",
        "1000000",
        "--quiet",
        "--save-every",
        "1",
        "--no-checkpoint",
    ];
    let mut child = desk.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // There is no progress to wait for: the first picture in between tells that the run has
    // started.
    while !desk.path("out-0000001.png").exists() {
        assert!(child.try_wait().unwrap().is_none(), "the run ended by itself");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    signal(&child, "-INT");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stdout.is_empty() && output.stderr.is_empty());
    assert_eq!(size(&desk.path("out.png")).0, WIDTH);
    assert!(desk.files().iter().all(|name| name.ends_with(".png")), "{:?}", desk.files());
}

#[test]
fn a_run_under_nohup_outlives_the_terminal() {
    let desk = Desk::new();
    let mut child = Command::new("nohup")
        .arg(assert_cmd::cargo::cargo_bin!("impasto"))
        .args(["content.png", "style.png", "-o", "out.png", "--steps", "1000000", "--json"])
        .env("IMPASTO_DEVICE", "cpu")
        .current_dir(desk.path(""))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    wait_for_the_start(&mut stderr);
    signal(&child, "-HUP");
    signal(&child, "-TERM");
    child.wait().unwrap();
    let json: Value = serde_json::from_reader(child.stdout.take().unwrap()).unwrap();
    assert_eq!(json["stopped"], "interrupted");
}
