//! Many machines: servers and workers that share nothing but PostgreSQL and S3.

use std::process::Stdio;
use std::time::Duration;

use crate::common::{Desk, impasto, text};
use crate::studio::program::{Chance, Process, Studio, small_jobs};
use crate::studio::servers::{Postgres, S3, skip};

/// The database and the store of a test, as variables.
type Place = Vec<(&'static str, String)>;

fn worker(desk: &Desk, name: &str, place: &Place) -> Process {
    let mut command = impasto();
    let data = desk.path(name);
    command.args(["worker", "--log", "quiet", "--checkpoint-every", "0.2", "--lease", "3", "--data"]).arg(data);
    command.envs(place.iter().cloned()).stdout(Stdio::null()).stderr(Stdio::null());
    Process(command.spawn().unwrap())
}

fn server(desk: &Desk, place: &Place) -> Studio {
    // The token is in the folder, so that a server that begins again has it too.
    Studio::start_in(&desk.path("server"), &["--no-worker"], place)
}

/// Twenty times something is killed, restarted or cut off; all jobs are made once, with the bytes
/// of the command line.
fn disturb(desk: &Desk, place: &Place, restart_database: impl Fn()) {
    let expected = small_jobs(desk, 10, 250);
    let mut submit = desk.command(&["submit", "jobs.json", "--data", desk.path("submit").to_str().unwrap()]);
    let submitted = submit.envs(place.iter().cloned()).output().unwrap();
    assert!(submitted.status.success(), "{}", text(&submitted.stderr));
    let mut workers = ["first", "second"].map(|name| worker(desk, name, place));
    let mut studio = server(desk, place);
    let mut chance = Chance(7);
    for round in 0..20 {
        std::thread::sleep(Duration::from_millis(500 + chance.below(900)));
        let one = chance.below(2) as usize;
        match round {
            5 | 12 => restart_database(),
            // Longer than its lease: another worker has its job when it comes back.
            8 => {
                workers[one].signal("-STOP");
                std::thread::sleep(Duration::from_secs(5));
                workers[one].signal("-CONT");
            }
            3 | 15 => {
                studio.process.kill();
                studio = server(desk, place);
            }
            _ => {
                workers[one].kill();
                workers[one] = worker(desk, ["first", "second"][one], place);
            }
        }
    }
    studio.check_results(&expected);
    let names: std::collections::BTreeSet<String> =
        studio.jobs().iter().map(|job| job["worker"].as_str().unwrap().to_owned()).collect();
    assert!(names.len() > 1, "several workers made them: {names:?}");
}

#[test]
fn two_workers_with_postgresql_and_s3_lose_nothing() {
    let Some(postgres) = Postgres::start() else { return skip("PostgreSQL") };
    let Some(s3) = S3::start() else { return skip("moto; name it in IMPASTO_MOTO") };
    let desk = Desk::new();
    let mut place = s3.variables();
    place.push(("IMPASTO_DATABASE", postgres.address()));
    place.push(("IMPASTO_STORE", "s3://pictures/studio".to_owned()));
    disturb(&desk, &place, || postgres.restart());
}

#[test]
fn two_workers_with_postgresql_and_a_folder_that_they_share_lose_nothing() {
    let Some(postgres) = Postgres::start() else { return skip("PostgreSQL") };
    let desk = Desk::new();
    let shared = desk.path("shared").to_str().unwrap().to_owned();
    let place = vec![("IMPASTO_DATABASE", postgres.address()), ("IMPASTO_STORE", shared)];
    disturb(&desk, &place, || postgres.restart());
}
