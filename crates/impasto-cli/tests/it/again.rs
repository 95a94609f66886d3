//! A picture holds its recipe, and can be made again from it.

use std::fs;

use crate::common::{Desk, pixels, text};
use serde_json::{Value, json};

fn ok(desk: &Desk, args: &[&str]) -> String {
    let output = desk.output(args);
    assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

fn refused(desk: &Desk, args: &[&str]) -> String {
    let output = desk.output(args);
    assert_eq!(output.status.code(), Some(2), "{args:?}");
    text(&output.stderr)
}

fn recipe(desk: &Desk, picture: &str) -> Value {
    serde_json::from_str(&ok(desk, &["recipe", picture])).unwrap()
}

/// A folder with `pictures/out.png`, made in two steps.
fn made() -> (Desk, Vec<u8>) {
    let desk = Desk::new();
    fs::create_dir(desk.path("pictures")).unwrap();
    fs::copy(desk.path("style.png"), desk.path("start.png")).unwrap();
    let args = ["-o", "pictures/out.png", "-q", "--steps", "2", "--strength", "70", "--init", "start.png"];
    ok(&desk, &[&["content.png", "style.png", "--save-every", "1"][..], &args].concat());
    let bytes = fs::read(desk.path("pictures/out.png")).unwrap();
    (desk, bytes)
}

/// Whether the recipe sets an option: `--strength=70`, `--tileable`.
fn has(recipe: &Value, argument: &str) -> bool {
    let (name, value) = argument.trim_start_matches("--").split_once('=').unwrap_or((&argument[2..], "true"));
    let found = match name {
        "init" => &recipe["inputs"]["init"],
        name => &recipe["options"][name],
    };
    match found {
        Value::String(text) => text == value,
        Value::Array(values) => {
            value.split(',').eq(values.iter().map(|v| v.to_string().trim_end_matches(".0").to_owned()))
        }
        Value::Number(number) => number.as_f64() == value.parse().ok(),
        other => *other == (value == "true"),
    }
}

/// What each input of a recipe is, and its path.
fn inputs(recipe: &Value) -> Vec<(String, String)> {
    let inputs = &recipe["inputs"];
    let mut found = Vec::new();
    let mut add = |role: &str, file: &Value| {
        if let Some(path) = file["path"].as_str() {
            assert_eq!(file["sha256"].as_str().unwrap().len(), 64, "{file}");
            found.push((role.to_owned(), path.to_owned()));
        }
    };
    add("content", &inputs["content"]);
    for style in inputs["styles"].as_array().into_iter().flatten() {
        add("style", &style["file"]);
        add("style mask", &style["mask"]);
    }
    ["mask", "keep", "init", "weights"].iter().for_each(|role| add(role, &inputs[*role]));
    found
}

fn pairs<const N: usize>(pairs: [[&str; 2]; N]) -> Vec<(String, String)> {
    pairs.into_iter().map(|[role, path]| (role.to_owned(), path.to_owned())).collect()
}

#[test]
fn a_recipe_has_every_option_and_every_input() {
    let (desk, _) = made();
    let recipe = recipe(&desk, "pictures/out.png");
    for argument in ["--strength=70", "--steps=2", "--colors=style", "--seed=0", "--scales=auto", "--tv-weight=0.03"] {
        assert!(has(&recipe, argument), "{argument}: {recipe}");
    }
    assert_eq!(recipe["made"]["size"], json!([48, 36]));
    let wanted = [["content", "../content.png"], ["style", "../style.png"], ["init", "../start.png"]];
    assert_eq!(inputs(&recipe), pairs(wanted));
    let text = recipe.to_string();
    assert!(!text.contains("quiet") && !text.contains("out.png") && !text.contains("save-every"), "{text}");
    for without in ["content.png", "pictures/out-0001.png"] {
        assert!(refused(&desk, &["recipe", without]).contains(&format!("{without} holds no recipe")));
    }
}

#[test]
fn again_makes_the_same_picture_under_another_name() {
    let (desk, wanted) = made();
    fs::write(desk.path("impasto.toml"), "strength = 5").unwrap();
    for name in ["pictures/out-again.png", "pictures/out-again-2.png"] {
        ok(&desk, &["again", "pictures/out.png", "-q"]);
        assert!(fs::read(desk.path(name)).unwrap() == wanted, "{name}");
    }
    assert!(fs::read(desk.path("pictures/out.png")).unwrap() == wanted);
}

#[test]
fn changes_overrule_the_recipe() {
    let (desk, _) = made();
    let args = ["--content-weight", "3", "--init", "content", "--colors", "matched", "--objective", "paper"];
    ok(&desk, &[&["again", "pictures/out.png", "-q", "-o", "new.png", "--steps", "1"][..], &args].concat());
    let recipe = recipe(&desk, "new.png");
    for argument in ["--content-weight=3", "--init=content", "--colors=matched", "--style-loss=gram", "--steps=1"] {
        assert!(has(&recipe, argument), "{argument}: {recipe}");
    }
    assert_eq!(recipe["options"].get("strength"), None, "{recipe}");
    assert_eq!(inputs(&recipe).len(), 2);
}

#[test]
fn inputs_must_be_what_they_were() {
    let (desk, made) = made();
    let again = ["again", "pictures/out.png", "-q", "-o", "new.png"];
    fs::copy(desk.path("content.png"), desk.path("style.png")).unwrap();
    let error = refused(&desk, &again);
    assert!(error.contains("style.png (style) has changed since pictures/out.png was made from it"), "{error}");
    assert!(!desk.path("new.png").exists());
    ok(&desk, &[&again[..], &["--changed-inputs"]].concat());
    assert_ne!(fs::read(desk.path("new.png")).unwrap(), made);
    fs::remove_file(desk.path("style.png")).unwrap();
    let error = refused(&desk, &[&again[..], &["--changed-inputs"]].concat());
    assert!(
        error.contains("style.png (style), which is missing, and style.png is neither in the current folder"),
        "{error}"
    );
    let error = refused(&desk, &["again", "pictures/out.png", "-o", "content.png", "--init", "content"]);
    assert!(error.contains("style.png"), "{error}");
}

#[test]
fn styles_with_weights_and_masks_are_remembered() {
    let desk = Desk::new();
    fs::copy(desk.path("content.png"), desk.path("other.png")).unwrap();
    let styles =
        ["content.png", "--style", "style.png:2", "--style", "other.png", "-o", "out.png", "-q", "--steps", "2"];
    let masks = ["--style-mask", "none", "--style-mask", "content.png", "--style-crop", "10%,0%,80%,100%"];
    ok(&desk, &[&styles[..], &masks].concat());
    let wanted = fs::read(desk.path("out.png")).unwrap();
    ok(&desk, &["again", "out.png", "-q"]);
    assert!(fs::read(desk.path("out-again.png")).unwrap() == wanted);

    let recipe = recipe(&desk, "out.png");
    let wanted =
        [["content", "content.png"], ["style", "style.png"], ["style", "other.png"], ["style mask", "content.png"]];
    assert_eq!(inputs(&recipe), pairs(wanted));
    let styles = &recipe["inputs"]["styles"];
    assert_eq!((&styles[0]["weight"], styles[0].get("mask")), (&json!(2), None));
    assert_eq!((&styles[0]["look"]["crop"], &styles[1]["look"]["crop"]), (&json!("10%,0%,80%,100%"), &Value::Null));

    // One style in place of both.
    ok(&desk, &["again", "out.png", "-q", "-o", "one.png", "--style", "style.png", "--style-mask", "none"]);
    let one = self::recipe(&desk, "one.png");
    assert_eq!(inputs(&one).len(), 2, "{one}");
}

#[test]
fn pictures_of_other_commands_are_made_again_by_them() {
    let desk = Desk::new();
    for (line, argument, input) in [
        ("texture style.png --size 32x16 --tileable --seed 3 --steps 2", "--size=32x16", ["style", "style.png"]),
        ("reconstruct content.png --layer relu2_1 --init grey --steps 2", "--init=grey", ["content", "content.png"]),
        ("sweep content.png style.png --strengths 20,80 --steps 1", "--strengths=20,80", ["content", "content.png"]),
        ("sweep content.png style.png --steps 1", "--strengths=10,30,50,70,90", ["style", "style.png"]),
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        ok(&desk, &[&words[..], &["-o", "made.png", "-q"]].concat());
        let recipe = recipe(&desk, "made.png");
        assert_eq!(recipe["kind"], words[0]);
        assert!(has(&recipe, argument), "{line}: {recipe}");
        assert!(inputs(&recipe).contains(&pairs([input])[0]), "{line}: {recipe}");
        ok(&desk, &["again", "made.png", "-q", "-o", "once-more.png"]);
        assert!(pixels(&desk.path("made.png")) == pixels(&desk.path("once-more.png")), "{line}");
    }
}

#[test]
fn what_made_the_picture_says_which_changes_there_are() {
    let desk = Desk::new();
    ok(&desk, &["texture", "style.png", "--size", "32", "--steps", "1", "-o", "t.png", "-q"]);
    ok(&desk, &["again", "--tileable", "t.png", "-q", "--size", "48x32", "-o", "new.png"]);
    let new = recipe(&desk, "new.png");
    assert!(has(&new, "--tileable") && has(&new, "--size=48x32") && !has(&new, "--size=32"), "{new}");
    let error = refused(&desk, &["again", "t.png", "--strength", "30"]);
    assert!(error.contains("--strength does not go with a texture; leave it out"), "{error}");
    let (desk, _) = made();
    let error = refused(&desk, &["again", "pictures/out.png", "--tileable"]);
    assert!(error.contains("--tileable does not go with a transfer; leave it out"), "{error}");
    assert!(refused(&desk, &["again", "content.png"]).contains("content.png holds no recipe"));
}

#[test]
fn a_picture_of_a_batch_is_made_again_alone() {
    let desk = Desk::new();
    fs::copy(desk.path("content.png"), desk.path("other.png")).unwrap();
    let styles = ["--style", "style.png", "other.png", "--style-mask", "none", "--style-mask", "content.png"];
    let look = ["--style-crop", "0%,0%,90%,100%", "--strength", "70", "--steps", "2", "-q", "-o", "made"];
    ok(&desk, &[&["batch", "content.png", "other.png"][..], &styles, &look].concat());
    for (name, crops, masks) in [("content-style", true, "none"), ("other-other", false, "../content.png")] {
        let name = format!("made/{name}.png");
        let recipe = recipe(&desk, &name);
        assert!(recipe["kind"] == "transfer" && has(&recipe, "--strength=70"), "{recipe}");
        let style = &recipe["inputs"]["styles"][0];
        assert_eq!(style["look"]["crop"].is_string(), crops, "{recipe}");
        assert_eq!(style.get("mask").map_or("none", |mask| mask["path"].as_str().unwrap()), masks, "{recipe}");
        ok(&desk, &["again", &name, "-q", "-o", "once-more.png"]);
        assert!(pixels(&desk.path("once-more.png")) == pixels(&desk.path(&name)), "{name}");
    }
}

#[test]
fn no_recipe_is_noted_where_none_is_wanted() {
    let desk = Desk::new();
    for line in [
        "content.png style.png -o made.png",
        "texture style.png --size 32 -o made.png",
        "reconstruct content.png --layer relu1_1 -o made.png",
        "sweep content.png style.png --strengths 1,2 -o made.png",
        "batch content.png --style style.png -o .",
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        ok(&desk, &[&words[..], &["--no-recipe", "--steps", "1", "-q"]].concat());
        let name = if words[0] == "batch" { "content-style.png" } else { "made.png" };
        assert!(refused(&desk, &["recipe", name]).contains("unless --no-recipe was given"), "{line}");
        let bytes = fs::read(desk.path(name)).unwrap();
        assert!(!bytes.windows(9).any(|window| window == b"style.png"), "{line}");
    }
}

#[test]
fn a_reconstruction_calls_its_layers_as_its_command_does() {
    let desk = Desk::new();
    ok(&desk, &["reconstruct", "content.png", "--layer", "relu1_1", "--steps", "1", "-o", "r.png", "-q"]);
    ok(&desk, &["again", "r.png", "--layer", "relu2_1", "-q", "-o", "new.png"]);
    assert_eq!(recipe(&desk, "new.png")["options"]["content-layers"], json!(["relu2_1"]));
    let error = refused(&desk, &["again", "r.png", "--style", "style.png"]);
    assert_eq!(error, "impasto: --style does not go with a reconstruct; leave it out\n");
}

#[test]
fn new_styles_are_turned_as_the_old_ones_were() {
    let desk = Desk::new();
    let line = ["content.png", "style.png", "-o", "out.png", "-q", "--steps", "1"];
    let look = ["--style-rotations", "2", "--style-crop", "0%,0%,90%,100%"];
    ok(&desk, &[&line[..], &look].concat());
    fs::copy(desk.path("content.png"), desk.path("other.png")).unwrap();
    for (args, rotations) in [(&[][..], json!(2)), (&["--style-rotations", "4"], json!(4))] {
        ok(&desk, &[&["again", "out.png", "-q", "-o", "new.png", "--style", "other.png"], args].concat());
        // The rectangle was one of the old picture.
        let look = &recipe(&desk, "new.png")["inputs"]["styles"][0]["look"];
        assert_eq!((&look["rotations"], &look["crop"]), (&rotations, &Value::Null), "{args:?}");
    }
}

#[test]
fn a_texture_is_made_again_from_another_style() {
    let desk = Desk::new();
    ok(&desk, &["texture", "style.png", "--size", "32", "--steps", "1", "-o", "t.png", "-q"]);
    ok(&desk, &["again", "t.png", "--style", "content.png", "-q", "-o", "new.png"]);
    assert_eq!(inputs(&recipe(&desk, "new.png")), pairs([["style", "content.png"]]));
    let error = refused(&desk, &["again", "t.png", "--resume"]);
    assert_eq!(error, "impasto: --resume does not go with a texture; leave it out\n");
}

/// A desk with `a/content.png`, `a/style.png` and `a/out.png`, made of them in `a`, and the bytes
/// of the picture's pixels.
fn made_in_a() -> (Desk, Vec<u8>) {
    let desk = Desk::new();
    for folder in ["a", "b", "c"] {
        fs::create_dir(desk.path(folder)).unwrap();
    }
    for name in ["content.png", "style.png"] {
        fs::rename(desk.path(name), desk.path("a").join(name)).unwrap();
    }
    let line = ["content.png", "style.png", "-o", "out.png", "-q", "--steps", "2"];
    let output = desk.command(&line).current_dir(desk.path("a")).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let pixels = pixels(&desk.path("a/out.png"));
    (desk, pixels)
}

/// Runs `again` in a folder of the desk. Returns what it says.
fn again_in(desk: &Desk, folder: &str, picture: &str) -> String {
    let again = ["again", picture, "-o", "new.png"];
    let output = desk.command(&again).current_dir(desk.path(folder)).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stderr)
}

#[test]
fn inputs_are_found_where_they_were_left() {
    let (desk, wanted) = made_in_a();
    fs::rename(desk.path("a/out.png"), desk.path("b/out.png")).unwrap();
    // From the picture's new folder, and from one that knows neither.
    for (folder, picture) in [("b", "out.png"), ("c", "../b/out.png"), ("a", "../b/out.png")] {
        let said = again_in(&desk, folder, picture);
        assert!(pixels(&desk.path(folder).join("new.png")) == wanted, "{folder}");
        let taken = desk.path("a/content.png").canonicalize().unwrap();
        let beside = std::path::Path::new(picture).with_file_name("content.png");
        let line = format!("{}: taken as the content, in place of {}\n", taken.display(), beside.display());
        assert!(said.contains(&line), "{said}");
    }
    let quiet = ["again", "b/out.png", "-q", "-o", "new.png"];
    assert_eq!(text(&desk.output(&quiet).stderr), "");
}

#[test]
fn inputs_are_found_in_the_current_folder_and_beside_the_picture_by_their_checksums() {
    let (desk, wanted) = made_in_a();
    for (from, to) in [("a/out.png", "b/out.png"), ("a/content.png", "b/content.png"), ("a/style.png", "c/style.png")] {
        fs::rename(desk.path(from), desk.path(to)).unwrap();
    }
    // Another file of the name does not stand in the way.
    fs::copy(desk.path("b/content.png"), desk.path("a/style.png")).unwrap();
    let said = again_in(&desk, "c", "../b/out.png");
    assert!(pixels(&desk.path("c/new.png")) == wanted);
    assert!(said.contains("style.png: taken as the style, in place of ../b/style.png\n"), "{said}");
    assert!(!said.contains("as the content"), "{said}");
    // Beside the picture, though that was never the place.
    fs::rename(desk.path("b/content.png"), desk.path("a/content.png")).unwrap();
    fs::create_dir(desk.path("pictures")).unwrap();
    let line = ["a/content.png", "c/style.png", "-o", "pictures/out.png", "-q", "--steps", "2"];
    ok(&desk, &line);
    fs::rename(desk.path("a/content.png"), desk.path("pictures/content.png")).unwrap();
    again_in(&desk, "c", "../pictures/out.png");
    assert!(pixels(&desk.path("c/new.png")) == wanted);

    // Nowhere, and nowhere as it was.
    fs::remove_file(desk.path("pictures/content.png")).unwrap();
    let error = refused(&desk, &["again", "pictures/out.png"]);
    assert_eq!(
        error,
        "impasto: pictures/out.png was made from pictures/../a/content.png (content), which is missing, and content.png is \
         neither in the current folder nor beside the picture; restore it, or give the file with --content\n"
    );
    fs::copy(desk.path("c/style.png"), desk.path("content.png")).unwrap();
    let error = refused(&desk, &["again", "pictures/out.png"]);
    assert!(error.starts_with("impasto: content.png (content) has changed since pictures/out.png was made"), "{error}");
    ok(&desk, &["again", "pictures/out.png", "-q", "--changed-inputs"]);
}

#[test]
fn another_content_can_be_given() {
    let (desk, _) = made();
    fs::rename(desk.path("content.png"), desk.path("moved.png")).unwrap();
    let again = ["again", "pictures/out.png", "-q", "-o", "new.png", "--content"];
    ok(&desk, &[&again[..], &["moved.png"]].concat());
    assert!(pixels(&desk.path("new.png")) == pixels(&desk.path("pictures/out.png")));
    assert_eq!(inputs(&recipe(&desk, "new.png"))[0].1, "moved.png");
    ok(&desk, &[&again[..], &["style.png"]].concat());
    assert_eq!(crate::common::size(&desk.path("new.png")), (40, 40));
    ok(&desk, &["texture", "style.png", "--size", "32", "--steps", "1", "-o", "t.png", "-q"]);
    let error = refused(&desk, &["again", "t.png", "--content", "moved.png"]);
    assert_eq!(error, "impasto: --content does not go with a texture; leave it out\n");
}

#[test]
fn a_recipe_does_not_tell_the_name_of_the_home_folder() {
    let desk = Desk::new();
    fs::create_dir_all(desk.path("home/ada/pictures")).unwrap();
    let run = |folder: &str, home: &str, args: &[&str]| {
        let output = desk.command(args).current_dir(desk.path(folder)).env("HOME", desk.path(home)).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
    };
    for name in ["content.png", "style.png"] {
        fs::copy(desk.path(name), desk.path("home/ada/pictures").join(name)).unwrap();
    }
    let line = ["content.png", "style.png", "-o", "out.png", "-q", "--steps", "1"];
    run("home/ada/pictures", "home/ada", &line);
    let recipe = recipe(&desk, "home/ada/pictures/out.png");
    assert_eq!(recipe["made"]["folder"], "~/pictures");
    assert!(!recipe.to_string().contains("ada"), "{recipe}");
    // The home folder may be called otherwise now.
    fs::rename(desk.path("home/ada/pictures/out.png"), desk.path("out.png")).unwrap();
    for name in ["content.png", "style.png"] {
        fs::remove_file(desk.path(name)).unwrap();
    }
    fs::rename(desk.path("home/ada"), desk.path("home/bob")).unwrap();
    run("", "home/bob", &["again", "out.png", "-q", "-o", "new.png"]);
    assert!(pixels(&desk.path("new.png")) == pixels(&desk.path("out.png")));
}
