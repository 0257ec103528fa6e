//! A report as CSV, which no spreadsheet computes.

use std::borrow::Cow;
use std::io;

use super::{Cell, Table};
use crate::import::export::neutral;

/// The longest notes of a header, in bytes.
pub const NOTES_MAX: usize = 2_000;

/// The names of the columns and the rows, without the sums: a program adds them itself. `reveals` tells whether numbers of
/// consumers are written out.
///
/// # Errors
/// If a row cannot be written into memory.
pub fn csv(table: &Table, reveals: bool) -> io::Result<Vec<u8>> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(table.columns.iter().map(|column| column.name))?;
    for row in &table.rows {
        let texts: Vec<String> = row.iter().map(|cell| cell.text(reveals)).collect();
        out.write_record(row.iter().zip(&texts).map(|(cell, text)| shown(cell, text).into_owned()))?;
    }
    out.into_inner().map_err(|error| io::Error::other(error.to_string()))
}

/// What a reader has to know of it, which CSV has no place for: printable ASCII of at most [`NOTES_MAX`] bytes, for a header.
/// `None` if there is nothing.
#[must_use]
pub fn notes(table: &Table) -> Option<String> {
    let text = table.notes.join(" ");
    let plain = |c: char| if c == ' ' || c.is_ascii_graphic() { c } else { '?' };
    let text: String = text.chars().map(plain).take(NOTES_MAX).collect();
    (!text.is_empty()).then_some(text)
}

/// Texts of people are kept from being computed; numbers of ours stay numbers.
fn shown<'t>(cell: &Cell, text: &'t str) -> Cow<'t, str> {
    match cell {
        Cell::Text(_) | Cell::Sender(_) | Cell::Consumer(_) => neutral(text),
        _ => Cow::Borrowed(text),
    }
}
