//! Runs that are killed and taken up again.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use crate::common::{Desk, painting, text};

/// Two scales, and a checkpoint after every step.
const RUN: [&str; 13] = [
    "content.png",
    "style.png",
    "-o",
    "out.png",
    "--steps",
    "20",
    "--scales",
    "2",
    "--quiet",
    "--checkpoint",
    "kept",
    "--checkpoint-every",
    "0",
];

const RESUME: [&str; 3] = ["resume", "kept", "--quiet"];

/// The run's arguments with the optimiser.
fn args(optimizer: &str) -> Vec<&str> {
    [&RUN[..], &["--optimizer", optimizer]].concat()
}

/// Whether the result is that of a run that nothing happens to. It is made in the same folder,
/// which the recipe notes.
fn is_undisturbed(desk: &Desk, optimizer: &str) -> bool {
    let found = fs::read(desk.path("out.png")).unwrap();
    let output = desk.output(&args(optimizer));
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(!desk.path("kept").exists(), "checkpoints of a run that has finished are removed");
    found == fs::read(desk.path("out.png")).unwrap()
}

/// Below `limit`.
fn random(limit: Duration) -> Duration {
    Duration::from_micros(RandomState::new().hash_one(0) % limit.as_micros() as u64)
}

/// Runs, kills, resumes, kills again, `kills` times in all; then lets it finish. Every second kill
/// comes at a random moment of the run, and each of the others once there is a checkpoint.
///
/// Returns how many of the kills met a run with a checkpoint.
fn kill_and_resume(desk: &Desk, optimizer: &str, kills: usize) -> usize {
    let run = args(optimizer);
    let begun = Instant::now();
    let output = desk.output(&run);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let length = begun.elapsed();
    fs::remove_file(desk.path("out.png")).unwrap();
    let mut with_state = 0;
    for kill in 0..kills {
        let line = if desk.path("kept/run.json").exists() { &RESUME[..] } else { &run[..] };
        let mut child = desk.command(line).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        if kill % 2 == 0 {
            std::thread::sleep(random(length));
        } else {
            while !desk.path("kept/state").exists() && child.try_wait().unwrap().is_none() {
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(random(length / 8));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        with_state += usize::from(desk.path("kept/state").exists());
    }
    let line = if desk.path("kept/run.json").exists() { &RESUME[..] } else { &run[..] };
    let output = desk.output(line);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "");
    assert!(!desk.path("kept").exists(), "something is left in the folder");
    with_state
}

/// Until there are two.
fn wait_for_checkpoints(desk: &Desk, run: &mut Child) {
    while !desk.path("kept/state.before").exists() {
        assert!(run.try_wait().unwrap().is_none(), "the run ended by itself");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A run that was killed once it had two checkpoints.
fn killed() -> Desk {
    let desk = Desk::new();
    kill(&desk, &args("lbfgs"));
    assert!(!desk.path("out.png").exists());
    desk
}

/// Runs and kills once there are two checkpoints.
fn kill(desk: &Desk, args: &[&str]) {
    let mut child = desk.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for_checkpoints(desk, &mut child);
    child.kill().unwrap();
    child.wait().unwrap();
}

/// They are written a little at a time, from where the run has its arrays.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "measures the memory of runs at 384 px: a minute"]
fn checkpoints_take_no_memory_of_their_own() {
    let desk = Desk::new();
    let run = ["content.png", "style.png", "-o", "out.png", "-q", "--size", "384", "--upscale", "--scales", "1"];
    let run = [&run[..], &["--steps", "16", "--threads", "2"]].concat();
    let (output, without) = desk.peak_memory(&run);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let kept = ["--checkpoint", "kept", "--checkpoint-every", "0", "--json"];
    let (output, with) = desk.peak_memory(&[&run[..], &kept].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    // The state of the last steps has some 30 MiB.
    assert!(with < without + (12 << 20), "{with} {without}");
}

/// Whether it is killed or the folder of the file disappears, nothing is lost, and nothing is left
/// of the file.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "runs at 640 px in bands, four times: two minutes"]
fn a_run_with_a_file_of_features_is_taken_up_again() {
    let desk = Desk::new();
    let run = |out: &'static str| {
        let size = ["--size", "640", "--upscale", "--scales", "2", "--steps", "6", "--memory", "480MiB"];
        let kept = ["--scratch", "here", "--checkpoint", "kept", "--checkpoint-every", "0"];
        [&["content.png", "style.png", "-o", out][..], &size, &kept].concat()
    };
    let folder = desk.path("here");
    fs::create_dir(&folder).unwrap();
    let output = desk.output(&run("undisturbed.png"));
    let said = text(&output.stderr);
    assert!(output.status.success() && said.contains(" of the photo in a file"), "{said}");
    let undisturbed = fs::read(desk.path("undisturbed.png")).unwrap();

    let long = run("out.png");
    let mut child = desk.command(&long).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for_checkpoints(&desk, &mut child);
    fs::remove_dir(&folder).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("to continue: impasto resume kept"), "{said}");
    assert!(said.contains("impasto: cannot keep the photo's features in here: "), "{said}");

    refused(&desk, &["cannot keep the photo's features in here: "]);
    let folder = desk.path("there");
    fs::create_dir(&folder).unwrap();
    let resume = [&RESUME[..], &["--scratch", "there"]].concat();
    // There is another once the finest scale has made a step.
    fs::remove_file(desk.path("kept/state.before")).unwrap();
    kill(&desk, &resume);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    let output = desk.output(&resume);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(fs::read(desk.path("out.png")).unwrap() == undisturbed);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}

#[track_caller]
fn refused(desk: &Desk, words: &[&str]) {
    let output: Output = desk.output(&RESUME);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
    for word in words {
        assert!(message.contains(word), "no `{word}` in: {message}");
    }
}

fn damage(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_run_that_is_killed_and_resumed_makes_the_same_picture() {
    for optimizer in ["lbfgs", "adam"] {
        let desk = Desk::new();
        let with_state = kill_and_resume(&desk, optimizer, 3);
        assert!(is_undisturbed(&desk, optimizer), "{optimizer}: {with_state} of 3");
    }
    // At a moment of which it is known that there was a checkpoint, on another number of threads.
    let desk = killed();
    let output = desk.command(&RESUME).env("RAYON_NUM_THREADS", "1").output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(is_undisturbed(&desk, "lbfgs"));
}

#[test]
#[ignore = "takes minutes"]
fn twenty_kills_leave_no_trace() {
    for optimizer in ["lbfgs", "adam"] {
        let desk = Desk::new();
        let with_state = kill_and_resume(&desk, optimizer, 20);
        assert!(is_undisturbed(&desk, optimizer), "{optimizer}");
        println!("{optimizer}: 20 kills, {with_state} of them of runs with a checkpoint");
        assert!(with_state > 4, "{optimizer}: {with_state}");
    }
}

#[test]
fn a_damaged_checkpoint_gives_way_to_the_one_before() {
    let desk = killed();
    damage(&desk.path("kept/state"));
    let output = desk.command(&RESUME).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(is_undisturbed(&desk, "lbfgs"));

    let desk = killed();
    damage(&desk.path("kept/state"));
    damage(&desk.path("kept/state.before"));
    refused(&desk, &["kept/state", "damaged", "begin the run again"]);
    damage(&desk.path("kept/run.json"));
    refused(&desk, &["run.json is damaged"]);
}

#[test]
fn what_does_not_fit_is_refused() {
    let desk = killed();
    let style = fs::read(desk.path("style.png")).unwrap();
    painting(41, 40).save(desk.path("style.png")).unwrap();
    refused(&desk, &["style.png has changed since the run was begun"]);
    fs::remove_file(desk.path("style.png")).unwrap();
    refused(&desk, &["style.png is missing; restore it"]);
    fs::write(desk.path("style.png"), style).unwrap();

    let again = desk.output(&args("lbfgs"));
    assert_eq!(again.status.code(), Some(2));
    assert!(text(&again.stderr).contains("continue it with `impasto resume kept`"), "{}", text(&again.stderr));

    let of_before = br#"{"run": {"version": 3, "program": "impasto 0.1.0", "memory": null}, "crc32": 0}"#;
    fs::write(desk.path("kept/run.json"), of_before).unwrap();
    refused(&desk, &["kept/run.json belongs to a run of impasto 0.1.0, file version 3", "continue with that program"]);

    fs::remove_dir_all(desk.path("kept")).unwrap();
    refused(&desk, &["there is no folder kept"]);
    fs::create_dir(desk.path("kept")).unwrap();
    refused(&desk, &["kept holds no checkpoints"]);

    let desk = Desk::new();
    kill(&desk, &[&args("lbfgs")[..], &["--no-scratch"]].concat());
    let output = desk.output(&[&RESUME[..], &["--scratch", "."]].concat());
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--feature-cache has no effect; leave it out"), "{}", text(&output.stderr));
}

#[test]
fn with_other_instructions_a_run_goes_on_and_says_that_the_last_bits_differ() {
    let desk = Desk::new();
    // At the coarser of two scales the deepest maps have one position, and no covariance but
    // rounding.
    let one_scale: Vec<&str> = RUN.iter().map(|&arg| if arg == "2" { "1" } else { arg }).collect();
    kill(&desk, &one_scale);
    let output = desk.command(&["resume", "kept"]).env("IMPASTO_ISA", "portable").output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let says = text(&output.stderr).contains(" before and goes on with cpu portable: from here the last bits differ");
    let begun_with = desk.output(&["bench", "--json", "--size", "16", "--runs", "1", "--device", "cpu"]);
    assert_eq!(says, !text(&begun_with.stdout).contains("cpu portable"), "{}", text(&output.stderr));
}

#[test]
fn resume_takes_what_does_not_change_the_picture() {
    let desk = killed();
    let output = desk.output(&["resume", "kept", "--quiet", "--json", "--threads", "1"]);
    assert!(output.status.success() && output.stderr.is_empty(), "{}", text(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["output"], "out.png");
    assert!(is_undisturbed(&desk, "lbfgs"));

    // Without --quiet it tells how far it is.
    let desk = killed();
    let output = desk.output(&["resume", "kept"]);
    assert!(output.status.success() && text(&output.stderr).contains("  48x36  content "), "{}", text(&output.stderr));
}

#[test]
#[ignore = "runs of hundreds of steps: 20 seconds"]
fn textures_and_reconstructions_are_taken_up_again() {
    const KEPT: [&str; 4] = ["--checkpoint", "kept", "--checkpoint-every", "0"];
    for line in [
        "texture style.png --size 48 --tileable --scales 2 --steps 100 -q -o out.png",
        "reconstruct content.png --layer relu2_1 --optimizer adam --steps 400 -q -o out.png",
    ] {
        let line: Vec<&str> = line.split(' ').collect();
        let desk = Desk::new();
        assert!(desk.output(&line).status.success());
        let wanted = fs::read(desk.path("out.png")).unwrap();
        fs::remove_file(desk.path("out.png")).unwrap();
        kill(&desk, &[&line[..], &KEPT].concat());
        assert!(!desk.path("out.png").exists());
        let output = desk.output(&RESUME);
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(fs::read(desk.path("out.png")).unwrap() == wanted, "{line:?}");
        assert!(!desk.path("kept").exists(), "checkpoints of a run that has finished are removed");
    }
}

#[test]
fn one_process_at_a_time_has_the_checkpoints() {
    let desk = Desk::new();
    let long: Vec<&str> = args("adam").into_iter().map(|arg| if arg == "20" { "100000" } else { arg }).collect();
    let mut child = desk.command(&long).spawn().unwrap();
    wait_for_checkpoints(&desk, &mut child);
    refused(&desk, &["another process is at work on the run in", "kept", "wait for it, or end it first"]);
    let second = desk.output(&args("adam"));
    assert_eq!(second.status.code(), Some(2));
    assert!(text(&second.stderr).contains("another process is at work on the run in kept"), "{}", text(&second.stderr));
    child.kill().unwrap();
    child.wait().unwrap();
    // The system has taken the lock back: it is the input that is missed.
    fs::remove_file(desk.path("style.png")).unwrap();
    refused(&desk, &["style.png is missing; restore it"]);
}

#[test]
fn a_batch_goes_on_with_the_picture_that_was_broken_off() {
    let line = "batch content.png --style style.png -o . -q --checkpoints --checkpoint-every 0 --steps 60 --scales 2";
    let line: Vec<&str> = line.split(' ').collect();
    let desk = Desk::new();
    assert!(desk.output(&line).status.success());
    let wanted = fs::read(desk.path("content-style.png")).unwrap();
    fs::remove_file(desk.path("content-style.png")).unwrap();

    let kept = |name: &str| desk.path("content-style.png.checkpoint").join(name);
    let mut child = desk.command(&line).stdout(Stdio::null()).spawn().unwrap();
    while !kept("state.before").exists() {
        assert!(child.try_wait().unwrap().is_none(), "the run ended by itself");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();

    let resumed = |more: &[&str]| {
        let loud = line.iter().copied().filter(|arg| *arg != "-q");
        desk.output(&loud.chain(["--resume"]).chain(more.iter().copied()).collect::<Vec<_>>())
    };
    let other = resumed(&["--strength", "10"]);
    assert_eq!(other.status.code(), Some(1));
    let message = text(&other.stderr);
    assert!(message.contains("holds the checkpoints of a run with other options, or from another folder"), "{message}");
    // It is the checkpoint that is gone on from: that it is damaged is noticed.
    damage(&kept("state"));
    let output = resumed(&[]);
    let message = text(&output.stderr);
    assert!(output.status.success() && message.contains("the run continues from the state before it"), "{message}");
    assert!(fs::read(desk.path("content-style.png")).unwrap() == wanted);
    assert!(!kept("run.json").exists());
}

#[test]
fn an_unusable_folder_is_refused_before_the_work_and_a_lost_one_is_told_once() {
    let desk = Desk::new();
    fs::write(desk.path("kept"), "a file").unwrap();
    let output = desk.output(&args("lbfgs"));
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("kept"), "{}", text(&output.stderr));
    assert!(!desk.path("out.png").exists());

    let stdin: Vec<&str> = args("lbfgs").into_iter().map(|arg| if arg == "style.png" { "-" } else { arg }).collect();
    let style = fs::File::open(desk.path("style.png")).unwrap();
    let output = desk.command(&stdin).stdin(style).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("standard input cannot be resumed"), "{}", text(&output.stderr));

    // The folder disappears during the run.
    fs::remove_file(desk.path("kept")).unwrap();
    let loud: Vec<&str> = args("lbfgs").into_iter().filter(|arg| *arg != "--quiet").collect();
    let mut child = desk.command(&loud).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for_checkpoints(&desk, &mut child);
    // It may be written to at the same moment.
    while desk.path("kept").exists() {
        drop(fs::remove_dir_all(desk.path("kept")));
    }
    let output = child.wait_with_output().unwrap();
    let message = text(&output.stderr);
    assert!(output.status.success(), "{message}");
    assert_eq!(message.matches("warning: no checkpoint: ").count(), 1, "{message}");
    assert!(is_undisturbed(&desk, "lbfgs"));
}

#[test]
fn a_start_that_no_step_improves_is_no_result() {
    let desk = Desk::new();
    let weights = ["--objective", "paper", "--init", "noise", "--content-weight", "0", "--style-weight", "1e-60"];
    let output = desk.output(&[&["content.png", "style.png", "-o", "out.png"][..], &weights].concat());
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("no step reduced the starting loss"), "{}", text(&output.stderr));
    assert!(!desk.path("out.png").exists());
}
