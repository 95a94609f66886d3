//! The files that go into a job.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_with::{SerializeAs, serde_as, skip_serializing_none};

use crate::files;
use crate::job::paths::AnyPath;
use crate::job::values::{Crop, Rotations, Weight};

/// The files that go into a picture. Paths are relative to the folder that the job is run in, or,
/// in a recipe, to the picture's folder.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Inputs {
    /// The picture to be painted, usually a photo. A texture has none.
    pub content: Option<InputFile>,
    /// The styles, in their order. Several are blended, or each has its part of the mask.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub styles: Vec<StyleInput>,
    /// Where on the content the styles go.
    pub mask: Option<InputFile>,
    /// What of the content stays as it is.
    pub keep: Option<InputFile>,
    /// Where to start.
    pub init: Option<InitFrom>,
    /// A safetensors file with the network's weights, in place of those in the program.
    pub weights: Option<InputFile>,
}

/// A file by its path, with or without the checksum that it must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputFile {
    /// The path; `-` is standard input.
    pub path: PathBuf,
    /// SHA-256 of its bytes in hexadecimal. A job that states it refuses a file with another.
    pub sha256: Option<String>,
    /// The bytes of a pipe or of standard input, once they have been read: they cannot be read
    /// again. They are no part of the job as it is written.
    pub held: Option<Arc<[u8]>>,
}

impl InputFile {
    /// What messages call it.
    pub fn name(&self) -> &Path {
        if files::is_stream(&self.path) { Path::new("standard input") } else { &self.path }
    }
}

/// A style and how it is looked at.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[serde(expecting = "a style as a map, such as { \"file\": \"painting.jpg\" }")]
pub struct StyleInput {
    /// A picture, or a file of `impasto style save`.
    pub file: InputFile,
    /// Part in a blend, relative to the other styles. [default: 1]
    pub weight: Option<Weight>,
    /// What of the picture counts: white does, black does not. [default: all of it]
    pub mask: Option<InputFile>,
    /// How the picture is looked at.
    #[serde(default, skip_serializing_if = "StyleLook::is_plain")]
    pub look: StyleLook,
}

/// How a style picture is looked at. Every option here is one of the command line, for all styles.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::Args))]
#[cfg_attr(feature = "clap", command(next_help_heading = "Styles and regions"))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct StyleLook {
    /// Average the style over copies of the picture: 2 or 4 turned by equal angles, or 8, of which
    /// 4 are mirrored. Strokes then run in more directions. [default: 1]
    #[cfg_attr(feature = "clap", arg(long = "style-rotations", value_name = "1|2|4|8"))]
    #[cfg_attr(feature = "clap", arg(allow_hyphen_values = true))]
    pub rotations: Option<Rotations>,

    /// Take only this rectangle of the (first) style picture: its left and upper edge, width and
    /// height, in px of the file or in percent, as in 10%,0%,50%,50%. [default: all of it]
    #[cfg_attr(feature = "clap", arg(long = "style-crop", value_name = "X,Y,W,H"))]
    #[cfg_attr(feature = "clap", arg(allow_hyphen_values = true))]
    pub crop: Option<Crop>,

    /// Leave out a uniform frame around a style picture, such as a black mount or a white margin. A
    /// frame that stays comes back in the result, as dark or pale edges. A style that --style-crop
    /// cuts is taken as it is cut. [default: auto]
    #[cfg_attr(feature = "clap", arg(long = "style-trim", value_enum))]
    pub trim: Option<StyleTrim>,
}

/// What becomes of a uniform frame around a style picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum StyleTrim {
    /// It is left out, and a line says so.
    #[default]
    Auto,
    /// It stays.
    None,
}

impl StyleLook {
    /// Whether nothing is asked for.
    pub fn is_plain(&self) -> bool {
        *self == StyleLook::default()
    }
}

/// Where a run starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InitFrom {
    /// From the content.
    Content,
    /// From white noise.
    Noise,
    /// From mid-grey.
    Grey,
    /// From a picture.
    File(InputFile),
}

/// The words of [`InitFrom`]. A file with such a name is written `./noise`.
const INIT_WORDS: [(&str, InitFrom); 3] =
    [("content", InitFrom::Content), ("noise", InitFrom::Noise), ("grey", InitFrom::Grey)];

impl From<PathBuf> for InputFile {
    fn from(path: PathBuf) -> InputFile {
        InputFile { path, sha256: None, held: None }
    }
}

impl From<&str> for InputFile {
    fn from(path: &str) -> InputFile {
        PathBuf::from(path).into()
    }
}

impl From<PathBuf> for StyleInput {
    /// All of the file, with the weight 1.
    fn from(path: PathBuf) -> StyleInput {
        StyleInput { file: path.into(), weight: None, mask: None, look: StyleLook::default() }
    }
}

impl From<&str> for StyleInput {
    /// All of the file, with the weight 1.
    fn from(path: &str) -> StyleInput {
        PathBuf::from(path).into()
    }
}

impl From<PathBuf> for InitFrom {
    /// A word, or else a file.
    fn from(path: PathBuf) -> InitFrom {
        let word = INIT_WORDS.into_iter().find(|(word, _)| path.as_os_str() == *word);
        word.map_or_else(|| InitFrom::File(path.into()), |(_, init)| init)
    }
}

impl Inputs {
    /// Every file, with its place in the job: `inputs.styles[0].mask`.
    pub fn files(&self) -> Vec<(String, &InputFile)> {
        let Inputs { content, styles, mask, keep, init, weights } = self;
        let init = match init {
            Some(InitFrom::File(file)) => Some(file),
            _ => None,
        };
        let named = |name: &str, file: &'_ Option<InputFile>| file.as_ref().map(|_| format!("inputs.{name}"));
        let mut files: Vec<(String, &InputFile)> = Vec::new();
        files.extend(named("content", content).zip(content.as_ref()));
        for (i, StyleInput { file, mask, .. }) in styles.iter().enumerate() {
            files.push((format!("inputs.styles[{i}].file"), file));
            files.extend(mask.as_ref().map(|mask| (format!("inputs.styles[{i}].mask"), mask)));
        }
        files.extend(named("mask", mask).zip(mask.as_ref()));
        files.extend(named("keep", keep).zip(keep.as_ref()));
        files.extend(init.map(|file| ("inputs.init".to_owned(), file)));
        files.extend(named("weights", weights).zip(weights.as_ref()));
        files
    }

    /// The same files, to change; in the order of [`Inputs::files`].
    pub fn files_mut(&mut self) -> Vec<&mut InputFile> {
        let Inputs { content, styles, mask, keep, init, weights } = self;
        let init = match init {
            Some(InitFrom::File(file)) => Some(file),
            _ => None,
        };
        let styles = styles.iter_mut().flat_map(|StyleInput { file, mask, .. }| [Some(file), mask.as_mut()]);
        let all = [content.as_mut()].into_iter().chain(styles);
        all.chain([mask.as_mut(), keep.as_mut(), init, weights.as_mut()]).flatten().collect()
    }
}

/// [`InputFile`] as a map.
#[serde_as]
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct PathAndChecksum {
    #[serde_as(as = "AnyPath")]
    path: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
}

impl Serialize for InputFile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            InputFile { path, sha256: None, .. } if path.to_str().is_some() => AnyPath::serialize_as(path, serializer),
            InputFile { path, sha256, .. } => {
                PathAndChecksum { path: path.clone(), sha256: sha256.clone() }.serialize(serializer)
            }
        }
    }
}

impl<'de> Deserialize<'de> for InputFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<InputFile, D::Error> {
        struct File;

        impl<'de> Visitor<'de> for File {
            type Value = InputFile;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the path of a file, or `path` and `sha256`")
            }

            fn visit_str<E: de::Error>(self, path: &str) -> Result<InputFile, E> {
                Ok(PathBuf::from(path).into())
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<InputFile, A::Error> {
                let PathAndChecksum { path, sha256 } = Deserialize::deserialize(MapAccessDeserializer::new(map))?;
                Ok(InputFile { path, sha256, held: None })
            }
        }

        deserializer.deserialize_any(File)
    }
}

impl JsonSchema for InputFile {
    fn schema_name() -> Cow<'static, str> {
        "InputFile".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A file by its path, with or without the SHA-256 that it must have.",
            "oneOf": [
                { "type": "string" },
                {
                    "type": "object",
                    "properties": {
                        "path": generator.subschema_for::<AnyPath>(),
                        "sha256": { "type": "string", "pattern": "^[0-9a-fA-F]{64}$" }
                    },
                    "required": ["path"],
                    "additionalProperties": false
                }
            ]
        })
    }
}

impl Serialize for InitFrom {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some((word, _)) = INIT_WORDS.iter().find(|(_, init)| init == self) {
            return word.serialize(serializer);
        }
        let InitFrom::File(file) = self else { unreachable!("all others are words") };
        if INIT_WORDS.iter().any(|(word, _)| file.path.as_os_str() == *word) {
            // As a map it is no word.
            return PathAndChecksum { path: file.path.clone(), sha256: file.sha256.clone() }.serialize(serializer);
        }
        file.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for InitFrom {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<InitFrom, D::Error> {
        struct Init;

        impl<'de> Visitor<'de> for Init {
            type Value = InitFrom;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`content`, `noise`, `grey`, or a file")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<InitFrom, E> {
                Ok(PathBuf::from(text).into())
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<InitFrom, A::Error> {
                InputFile::deserialize(MapAccessDeserializer::new(map)).map(InitFrom::File)
            }
        }

        deserializer.deserialize_any(Init)
    }
}

impl JsonSchema for InitFrom {
    fn schema_name() -> Cow<'static, str> {
        "InitFrom".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let file = generator.subschema_for::<InputFile>();
        json_schema!({
            "description": "Where to start: from the content, from white noise, from mid-grey, or from a picture.",
            "anyOf": [{ "enum": INIT_WORDS.map(|(word, _)| word) }, file]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_paths_or_paths_with_a_checksum() {
        let plain: InputFile = serde_json::from_str("\"a.jpg\"").unwrap();
        assert_eq!(plain, PathBuf::from("a.jpg").into());
        let checked = InputFile { sha256: Some("00".to_owned()), ..InputFile::from("a.jpg") };
        for file in [plain, checked] {
            let json = serde_json::to_string(&file).unwrap();
            assert_eq!(serde_json::from_str::<InputFile>(&json).unwrap(), file, "{json}");
        }
        assert!(serde_json::from_str::<InputFile>("3").is_err());
        assert!(serde_json::from_str::<InputFile>(r#"{"path": "a", "sha": "b"}"#).is_err());
    }

    #[test]
    fn a_start_is_a_word_or_a_file_even_one_that_is_called_like_a_word() {
        let file = |path: &str| InitFrom::File(PathBuf::from(path).into());
        for init in [InitFrom::Content, InitFrom::Noise, InitFrom::Grey, file("a.png"), file("./noise"), file("noise")]
        {
            let json = serde_json::to_string(&init).unwrap();
            assert_eq!(serde_json::from_str::<InitFrom>(&json).unwrap(), init, "{json}");
        }
    }

    #[test]
    fn both_lists_of_files_have_all_in_one_order() {
        let file = |name: &str| Some(InputFile::from(PathBuf::from(name)));
        let style = StyleInput { mask: file("m"), ..PathBuf::from("s").into() };
        let mut inputs = Inputs {
            content: file("c"),
            styles: vec![style, PathBuf::from("t").into()],
            mask: file("r"),
            keep: file("k"),
            init: Some(InitFrom::File(PathBuf::from("i").into())),
            weights: file("w"),
        };
        let paths = |files: Vec<&InputFile>| files.iter().map(|f| f.path.clone()).collect::<Vec<_>>();
        let named = inputs.files();
        assert_eq!(named[2].0, "inputs.styles[0].mask");
        let read = paths(named.into_iter().map(|(_, file)| file).collect());
        let changed = paths(inputs.files_mut().into_iter().map(|file| &*file).collect());
        assert_eq!(read, changed);
        assert_eq!(read.len(), 8);
    }
}
