//! Makes TIFF files of every kind, for the tests of reading and of hostile files.

use std::collections::BTreeMap;

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};

/// A file that grows at its end.
pub struct TiffFile {
    bytes: Vec<u8>,
    is_big_endian: bool,
    /// Whether it is a BigTIFF.
    is_big: bool,
    /// The place of the link to the next page.
    link: usize,
}

/// Entries of a directory: whole numbers by tag.
pub type Entries = BTreeMap<u16, Vec<u64>>;

impl TiffFile {
    pub fn new(is_big_endian: bool, is_big: bool) -> Self {
        let mut file = Self { bytes: Vec::new(), is_big_endian, is_big, link: 0 };
        file.bytes.extend(if is_big_endian { b"MM" } else { b"II" });
        file.number(if is_big { 43 } else { 42 }, 2);
        if is_big {
            file.number(8, 2);
            file.number(0, 2);
        }
        file.link = file.bytes.len();
        file.number(0, file.wide());
        file
    }

    fn wide(&self) -> usize {
        if self.is_big { 8 } else { 4 }
    }

    fn ordered(&self, value: u64, length: usize) -> Vec<u8> {
        let mut bytes = value.to_le_bytes()[..length].to_vec();
        if self.is_big_endian {
            bytes.reverse();
        }
        bytes
    }

    fn number(&mut self, value: u64, length: usize) {
        let bytes = self.ordered(value, length);
        self.bytes.extend(bytes);
    }

    /// Adds the chunks of a picture. Returns the entries that say where they are.
    pub fn chunks(&mut self, chunks: &[Vec<u8>], is_tiled: bool) -> Entries {
        let mut places = Vec::new();
        for chunk in chunks {
            places.push(self.bytes.len() as u64);
            self.bytes.extend(chunk);
        }
        let tags = if is_tiled { [324, 325] } else { [273, 279] };
        let lengths = chunks.iter().map(|chunk| chunk.len() as u64).collect();
        BTreeMap::from([(tags[0], places), (tags[1], lengths)])
    }

    /// Adds a directory, and returns its place.
    pub fn directory(&mut self, entries: &Entries) -> u64 {
        self.directory_and_link(entries).0
    }

    /// Adds a directory as the next page.
    pub fn page(&mut self, entries: &Entries) {
        let (at, link) = self.directory_and_link(entries);
        let bytes = self.ordered(at, self.wide());
        self.bytes[self.link..self.link + bytes.len()].copy_from_slice(&bytes);
        self.link = link;
    }

    fn directory_and_link(&mut self, entries: &Entries) -> (u64, usize) {
        let wide = self.wide();
        let mut table = Vec::new();
        for (tag, values) in entries {
            let (kind, length) = match values.iter().max() {
                // The maker's name is a text.
                _ if *tag == 271 => (2, 1),
                Some(0..=0xffff) | None => (3, 2),
                _ => (4, 4),
            };
            let data: Vec<u8> = values.iter().flat_map(|&v| self.ordered(v, length)).collect();
            table.extend(self.ordered((*tag).into(), 2));
            table.extend(self.ordered(kind, 2));
            table.extend(self.ordered(values.len() as u64, wide));
            match data.len() <= wide {
                true => table.extend([&data[..], &vec![0; wide - data.len()]].concat()),
                false => {
                    table.extend(self.ordered(self.bytes.len() as u64, wide));
                    self.bytes.extend(data);
                }
            }
        }
        let at = self.bytes.len();
        self.number(entries.len() as u64, if self.is_big { 8 } else { 2 });
        self.bytes.extend(table);
        let link = self.bytes.len();
        self.number(0, wide);
        (at as u64, link)
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// What the numbers of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    Unsigned(usize),
    Signed(usize),
    Float(usize),
}

impl Numbers {
    pub fn bits(self) -> usize {
        match self {
            Self::Unsigned(bits) | Self::Signed(bits) | Self::Float(bits) => bits,
        }
    }

    /// Returns the bits that stand for `part` of the range, which is 0 to 1, and the value in 0..255
    /// that they mean.
    fn stored(self, part: f64) -> (u64, f32) {
        let bits = self.bits();
        let most = ((1u64 << bits.min(32)) - 1) as f64;
        let whole = (part * most).round();
        match self {
            Self::Unsigned(_) => (whole as u64, (whole * 255.0 / most) as f32),
            Self::Signed(_) => (whole as u64 ^ 1 << (bits - 1), (whole * 255.0 / most) as f32),
            Self::Float(16) => {
                let half = half::f16::from_f64(part);
                (half.to_bits().into(), half.to_f32() * 255.0)
            }
            Self::Float(32) => ((part as f32).to_bits().into(), part as f32 * 255.0),
            Self::Float(_) => (part.to_bits(), part as f32 * 255.0),
        }
    }
}

/// How chunks are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    None,
    Lzw,
    Deflate,
    PackBits,
    /// Of one bit a pixel.
    Fax,
    /// Of eight bits.
    Jpeg,
}

/// A picture of a gradient, to be stored in some way.
#[derive(Clone, Debug)]
pub struct Gradient {
    pub width: usize,
    pub height: usize,
    /// 1 is grey, 3 is red, green and blue, 4 has an opacity.
    pub channels: usize,
    pub numbers: Numbers,
    pub is_planar: bool,
    /// Width and height of a tile, or `None` for strips of `rows` rows.
    pub tile: Option<(usize, usize)>,
    pub rows: usize,
    pub packing: Packing,
    pub predictor: u64,
    pub is_reversed: bool,
    pub is_big_endian: bool,
    pub is_big: bool,
    /// Entries that are added, or replace others.
    pub more: Vec<(u16, Vec<u64>)>,
}

impl Default for Gradient {
    fn default() -> Self {
        Self {
            width: 19,
            height: 13,
            channels: 3,
            numbers: Numbers::Unsigned(8),
            is_planar: false,
            tile: None,
            rows: 5,
            packing: Packing::None,
            predictor: 1,
            is_reversed: false,
            is_big_endian: false,
            is_big: false,
            more: Vec::new(),
        }
    }
}

impl Gradient {
    /// Returns the part of its range that a value has. The opacity is never 0.
    fn part(&self, x: usize, y: usize, channel: usize) -> f64 {
        let step = match channel {
            0 => x * 13 + y * 7,
            1 => x * 3 + y * 19 + 40,
            2 => 255 - x * 11 + y * 2,
            _ => x * 5 + y * 9 + 60,
        };
        // JPEG needs few edges.
        let step = if self.packing == Packing::Jpeg { 60 + step / 4 } else { step };
        (step % 256) as f64 / 255.0
    }

    /// Returns the values of a pixel in 0..255.
    pub fn value(&self, x: usize, y: usize, channel: usize) -> f32 {
        self.numbers.stored(self.part(x, y, channel)).1
    }

    /// Returns the colours that it has when it is read, in 0..255.
    pub fn colours(&self) -> Vec<f32> {
        let pixels = (0..self.height).flat_map(|y| (0..self.width).map(move |x| (x, y)));
        let colour = |x, y, c| self.value(x, y, if self.channels < 3 { 0 } else { c });
        pixels.flat_map(|(x, y)| [0, 1, 2].map(|c| colour(x, y, c))).collect()
    }

    /// Returns the entries without the chunks.
    pub fn entries(&self) -> Entries {
        let mut entries = BTreeMap::from([
            (256, vec![self.width as u64]),
            (257, vec![self.height as u64]),
            (258, vec![self.numbers.bits() as u64; self.channels]),
            (262, vec![if self.channels < 3 { 1 } else { 2 }]),
            (277, vec![self.channels as u64]),
            (284, vec![if self.is_planar { 2 } else { 1 }]),
            (317, vec![self.predictor]),
        ]);
        let compression = match self.packing {
            Packing::None => 1,
            Packing::Lzw => 5,
            Packing::Deflate => 8,
            Packing::PackBits => 32773,
            Packing::Fax => 4,
            Packing::Jpeg => 7,
        };
        entries.insert(259, vec![compression]);
        let format = match self.numbers {
            Numbers::Unsigned(_) => 1,
            Numbers::Signed(_) => 2,
            Numbers::Float(_) => 3,
        };
        entries.insert(339, vec![format; self.channels]);
        if self.channels == 4 {
            entries.insert(338, vec![2]);
        }
        if self.is_reversed {
            entries.insert(266, vec![2]);
        }
        match self.tile {
            Some((width, height)) => {
                entries.extend([(322, vec![width as u64]), (323, vec![height as u64])]);
            }
            None => {
                entries.insert(278, vec![self.rows as u64]);
            }
        }
        // With three values together, a JPEG stores brightness and two differences.
        if self.packing == Packing::Jpeg && self.channels == 3 && !self.is_planar {
            entries.insert(262, vec![6]);
        }
        entries.extend(self.more.iter().cloned());
        entries
    }

    /// Returns the chunks, compressed.
    pub fn chunks(&self) -> Vec<Vec<u8>> {
        let (width, height) = self.tile.unwrap_or((self.width, self.rows));
        let planes = if self.is_planar { self.channels } else { 1 };
        let mut chunks = Vec::new();
        for plane in 0..planes {
            for top in (0..self.height).step_by(height) {
                for left in (0..self.width).step_by(width) {
                    let rows = if self.tile.is_some() { height } else { height.min(self.height - top) };
                    let channels = if self.is_planar { plane..plane + 1 } else { 0..self.channels };
                    let rows: Vec<Vec<u64>> = (top..top + rows)
                        .map(|y| {
                            let pixels = (left..left + width).flat_map(|x| channels.clone().map(move |c| (x, c)));
                            // What lies beyond the picture is never seen.
                            let at = |x: usize, y: usize, c| match x < self.width && y < self.height {
                                true => self.numbers.stored(self.part(x, y, c)).0,
                                false => 1,
                            };
                            pixels.map(|(x, c)| at(x, y, c)).collect()
                        })
                        .collect();
                    chunks.push(self.packed(rows, channels.len(), width));
                }
            }
        }
        chunks
    }

    /// Makes a file of it.
    pub fn file(&self) -> Vec<u8> {
        let mut file = TiffFile::new(self.is_big_endian, self.is_big);
        let chunks = file.chunks(&self.chunks(), self.tile.is_some());
        let mut entries = chunks;
        entries.extend(self.entries());
        file.page(&entries);
        file.into_bytes()
    }

    /// Compresses a chunk.
    fn packed(&self, mut rows: Vec<Vec<u64>>, channels: usize, width: usize) -> Vec<u8> {
        let bits = self.numbers.bits();
        if self.predictor == 2 {
            let mask = u64::MAX >> (64 - bits);
            for row in &mut rows {
                for i in (channels..row.len()).rev() {
                    row[i] = row[i].wrapping_sub(row[i - channels]) & mask;
                }
            }
        }
        let height = rows.len();
        let bytes: Vec<u8> = rows.iter().flat_map(|row| self.row(row, channels)).collect();
        let mut packed = match self.packing {
            Packing::None => bytes,
            Packing::Lzw => weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8)
                .encode(&bytes)
                .expect("bytes of eight bits"),
            Packing::Deflate => {
                let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
                std::io::Write::write_all(&mut encoder, &bytes).expect("memory");
                encoder.finish().expect("memory")
            }
            Packing::PackBits => pack_bits(&bytes),
            Packing::Fax => {
                let mut encoder = fax::encoder::Encoder::new(fax::VecWriter::new());
                for row in &rows {
                    let pixels = row.iter().map(|&v| if v == 1 { fax::Color::Black } else { fax::Color::White });
                    encoder.encode_line(pixels, width as u16).expect("memory");
                }
                encoder.finish().expect("memory").finish()
            }
            Packing::Jpeg => {
                let mut jpeg = Vec::new();
                let colour = if channels == 1 { ExtendedColorType::L8 } else { ExtendedColorType::Rgb8 };
                let encoder = JpegEncoder::new_with_quality(&mut jpeg, 100);
                encoder.write_image(&bytes, width as u32, height as u32, colour).expect("a JPEG");
                return jpeg;
            }
        };
        if self.is_reversed {
            packed.iter_mut().for_each(|byte| *byte = byte.reverse_bits());
        }
        packed
    }

    /// Writes a row in whole bytes.
    fn row(&self, row: &[u64], channels: usize) -> Vec<u8> {
        let bits = self.numbers.bits();
        if self.predictor == 3 {
            // The highest bytes of all values come first. Then there are differences of bytes.
            let of = |significance: usize| row.iter().map(move |v| (v >> (bits - 8 - 8 * significance)) as u8);
            let mut bytes: Vec<u8> = (0..bits / 8).flat_map(of).collect();
            for i in (channels..bytes.len()).rev() {
                bytes[i] = bytes[i].wrapping_sub(bytes[i - channels]);
            }
            return bytes;
        }
        if bits.is_multiple_of(8) {
            let order = |v: &u64| match self.is_big_endian {
                true => v.to_be_bytes()[8 - bits / 8..].to_vec(),
                false => v.to_le_bytes()[..bits / 8].to_vec(),
            };
            return row.iter().flat_map(order).collect();
        }
        let all: Vec<u8> = row.iter().flat_map(|v| (0..bits).rev().map(move |b| (v >> b & 1) as u8)).collect();
        all.chunks(8).map(|bits| bits.iter().enumerate().fold(0, |byte, (i, bit)| byte | bit << (7 - i))).collect()
    }
}

/// Compresses with runs and parts that are copied.
fn pack_bits(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    let mut rest = bytes;
    while let Some(&first) = rest.first() {
        let run = rest.iter().take(128).take_while(|&&byte| byte == first).count();
        if run > 1 {
            packed.extend([(257 - run) as u8, first]);
            rest = &rest[run..];
        } else {
            let copied = rest.len().min(3);
            packed.push(copied as u8 - 1);
            packed.extend(&rest[..copied]);
            rest = &rest[copied..];
        }
    }
    packed
}
