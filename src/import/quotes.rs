//! Follows the quotation marks of a CSV list, byte by byte, as the reader of CSV does.

/// Where in a list a byte is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    Start,
    Cell,
    Quotes,
    /// After a quotation mark within quotes: it ends them, or is the first of two.
    Mark,
}

/// Where a list is after the bytes that were seen. It begins at the start of a row.
#[derive(Debug, Clone)]
pub(super) struct Quotes {
    delimiter: u8,
    within: Within,
    /// Line ends outside of quotes. `\r\n` is one.
    rows: u32,
    is_blank: bool,
    is_after_return: bool,
}

impl Quotes {
    pub(super) const fn new(delimiter: u8) -> Self {
        Self { delimiter, within: Within::Start, rows: 0, is_blank: true, is_after_return: false }
    }

    /// Takes the next byte. Returns whether it ends a line outside of quotes. Only a mark at the start of a cell opens a
    /// quotation.
    pub(super) fn next(&mut self, byte: u8) -> bool {
        let is_end = self.within != Within::Quotes && matches!(byte, b'\r' | b'\n');
        self.within = match (self.within, byte) {
            (Within::Quotes, b'"') => Within::Mark,
            (Within::Quotes, _) | (Within::Start | Within::Mark, b'"') => Within::Quotes,
            (_, b'\r' | b'\n') => Within::Start,
            (_, byte) if byte == self.delimiter => Within::Start,
            _ => Within::Cell,
        };
        let is_pair = self.is_after_return && byte == b'\n';
        self.rows = self.rows.saturating_add(u32::from(is_end && !is_pair));
        self.is_after_return = is_end && byte == b'\r';
        self.is_blank = is_end;
        is_end
    }

    /// Whether no byte of a row was seen since the last line end.
    pub(super) const fn is_blank(&self) -> bool {
        self.is_blank
    }

    /// The row of the next byte, from 1. Blank rows count, as in a spreadsheet.
    pub(super) const fn row(&self) -> u32 {
        self.rows.saturating_add(1)
    }

    /// The row, from 1, whose quotation is not closed.
    pub(super) fn open_in(&self) -> Option<u32> {
        (self.within == Within::Quotes).then(|| self.row())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(text: &str) -> Quotes {
        let mut quotes = Quotes::new(b';');
        text.bytes().for_each(|byte| _ = quotes.next(byte));
        quotes
    }

    #[test]
    fn a_quotation_is_open_until_a_single_mark() {
        for (text, open) in [
            ("", None),
            ("a;b\r\n", None),
            ("\"", Some(1)),
            ("a;\"b", Some(1)),
            ("a;\"b\"", None),
            ("a;\"b\"\"", Some(1)),
            ("a;\"b\"\"\"", None),
            ("a;5\" x", None),
            ("a;b\r\n\r\n\n\"c;\n", Some(4)),
            ("a\n\"b\nc\"\nd\n;\"", Some(4)),
        ] {
            assert_eq!(after(text).open_in(), open, "{text:?}");
        }
    }
}
