//! The camera's notes: EXIF, a TIFF structure without pixels (CIPA DC-008, TIFF 6.0).
//!
//! Entries are changed where they stand, because makers' own blocks hold offsets that do not
//! survive a move. In TIFF files the notes lie between pixels and have to be put together again, so
//! makers' blocks are left out there.

use tiff::tags::Tag;

use crate::picture::formats::tiff::directory::{Directory, kinds};

/// A JPEG segment has no room for more, with `Exif\0\0` in front.
const MAX_BYTES: usize = 0xffff - 2 - PREFIX.len();

/// Stands in front of the block in JPEG. Some programs write it elsewhere too.
const PREFIX: &[u8] = b"Exif\0\0";

const IMAGE_WIDTH: u16 = 0x0100;
const IMAGE_HEIGHT: u16 = 0x0101;
const ORIENTATION: u16 = 0x0112;
const X_RESOLUTION: u16 = 0x011a;
const Y_RESOLUTION: u16 = 0x011b;
const RESOLUTION_UNIT: u16 = 0x0128;
const EXIF_IFD: u16 = 0x8769;
const GPS_IFD: u16 = 0x8825;
const INTEROPERABILITY_IFD: u16 = 0xa005;
const MAKER_NOTE: u16 = 0x927c;
const PIXEL_X_DIMENSION: u16 = 0xa002;
const PIXEL_Y_DIMENSION: u16 = 0xa003;

/// Entries of a TIFF file's own directory that are notes. The others say how its pixels are stored.
///
/// The notes are description, make, model, orientation, resolution, software, date, artist,
/// computer, rating, copyright, EXIF, GPS, and Windows' title, comment, author, keywords and
/// subject.
const NOTES: [u16; 21] = [
    0x010e,
    0x010f,
    0x0110,
    ORIENTATION,
    X_RESOLUTION,
    Y_RESOLUTION,
    RESOLUTION_UNIT,
    0x0131,
    0x0132,
    0x013b,
    0x013c,
    0x4746,
    0x4749,
    0x8298,
    EXIF_IFD,
    GPS_IFD,
    0x9c9b,
    0x9c9c,
    0x9c9d,
    0x9c9e,
    0x9c9f,
];

/// Tags for the place and the length of a thumbnail: a JPEG, or a single strip.
const THUMBNAIL: [(u16, u16); 2] = [(0x0201, 0x0202), (0x0111, 0x0117)];

/// An EXIF block for an upright picture. It has no thumbnail, which would show the picture before
/// the transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exif(Vec<u8>);

impl Exif {
    /// Reads the block of a file. Returns it with the orientation that it noted, 1 to 8, or `None`
    /// if it says nothing of use.
    ///
    /// Errors say what is wrong with the block.
    pub(super) fn parse(block: &[u8]) -> Result<(Self, Option<u8>), String> {
        let block = block.strip_prefix(PREFIX).unwrap_or(block);
        if block.len() > MAX_BYTES {
            return Err(format!("it takes {} KB", block.len() >> 10));
        }
        let mut block = ExifBlock::new(block.to_vec()).ok_or("it is broken")?;
        let first = block.first().ok_or("it is broken")?;
        let orientation = block.entries(first).find(|e| e.tag == ORIENTATION);
        let orientation = orientation.and_then(|entry| {
            let found = block.value(&entry)?;
            block.set_value(&entry, 1);
            u8::try_from(found).ok()
        });
        block.drop_thumbnail(first);
        Ok((Self(block.bytes), orientation.filter(|o| (1..=8).contains(o))))
    }

    /// Returns the block for a picture of this size in pixels, from its TIFF header on.
    pub fn for_size(&self, width: usize, height: usize) -> Vec<u8> {
        let Some(mut block) = ExifBlock::new(self.0.clone()) else {
            return self.0.clone();
        };
        let Some(first) = block.first() else {
            return self.0.clone();
        };
        let pointer = block.entries(first).find(|e| e.tag == EXIF_IFD);
        let exif = pointer.and_then(|entry| block.value(&entry)).map(|at| at as usize);
        for directory in [Some(first), exif].into_iter().flatten() {
            for entry in block.entries(directory).collect::<Vec<_>>() {
                match entry.tag {
                    IMAGE_WIDTH | PIXEL_X_DIMENSION => block.set_value(&entry, width as u32),
                    IMAGE_HEIGHT | PIXEL_Y_DIMENSION => block.set_value(&entry, height as u32),
                    _ => {}
                }
            }
        }
        block.bytes
    }
}

/// Puts the notes of a TIFF file's directory together as a block, little endian.
///
/// Returns `None` if they say only how to hold the picture and how large to print it. Errors say
/// what is wrong with them.
pub(super) fn of_tiff(directory: &Directory<'_>) -> Result<Option<Vec<u8>>, String> {
    let mut room = MAX_BYTES;
    let mut notes = read_notes(directory, &|tag| NOTES.contains(&tag), &mut room)?;
    // Without a unit it is the shape of the pixels.
    let unit = notes.iter().find(|note| note.tag == RESOLUTION_UNIT);
    if unit.is_none_or(|note| note.value == [1, 0]) {
        notes.retain(|note| ![X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT].contains(&note.tag));
    }
    if notes.iter().all(|note| [ORIENTATION, X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT].contains(&note.tag)) {
        return Ok(None);
    }
    let mut block = b"II*\0\x08\0\0\0".to_vec();
    write_notes(&notes, &mut block);
    Ok(Some(block))
}

/// One entry of a directory that is put together again.
struct Note {
    tag: u16,
    kind: u16,
    count: u32,
    /// In little endian.
    value: Vec<u8>,
    /// The directory that it points to.
    directory: Option<Vec<Note>>,
}

/// Reads the entries of a directory that are `wanted`, and the directories behind them. `room` is
/// the number of bytes that they may take; what is left of it is returned in it.
fn read_notes(directory: &Directory<'_>, wanted: &dyn Fn(u16) -> bool, room: &mut usize) -> Result<Vec<Note>, String> {
    let broken = |_| "it is broken".to_owned();
    let mut notes: Vec<Note> = Vec::new();
    for tag in directory.tags().filter(|&tag| wanted(tag)) {
        // The first of several counts.
        if notes.iter().any(|note| note.tag == tag) {
            continue;
        }
        let taken = directory.length(Tag::from_u16_exhaustive(tag)).map(|length| length.saturating_add(12));
        // What is of an unknown kind is left out.
        let Some(taken) = taken else {
            continue;
        };
        let left = usize::try_from(taken).ok().and_then(|taken| room.checked_sub(taken));
        *room = left.ok_or("it takes more than 63 KB")?;
        let Some(value) = directory.value(Tag::from_u16_exhaustive(tag)).map_err(broken)? else {
            continue;
        };
        if [EXIF_IFD, GPS_IFD, INTEROPERABILITY_IFD].contains(&tag) {
            let at = value.numbers().map_err(broken)?.first().copied().ok_or("it is broken")?;
            let inner = directory.file.directory(at).map_err(broken)?;
            // Only EXIF's directory points to another one, which points to none.
            let wanted: &dyn Fn(u16) -> bool = match tag {
                EXIF_IFD => &|tag| tag != MAKER_NOTE && ![EXIF_IFD, GPS_IFD].contains(&tag),
                _ => &|tag| ![EXIF_IFD, GPS_IFD, INTEROPERABILITY_IFD].contains(&tag),
            };
            let directory = Some(read_notes(&inner, wanted, room)?);
            notes.push(Note { tag, kind: kinds::LONG, count: 1, value: vec![], directory });
        } else if ![kinds::LONG8, kinds::SLONG8, kinds::IFD8].contains(&value.kind) {
            // Those are BigTIFF's: pointers here, and nothing that EXIF knows.
            let count = value.count() as u32;
            notes.push(Note { tag, kind: value.kind, count, value: value.little_endian(), directory: None });
        }
    }
    notes.sort_by_key(|note| note.tag);
    Ok(notes)
}

/// Adds a directory to a block. What does not fit in its entries follows behind it.
fn write_notes(notes: &[Note], block: &mut Vec<u8>) {
    block.extend((notes.len() as u16).to_le_bytes());
    let mut at = block.len();
    block.resize(at + 12 * notes.len() + 4, 0);
    for note in notes {
        let mut value = note.value.clone();
        if note.directory.is_some() || value.len() > 4 {
            // Values begin at even offsets.
            block.resize(block.len().next_multiple_of(2), 0);
            let offset = block.len() as u32;
            match &note.directory {
                Some(directory) => write_notes(directory, block),
                None => block.extend(&value),
            }
            value = offset.to_le_bytes().to_vec();
        }
        let entry = [&note.tag.to_le_bytes()[..], &note.kind.to_le_bytes(), &note.count.to_le_bytes(), &value].concat();
        block[at..at + entry.len()].copy_from_slice(&entry);
        at += 12;
    }
}

/// Notes for the directory of a TIFF file that begins with their block.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) is_big_endian: bool,
    /// The tag and the entry as it stands in the block.
    pub(super) entries: Vec<(u16, [u8; 12])>,
}

/// Returns the notes in the first directory of a block.
pub(super) fn notes(block: &[u8]) -> Option<Notes> {
    let block = ExifBlock::new(block.to_vec())?;
    let mut notes = Notes { is_big_endian: block.is_big_endian, entries: Vec::new() };
    for entry in block.entries(block.first()?) {
        let size: usize = match entry.kind {
            1 | 2 | 6 | 7 => 1,
            3 | 8 => 2,
            4 | 9 | 11 | 13 => 4,
            5 | 10 | 12 => 8,
            _ => continue,
        };
        let length = size.checked_mul(entry.count as usize)?;
        let is_there = length <= 4
            || block.u32(entry.at).is_some_and(|at| (at as usize).saturating_add(length) <= block.bytes.len());
        let is_new = notes.entries.iter().all(|(tag, _)| *tag != entry.tag);
        if NOTES.contains(&entry.tag) && is_there && is_new {
            notes.entries.push((entry.tag, block.bytes.get(entry.at - 8..entry.at + 4)?.try_into().ok()?));
        }
    }
    Some(notes)
}

/// One number of a directory.
struct Entry {
    tag: u16,
    /// 3 is 16 bits, 4 is 32 bits. Other kinds are not looked at here.
    kind: u16,
    count: u32,
    /// The place of its value.
    at: usize,
}

/// Bytes with directories in them. The offsets come from the file, so every access is checked.
struct ExifBlock {
    bytes: Vec<u8>,
    is_big_endian: bool,
}

impl ExifBlock {
    /// Returns `None` if there is no TIFF header.
    fn new(bytes: Vec<u8>) -> Option<Self> {
        let is_big_endian = match bytes.get(..4)? {
            b"II*\0" => false,
            b"MM\0*" => true,
            _ => return None,
        };
        Some(Self { bytes, is_big_endian })
    }

    fn u16(&self, at: usize) -> Option<u16> {
        let bytes = self.bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if self.is_big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    fn u32(&self, at: usize) -> Option<u32> {
        let bytes = self.bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if self.is_big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    /// Returns the place of the first directory, `None` unless all of it is there.
    fn first(&self) -> Option<usize> {
        let at = self.u32(4)? as usize;
        self.u32(self.end(at)?)?;
        Some(at)
    }

    /// Returns the place where the entries of the directory `at` end. The offset of the next
    /// directory stands there.
    fn end(&self, at: usize) -> Option<usize> {
        Some(at + 2 + 12 * usize::from(self.u16(at)?))
    }

    /// Returns the entries of the directory `at` that are there.
    fn entries(&self, at: usize) -> impl Iterator<Item = Entry> {
        let count = self.u16(at).map_or(0, usize::from);
        (0..count).map_while(move |i| {
            let at = at + 2 + 12 * i;
            let value = at + 8;
            self.u32(value)?;
            Some(Entry { tag: self.u16(at)?, kind: self.u16(at + 2)?, count: self.u32(at + 4)?, at: value })
        })
    }

    /// Returns the value of an entry that is one whole number.
    fn value(&self, entry: &Entry) -> Option<u32> {
        match (entry.kind, entry.count) {
            (3, 1) => self.u16(entry.at).map(u32::from),
            (4, 1) => self.u32(entry.at),
            _ => None,
        }
    }

    /// Sets an entry that is one whole number. Another one is left as it is.
    fn set_value(&mut self, entry: &Entry, value: u32) {
        let short = u16::try_from(value).unwrap_or(u16::MAX);
        let bytes = match (entry.kind, entry.count, self.is_big_endian) {
            (3, 1, true) => short.to_be_bytes().to_vec(),
            (3, 1, false) => short.to_le_bytes().to_vec(),
            (4, 1, true) => value.to_be_bytes().to_vec(),
            (4, 1, false) => value.to_le_bytes().to_vec(),
            _ => return,
        };
        if let Some(place) = self.bytes.get_mut(entry.at..entry.at + bytes.len()) {
            place.copy_from_slice(&bytes);
        }
    }

    /// Unhooks the directory behind the `first`, and removes the picture that it points to.
    fn drop_thumbnail(&mut self, first: usize) {
        let Some(link) = self.end(first) else {
            return;
        };
        let Some(second) = self.u32(link).map(|at| at as usize).filter(|&at| at != 0) else {
            return;
        };
        let find = |tag| self.entries(second).find(|e| e.tag == tag).and_then(|entry| self.value(&entry));
        let ranges = THUMBNAIL.map(|(start, length)| Some((find(start)? as usize, find(length)? as usize)));
        if let Some(place) = self.bytes.get_mut(link..link + 4) {
            place.fill(0);
        }
        for (start, length) in ranges.into_iter().flatten() {
            // Everything before the link belongs to the directory that stays.
            if start < link + 4 {
                continue;
            }
            let end = start.saturating_add(length).min(self.bytes.len());
            if end == self.bytes.len() {
                self.bytes.truncate(start);
            } else if let Some(picture) = self.bytes.get_mut(start..end) {
                picture.fill(0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes a block, little or big endian, with orientation 6, an EXIF directory with the size
    /// 4000x3000, and a thumbnail of four bytes.
    fn block(is_big_endian: bool) -> Vec<u8> {
        let short = |v: u16| if is_big_endian { v.to_be_bytes() } else { v.to_le_bytes() };
        let long = |v: u32| if is_big_endian { v.to_be_bytes() } else { v.to_le_bytes() };
        let entry = |tag: u16, kind: u16, value: u32| {
            let mut bytes = [&short(tag)[..], &short(kind), &long(1)].concat();
            match kind {
                3 => bytes.extend([short(value as u16), [0; 2]].concat()),
                _ => bytes.extend(long(value)),
            }
            bytes
        };
        let header = if is_big_endian { b"MM\0*" } else { b"II*\0" };
        [
            &header[..],
            &long(8),
            &short(2),
            &entry(ORIENTATION, 3, 6),
            &entry(EXIF_IFD, 4, 38),
            &long(68),
            &short(2),
            &entry(PIXEL_X_DIMENSION, 3, 4000),
            &entry(PIXEL_Y_DIMENSION, 4, 3000),
            &long(0),
            &short(2),
            &entry(0x0201, 4, 98),
            &entry(0x0202, 4, 4),
            &long(0),
            b"\xff\xd8\xff\xd9",
        ]
        .concat()
    }

    #[test]
    fn the_block_is_upright_of_the_right_size_and_without_a_thumbnail() {
        for is_big_endian in [false, true] {
            let (exif, orientation) = Exif::parse(&[PREFIX, &block(is_big_endian)].concat()).unwrap();
            assert_eq!(orientation, Some(6));
            let bytes = exif.for_size(512, 70_000);
            assert!(!bytes.windows(2).any(|pair| pair == [0xff, 0xd8]), "the thumbnail is still there");
            let block = ExifBlock::new(bytes).unwrap();
            let first = block.first().unwrap();
            let values = |at| block.entries(at).map(|e| block.value(&e).unwrap()).collect::<Vec<_>>();
            assert_eq!(values(first), [1, 38]);
            assert_eq!(values(38), [512, 70_000]);
            assert_eq!(block.u32(block.end(first).unwrap()), Some(0));
        }
    }

    #[test]
    fn broken_blocks_are_refused_or_harmless() {
        let whole = block(false);
        for length in 0..whole.len() {
            match Exif::parse(&whole[..length]) {
                Ok((exif, _)) => drop(exif.for_size(3, 3)),
                Err(reason) => assert_eq!(reason, "it is broken"),
            }
        }
        for at in 0..whole.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut broken = whole.clone();
                broken[at] = value;
                if let Ok((exif, orientation)) = Exif::parse(&broken) {
                    assert!(orientation.is_none_or(|found| (1..=8).contains(&found)));
                    assert!(exif.for_size(3, 3).len() <= whole.len());
                }
            }
        }
        assert_eq!(Exif::parse(&vec![0; 70_000]).unwrap_err(), "it takes 68 KB");
    }
}
