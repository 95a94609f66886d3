//! What decoders make of a file, before its values become a picture.

use image::DynamicImage;
use image::metadata::Orientation;

/// A decoded file.
pub(crate) struct RawPicture {
    /// The values that the file stores.
    pub(crate) pixels: DynamicImage,
    /// Whether the four channels are inks.
    pub(crate) is_cmyk: bool,
    /// Whether the colours are multiplied by the opacity.
    pub(crate) is_premultiplied: bool,
    /// The colour profile, or why it cannot be read.
    pub(crate) icc: Result<Option<Vec<u8>>, String>,
    /// The EXIF block, or why it cannot be read.
    pub(crate) exif: Result<Option<Vec<u8>>, String>,
    /// The orientation, if it is noted outside of EXIF.
    pub(crate) orientation: Option<Orientation>,
}
