//! The document that describes the API.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::Studio;

#[tokio::test]
async fn every_reference_of_the_document_leads_somewhere() {
    let studio = Studio::new().await;
    let document = studio.get("/api/v1/openapi.json").await.json();
    let mut references = BTreeSet::new();
    collect(&document, &mut references);
    assert!(references.contains("#/components/schemas/Job"), "{references:?}");
    for reference in references {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
}

fn collect(value: &Value, references: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            references.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
            map.values().for_each(|value| collect(value, references));
        }
        Value::Array(list) => list.iter().for_each(|value| collect(value, references)),
        _ => {}
    }
}

#[tokio::test]
async fn every_operation_is_described_with_its_refusals() {
    let studio = Studio::new().await;
    let document = studio.get("/api/v1/openapi.json").await.json();
    let mut number = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            number += 1;
            assert!(operation["summary"].is_string(), "{method} {path}");
            let responses = operation["responses"].as_object().unwrap();
            for status in ["400", "401", "403", "500"] {
                assert!(responses.contains_key(status), "{method} {path} {status}");
            }
            let is_error = |status: &&String| status.starts_with(['4', '5']);
            for status in responses.keys().filter(is_error) {
                let schema = &responses[status]["content"]["application/json"]["schema"]["$ref"];
                assert_eq!(schema, "#/components/schemas/ErrorBody", "{method} {path} {status}");
            }
        }
    }
    assert!(number >= 19, "{number} operations");
}

/// The page's types are made from this file.
#[test]
fn the_page_knows_the_schema_of_a_job() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/web/job-schema.json");
    let known: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(
        known == *impasto_job::schema::schema(),
        "web/job-schema.json is not what `impasto schema` prints; write it anew and run `npm run types` in web/"
    );
}
