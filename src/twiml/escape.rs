//! Escapes values for XML text, XML attributes, JSON strings and URL components.
//!
//! XML is escaped as by quick-xml's writer; a test compares the two.

use std::fmt::Write as _;

/// The place of a value, which decides how it is escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escape {
    Text,
    Attribute,
    /// Inside a JSON string that is XML text.
    Json,
}

/// Whether XML 1.0 (fifth edition, §2.2) allows the character in a document.
pub(super) const fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// Appends the value. Returns `false` if it has a character that XML does not allow; `out` is then invalid.
#[must_use]
pub(super) fn push(out: &mut String, value: &str, escape: Escape) -> bool {
    if value.bytes().all(is_plain) {
        out.push_str(value);
        return true;
    }
    for c in value.chars() {
        if !is_xml_char(c) {
            return false;
        }
        match (c, escape) {
            ('"', Escape::Json) => out.push_str("\\&quot;"),
            ('\\', Escape::Json) => out.push_str("\\\\"),
            ('\n', Escape::Json) => out.push_str("\\n"),
            ('\r', Escape::Json) => out.push_str("\\r"),
            ('\t', Escape::Json) => out.push_str("\\t"),
            ('\n', Escape::Attribute) => out.push_str("&#10;"),
            ('\t', Escape::Attribute) => out.push_str("&#9;"),
            ('\r', _) => out.push_str("&#13;"),
            ('<', _) => out.push_str("&lt;"),
            ('>', _) => out.push_str("&gt;"),
            ('&', _) => out.push_str("&amp;"),
            ('\'', _) => out.push_str("&apos;"),
            ('"', _) => out.push_str("&quot;"),
            _ => out.push(c),
        }
    }
    true
}

/// Whether a byte needs no escaping in any form.
const fn is_plain(b: u8) -> bool {
    b.is_ascii_alphanumeric()
        || matches!(
            b,
            b' ' | b'!' | b'#'..=b'%' | b'('..=b'/' | b':' | b';' | b'=' | b'?' | b'@' | b'['
                | b']'..=b'`' | b'{'..=b'~'
        )
}

/// Percent-encodes everything except RFC 3986's unreserved characters.
pub(super) fn percent_encode(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 16);
    for b in value.bytes() {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(b));
        } else {
            write!(out, "%{b:02X}").expect("writing to a string does not fail");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use quick_xml::Writer;
    use quick_xml::events::BytesText;

    use super::*;

    #[test]
    fn values_are_escaped_like_the_xml_library_does() {
        let all: String = (1..0x300).filter_map(char::from_u32).filter(|&c| is_xml_char(c)).collect();
        for value in ["plain", "a<b>&\"'\r\n\t]]>", &all, "\u{1F600}\u{FFFD}"] {
            let mut writer = Writer::new(Vec::new());
            writer
                .create_element("Say")
                .with_attribute(("voice", value))
                .write_text_content(BytesText::new(value))
                .unwrap();
            let mut ours = String::from("<Say voice=\"");
            assert!(push(&mut ours, value, Escape::Attribute));
            ours.push_str("\">");
            assert!(push(&mut ours, value, Escape::Text));
            ours.push_str("</Say>");
            assert_eq!(ours.as_bytes(), writer.into_inner());
        }
    }

    #[test]
    fn only_characters_outside_xml_are_refused() {
        for c in ['\0', '\u{8}', '\u{B}', '\u{C}', '\u{E}', '\u{1F}', '\u{FFFE}', '\u{FFFF}'] {
            assert!(!push(&mut String::new(), &format!("a{c}"), Escape::Text), "{c:?}");
        }
        for c in ['\t', '\n', '\r', ' ', '\u{7F}', '\u{D7FF}', '\u{E000}', '\u{FFFD}', '\u{10FFFF}'] {
            assert!(push(&mut String::new(), &format!("a{c}"), Escape::Text), "{c:?}");
        }
    }

    #[test]
    fn every_delimiter_in_a_url_component_is_escaped() {
        assert_eq!(percent_encode("a/b?c=d&e#f%é ~"), "a%2Fb%3Fc%3Dd%26e%23f%25%C3%A9%20~");
    }
}
