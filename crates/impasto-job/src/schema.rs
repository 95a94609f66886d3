//! The JSON Schema of a job, and what it says about single fields.

use std::sync::OnceLock;

use serde_json::Value;

use crate::job::{Job, Kind};

/// The JSON Schema (draft 2020-12) of a [`Job`]. `x-kinds` lists the kinds of job that a field goes
/// with; a field without it goes with all.
pub fn schema() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(|| schemars::schema_for!(Job).to_value())
}

/// Whether a field of a group (`JobOptions`, `Output`) goes with a kind of job.
pub fn goes_with(group: &str, field: &str, kind: Kind) -> bool {
    match &schema()["$defs"][group]["properties"][field]["x-kinds"] {
        Value::Array(kinds) => kinds.iter().any(|word| word == kind.word()),
        _ => true,
    }
}
