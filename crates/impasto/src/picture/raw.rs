//! What decoders make of a file, before its values become a picture.

use image::DynamicImage;
use image::metadata::Orientation;

/// What the decoders make of a file.
pub(crate) struct RawPicture {
    /// In the values of the file.
    pub(crate) pixels: DynamicImage,
    /// The four channels are inks.
    pub(crate) is_cmyk: bool,
    /// The colours are multiplied by the opacity.
    pub(crate) is_premultiplied: bool,
    /// The colour profile, or why it cannot be read.
    pub(crate) icc: Result<Option<Vec<u8>>, String>,
    /// The EXIF block, or why it cannot be read.
    pub(crate) exif: Result<Option<Vec<u8>>, String>,
    /// Where it is noted outside of EXIF.
    pub(crate) orientation: Option<Orientation>,
}
