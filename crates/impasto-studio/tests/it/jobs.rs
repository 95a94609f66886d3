//! Files and jobs: uploading, creating, listing, changing, deleting.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Studio, picture, request};

#[tokio::test]
async fn a_file_is_kept_once_by_its_checksum() {
    let studio = Studio::new().await;
    let bytes = picture(60, 40, 5);
    let first = studio.upload("my%20photo.png", bytes.clone()).await;
    assert_eq!(first.status, StatusCode::CREATED);
    let file = first.json();
    assert_eq!((&file["name"], &file["width"], &file["height"]), (&json!("my photo.png"), &json!(60), &json!(40)));
    let again = studio.upload("other.png", bytes.clone()).await;
    assert_eq!((again.status, again.json()), (StatusCode::OK, file.clone()));

    let path = format!("/api/v1/files/{}", file["sha256"].as_str().unwrap());
    assert_eq!(studio.get(&path).await.json(), file);
    assert_eq!(studio.get(&format!("{path}/bytes")).await.body, bytes);
    let small = studio.get(&format!("{path}/thumbnail?size=30")).await;
    assert_eq!(small.header("content-type"), "image/jpeg");
    let small = image::load_from_memory(&small.body).unwrap();
    assert_eq!((small.width(), small.height()), (30, 20));
}

#[tokio::test]
async fn names_of_files_are_never_paths() {
    let studio = Studio::new().await;
    let file = studio.upload("..%2F..%2Fetc%2Fpasswd", picture(20, 20, 5)).await.json();
    assert_eq!(file["name"], "passwd");
    let mut job = studio.small_job().await;
    job["inputs"]["content"]["path"] = "/etc/../home/x/my photo.png".into();
    let id = studio.create(&job).await;
    let view = studio.get(&format!("/api/v1/jobs/{id}")).await.json();
    assert_eq!(
        (&view["job"]["inputs"]["content"]["path"], &view["title"]),
        (&json!("my photo.png"), &json!("my photo × style"))
    );
}

#[tokio::test]
async fn a_plan_says_what_a_job_takes() {
    let studio = Studio::new().await;
    let job = studio.small_job().await;
    let plan = studio.post("/api/v1/plan", &job).await;
    assert_eq!(plan.status, StatusCode::OK, "{plan:?}");
    let plan = plan.json();
    assert_eq!(plan["size"], json!([48, 36]));
    assert!(plan["seconds"].as_f64() > Some(0.0) && plan["peak_memory"].as_u64() > Some(0), "{plan}");
    assert_eq!(plan["scales"][0]["steps"], 6);
    assert_eq!(studio.post("/api/v1/plan", &job).await.json(), plan, "it is remembered");

    // Errors name files and no folder.
    let mut tiny = job.clone();
    tiny["inputs"]["content"]["sha256"] = studio.upload("tiny.png", picture(3, 2, 1)).await.json()["sha256"].clone();
    let refused = studio.post("/api/v1/plan", &tiny).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let folder = studio.folder.path().display().to_string();
    assert!(refused.message().contains("photo.png") && !refused.message().contains(&folder), "{}", refused.message());
}

#[tokio::test]
async fn the_same_request_with_a_key_creates_one_job() {
    let studio = Studio::new().await;
    let job = studio.small_job().await;
    let create = |key: &'static str, body: Value| {
        let request = request(Method::POST, "/api/v1/jobs")
            .header("idempotency-key", key)
            .header("content-type", "application/json");
        studio.send(request.body(body.to_string().into()).unwrap())
    };
    let body = json!({ "job": job });
    let (first, second) = tokio::join!(create("a", body.clone()), create("a", body.clone()));
    let mut statuses = [first.status, second.status];
    statuses.sort();
    assert_eq!(statuses, [StatusCode::OK, StatusCode::CREATED]);
    assert_eq!(first.json()["id"], second.json()["id"]);
    let other = create("a", json!({ "job": job, "priority": 1 })).await;
    assert_eq!(other.status, StatusCode::CONFLICT);
    assert_eq!(create("b", body.clone()).await.status, StatusCode::CREATED);
    assert_eq!(create("", body.clone()).await.status, StatusCode::BAD_REQUEST);
    let id = first.json()["id"].as_str().unwrap().to_owned();
    studio.delete(&format!("/api/v1/jobs/{id}")).await;
    let deleted = create("a", body).await;
    assert_eq!(deleted.status, StatusCode::CONFLICT);
    assert!(deleted.message().contains("was deleted"), "{}", deleted.message());
    studio.post(&format!("/api/v1/jobs/{id}/restore"), &Value::Null).await;
    assert_eq!(studio.get("/api/v1/jobs").await.json()["jobs"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn jobs_are_listed_searched_and_paged() {
    let studio = Studio::new().await;
    let mut job = studio.small_job().await;
    let mut ids = Vec::new();
    for name in ["Beach_1.png", "beach2.png", "Öl%.png"] {
        job["inputs"]["content"]["path"] = name.into();
        ids.push(studio.create(&job).await);
    }
    studio.post("/api/v1/jobs", &json!({ "job": job, "group": "variants" })).await;
    studio.post("/api/v1/jobs", &json!({ "job": job, "preview": true })).await;
    let list = |query: &'static str| {
        let studio = &studio;
        async move {
            let list = studio.get(&format!("/api/v1/jobs{query}")).await.json();
            let ids = list["jobs"].as_array().unwrap().iter().map(|job| job["id"].as_str().unwrap().to_owned());
            (ids.collect::<Vec<_>>(), list["next"].clone())
        }
    };
    assert_eq!(list("").await, ([&ids[2], &ids[1], &ids[0]].map(Clone::clone).to_vec(), Value::Null));
    assert_eq!(list("?search=BEACH").await.0.len(), 2);
    assert_eq!(list("?search=_1").await.0, [ids[0].clone()], "a wildcard of the database is a letter here");
    assert_eq!(list("?search=%C3%B6l_").await.0, [ids[2].clone()], "small letters of any language");
    assert_eq!(list("?group=variants").await.0.len(), 1);
    assert_eq!(list("?state=done").await.0.len(), 0);
    let (page, next) = list("?limit=2").await;
    assert_eq!(page, [ids[2].clone(), ids[1].clone()]);
    let rest = studio.get(&format!("/api/v1/jobs?limit=2&before={next}")).await.json();
    assert_eq!((&rest["jobs"][0]["id"], &rest["next"]), (&json!(ids[0]), &Value::Null));

    let star = studio.patch(&format!("/api/v1/jobs/{}", ids[1]), &json!({ "favourite": true })).await;
    assert_eq!(star.json()["favourite"], true);
    assert_eq!(list("?favourite=true").await.0, [ids[1].clone()]);
    // The first of the queue has nothing before it, the last one all others. Previews have a lane
    // of their own.
    let ahead = studio.get("/api/v1/jobs").await.json()["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| job["ahead"].clone())
        .collect::<Vec<_>>();
    assert_eq!(ahead, [2, 1, 0]);
}

#[tokio::test]
async fn a_deleted_job_can_be_restored_and_is_cancelled_meanwhile() {
    let studio = Studio::new().await;
    let id = studio.create(&studio.small_job().await).await;
    let path = format!("/api/v1/jobs/{id}");
    assert_eq!(studio.delete(&path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(studio.get(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(studio.delete(&path).await.status, StatusCode::NOT_FOUND);
    let restored = studio.post(&format!("{path}/restore"), &Value::Null).await;
    assert_eq!((restored.status, &restored.json()["state"]), (StatusCode::OK, &json!("cancelled")));
}

#[tokio::test]
async fn waiting_jobs_are_paused_resumed_adjusted_and_cancelled() {
    let studio = Studio::new().await;
    let id = studio.create(&studio.small_job().await).await;
    for (body, state) in [
        (json!({ "action": "pause" }), "paused"),
        (json!({ "action": "adjust", "strength": 80 }), "paused"),
        (json!({ "action": "resume" }), "queued"),
        (json!({ "action": "cancel" }), "cancelled"),
    ] {
        let answer = studio.post(&format!("/api/v1/jobs/{id}/control"), &body).await;
        assert_eq!((answer.status, &answer.json()["state"]), (StatusCode::OK, &json!(state)), "{body}");
    }
    let answer = studio.post(&format!("/api/v1/jobs/{id}/control"), &json!({ "action": "pause" })).await;
    assert_eq!(
        (answer.status, answer.message()),
        (StatusCode::CONFLICT, "the job is cancelled, so it cannot be paused".to_owned())
    );
    let words: Vec<String> = studio.events(&id).await.into_iter().map(|(word, _)| word).collect();
    assert_eq!(words, ["queued", "paused", "resumed", "cancelled", "end"]);
}

#[tokio::test]
async fn two_inputs_of_one_name_have_two_in_the_command() {
    let studio = Studio::new().await;
    let mut job = studio.small_job().await;
    job["inputs"]["content"]["path"] = "image.jpg".into();
    job["inputs"]["styles"][0]["file"]["path"] = "image.jpg".into();
    let id = studio.create(&job).await;
    let command = studio.get(&format!("/api/v1/jobs/{id}/command")).await.json();
    assert!(command["command"].as_str().unwrap().starts_with("impasto image.jpg image-2.jpg "), "{command}");
}

#[tokio::test]
async fn the_system_has_a_gallery_that_can_be_used_at_once() {
    let studio = Studio::new().await;
    let system = studio.get("/api/v1/system").await.json();
    let gallery = system["gallery"].as_array().unwrap();
    assert!(gallery.len() >= 5, "{gallery:?}");
    let example = &system["example"];
    for file in gallery.iter().map(|entry| &entry["file"]).chain([&example["content"], &example["style"]]) {
        let path = format!("/api/v1/files/{}/thumbnail", file["sha256"].as_str().unwrap());
        assert_eq!(studio.get(&path).await.status, StatusCode::OK, "{file}");
    }
    let metrics = String::from_utf8(studio.get("/metrics").await.body).unwrap();
    assert!(metrics.contains("impasto_jobs{state=\"queued\"} 0"), "{metrics}");
    assert!(metrics.contains("impasto_http_requests_total{status=\"200\"}"), "{metrics}");
    assert!(metrics.ends_with("# EOF\n"), "{metrics}");
}
