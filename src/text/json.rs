//! Detects other formats where JSON is expected, and names them in one sentence.
//!
//! RFC 8259, section 8.1: JSON is UTF-8, and a parser may ignore a byte-order mark at its start.

/// The byte-order mark, which some editors and spreadsheets write at the start of UTF-8.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// The number of bytes that are examined.
const LOOKED_AT: usize = 4096;

/// The format that was found instead of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotJson {
    #[error("expected JSON in UTF-8, but this is text in UTF-16; save it as UTF-8")]
    Utf16,
    #[error("expected JSON in UTF-8, but this is text in UTF-32; save it as UTF-8")]
    Utf32,
    #[error("expected JSON, but this is a table (CSV); convert each row to a JSON object on its own line")]
    Csv,
    #[error("expected JSON, but this is HTML or XML, perhaps an error page of a proxy")]
    Html,
    #[error("expected JSON, but this is an archive or a workbook (ZIP); export it as JSON")]
    Zip,
    #[error("expected JSON, but this is compressed (gzip); send it uncompressed")]
    Gzip,
}

/// The text without its byte-order mark.
#[must_use]
pub fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(MARK).unwrap_or(bytes)
}

/// The text without its byte-order mark, unless it is clearly another format. Whether it is JSON is left to the parser.
/// Examines only the first 4 kB.
///
/// # Errors
/// [`NotJson`] with the format.
pub fn open(bytes: &[u8]) -> Result<&[u8], NotJson> {
    let text = without_mark(bytes);
    match bytes {
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] | [_, 0, 0, 0, ..] | [0, 0, 0, _, ..] => {
            return Err(NotJson::Utf32);
        }
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [1..=255, 0, ..] | [0, 1..=255, ..] => {
            return Err(NotJson::Utf16);
        }
        [b'P', b'K', 3, 4, ..] => return Err(NotJson::Zip),
        [0x1F, 0x8B, ..] => return Err(NotJson::Gzip),
        _ => {}
    }
    let start = &text[..text.len().min(LOOKED_AT)];
    if start.trim_ascii_start().starts_with(b"<") {
        return Err(NotJson::Html);
    }
    if is_table(start) { Err(NotJson::Csv) } else { Ok(text) }
}

/// Whether the first lines are cells with separators between them, and none begins as an object or array does.
fn is_table(start: &[u8]) -> bool {
    let mut lines = start
        .split(|&byte| byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty())
        .take(3)
        .peekable();
    let Some(&heading) = lines.peek() else { return false };
    let separator = [b',', b';', b'\t'].into_iter().find(|separator| heading.contains(separator));
    let is_scalar = serde_json::from_slice::<serde::de::IgnoredAny>(heading).is_ok();
    separator.is_some() && !is_scalar && lines.all(|line| !line.starts_with(b"{") && !line.starts_with(b"["))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, little: bool) -> Vec<u8> {
        text.encode_utf16()
            .flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() })
            .collect()
    }

    #[test]
    fn json_is_returned_without_its_byte_order_mark() {
        for text in
            ["{}", "[{}]", " \r\n{}", "", "true", "\"a, b\"", "{\"a\":1}\r\n{\"b\":2}\r\n", "nonsense"]
        {
            assert_eq!(open(text.as_bytes()), Ok(text.as_bytes()), "{text}");
            assert_eq!(open(&[MARK, text.as_bytes()].concat()), Ok(text.as_bytes()), "{text}");
        }
        // Only one mark is ignored.
        assert_eq!(open(&[MARK, MARK, b"{}"].concat()), Ok(&*[MARK, b"{}"].concat()));
    }

    #[test]
    fn a_broken_line_among_objects_is_left_to_the_parser() {
        for text in ["oops, broken\n{\"a\":1}\n", "{\"a\":1}\noops, broken\n", "{\"a\":1,}\n"] {
            assert!(open(text.as_bytes()).is_ok(), "{text}");
        }
    }

    #[test]
    fn other_encodings_are_told() {
        let json = "{\"consumer\": \"+447700900213\"}";
        for little in [true, false] {
            let marked = utf16(&format!("\u{FEFF}{json}"), little);
            assert_eq!(open(&marked), Err(NotJson::Utf16));
            assert_eq!(open(&utf16(json, little)), Err(NotJson::Utf16), "without a mark");
        }
        assert_eq!(open(b"{\0\0\0\"\0\0\0"), Err(NotJson::Utf32));
        assert_eq!(open(b"\xFF\xFE\0\0{\0\0\0"), Err(NotJson::Utf32));
    }

    #[test]
    fn other_formats_are_told() {
        for table in [
            "consumer,document\n+447700900213,message\n",
            "\u{FEFF}consumer;document\r\n+447700900213;message\r\n",
            "\"consumer\",\"document\"\n\"+447700900213\",\"message\"\n",
            "consumer\tdocument",
            "+447700900213,message\n+447700900214,message\n",
        ] {
            assert_eq!(open(table.as_bytes()), Err(NotJson::Csv), "{table}");
        }
        for page in ["<!doctype html><html>", "  <?xml version=\"1.0\"?><a/>", "\u{FEFF}<html>"] {
            assert_eq!(open(page.as_bytes()), Err(NotJson::Html), "{page}");
        }
        assert_eq!(open(b"PK\x03\x04rest"), Err(NotJson::Zip));
        assert_eq!(open(b"\x1F\x8B\x08"), Err(NotJson::Gzip));
    }

    #[test]
    fn the_fault_is_one_sentence() {
        for fault in
            [NotJson::Utf16, NotJson::Utf32, NotJson::Csv, NotJson::Html, NotJson::Zip, NotJson::Gzip]
        {
            let text = fault.to_string();
            assert!(
                text.starts_with("expected JSON") && !text.contains('\n') && !text.ends_with('.'),
                "{text}"
            );
        }
    }
}
