//! Raw files of cameras that are known by their first bytes. Those that begin as a TIFF file does
//! are known by their directories, in `tiff/pages.rs`.

/// The place and the bytes that a raw file has, and the name of its format.
const MARKS: [(usize, &[u8], &str); 12] = [
    (0, b"FUJIFILMCCD-RAW", "RAF"),
    (0, b"IIRO", "ORF"),
    (0, b"IIRS", "ORF"),
    (0, b"MMOR", "ORF"),
    (0, b"IIU\0", "RW2"),
    (0, b"FOVb", "X3F"),
    (0, b"\0MRM", "MRW"),
    (4, b"ftypcrx ", "CR3"),
    (6, b"HEAPCCDR", "CRW"),
    (8, b"CR\x02\0", "CR2"),
    (8, b"IIII", "IIQ"),
    (8, b"MMMM", "IIQ"),
];

/// Names the format of a camera's raw file.
pub(crate) fn raw_format(bytes: &[u8]) -> Option<&'static str> {
    let has = |at: usize, mark: &[u8]| bytes.get(at..).is_some_and(|rest| rest.starts_with(mark));
    let is_tiff = has(0, b"II*\0") || has(0, b"MM\0*");
    // The last three stand behind a TIFF header.
    let found = MARKS.iter().find(|(at, mark, _)| has(*at, mark) && (*at != 8 || is_tiff));
    found.map(|(_, _, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_files_are_known_by_their_first_bytes() {
        assert_eq!(raw_format(b"II*\0\x10\0\0\0CR\x02\0"), Some("CR2"));
        assert_eq!(raw_format(b"MM\0*\0\0\0\x08MMMMRawT"), Some("IIQ"));
        assert_eq!(raw_format(b"II\x1a\0\0\0HEAPCCDR"), Some("CRW"));
        assert_eq!(raw_format(b"\0\0\0\x18ftypcrx \0"), Some("CR3"));
        assert_eq!(raw_format(b"IIU\0\x18\0\0\0"), Some("RW2"));
        assert_eq!(raw_format(b"FUJIFILMCCD-RAW 0201"), Some("RAF"));
        assert_eq!(raw_format(b"II*\0\x08\0\0\0\x10\0"), None);
        assert_eq!(raw_format(b"12345678CR\x02\0"), None);
        assert_eq!(raw_format(b"II"), None);
    }
}
