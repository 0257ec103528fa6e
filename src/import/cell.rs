//! What a spreadsheet does to a value, and what of it can be undone.

use super::Fault;

/// The text of a cell: without the white space around it, and without the apostrophe by which a spreadsheet marks a
/// number as text. `None` if the cell is empty.
///
/// # Errors
/// If the cell is not UTF-8, or is a formula. A formula is never computed, and never sent on.
pub(super) fn text<'a>(field: &str, cell: &'a [u8]) -> Result<Option<&'a str>, Fault> {
    let Ok(text) = std::str::from_utf8(cell) else {
        let detail = "is not UTF-8: save the list as \"CSV UTF-8\", or give its encoding, such as windows-1252 (which Latin-1 is \
                      read as too)";
        return Err(Fault::new(field, "cell.not_utf8", detail));
    };
    let text = text.trim();
    if text.starts_with('=') {
        let detail = "is a formula: paste the value instead of the formula";
        return Err(Fault::new(field, "cell.formula", detail));
    }
    let text = match text.strip_prefix('\'') {
        Some(rest) if rest.starts_with(|c: char| c == '+' || c.is_ascii_digit()) => rest,
        _ => text,
    };
    Ok((!text.is_empty()).then_some(text))
}

/// Whether a row has nothing: no cell with a character other than white space.
pub(super) fn all_empty<'a>(cells: impl IntoIterator<Item = &'a [u8]>) -> bool {
    cells
        .into_iter()
        .all(|cell| cell.is_empty() || std::str::from_utf8(cell).is_ok_and(|text| text.trim().is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_of_a_text_is_removed_from_numbers_only() {
        for (cell, expected) in [
            ("'+5511987654321", "+5511987654321"),
            ("'0011", "0011"),
            (" \u{A0}x\u{A0} ", "x"),
            ("'tis", "'tis"),
            ("+55", "+55"),
        ] {
            assert_eq!(text("x", cell.as_bytes()), Ok(Some(expected)), "{cell}");
        }
        assert_eq!(text("x", b" \t"), Ok(None));
    }

    #[test]
    fn a_formula_and_bytes_that_are_no_text_are_refused() {
        for cell in ["=+5511987654321", " =1+1", "=\"+55\""] {
            assert_eq!(text("consumer", cell.as_bytes()).unwrap_err().code, "cell.formula", "{cell}");
        }
        assert_eq!(text("consumer", b"S\xE3o").unwrap_err().code, "cell.not_utf8");
    }

    #[test]
    fn white_space_alone_is_an_empty_row() {
        assert!(all_empty([&b""[..], b" ", "\u{A0}".as_bytes()]));
        assert!(!all_empty([&b""[..], b"\xE3"]));
        assert!(!all_empty([&b"0"[..]]));
    }
}
