//! The boxes of a HEIF file (ISO/IEC 14496-12 and 23008-12): items, their properties, and how they
//! refer to each other.
//!
//! Nothing is copied here, and no number of the file is taken at its word: what would lie outside
//! of the file is an error.

use std::collections::BTreeMap;

use crate::picture::formats::decoder_error::CUT_SHORT;
use crate::picture::formats::heif::fault::Fault;

/// Most items of a file. A picture of 200 megapixels in tiles of 512x512 px has about 1600, with its
/// opacity.
const MAX_ITEMS: u64 = 10_000;

/// Four letters that name a box, an item's kind, or a reference's.
pub(crate) type Name = [u8; 4];

/// A picture, a tile of one, its opacity, or notes about it.
#[derive(Default)]
struct Item {
    kind: Name,
    /// Start and length, in the file or in the box `idat`.
    extents: Vec<(u64, u64)>,
    is_in_idat: bool,
    /// Places in the list of all properties.
    properties: Vec<usize>,
}

/// The items of a file.
pub(crate) struct Container<'a> {
    file: &'a [u8],
    idat: &'a [u8],
    primary: Option<u32>,
    items: BTreeMap<u32, Item>,
    properties: Vec<(Name, &'a [u8])>,
    /// Kind, the item that refers, and those it refers to.
    references: Vec<(Name, u32, Vec<u32>)>,
    has_tracks: bool,
}

impl<'a> Container<'a> {
    /// Reads the boxes of a file. The items' contents are not looked at.
    pub(crate) fn parse(file: &'a [u8]) -> Result<Self, Fault> {
        let mut container = Self {
            file,
            idat: &[],
            primary: None,
            items: BTreeMap::new(),
            properties: Vec::new(),
            references: Vec::new(),
            has_tracks: false,
        };
        let mut rest = Bytes(file);
        while let Some((name, body)) = rest.next_box()? {
            match &name {
                b"meta" => container.read_meta(body)?,
                b"moov" => container.has_tracks = true,
                _ => {}
            }
        }
        Ok(container)
    }

    fn read_meta(&mut self, mut meta: Bytes<'a>) -> Result<(), Fault> {
        meta.version()?;
        let mut links = None;
        while let Some((name, mut body)) = meta.next_box()? {
            match &name {
                b"pitm" => {
                    let is_wide = body.version()? > 0;
                    self.primary = Some(body.id(is_wide)?);
                }
                b"iinf" => self.read_kinds(body)?,
                b"iloc" => self.read_places(body)?,
                b"iref" => self.read_references(body)?,
                b"idat" => self.idat = body.0,
                b"iprp" => {
                    while let Some((name, mut body)) = body.next_box()? {
                        match &name {
                            b"ipco" => {
                                while let Some((name, property)) = body.next_box()? {
                                    self.properties.push((name, property.0));
                                }
                            }
                            b"ipma" => links = Some(body),
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        links.map_or(Ok(()), |links| self.read_links(links))
    }

    /// Reads the kind of each item: the box `iinf`.
    fn read_kinds(&mut self, mut body: Bytes<'a>) -> Result<(), Fault> {
        let is_wide = body.version()? > 0;
        body.number(if is_wide { 4 } else { 2 })?;
        while let Some((_, mut entry)) = body.next_box()? {
            let version = entry.version()?;
            // The versions before have no kinds. No picture is in one.
            if version >= 2 {
                let id = entry.id(version > 2)?;
                entry.number(2)?;
                let kind = entry.name()?;
                self.item(id)?.kind = kind;
            }
        }
        Ok(())
    }

    /// Reads where each item lies: the box `iloc`.
    fn read_places(&mut self, mut body: Bytes<'a>) -> Result<(), Fault> {
        let version = body.version()?;
        let sizes = body.number(2)?;
        let [offset, length, base, index] = [12, 8, 4, 0].map(|shift| (sizes >> shift & 15) as usize);
        let count = body.number(if version < 2 { 2 } else { 4 })?;
        for _ in 0..count {
            let id = body.id(version >= 2)?;
            let method = if version == 0 { 0 } else { body.number(2)? & 15 };
            body.number(2)?;
            let base = body.number(base)?;
            let extents = body.number(2)?;
            let item = self.item(id)?;
            item.extents.clear();
            item.is_in_idat = method == 1;
            if method > 1 {
                return Err(Fault::Unsupported("its parts lie within each other".into()));
            }
            for _ in 0..extents {
                if version > 0 {
                    body.number(index)?;
                }
                let start = base.checked_add(body.number(offset)?).ok_or_else(Fault::cut_short)?;
                let length = body.number(length)?;
                item.extents.push((start, length));
            }
        }
        Ok(())
    }

    /// Reads how items refer to each other: the box `iref`.
    fn read_references(&mut self, mut body: Bytes<'a>) -> Result<(), Fault> {
        let is_wide = body.version()? > 0;
        while let Some((name, mut entry)) = body.next_box()? {
            let from = entry.id(is_wide)?;
            let count = entry.number(2)?;
            let to = (0..count).map(|_| entry.id(is_wide)).collect::<Result<_, _>>()?;
            self.references.push((name, from, to));
        }
        Ok(())
    }

    /// Reads which properties each item has: the box `ipma`.
    fn read_links(&mut self, mut body: Bytes<'a>) -> Result<(), Fault> {
        let header = body.number(4)?;
        let (is_wide, has_long_places) = (header >> 24 > 0, header & 1 == 1);
        let count = body.number(4)?;
        for _ in 0..count {
            let id = body.id(is_wide)?;
            let links = body.number(1)?;
            for _ in 0..links {
                let place = match has_long_places {
                    true => body.number(2)? & 0x7fff,
                    false => body.number(1)? & 0x7f,
                };
                // Place 0 stands for none.
                if let Some(place) = (place as usize).checked_sub(1) {
                    self.item(id)?.properties.push(place);
                }
            }
        }
        Ok(())
    }

    fn item(&mut self, id: u32) -> Result<&mut Item, Fault> {
        if self.items.len() as u64 >= MAX_ITEMS && !self.items.contains_key(&id) {
            return Err(Fault::Unsupported(format!("it has more than {MAX_ITEMS} parts")));
        }
        Ok(self.items.entry(id).or_default())
    }

    /// Returns the item that is the picture, or `None` if the file has only tracks.
    pub(crate) fn primary(&self) -> Option<u32> {
        self.primary
    }

    /// Returns whether the file has tracks: an animation or a video.
    pub(crate) fn has_tracks(&self) -> bool {
        self.has_tracks
    }

    /// Returns the kind of an item, `None` if there is no such item.
    pub(crate) fn kind(&self, id: u32) -> Option<Name> {
        self.items.get(&id).map(|item| item.kind)
    }

    /// Returns the items of a kind.
    pub(crate) fn items_of(&self, kind: Name) -> impl Iterator<Item = u32> {
        self.items.iter().filter(move |(_, item)| item.kind == kind).map(|(&id, _)| id)
    }

    /// Returns the properties of an item, in the order of the file.
    pub(crate) fn properties(&self, id: u32) -> impl Iterator<Item = (Name, Bytes<'a>)> {
        let places = self.items.get(&id).into_iter().flat_map(|item| &item.properties);
        places.filter_map(|&place| self.properties.get(place)).map(|&(name, body)| (name, Bytes(body)))
    }

    /// Returns the items that an item refers to in this way.
    pub(crate) fn references(&self, id: u32, kind: Name) -> &[u32] {
        let found = self.references.iter().find(|&&(name, from, _)| name == kind && from == id);
        found.map_or(&[], |(_, _, to)| to)
    }

    /// Returns the items that refer to an item in this way.
    pub(crate) fn referring(&self, id: u32, kind: Name) -> impl Iterator<Item = u32> {
        let all = self.references.iter().filter(move |(name, _, to)| *name == kind && to.contains(&id));
        all.map(|&(_, from, _)| from)
    }

    /// Returns all references of a kind, as pairs.
    pub(crate) fn all_references(&self, kind: Name) -> impl Iterator<Item = (u32, &[u32])> {
        self.references.iter().filter(move |(name, ..)| *name == kind).map(|(_, from, to)| (*from, &to[..]))
    }

    /// Returns how many bytes an item has.
    pub(crate) fn length(&self, id: u32) -> u64 {
        let extents = self.items.get(&id).into_iter().flat_map(|item| &item.extents);
        extents.fold(0, |sum, &(start, length)| {
            // A length of 0 stands for all that follows.
            sum.saturating_add(if length == 0 { (self.file.len() as u64).saturating_sub(start) } else { length })
        })
    }

    /// Returns the content of an item.
    pub(crate) fn data(&self, id: u32) -> Result<Vec<u8>, Fault> {
        let item = self.items.get(&id).ok_or_else(|| Fault::Damaged("a part of it is missing".into()))?;
        if self.length(id) > self.file.len() as u64 {
            return Err(Fault::cut_short());
        }
        let source = if item.is_in_idat { self.idat } else { self.file };
        let mut data = Vec::new();
        for &(start, length) in &item.extents {
            let rest =
                usize::try_from(start).ok().and_then(|start| source.get(start..)).ok_or_else(Fault::cut_short)?;
            let part = match length {
                0 => Some(rest),
                _ => usize::try_from(length).ok().and_then(|length| rest.get(..length)),
            };
            data.extend_from_slice(part.ok_or_else(Fault::cut_short)?);
        }
        Ok(data)
    }
}

/// Bytes that are read from the front.
#[derive(Clone, Copy)]
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        let (front, rest) = self.0.split_at_checked(count).ok_or_else(Fault::cut_short)?;
        self.0 = rest;
        Ok(front)
    }

    /// Reads a big-endian number of up to 8 bytes.
    pub(crate) fn number(&mut self, size: usize) -> Result<u64, Fault> {
        match size {
            0..=8 => Ok(self.take(size)?.iter().fold(0, |number, &byte| number << 8 | u64::from(byte))),
            _ => Err(Fault::Damaged(format!("it has numbers of {size} bytes"))),
        }
    }

    /// Reads four letters.
    pub(crate) fn name(&mut self) -> Result<Name, Fault> {
        Ok((self.number(4)? as u32).to_be_bytes())
    }

    fn id(&mut self, is_wide: bool) -> Result<u32, Fault> {
        Ok(self.number(if is_wide { 4 } else { 2 })? as u32)
    }

    /// Reads the version and the flags of a box. Returns the version.
    pub(crate) fn version(&mut self) -> Result<u8, Fault> {
        Ok((self.number(4)? >> 24) as u8)
    }

    /// Reads the next box, `None` at the end. Fewer bytes than a header has are padding.
    fn next_box(&mut self) -> Result<Option<(Name, Bytes<'a>)>, Fault> {
        if self.0.len() < 8 {
            return Ok(None);
        }
        let (size, name) = (self.number(4)?, self.name()?);
        let length = match size {
            // To the end of the file.
            0 => self.0.len() as u64,
            1 => self.number(8)?.checked_sub(16).ok_or_else(too_small)?,
            _ => size.checked_sub(8).ok_or_else(too_small)?,
        };
        let body = self.take(usize::try_from(length).unwrap_or(usize::MAX))?;
        Ok(Some((name, Bytes(body))))
    }
}

fn too_small() -> Fault {
    Fault::Damaged("one of its boxes is smaller than its header".into())
}

impl Fault {
    fn cut_short() -> Self {
        Self::Damaged(CUT_SHORT.into())
    }
}
