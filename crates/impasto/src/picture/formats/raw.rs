//! What decoders make of a file, before its values become a picture.

use image::DynamicImage;
use image::metadata::Orientation;

use crate::picture::loaded::Warning;
use crate::picture::profile::DeclaredColours;

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
    /// The colours that the file declares by numbers. They count if there is no profile.
    pub(crate) colours: Option<DeclaredColours>,
    /// The XMP packet. Its orientation counts if none is noted elsewhere.
    pub(crate) xmp: Option<Vec<u8>>,
    /// The orientation, if the format itself notes it. It counts before that of EXIF.
    pub(crate) orientation: Option<Orientation>,
    /// What else could not be used, or was guessed.
    pub(crate) warnings: Vec<Warning>,
}

impl RawPicture {
    /// Makes a picture from pixels alone.
    pub(crate) fn new(pixels: DynamicImage) -> Self {
        Self {
            pixels,
            is_cmyk: false,
            is_premultiplied: false,
            icc: Ok(None),
            exif: Ok(None),
            colours: None,
            xmp: None,
            orientation: None,
            warnings: Vec::new(),
        }
    }
}
