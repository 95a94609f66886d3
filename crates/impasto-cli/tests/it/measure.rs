//! `impasto measure`.

use std::path::Path;

use crate::common::{Desk, HEIGHT, WIDTH, number, painting, photo, sum, text};
use image::{GrayImage, Luma, Rgb, RgbImage, Rgba, RgbaImage};
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

/// A desk with a second style, masks, a content with transparent parts and a style file.
fn desk_with_all() -> Desk {
    let desk = Desk::new();
    let checks = |x: u32, y: u32| if (x / 3 + y / 4).is_multiple_of(2) { [20, 120, 60] } else { [230, 220, 240] };
    RgbImage::from_fn(40, 40, |x, y| Rgb(checks(x, y))).save(desk.path("other.png")).unwrap();
    GrayImage::from_fn(WIDTH, HEIGHT, |x, _| Luma([(255 * x / WIDTH) as u8])).save(desk.path("soft.png")).unwrap();
    GrayImage::from_fn(WIDTH, HEIGHT, |_, y| Luma([(2 * y) as u8])).save(desk.path("faint.png")).unwrap();
    GrayImage::from_fn(40, 40, |x, _| Luma([if x < 16 { 255 } else { 0 }])).save(desk.path("part.png")).unwrap();
    let photo = photo(WIDTH, HEIGHT);
    // What cannot be seen at all has no colour in a file.
    let opacity = |x: u32| if x < 20 { 130 } else { 255 };
    RgbaImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let [r, g, b] = photo.get_pixel(x, y).0;
        Rgba([r, g, b, opacity(x)])
    })
    .save(desk.path("pale.png"))
    .unwrap();
    let save = ["style", "save", "other.png", "-o", "other.impasto-style", "--size", "48"];
    assert!(desk.output(&save).status.success());
    desk
}

#[test]
#[ignore = "twelve runs and their measurements: 15 seconds"]
fn a_result_measures_as_its_run_reported() {
    let desk = desk_with_all();
    let (one, two) = (["--style", "style.png"], ["--style", "style.png", "--style", "other.png"]);
    let file = ["--style", "other.impasto-style", "--objective", "balanced"];
    for (content, args) in [
        ("content.png", one.to_vec()),
        ("content.png", [&one[..], &["--objective", "balanced"]].concat()),
        ("content.png", [&one[..], &["--style-loss", "moments", "--padding", "replicate"]].concat()),
        ("content.png", [&one[..], &["--style-mask", "part.png"]].concat()),
        ("content.png", [&one[..], &["--style-crop", "0,0,24,40", "--style-rotations", "4"]].concat()),
        ("content.png", [&one[..], &["--mask", "soft.png"]].concat()),
        ("content.png", [&one[..], &["--keep", "soft.png"]].concat()),
        ("pale.png", one.to_vec()),
        ("content.png", vec!["--style", "style.png:2", "--style", "other.png"]),
        ("pale.png", [&two[..], &["--mask", "soft.png", "--keep", "faint.png"]].concat()),
        ("content.png", [&file[..], &["--style", "style.png:3"]].concat()),
        ("content.png", [&file[..], &["--style", "style.png", "--mask", "soft.png"]].concat()),
    ] {
        let objective = if args.contains(&"--objective") { &[][..] } else { &["--objective", "paper"] };
        let run = [content, "-o", "out.png", "--steps", "2", "--bit-depth", "16", "-q", "--json"];
        let output = desk.output(&[&run, &args[..], objective].concat());
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
        let run: Value = serde_json::from_slice(&output.stdout).unwrap();
        let sized = ["out.png", "--content", content, "--style-size", "48"];
        let found = desk.measure(&[&sized, &args[..]].concat());
        // The file holds whole numbers, the run went on with fractions.
        let near = |found: &Value, reported: &Value| (number(found) / number(reported) - 1.0).abs() < 1e-3;
        for term in ["content_loss", "tv"] {
            assert!(
                near(&found[term], &run[term]),
                "{content} {args:?}, {term}: {} is far from {}",
                found[term],
                run[term]
            );
        }
        for (layer, reported) in run["style_loss"].as_object().unwrap() {
            let found = &found["style_loss"][layer];
            assert!(near(found, reported), "{content} {args:?}, {layer}: {found} is far from {reported}");
        }
        // The options are what makes them so.
        if (content, &args[..]) != ("content.png", &one) {
            let plain =
                desk.measure(&[&["out.png", "--content", "content.png", "--style-size", "48"], &one[..]].concat());
            assert!(!near(&plain["style_loss"]["relu1_1"], &found["style_loss"]["relu1_1"]), "{content} {args:?}");
        }
    }
}

#[test]
fn parts_of_a_mask_are_measured_one_by_one() {
    let desk = desk_with_all();
    GrayImage::from_fn(WIDTH, HEIGHT, |x, _| Luma([if x < WIDTH / 4 { 255 } else { 0 }]))
        .save(desk.path("left.png"))
        .unwrap();
    let args = ["content.png", "--content", "content.png", "--style", "style.png", "--style", "other.png"];
    let found = desk.measure(&[&args[..], &["--mask", "left.png"]].concat());
    let parts = found["regions"].as_array().unwrap();
    let named: Vec<_> = parts.iter().map(|part| (part["style"].as_str().unwrap(), number(&part["share"]))).collect();
    assert_eq!(named, [("style.png", 0.25), ("other.png", 0.75)]);
    for (layer, loss) in found["style_loss"].as_object().unwrap() {
        let sum: f64 = parts.iter().map(|part| number(&part["share"]) * number(&part["style_loss"][layer])).sum();
        assert!((number(loss) / sum - 1.0).abs() < 1e-12, "{layer}: {loss} is not {sum}");
    }
    // Each part has the loss of its style there alone.
    let white = desk.measure(&[&args[..5], &["--mask", "left.png"]].concat());
    assert_eq!(white["regions"][0], parts[0]);
    assert!(desk.measure(&args).get("regions").is_none(), "a blend has no parts");

    let output = desk.output(&[&["measure"], &args[..], &["--mask", "left.png"]].concat());
    let table = text(&output.stdout);
    let heads = table.lines().filter_map(|line| line.trim_start().split_once(" relu1_1 "));
    let heads: Vec<&str> = heads.map(|(head, _)| head.trim_end()).collect();
    assert_eq!(heads, ["style", "part 1, style.png", "part 2, other.png"], "{table}");
}

/// Peak resident memory is what the system says, not what was reckoned.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "measures memory at 640 px: half a minute"]
fn a_measurement_stays_within_its_memory_and_is_the_same() {
    let desk = Desk::new();
    photo(640, 480).save(desk.path("photo.png")).unwrap();
    painting(640, 480).save(desk.path("picture.png")).unwrap();
    let run = |memory: &str| {
        let args = ["measure", "picture.png", "--content", "photo.png", "--style", "style.png", "--style-size", "640"];
        let (output, peak) = desk.peak_memory(&[&args[..], &["--memory", memory, "--json"]].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        (serde_json::from_slice::<Value>(&output.stdout).unwrap(), peak)
    };
    let (losses, whole) = run("4GiB");
    let (same_losses, in_bands) = run("400MiB");
    assert!(in_bands < 400 << 20 && 400 << 20 < whole, "{in_bands} {whole}");
    for term in ["content_loss_by_layer", "style_loss", "gradient_norm"] {
        for (name, value) in losses[term].as_object().unwrap() {
            let same = &same_losses[term][name];
            assert!((number(same) / number(value) - 1.0).abs() < 1e-4, "{term} {name}: {same} is not {value}");
        }
    }
    let args = ["measure", "picture.png", "--content", "photo.png", "--style", "style.png", "--memory", "200MiB"];
    let output = desk.output(&args);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.starts_with("impasto: a picture of 640x480 px needs "), "{message}");
    assert!(message.contains(" but only 200.0 MiB may be used; allow more"), "{message}");
}

#[test]
fn what_cannot_be_measured_is_refused_by_name() {
    let desk = desk_with_all();
    GrayImage::from_pixel(WIDTH, HEIGHT, Luma([0])).save(desk.path("black.png")).unwrap();
    let file = "other.impasto-style";
    for (args, words) in [
        (&["--style", file][..], &[file, "moments, not gram; choose moments"][..]),
        (&["--style", file, "--objective", "balanced", "--style-size", "20"], &[file, "48 px, but those of 20 px"]),
        (&["--style", file, "--style-mask", "part.png"], &[file, "is a style file"]),
        (&["--style", "style.png", "--mask", "black.png"], &["black.png", "relu1_1"]),
        (&["--style", "style.png", "--mask", "part.png"], &["part.png is 40x40 px, content.png 48x36 px"]),
        (&["--style", "style.png:2", "--style", "other.png", "--mask", "soft.png"], &["leave the weights out"]),
        (&["--style", "style.png", "--style-mask", "none", "--style-mask", "none"], &["--style-mask is given 2 times"]),
        (&["--style", "style.png:0"], &["weight 0"]),
        (&["--style", "-", "--keep", "-"], &["`-` is given more than once"]),
    ] {
        let output = desk.output(&[&["measure", "content.png", "--content", "content.png"], args].concat());
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {message}");
        assert_eq!(message.lines().count(), 1, "{message}");
        for word in words {
            assert!(message.contains(word), "{args:?}: no `{word}` in: {message}");
        }
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
    // A run softens a style that it takes in its own size.
    let named =
        desk.measure(&["content.png", "--content", "content.png", "--style", "style.png", "--style-size", "40"]);
    assert_ne!(named["style_loss"], own["style_loss"]);
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
    assert_eq!(with(&["--weights", crate::common::WEIGHTS]), max);
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
