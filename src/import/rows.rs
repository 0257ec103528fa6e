//! The rows of a list, one after the other: each an order in the shape of the API, or its faults.

use std::io::{self, BufRead, BufReader, Read as _};

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::columns::{Columns, Mapping};
use super::doubles::{Doubles, PersonKey};
use super::encoding::{Encoding, Utf8};
use super::order::{Made, Maker};
use super::table::{ROW_BYTES_MAX, Table};
use super::{Fault, ListError};
use crate::domain::Country;

/// The most rows of one list.
pub const ROWS_MAX: u32 = 1_000_000;
/// The longest JSON array, in bytes. It is read as a whole; NDJSON is not.
pub const ARRAY_BYTES_MAX: usize = 64 << 20;

/// How a list is read.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Without one it is detected.
    pub encoding: Option<Encoding>,
    /// Of CSV; without one it is detected.
    pub delimiter: Option<u8>,
    /// Columns of CSV whose use is told.
    pub mapping: Vec<Mapping>,
    /// The country of numbers without a calling code; without one they are refused.
    pub default_country: Option<Country>,
    /// The fields of all orders, in the shape of the API. A row's own fields go before them.
    pub defaults: Map<String, Value>,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The number of the row, from 1, as a spreadsheet shows it: the row of the names and blank rows count. In NDJSON it is
    /// the number of the line.
    pub number: u32,
    /// The order as JSON.
    pub order: Result<String, Vec<Fault>>,
    /// Whom it calls, if the list arrives in parts.
    pub person: Option<PersonKey>,
}

impl Row {
    pub(super) fn of(number: u32, made: Result<Made, Vec<Fault>>) -> Self {
        match made {
            Ok((order, person)) => Self { number, order: Ok(order), person },
            Err(faults) => Self { number, order: Err(faults), person: None },
        }
    }
}

/// What was found about a list before its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// `csv`, `ndjson` or `json`.
    pub format: &'static str,
    pub encoding: Encoding,
    /// Of CSV.
    pub delimiter: Option<u8>,
    /// The numbers of the columns that are not used, from 1.
    pub unused_columns: Vec<usize>,
}

/// The rows of a list.
pub struct Rows<R: BufRead> {
    source: Source<R>,
    maker: Maker,
    found: Found,
    /// The rows that were read.
    count: u32,
    empty: u32,
}

type Text<R> = BufReader<Utf8<R>>;

enum Source<R: BufRead> {
    Table(Box<Table<Text<R>>>, Columns),
    Lines { text: Text<R>, line: u32 },
    Array { values: std::vec::IntoIter<Box<RawValue>>, row: u32 },
}

impl<R: BufRead> Rows<R> {
    /// Opens a list. The first character that is not white space tells its format: `{` begins NDJSON, `[` an array of
    /// JSON, and anything else the names of the columns of CSV.
    ///
    /// # Errors
    /// If the list cannot be read, is empty, or its columns are not understood.
    pub fn open(input: R, options: Options) -> Result<Self, ListError> {
        let utf8 = Utf8::open(input, options.encoding).map_err(ListError::Unreadable)?;
        let encoding = utf8.encoding();
        let mut text = BufReader::new(utf8);
        let (first, lines) = skip_space(&mut text).map_err(ListError::Unreadable)?;
        let mut found = Found { format: "csv", encoding, delimiter: None, unused_columns: Vec::new() };
        let source = match first {
            None => return Err(ListError::Empty),
            Some(b'{') => {
                found.format = "ndjson";
                Source::Lines { text, line: lines }
            }
            Some(b'[') => {
                found.format = "json";
                Source::Array { values: array(text)?.into_iter(), row: 0 }
            }
            Some(_) => {
                let mut table = Table::open(text, lines, options.delimiter)?;
                found.delimiter = Some(table.delimiter());
                let columns = match table.read()? {
                    Some((_, record)) => {
                        let names: Vec<_> = record.iter().map(String::from_utf8_lossy).collect();
                        let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
                        Columns::read(&names, &options.mapping)?
                    }
                    None => return Err(ListError::Empty),
                };
                found.unused_columns.clone_from(&columns.unused);
                Source::Table(Box::new(table), columns)
            }
        };
        let Options { default_country, defaults, .. } = options;
        let maker = Maker { default_country, defaults, doubles: Some(Doubles::default()) };
        Ok(Self { source, maker, found, count: 0, empty: 0 })
    }

    pub const fn found(&self) -> &Found {
        &self.found
    }

    /// How many empty rows were passed over so far.
    pub const fn empty(&self) -> u32 {
        self.empty
    }

    /// The next row that is not empty; `None` at the end.
    fn read(&mut self) -> Result<Option<Row>, ListError> {
        loop {
            let row = match &mut self.source {
                Source::Table(table, columns) => match table.read()? {
                    None => return Ok(None),
                    Some((number, record)) => {
                        let order = self.maker.of_cells(number, columns, record);
                        order.map(|order| Row::of(number, order))
                    }
                },
                Source::Lines { text, line } => {
                    let mut bytes = Vec::new();
                    text.take(ROW_BYTES_MAX as u64 + 1)
                        .read_until(b'\n', &mut bytes)
                        .map_err(ListError::Unreadable)?;
                    if bytes.is_empty() {
                        return Ok(None);
                    }
                    *line = line.saturating_add(1);
                    if bytes.len() > ROW_BYTES_MAX {
                        return Err(ListError::RowTooLong { row: *line, max: ROW_BYTES_MAX });
                    }
                    let json = bytes.trim_ascii();
                    let number = *line;
                    (!json.is_empty()).then(|| Row::of(number, self.maker.of_json(number, json)))
                }
                Source::Array { values, row } => match values.next() {
                    None => return Ok(None),
                    Some(value) => {
                        *row = row.saturating_add(1);
                        Some(Row::of(*row, self.maker.of_json(*row, value.get().as_bytes())))
                    }
                },
            };
            match row {
                Some(_) if self.count == ROWS_MAX => return Err(ListError::TooManyRows { max: ROWS_MAX }),
                Some(row) => {
                    self.count += 1;
                    return Ok(Some(row));
                }
                None => self.empty = self.empty.saturating_add(1),
            }
        }
    }
}

impl<R: BufRead> Iterator for Rows<R> {
    type Item = Result<Row, ListError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

/// Passes over white space. Returns the first byte after it, and the number of lines that ended before.
fn skip_space(text: &mut impl BufRead) -> io::Result<(Option<u8>, u32)> {
    let mut lines = 0_u32;
    loop {
        let buffer = text.fill_buf()?;
        let Some(&first) = buffer.first() else { return Ok((None, lines)) };
        // A tab can be the delimiter of an empty first column name.
        if !matches!(first, b' ' | b'\r' | b'\n') {
            return Ok((Some(first), lines));
        }
        lines = lines.saturating_add(u32::from(first == b'\n'));
        text.consume(1);
    }
}

fn array(mut text: impl BufRead) -> Result<Vec<Box<RawValue>>, ListError> {
    let mut bytes = Vec::new();
    (&mut text).take(ARRAY_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(ListError::Unreadable)?;
    if bytes.len() > ARRAY_BYTES_MAX {
        return Err(ListError::ArrayTooLong { max: ARRAY_BYTES_MAX });
    }
    serde_json::from_slice(&bytes)
        .map_err(|error| ListError::NotJson { line: error.line(), column: error.column() })
}
