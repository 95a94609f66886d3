//! What decoders say about a file, as errors of this crate.

use std::io;
use std::path::Path;

use image::ImageError;

use crate::error::Error;
use crate::picture::limits::MAX_DECODER_MEMORY;

/// Says that a file is truncated.
pub(crate) const CUT_SHORT: &str = "it ends in the middle of the picture";

pub(crate) fn decode_error(path: &Path, error: ImageError) -> Error {
    let path = path.to_owned();
    match error {
        ImageError::IoError(reason) if reason.kind() != io::ErrorKind::UnexpectedEof => Error::Read { path, reason },
        ImageError::IoError(_) => Error::Damaged { path, reason: CUT_SHORT.into() },
        ImageError::Unsupported(e) => Error::Unsupported { path, reason: one_line(&e) },
        ImageError::Limits(_) => too_much_memory(&path),
        other => Error::Damaged { path, reason: one_line(&other) },
    }
}

pub(crate) fn too_much_memory(path: &Path) -> Error {
    let reason = format!("it takes more than {} MB to decode", MAX_DECODER_MEMORY >> 20);
    Error::Unsupported { path: path.to_owned(), reason }
}

/// Returns a message without what is meant for programmers: line breaks, quotes, the names of
/// types.
pub(crate) fn one_line(error: &dyn std::error::Error) -> String {
    const CHUNK: &str = "ChunkType { type: ";
    let text = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    let (_, rest) = text.split_once("Format error decoding ").unwrap_or_default();
    let mut text = rest.split_once(": ").map_or(&text[..], |(_format, reason)| reason).trim_matches('"').to_owned();
    while let Some((before, (name, after))) = text.split_once(CHUNK).and_then(|(before, rest)| {
        let (chunk, after) = rest.split_once('}')?;
        Some((before, (chunk.split(',').next()?, after)))
    }) {
        text = format!("{before}{name}{after}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_without_the_names_of_types() {
        let text = |message: &str| one_line(&io::Error::other(message.to_owned()));
        let chunk = "ChunkType { type: IDAT, critical: true, private: false, reserved: false, safecopy: false }";
        assert_eq!(
            text(&format!("Format error decoding Png: Chunk {chunk} is invalid after {chunk}.")),
            "Chunk IDAT is invalid after IDAT."
        );
        assert_eq!(text("Format error decoding Jpeg: \"No\n  marker\""), "No marker");
        assert_eq!(text("limits are exceeded"), "limits are exceeded");
        assert_eq!(text("an odd ChunkType { type: x"), "an odd ChunkType { type: x");
    }
}
