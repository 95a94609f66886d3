//! `impasto.toml`: its keys are the options, the command line overrules it, mistakes are named.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use std::fs;

use common::{Desk, pixels, text};

/// A folder in which `impasto.toml` holds `config`.
fn desk(config: &str) -> Desk {
    let desk = Desk::new();
    fs::write(desk.path("impasto.toml"), config).unwrap();
    desk
}

fn print_config(desk: &Desk, args: &[&str]) -> String {
    let output = desk.output(&[&["--print-config"], args].concat());
    assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

#[track_caller]
fn assert_has(config: &str, line: &str) {
    assert!(config.lines().any(|other| other == line), "no `{line}` in:\n{config}");
}

#[test]
fn a_file_stands_for_arguments() {
    let args = ["--style-layers", "relu1_1,relu2_1:0.5", "--size", "32", "--strength", "60", "--upscale"];
    let wanted = Desk::new().transfer(&args).bytes;
    let config = "style-layers = ['relu1_1', 'relu2_1:0.5']\nsize = 32\nstrength = 60.0\nupscale = true\nsteps = 3\n";
    // `transfer` gives --steps, which overrules the file.
    assert_eq!(desk(config).transfer(&[]).bytes, wanted);
    assert_ne!(desk(config).transfer(&["--no-config"]).bytes, wanted);
    let elsewhere = Desk::new();
    fs::write(elsewhere.path("other.toml"), config).unwrap();
    assert_eq!(elsewhere.transfer(&["--config", "other.toml"]).bytes, wanted);
}

#[test]
fn the_command_line_overrules_what_it_contradicts() {
    let desk = desk("strength = 60\ncolors = 'matched'\ncontent-layers = ['relu4_1', 'relu3_1']");
    let config = print_config(&desk, &["--content-weight", "2", "--content-layers", "relu1_1", "--tv-weight", "0"]);
    for line in ["content-weight = 2", "# strength = 0..100", "content-layers = [\"relu1_1\"]", "colors = \"matched\""]
    {
        assert_has(&config, line);
    }
    assert_has(&print_config(&desk, &[]), "strength = 60");
}

#[test]
fn styles_can_be_in_the_file() {
    let plain = Desk::new().transfer(&[]).bytes;
    let desk = desk("style = ['style.png', 'content.png:2']");
    // The second name takes the place of all of them.
    assert_eq!(desk.transfer(&[]).bytes, plain);
    let output = desk.output(&["content.png", "-o", "blend.png", "--steps", "2", "-q"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_ne!(pixels(&desk.path("blend.png")), plain);
    assert_has(&print_config(&desk, &[]), "style = [\"style.png\", \"content.png:2\"]");
    assert_has(&print_config(&desk, &["--style", "content.png"]), "style = [\"content.png\"]");
}

#[test]
fn what_is_printed_reads_back_the_same() {
    let large = ["--init", "noise", "--seed", "18446744073709551615", "--tolerance", "1e-5", "--upscale"];
    let paper = ["--objective", "paper", "--preset", "fine", "--save-every", "5", "--style-weight", "1e-7"];
    let words = ["--init", "a \"quoted\" name.png", "--scales", "3", "--content-weight", "0.30000000000000004"];
    for args in [&[][..], &["--preset", "draft", "--strength", "12.5"], &large, &paper, &words] {
        let printed = print_config(&Desk::new(), args);
        assert_eq!(print_config(&desk(&printed), &[]), printed, "{args:?}");
    }
    let printed = print_config(&Desk::new(), &paper);
    for line in ["steps = 400", "size = 1024", "style-loss = \"gram\"", "content-weight = 1", "scales = 1"] {
        assert_has(&printed, line);
    }
    // Defaults that are written out are the defaults.
    let defaults = print_config(&Desk::new(), &[]);
    assert_eq!(desk(&defaults).transfer(&[]).bytes, Desk::new().transfer(&[]).bytes);
}

#[test]
fn every_option_of_the_help_is_printed() {
    let desk = Desk::new();
    let printed = print_config(&desk, &[]);
    let help = text(&desk.output(&["-h"]).stdout);
    let names = help.split_whitespace().filter_map(|word| word.strip_prefix("--"));
    // Of the words that are no options of a run, --output is a file that has to be named.
    let elsewhere = ["help", "version", "output", "config", "no-config", "print-config"];
    let mut count = 0;
    for name in names.filter(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '-')) {
        let has = printed.lines().any(|line| line.trim_start_matches("# ").starts_with(&format!("{name} = ")));
        assert!(has || elsewhere.contains(&name), "{name}");
        count += 1;
    }
    assert!(count > 20, "{help}");
}

#[test]
fn mistakes_name_the_file_and_the_key() {
    for (config, message) in [
        ("stile-weight = 1", "impasto.toml: there is no option `stile-weight`; did you mean `style-weight`?"),
        ("output = 'a.png'", "impasto.toml: `output` belongs on the command line; remove it from the file"),
        ("no-config = true", "impasto.toml: `no-config` belongs on the command line; remove it from the file"),
        (
            "steps = 'many'",
            "impasto.toml: `steps`: invalid value 'many' for '--steps <N>': needs a whole number of at least 1",
        ),
        ("steps = true", "impasto.toml: `steps`: has the type boolean; give text or a number"),
        ("steps = [1, 2]", "impasto.toml: `steps`: has the type array; give text or a number"),
        ("upscale = 1", "impasto.toml: `upscale`: is a switch and has the type integer; give true or false"),
        ("style-layers = []", "impasto.toml: `style-layers`: is an empty list; give a value, or leave the key out"),
        (
            "content-layers = [['relu1_1']]",
            "impasto.toml: `content-layers`: is a list of other things than text or numbers; give these alone",
        ),
        ("seed = 1\nsize = ", "impasto.toml, line 2: "),
        (
            "strength = 1\ncontent-weight = 1",
            "impasto.toml: the argument '--content-weight <ALPHA>' cannot be used with",
        ),
    ] {
        let desk = desk(config);
        let output = desk.output(&["content.png", "style.png", "-o", "out.png"]);
        let found = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{config}: {found}");
        assert!(found.starts_with(&format!("impasto: {message}")) && found.lines().count() == 1, "{config}: {found}");
        assert!(!desk.path("out.png").exists());
        // The subcommands have nothing to do with it.
        assert!(desk.output(&["completions", "bash"]).status.success());
    }
    let desk = Desk::new();
    let output = desk.output(&["content.png", "style.png", "-o", "out.png", "--config", "absent.toml"]);
    assert_eq!(text(&output.stderr), "impasto: there is no file absent.toml\n");
}
