//! Commands that are mistyped or not finished, lists with spaces, and sizes that would do.

use crate::common::{Desk, painting, photo, text};

fn ok(desk: &Desk, args: &[&str]) -> String {
    let output = desk.output(args);
    assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

fn refused(desk: &Desk, args: &[&str]) -> String {
    let output = desk.output(args);
    assert_eq!(output.status.code(), Some(2), "{args:?}: {}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "", "{args:?}");
    text(&output.stderr)
}

fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

#[test]
fn help_is_a_command() {
    let desk = Desk::new();
    assert_eq!(ok(&desk, &["help"]), ok(&desk, &["--help"]));
    for command in [&["batch"][..], &["style"], &["style", "save"]] {
        let asked = ok(&desk, &[&["help"], command].concat());
        assert_eq!(asked, ok(&desk, &[command, &["--help"]].concat()));
    }
    assert_eq!(refused(&desk, &["help", "batc"]), "impasto: unrecognized subcommand 'batc'\n");
}

#[test]
fn a_group_of_commands_alone_shows_its_help() {
    let desk = Desk::new();
    let help = refused(&desk, &["style"]);
    assert!(help.contains("Usage: impasto style <COMMAND>") && help.contains("  save "), "{help}");
    let error = refused(&desk, &["style", "sav", "style.png"]);
    assert_eq!(error, "impasto: unrecognized subcommand 'sav'; a similar subcommand exists: 'save'\n");
}

#[test]
fn a_mistyped_command_is_told_which_was_meant() {
    let desk = Desk::new();
    for (line, meant) in [
        ("batc content.png --style style.png -o made", "batch"),
        ("batc content.png other.png --style style.png -o made", "batch"),
        ("swep content.png style.png -o sheet.png", "sweep"),
        ("resme out.png.checkpoint", "resume"),
        ("benhc", "bench"),
        ("textur style.png -o t.png", "texture"),
    ] {
        let error = refused(&desk, &words(line));
        let word = line.split(' ').next().unwrap();
        assert_eq!(error, format!("impasto: there is no command or file `{word}`; did you mean `impasto {meant}`?\n"));
    }
    // A file of that name is a photo.
    photo(48, 36).save(desk.path("batc.png")).unwrap();
    std::fs::rename(desk.path("batc.png"), desk.path("batc")).unwrap();
    ok(&desk, &words("batc style.png -o out.png --steps 1 -q"));
}

#[test]
fn lists_may_have_spaces() {
    let desk = Desk::new();
    for (args, plain) in [
        (&["sweep", "content.png", "style.png", "--strengths", "10, 20"][..], "10,20"),
        (&["sweep", "content.png", "style.png", "--style-scales", " 0.5 ,1 "], "0.5,1"),
        (&["content.png", "style.png", "--style-layers", "relu1_1, relu2_1:0.5"], "relu1_1,relu2_1:0.5"),
        (&["content.png", "style.png", "--content-layers", "relu1_1 , relu2_1:0.5"], "relu1_1,relu2_1:0.5"),
        (&["content.png", "style.png", "--style-crop", "10%, 0%, 80%, 100%"], "10%,0%,80%,100%"),
    ] {
        let (last, rest) = args.split_last().unwrap();
        let job = |value: &str| ok(&desk, &[rest, &[value, "-o", "out.png", "--dry-run"]].concat());
        assert_eq!(job(last), job(plain), "{args:?}");
        // A configuration file has the same lists.
        let (option, rest) = rest.split_last().unwrap();
        let option = option.trim_start_matches("--");
        for value in [format!("\"{last}\""), format!("\"{plain}\"")] {
            std::fs::write(desk.path("impasto.toml"), format!("{option} = {value}\n")).unwrap();
            assert_eq!(ok(&desk, &[rest, &["-o", "out.png", "--dry-run"]].concat()), job(plain), "{args:?}");
        }
        std::fs::remove_file(desk.path("impasto.toml")).unwrap();
    }
    ok(&desk, &["inspect", "content.png", "--layer", "relu1_1, relu2_1", "--maps", "1", "-q", "-o", "sheet.png"]);
    ok(
        &desk,
        &["style", "save", "style.png", "--style-layers", "relu1_1, relu2_1", "--size", "32", "-o", "s.impasto-style"],
    );
    ok(&desk, &["bench", "--size", "32, 48x32 ", "--runs", "1"]);
    let layers = ["--style-layers", "relu1_1, relu2_1", "--content-layers", "relu1_1, relu2_1"];
    ok(&desk, &[&["measure", "content.png", "--content", "content.png", "--style", "style.png"][..], &layers].concat());
}

/// The size that a message says would do.
fn size_that_would_do(error: &str, option: &str) -> String {
    let (_, rest) = error.split_once(&format!("{option} of at least ")).unwrap_or_else(|| panic!("{error}"));
    rest.split(|c: char| c.is_whitespace() || c == ',').next().unwrap().to_owned()
}

#[test]
fn an_elongated_picture_is_told_which_size_would_do() {
    let desk = Desk::new();
    photo(1000, 20).save(desk.path("wide.png")).unwrap();
    photo(10, 400).save(desk.path("thin.png")).unwrap();
    painting(1000, 24).save(desk.path("strip.png")).unwrap();
    fn run<'a>(line: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        [&words(line)[..], more, &["--steps", "1", "--scales", "1", "-q"]].concat()
    }

    let error = refused(&desk, &run("wide.png style.png -o out.png", &[]));
    assert_eq!(
        error,
        "impasto: wide.png is 512x10 px at --size 512; relu5_1 needs at least 16 px a side; choose a --size of at least 775\n"
    );
    let error = refused(&desk, &run("wide.png style.png -o out.png --size 774", &[]));
    assert_eq!(size_that_would_do(&error, "--size"), "775");
    ok(&desk, &run("wide.png --style style.png --style-weight 0 -o out.png --size 775", &[]));

    // No size that does not enlarge it would do.
    let error = refused(&desk, &run("thin.png style.png -o out.png --size original", &[]));
    assert_eq!(
        error,
        "impasto: thin.png is 10x400 px; relu5_1 needs at least 16 px a side; take a larger picture, or add --upscale with a \
         --size of at least 620\n"
    );
    let error = refused(&desk, &run("thin.png style.png -o out.png --size 500 --upscale", &[]));
    assert_eq!(size_that_would_do(&error, "--size"), "620");
    ok(&desk, &run("thin.png style.png --style-weight 0 -o out.png --size 620 --upscale", &[]));

    let reconstruct = "reconstruct wide.png --layer relu4_2 -o out.png --size 100";
    let error = refused(&desk, &[&words(reconstruct)[..], &["--steps", "1", "-q"]].concat());
    assert_eq!(size_that_would_do(&error, "--size"), "375");
    let error = refused(&desk, &words("reconstruct thin.png --layer relu5_1 -o out.png --steps 1 -q"));
    assert!(error.contains("; no --size makes it larger than it is, so take a larger picture"), "{error}");
    let error = refused(&desk, &words("inspect wide.png --layer relu5_1 -o out.png"));
    assert_eq!(size_that_would_do(&error, "--size"), "775");
    let error = refused(&desk, &words("texture strip.png -o out.png --style-size 64"));
    assert_eq!(size_that_would_do(&error, "--style-size"), "142");
    let error = refused(&desk, &words("measure style.png --content style.png --style strip.png --style-size 64"));
    assert_eq!(size_that_would_do(&error, "--style-size"), "142");
    let save = "style save strip.png -o s.impasto-style --size 100";
    let error = refused(&desk, &words(save));
    let factor = size_that_would_do(&error, "--style-scale");
    ok(&desk, &[&words(save)[..], &["--style-scale", &factor]].concat());
}
