//! `impasto.toml`: its keys are the options, the command line overrules it, mistakes are named.

use std::fs;

use crate::common::{Desk, pixels, text};

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
    // --output is a file that has to be named, and --dry-run makes no picture.
    let elsewhere = ["help", "version", "output", "dry-run", "config", "no-config", "print-config"];
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
        ("dry-run = true", "impasto.toml: `dry-run` belongs on the command line; remove it from the file"),
        ("no-config = true", "impasto.toml: `no-config` belongs on the command line; remove it from the file"),
        (
            "steps = 'many'",
            "impasto.toml: `steps`: invalid type: string \"many\", expected a whole number of at least 1",
        ),
        (
            "colors = 'pink'",
            "impasto.toml: `colors`: unknown variant `pink`, expected one of `style`, `content`, `luminance`, `matched`",
        ),
        ("size = 0", "impasto.toml: `size`: invalid value: integer `0`, expected "),
        ("strength = '101'", "impasto.toml: `strength`: invalid value: integer `101`, expected a number from 0 to 100"),
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
            "impasto.toml: `strength` cannot be used with `content-weight`; remove one of them",
        ),
    ] {
        let desk = desk(config);
        let output = desk.output(&["content.png", "style.png", "-o", "out.png"]);
        let found = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{config}: {found}");
        assert!(found.starts_with(&format!("impasto: {message}")) && found.lines().count() == 1, "{config}: {found}");
        assert!(!desk.path("out.png").exists());
        // Commands without options in the file have nothing to do with it.
        assert!(desk.output(&["completions", "bash"]).status.success());
    }
    let desk = Desk::new();
    let output = desk.output(&["content.png", "style.png", "-o", "out.png", "--config", "absent.toml"]);
    assert_eq!(text(&output.stderr), "impasto: there is no file absent.toml\n");
}

/// What `--print-config` of a subcommand says, without its comments.
fn printed(desk: &Desk, command: &str, args: &[&str]) -> String {
    let output = desk.output(&[&[command, "--print-config"], args].concat());
    assert!(output.status.success(), "{command} {args:?}: {}", text(&output.stderr));
    text(&output.stdout)
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|l| format!("{l}\n"))
        .collect()
}

const COMMANDS: [&str; 4] = ["batch", "sweep", "texture", "reconstruct"];

#[test]
fn one_file_serves_all_commands() {
    // All that the transfer has, some of it of no meaning elsewhere: an init, a strength, a mask.
    let all = print_config(&Desk::new(), &["--size", "original", "--strength", "60", "--seed", "7"]);
    let desk = desk(&format!("{all}\n[sweep]\nsize = 96\nseed = 8\n[texture]\nsize = '48x32'\ntileable = true\n"));
    for command in COMMANDS {
        let config = printed(&desk, command, &[]);
        let seed = if command == "sweep" { "seed = 8" } else { "seed = 7" };
        assert_has(&config, &format!("[{command}]"));
        assert_has(&config, seed);
        let size = match command {
            "batch" => "size = \"original\"",
            "sweep" => "size = 96",
            "texture" => "size = \"48x32\"",
            _ => "size = 512",
        };
        assert_has(&config, size);
        // What is printed can be put into the file, and the command line overrules both of its
        // parts.
        let once_more = self::desk(&format!("{all}\n{config}"));
        assert_eq!(printed(&once_more, command, &[]), config);
        assert_has(&printed(&once_more, command, &["--seed", "9"]), "seed = 9");
        assert_ne!(printed(&once_more, command, &["--no-config"]), config);
    }
    assert_has(&printed(&desk, "texture", &[]), "tileable = true");
    assert_has(&printed(&desk, "reconstruct", &[]), "init = \"noise\"");
    // A strength in the file is none that was asked of a sweep, but is that of one over other
    // things.
    let swept = |args: &[&str]| {
        let files =
            ["sweep", "content.png", "style.png", "-o", "s.png", "--steps", "1", "-q", "--json", "--size", "32"];
        let output = desk.output(&[&files[..], args].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        json["pictures"].as_array().unwrap().iter().map(|p| p["strength"].as_f64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(swept(&[]), [10.0, 30.0, 50.0, 70.0, 90.0]);
    assert_eq!(swept(&["--style-scales", "0.8,1"]), [60.0, 60.0]);
    assert_eq!(swept(&["--strengths", "5,6"]), [5.0, 6.0]);
}

#[test]
fn mistakes_for_other_commands_are_named_too() {
    for (command, config, message) in [
        ("texture", "tilable = true", "there is no option `tilable`; did you mean `tileable`?"),
        (
            "batch",
            "[bach]\nsize = 3",
            "[bach] is no command with options here; there are [batch], [sweep], [texture], [reconstruct]",
        ),
        (
            "reconstruct",
            "[reconstruct]\nstrength = 3",
            "`strength` is no option of that command; put it above the tables, or remove it",
        ),
        (
            "texture",
            "[texture]\nsize = 'original'",
            "`texture.size`: --size is `original`; give a texture a side, or WIDTHxHEIGHT",
        ),
        ("sweep", "steps = 'many'", "`steps`: invalid type: string \"many\""),
        ("batch", "[batch]\noutput = 'made'", "`output` belongs on the command line; remove it from the file"),
        ("batch", "strength = 1\ncontent-weight = 1", "`strength` cannot be used with `content-weight`"),
    ] {
        let output = desk(config).output(&[command, "--print-config"]);
        let found = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{command}: {config}: {found}");
        assert!(found.starts_with(&format!("impasto: impasto.toml: {message}")), "{command}: {config}: {found}");
    }
}

#[test]
fn a_batch_takes_its_styles_from_the_file() {
    let desk = desk("style = ['style.png', 'content.png']\nsteps = 1\nsize = 32\n[batch]\nquiet = true\n");
    let output = desk.output(&["batch", "content.png", "-o", "made"]);
    assert!(output.status.success() && output.stdout.is_empty(), "{}", text(&output.stderr));
    assert_eq!(fs::read_dir(desk.path("made")).unwrap().count(), 2);
}

#[test]
fn numbers_and_lists_can_be_text() {
    let as_text = "strength = '60'\nbit-depth = '16'\nstyle-layers = 'relu1_1, relu2_1:0.5'\nsize = '48'\nseed = '7'\n\
                   style-rotations = '2'\n[sweep]\nstrengths = '20,80'\n";
    let config = print_config(&desk(as_text), &[]);
    for line in [
        "strength = 60",
        "bit-depth = 16",
        "style-layers = [\"relu1_1\", \"relu2_1:0.5\"]",
        "size = 48",
        "seed = 7",
        "style-rotations = 2",
    ] {
        assert_has(&config, line);
    }
    assert_has(&printed(&desk(as_text), "sweep", &[]), "strengths = [20, 80]");
    // A name that is a number stays a name.
    assert_has(&print_config(&desk("mask = '7'"), &[]), "mask = \"7\"");
}

#[test]
fn options_of_a_batch_can_be_in_the_file() {
    for config in ["checkpoints = true\nresume = true", "[batch]\ncheckpoints = true\nresume = true"] {
        let desk = desk(config);
        for line in ["checkpoints = true", "resume = true"] {
            assert_has(&printed(&desk, "batch", &[]), line);
        }
        // Other commands have no such options.
        assert!(!print_config(&desk, &[]).contains("\nresume = "));
        let args = ["batch", "content.png", "--style", "style.png", "-o", "made", "--steps", "1", "--size", "32"];
        for words in ["px", "there already"] {
            let output = desk.output(&args);
            assert!(text(&output.stdout).contains(words), "{words}: {}{}", text(&output.stdout), text(&output.stderr));
        }
    }
}

#[test]
fn a_switch_that_is_off_contradicts_nothing() {
    let config = "checkpoints = true\nfeature-cache = 'here'\n[batch]\nno-checkpoint = false\nno-feature-cache = false";
    let printed = printed(&desk(config), "batch", &[]);
    assert_has(&printed, "checkpoints = true");
    assert_has(&printed, "feature-cache = \"here\"");
    // The command line overrules what contradicts it.
    let overruled = self::printed(&desk(config), "batch", &["--no-checkpoint"]);
    assert_has(&overruled, "checkpoints = false");
}

#[test]
fn a_key_above_the_tables_is_no_other_option_of_that_name() {
    let desk = desk("content-layers = ['relu1_1']\nscratch = 'here'");
    assert_has(&printed(&desk, "reconstruct", &[]), "layer = [\"relu4_2\"]");
    assert_has(&print_config(&desk, &[]), "content-layers = [\"relu1_1\"]");
    for command in ["batch", "reconstruct"] {
        assert_has(&printed(&desk, command, &[]), "feature-cache = \"here\"");
    }
    let own = self::desk("[reconstruct]\ncontent-layers = ['relu1_1']");
    assert_has(&printed(&own, "reconstruct", &[]), "layer = [\"relu1_1\"]");
}

#[test]
fn defaults_outside_of_the_job_are_printed_too() {
    let config = print_config(&Desk::new(), &[]);
    for line in ["bit-depth = 8", "style-rotations = 1", "checkpoint-every = 60"] {
        assert_has(&config, line);
    }
    let sweep = |config: &str, args: &[&str]| printed(&desk(config), "sweep", args);
    for config in ["", "strength = 60", "[sweep]\nstrength = 60", "content-weight = 2"] {
        let printed = sweep(config, &[]);
        assert!(!printed.contains("\nstrength = ") && !printed.contains("content-weight = "), "{config}: {printed}");
    }
    assert_has(&sweep("strength = 60", &["--style-scales", "0.5,1"]), "strength = 60");
    assert_has(&sweep("", &["--strength", "60"]), "strength = 60");
}
