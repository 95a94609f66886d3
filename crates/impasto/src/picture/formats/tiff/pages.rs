//! The pictures of a TIFF file, and which of them is read.
//!
//! A file may hold several: pages, smaller copies of them, and masks. The first page that is
//! neither a copy nor a mask is read. A camera's raw file often is a TIFF file too, and its first
//! picture is a thumbnail. Such files are refused.

use std::collections::HashSet;

use tiff::tags::Tag;

use crate::picture::formats::tiff::directory::{Directory, TiffFile};
use crate::picture::formats::tiff::fault::TiffFault;

/// Most directories that are looked at. Files with a smaller copy in front of the page have two.
const MAX_DIRECTORIES: usize = 64;

const OLD_SUBFILE_TYPE: Tag = Tag::Unknown(255);
const DNG_VERSION: Tag = Tag::Unknown(50706);

/// Values of `PhotometricInterpretation`: what a sensor measured, with a colour filter on each
/// pixel, or without.
const SENSOR: [u64; 2] = [32803, 34892];

/// Makers, as the beginning of the tag `Make` in capitals, and the raw files of their cameras.
const MAKERS: [(&[u8], &str); 8] = [
    (b"NIKON", "NEF"),
    (b"SONY", "ARW"),
    (b"PENTAX", "PEF"),
    (b"RICOH", "PEF"),
    (b"SAMSUNG", "SRW"),
    (b"HASSELBLAD", "3FR"),
    (b"EPSON", "ERF"),
    (b"KODAK", "KDC or DCR"),
];

/// The pictures of a file that matter here.
pub(crate) struct Pages<'a> {
    /// The picture that is read.
    pub(crate) page: Directory<'a>,
    /// The first directory of the file, if it is another one. It may hold notes about the whole
    /// file.
    pub(crate) first: Option<Directory<'a>>,
}

impl<'a> Pages<'a> {
    /// Finds the picture to read.
    ///
    /// If all pages are copies or masks, it is a picture below the first page, and if there is none
    /// either, the first page.
    pub(crate) fn find(file: TiffFile<'a>) -> Result<Self, TiffFault> {
        let Some(start) = file.first() else {
            return Err(TiffFault::Damaged("it holds no picture".into()));
        };
        let first = file.directory(start)?;
        let below = below(&first);
        if is_raw(&first) || below.iter().any(is_raw) {
            return Err(TiffFault::CameraRaw(raw_name(&first)));
        }
        if is_full(&first) {
            return Ok(Self { page: first, first: None });
        }
        let mut seen = HashSet::from([start]);
        let mut at = first.next;
        while seen.len() < MAX_DIRECTORIES && at != 0 && seen.insert(at) {
            // A chain that is broken has an end.
            let Ok(page) = file.directory(at) else {
                break;
            };
            if is_raw(&page) {
                return Err(TiffFault::CameraRaw(raw_name(&first)));
            }
            if is_full(&page) {
                return Ok(Self { page, first: Some(first) });
            }
            at = page.next;
        }
        Ok(match below.into_iter().find(is_full) {
            Some(page) => Self { page, first: Some(first) },
            None => Self { page: first, first: None },
        })
    }
}

/// Returns the directories below a page.
fn below<'a>(page: &Directory<'a>) -> Vec<Directory<'a>> {
    let places = page.numbers(Tag::SubIfd).unwrap_or_default();
    places.into_iter().take(MAX_DIRECTORIES).filter_map(|at| page.file.directory(at).ok()).collect()
}

/// Says whether a picture is neither a smaller copy nor a mask of another one.
fn is_full(page: &Directory<'_>) -> bool {
    const REDUCED: u64 = 1;
    const MASK: u64 = 4;
    const OLD_REDUCED: u64 = 2;
    match page.number(Tag::NewSubfileType) {
        Ok(Some(kind)) => kind & (REDUCED | MASK) == 0,
        _ => !matches!(page.number(OLD_SUBFILE_TYPE), Ok(Some(OLD_REDUCED))),
    }
}

/// Says whether a picture is what a sensor measured, or the file says that it is a raw file.
fn is_raw(page: &Directory<'_>) -> bool {
    let is_dng = matches!(page.value(DNG_VERSION), Ok(Some(_)));
    let kind = page.number(Tag::PhotometricInterpretation);
    is_dng || matches!(kind, Ok(Some(kind)) if SENSOR.contains(&kind))
}

/// Names the format of a raw file by its first directory.
fn raw_name(first: &Directory<'_>) -> &'static str {
    if matches!(first.value(DNG_VERSION), Ok(Some(_))) {
        return "DNG";
    }
    let make = first.bytes(Tag::Make).ok().flatten().unwrap_or_default().to_ascii_uppercase();
    MAKERS.iter().find(|(maker, _)| make.starts_with(maker)).map_or("TIFF from a sensor", |(_, name)| name)
}
