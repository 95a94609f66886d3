//! The chunks of a PNG file (PNG specification, third edition, section 5).

const SIGNATURE: usize = 8;
const IDAT: [u8; 4] = *b"IDAT";
const IEND: [u8; 4] = *b"IEND";

/// An empty IEND chunk.
const END: [u8; 12] = *b"\0\0\0\0IEND\xae\x42\x60\x82";

/// A chunk, or what is left of it at the end of the file.
struct Chunk<'a> {
    kind: [u8; 4],
    /// The kind and the content, which the checksum is of.
    checked: &'a [u8],
    /// The checksum, or `None` if the file ends before it.
    checksum: Option<u32>,
    /// The place of the chunk in the file.
    start: usize,
}

/// Returns the chunks up to IEND, or to the end of the file.
fn chunks(bytes: &[u8]) -> impl Iterator<Item = Chunk<'_>> {
    let mut next = Some(SIGNATURE);
    std::iter::from_fn(move || {
        let start = next.take()?;
        let length = u32::from_be_bytes(bytes.get(start..start + 4)?.try_into().ok()?) as usize;
        let kind = bytes.get(start + 4..start + 8)?.try_into().ok()?;
        let end = (start + 8).saturating_add(length);
        let checksum = bytes.get(end..end.saturating_add(4)).and_then(|sum| sum.try_into().ok());
        let checked = &bytes[start + 4..end.min(bytes.len())];
        if kind != IEND && checksum.is_some() {
            next = Some(end + 4);
        }
        Some(Chunk { kind, checked, checksum: checksum.map(u32::from_be_bytes), start })
    })
}

/// Returns whether the file has such a chunk.
pub(super) fn has(bytes: &[u8], kind: &[u8; 4]) -> bool {
    chunks(bytes).any(|chunk| chunk.kind == *kind)
}

/// Returns the file without a cICP chunk that says what it must not: that the colours are YCbCr, or
/// an unknown range. The decoder refuses the whole file for it.
pub(super) fn without_broken_cicp(bytes: &[u8]) -> Option<Vec<u8>> {
    let chunk = chunks(bytes).find(|chunk| chunk.kind == *b"cICP" && chunk.checksum.is_some())?;
    let is_in_order = matches!(chunk.checked, [_, _, _, _, _primaries, _transfer, 0, 0 | 1]);
    let end = chunk.start + 8 + chunk.checked.len();
    (!is_in_order).then(|| [&bytes[..chunk.start], &bytes[end..]].concat())
}

/// Returns the kind of the first chunk whose checksum is wrong, among those that no picture can do
/// without.
pub(super) fn damaged(bytes: &[u8]) -> Option<String> {
    let is_wrong = |chunk: &Chunk<'_>| {
        chunk.kind[0].is_ascii_uppercase() && chunk.checksum.is_some_and(|sum| sum != crc32fast::hash(chunk.checked))
    };
    chunks(bytes).find(is_wrong).map(|chunk| chunk.kind.escape_ascii().to_string())
}

/// Returns the file with IEND at its end, if nothing but that is missing and perhaps other chunks
/// behind the pixels.
///
/// A chunk of pixels that is cut is not completed, because its checksum vouches for them.
pub(super) fn with_end(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut has_pixels = false;
    let mut end = SIGNATURE;
    for chunk in chunks(bytes) {
        match (chunk.kind, chunk.checksum) {
            (IEND, _) => return None,
            (IDAT, None) => return None,
            (_, None) => break,
            (kind, Some(_)) => {
                has_pixels |= kind == IDAT;
                end = chunk.start + 8 + chunk.checked.len();
            }
        }
    }
    has_pixels.then(|| [&bytes[..end], &END].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let checked = [&kind[..], content].concat();
        let length = (content.len() as u32).to_be_bytes();
        [&length[..], &checked, &crc32fast::hash(&checked).to_be_bytes()].concat()
    }

    #[test]
    fn only_what_follows_the_pixels_is_completed() {
        let pixels = [&b"\x89PNG\r\n\x1a\n"[..], &chunk(b"IHDR", &[0; 13]), &chunk(b"IDAT", b"abc")].concat();
        let note = [&pixels[..], &chunk(b"tEXt", b"a\0b")].concat();
        let whole = [&note[..], &END].concat();
        assert_eq!(chunk(b"IEND", b""), END);
        for length in 0..whole.len() {
            let expected = match length {
                _ if length < pixels.len() => None,
                _ if length < note.len() => Some([&pixels[..], &END].concat()),
                _ if length < note.len() + 8 => Some(whole.clone()),
                _ => None,
            };
            assert_eq!(with_end(&whole[..length]), expected, "{length}");
        }
        assert_eq!(damaged(&whole), None);
        let mut wrong = whole;
        wrong[pixels.len() - 5] = b'x';
        assert_eq!(damaged(&wrong), Some("IDAT".into()));
        assert!(has(&wrong, b"tEXt") && !has(&wrong, b"eXIf"));
    }
}
