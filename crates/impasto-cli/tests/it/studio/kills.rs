//! A studio that is killed at random times, and one that is told to end.

use std::time::{Duration, Instant};

use crate::common::{Desk, text};
use crate::studio::program::{Chance, Studio, small_jobs};

/// Often enough that each kill costs little.
const EVERY: [&str; 2] = ["--checkpoint-every", "0.2"];

#[test]
fn twenty_kills_lose_nothing_and_make_nothing_twice() {
    let desk = Desk::new();
    let expected = small_jobs(&desk, 10, 250);
    let data = desk.path("data");
    let submitted = desk.output(&["submit", "jobs.json", "--data", data.to_str().unwrap()]);
    assert!(submitted.status.success(), "{}", text(&submitted.stderr));
    assert_eq!(text(&submitted.stdout).lines().count(), 10);
    let mut chance = Chance(1);
    for _ in 0..20 {
        let mut studio = Studio::start(&data, &EVERY);
        std::thread::sleep(Duration::from_millis(600 + chance.below(900)));
        studio.process.kill();
    }
    let studio = Studio::start(&data, &EVERY);
    studio.check_results(&expected);
    let again = studio.jobs().iter().filter(|job| job["started"].is_i64()).count();
    assert_eq!(again, 10);
}

#[test]
fn a_studio_ends_within_two_seconds_with_open_streams_and_goes_on_later() {
    let desk = Desk::new();
    let expected = small_jobs(&desk, 1, 1500);
    let data = desk.path("data");
    desk.output(&["submit", "jobs.json", "--data", data.to_str().unwrap()]);
    let mut studio = Studio::start(&data, &[]);
    let id = studio.jobs()[0]["id"].as_str().unwrap().to_owned();
    while studio.jobs()[0]["progress"]["step"].as_u64() < Some(5) {
        std::thread::sleep(Duration::from_millis(50));
    }
    let (host, token) = (studio.host.clone(), studio.token.clone());
    let watching = {
        let path = format!("/api/v1/jobs/{id}/events");
        let process = crate::studio::program::Process(std::process::Command::new("true").spawn().unwrap());
        let watcher = Studio { process, host, token };
        std::thread::spawn(move || watcher.request("GET", &path, b""))
    };
    std::thread::sleep(Duration::from_millis(300));
    let told = Instant::now();
    studio.process.signal("-TERM");
    let status = studio.process.0.wait().unwrap();
    assert!(status.success(), "{status}");
    assert!(told.elapsed() < Duration::from_secs(2), "{:?}", told.elapsed());
    assert!(watching.join().unwrap().is_some(), "the stream was ended, and not cut off");

    let studio = Studio::start(&data, &[]);
    studio.check_results(&expected);
    let events = String::from_utf8(studio.get(&format!("/api/v1/jobs/{id}/events")).1).unwrap();
    assert!(!events.contains("event: warning"), "it continued from its checkpoint: {events}");
}

#[test]
fn a_second_studio_with_the_same_folder_names_the_first() {
    let desk = Desk::new();
    let data = desk.path("data");
    let studio = Studio::start(&data, &[]);
    let second = desk.output(&["studio", "--no-open", "--port", "0", "--data", data.to_str().unwrap()]);
    assert!(second.status.success());
    let address = format!("the studio already runs: http://{}/?token={}\n", studio.host, studio.token);
    assert_eq!(text(&second.stdout), address);
}

#[test]
fn refusals_of_the_command_line_say_what_to_do() {
    let desk = Desk::new();
    let refused = |args: &[&str]| {
        let output = desk.output(args);
        assert!(!output.status.success(), "{args:?}");
        text(&output.stderr)
    };
    assert!(refused(&["studio", "--listen", "0.0.0.0"]).contains("add --allow-remote"));
    assert!(refused(&["studio", "--token", "short"]).contains("32 characters"));
    assert!(refused(&["worker"]).contains("--database is missing"));
    assert!(refused(&["worker", "--database", "postgres://h/d"]).contains("--store is missing"));
    assert!(refused(&["submit", "none.json"]).contains("there is no file none.json"));
    assert!(refused(&["submit"]).contains("JOB.json"));
    assert!(refused(&["submit", "--batch", "content.png", "--strength", "200"]).contains("--strength"));
    let data = desk.path("data");
    let data = data.to_str().unwrap();
    let other = refused(&["studio", "--no-open", "--data", data, "--database", "mysql://h/d"]);
    assert!(other.contains("postgres://user:password@host/impasto"), "{other}");
    let other = refused(&["studio", "--no-open", "--data", data, "--store", "ftp://h/d"]);
    assert!(other.contains("s3://BUCKET"), "{other}");
}

#[test]
fn a_batch_is_submitted_with_the_arguments_of_batch() {
    let desk = Desk::new();
    let data = desk.path("data");
    let data = data.to_str().unwrap();
    let args =
        ["submit", "--data", data, "--batch", "content.png", "style.png", "--style", "style.png", "-o", "painted"];
    let output = desk.output(&args);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let lines = text(&output.stdout);
    let titles: Vec<&str> = lines.lines().map(|line| line.split_once("  ").unwrap().1).collect();
    assert_eq!(titles, ["content × style", "style × style"]);
}
