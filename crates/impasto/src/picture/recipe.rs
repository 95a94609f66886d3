//! How a picture was made, in the picture's own file.

use std::io::Cursor;
use std::path::Path;

use image::ImageDecoder;
use image::codecs::webp::WebPDecoder;

use crate::error::{Error, Result};
use crate::picture::file::read_limited;
use crate::picture::formats::FileKind;
use crate::picture::formats::decoder_error::decode_error;
use crate::picture::formats::jpeg::segments;
use crate::picture::formats::tiff::read::xmp;
use crate::picture::guard::guarded;

/// Start of a JPEG comment.
pub const COMMENT_PREFIX: &[u8] = b"impasto ";

/// Keyword of a PNG text.
pub const KEYWORD: &str = "impasto";

const ELEMENT: (&str, &str) = ("<impasto:recipe>", "</impasto:recipe>");

/// Bytes that the texts of a PNG may use.
const MAX_TEXT: usize = 64 << 20;

/// Reads the recipe that [`SaveOptions::recipe`](crate::picture::SaveOptions::recipe) put into a
/// file. Returns `None` if there is none.
///
/// Errors: those of [`load`](crate::picture::load()), except for what is wrong with the pixels.
pub fn recipe(path: &Path) -> Result<Option<String>> {
    decode_recipe(&read_limited(path)?, path)
}

/// Reads the recipe as [`recipe`] does, from the bytes of a file. Errors call it `name`.
pub fn decode_recipe(bytes: &[u8], name: &Path) -> Result<Option<String>> {
    guarded(name, || recipe_of(bytes, name))
}

fn recipe_of(bytes: &[u8], name: &Path) -> Result<Option<String>> {
    let damaged = |reason: String| Error::Damaged { path: name.to_owned(), reason };
    let text = match FileKind::of(bytes) {
        Some(FileKind::Jpeg) => segments::comments(bytes, COMMENT_PREFIX),
        Some(FileKind::Png) => {
            let limits = png::Limits { bytes: MAX_TEXT };
            let reader = png::Decoder::new_with_limits(Cursor::new(bytes), limits).read_info();
            let reader = reader.map_err(|e| damaged(e.to_string()))?;
            let chunk = reader.info().utf8_text.iter().find(|chunk| chunk.keyword == KEYWORD);
            let text = chunk.map(png::text_metadata::ITXtChunk::get_text).transpose();
            return text.map_err(|e| damaged(e.to_string()));
        }
        Some(FileKind::Tiff) => xmp(bytes, name)?.and_then(|xmp| from_xmp(&xmp)),
        Some(FileKind::WebP) => WebPDecoder::new(Cursor::new(bytes))
            .and_then(|mut decoder| decoder.xmp_metadata())
            .map_err(|e| decode_error(name, e))?
            .and_then(|xmp| from_xmp(&xmp)),
        _ => return Err(Error::NotAPicture { path: name.to_owned() }),
    };
    text.map(String::from_utf8).transpose().map_err(|_| damaged("its recipe is not UTF-8".into()))
}

/// Makes an XMP packet (ISO 16684-1) whose only property is the recipe.
pub fn to_xmp(recipe: &str) -> Vec<u8> {
    let text = recipe.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let (open, close) = ELEMENT;
    format!(
        "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\
         <x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\
         <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\
         <rdf:Description rdf:about=\"\" xmlns:impasto=\"urn:impasto\">{open}{text}{close}</rdf:Description>\
         </rdf:RDF></x:xmpmeta><?xpacket end=\"r\"?>"
    )
    .into_bytes()
}

/// Reads the text of the property that [`to_xmp`] writes.
fn from_xmp(xmp: &[u8]) -> Option<Vec<u8>> {
    let find = |text: &[u8], part: &str| text.windows(part.len()).position(|w| w == part.as_bytes());
    let start = find(xmp, ELEMENT.0)? + ELEMENT.0.len();
    let length = find(&xmp[start..], ELEMENT.1)?;
    let text = std::str::from_utf8(&xmp[start..start + length]).ok()?;
    Some(text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").into_bytes())
}
