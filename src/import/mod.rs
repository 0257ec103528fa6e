//! Reads lists of callbacks as people keep them: CSV from a spreadsheet, NDJSON and JSON.
//!
//! A list becomes rows, and a row becomes an order in the shape of the API, or the faults that it has. A row is read
//! when it is asked for, so a list may be larger than the memory. Nothing is ordered here, and what an order may say
//! is not checked here: the daemon does both.
//!
//! Reading order: `rows` (what this module gives), `encoding` and `table` (how CSV is read), `columns` and `names` (which
//! column is which field), `cell` (what a spreadsheet does to a value), `order` (from cells to an order), `doubles`, `parts`
//! (a list that arrives in parts), `quotes` (where a quotation is open), `report` and `export`.

mod cell;
pub mod columns;
mod doubles;
pub mod encoding;
pub mod export;
mod names;
mod order;
pub mod parts;
mod quotes;
pub mod report;
pub mod rows;
pub mod table;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub use columns::Mapping;
pub use doubles::PersonKey;
pub use encoding::Encoding;
pub use report::Report;
pub use rows::{Options, Row, Rows};

/// Why one row is refused. It never repeats a value of the row, which could be a phone number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The field of the order; empty if the fault is of the whole row.
    pub field: String,
    /// Stable; programs may branch on it.
    pub code: Cow<'static, str>,
    /// One sentence for a person.
    pub detail: String,
}

impl Fault {
    pub(crate) fn new(field: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self { field: field.into(), code: Cow::Borrowed(code), detail: detail.into() }
    }

    /// Of a row that calls the person of an earlier row.
    #[must_use]
    pub fn double(first: u32) -> Self {
        Self::new("consumer", "row.double", format!("calls the same person as row {first}"))
    }

    /// Of a row with the reference of an earlier row.
    #[must_use]
    pub fn twice(first: u32) -> Self {
        let detail = format!("is the reference of row {first} too: give each row its own, or none");
        Self::new("reference", "reference.twice", detail)
    }
}

/// Why a list cannot be read at all, or not to its end. The messages have no value of the list.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    #[error("the list cannot be read")]
    Unreadable(#[source] std::io::Error),
    #[error("the list is empty")]
    Empty,
    #[error("row 1 has a phone number: the first row must have the names of the columns")]
    NoHeader,
    #[error("none of the {columns} columns has a name that means the consumer's number")]
    NoConsumer {
        /// How many columns the list has.
        columns: usize,
    },
    #[error("columns {first} and {second} both mean {field}")]
    TwiceMeant {
        field: String,
        /// The numbers of the columns, from 1.
        first: usize,
        second: usize,
    },
    #[error("no column has the name {name:?} of the mapping")]
    NoSuchColumn { name: String },
    #[error("the list has {columns} columns: expected at most {max}")]
    TooManyColumns { columns: usize, max: usize },
    #[error("row {row} has more than {max} bytes; a quotation mark may not be closed")]
    RowTooLong { row: u32, max: usize },
    #[error("row {row} opens a quotation that nothing closes")]
    QuoteOpen { row: u32 },
    #[error("the list has more than {max} rows: send it in parts")]
    TooManyRows { max: u32 },
    #[error("the JSON array has more than {max} bytes: write one object on each line instead")]
    ArrayTooLong { max: usize },
    #[error("the list is a JSON array, which cannot be read in parts: write one object on each line instead")]
    ArrayInParts,
    #[error("line {line}, column {column} is not JSON")]
    NotJson { line: usize, column: usize },
}

impl ListError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoHeader | Self::NoConsumer { .. } => {
                Some("name the column \"phone\", or give --map NAME=consumer with its name")
            }
            Self::TwiceMeant { .. } => {
                Some("choose one with --map NAME=FIELD, and the other with --map NAME=skip")
            }
            Self::NoSuchColumn { .. } => Some("write the name as in the first row of the list"),
            Self::RowTooLong { .. } | Self::QuoteOpen { .. } => {
                Some("look at the quotation marks of this row")
            }
            _ => None,
        }
    }
}

/// The longest name of an import, in characters.
pub const NAME_MAX: usize = 64;

/// Whether an import can have this name: a letter, and up to 63 letters, digits, dots, hyphens and underscores. So it
/// is no phone number, and can stand in a URL.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let fits = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-' | b'_');
    text.len() <= NAME_MAX && text.bytes().all(fits) && text.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// What [`is_name`] expects, for errors.
pub const NAME_EXPECTED: &str =
    "expected a letter, and then at most 63 ASCII letters, digits, dots, hyphens and underscores";
