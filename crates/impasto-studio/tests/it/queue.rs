//! Who has a job, and what becomes of it if its worker vanishes.

use impasto_job::job::Job;
use impasto_studio::database::Database;
use impasto_studio::database::jobs::{Control, Created, Lane, NewJob};
use impasto_studio::database::queue::{LEASE, Left, News};
use impasto_studio::model::{Adjustment, State};

async fn database() -> (tempfile::TempDir, Database) {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open_file(&folder.path().join("studio.db")).await.unwrap();
    (folder, database)
}

async fn create(database: &Database, priority: i64) -> String {
    let new = NewJob {
        job: Job::default(),
        title: "photo × style".to_owned(),
        lane: Lane::Pictures,
        group: None,
        priority,
        idempotency_key: None,
        request: String::new(),
    };
    match database.create_job(&new).await.unwrap() {
        Created::New(job) => job.id,
        other => panic!("{other:?}"),
    }
}

fn done() -> Left {
    Left::Done { result: "result".to_owned(), report: "{}".to_owned() }
}

fn step(steps: i64) -> News {
    News { batch: steps, events: vec![("step".to_owned(), "{}".to_owned())], steps, ..News::default() }
}

#[tokio::test]
async fn jobs_are_taken_in_their_order_and_important_ones_first() {
    let (_folder, database) = database().await;
    let [first, second] = [create(&database, 0).await, create(&database, 0).await];
    let important = create(&database, 5).await;
    for wanted in [important, first, second] {
        assert_eq!(database.take_job(Lane::Pictures, "w", LEASE).await.unwrap().unwrap().lease.job, wanted);
    }
    assert!(database.take_job(Lane::Pictures, "w", LEASE).await.unwrap().is_none());
    assert!(database.take_job(Lane::Previews, "w", LEASE).await.unwrap().is_none());
}

#[tokio::test]
async fn of_many_who_take_at_once_each_gets_another_job() {
    let (_folder, database) = database().await;
    for _ in 0..8 {
        create(&database, 0).await;
    }
    let takers: Vec<_> = (0..12)
        .map(|number| {
            let database = database.clone();
            tokio::spawn(async move { database.take_job(Lane::Pictures, &number.to_string(), LEASE).await.unwrap() })
        })
        .collect();
    let mut taken = std::collections::BTreeSet::new();
    for taker in takers {
        taken.extend(taker.await.unwrap().map(|taken| taken.lease.job));
    }
    assert_eq!(taken.len(), 8);
}

#[tokio::test]
async fn a_worker_whose_job_another_one_has_taken_can_write_nothing() {
    let (_folder, database) = database().await;
    let id = create(&database, 0).await;
    let lost = database.take_job(Lane::Pictures, "first", LEASE).await.unwrap().unwrap().lease;
    database.end_all_leases().await.unwrap();
    let lease = database.take_job(Lane::Pictures, "second", LEASE).await.unwrap().unwrap().lease;
    assert_eq!((&lost.job, &lease.job), (&id, &id));

    assert!(!database.note_news(&lost, &step(1)).await.unwrap());
    assert_eq!(database.note_checkpoint(&lost, 1).await.unwrap(), None);
    assert!(!database.leave_job(&lost, &done()).await.unwrap());
    assert!(database.asked(&lost).await.unwrap().lost);
    // It cannot even keep the lease.
    assert!(!database.renew(&lost).await.unwrap());

    assert!(database.renew(&lease).await.unwrap());
    assert!(database.note_news(&lease, &step(1)).await.unwrap());
    assert_eq!(database.note_checkpoint(&lease, 7).await.unwrap(), Some(0));
    assert!(database.leave_job(&lease, &done()).await.unwrap());
    assert!(!database.leave_job(&lease, &done()).await.unwrap(), "a job is done once");
    assert_eq!(database.job(&id).await.unwrap().unwrap().state, State::Done);
}

#[tokio::test]
async fn a_job_that_three_workers_vanish_with_is_set_aside() {
    let (_folder, database) = database().await;
    let id = create(&database, 0).await;
    for attempt in 1..=3 {
        let taken = database.take_job(Lane::Pictures, "w", LEASE).await.unwrap().unwrap();
        assert_eq!(taken.lease.number, attempt);
        database.end_all_leases().await.unwrap();
    }
    assert!(database.take_job(Lane::Pictures, "w", LEASE).await.unwrap().is_none());
    let job = database.job(&id).await.unwrap().unwrap();
    assert_eq!(job.state, State::SetAside);
    assert!(job.error.is_some_and(|error| error.contains("try a smaller size")));
    let events = database.events_after(&id, 0, 10).await.unwrap();
    assert_eq!(events.last().map(|event| event.kind.as_str()), Some("set-aside"));
}

#[tokio::test]
async fn a_job_that_comes_further_each_time_is_never_set_aside() {
    let (_folder, database) = database().await;
    create(&database, 0).await;
    for attempt in 1..=10 {
        let taken = database.take_job(Lane::Pictures, "w", LEASE).await.unwrap().unwrap();
        database.note_news(&taken.lease, &step(attempt)).await.unwrap();
        database.end_all_leases().await.unwrap();
    }
    // From here it comes no further.
    for _ in 0..2 {
        let taken = database.take_job(Lane::Pictures, "w", LEASE).await.unwrap().unwrap();
        database.note_news(&taken.lease, &step(10)).await.unwrap();
        database.end_all_leases().await.unwrap();
    }
    assert!(database.take_job(Lane::Pictures, "w", LEASE).await.unwrap().is_some());
    database.end_all_leases().await.unwrap();
    assert!(database.take_job(Lane::Pictures, "w", LEASE).await.unwrap().is_none());
}

#[tokio::test]
async fn what_was_asked_of_a_vanished_worker_is_done() {
    let (_folder, database) = database().await;
    for (control, state) in [(Control::Pause, State::Paused), (Control::Cancel, State::Cancelled)] {
        let id = create(&database, 0).await;
        database.take_job(Lane::Pictures, "w", LEASE).await.unwrap().unwrap();
        database.control(&id, control).await.unwrap();
        database.end_all_leases().await.unwrap();
        assert!(database.take_job(Lane::Pictures, "w", LEASE).await.unwrap().is_none());
        assert_eq!(database.job(&id).await.unwrap().unwrap().state, state);
    }
}

/// A worker that ends or was asked to stop leaves the job where it was asked to stand last.
#[tokio::test]
async fn what_was_asked_last_counts_when_a_worker_stops() {
    let (_folder, database) = database().await;
    let cases: [(&[Control], State); 5] = [
        (&[], State::Queued),
        (&[Control::Pause], State::Paused),
        (&[Control::Cancel], State::Cancelled),
        (&[Control::Pause, Control::Resume], State::Queued),
        (&[Control::Pause, Control::Cancel], State::Cancelled),
    ];
    for (controls, state) in cases {
        let id = create(&database, 100).await;
        let lease = database.take_job(Lane::Pictures, "w", LEASE).await.unwrap().unwrap().lease;
        assert_eq!(lease.job, id);
        for &control in controls {
            database.control(&id, control).await.unwrap();
        }
        assert!(database.leave_job(&lease, &Left::Stopped).await.unwrap());
        assert_eq!(database.job(&id).await.unwrap().unwrap().state, state, "{controls:?}");
        database.control(&id, Control::Cancel).await.unwrap();
    }
    let id = create(&database, 100).await;
    let lease = database.take_job(Lane::Pictures, "w", LEASE).await.unwrap().unwrap().lease;
    database.delete_job(&id).await.unwrap();
    database.leave_job(&lease, &Left::Stopped).await.unwrap();
    assert_eq!(database.restore_job(&id).await.unwrap().unwrap().state, State::Cancelled);
}

#[tokio::test]
async fn adjustments_of_a_run_that_began_again_stay_in_order() {
    let (_folder, database) = database().await;
    let id = create(&database, 0).await;
    let lease = database.take_job(Lane::Pictures, "w", LEASE).await.unwrap().unwrap().lease;
    for (batch, step) in [(1, 10), (2, 40), (3, 30)] {
        let adjustment = Adjustment { step: Some(step), strength: Some(1.0), tv_weight: None };
        database.note_news(&lease, &News { batch, adjusted: vec![adjustment], ..News::default() }).await.unwrap();
    }
    let made = database.job(&id).await.unwrap().unwrap().adjustments;
    assert_eq!(made.iter().map(|made| made.step).collect::<Vec<_>>(), [Some(10), Some(30)]);
}

#[tokio::test]
async fn news_that_come_twice_count_once() {
    let (_folder, database) = database().await;
    let id = create(&database, 0).await;
    let lease = database.take_job(Lane::Pictures, "w", LEASE).await.unwrap().unwrap().lease;
    let adjustment = Adjustment { step: Some(1), strength: Some(1.0), tv_weight: None };
    let news = News { adjusted: vec![adjustment], ..step(1) };
    for _ in 0..3 {
        assert!(database.note_news(&lease, &news).await.unwrap(), "it is noted, and the job is the worker's");
    }
    assert!(database.note_news(&lease, &step(2)).await.unwrap());
    assert_eq!(database.events_after(&id, 0, 100).await.unwrap().len(), 3, "queued and two steps");
    assert_eq!(database.job(&id).await.unwrap().unwrap().adjustments.len(), 1);
    // The next taking counts from its own beginning.
    database.end_all_leases().await.unwrap();
    let next = database.take_job(Lane::Pictures, "w", LEASE).await.unwrap().unwrap().lease;
    assert!(database.note_news(&next, &step(1)).await.unwrap());
    assert!(!database.note_news(&lease, &step(9)).await.unwrap());
    assert_eq!(database.events_after(&id, 0, 100).await.unwrap().len(), 4);
}

#[tokio::test]
async fn events_are_numbered_without_gaps() {
    let (_folder, database) = database().await;
    let id = create(&database, 0).await;
    let lease = database.take_job(Lane::Pictures, "w", LEASE).await.unwrap().unwrap().lease;
    for steps in 1..=5 {
        let mut news = step(steps);
        news.events.push(("note".to_owned(), "{}".to_owned()));
        database.note_news(&lease, &news).await.unwrap();
    }
    database.leave_job(&lease, &done()).await.unwrap();
    let events = database.events_after(&id, 0, 100).await.unwrap();
    assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), (1..=12).collect::<Vec<_>>());
    assert_eq!(database.events_after(&id, 10, 100).await.unwrap(), events[10..]);
}

#[tokio::test]
async fn a_worker_that_has_just_spoken_is_listed() {
    let (_folder, database) = database().await;
    database.note_worker("a", "the CPU", None).await.unwrap();
    database.note_worker("b", "the CPU", Some("job")).await.unwrap();
    let states: Vec<_> = database.workers().await.unwrap().into_iter().map(|worker| worker.state).collect();
    assert_eq!(states, ["idle", "working"]);
    database.forget_worker("a").await.unwrap();
    assert_eq!(database.workers().await.unwrap().len(), 1);
}
