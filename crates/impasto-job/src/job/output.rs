//! Where the result of a job goes, and in which form.

use std::path::PathBuf;

use impasto::picture::{BitDepth, Format};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::{serde_as, skip_serializing_none};

use crate::job::paths::AnyPath;
use crate::job::values::{Count, Quality};

/// Where the result goes, and in which form.
#[serde_as]
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::Args))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Output {
    /// Where the result goes. Its extension (png, jpg, tif, webp) chooses the format. An existing
    /// file is replaced. `-` writes the picture to standard output and the report to standard
    /// error.
    ///
    /// A symbolic link is followed. The new file has the permissions of the one that it replaces,
    /// and its owner if the system allows that. Other names of the replaced file (hard links) keep
    /// the old picture. A pipe or a character device is written to directly. A folder, a socket or
    /// a disk is refused.
    #[cfg_attr(feature = "clap", arg(id = "output", short, long = "output", value_name = "OUT"))]
    #[cfg_attr(feature = "clap", arg(value_hint = clap::ValueHint::FilePath))]
    #[serde_as(as = "Option<AnyPath>")]
    #[schemars(with = "Option<AnyPath>")]
    pub file: Option<PathBuf>,

    /// Also write the picture every N steps, with the step in its name: out-0050.png. [default:
    /// never]
    #[cfg_attr(feature = "clap", arg(long, value_name = "N", allow_hyphen_values = true))]
    #[schemars(extend("x-kinds" = ["transfer"]))]
    pub save_every: Option<Count>,

    /// Format of the result, whatever its name. `-o -` needs it. The result carries the content's
    /// colour profile (RGB), its transparency (a JPEG is laid over white) and its EXIF data.
    /// [default: by the extension]
    #[cfg_attr(feature = "clap", arg(long, value_enum, help_heading = "Output"))]
    pub format: Option<Format>,

    /// Bits of a value: 8, or 16 in PNG and TIFF. [default: 8]
    #[cfg_attr(feature = "clap", arg(long, value_name = "8|16", allow_hyphen_values = true, help_heading = "Output"))]
    pub bit_depth: Option<BitDepth>,

    /// Quality of a JPEG, 1 to 100. [default: 95]
    #[cfg_attr(feature = "clap", arg(long, value_name = "1..100", allow_hyphen_values = true))]
    #[cfg_attr(feature = "clap", arg(help_heading = "Output"))]
    pub quality: Option<Quality>,

    /// Do not write into the picture how it was made. A recipe names the files that went in and the
    /// folder of the picture. [default: off]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "clap", arg(long, help_heading = "Output"))]
    pub no_recipe: bool,
}
