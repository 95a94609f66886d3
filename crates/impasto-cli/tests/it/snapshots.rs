//! What the program says, word for word, as in `tests/snapshots`. `SNAPSHOTS=overwrite` renews the
//! files.

use std::path::Path;

use crate::common::{Desk, text};
use snapbox::{Assert, Data};

/// `found` is what the file says; the environment may ask for the file to be written instead.
#[track_caller]
fn check(name: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots").join(format!("{name}.txt"));
    let renew = std::env::var("SNAPSHOTS").is_ok_and(|action| action == "overwrite");
    assert!(path.exists() || renew, "there is no snapshot {name}.txt; see CONTRIBUTING.md for how to make it");
    Assert::new().action_env("SNAPSHOTS").eq(Data::text(found), Data::read_from(&path, None).raw());
}

/// What goes to stdout, on a terminal of 100 columns.
fn stdout(desk: &Desk, args: &[&str]) -> String {
    let output = desk.command(args).env("COLUMNS", "100").env_remove("IMPASTO_DEVICE").output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn help() {
    let desk = Desk::new();
    let short = stdout(&desk, &["-h"]);
    check("help-short", &short);
    check("help", &stdout(&desk, &["--help"]));
    let list = short.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let mut count = 0;
    let names = list.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next());
    // `help` has no options of its own.
    for name in names.filter(|name| *name != "help") {
        check(&format!("help-{name}-short"), &stdout(&desk, &[name, "-h"]));
        check(&format!("help-{name}"), &stdout(&desk, &[name, "--help"]));
        count += 1;
    }
    assert!(count >= 4, "{short}");
}

#[test]
fn config() {
    check("print-config", &stdout(&Desk::new(), &["--print-config"]));
}

/// A report with `#` for the numbers, which are those of the machine in their last digits.
#[test]
fn report() {
    let desk = Desk::new();
    let report = stdout(&desk, &["content.png", "style.png", "-o", "out.png", "--steps", "2"]);
    check("report", &report.lines().map(without_numbers).collect::<String>());
}

fn without_numbers(line: &str) -> String {
    let words = line.split_whitespace().map(|word| if word.parse::<f64>().is_ok() { "#" } else { word });
    words.collect::<Vec<_>>().join(" ") + "\n"
}

#[test]
fn refusals() {
    let desk = Desk::new();
    let mut found = String::new();
    for args in [
        "",
        "content.png style.png",
        "content.png style.png out.png",
        "content.png style.png -o out.gif",
        "content.png style.png -o absent/out.png",
        "content.png style.png -o content.png",
        "content.png absent.png -o out.png",
        "content.png style.png -o out.png --size 0",
        "content.png style.png -o out.png --size 10",
        "content.png style.png -o out.png --strength 101",
        "content.png style.png -o out.png --strength 20 --objective paper",
        "content.png style.png -o out.png --strength 20 --content-weight 1",
        "content.png style.png -o out.png --stile-weight 1",
        "content.png style.png -o out.png --style-layers relu6_1",
        "content.png style.png -o out.png --colors pale",
        "content.png style.png -o out.png --config absent.toml",
        "content.png style.png -o out.png --content-weight 0 --style-weight 0 --tv-weight 0",
        "measure out.png",
        "completions tcsh",
    ] {
        let output = desk.output(&args.split_whitespace().collect::<Vec<_>>());
        assert_eq!(output.status.code(), Some(2), "{args}");
        found.push_str(&format!("$ {}\n{}\n", format!("impasto {args}").trim_end(), text(&output.stderr)));
    }
    check("refusals", &found);
}
