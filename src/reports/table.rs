//! A table: columns with units, rows, sums, and what was corrected since its days were closed.

use jiff::Timestamp;

use super::{By, Report, Span};
use crate::domain::Phone;

/// What the numbers of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Text,
    Count,
    Percent,
    Seconds,
    /// Of the currency of the report.
    Money,
    Moment,
    /// Of nothing in particular, with a decimal.
    Number,
}

impl Unit {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Count => "count",
            Self::Percent => "percent",
            Self::Seconds => "seconds",
            Self::Money => "money",
            Self::Moment => "moment",
            Self::Number => "number",
        }
    }
}

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub unit: Unit,
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// There is none, such as a share of nothing.
    None,
    Text(String),
    /// The number of a sender.
    Sender(Phone),
    /// The number of a consumer, which is masked for those who may not see it.
    Consumer(Phone),
    Count(i64),
    /// Tenths of a percent.
    Share(i64),
    Seconds(i64),
    /// Millionths of the currency.
    Money(i64),
    Moment(Timestamp),
    /// Tenths of a number.
    Tenths(i64),
}

impl Cell {
    /// How many percent `part` is of `all`, to a tenth; none of nothing.
    #[must_use]
    pub fn share(part: i64, all: i64) -> Self {
        if all <= 0 {
            return Self::None;
        }
        // Rounded to the nearest tenth.
        let (part, all) = (i128::from(part) * 1_000, i128::from(all));
        let tenths = (part * 2 + all).div_euclid(all * 2);
        Self::Share(i64::try_from(tenths).unwrap_or(i64::MAX))
    }

    /// `part` for each of `all`, rounded down; none of nothing.
    #[must_use]
    pub fn mean(part: i64, all: i64, cell: impl FnOnce(i64) -> Self) -> Self {
        if all <= 0 { Self::None } else { cell(part.div_euclid(all)) }
    }

    /// As it is written in a file: without units, and nothing for none. `reveals` tells whether numbers of consumers are
    /// written out.
    #[must_use]
    pub fn text(&self, reveals: bool) -> String {
        match self {
            Self::None => String::new(),
            Self::Text(text) => text.clone(),
            Self::Sender(number) => number.e164(),
            Self::Consumer(number) if reveals => number.e164(),
            Self::Consumer(number) => number.to_string(),
            Self::Count(count) | Self::Seconds(count) => count.to_string(),
            Self::Share(tenths) | Self::Tenths(tenths) => {
                let sign = if *tenths < 0 { "-" } else { "" };
                format!("{sign}{}.{}", tenths.unsigned_abs() / 10, tenths.unsigned_abs() % 10)
            }
            Self::Money(millionths) => super::money::text(*millionths),
            Self::Moment(at) => format!("{at:.0}"),
        }
    }

    /// Its size in a plot; `None` if it has none.
    #[must_use]
    pub const fn size(&self) -> Option<i64> {
        match self {
            Self::Count(size)
            | Self::Share(size)
            | Self::Seconds(size)
            | Self::Money(size)
            | Self::Tenths(size) => Some(*size),
            _ => None,
        }
    }
}

/// A report as a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub report: Report,
    pub by: By,
    /// Its days; `None` for what is now.
    pub span: Option<Span>,
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Cell>>,
    /// All rows together. The first cell is empty.
    pub total: Option<Vec<Cell>>,
    /// Which part of the total was counted after its day had closed. The first cell is empty.
    pub corrections: Option<Vec<Cell>>,
    /// What a reader has to know, as sentences.
    pub notes: Vec<String>,
    /// Whether rows, or parts of them, are left out. A note says so.
    pub is_cut: bool,
    /// The column that a plot shows.
    pub plotted: usize,
}

impl Table {
    /// The most rows of a table. More are left out, and a note says so.
    pub const ROWS_MAX: usize = 10_000;

    /// Leaves out what is too much.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        if self.rows.len() > Self::ROWS_MAX {
            let all = self.rows.len();
            self.rows.truncate(Self::ROWS_MAX);
            self.is_cut = true;
            self.notes.push(format!("Only the first {} of {all} rows are shown.", Self::ROWS_MAX));
        }
        self
    }
}

/// Columns by their names and units.
pub(super) fn columns(first: &'static str, others: &[(&'static str, Unit)]) -> Vec<Column> {
    let first = Column { name: first, unit: Unit::Text };
    std::iter::once(first).chain(others.iter().map(|&(name, unit)| Column { name, unit })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_to_a_tenth_and_there_is_none_of_nothing() {
        for (part, all, text) in [
            (0, 0, ""),
            (1, 0, ""),
            (0, 7, "0.0"),
            (1, 3, "33.3"),
            (2, 3, "66.7"),
            (1, 2_000, "0.1"),
            (1, 2_001, "0.0"),
            (7, 7, "100.0"),
            (-1, 7, "-14.3"),
        ] {
            assert_eq!(Cell::share(part, all).text(false), text, "{part} of {all}");
        }
        assert_eq!(Cell::mean(7, 2, Cell::Seconds), Cell::Seconds(3));
        assert_eq!(Cell::mean(7, 0, Cell::Seconds), Cell::None);
    }

    #[test]
    fn a_consumer_is_masked_for_those_who_may_not_see_numbers() {
        let number = Phone::parse("+5511987654321").unwrap();
        assert_eq!(Cell::Consumer(number).text(true), "+5511987654321");
        assert!(!Cell::Consumer(number).text(false).contains("119876"));
    }
}
