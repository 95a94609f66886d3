//! A picture holds its recipe, and can be made again from it.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use std::fs;

use common::{Desk, text};
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

fn has(recipe: &Value, argument: &str) -> bool {
    recipe["arguments"].as_array().unwrap().contains(&json!(argument))
}

#[test]
fn a_recipe_has_every_option_and_every_input() {
    let (desk, _) = made();
    let recipe = recipe(&desk, "pictures/out.png");
    for argument in ["--strength=70", "--steps=2", "--colors=style", "--seed=0", "--scales=auto", "--tv-weight=0.03"] {
        assert!(has(&recipe, argument), "{argument}: {recipe}");
    }
    assert_eq!(recipe["size"], json!([48, 36]));
    let inputs = recipe["inputs"].as_array().unwrap();
    let names = inputs.iter().map(|input| (input["role"].as_str().unwrap(), input["path"].as_str().unwrap()));
    let wanted = [("content", "../content.png"), ("style", "../style.png"), ("init", "../start.png")];
    assert_eq!(names.collect::<Vec<_>>(), wanted);
    assert!(inputs.iter().all(|input| input["sha256"].as_str().unwrap().len() == 64));
    let text = recipe.to_string();
    assert!(!text.contains("quiet") && !text.contains("output"), "{text}");
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
    assert!(!recipe["arguments"].to_string().contains("--strength"), "{recipe}");
    assert_eq!(recipe["inputs"].as_array().unwrap().len(), 2);
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
    assert!(error.contains("style.png (style), which is not there; put it back"), "{error}");
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
    let inputs = recipe["inputs"].as_array().unwrap().iter();
    let names: Vec<_> = inputs.map(|i| [i["role"].as_str().unwrap(), i["path"].as_str().unwrap()]).collect();
    let wanted = [
        ["content", "content.png"],
        ["style", "style.png"],
        ["style", "other.png"],
        ["style-mask", "none"],
        ["style-mask", "content.png"],
    ];
    assert_eq!(names, wanted);
    assert_eq!((&recipe["inputs"][1]["weight"], &recipe["inputs"][3]["sha256"]), (&json!(2.0), &Value::Null));

    // One style in place of both.
    ok(&desk, &["again", "out.png", "-q", "-o", "one.png", "--style", "style.png", "--style-mask", "none"]);
    let inputs = self::recipe(&desk, "one.png")["inputs"].clone();
    assert_eq!(inputs.as_array().unwrap().len(), 2, "{inputs}");
}
