//! Reads a list that arrives in parts. A row that the end of a part cuts is left for the next part.
//!
//! What has to be known between two parts is a [`Place`], which the caller keeps. Doubles are not looked for here, because
//! they may be parts apart: each row tells its person.

use std::io::Cursor;

use bytes::Bytes;
use csv::ByteRecord;
use serde::{Deserialize, Serialize};

use super::ListError;
use super::columns::Columns;
use super::encoding::{Encoding, of_windows_1252};
use super::order::Maker;
use super::quotes::Quotes;
use super::rows::{Options, ROWS_MAX, Row};
use super::table::{LINE_MAX, ROW_BYTES_MAX, detect};

/// What is known of a list between two of its parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub encoding: Encoding,
    pub format: Format,
    /// The names of the columns of CSV.
    header: Vec<String>,
    /// The number of the last row that was read.
    row: u32,
    /// How many rows were read that are not empty.
    rows: u32,
    /// How many empty rows were passed over.
    pub empty: u32,
}

/// The format of a list in parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// With its delimiter.
    Csv(u8),
    Ndjson,
}

impl Format {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csv(_) => "csv",
            Self::Ndjson => "ndjson",
        }
    }
}

impl Place {
    /// The numbers of the columns that are not used, from 1.
    ///
    /// # Errors
    /// If the columns are not understood.
    pub fn unused_columns(&self, options: &Options) -> Result<Vec<usize>, ListError> {
        match self.format {
            Format::Csv(_) => Ok(self.columns(options)?.unused),
            Format::Ndjson => Ok(Vec::new()),
        }
    }

    fn columns(&self, options: &Options) -> Result<Columns, ListError> {
        let names: Vec<&str> = self.header.iter().map(String::as_str).collect();
        Columns::read(&names, &options.mapping)
    }
}

/// The whole rows of what has arrived and was not read yet.
pub struct PartRows {
    raw: Bytes,
    place: Place,
    maker: Maker,
    source: Source,
    /// Bytes of `raw` before the next row.
    taken: usize,
    is_last: bool,
}

enum Source {
    Table { reader: Box<csv::Reader<Cursor<Bytes>>>, columns: Columns, record: ByteRecord, at: usize },
    Lines { text: Bytes, at: usize },
}

impl PartRows {
    /// Opens what has arrived: from the first byte that was not read, after the place `place`; `None` begins the list.
    /// `is_last` tells that nothing follows. `None` if it has no whole row yet.
    ///
    /// # Errors
    /// If the list is empty, its columns are not understood, a row is too long, or it is a JSON array.
    pub fn open(
        raw: Bytes,
        place: Option<Place>,
        options: &Options,
        is_last: bool,
    ) -> Result<Option<Self>, ListError> {
        let maker = Maker {
            default_country: options.default_country,
            defaults: options.defaults.clone(),
            doubles: None,
        };
        let (encoding, start) = match &place {
            Some(place) => (place.encoding, 0),
            None => {
                let encoding = options.encoding.unwrap_or_else(|| Encoding::detect(&raw));
                (encoding, encoding.mark(&raw))
            }
        };
        let text = decoded(&raw.slice(start..), encoding, is_last);
        let (place, skipped) = match place {
            Some(place) => (place, 0),
            None => match begin(&text, encoding, options, is_last)? {
                Some(begun) => begun,
                None => return Ok(None),
            },
        };
        if is_last {
            check_quotes(&text[skipped..], place.format, place.row)?;
        }
        let end = if is_last { text.len() } else { whole_rows(&text[skipped..], place.format) + skipped };
        if end == skipped {
            check_rest(&raw, Some(&place))?;
            return Ok(None);
        }
        let taken = start + raw_len(&text[..skipped], encoding);
        let rows = text.slice(skipped..end);
        let mut part =
            Self { raw, maker, source: Source::Lines { text: rows.clone(), at: 0 }, taken, is_last, place };
        if let Format::Csv(delimiter) = part.place.format {
            part.open_table(rows, delimiter, options)?;
        }
        Ok(Some(part))
    }

    fn open_table(&mut self, rows: Bytes, delimiter: u8, options: &Options) -> Result<(), ListError> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(Cursor::new(rows));
        let (mut record, mut at) = (ByteRecord::new(), 0);
        if self.place.header.is_empty() {
            if !read(&mut reader, &mut record, 1)? {
                return Err(ListError::Empty);
            }
            self.place.header =
                record.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect();
            self.place.row = self.place.row.saturating_add(1);
            at = row_end(&reader, 0);
        }
        let columns = self.place.columns(options)?;
        self.advance_to(&reader.get_ref().get_ref().clone(), 0, at);
        self.source = Source::Table { reader: Box::new(reader), columns, record, at };
        Ok(())
    }

    /// The next row that is not empty; `None` if no whole row is left.
    ///
    /// # Errors
    /// If the row is too long, or the list has too many. What was read before is good.
    pub fn read(&mut self) -> Result<Option<Row>, ListError> {
        loop {
            if self.place.rows >= ROWS_MAX {
                return match self.next_is_empty() {
                    true => Ok(None),
                    false => Err(ListError::TooManyRows { max: ROWS_MAX }),
                };
            }
            let mut number = self.place.row.saturating_add(1);
            let (made, text, from, to) = match &mut self.source {
                Source::Table { reader, columns, record, at } => {
                    let (text, from) = (reader.get_ref().get_ref().clone(), *at);
                    let blank = blank_rows(&text[from.min(text.len())..]);
                    number = number.saturating_add(blank);
                    if !read(reader, record, number)? {
                        *at = text.len();
                        self.place.row = self.place.row.saturating_add(blank);
                        self.advance_to(&text, from, text.len());
                        self.take_rest();
                        return Ok(None);
                    }
                    let to = row_end(reader, from);
                    *at = to;
                    (self.maker.of_cells(number, columns, record), text, from, to)
                }
                Source::Lines { text, at } => {
                    let rest = &text[*at..];
                    if rest.is_empty() {
                        return Ok(None);
                    }
                    let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
                    if length > ROW_BYTES_MAX {
                        return Err(ListError::RowTooLong { row: number, max: ROW_BYTES_MAX });
                    }
                    let json = rest[..length].trim_ascii();
                    let made = (!json.is_empty()).then(|| self.maker.of_json(number, json));
                    let (from, to) = (*at, *at + length);
                    *at = to;
                    (made, text.clone(), from, to)
                }
            };
            self.place.row = number;
            self.advance_to(&text, from, to);
            match made {
                None => self.place.empty = self.place.empty.saturating_add(1),
                Some(made) => {
                    self.place.rows += 1;
                    return Ok(Some(Row::of(number, made)));
                }
            }
        }
    }

    fn next_is_empty(&self) -> bool {
        let (text, at) = match &self.source {
            Source::Table { reader, at, .. } => (reader.get_ref().get_ref(), *at),
            Source::Lines { text, at } => (text, *at),
        };
        text[at.min(text.len())..].iter().all(u8::is_ascii_whitespace)
    }

    fn advance_to(&mut self, text: &Bytes, from: usize, to: usize) {
        let to = to.min(text.len());
        self.taken += raw_len(&text[from.min(to)..to], self.place.encoding);
    }

    /// At the end of the list nothing is left over, such as half a character.
    fn take_rest(&mut self) {
        if self.is_last {
            self.taken = self.raw.len();
        }
    }

    /// How many bytes were read: those before the next row.
    #[must_use]
    pub const fn taken(&self) -> usize {
        self.taken
    }

    #[must_use]
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// What has arrived and was not read.
    #[must_use]
    pub fn rest(&self) -> Bytes {
        self.raw.slice(self.taken.min(self.raw.len())..)
    }
}

/// Refuses what is left of a part, if no row can be so long.
///
/// # Errors
/// [`ListError::RowTooLong`], most often because a quotation mark is not closed.
pub fn check_rest(rest: &[u8], place: Option<&Place>) -> Result<(), ListError> {
    let unit = place.map_or(1, |place| place.encoding.unit());
    if rest.len() > ROW_BYTES_MAX * unit {
        let row = place.map_or(1, |place| place.row.saturating_add(1));
        return Err(ListError::RowTooLong { row, max: ROW_BYTES_MAX });
    }
    Ok(())
}

fn read(
    reader: &mut csv::Reader<Cursor<Bytes>>,
    record: &mut ByteRecord,
    row: u32,
) -> Result<bool, ListError> {
    match reader.read_byte_record(record) {
        Ok(true) if record.as_slice().len() > ROW_BYTES_MAX => {
            Err(ListError::RowTooLong { row, max: ROW_BYTES_MAX })
        }
        Ok(is_there) => Ok(is_there),
        Err(error) => Err(ListError::Unreadable(std::io::Error::other(error))),
    }
}

/// Where the row ends that was read last and began at `from`. The reader leaves the second half of `\r\n`.
fn row_end(reader: &csv::Reader<Cursor<Bytes>>, from: usize) -> usize {
    let text = reader.get_ref().get_ref();
    let at = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX).max(from).min(text.len());
    let is_half = at > 0 && text[at - 1] == b'\r' && text.get(at) == Some(&b'\n');
    if is_half { at + 1 } else { at }
}

/// How many blank rows a text begins with.
fn blank_rows(text: &[u8]) -> u32 {
    let ends = text.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let pairs = text[..ends].windows(2).filter(|pair| pair == b"\r\n").count();
    u32::try_from(ends - pairs).unwrap_or(u32::MAX)
}

/// What the beginning of a list tells, and how many bytes of white space are before it.
fn begin(
    text: &[u8],
    encoding: Encoding,
    options: &Options,
    is_last: bool,
) -> Result<Option<(Place, usize)>, ListError> {
    let skipped = text.iter().take_while(|byte| matches!(byte, b' ' | b'\r' | b'\n')).count();
    let lines = text[..skipped].iter().filter(|&&byte| byte == b'\n').count();
    let row = u32::try_from(lines).unwrap_or(u32::MAX);
    let format = match text.get(skipped) {
        None if is_last => return Err(ListError::Empty),
        None => return Ok(None),
        Some(b'[') => return Err(ListError::ArrayInParts),
        Some(b'{') => Format::Ndjson,
        Some(_) => {
            let first = &text[skipped..];
            Format::Csv(options.delimiter.unwrap_or_else(|| detect(&first[..first.len().min(LINE_MAX)])))
        }
    };
    Ok(Some((Place { encoding, format, header: Vec::new(), row, rows: 0, empty: 0 }, skipped)))
}

/// The text of bytes. Half a unit at their end is only read at the end of the list.
fn decoded(raw: &Bytes, encoding: Encoding, is_last: bool) -> Bytes {
    match encoding {
        Encoding::Utf8 => return raw.clone(),
        Encoding::Windows1252 => return of_windows_1252(raw).into_bytes().into(),
        Encoding::Utf16Le | Encoding::Utf16Be => {}
    }
    let (pairs, rest) = raw.as_chunks::<2>();
    let units = pairs.iter().map(|pair| match encoding {
        Encoding::Utf16Be => u16::from_be_bytes(*pair),
        _ => u16::from_le_bytes(*pair),
    });
    let half = (is_last && !rest.is_empty()).then_some(0xFFFD);
    let text = char::decode_utf16(units.chain(half)).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
    text.collect::<String>().into_bytes().into()
}

/// How many bytes the text has in the encoding of the list.
fn raw_len(text: &[u8], encoding: Encoding) -> usize {
    match encoding {
        Encoding::Utf8 => text.len(),
        Encoding::Windows1252 => String::from_utf8_lossy(text).chars().count(),
        Encoding::Utf16Le | Encoding::Utf16Be => {
            2 * String::from_utf8_lossy(text).chars().map(char::len_utf16).sum::<usize>()
        }
    }
}

/// The end of the last row that is whole.
fn whole_rows(text: &[u8], format: Format) -> usize {
    match format {
        Format::Ndjson => memchr::memrchr(b'\n', text).map_or(0, |end| end + 1),
        Format::Csv(delimiter) => whole_records(text, delimiter),
    }
}

fn whole_records(text: &[u8], delimiter: u8) -> usize {
    let (mut quotes, mut end) = (Quotes::new(delimiter), 0);
    for (at, &byte) in text.iter().enumerate() {
        // The second half of `\r\n` may be in the next part.
        let is_half = byte == b'\r' && matches!(text.get(at + 1), None | Some(b'\n'));
        if quotes.next(byte) && !is_half {
            end = at + 1;
        }
    }
    end
}

/// Refuses the end of a list within a quotation: the rows after the mark would be one cell. `row` is the last one before.
fn check_quotes(text: &[u8], format: Format, row: u32) -> Result<(), ListError> {
    let Format::Csv(delimiter) = format else { return Ok(()) };
    let mut quotes = Quotes::new(delimiter);
    text.iter().for_each(|&byte| _ = quotes.next(byte));
    match quotes.open_in() {
        Some(open) => Err(ListError::QuoteOpen { row: row.saturating_add(open) }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::Fault;

    const LIST: &str = "\r\nphone;var.name\r\n+5511987650101;\"Ana;\r\nB\"\"é\"\r\n;\r\n+5511987650102;5\" x\r\n\r\nno;😀\r\n+5511987650103;last";

    /// The rows of a list that arrives in parts of this size, with the place written down between them.
    fn in_parts(list: &[u8], size: usize, options: &Options) -> Result<(Vec<Row>, u32), ListError> {
        let (mut rest, mut place, mut rows) = (Vec::new(), None::<Place>, Vec::new());
        let mut parts: Vec<&[u8]> = list.chunks(size).collect();
        parts.push(&[]);
        let last = parts.len() - 1;
        for (index, part) in parts.into_iter().enumerate() {
            rest.extend_from_slice(part);
            let opened = PartRows::open(rest.clone().into(), place.clone(), options, index == last)?;
            let Some(mut part) = opened else { continue };
            while let Some(row) = part.read()? {
                rows.push(row);
            }
            let written = serde_json::to_string(part.place()).unwrap();
            (rest, place) = (part.rest().to_vec(), serde_json::from_str(&written).unwrap());
            check_rest(&rest, place.as_ref())?;
        }
        assert!(rest.is_empty(), "nothing is left over");
        Ok((rows, place.map_or(0, |place| place.empty)))
    }

    fn whole(list: &[u8], options: &Options) -> Vec<(u32, Result<String, Vec<Fault>>)> {
        let rows = super::super::Rows::open(list, options.clone()).unwrap();
        rows.map(Result::unwrap).map(|row| (row.number, row.order)).collect()
    }

    fn utf16(text: &str, is_big: bool) -> Vec<u8> {
        let of = |unit: u16| if is_big { unit.to_be_bytes() } else { unit.to_le_bytes() };
        text.encode_utf16().flat_map(of).collect()
    }

    #[test]
    fn a_list_in_parts_of_any_size_has_the_rows_of_the_whole_list() {
        let options = Options::default();
        let marked = format!("\u{FEFF}{LIST}");
        let ndjson = "\n{\"consumer\": \"+5511987650101\"}\r\n\n [1]\n{\"consumer\": \"x\"}\n{\"consumer\": \"+5511987650102\"}";
        let lists = [
            LIST.as_bytes().to_vec(),
            marked.clone().into_bytes(),
            utf16(LIST, false),
            utf16(&marked, true),
            ndjson.as_bytes().to_vec(),
            b"phone\n".to_vec(),
        ];
        for (which, list) in lists.iter().enumerate() {
            let expected = whole(list, &options);
            for size in 1..list.len() + 1 {
                let (rows, _) = in_parts(list, size, &options).unwrap();
                let rows: Vec<_> = rows.into_iter().map(|row| (row.number, row.order)).collect();
                assert_eq!(rows, expected, "list {which} in parts of {size} bytes");
            }
        }
        assert_eq!(in_parts(LIST.as_bytes(), 7, &options).unwrap().1, 1, "one row is empty");
    }

    #[test]
    fn a_list_in_windows_1252_is_read_in_parts_of_any_size() {
        let list = b"phone;var.name\r\n+5511987650101;Jo\xE3o \x80\r\n\r\n+5511987650102;\"S\xE3o\r\nx\"\r\n";
        let options = Options { encoding: Some(Encoding::Windows1252), ..Options::default() };
        let expected = whole(list, &options);
        assert_eq!(expected.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [2, 4]);
        assert!(expected[0].1.as_ref().is_ok_and(|order| order.contains("João €")), "{expected:?}");
        for size in 1..list.len() + 1 {
            let (rows, _) = in_parts(list, size, &options).unwrap();
            let rows: Vec<_> = rows.into_iter().map(|row| (row.number, row.order)).collect();
            assert_eq!(rows, expected, "in parts of {size} bytes");
        }
    }

    #[test]
    fn each_row_tells_its_person_and_no_row_is_compared() {
        let list = b"phone\n+5511987650101\n+551187650101\n";
        let (rows, _) = in_parts(list, 5, &Options::default()).unwrap();
        assert!(rows.iter().all(|row| row.order.is_ok()));
        assert_eq!(rows[0].person, rows[1].person);
        assert!(rows[0].person.is_some());
    }

    #[test]
    fn a_quotation_that_nothing_closes_is_refused_at_the_end_of_the_list() {
        let list = "phone;x\n+5511987650101;1\n\n\"+5511987650102;2\n+5511987650103;3\n";
        for size in 1..list.len() + 1 {
            let error = in_parts(list.as_bytes(), size, &Options::default()).unwrap_err();
            assert!(matches!(error, ListError::QuoteOpen { row: 4 }), "{size}: {error}");
        }
    }

    #[test]
    fn a_quotation_mark_that_is_not_closed_ends_at_the_maximum() {
        let list = format!("phone;x\n+5511987650101;1\n\"{}", "5511;2\n".repeat(100_000));
        let error = in_parts(list.as_bytes(), 64 << 10, &Options::default()).unwrap_err();
        assert!(matches!(error, ListError::RowTooLong { row: 3, .. }), "{error}");
    }

    #[test]
    fn an_empty_list_and_an_array_are_refused() {
        for (list, size) in [(&b""[..], 1), (b" \r\n", 1)] {
            assert!(matches!(in_parts(list, size, &Options::default()), Err(ListError::Empty)));
        }
        assert!(matches!(in_parts(b" [{}]", 1, &Options::default()), Err(ListError::ArrayInParts)));
        let none = in_parts(b"a;b\n1;2\n", 3, &Options::default());
        assert!(matches!(none, Err(ListError::NoConsumer { columns: 2 })));
    }
}
