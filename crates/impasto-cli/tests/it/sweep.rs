//! Sweeps: contact sheets of single runs.

use crate::common::{Desk, HEIGHT, WIDTH, painting, text};
use image::{GenericImageView, RgbImage};
use serde_json::Value;

/// Width of a caption's letter, and what lies around the cells, in px.
const LETTER: u32 = 7;
const LINE: u32 = 16;
const GAP: u32 = 8;

fn sweep(desk: &Desk, args: &[&str]) -> (Value, RgbImage) {
    let all = [&["sweep", "content.png"], args, &["-o", "sheet.png", "-q", "--json", "--steps", "2"]].concat();
    let output = desk.output(&all);
    assert!(output.status.success(), "{all:?}: {}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "");
    let sheet = image::open(desk.path("sheet.png")).unwrap().into_rgb8();
    (serde_json::from_slice(&output.stdout).unwrap(), sheet)
}

#[test]
fn a_sheet_has_a_column_for_each_strength_and_a_row_for_each_style_scale() {
    let desk = Desk::new();
    let (json, sheet) = sweep(&desk, &["style.png", "--strengths", "10,90", "--style-scales", "0.5,1"]);
    // The photo and the style stand above, half as large; the style is square.
    let above = WIDTH / 2 + 2 + LINE + GAP;
    let (place, row) = ("scale 0.5, strength 10".len() as u32 * LETTER, HEIGHT + 2 + LINE + GAP);
    assert_eq!(sheet.dimensions(), (GAP + 2 * (place + GAP), GAP + above + 2 * row));
    assert_eq!(json["size"], Value::from(vec![sheet.width(), sheet.height()]));
    let cell = |i: u32| {
        let (x, y) = (GAP + i % 2 * (place + GAP) + 1, GAP + above + i / 2 * row + 1);
        sheet.view(x, y, WIDTH, HEIGHT).to_image()
    };
    let pictures = json["pictures"].as_array().unwrap();
    assert_eq!(pictures.len(), 4);
    for (i, (strength, scale)) in [("10", "0.5"), ("90", "0.5"), ("10", "1"), ("90", "1")].into_iter().enumerate() {
        let single = desk.transfer(&["--strength", strength, "--style-scale", scale]);
        for key in ["content_loss", "style_loss", "tv", "total_loss"] {
            assert_eq!(pictures[i][key], single.json[key], "{strength} {scale}: {key}");
        }
        let single = image::open(desk.path("out.png")).unwrap().into_rgb8();
        assert!(cell(i as u32) == single, "{strength} {scale}");
        assert!((0..i as u32).all(|other| cell(other) != single), "{strength} {scale}");
    }
}

#[test]
fn strengths_are_swept_where_nothing_is_said_and_styles_where_there_are_several() {
    let desk = Desk::new();
    let (json, _) = sweep(&desk, &["style.png"]);
    let strengths: Vec<f64> =
        json["pictures"].as_array().unwrap().iter().map(|picture| picture["strength"].as_f64().unwrap()).collect();
    assert_eq!((strengths, &json["columns"]), (vec![10.0, 30.0, 50.0, 70.0, 90.0], &5.into()));
    painting(60, 40).save(desk.path("other.png")).unwrap();
    let (json, _) = sweep(&desk, &["--style", "style.png", "other.png"]);
    let pictures = json["pictures"].as_array().unwrap();
    assert_eq!(
        pictures.iter().map(|picture| picture["style"].as_str().unwrap()).collect::<Vec<_>>(),
        ["style.png", "other.png"]
    );
    assert_ne!(pictures[0]["total_loss"], pictures[1]["total_loss"]);
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let desk = Desk::new();
    painting(60, 40).save(desk.path("other.png")).unwrap();
    let before = desk.files();
    for (args, words) in [
        ("style.png --strength 40", "nothing to vary"),
        ("style.png --objective paper", "nothing to vary"),
        ("style.png --objective paper --strengths 1,2", "dial of the balanced objective"),
        ("style.png --strengths 1,101", "a number from 0 to 100"),
        ("style.png --strengths 1,2 --content-weight 3", "cannot be used with"),
        ("--style style.png other.png --strengths 1,2 --style-scales 1,2", "not all three"),
        ("--style style.png other.png:2", "leave the weight out"),
        ("--style style.png -", "reads no styles"),
        ("style.png --size 10", "relu5_1 needs at least 16 px a side"),
    ] {
        let args: Vec<&str> = args.split(' ').collect();
        let output = desk.output(&[&["sweep", "content.png", "-o", "sheet.png"], &args[..]].concat());
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {message}");
        assert!(message.contains(words) && message.lines().count() == 1, "{args:?}: {message}");
        assert_eq!(desk.files(), before, "{args:?}");
    }
}

/// The picture would be the noise that it started from.
#[test]
fn a_start_that_no_step_improves_makes_no_sheet() {
    let desk = Desk::new();
    let weights = ["--objective", "paper", "--init", "noise", "--content-weight", "0", "--style-weight", "1e-60"];
    let sweep = ["sweep", "content.png", "style.png", "-o", "sheet.png", "--style-scales", "0.9,1", "--steps", "2"];
    let output = desk.output(&[&sweep[..], &weights].concat());
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("no step reduced the starting loss"), "{}", text(&output.stderr));
    assert!(!desk.path("sheet.png").exists());
}
