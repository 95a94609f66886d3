//! The segments of a JPEG file (ITU-T T.81, annex B).

/// Start of the compressed data.
const START_OF_SCAN: u8 = 0xda;
const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];
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

/// Returns whether an end marker follows the start of the compressed data.
///
/// The decoder would fill what is missing with grey, and nobody wants half a picture painted. The
/// decoder finds whatever else is wrong with the file.
pub fn has_an_end(bytes: &[u8]) -> bool {
    match segments(bytes).find(|&(marker, ..)| marker == START_OF_SCAN) {
        Some((.., start)) => bytes[start..].windows(2).any(|pair| pair == END_OF_IMAGE),
        None => true,
    }
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
