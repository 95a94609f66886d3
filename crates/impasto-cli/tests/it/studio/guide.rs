//! The examples of `docs/studio.md`, as they stand there.

use std::process::Command;

use crate::common::{Desk, text};
use crate::studio::program::Studio;

/// The blocks that a test runs, in their order.
fn examples() -> String {
    let guide = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/studio.md")).unwrap();
    let blocks: Vec<&str> = guide.split("```sh api\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 8, "{} blocks", blocks.len());
    blocks.concat()
}

#[test]
fn the_examples_of_the_guide_do_what_it_says() {
    if Command::new("curl").arg("--version").output().is_err() {
        assert!(std::env::var_os("IMPASTO_REQUIRE_SERVERS").is_none(), "there is no curl");
        eprintln!("SKIPPED: no curl");
        return;
    }
    let desk = Desk::new();
    for (from, to) in [("content.png", "photo.jpg"), ("style.png", "painting.jpg")] {
        image::open(desk.path(from)).unwrap().save(desk.path(to)).unwrap();
    }
    let studio = Studio::start(&desk.path("data"), &[]);
    let run = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &examples()])
        .current_dir(desk.path(""))
        .env("URL", format!("http://{}", studio.host))
        .env("TOKEN", &studio.token)
        .output()
        .unwrap();
    let output = text(&run.stdout);
    assert!(run.status.success(), "{output}\n{}", text(&run.stderr));
    for part in ["\"peak_memory\"", "event: step", "event: done", "impasto photo.jpg painting.jpg", "\"cancelled\""] {
        assert!(output.contains(part), "{part}: {output}");
    }
    let result = image::open(desk.path("result.png")).unwrap();
    assert_eq!(result.into_rgb8().dimensions(), image::open(desk.path("result.tif")).unwrap().into_rgb8().dimensions());
    assert_eq!(studio.jobs().len(), 2, "the first with its key, and the second");
}
