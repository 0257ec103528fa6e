//! Tables without borders: a heading and aligned columns, with colours if the terminal supports them.
//!
//! Colours are always written here; the output stream removes them if they are not wanted.

use std::io::{self, Write};

use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table, presets};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::text::visible::escaped;

/// The width without a terminal: long lines do not wrap, as programs expect.
const WIDTH_WITHOUT_TERMINAL: u16 = 4000;

/// The width of the terminal, if the standard output is one.
pub(super) fn terminal_width() -> Option<u16> {
    Table::new().width()
}

/// A table that is filled row by row.
pub(super) struct Rows {
    table: Table,
}

impl Rows {
    pub(super) fn new(heading: &[&str]) -> Self {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.enforce_styling();
        // The padding of a cell has no colour.
        table.style_text_only();
        if table.width().is_none() {
            table.set_width(WIDTH_WITHOUT_TERMINAL);
        }
        if !heading.is_empty() {
            let heading = heading.iter().map(|word| Cell::new(word).add_attribute(Attribute::Dim));
            table.set_header(heading.collect::<Vec<_>>());
        }
        Self { table }
    }

    pub(super) fn push(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.table.add_row(cells.into_iter().collect::<Vec<_>>());
    }

    pub(super) fn write(mut self, out: &mut dyn Write) -> io::Result<()> {
        for column in self.table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        for line in self.table.lines() {
            // The last column has no padding.
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// A time for people, truncated to seconds as in the daemon's sentences.
pub(super) fn second(moment: Timestamp) -> String {
    format!("{moment:.0}")
}

/// A time for people: in the consumer's time zone and in UTC, or in UTC alone without a zone.
pub(super) fn in_zone(moment: Timestamp, zone: Option<&TimeZone>) -> String {
    match zone {
        Some(zone) => {
            let local = moment.to_zoned(zone.clone());
            // In UTC it would be told twice.
            if local.offset().seconds() == 0 {
                return second(moment);
            }
            format!("{} ({})", local.strftime("%Y-%m-%dT%H:%M:%S%:z"), second(moment))
        }
        None => second(moment),
    }
}

/// A cell with a text, with terminal commands escaped.
pub(super) fn plain(text: impl ToString) -> Cell {
    Cell::new(escaped(&text.to_string()))
}

/// A cell for the name of a row.
pub(super) fn name(text: impl ToString) -> Cell {
    Cell::new(escaped(&text.to_string())).add_attribute(Attribute::Bold)
}

/// A status or an outcome in its colour.
pub(super) fn standing(word: &str) -> Cell {
    let cell = Cell::new(escaped(word));
    match word {
        "reached" | "reached_elsewhere" | "enabled" | "completed" | "accepted" | "delivered" | "read" => {
            cell.fg(Color::Green)
        }
        "calling" | "in_progress" | "ringing" => cell.fg(Color::Cyan),
        "failed" | "rejected" | "unknown" | "disabled" => cell.fg(Color::Red),
        "abandoned" | "exhausted" | "declined" | "expired" | "no_answer" | "busy" | "resting" => {
            cell.fg(Color::Yellow)
        }
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_without_borders() {
        let mut rows = Rows::new(&["name", "is"]);
        rows.push([name("a"), plain("first")]);
        rows.push([name("second"), standing("failed")]);
        let mut out = Vec::new();
        rows.write(&mut out).unwrap();
        let text = anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string();
        assert_eq!(text, "name    is\na       first\nsecond  failed\n");
    }
}
