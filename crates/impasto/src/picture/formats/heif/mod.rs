//! HEIF files: HEIC, whose pixels are coded as HEVC, and AVIF, whose pixels are coded as AV1.
//!
//! The file notes turns and cuts beside the pixels. They are applied here, and the orientation of
//! EXIF is ignored, as the standard asks (ISO/IEC 23008-12, section 6.5.10). Of an animation the
//! still picture is read, or its first picture if there is none.

mod av1;
mod container;
mod fault;
mod hevc;
mod notes;
mod planes;

use std::path::Path;

use crate::error::Result;
use crate::picture::formats::heif::container::{Container, Name};
use crate::picture::formats::heif::fault::Fault;
use crate::picture::formats::heif::notes::is_transform;
use crate::picture::formats::raw::RawPicture;

/// Brands of files that hold pictures. HEIC and AVIF have them at the front or in the list behind.
const BRANDS: [Name; 13] = [
    *b"avif", *b"avis", *b"heic", *b"heix", *b"heim", *b"heis", *b"hevc", *b"hevx", *b"hevm", *b"hevs", *b"mif1",
    *b"mif2", *b"msf1",
];

/// Most turns and cuts of a picture. One of each is usual.
const MAX_TRANSFORMS: usize = 8;

/// How pixels are coded.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Coding {
    Hevc,
    Av1,
}

/// Returns whether the file begins like a HEIF file.
pub(crate) fn is_heif(bytes: &[u8]) -> bool {
    let Some((header, rest)) = bytes.split_first_chunk::<8>() else {
        return false;
    };
    let [a, b, c, d, kind @ ..] = *header;
    let length = (u32::from_be_bytes([a, b, c, d]) as usize).saturating_sub(8).min(rest.len());
    kind == *b"ftyp" && rest[..length].as_chunks::<4>().0.iter().any(|brand| BRANDS.contains(brand))
}

/// Reads a picture, in the values of the file, turned as the file says.
pub(crate) fn read(bytes: &[u8], name: &Path, memory: Option<u64>) -> Result<RawPicture> {
    picture_of(bytes, name, memory).map_err(|fault| fault.of(name))
}

fn picture_of(bytes: &[u8], name: &Path, memory: Option<u64>) -> std::result::Result<RawPicture, Fault> {
    let container = Container::parse(bytes)?;
    let Some(primary) = container.primary() else {
        return match container.has_tracks() {
            true => hevc::read(bytes, &container, name, memory),
            false => Err(Fault::Damaged("it has no picture".into())),
        };
    };
    if container.properties(primary).filter(|(kind, _)| is_transform(*kind)).count() > MAX_TRANSFORMS {
        return Err(Fault::Unsupported("it is turned and cut too many times".into()));
    }
    match coding(&container, primary)? {
        Coding::Hevc => hevc::read(bytes, &container, name, memory),
        Coding::Av1 => av1::read(bytes, &container, primary, name, memory),
    }
}

/// Returns how an item's pixels are coded. Those of a grid are in its tiles.
fn coding(container: &Container, primary: u32) -> std::result::Result<Coding, Fault> {
    let mut id = primary;
    // A grid of the same picture is the deepest that is known.
    for _ in 0..4 {
        let kind = container.kind(id).ok_or_else(|| Fault::Damaged("its picture is missing".into()))?;
        let coding = match &kind {
            b"hvc1" => return Ok(Coding::Hevc),
            b"av01" => return Ok(Coding::Av1),
            b"grid" | b"iden" => {
                let parts = container.references(id, *b"dimg");
                id = *parts.first().ok_or_else(|| Fault::Damaged("its tiles are missing".into()))?;
                continue;
            }
            b"jpeg" => "as JPEG",
            b"avc1" => "as H.264 video",
            b"vvc1" => "as H.266 video",
            b"j2k1" => "as JPEG 2000",
            b"unci" => "without compression",
            b"iovl" => "as layers",
            b"tmap" => "with a map of tones",
            other => {
                let other = String::from_utf8_lossy(other).escape_debug().to_string();
                return Err(Fault::Unsupported(format!("its pixels are coded as {other}, not as HEVC or AV1")));
            }
        };
        return Err(Fault::Unsupported(format!("its pixels are stored {coding}, not as HEVC or AV1")));
    }
    Err(Fault::Unsupported("its tiles have tiles".into()))
}
