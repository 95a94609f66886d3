//! The camera's notes: EXIF, a TIFF structure without pixels (CIPA DC-008, TIFF 6.0).
//!
//! Entries are changed where they stand. Blocks of makers hold offsets of their own and would not survive a move.

/// JPEG's segments have no room for more, with `Exif\0\0` in front.
const MAX_BYTES: usize = 0xffff - 2 - PREFIX.len();

/// In front of the block in JPEG; some programs write it elsewhere too.
const PREFIX: &[u8] = b"Exif\0\0";

const IMAGE_WIDTH: u16 = 0x0100;
const IMAGE_HEIGHT: u16 = 0x0101;
const ORIENTATION: u16 = 0x0112;
const EXIF_IFD: u16 = 0x8769;
const PIXEL_X_DIMENSION: u16 = 0xa002;
const PIXEL_Y_DIMENSION: u16 = 0xa003;

/// Where a thumbnail's bytes are, and how many: JPEG, or a single strip.
const THUMBNAIL: [(u16, u16); 2] = [(0x0201, 0x0202), (0x0111, 0x0117)];

/// An EXIF block that says how to hold the picture: upright, and without a thumbnail, which would show what the picture was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exif(Vec<u8>);

impl Exif {
    /// From the block of a file, and the orientation it noted, 1 to 8; 1 where it says nothing of use.
    ///
    /// Errors: what is wrong with the block.
    pub(super) fn parse(block: &[u8]) -> Result<(Self, u8), String> {
        let block = block.strip_prefix(PREFIX).unwrap_or(block);
        if block.len() > MAX_BYTES {
            return Err(format!("it takes {} KB", block.len() >> 10));
        }
        let mut block = Block::new(block.to_vec()).ok_or("it is broken")?;
        let first = block.first().ok_or("it is broken")?;
        let orientation = block.entries(first).find(|e| e.tag == ORIENTATION);
        let orientation = orientation.and_then(|entry| {
            let found = block.value(&entry)?;
            block.set_value(&entry, 1);
            u8::try_from(found).ok()
        });
        block.drop_thumbnail(first);
        Ok((Self(block.bytes), orientation.filter(|o| (1..=8).contains(o)).unwrap_or(1)))
    }

    /// The block for a picture of this size in px, from its TIFF header on.
    pub fn for_size(&self, width: usize, height: usize) -> Vec<u8> {
        let Some(mut block) = Block::new(self.0.clone()) else {
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

/// One number of a directory.
struct Entry {
    tag: u16,
    /// 3 = 16 bits, 4 = 32 bits; others hold nothing that is looked at here.
    kind: u16,
    count: u32,
    /// Where its value is.
    at: usize,
}

/// Bytes with directories in them. Every access is checked: the offsets come from the file.
struct Block {
    bytes: Vec<u8>,
    is_big_endian: bool,
}

impl Block {
    /// `None` without a TIFF header.
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

    /// Where the first directory is; `None` unless all of it is there.
    fn first(&self) -> Option<usize> {
        let at = self.u32(4)? as usize;
        self.u32(self.end(at)?)?;
        Some(at)
    }

    /// Where the entries of the directory `at` end, and the offset of the next directory stands.
    fn end(&self, at: usize) -> Option<usize> {
        Some(at + 2 + 12 * usize::from(self.u16(at)?))
    }

    /// The entries of the directory `at`, as far as they are there.
    fn entries(&self, at: usize) -> impl Iterator<Item = Entry> {
        let count = self.u16(at).map_or(0, usize::from);
        (0..count).map_while(move |i| {
            let at = at + 2 + 12 * i;
            let value = at + 8;
            self.u32(value)?;
            Some(Entry { tag: self.u16(at)?, kind: self.u16(at + 2)?, count: self.u32(at + 4)?, at: value })
        })
    }

    /// The value of an entry that is one whole number.
    fn value(&self, entry: &Entry) -> Option<u32> {
        match (entry.kind, entry.count) {
            (3, 1) => self.u16(entry.at).map(u32::from),
            (4, 1) => self.u32(entry.at),
            _ => None,
        }
    }

    /// Sets an entry that is one whole number; another is left as it is.
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

    /// Unhooks the directory behind the `first`, and takes away the picture it points to.
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
            // What lies before the link is the directory that stays.
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

    /// Little or big endian: orientation 6, an EXIF directory with the size 4000x3000, and a thumbnail of four bytes.
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
            assert_eq!(orientation, 6);
            let bytes = exif.for_size(512, 70_000);
            assert!(!bytes.windows(2).any(|pair| pair == [0xff, 0xd8]), "the thumbnail is still there");
            let block = Block::new(bytes).unwrap();
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
                    assert!((1..=8).contains(&orientation));
                    assert!(exif.for_size(3, 3).len() <= whole.len());
                }
            }
        }
        assert_eq!(Exif::parse(&vec![0; 70_000]).unwrap_err(), "it takes 68 KB");
    }
}
