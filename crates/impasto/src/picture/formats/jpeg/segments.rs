//! The segments of a JPEG file (ITU-T T.81, annex B).

use std::collections::BTreeMap;

/// Start of the compressed data.
const START_OF_SCAN: u8 = 0xda;
pub(super) const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];
const COMMENT: u8 = 0xfe;

/// Most bytes that a segment holds. Its length takes 16 bits and counts itself.
const MAX_SEGMENT: usize = 0xffff - 2;

/// Returns the segments before the compressed data: the marker, the content, and the place of the
/// marker.
///
/// It steps over segments by their lengths, so it does not take a thumbnail within one of them for
/// the picture. It ends at the start of the compressed data, which comes as a segment too, or at
/// the first thing that is not a segment.
fn segments(bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8], usize)> {
    let mut at = 2;
    let mut in_scan = false;
    std::iter::from_fn(move || {
        if in_scan {
            return None;
        }
        // Skips padding.
        while bytes.get(at..at + 2) == Some(&[0xff, 0xff]) {
            at += 1;
        }
        let &[0xff, marker, high, low] = bytes.get(at..at + 4)? else {
            return None;
        };
        let (start, length) = (at, usize::from(u16::from_be_bytes([high, low])));
        let content = bytes.get(at + 4..at + 2 + length)?;
        in_scan = marker == START_OF_SCAN;
        at += 2 + length;
        Some((marker, content, start))
    })
}

/// Returns whether an end marker follows the start of the compressed data. The decoder finds
/// whatever else is wrong with the file.
pub fn has_an_end(bytes: &[u8]) -> bool {
    match segments(bytes).find(|&(marker, ..)| marker == START_OF_SCAN) {
        Some((.., start)) => bytes[start..].windows(2).any(|pair| pair == END_OF_IMAGE),
        None => true,
    }
}

const ICC_PREFIX: &[u8] = b"ICC_PROFILE\0";
const XMP_PREFIX: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

/// Joins the parts of the colour profile (ICC.1, annex B.4). Returns `None` if there are none.
///
/// The parts may stand in any order. Errors say what is wrong with them.
pub fn profile(bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let is_app2 = |&(marker, ..): &(u8, &[u8], usize)| marker == 0xe2;
    let contents = segments(bytes).filter(is_app2).filter_map(|(_, content, _)| content.strip_prefix(ICC_PREFIX));
    let mut parts = BTreeMap::new();
    let mut count = None;
    for content in contents {
        let [number, of, part @ ..] = content else {
            return Err("one of its parts is too short".into());
        };
        if *count.get_or_insert(*of) != *of {
            return Err("its parts do not agree how many they are".into());
        }
        if *number == 0 || number > of {
            return Err(format!("it has a part {number} of {of}"));
        }
        // Some programs write a part twice.
        if parts.insert(*number, part).is_some_and(|before| before != part) {
            return Err(format!("it has part {number} of {of} twice"));
        }
    }
    let Some(count) = count else {
        return Ok(None);
    };
    match (1..=count).find(|number| !parts.contains_key(number)) {
        Some(number) => Err(format!("its part {number} of {count} is missing")),
        None => Ok(Some(parts.into_values().flatten().copied().collect())),
    }
}

/// Returns the XMP packet.
pub fn xmp(bytes: &[u8]) -> Option<Vec<u8>> {
    let is_app1 = |&(marker, ..): &(u8, &[u8], usize)| marker == 0xe1;
    let mut packets = segments(bytes).filter(is_app1).filter_map(|(_, content, _)| content.strip_prefix(XMP_PREFIX));
    packets.next().map(<[u8]>::to_vec)
}

/// Joins the comments that begin with `prefix`, without it. Returns `None` if there are none.
pub fn comments(bytes: &[u8], prefix: &[u8]) -> Option<Vec<u8>> {
    let mut found: Option<Vec<u8>> = None;
    for (_, content, _) in segments(bytes).filter(|&(marker, ..)| marker == COMMENT) {
        if let Some(text) = content.strip_prefix(prefix) {
            found.get_or_insert_default().extend_from_slice(text);
        }
    }
    found
}

/// Returns the file with `text` in comments of its own, as many as it takes. Each begins with
/// `prefix`.
pub fn with_comments(bytes: &[u8], prefix: &[u8], text: &[u8]) -> Vec<u8> {
    // The comments go behind the APP segments, because some readers expect JFIF's to be the first.
    let is_app = |marker: u8| (0xe0..=0xef).contains(&marker);
    let at = segments(bytes).find(|&(marker, ..)| !is_app(marker)).map_or(2, |(.., start)| start);
    let mut all = bytes[..at].to_vec();
    for part in text.chunks(MAX_SEGMENT - prefix.len()) {
        let length = (prefix.len() + part.len() + 2) as u16;
        all.extend([0xff, COMMENT]);
        all.extend(length.to_be_bytes());
        all.extend(prefix);
        all.extend(part);
    }
    all.extend(&bytes[at..]);
    all
}
