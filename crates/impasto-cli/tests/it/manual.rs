//! Completions and manual pages know every subcommand.

use std::fs;
use std::process::Command;

use crate::common::{Desk, text};

/// The names of the subcommands, by the help.
fn subcommands(desk: &Desk) -> Vec<String> {
    let help = text(&desk.output(&["-h"]).stdout);
    let list = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines =
        list.take_while(|line| !line.is_empty()).filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names: Vec<String> = lines.map(|line| line.split_whitespace().next().unwrap().to_owned()).collect();
    assert!(names.contains(&"measure".to_owned()), "{help}");
    names
}

#[test]
fn completions_know_subcommands_and_options() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = desk.output(&["completions", shell]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let script = text(&output.stdout);
        for word in subcommands(&desk).iter().map(String::as_str).chain(["style-weight", "print-config"]) {
            assert!(script.contains(word), "{shell}: {word}");
        }
        if shell == "bash" {
            fs::write(desk.path("completions.bash"), script).unwrap();
            // Where there is no bash, nobody needs its script.
            if let Ok(status) = Command::new("bash").arg("-n").arg(desk.path("completions.bash")).status() {
                assert!(status.success());
            }
        }
    }
}

#[test]
fn every_subcommand_has_a_page() {
    let desk = Desk::new();
    let main = text(&desk.output(&["man"]).stdout);
    assert!(main.contains(".TH impasto 1") && main.contains("content\\-weight"), "{main}");
    fs::create_dir(desk.path("pages")).unwrap();
    let output = desk.output(&["man", "-o", "pages"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(fs::read_to_string(desk.path("pages/impasto.1")).unwrap(), main);
    // A page needs none that tells how to see another.
    for name in subcommands(&desk).into_iter().filter(|name| name != "help") {
        let page = fs::read_to_string(desk.path(&format!("pages/impasto-{name}.1"))).unwrap();
        assert!(page.contains(&format!("impasto\\-{name}")) && page.contains(".SH OPTIONS"), "{page}");
    }
    assert!(desk.path("pages/impasto-style-save.1").exists());
    assert!(!main.contains("impasto\\-help") && !desk.path("pages/impasto-help.1").exists());
    let output = desk.output(&["man", "-o", "absent"]);
    assert_eq!(text(&output.stderr), "impasto: there is no folder absent; create it first\n");
    assert_eq!(output.status.code(), Some(2));
}
