//! Paths in a job, whatever bytes they are made of.

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize, Serializer};
use serde_with::{DeserializeAs, SerializeAs, serde_as};

/// How a path is written: as text, or, if its name is not Unicode, as `{ "bytes": HEX }`.
///
/// Names of files are bytes on Linux and need not be text. Every one can be written and read again.
#[derive(Clone, Copy, Debug)]
pub struct AnyPath;

#[derive(Deserialize, Serialize)]
#[serde(untagged)]
enum Written<'a> {
    Text(Cow<'a, str>),
    Bytes(Bytes),
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Bytes {
    /// Two hexadecimal digits for each byte.
    bytes: String,
}

impl SerializeAs<PathBuf> for AnyPath {
    fn serialize_as<S: Serializer>(path: &PathBuf, serializer: S) -> Result<S::Ok, S::Error> {
        let written = match path.to_str() {
            Some(text) => Written::Text(text.into()),
            None => Written::Bytes(Bytes { bytes: hexadecimal(path) }),
        };
        written.serialize(serializer)
    }
}

impl<'de> DeserializeAs<'de, PathBuf> for AnyPath {
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
        let expected = || de::Error::custom("expected the path of a file, or `bytes` with hexadecimal digits");
        match Written::deserialize(deserializer).map_err(|_| expected())? {
            Written::Text(text) => Ok(text.into_owned().into()),
            Written::Bytes(Bytes { bytes }) => from_hexadecimal(&bytes).ok_or_else(expected),
        }
    }
}

/// How a list of paths is written: each as [`AnyPath`] says.
#[derive(Clone, Copy, Debug)]
pub struct AnyPaths;

/// A path as [`AnyPath`] writes and reads it.
#[serde_as]
#[derive(Deserialize, Serialize)]
#[serde(transparent)]
struct OnePath(#[serde_as(as = "AnyPath")] PathBuf);

impl SerializeAs<Vec<PathBuf>> for AnyPaths {
    fn serialize_as<S: Serializer>(paths: &Vec<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(paths.iter().cloned().map(OnePath))
    }
}

impl<'de> DeserializeAs<'de, Vec<PathBuf>> for AnyPaths {
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PathBuf>, D::Error> {
        let paths = Vec::<OnePath>::deserialize(deserializer)?;
        Ok(paths.into_iter().map(|OnePath(path)| path).collect())
    }
}

impl JsonSchema for AnyPath {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "AnyPath".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                { "type": "string" },
                {
                    "description": "A name that is not Unicode, two hexadecimal digits a byte.",
                    "type": "object",
                    "properties": { "bytes": { "type": "string", "pattern": "^([0-9a-f]{2})+$" } },
                    "required": ["bytes"],
                    "additionalProperties": false
                }
            ]
        })
    }
}

fn hexadecimal(path: &Path) -> String {
    path.as_os_str().as_encoded_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hexadecimal(digits: &str) -> Option<PathBuf> {
    let pairs = digits.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    let bytes = pairs.collect::<Option<Vec<u8>>>().filter(|_| digits.len().is_multiple_of(2))?;
    name_of_bytes(bytes).map(PathBuf::from)
}

#[cfg(unix)]
fn name_of_bytes(bytes: Vec<u8>) -> Option<OsString> {
    Some(std::os::unix::ffi::OsStringExt::from_vec(bytes))
}

/// Elsewhere names are made of other units, and a name from there means nothing here.
#[cfg(not(unix))]
fn name_of_bytes(_bytes: Vec<u8>) -> Option<OsString> {
    None
}
