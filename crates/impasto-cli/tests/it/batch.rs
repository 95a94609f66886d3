//! Batches: every photo with every style, as single runs would make them.

use std::fs;

use crate::common::{Desk, HEIGHT, WIDTH, painting, photo, text};
use image::RgbImage;
use serde_json::Value;

const RUN: [&str; 5] = ["--style", "style.png", "other.png", "-o", "made"];

/// A desk with a second photo, `wide.jpg`, and a second style, `other.png`.
fn desk() -> Desk {
    let desk = Desk::new();
    photo(60, 32).save(desk.path("wide.jpg")).unwrap();
    image::imageops::rotate90(&painting(44, 40)).save(desk.path("other.png")).unwrap();
    desk
}

/// Exit status, a JSON object for each picture, what was said on stderr.
fn batch(desk: &Desk, args: &[&str]) -> (i32, Vec<Value>, String) {
    let output = desk.output(&[&["batch"], args, &["--json", "--steps", "2"]].concat());
    let lines = text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (output.status.code().unwrap(), lines, text(&output.stderr))
}

fn pixels(desk: &Desk, name: &str) -> RgbImage {
    image::open(desk.path(name)).unwrap().into_rgb8()
}

#[track_caller]
fn equals_the_single_run(desk: &Desk, made: &Value, args: &[&str]) {
    let [photo, style, output] = ["photo", "style", "output"].map(|key| made[key].as_str().unwrap());
    let all = [&[photo, style, "-o", "single.png", "-q", "--json", "--steps", "2"], args].concat();
    let run = desk.output(&all);
    assert!(run.status.success(), "{all:?}: {}", text(&run.stderr));
    let single: Value = serde_json::from_slice(&run.stdout).unwrap();
    for key in ["size", "steps", "content_loss", "style_loss", "tv", "total_loss", "scales"] {
        assert_eq!(made[key], single[key], "{all:?}: {key}");
    }
    assert!(pixels(desk, output) == pixels(desk, "single.png"), "{all:?}");
}

/// Peak resident memory is what the system says, not what was reckoned.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "measures the memory of runs at 640 px: a minute"]
fn a_batch_within_its_memory_takes_its_styles_as_a_single_run_does() {
    let desk = desk();
    let sized = ["--size", "640", "--upscale", "--scales", "1", "--optimizer", "adam", "--memory", "480MiB"];
    let batch = ["batch", "content.png", "--style", "style.png", "-o", "made", "--json", "--steps", "2"];
    let (output, peak) = desk.peak_memory(&[&batch[..], &sized].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(peak < 480 << 20, "{peak}");
    let made: Value = serde_json::from_slice(&output.stdout).unwrap();
    equals_the_single_run(&desk, &made, &sized);
}

/// The statistics of its styles are planned for the same memory and the same file as its runs.
#[test]
#[ignore = "evaluates 640 px in narrow bands: half a minute"]
fn a_batch_fits_a_memory_that_only_the_feature_cache_makes_enough() {
    let desk = desk();
    let sized = ["--size", "640", "--upscale", "--scales", "1", "--threads", "2", "--memory"];
    let single = ["content.png", "style.png", "-o", "out.png", "--no-feature-cache", "--plan"];
    let refused = text(&desk.output(&[&single[..], &sized, &["200MiB"]].concat()).stderr);
    let (_, needed) = refused.split_once(" needs at least ").unwrap_or_else(|| panic!("{refused}"));
    let needed: f64 = needed.split(' ').next().unwrap().parse().unwrap();
    let less = format!("{}MiB", needed as u64 - 5);
    let refused = desk.output(&[&single[..], &sized, &[&less]].concat());
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused.stderr));

    let args = [&["content.png", "--style", "style.png", "-o", "made", "--feature-cache", "."], &sized[..], &[&less]];
    let (status, lines, stderr) = batch(&desk, &args.concat());
    assert_eq!((status, &lines[0]["result"]), (0, &"made".into()), "{stderr}");
}

#[test]
fn every_photo_is_painted_in_every_style_as_by_a_single_run() {
    let desk = desk();
    let (status, lines, stderr) = batch(&desk, &[&["content.png", "wide.jpg"], &RUN[..]].concat());
    assert_eq!((status, stderr.as_str()), (0, ""));
    let names: Vec<&str> = lines.iter().map(|line| line["output"].as_str().unwrap()).collect();
    let wanted = ["made/content-style.png", "made/content-other.png", "made/wide-style.png", "made/wide-other.png"];
    assert_eq!(names, wanted);
    for (i, line) in lines.iter().enumerate() {
        assert_eq!((&line["number"], &line["of"], &line["result"]), (&(i + 1).into(), &4.into(), &"made".into()));
        equals_the_single_run(&desk, line, &[]);
    }
}

#[test]
fn options_apply_as_in_a_single_run() {
    let desk = desk();
    for options in [
        &["--colors", "matched", "--scales", "2"][..],
        &["--style-rotations", "2", "--style-scale", "0.8", "--objective", "paper"],
        &["--content-weight", "0", "--init", "noise"],
        &["--style-weight", "0"],
    ] {
        let (status, lines, stderr) = batch(&desk, &[&["content.png"], &RUN[..], options].concat());
        assert_eq!((status, stderr.as_str()), (0, ""), "{options:?}");
        lines.iter().for_each(|line| equals_the_single_run(&desk, line, options));
    }
    // A style too narrow for a second scale, which the photo would have room for.
    photo(448, 32).save(desk.path("content.png")).unwrap();
    painting(448, 20).save(desk.path("narrow.png")).unwrap();
    let (status, lines, stderr) = batch(&desk, &["content.png", "--style", "narrow.png", "-o", "made"]);
    assert_eq!((status, stderr.as_str()), (0, ""));
    equals_the_single_run(&desk, &lines[0], &[]);
}

#[test]
fn a_broken_photo_stops_nothing_and_the_rest_can_be_resumed() {
    let desk = desk();
    fs::write(desk.path("broken.jpg"), "no picture").unwrap();
    let photos = ["broken.jpg", "absent.png", "content.png"];
    let (status, lines, stderr) = batch(&desk, &[&photos[..], &RUN[..]].concat());
    let results: Vec<&str> = lines.iter().map(|line| line["result"].as_str().unwrap()).collect();
    assert_eq!((status, results), (1, vec!["failed", "failed", "failed", "failed", "made", "made"]));
    let said: Vec<&str> = stderr.lines().collect();
    assert_eq!(said.len(), 5, "{stderr}");
    assert!(said[0].starts_with("impasto: made/broken-style.png: broken.jpg is not a picture"), "{stderr}");
    assert_eq!(said[3], "impasto: made/absent-other.png: there is no file absent.png");
    assert_eq!(said[4], "impasto: 4 of 6 pictures could not be made");

    // Whole, cut short, gone.
    painting(8, 8).save(desk.path("made/content-style.png")).unwrap();
    let whole = fs::read(desk.path("made/content-other.png")).unwrap();
    fs::write(desk.path("made/content-other.png"), &whole[..whole.len() / 2]).unwrap();
    fs::rename(desk.path("wide.jpg"), desk.path("broken.jpg")).unwrap();
    let (status, lines, _) = batch(&desk, &[&["broken.jpg", "content.png", "--resume"], &RUN[..]].concat());
    let results: Vec<&str> = lines.iter().map(|line| line["result"].as_str().unwrap()).collect();
    assert_eq!((status, results), (0, vec!["made", "made", "present", "made"]));
    assert_eq!(pixels(&desk, "made/content-style.png"), painting(8, 8));
    assert_eq!(pixels(&desk, "made/content-other.png").dimensions(), (WIDTH, HEIGHT));
}

/// The picture would be the noise that it started from.
#[test]
fn a_start_that_no_step_improves_is_no_result() {
    let desk = desk();
    let weights = ["--objective", "paper", "--init", "noise", "--content-weight", "0", "--style-weight", "1e-60"];
    let (status, lines, stderr) =
        batch(&desk, &[&["content.png", "--style", "style.png", "-o", "made"], &weights[..]].concat());
    assert_eq!((status, &lines[0]["result"]), (1, &"failed".into()), "{stderr}");
    assert!(stderr.contains("no step reduced the starting loss"), "{stderr}");
    assert!(!desk.path("made/content-style.png").exists());
}

#[test]
fn what_cannot_be_meant_is_refused_before_any_work() {
    let desk = desk();
    fs::create_dir(desk.path("folder")).unwrap();
    fs::copy(desk.path("content.png"), desk.path("folder/CONTENT.png")).unwrap();
    fs::copy(desk.path("content.png"), desk.path("a-style.png")).unwrap();
    fs::copy(desk.path("content.png"), desk.path("a.png")).unwrap();
    let before = desk.files();
    for (args, words) in [
        (
            "content.png folder/CONTENT.png --style style.png -o made",
            "content.png with style.png, and of folder/CONTENT.png",
        ),
        ("folder --style style.png -o made", "folder is a folder; name the pictures in it"),
        ("content.png --style style.png:2 -o made", "leave the weight out"),
        ("content.png --style absent.png -o made", "there is no file absent.png"),
        ("content.png - --style style.png -o made", "a batch does not read"),
        ("content.png --style style.png -o style.png", "style.png is a file; give --output the folder"),
        ("content.png --style style.png -o made --steps 0", "--steps"),
        ("a.png a-style.png --style style.png -o .", "a-style.png is to be written, but it is also an input"),
        ("content.png --style style.png -o made --quality 50", "--quality is for JPEG"),
    ] {
        let output = desk.output(&[&["batch"], &args.split(' ').collect::<Vec<_>>()[..]].concat());
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args}: {message}");
        assert!(message.contains(words) && message.lines().count() == 1, "{args}: {message}");
        assert_eq!(desk.files(), before, "{args}");
    }
}

#[cfg(unix)]
#[test]
fn a_signal_leaves_the_unfinished_picture_out() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    let desk = desk();
    fs::create_dir(desk.path("made")).unwrap();
    painting(8, 8).save(desk.path("made/content-style.png")).unwrap();
    let args =
        ["batch", "content.png", "--style", "style.png", "other.png", "-o", "made", "--resume", "--steps", "1000000"];
    let mut child = desk.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "1 of 2  made/content-style.png: there already\n");
    // The second picture has to be begun, or there is nothing of it to keep.
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let said = text(&output.stderr);
    assert!(said.starts_with("ending after this step, without its picture"), "{said}");
    assert!(said.ends_with("impasto: interrupted: 1 of 2 pictures are there; --resume makes the rest\n"), "{said}");
    // So many steps take more than ten minutes: what is done of them is kept.
    assert!(
        !desk.path("made/content-other.png").exists() && desk.path("made/content-other.png.checkpoint/state").exists()
    );
    assert_eq!(fs::read_dir(desk.path("made")).unwrap().count(), 2);
}
