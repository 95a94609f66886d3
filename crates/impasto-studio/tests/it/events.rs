//! Streams of events: complete for everybody, however many watch and wherever they begin.

use std::time::Duration;

use axum::body::Body;
use axum::http::Method;
use http_body_util::BodyExt;
use tower::ServiceExt;

use crate::harness::{Studio, parse, request};

/// Reads a stream to its end. Returns the numbers of its events, and how many pictures it told of.
async fn read(studio: &Studio, id: &str, last: Option<u64>) -> (Vec<u64>, usize) {
    let mut request = request(Method::GET, &format!("/api/v1/jobs/{id}/events"));
    if let Some(last) = last {
        request = request.header("last-event-id", last.to_string());
    }
    let response = studio.app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let text = String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap();
    let id = |frame: &str| frame.lines().find_map(|line| line.strip_prefix("id: "))?.parse().ok();
    let frames: Vec<&str> = text.split("\n\n").filter(|frame| frame.contains("event:")).collect();
    assert_eq!(frames.last().map(|frame| parse(frame).0), Some("end".to_owned()));
    (frames.iter().filter_map(|frame| id(frame)).collect(), text.matches("event: picture\n").count())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_who_watch_lose_nothing() {
    let studio = Studio::new().await;
    let mut job = studio.small_job().await;
    job["options"]["steps"] = 60.into();
    let id = studio.create(&job).await;
    let studio = std::sync::Arc::new(studio);
    let readers: Vec<_> = (0..200)
        .map(|number: u64| {
            let (studio, id) = (studio.clone(), id.clone());
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(number * 5)).await;
                read(&studio, &id, None).await
            })
        })
        .collect();
    studio.start_worker("w");
    studio.wait_for(&id, "done").await;
    let (all, _) = read(&studio, &id, None).await;
    assert_eq!(all, (1..=all.len() as u64).collect::<Vec<_>>());
    assert!(all.len() > 60, "{}", all.len());
    let mut pictures = 0;
    for reader in readers {
        let (numbers, seen) = reader.await.unwrap();
        assert_eq!(numbers, all);
        pictures += seen;
    }
    assert!(pictures > 0, "somebody saw the picture grow");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_goes_on_behind_the_last_event_that_arrived() {
    let studio = Studio::new().await;
    let id = studio.create(&studio.small_job().await).await;
    studio.start_worker("w");
    studio.wait_for(&id, "done").await;
    let (all, _) = read(&studio, &id, None).await;
    for last in [0, 1, 4, all.len() as u64, 10_000] {
        let (rest, _) = read(&studio, &id, Some(last)).await;
        assert_eq!(rest, all[all.len().min(last as usize)..], "after {last}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn open_streams_end_with_the_server() {
    let studio = Studio::new().await;
    let id = studio.create(&studio.small_job().await).await;
    let request = request(Method::GET, &format!("/api/v1/jobs/{id}/events")).body(Body::empty()).unwrap();
    let response = studio.app.clone().oneshot(request).await.unwrap();
    let reading = tokio::spawn(async move { response.into_body().collect().await.unwrap().to_bytes() });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!reading.is_finished(), "the job waits, and so does the stream");
    studio.end();
    let read = tokio::time::timeout(Duration::from_secs(2), reading).await.unwrap().unwrap();
    assert!(String::from_utf8(read.to_vec()).unwrap().starts_with("id: 1\nevent: queued\n"));
}
