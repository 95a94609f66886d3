//! The formats of picture files, and how finely they hold values.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use impasto_engine::{UnknownWord, words};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::error::{Error, Result};

words! {
    /// The formats that are written.
    pub enum Format {
        /// Lossless.
        Png => "png",
        /// Smaller. The quality says how much is lost.
        Jpeg => "jpeg" | "jpg",
        /// Lossless, not compressed.
        Tiff => "tiff" | "tif",
        /// Lossless.
        WebP => "webp",
    }
}

impl Format {
    /// Returns the format of an extension: `png`, `jpg`/`jpeg`, `tif`/`tiff`, `webp`.
    ///
    /// Errors: there is no such format.
    pub fn of(path: &Path) -> Result<Self> {
        let extension = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
        extension.as_deref().and_then(|extension| extension.parse().ok()).ok_or_else(|| {
            let found = extension.map_or("a name without an extension".into(), |e| format!("the extension `{e}`"));
            let problem = format!("there is no picture format for {found}; use .png, .jpg, .tif or .webp");
            Error::Write { path: path.to_owned(), problem }
        })
    }

    /// Returns the name that people use.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::Tiff => "TIFF",
            Self::WebP => "WebP",
        }
    }

    /// Returns the usual extension of its files.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::Tiff => "tif",
            Self::WebP => "webp",
        }
    }

    /// Returns the longest side, in pixels, that the format has room for.
    pub fn max_side(self) -> usize {
        match self {
            Self::Png | Self::Tiff => i32::MAX as usize,
            Self::Jpeg => 65_535,
            Self::WebP => 16_384,
        }
    }
}

/// How finely values are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BitDepth {
    /// Whole numbers in 0..255.
    #[default]
    Eight,
    /// Whole numbers in 0..65535, in PNG and TIFF.
    Sixteen,
}

impl BitDepth {
    const ALL: [Self; 2] = [Self::Eight, Self::Sixteen];

    /// Returns the bits a value, 8 or 16.
    pub fn bits(self) -> u8 {
        match self {
            Self::Eight => 8,
            Self::Sixteen => 16,
        }
    }

    /// Finds the depth with so many bits a value.
    fn of_bits(bits: &str) -> std::result::Result<Self, UnknownWord> {
        let found = Self::ALL.into_iter().find(|depth| depth.to_string() == bits);
        found.ok_or_else(|| UnknownWord::new(bits, &["8", "16"]))
    }
}

impl fmt::Display for BitDepth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bits().fmt(f)
    }
}

impl FromStr for BitDepth {
    type Err = UnknownWord;

    /// Parses `8` or `16`.
    fn from_str(bits: &str) -> std::result::Result<Self, UnknownWord> {
        Self::of_bits(bits)
    }
}

impl Serialize for BitDepth {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.bits().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for BitDepth {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Self::of_bits(&i64::deserialize(deserializer)?.to_string()).map_err(de::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for BitDepth {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "BitDepth".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "description": "Bits a value.", "enum": BitDepth::ALL.map(BitDepth::bits) })
    }
}
