//! Who may ask, and what is refused, each with its own words.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use impasto_studio::server::Limits;
use serde_json::{Value, json};

use crate::harness::{HOST, Studio, TOKEN, picture, request};

fn bare(method: Method, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path).header(header::HOST, HOST)
}

#[tokio::test]
async fn only_who_has_the_token_may_ask() {
    let studio = Studio::new().await;
    for path in ["/api/v1/system", "/api/v1/jobs", "/metrics", "/api/v1/openapi.json", "/api/v1/none"] {
        let answer = studio.send(bare(Method::GET, path).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
        assert!(answer.message().contains("impasto studio"), "{path}");
    }
    for wrong in ["", "Bearer ", "Bearer x", "Basic abc"] {
        let request = bare(Method::GET, "/api/v1/jobs").header(header::AUTHORIZATION, wrong);
        assert_eq!(studio.send(request.body(Body::empty()).unwrap()).await.status, StatusCode::UNAUTHORIZED, "{wrong}");
    }
    // The page itself and the health of the studio are no secrets.
    for path in ["/", "/docs", "/healthz"] {
        let answer = studio.send(bare(Method::GET, path).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn the_address_with_the_token_gives_a_cookie_and_hides_the_token() {
    let studio = Studio::new().await;
    let entrance = |token: &str| bare(Method::GET, &format!("/?token={token}")).body(Body::empty()).unwrap();
    assert_eq!(studio.send(entrance("wrong")).await.status, StatusCode::UNAUTHORIZED);
    let answer = studio.send(entrance(TOKEN)).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/"));
    let cookie = answer.header("set-cookie").to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let pair = cookie.split(';').next().unwrap();
    let with_cookie = |method: Method, path: &str| bare(method, path).header(header::COOKIE, format!("a=b; {pair}"));
    let answer = studio.send(with_cookie(Method::GET, "/api/v1/jobs").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);

    // With the cookie, what changes something must come from the studio's own page.
    let origins = [
        (format!("http://{HOST}"), StatusCode::NOT_FOUND),
        ("http://evil.example".to_owned(), StatusCode::FORBIDDEN),
        ("null".to_owned(), StatusCode::FORBIDDEN),
        (format!("http://{HOST}.evil.example"), StatusCode::FORBIDDEN),
    ];
    for (origin, status) in origins {
        let request = with_cookie(Method::DELETE, "/api/v1/jobs/none").header(header::ORIGIN, &origin);
        assert_eq!(studio.send(request.body(Body::empty()).unwrap()).await.status, status, "{origin}");
    }
    let request = with_cookie(Method::DELETE, "/api/v1/jobs/none").header("sec-fetch-site", "cross-site");
    assert_eq!(studio.send(request.body(Body::empty()).unwrap()).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn other_hosts_are_refused_even_with_the_token() {
    let studio = Studio::new().await;
    let request = Request::builder()
        .uri("/api/v1/jobs")
        .header(header::HOST, "evil.example:4747")
        .header(header::AUTHORIZATION, format!("Bearer {TOKEN}"));
    let answer = studio.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.message().contains("--host"));
}

#[tokio::test]
async fn every_answer_says_what_the_page_may_do() {
    let studio = Studio::new().await;
    for path in ["/", "/api/v1/jobs", "/none"] {
        let answer = studio.get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
    }
}

#[tokio::test]
async fn files_that_are_too_large_or_no_pictures_are_refused() {
    let limits = Limits { file_bytes: 1 << 20, pixels: 10_000, free_disk: 0, ..Limits::default() };
    let studio = Studio::with_limits(limits).await;
    let answer = studio.upload("large.png", vec![0; (1 << 20) + 1]).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(answer.message(), "large.png is longer than 1 MiB; send a smaller file");
    let answer = studio.upload("wide.png", picture(101, 100, 1)).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{answer:?}");
    let answer = studio.upload("text.png", b"no picture".to_vec()).await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{answer:?}");
    assert!(answer.message().starts_with("text.png"), "{answer:?}");
    assert_eq!(studio.upload("empty.png", vec![]).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let answer = studio.send(request(Method::POST, "/api/v1/files").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn full_queues_disks_and_stores_are_refused() {
    let studio = Studio::with_limits(Limits { queue: 1, files: 11, free_disk: 0, ..Limits::default() }).await;
    let job = studio.small_job().await;
    let answer = studio.upload("more.png", picture(20, 20, 9)).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{answer:?}");
    studio.create(&job).await;
    let answer = studio.post("/api/v1/jobs", &json!({ "job": job })).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{answer:?}");

    let studio = Studio::with_limits(Limits { free_disk: u64::MAX, ..Limits::default() }).await;
    let answer = studio.upload("a.png", picture(20, 20, 9)).await;
    assert_eq!(
        (answer.status, &answer.json()["error"]["code"]),
        (StatusCode::CONFLICT, &json!("no-room")),
        "{answer:?}"
    );
}

/// A change of the small job, and the beginning of what is said of it.
const BAD_JOBS: [(&str, &str, &str); 10] = [
    ("/options/strength", "700", "`options.strength`"),
    ("/options/stile", "1", "`options.stile`"),
    ("/kind", "\"sweep\"", "`kind` is sweep"),
    ("/version", "9", "`version` is 9"),
    ("/output/file", "\"/etc/passwd\"", "`output.file` cannot be given here"),
    ("/output/save-every", "5", "`output.save-every` cannot be given here"),
    ("/inputs/weights", "\"w.safetensors\"", "`inputs.weights` cannot be given here"),
    ("/inputs/content", "\"photo.png\"", "`inputs.content.sha256` is missing"),
    ("/inputs/styles", "[]", "`inputs.styles` is missing"),
    ("/options/size", "1000000", "`options.size`"),
];

#[tokio::test]
async fn jobs_that_cannot_be_made_are_refused_with_their_field() {
    let studio = Studio::new().await;
    let good = studio.small_job().await;
    for (pointer, value, message) in BAD_JOBS {
        let mut job = good.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        job.pointer_mut(parent).unwrap()[name] = serde_json::from_str(value).unwrap();
        for (path, body) in [("/api/v1/jobs", json!({ "job": job })), ("/api/v1/plan", job.clone())] {
            let answer = studio.post(path, &body).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{pointer}: {answer:?}");
            assert!(answer.message().starts_with(message), "{pointer}: {}", answer.message());
            let field = message.trim_start_matches('`').split('`').next().unwrap();
            assert_eq!(answer.json()["error"]["field"], field, "{pointer}");
        }
    }
    let mut unknown = good.clone();
    unknown["inputs"]["content"]["sha256"] = "0".repeat(64).into();
    let answer = studio.post("/api/v1/jobs", &json!({ "job": unknown })).await;
    assert_eq!(answer.message(), "`inputs.content` is photo.png, which is not uploaded; upload it first");
    for body in [Value::Null, json!({}), json!({ "job": 3 }), json!({ "job": good, "what": 1 })] {
        assert_eq!(studio.post("/api/v1/jobs", &body).await.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
    }
}

#[tokio::test]
async fn what_would_harm_the_queue_is_refused() {
    let studio = Studio::new().await;
    let good = studio.small_job().await;
    let refused = |body: Value| {
        let studio = &studio;
        async move {
            let answer = studio.post("/api/v1/jobs", &body).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{answer:?}");
            answer.message()
        }
    };
    let mut job = good.clone();
    job["inputs"]["styles"] = vec![good["inputs"]["styles"][0].clone(); 17].into();
    assert!(refused(json!({ "job": job })).await.starts_with("`inputs.styles` are more than 16"));
    let mut job = good.clone();
    job["options"] = json!({ "size": 512 });
    assert!(refused(json!({ "job": job, "preview": true })).await.starts_with("`options.size` is too large"));
    job["options"] = json!({ "size": 48, "steps": 101 });
    assert!(refused(json!({ "job": job, "preview": true })).await.starts_with("`options.steps` are too many"));
    for sha256 in ["\0", "..", "../../x", &"A".repeat(63), &"g".repeat(64)] {
        let mut job = good.clone();
        job["inputs"]["content"]["sha256"] = sha256.into();
        assert!(refused(json!({ "job": job })).await.contains("not uploaded"), "{sha256:?}");
    }
    for path in ["/api/v1/files/%00", "/api/v1/files/..%2F..%2Fx/bytes", "/api/v1/jobs/%00"] {
        assert_eq!(studio.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let long = format!("/api/v1/jobs?search={}", "_".repeat(30_000));
    assert_eq!(studio.get(&long).await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn only_what_can_be_adjusted_is() {
    let studio = Studio::new().await;
    let transfer = studio.small_job().await;
    let mut texture = transfer.clone();
    texture["kind"] = "texture".into();
    texture["inputs"].as_object_mut().unwrap().remove("content");
    let mut paper = transfer.clone();
    paper["options"] = json!({ "objective": "paper", "size": 48 });
    for (job, adjust, status) in [
        (&texture, json!({ "action": "adjust", "tv-weight": 1 }), StatusCode::UNPROCESSABLE_ENTITY),
        (&paper, json!({ "action": "adjust", "strength": 10 }), StatusCode::UNPROCESSABLE_ENTITY),
        (&paper, json!({ "action": "adjust", "tv-weight": 1 }), StatusCode::OK),
        (&transfer, json!({ "action": "adjust", "strength": 10 }), StatusCode::OK),
    ] {
        let id = studio.create(job).await;
        let answer = studio.post(&format!("/api/v1/jobs/{id}/control"), &adjust).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
}

#[tokio::test]
async fn a_name_of_any_length_is_kept_short() {
    let studio = Studio::new().await;
    let file = studio.upload(&"%F0%9F%98%80".repeat(200), picture(20, 20, 5)).await.json();
    assert!(file["name"].as_str().unwrap().len() <= 120, "{file}");
}

#[tokio::test]
async fn bodies_that_are_no_json_are_refused() {
    let studio = Studio::new().await;
    let send = |kind: &'static str, body: String| {
        let request = request(Method::POST, "/api/v1/jobs").header(header::CONTENT_TYPE, kind);
        studio.send(request.body(body.into()).unwrap())
    };
    assert_eq!(send("text/plain", "{}".into()).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(send("application/json", "{".into()).await.status, StatusCode::BAD_REQUEST);
    let long = format!("\"{}\"", "x".repeat(2 << 20));
    assert_eq!(send("application/json", long).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let studio = Studio::new().await;
    let none = "f".repeat(64);
    for path in [
        "/api/v1/none".to_owned(),
        "/none".to_owned(),
        "/../Cargo.toml".to_owned(),
        format!("/api/v1/files/{none}"),
        format!("/api/v1/files/{none}/bytes"),
        format!("/api/v1/files/{none}/thumbnail"),
        "/api/v1/jobs/none".to_owned(),
        "/api/v1/jobs/no%20ne".to_owned(),
        "/api/v1/jobs/none/events".to_owned(),
        "/api/v1/jobs/none/result".to_owned(),
        "/api/v1/jobs/none/preview".to_owned(),
        "/api/v1/jobs/none/thumbnail".to_owned(),
        "/api/v1/jobs/none/command".to_owned(),
    ] {
        let answer = studio.get(&path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(!answer.message().is_empty(), "{path}");
    }
    assert_eq!(studio.delete("/api/v1/jobs/none").await.status, StatusCode::NOT_FOUND);
    assert_eq!(studio.post("/api/v1/jobs/none/restore", &Value::Null).await.status, StatusCode::NOT_FOUND);
    assert_eq!(studio.patch("/api/v1/jobs/none", &json!({ "favourite": true })).await.status, StatusCode::NOT_FOUND);
    let answer = studio.post("/api/v1/jobs/none/control", &json!({ "action": "pause" })).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(studio.delete("/api/v1/system").await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn queries_out_of_their_range_are_refused() {
    let studio = Studio::new().await;
    let job = studio.small_job().await;
    let sha256 = job["inputs"]["content"]["sha256"].as_str().unwrap().to_owned();
    let id = studio.create(&job).await;
    for path in [
        "/api/v1/jobs?limit=0".to_owned(),
        "/api/v1/jobs?limit=201".to_owned(),
        format!("/api/v1/files/{sha256}/thumbnail?size=5000"),
        format!("/api/v1/jobs/{id}/result?bits=12"),
        format!("/api/v1/jobs/{id}/result?format=jpg&bits=16"),
        format!("/api/v1/jobs/{id}/preview?region=1,2,3"),
    ] {
        assert_eq!(studio.get(&path).await.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
    }
    assert_eq!(studio.get("/api/v1/jobs?limit=many").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(studio.get(&format!("/api/v1/jobs/{id}/result")).await.status, StatusCode::CONFLICT);
    assert_eq!(studio.get(&format!("/api/v1/jobs/{id}/preview")).await.status, StatusCode::NOT_FOUND);
    let control = |body: Value| {
        let (studio, path) = (&studio, format!("/api/v1/jobs/{id}/control"));
        async move { studio.post(&path, &body).await.status }
    };
    assert_eq!(control(json!({ "action": "resume" })).await, StatusCode::CONFLICT);
    assert_eq!(control(json!({ "action": "adjust" })).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(control(json!({ "action": "adjust", "strength": 101 })).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(control(json!({ "action": "adjust", "tv-weight": -1 })).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(control(json!({ "action": "pause", "strength": 1 })).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(control(json!({ "action": "stop" })).await, StatusCode::UNPROCESSABLE_ENTITY);
}
