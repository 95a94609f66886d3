//! `impasto measure`.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use std::path::Path;

use common::{Desk, HEIGHT, WIDTH, number, painting, photo, sum, text};
use serde_json::{Value, json};

#[test]
fn the_content_itself_has_no_content_loss() {
    let desk = Desk::new();
    let found = desk.measure(&["content.png", "--content", "content.png", "--style", "style.png"]);
    assert_eq!(found["size"], json!([WIDTH, HEIGHT]));
    assert_eq!(number(&found["content_loss"]), 0.0);
    assert_eq!(number(&found["gradient_norm"]["content"]), 0.0);
    assert!(number(&found["style_loss"]["relu4_1"]) > 0.0);
    assert!(number(&found["gradient_norm"]["style"]) > 0.0);
    assert!(number(&found["gradient_norm"]["tv"]) > 0.0);
}

#[test]
fn the_style_itself_has_no_style_loss() {
    let desk = Desk::new();
    let found = desk.measure(&["style.png", "--content", "content.png", "--style", "style.png"]);
    assert_eq!(found["size"], json!([40, 40]));
    assert_eq!(sum(&found["style_loss"]), 0.0);
    assert_eq!(number(&found["gradient_norm"]["style"]), 0.0);
    assert!(number(&found["content_loss"]) > 0.0);
}

#[test]
fn total_variation_is_the_papers() {
    let desk = Desk::new();
    let found = desk.measure(&["content.png", "--content", "content.png", "--style", "style.png"]);
    let picture = photo(WIDTH, HEIGHT);
    let mut squares = 0.0;
    for (x, y, pixel) in picture.enumerate_pixels() {
        let neighbours = [picture.get_pixel_checked(x + 1, y), picture.get_pixel_checked(x, y + 1)];
        for neighbour in neighbours.into_iter().flatten() {
            for channel in 0..3 {
                squares += (f64::from(neighbour[channel]) - f64::from(pixel[channel])).powi(2);
            }
        }
    }
    let expected = squares / f64::from(3 * WIDTH * HEIGHT);
    let tv = number(&found["tv"]);
    assert!((tv - expected).abs() < 1e-6 * expected, "{tv} is not {expected}");
}

/// The library's golden files hold float64 references made outside this program.
#[test]
fn numbers_agree_with_the_references() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../impasto/tests/golden");
    let references: Value = serde_json::from_slice(&std::fs::read(golden.join("golden.json")).unwrap()).unwrap();
    let desk = Desk::new();
    for (name, by_pooling) in references.as_object().unwrap() {
        let file = |role: &str| golden.join(format!("{name}.{role}.png")).to_str().unwrap().to_owned();
        let (picture, content, style) = (file("x"), file("content"), file("style"));
        for pooling in ["max", "avg"] {
            let reference = &by_pooling[pooling];
            let args = [&picture, "--content", &content, "--style", &style, "--pooling", pooling];
            let found = desk.measure(&args);
            let mut pairs = vec![(&found["content_loss"], &reference["content_loss"]["relu4_2"])];
            pairs.push((&found["tv"], &reference["tv"]));
            for (layer, expected) in reference["style_loss"].as_object().unwrap() {
                pairs.push((&found["style_loss"][layer], expected));
            }
            for term in ["content", "style", "tv"] {
                pairs.push((&found["gradient_norm"][term], &reference["grad_l2"][term]));
            }
            for (found, expected) in pairs {
                let error = (number(found) / number(expected) - 1.0).abs();
                assert!(error < 1e-4, "{name}, {pooling}: {found} is not {expected}");
            }
        }
    }
}

#[test]
fn a_result_measures_as_its_run_reported() {
    let desk = Desk::new();
    // Measured are the paper's losses, without what the network sees beyond the border.
    let run = desk.transfer(&["--steps", "3", "--objective", "paper"]).json;
    let found = desk.measure(&["out.png", "--content", "content.png", "--style", "style.png", "--style-size", "48"]);
    // The file holds whole numbers, the run went on with fractions.
    for (found, reported) in [
        (number(&found["content_loss"]), number(&run["content_loss"])),
        (sum(&found["style_loss"]), sum(&run["style_loss"])),
        (number(&found["tv"]), number(&run["tv"])),
    ] {
        assert!((found / reported - 1.0).abs() < 0.05, "{found} is far from {reported}");
    }
}

#[test]
fn sizes_may_differ() {
    let desk = Desk::new();
    photo(2 * WIDTH, 2 * HEIGHT).save(desk.path("large.png")).unwrap();
    let same = desk.measure(&["content.png", "--content", "large.png", "--style", "style.png"]);
    assert_eq!(same["size"], json!([WIDTH, HEIGHT]));
    let other = desk.measure(&["content.png", "--content", "style.png", "--style", "style.png"]);
    assert!(number(&same["content_loss"]) < 0.5 * number(&other["content_loss"]));

    let scaled =
        desk.measure(&["content.png", "--content", "content.png", "--style", "style.png", "--style-size", "20"]);
    let own = desk.measure(&["content.png", "--content", "content.png", "--style", "style.png"]);
    assert_ne!(scaled["style_loss"], own["style_loss"]);
    let named =
        desk.measure(&["content.png", "--content", "content.png", "--style", "style.png", "--style-size", "40"]);
    assert_eq!(named["style_loss"], own["style_loss"]);
}

#[test]
fn layers_and_pooling_are_chosen() {
    let desk = Desk::new();
    painting(WIDTH, HEIGHT).save(desk.path("picture.png")).unwrap();
    let files = ["picture.png", "--content", "content.png", "--style", "style.png"];
    let with = |args: &[&str]| desk.measure(&[&files, args].concat());
    let max = with(&[]);
    let found = with(&["--content-layers", "conv4_2:2,relu1_2", "--style-layers", "relu3_4:5"]);
    assert_eq!(found["style_loss"].as_object().unwrap().keys().collect::<Vec<_>>(), ["relu3_4"]);
    let by_layer = &found["content_loss_by_layer"];
    let sum = 2.0 * number(&by_layer["conv4_2"]) + number(&by_layer["relu1_2"]);
    assert!((number(&found["content_loss"]) / sum - 1.0).abs() < 1e-12);
    assert_ne!(with(&["--pooling", "avg"])["style_loss"]["relu4_1"], max["style_loss"]["relu4_1"]);
    assert_eq!(with(&["--threads", "1"]), max);
    assert_eq!(with(&["--weights", common::WEIGHTS]), max);
}

#[test]
fn the_table_is_for_people() {
    let desk = Desk::new();
    let output = desk.output(&["measure", "content.png", "--content", "content.png", "--style", "style.png"]);
    let table = text(&output.stdout);
    assert!(output.status.success() && output.stderr.is_empty());
    assert!(table.starts_with("content.png: 48x36 px\n  content        relu4_2  "), "{table}");
    let widths: Vec<usize> = table.lines().skip(1).map(str::len).collect();
    assert!(widths.windows(2).all(|pair| pair[0] == pair[1]), "{table}");
}
