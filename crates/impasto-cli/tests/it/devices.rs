//! `impasto devices`, `--device`, and pictures that are made on a graphics card.
//!
//! Software in the place of a card will do. Without any, the tests of pictures say that they were
//! skipped, and fail if `IMPASTO_REQUIRE_GPU` is set.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::common::{Desk, impasto, number, painting, photo, pixels, text};

/// What `devices --json` prints.
fn devices(args: &[&str]) -> Value {
    let output = impasto().args(["devices", "--json"]).args(args).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The number of the first card, as `--device` takes it. Software comes first, because all machines
/// can have it.
fn card() -> Option<String> {
    let cards = devices(&[]);
    let cards = cards["cards"].as_array().unwrap();
    let software = cards.iter().find(|card| card["kind"] == "software");
    let found = software.or(cards.first()).map(|card| format!("gpu:{}", card["number"]));
    if found.is_none() {
        assert!(std::env::var_os("IMPASTO_REQUIRE_GPU").is_none(), "IMPASTO_REQUIRE_GPU is set, and there is no card");
        eprintln!("SKIPPED: no GPU adapter");
    }
    found
}

/// A run that must succeed. Returns what it reports.
fn made(desk: &Desk, args: &[&str]) -> Value {
    let output = desk.output(&[args, &["--json", "--quiet"]].concat());
    assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The mean difference of two pictures in levels.
fn mean_difference(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(&a, &b)| f64::from(a.abs_diff(b))).sum::<f64>() / a.len() as f64
}

/// Checks that the picture of a command on a card is that of the CPU, but for rounding. It must
/// have few steps: each makes the differences a few times larger, because a pixel at a bound moves
/// or stays by the sign of its gradient. After ten steps two instruction sets of the CPU are up to
/// two levels apart.
fn check_same_picture(desk: &Desk, args: &[&str]) {
    let Some(card) = card() else { return };
    let of_cpu = made(desk, &[args, &["-o", "cpu.png", "--device", "cpu"]].concat());
    let of_card = made(desk, &[args, &["-o", "card.png", "--device", &card]].concat());
    assert!(of_cpu["device"].as_str().unwrap().starts_with("cpu "), "{of_cpu}");
    assert!(!of_card["device"].as_str().unwrap().starts_with("cpu "), "{of_card}");
    assert_eq!(of_cpu["steps"], of_card["steps"]);
    let [cpu, card] = ["cpu.png", "card.png"].map(|name| pixels(&desk.path(name)));
    let mean = mean_difference(&cpu, &card);
    assert!(mean <= 1.0, "{args:?}: {mean} levels apart in the mean");
    let losses = number(&of_card["total_loss"]) / number(&of_cpu["total_loss"]);
    assert!((losses - 1.0).abs() < 1e-2, "{args:?}: {losses}");
}

#[test]
fn devices_are_listed_for_people_and_programs() {
    let found = devices(&[]);
    assert!(found["cpu"].as_str().unwrap().starts_with("cpu "), "{found}");
    let output = impasto().arg("devices").output().unwrap();
    let listed = text(&output.stdout);
    assert!(output.status.success() && listed.starts_with("impasto "), "{listed}");
    for card in found["cards"].as_array().unwrap() {
        assert!(listed.contains(&format!("gpu:{}  {}", card["number"], card["name"].as_str().unwrap())), "{listed}");
        assert!(card["largest_buffer"].as_u64().unwrap() >= 1 << 27 && card["self_test"].is_null(), "{card}");
    }
    assert_eq!(found["cards"].as_array().unwrap().is_empty(), listed.contains("no graphics card"), "{listed}");
}

#[test]
fn a_card_passes_its_self_test() {
    if card().is_none() {
        return;
    }
    for card in devices(&["--self-test"])["cards"].as_array().unwrap() {
        let test = &card["self_test"];
        assert_eq!(test["passed"], true, "{card}");
        assert!(number(&test["loss_error"]) < 1e-4 && number(&test["gradient_error"]) < 1e-3, "{card}");
        assert!(number(&test["speed"]) > 0.0, "{card}");
    }
}

#[test]
fn software_in_the_place_of_a_card_is_never_taken_by_itself() {
    let desk = Desk::new();
    let found = devices(&[]);
    let cards = found["cards"].as_array().unwrap();
    if cards.iter().any(|card| card["kind"] != "software") {
        eprintln!("SKIPPED: the machine has a card");
        return;
    }
    let args = ["content.png", "style.png", "-o", "out.png", "--plan"];
    let plan = desk.command(&args).env_remove("IMPASTO_DEVICE").output().unwrap();
    let plan = text(&plan.stdout);
    assert!(plan.contains(" on the CPU (no graphics card), "), "{plan}");

    let refused = desk.output(&[&args[..], &["--device", "gpu"]].concat());
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).starts_with("impasto: no graphics card is \"gpu\": "), "{}", text(&refused.stderr));
}

#[test]
fn a_device_that_cannot_be_meant_is_refused() {
    let desk = Desk::new();
    let run = ["content.png", "style.png", "-o", "out.png", "--steps", "1"];
    for (value, problem) in [
        ("gpu:99", "no graphics card is \"gpu:99\": "),
        ("a card of the year 2100", "no graphics card is \"a card of the year 2100\": "),
        ("gpu:x", "invalid value 'gpu:x' for '--device <DEVICE>': needs auto, cpu, gpu, gpu:N"),
    ] {
        let output = desk.output(&[&run[..], &["--device", value]].concat());
        let message = text(&output.stderr);
        assert!(message.starts_with(&format!("impasto: {problem}")) && message.lines().count() == 1, "{message}");
        assert_eq!(output.status.code(), Some(2));
        // The environment and the file say the same, and the command line overrules both.
        let output = desk.command(&run).env("IMPASTO_DEVICE", value).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{value}: {}", text(&output.stderr));
    }
    std::fs::write(desk.path("impasto.toml"), "device = \"gpu:99\"\n").unwrap();
    let output = desk.command(&run).env_remove("IMPASTO_DEVICE").output().unwrap();
    assert!(text(&output.stderr).contains("no graphics card is \"gpu:99\""), "{}", text(&output.stderr));
    let output = desk.output(&[&run[..], &["--device", "cpu"]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn a_transfer_with_two_styles_a_mask_and_kept_parts_is_that_of_the_cpu() {
    let desk = Desk::new();
    painting(44, 36).save(desk.path("second.png")).unwrap();
    image::GrayImage::from_fn(48, 36, |x, _| image::Luma([if x < 24 { 255 } else { 0 }]))
        .save(desk.path("mask.png"))
        .unwrap();
    image::GrayImage::from_fn(48, 36, |x, y| image::Luma([if x > 30 && y < 12 { 255 } else { 0 }]))
        .save(desk.path("keep.png"))
        .unwrap();
    let styles = ["content.png", "--style", "style.png", "--style", "second.png", "--mask", "mask.png"];
    check_same_picture(&desk, &[&styles[..], &["--keep", "keep.png", "--steps", "5", "--tolerance", "0"]].concat());
}

#[test]
fn strokes_are_those_of_the_cpu() {
    let desk = Desk::new();
    let args = ["content.png", "style.png", "--style-loss", "strokes", "--steps", "4", "--tolerance", "0"];
    check_same_picture(&desk, &args);
}

#[test]
fn a_tileable_texture_and_a_reconstruction_are_those_of_the_cpu() {
    let desk = Desk::new();
    check_same_picture(&desk, &["texture", "style.png", "--tileable", "--size", "64", "--scales", "1", "--steps", "5"]);
    check_same_picture(&desk, &["reconstruct", "content.png", "--steps", "5"]);
}

/// Layers that are fast on software in the place of a card.
const SHALLOW: [&str; 4] = ["--content-layers", "relu2_2", "--style-layers", "relu1_1,relu2_1,relu3_1"];

#[test]
fn a_picture_in_bands_is_that_of_the_whole_on_the_card() {
    let Some(card) = card() else { return };
    let desk = Desk::new();
    photo(18, 420).save(desk.path("content.png")).unwrap();
    let run = ["content.png", "style.png", "--size", "420", "--scales", "1", "--steps", "2", "--tolerance", "0"];
    // At the size of the picture the style would take as much of the card's memory.
    let run = [&run[..], &["--style-scale", "0.5"], &SHALLOW].concat();
    let told = |args: &[&str]| {
        let output = desk.output(&[&run[..], &["-o", "out.png", "--device", &card], args].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stderr)
    };
    let whole = told(&[]);
    let (_, memory) = whole.split_once(" of memory and ").unwrap();
    let (mebibytes, rest) = memory.split_once(" MiB of the card's, ").unwrap();
    assert!(!rest.contains("18x420"), "{whole}");
    let of_whole = pixels(&desk.path("out.png"));
    // Before there are bands, the optimiser leaves the card.
    let megabytes = mebibytes.parse::<f64>().unwrap() as usize;
    let [in_process, less] = [5, 8].map(|less| format!("{}MiB", megabytes - less));
    let plan = ["-o", "out.png", "--device", &card, "--device-memory", &in_process, "--plan"];
    let plan = made(&desk, &[&run[..], &plan].concat());
    let scale = &plan["scales"][0];
    assert!(scale["optimizer_on_card"] == false && scale["in_bands"] == false, "{plan}");
    let in_bands = told(&["--device-memory", &less]);
    assert!(in_bands.contains("; 18x420 in bands on the card, "), "{in_bands}");
    let mean = mean_difference(&of_whole, &pixels(&desk.path("out.png")));
    assert!(mean < 0.1, "{mean} levels apart in the mean");

    let output = desk.output(&[&run[..], &["-o", "out.png", "--device", &card, "--device-memory", "1MB"]].concat());
    assert_eq!(output.status.code(), Some(2));
    let message = text(&output.stderr);
    assert!(message.contains("of the card's memory, but only 976.6 KiB may be used; "), "{message}");
    assert!(message.contains("--device-memory") && message.contains("--device cpu"), "{message}");
}

#[test]
fn a_run_on_a_card_is_taken_up_again_to_the_same_bits_and_on_the_cpu_too() {
    let Some(card) = card() else { return };
    let desk = Desk::new();
    let run = ["content.png", "style.png", "-o", "out.png", "--steps", "12", "--scales", "1", "--tolerance", "0"];
    let kept = ["--checkpoint", "kept", "--checkpoint-every", "0", "--device", &card];
    let run = [&run[..], &SHALLOW, &kept].concat();
    let undisturbed = desk.output(&run);
    assert!(undisturbed.status.success(), "{}", text(&undisturbed.stderr));
    let undisturbed = pixels(&desk.path("out.png"));

    let killed = || {
        let mut child = desk.command(&run).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while !desk.path("kept/state.before").exists() {
            assert!(child.try_wait().unwrap().is_none(), "the run ended by itself");
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
    };
    killed();
    // The device is the run's, whatever the environment says otherwise.
    let resumed = desk.command(&["resume", "kept"]).env_remove("IMPASTO_DEVICE").output().unwrap();
    assert!(resumed.status.success(), "{}", text(&resumed.stderr));
    assert!(!text(&resumed.stderr).contains("the last bits differ"), "{}", text(&resumed.stderr));
    assert!(pixels(&desk.path("out.png")) == undisturbed, "other bits on the same device");

    killed();
    let resumed = desk.output(&["resume", "kept", "--device", "cpu"]);
    let told = text(&resumed.stderr);
    assert!(resumed.status.success(), "{told}");
    assert!(told.contains(" before and goes on with cpu ") && told.contains("the last bits differ"), "{told}");
}

#[test]
fn a_card_is_measured_shader_by_shader() {
    let Some(card) = card() else { return };
    let args = ["bench", "--size", "32", "--runs", "1", "--json", "--layers", "--device", &card];
    let output = impasto().args(args).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(found["isa"].is_null() && number(&found["iteration_s"]) > 0.0, "{found}");
    let measures = devices(&[])["cards"]
        .as_array()
        .unwrap()
        .iter()
        .any(|of| format!("gpu:{}", of["number"]) == card && of["timestamps"] == true);
    let (layers, shaders) = (found["layers"].as_array().unwrap(), found["shaders"].as_array().unwrap());
    assert_eq!((layers.len(), !shaders.is_empty()), if measures { (13, true) } else { (0, false) }, "{found}");
    let of_shaders: f64 = shaders.iter().map(|shader| number(&shader["s"])).sum();
    assert!(of_shaders <= number(&found["iteration_max_s"]), "{found}");
}
