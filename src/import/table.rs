//! CSV as records of bytes: the delimiter is found in the first line, and a record has a maximum size.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, Read};
use std::rc::Rc;

use csv::ByteRecord;

use super::ListError;
use super::quotes::Quotes;

/// The longest row, in bytes. An order may have 64 KiB, and a quotation mark that is not closed makes the rest of the
/// list one row.
pub const ROW_BYTES_MAX: usize = 256 << 10;
/// The most columns of a list.
pub const COLUMNS_MAX: usize = 200;
/// How much of a list is looked at for the delimiter, in bytes.
pub(super) const LINE_MAX: usize = 64 << 10;
/// The size of the buffer of the CSV reader, which reads ahead of a row, in bytes.
const BUFFER: usize = 64 << 10;

/// The delimiters that are looked for. The first one wins among equally frequent ones.
pub const DELIMITERS: [u8; 3] = *b";,\t";

/// The records of a list, one after the other.
pub struct Table<R> {
    reader: csv::Reader<Limited<io::Chain<io::Cursor<Vec<u8>>, R>>>,
    left: Rc<Cell<usize>>,
    /// The row whose quotation the end of the list did not close.
    open_in: Rc<Cell<Option<u32>>>,
    /// The rows that begin in what was read ahead, in order.
    begun: Rc<RefCell<VecDeque<u32>>>,
    record: ByteRecord,
    /// The rows before the list, which are blank.
    before: u32,
    /// The number of the last record, from 1. Blank rows count, as in a spreadsheet.
    number: u32,
    delimiter: u8,
}

impl<R: Read> Table<R> {
    /// Opens a list in UTF-8, of which so many blank rows were passed over. Without `delimiter` it is the most frequent one
    /// in the first line, outside of quotes.
    ///
    /// # Errors
    /// If the list cannot be read.
    pub fn open(mut input: R, before: u32, delimiter: Option<u8>) -> Result<Self, ListError> {
        let mut first = Vec::new();
        (&mut input).take(LINE_MAX as u64).read_to_end(&mut first).map_err(ListError::Unreadable)?;
        let delimiter = delimiter.unwrap_or_else(|| detect(&first));
        let (left, open_in) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(None)));
        let begun = Rc::new(RefCell::new(VecDeque::new()));
        let input = Limited {
            inner: io::Cursor::new(first).chain(input),
            left: Rc::clone(&left),
            quotes: Quotes::new(delimiter),
            open_in: Rc::clone(&open_in),
            begun: Rc::clone(&begun),
        };
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .buffer_capacity(BUFFER)
            .from_reader(input);
        Ok(Self {
            reader,
            left,
            open_in,
            begun,
            record: ByteRecord::new(),
            before,
            number: before,
            delimiter,
        })
    }

    pub const fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// The next record with its number; `None` at the end.
    ///
    /// # Errors
    /// If the list cannot be read, or the record is too long. Then the rest is lost.
    pub fn read(&mut self) -> Result<Option<(u32, &ByteRecord)>, ListError> {
        self.left.set(ROW_BYTES_MAX + BUFFER);
        let read = self.reader.read_byte_record(&mut self.record);
        if let (Ok(_), Some(row)) = (&read, self.open_in.get()) {
            return Err(ListError::QuoteOpen { row: row.saturating_add(self.before) });
        }
        let begun = self.begun.borrow_mut().pop_front();
        let row = begun.map_or(self.number.saturating_add(1), |row| row.saturating_add(self.before));
        match read {
            Ok(true) if self.record.as_slice().len() > ROW_BYTES_MAX => {
                Err(ListError::RowTooLong { row, max: ROW_BYTES_MAX })
            }
            Ok(true) => {
                self.number = row;
                Ok(Some((row, &self.record)))
            }
            Ok(false) => Ok(None),
            Err(error) => Err(match error.into_kind() {
                csv::ErrorKind::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                    ListError::RowTooLong { row, max: ROW_BYTES_MAX }
                }
                csv::ErrorKind::Io(error) => ListError::Unreadable(error),
                other => ListError::Unreadable(io::Error::other(format!("{other:?}"))),
            }),
        }
    }
}

/// The most frequent delimiter of the first line that is not blank.
pub(super) fn detect(first: &[u8]) -> u8 {
    let start = first.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(first.len());
    let mut counts = [0_usize; DELIMITERS.len()];
    let mut is_quoted = false;
    for &byte in &first[start..] {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b'\r' | b'\n' if !is_quoted => break,
            _ if is_quoted => {}
            _ => {
                if let Some(index) = DELIMITERS.iter().position(|&delimiter| delimiter == byte) {
                    counts[index] += 1;
                }
            }
        }
    }
    let most = counts.iter().copied().max().unwrap_or(0);
    if most == 0 {
        return b',';
    }
    let index = counts.iter().position(|&count| count == most).unwrap_or(0);
    DELIMITERS[index]
}

/// Refuses to read more than what is left for a record, and follows the quotation marks.
struct Limited<R> {
    inner: R,
    left: Rc<Cell<usize>>,
    quotes: Quotes,
    open_in: Rc<Cell<Option<u32>>>,
    begun: Rc<RefCell<VecDeque<u32>>>,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = self.left.get();
        if left == 0 {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let most = out.len().min(left);
        let count = self.inner.read(&mut out[..most])?;
        self.left.set(left - count);
        match count {
            0 => self.open_in.set(self.quotes.open_in()),
            _ => {
                let mut begun = self.begun.borrow_mut();
                for &byte in &out[..count] {
                    let (is_new, row) = (self.quotes.is_blank(), self.quotes.row());
                    if !self.quotes.next(byte) && is_new {
                        begun.push_back(row);
                    }
                }
            }
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(text: &str) -> Result<Vec<Vec<String>>, ListError> {
        let mut table = Table::open(text.as_bytes(), 0, None)?;
        let mut all = Vec::new();
        while let Some((_, record)) = table.read()? {
            all.push(record.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect());
        }
        Ok(all)
    }

    #[test]
    fn the_delimiter_is_the_most_frequent_one_of_the_first_line() {
        for (text, expected) in [
            ("a;b;c,d\n1,2,3,4,5\n", b';'),
            ("a,b\n", b','),
            ("a\tb\n", b'\t'),
            ("\"a,b,c\";d\n", b';'),
            ("\r\n\r\na\tb\r\n", b'\t'),
            ("a;b,c\n", b';'),
            ("a\n", b','),
            ("", b','),
        ] {
            assert_eq!(detect(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn quotes_hold_delimiters_lines_and_quotes() {
        let rows = records("a;b\r\n\"x;\r\ny\";\"z\"\"\"\r\n\r\nlast;\n").unwrap();
        assert_eq!(rows, [vec!["a", "b"], vec!["x;\r\ny", "z\""], vec!["last", ""]]);
    }

    #[test]
    fn a_row_has_the_number_that_a_spreadsheet_shows() {
        let numbers = |text: &str, before| {
            let mut table = Table::open(text.as_bytes(), before, None).unwrap();
            let mut numbers = Vec::new();
            while let Some((number, _)) = table.read().unwrap() {
                numbers.push(number);
            }
            numbers
        };
        assert_eq!(numbers("a;b\n\n\n1;2\n\"x\n\ny\";3\n;\n4;5", 0), [1, 4, 5, 6, 7]);
        assert_eq!(numbers("a;b\r\n\r\n1;2\r\n3;4\r\n", 2), [3, 5, 6]);
        assert_eq!(numbers("a\r\r1\r2", 0), [1, 3, 4], "lines of old spreadsheets");
        let long: String = (0..40_000).map(|_| "5511;2\n\n").collect();
        assert_eq!(numbers(&format!("a;b\n{long}"), 0).last(), Some(&80_000), "past what is read ahead");
    }

    #[test]
    fn a_row_has_a_maximum_size() {
        let of = |length: usize| format!("a;b\n{};\n", "x".repeat(length));
        assert_eq!(records(&of(ROW_BYTES_MAX)).unwrap().len(), 2);
        let error = records(&of(ROW_BYTES_MAX + 1)).unwrap_err();
        assert!(matches!(error, ListError::RowTooLong { row: 2, .. }), "{error}");
    }

    #[test]
    fn a_quotation_that_nothing_closes_is_refused() {
        for (text, row) in [("a;b\n1;2\n\"3;4\n5;6\n", 3), ("\"a;b", 1), ("a\n\n\"", 3)] {
            let error = records(text).unwrap_err();
            assert!(
                matches!(error, ListError::QuoteOpen { row: found } if found == row),
                "{text:?}: {error}"
            );
        }
    }

    #[test]
    fn a_quotation_mark_that_is_not_closed_ends_at_the_maximum() {
        let text = format!("a;b\n\"x;1\n{}", "5511;2\n".repeat(200_000));
        let error = records(&text).unwrap_err();
        assert!(matches!(error, ListError::RowTooLong { row: 2, .. }), "{error}");
    }
}
