//! What a HEIF file says about its pixels, and how both become a picture.

use image::DynamicImage;
use image::metadata::Orientation;

use crate::picture::formats::heif::container::{Container, Name};
use crate::picture::formats::heif::fault::Fault;
use crate::picture::formats::raw::RawPicture;
use crate::picture::loaded::Warning;
use crate::picture::profile::DeclaredColours;

/// Reads the size of an item: the box `ispe`.
pub(super) fn size_of(container: &Container, id: u32) -> Result<(u32, u32), Fault> {
    let found = container.properties(id).find(|(kind, _)| kind == b"ispe");
    let (_, mut body) = found.ok_or_else(|| Fault::Damaged("a part of it has no size".into()))?;
    body.version()?;
    match (body.number(4)? as u32, body.number(4)? as u32) {
        (0, _) | (_, 0) => Err(Fault::Damaged("a part of it has no pixels".into())),
        size => Ok(size),
    }
}

/// Whether a property turns, mirrors or cuts.
pub(super) fn is_transform(kind: Name) -> bool {
    matches!(&kind, b"clap" | b"irot" | b"imir")
}

/// What a file says about its pixels.
pub(super) struct Notes {
    pub(super) icc: Option<Vec<u8>>,
    /// Primaries and transfer characteristics by their numbers in ITU-T H.273.
    pub(super) numbers: Option<(u16, u16)>,
    pub(super) exif: Option<Vec<u8>>,
    pub(super) is_premultiplied: bool,
    pub(super) is_animated: bool,
}

/// Puts pixels and notes together.
pub(super) fn raw_picture(pixels: DynamicImage, notes: Notes) -> RawPicture {
    let mut raw = RawPicture::new(pixels);
    if notes.is_animated {
        raw.warnings.push(Warning::Animation);
    }
    if let (None, Some((primaries, transfer))) = (&notes.icc, notes.numbers) {
        raw.colours = DeclaredColours::of_still(primaries, transfer)
            .map_err(|reason| raw.warnings.push(Warning::Colours { reason }))
            .ok();
    }
    raw.icc = Ok(notes.icc);
    raw.exif = Ok(notes.exif);
    raw.is_premultiplied = notes.is_premultiplied;
    raw.orientation = Some(Orientation::NoTransforms);
    raw
}
