//! Streams that end early, and disks that are full.

use std::fs::File;
use std::process::{Command, Stdio};

use crate::common::{Desk, WIDTH, size, text};

const ARGS: [&str; 6] = ["content.png", "style.png", "-o", "out.png", "--steps", "1"];

#[test]
fn a_reader_that_has_gone_is_no_failure() {
    let desk = Desk::new();
    for args in [&ARGS[..], &["--help"], &["measure", "style.png", "--content", "content.png", "--style", "style.png"]]
    {
        let mut child = desk.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let stderr = text(&output.stderr);
        assert!(output.status.success(), "{args:?}: {stderr}");
        assert!(!stderr.contains("panicked") && !stderr.contains("impasto:"), "{stderr}");
    }
    assert_eq!(size(&desk.path("out.png")).0, WIDTH);
}

#[test]
fn nobody_on_stderr_is_no_failure() {
    let desk = Desk::new();
    let mut child = desk.command(&ARGS).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    assert!(child.wait_with_output().unwrap().status.success());
    assert_eq!(size(&desk.path("out.png")).0, WIDTH);
}

#[test]
#[cfg(target_os = "linux")]
fn a_report_that_cannot_be_written_is_status_1() {
    let desk = Desk::new();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = desk.command(&ARGS).arg("--quiet").arg("--json").stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).starts_with("impasto: cannot write the report to stdout: "));
    assert_eq!(size(&desk.path("out.png")).0, WIDTH);
}

/// A file size limit of 512 bytes stands for the full disk: the picture has more, the trial of the
/// output fewer.
#[test]
fn a_disk_that_fills_up_is_status_1_and_leaves_nothing() {
    let desk = Desk::new();
    let before = desk.files();
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$@\"", "sh"])
        .arg(assert_cmd::cargo::cargo_bin!("impasto"))
        .args(ARGS)
        .args(["--init", "noise", "--quiet"])
        .current_dir(desk.path(""))
        .output()
        .unwrap();
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.starts_with("impasto: ") && stderr.contains("out.png"), "{stderr}");
    assert_eq!(desk.files(), before);
}
