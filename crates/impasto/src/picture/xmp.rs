//! What an XMP packet (ISO 16684-1) says about its picture.

/// The namespace of the properties that are named as in TIFF.
const TIFF: &str = "http://ns.adobe.com/tiff/1.0/";

/// Returns the orientation of a packet, 1 to 8. It stands as an attribute or as an element.
///
/// It is found without an XML parser, because a packet may be cut short or padded with anything.
/// What is not found that way counts as not there.
pub(super) fn orientation(packet: &[u8]) -> Option<u8> {
    let packet = String::from_utf8_lossy(packet);
    let declared = packet.match_indices(TIFF).find_map(|(at, _)| prefix(&packet[..at]));
    let name = format!("{}:Orientation", declared.unwrap_or("tiff"));
    packet.match_indices(&name).find_map(|(at, _)| {
        let rest = packet[at + name.len()..].trim_start();
        let value = match rest.strip_prefix('=') {
            Some(value) => value.trim_start().strip_prefix(['"', '\''])?,
            None => rest.strip_prefix('>')?.trim_start(),
        };
        let end = value.find(|c: char| !c.is_ascii_digit())?;
        value[..end].parse().ok().filter(|found| (1..=8).contains(found))
    })
}

/// Returns the prefix of the namespace whose name follows `declaration`: `xmlns:PREFIX="`.
fn prefix(declaration: &str) -> Option<&str> {
    let (_, prefix) = declaration.strip_suffix(['"', '\''])?.trim_end().strip_suffix('=')?.rsplit_once("xmlns:")?;
    let prefix = prefix.trim_end();
    (!prefix.is_empty() && !prefix.contains(char::is_whitespace)).then_some(prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_orientation_is_found_as_attribute_and_as_element_and_under_any_prefix() {
        let found = |text: &str| orientation(text.as_bytes());
        let declared = |name: &str| format!("<a xmlns:{name}=\"http://ns.adobe.com/tiff/1.0/\" ");
        assert_eq!(found(&format!("{}tiff:Orientation=\"6\"/>", declared("tiff"))), Some(6));
        assert_eq!(found(&format!("{} tiff:Orientation = '8'/>", declared("tiff"))), Some(8));
        assert_eq!(found(&format!("{}><tiff:Orientation> 3 </tiff:Orientation></a>", declared("tiff"))), Some(3));
        assert_eq!(found(&format!("{}><t:Orientation>5</t:Orientation></a>", declared("t"))), Some(5));
        assert_eq!(found("<tiff:Orientation>2</tiff:Orientation>"), Some(2));
        for nothing in ["", "tiff:Orientation", "tiff:Orientation=\"", "tiff:Orientation=\"9\"", "tiff:Orientation>6"] {
            assert_eq!(found(nothing), None, "{nothing}");
        }
        assert_eq!(orientation(b"\xff\xfe tiff:Orientation=\"7\" \xff"), Some(7));
    }
}
