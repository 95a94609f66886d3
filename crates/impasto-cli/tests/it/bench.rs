//! `impasto bench`.

use std::process::Output;

use crate::common::{Desk, impasto, number, text};
use serde_json::{Value, json};

/// The objects on stdout, one a line.
fn bench(args: &[&str]) -> Vec<Value> {
    let output = impasto().args(["bench", "--json", "--runs", "2"]).args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "", "{args:?}");
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// One line on stderr, nothing on stdout, exit status 2.
fn refusal(output: &Output) -> String {
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert_eq!(text(&output.stdout), "");
    assert!(message.starts_with("impasto: ") && message.lines().count() == 1, "{message}");
    message
}

#[test]
fn every_size_is_one_object_the_smallest_first() {
    let found = bench(&["--size", "48x32,24", "--size", "16", "--threads", "2"]);
    let sizes: Vec<&Value> = found.iter().map(|object| &object["size"]).collect();
    assert_eq!(sizes, [&json!([16, 16]), &json!([24, 24]), &json!([48, 32])]);
    for object in &found {
        let seconds = |name: &str| number(&object[name]);
        assert!(seconds("forward_s") > 0.0 && seconds("backward_s") > 0.0, "{object}");
        assert!(seconds("iteration_min_s") <= seconds("iteration_s"), "{object}");
        assert!(seconds("iteration_s") <= seconds("iteration_max_s"), "{object}");
        assert_eq!(object["threads"], 2);
        assert_eq!(object["runs"], 2);
        assert_eq!(object.get("layers"), None);
        assert_eq!(object["peak_rss_mb"].is_number(), cfg!(target_os = "linux"), "{object}");
    }
    // Exact, as it is a matter of counting: 9 multiply-adds for each pair of channels and pixel,
    // forward and backward.
    let operations = number(&found[2]["gflops_direct"]) * number(&found[2]["iteration_s"]) * 1e9;
    let expected: f64 = [
        (48.0 * 32.0, 3.0 * 64.0 + 64.0 * 64.0),
        (24.0 * 16.0, 64.0 * 128.0 + 128.0 * 128.0),
        (12.0 * 8.0, 128.0 * 256.0 + 3.0 * 256.0 * 256.0),
        (6.0 * 4.0, 256.0 * 512.0 + 3.0 * 512.0 * 512.0),
        (3.0 * 2.0, 512.0 * 512.0),
    ]
    .into_iter()
    .map(|(pixels, channels)| 2.0 * 18.0 * pixels * channels)
    .sum();
    assert!((operations / expected - 1.0).abs() < 1e-9, "{operations} is not {expected}");
}

#[test]
fn layers_are_the_networks_thirteen() {
    let found = bench(&["--size", "32", "--layers", "--pooling", "avg", "--weights", crate::common::WEIGHTS]);
    let layers = found[0]["layers"].as_array().unwrap();
    let names: Vec<&str> = layers.iter().map(|layer| layer["layer"].as_str().unwrap()).collect();
    let blocks = [2, 2, 4, 4, 1].into_iter().enumerate();
    let expected: Vec<String> =
        blocks.flat_map(|(block, count)| (1..=count).map(move |i| format!("relu{}_{i}", block + 1))).collect();
    assert_eq!(names, expected);
    for layer in layers {
        for name in ["forward_s", "backward_s", "forward_gflops_direct", "backward_gflops_direct"] {
            assert!(number(&layer[name]) > 0.0, "{layer}");
        }
    }
}

#[test]
fn the_tables_are_for_people() {
    let output = impasto().args(["bench", "--size", "32,16x24", "--runs", "1"]).output().unwrap();
    let table = text(&output.stdout);
    assert!(output.status.success() && output.stderr.is_empty());
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 3, "{table}");
    assert!(lines[0].trim_start().starts_with("size  "), "{table}");
    assert!(lines[1].trim_start().starts_with("16x24  ") && lines[2].trim_start().starts_with("32x32  "), "{table}");
    assert!(lines.iter().all(|line| line.len() == lines[0].len()), "{table}");

    let output = impasto().args(["bench", "--size", "16", "--runs", "1", "--layers"]).output().unwrap();
    let table = text(&output.stdout);
    assert_eq!(table.lines().count(), 2 + 1 + 13, "{table}");
    assert_eq!(table.lines().filter(|line| line.trim_start().starts_with("relu")).count(), 13, "{table}");
}

/// What IMPASTO_ISA may be on this machine: the message of a refusal says it.
fn available() -> Vec<String> {
    let message = refusal(&impasto().args(["bench", "--size", "16"]).env("IMPASTO_ISA", "avx1024").output().unwrap());
    let names = message.strip_prefix("impasto: IMPASTO_ISA=avx1024: this CPU has ").unwrap();
    let (names, advice) = names.split_once("; ").unwrap();
    assert_eq!(advice, "unset it to take the fastest\n");
    names.split(", ").map(str::to_owned).collect()
}

#[test]
fn an_instruction_set_is_forced_or_refused() {
    let available = available();
    assert_eq!(available[0], "portable");
    for isa in ["portable", "avx2", "avx512"] {
        let mut command = impasto();
        command.args(["bench", "--json", "--size", "16", "--runs", "1"]).env("IMPASTO_ISA", isa);
        let output = command.output().unwrap();
        if available.iter().any(|name| name == isa) {
            assert!(output.status.success(), "{isa}: {}", text(&output.stderr));
            assert_eq!(serde_json::from_slice::<Value>(&output.stdout).unwrap()["isa"], isa);
        } else {
            eprintln!("this CPU lacks {isa}: only its refusal is tested");
            refusal(&output);
        }
    }
    let fastest =
        impasto().args(["bench", "--json", "--size", "16", "--runs", "1"]).env_remove("IMPASTO_ISA").output().unwrap();
    assert_eq!(
        serde_json::from_slice::<Value>(&fastest.stdout).unwrap()["isa"].as_str(),
        available.last().map(String::as_str)
    );
}

#[test]
fn an_unknown_instruction_set_stops_every_command() {
    let desk = Desk::new();
    let before = desk.files();
    let transfer = &["content.png", "style.png", "-o", "out.png"][..];
    let measure = &["measure", "content.png", "--content", "content.png", "--style", "style.png"][..];
    for args in [transfer, measure] {
        let message = refusal(&desk.command(args).env("IMPASTO_ISA", "avx1024").output().unwrap());
        assert!(message.starts_with("impasto: IMPASTO_ISA=avx1024: this CPU has portable"), "{message}");
    }
    assert_eq!(desk.files(), before);
}

#[test]
fn bad_options_are_refused() {
    for (value, problem) in [
        ("0", "needs at least 16 px a side"),
        ("8x8", "needs at least 16 px a side"),
        ("512x15", "needs at least 16 px a side"),
        ("large", "needs px, as in 512 or 768x512"),
        ("", "needs px, as in 512 or 768x512"),
        ("-32", "needs px, as in 512 or 768x512"),
        ("32x32x3", "needs px, as in 512 or 768x512"),
        ("512,8", "needs at least 16 px a side"),
        ("20000x20000", "needs at most 100 megapixels"),
        ("4294967296x4294967296", "needs at most 100 megapixels"),
    ] {
        let message = refusal(&impasto().args(["bench", "--size", value]).output().unwrap());
        let shown = value.rsplit(',').next().unwrap();
        assert_eq!(message, format!("impasto: invalid value '{shown}' for '--size <PX|WxH,...>': {problem}\n"));
    }
    for args in [["--runs", "0"], ["--threads", "0"], ["--threads", "5000"], ["--weights", "nowhere.safetensors"]] {
        refusal(&impasto().args(["bench", "--size", "16"]).args(args).output().unwrap());
    }
}
