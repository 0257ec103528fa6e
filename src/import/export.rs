//! Writes CSV that a spreadsheet opens without computing any of it.

use std::io::{self, Write};

/// The first characters by which a spreadsheet takes a cell for a formula or a command (OWASP, *CSV Injection*).
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A cell that is shown as it is: with an apostrophe before what would be computed.
#[must_use]
pub fn neutral(cell: &str) -> std::borrow::Cow<'_, str> {
    if cell.starts_with(FORMULA) { format!("'{cell}").into() } else { cell.into() }
}

/// The refused rows of a list as CSV: `row`, `field`, `code` and `detail`. It has no value of the list.
pub struct Refused<W: Write> {
    out: csv::Writer<W>,
}

impl<W: Write> Refused<W> {
    /// Begins with the names of the columns.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn begin(out: W) -> io::Result<Self> {
        let mut out = csv::Writer::from_writer(out);
        out.write_record(["row", "field", "code", "detail"])?;
        Ok(Self { out })
    }

    /// Adds one fault of a row.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn add(&mut self, row: u32, field: &str, code: &str, detail: &str) -> io::Result<()> {
        let row = row.to_string();
        let cells = [row.as_str(), field, code, detail].map(neutral);
        self.out.write_record(cells.iter().map(|cell| cell.as_bytes()))?;
        Ok(())
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn end(mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_computed_is_shown() {
        for cell in ["=1+1", "+55", "-1", "@SUM(A1)", "\tx", "\rx"] {
            assert_eq!(neutral(cell), format!("'{cell}"));
        }
        for cell in ["a=b", "1", "", "'x", " =1"] {
            assert_eq!(neutral(cell), cell);
        }
    }

    #[test]
    fn a_refused_row_is_told_by_number_and_code() {
        let mut bytes = Vec::new();
        let mut refused = Refused::begin(&mut bytes).unwrap();
        refused.add(4, "consumer", "phone.invalid", "is not E.164: expected \"+\", and digits").unwrap();
        refused.add(5, "=1", "x", "").unwrap();
        refused.end().unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let expected = "row,field,code,detail\n4,consumer,phone.invalid,\"is not E.164: expected \"\"+\"\", and digits\"\n5,'=1,x,\n";
        assert_eq!(text, expected);
    }
}
