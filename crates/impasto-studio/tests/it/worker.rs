//! Workers: from a job in the queue to its picture.

use axum::http::StatusCode;
use impasto_job::events::Unwatched;
use impasto_job::job::Job;
use impasto_job::{resolve, runner};
use serde_json::{Value, json};

use crate::harness::{Studio, machine};

/// The bytes that the command line writes for a small job. `adjust`: changes of its weights.
async fn bytes_of_a_run(studio: &Studio, job: &Value, adjust: Option<Value>) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let mut job = job.clone();
    for (pointer, name) in [("/inputs/content", "photo.png"), ("/inputs/styles/0/file", "style.png")] {
        let file = job.pointer_mut(pointer).unwrap();
        let path = format!("/api/v1/files/{}/bytes", file["sha256"].as_str().unwrap());
        let here = folder.path().join(name);
        std::fs::write(&here, studio.get(&path).await.body).unwrap();
        *file = here.to_str().unwrap().into();
    }
    let output = folder.path().join("out.png");
    job["output"]["file"] = output.to_str().unwrap().into();
    if let Some(adjust) = adjust {
        job["options"]["adjust"] = adjust;
    }
    let job = Job::from_json_value(&job).unwrap();
    tokio::task::spawn_blocking(move || {
        runner::run(&resolve::resolve(&job, &machine()).unwrap(), &mut Unwatched).unwrap();
        std::fs::read(output).unwrap()
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_becomes_the_picture_of_the_command_line_byte_for_byte() {
    let studio = Studio::new().await;
    let job = studio.small_job().await;
    let expected = bytes_of_a_run(&studio, &job, None).await;
    studio.start_worker("w");
    let id = studio.create(&job).await;
    let done = studio.wait_for(&id, "done").await;
    assert_eq!((&done["report"]["steps"], &done["size"]), (&json!(6), &json!([48, 36])));
    let result = studio.get(&format!("/api/v1/jobs/{id}/result")).await;
    assert_eq!(result.header("content-disposition"), "attachment; filename=\"photo-style.png\"");
    assert!(result.body == expected);

    // Other forms are of the same picture.
    let pixels = |bytes: &[u8]| image::load_from_memory(bytes).unwrap().into_rgb8();
    for (query, kind) in
        [("format=tif&bits=16", "image/tiff"), ("format=png&bits=16", "image/png"), ("format=webp", "image/webp")]
    {
        let answer = studio.get(&format!("/api/v1/jobs/{id}/result?{query}")).await;
        assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, kind));
        let difference = pixels(&answer.body).iter().zip(pixels(&expected).iter()).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(difference <= Some(1), "{query}: {difference:?}");
    }
    let jpeg = studio.get(&format!("/api/v1/jobs/{id}/result?format=jpg&inline=true")).await;
    assert!(jpeg.header("content-disposition").starts_with("inline; "));
    let small = studio.get(&format!("/api/v1/jobs/{id}/thumbnail?size=24")).await;
    assert_eq!(image::load_from_memory(&small.body).unwrap().width(), 24);
    let part = studio.get(&format!("/api/v1/jobs/{id}/preview?region=8,4,10,6")).await;
    let whole = image::load_from_memory(&expected).unwrap().into_rgb8();
    assert_eq!(pixels(&part.body), image::imageops::crop_imm(&whole, 8, 4, 10, 6).to_image());

    // Nothing but the result and its copies is left.
    let kept = std::fs::read_dir(studio.folder.path().join(format!("store/jobs/{id}"))).unwrap();
    let mut names: Vec<String> = kept.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["result-1", "result-1.master.png", "result-1.small.jpg"]);
    assert_eq!(std::fs::read_dir(studio.folder.path().join("w")).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_job_goes_on_with_the_same_bytes() {
    let studio = Studio::new().await;
    let mut job = studio.small_job().await;
    job["options"]["steps"] = 40.into();
    let expected = bytes_of_a_run(&studio, &job, None).await;
    studio.start_worker("w");
    let id = studio.create(&job).await;
    studio.wait_for_step(&id, 3).await;
    let control = format!("/api/v1/jobs/{id}/control");
    assert_eq!(studio.post(&control, &json!({ "action": "pause" })).await.status, StatusCode::OK);
    let paused = studio.wait_for(&id, "paused").await;
    assert!(paused["progress"]["step"].as_u64() < Some(40), "{paused}");
    studio.post(&control, &json!({ "action": "resume" })).await;
    let done = studio.wait_for(&id, "done").await;
    assert_eq!(done["report"]["steps"], 40);
    assert!(studio.get(&format!("/api/v1/jobs/{id}/result")).await.body == expected);
    let words: Vec<String> = studio.events(&id).await.into_iter().map(|(word, _)| word).collect();
    for word in ["queued", "started", "planned", "step", "paused", "resumed", "done", "end"] {
        assert!(words.iter().any(|other| other == word), "{word}: {words:?}");
    }
    // It did not begin at its start: few steps come twice.
    assert!(words.iter().filter(|word| *word == "step").count() <= 45, "{words:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adjusted_job_says_the_command_that_makes_the_same_bytes() {
    let studio = Studio::new().await;
    let mut job = studio.small_job().await;
    job["options"]["steps"] = 60.into();
    studio.start_worker("w");
    let id = studio.create(&job).await;
    studio.wait_for_step(&id, 5).await;
    let adjust = json!({ "action": "adjust", "strength": 90, "tv-weight": 0.2 });
    studio.post(&format!("/api/v1/jobs/{id}/control"), &adjust).await;
    let done = studio.wait_for(&id, "done").await;
    let made = &done["adjustments"][0];
    let step = made["step"].as_u64().unwrap();
    assert!((5..60).contains(&step), "{made}");
    let written = format!("{step}:strength=90,tv-weight=0.2");
    let command = studio.get(&format!("/api/v1/jobs/{id}/command")).await.json();
    assert!(command["command"].as_str().unwrap().contains(&written), "{command}");
    assert_eq!(command["exact"], true);
    let expected = bytes_of_a_run(&studio, &job, Some(json!([written]))).await;
    assert!(studio.get(&format!("/api/v1/jobs/{id}/result")).await.body == expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_job_has_no_result_and_leaves_nothing() {
    let studio = Studio::new().await;
    let mut job = studio.small_job().await;
    job["options"]["steps"] = 2000.into();
    job["options"]["tolerance"] = 0.into();
    studio.start_worker("w");
    let id = studio.create(&job).await;
    studio.wait_for_step(&id, 2).await;
    studio.post(&format!("/api/v1/jobs/{id}/control"), &json!({ "action": "cancel" })).await;
    studio.wait_for(&id, "cancelled").await;
    assert_eq!(studio.get(&format!("/api/v1/jobs/{id}/result")).await.status, StatusCode::CONFLICT);
    // The next one is made.
    job["options"]["steps"] = 2.into();
    let next = studio.create(&job).await;
    studio.wait_for(&next, "done").await;
    let folder = studio.folder.path().join(format!("store/jobs/{id}"));
    let files = walk(&folder);
    assert!(files.is_empty(), "{files:?}");
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_does_not_wait_for_a_picture_nor_end_it() {
    let studio = Studio::new().await;
    let mut job = studio.small_job().await;
    job["options"] = json!({ "size": 48, "steps": 3000, "tolerance": 0 });
    let (_, working) = studio.start_worker("w");
    let picture = studio.create(&job).await;
    studio.wait_for_step(&picture, 2).await;
    job["options"]["steps"] = 5.into();
    let preview = studio.post("/api/v1/jobs", &json!({ "job": job, "preview": true })).await.json();
    studio.wait_for(preview["id"].as_str().unwrap(), "done").await;
    let running = studio.get(&format!("/api/v1/jobs/{picture}")).await.json();
    assert_eq!(running["state"], "running");
    // It goes on.
    let step = running["progress"]["step"].as_u64().unwrap();
    studio.wait_for_step(&picture, step + 2).await;
    // A newer preview takes the place of one that waits or runs.
    job["options"]["steps"] = 100.into();
    let old = studio.post("/api/v1/jobs", &json!({ "job": job, "preview": true })).await.json();
    job["options"]["steps"] = 4.into();
    let body = json!({ "job": job, "preview": true, "replaces": old["id"] });
    let new = studio.post("/api/v1/jobs", &body).await.json();
    studio.wait_for(new["id"].as_str().unwrap(), "done").await;
    studio.wait_for(old["id"].as_str().unwrap(), "cancelled").await;
    studio.end();
    working.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_ends_gives_its_job_back_and_another_one_goes_on() {
    let studio = Studio::new().await;
    let mut job = studio.small_job().await;
    job["options"]["steps"] = 60.into();
    let expected = bytes_of_a_run(&studio, &job, None).await;
    let (_, working) = studio.start_worker("first");
    let id = studio.create(&job).await;
    studio.wait_for_step(&id, 3).await;
    studio.end();
    working.await.unwrap();
    let queued = studio.get(&format!("/api/v1/jobs/{id}")).await.json();
    assert_eq!(queued["state"], "queued", "{queued}");

    // As if the first one's machine were gone: nothing but the store and the database is left.
    std::fs::remove_dir_all(studio.folder.path().join("first")).unwrap();
    let second = Studio::new().await;
    let options = impasto_studio::worker::WorkerOptions {
        name: "second".to_owned(),
        work: second.folder.path().join("elsewhere"),
        machine: machine(),
        lease: impasto_studio::database::queue::LEASE,
    };
    let (end, ends) = tokio::sync::watch::channel(false);
    let worker = impasto_studio::worker::Worker::new(studio.database.clone(), studio.store.clone(), options, None);
    let working = tokio::spawn(worker.work(ends));
    let done = studio.wait_for(&id, "done").await;
    assert_eq!((&done["worker"], &done["report"]["steps"]), (&json!("second"), &json!(60)));
    assert!(studio.get(&format!("/api/v1/jobs/{id}/result")).await.body == expected);
    let warnings = studio.database.events_after(&id, 0, 1000).await.unwrap();
    let starts: Vec<_> = warnings.iter().filter(|event| event.kind == "warning").collect();
    assert!(starts.is_empty(), "it continued from the checkpoint: {starts:?}");
    end.send_replace(true);
    working.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_cannot_be_made_fails_with_words_and_without_folders() {
    let studio = Studio::new().await;
    let mut job = studio.small_job().await;
    let tiny = studio.upload("tiny.png", crate::harness::picture(3, 2, 1)).await.json();
    job["inputs"]["content"] = json!({ "path": "tiny.png", "sha256": tiny["sha256"] });
    studio.start_worker("w");
    let id = studio.create(&job).await;
    let failed = studio.wait_for(&id, "failed").await;
    let error = failed["error"].as_str().unwrap();
    assert!(error.contains("tiny.png") && !error.contains(studio.folder.path().to_str().unwrap()), "{error}");
}
