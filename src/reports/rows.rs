//! Sums by the rows of a report, from sums of cells by label or by quarter.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{By, Cell, Span};
use crate::domain::reporting::{Counts, PLACES, Quarter};
use crate::domain::{Phone, Tenant};
use crate::store::{self, ApiStore, CellSums, CellsWanted, LabelsWanted, SumBy};

/// The sums of one row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) all: Counts,
    /// What was counted after the day had closed.
    pub(super) late: Counts,
}

impl Sum {
    pub(super) fn add(&mut self, all: &Counts, late: &Counts) {
        for place in 0..PLACES {
            self.all[place] = self.all[place].saturating_add(all[place]);
            self.late[place] = self.late[place].saturating_add(late[place]);
        }
    }

    /// One of the numbers.
    pub(super) const fn of(&self, place: usize) -> i64 {
        self.all[place]
    }

    /// Whether there is nothing to show: corrections took all of it away.
    pub(super) fn is_nothing(&self) -> bool {
        self.all.iter().all(|count| *count == 0)
    }

    pub(super) fn is_corrected(&self) -> bool {
        self.late.iter().any(|count| *count != 0)
    }
}

/// The key of a row, in the order in which rows are shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Day(Date),
    /// Monday is 1.
    Weekday(i8),
    /// The minute of the day.
    Time(i16),
    Sender(Phone),
    Text(String),
}

impl Key {
    pub(super) fn cell(&self) -> Cell {
        match self {
            Self::Day(day) => Cell::Text(day.to_string()),
            Self::Weekday(day) => Cell::Text(weekday(*day).to_owned()),
            Self::Time(minute) => Cell::Text(format!("{:02}:{:02}", minute / 60, minute % 60)),
            Self::Sender(number) => Cell::Sender(*number),
            Self::Text(text) => Cell::Text(text.clone()),
        }
    }
}

const fn weekday(day: i8) -> &'static str {
    match day {
        1 => "mon",
        2 => "tue",
        3 => "wed",
        4 => "thu",
        5 => "fri",
        6 => "sat",
        _ => "sun",
    }
}

/// Sums by row, and whether labels were left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) rows: BTreeMap<Key, Sum>,
    pub(super) is_cut: bool,
}

impl Sums {
    pub(super) fn add(&mut self, key: Key, all: &Counts, late: &Counts) {
        self.rows.entry(key).or_default().add(all, late);
    }

    /// The rows that are shown. One that is zero in every count, such as after a correction, is not.
    pub(super) fn shown(&self) -> impl Iterator<Item = (&Key, &Sum)> {
        self.rows.iter().filter(|(_, sum)| !sum.is_nothing())
    }

    pub(super) fn total(&self) -> Sum {
        let mut total = Sum::default();
        self.rows.values().for_each(|sum| total.add(&sum.all, &sum.late));
        total
    }
}

/// Reads the cells of these labels of a family by label.
pub(super) async fn by_label(
    store: &dyn ApiStore,
    tenant: &Tenant,
    family: crate::domain::reporting::Family,
    labels: LabelsWanted,
    span: &Span,
) -> store::Result<CellSums> {
    let (tenant, quarters) = (tenant.clone(), span.quarters());
    store.cells(CellsWanted { tenant, family, labels, quarters, by: SumBy::Label }).await
}

/// Reads them by day, weekday or time of day.
pub(super) async fn by_time(
    store: &dyn ApiStore,
    tenant: &Tenant,
    family: crate::domain::reporting::Family,
    labels: LabelsWanted,
    span: &Span,
    by: By,
) -> store::Result<Sums> {
    let (tenant, quarters) = (tenant.clone(), span.quarters());
    let read = store.cells(CellsWanted { tenant, family, labels, quarters, by: SumBy::Quarter }).await?;
    let mut sums = Sums { is_cut: read.is_cut, ..Sums::default() };
    for sum in &read.sums {
        sums.add(time_key(span, sum.quarter, by), &sum.all, &sum.late);
    }
    Ok(sums)
}

fn time_key(span: &Span, quarter: Quarter, by: By) -> Key {
    let (day, minute) = span.local(quarter);
    match by {
        By::Time => Key::Time(minute - minute % 15),
        By::Weekday => Key::Weekday(day.weekday().to_monday_one_offset()),
        _ => Key::Day(day),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_has_the_time_of_day_of_its_zone() {
        let zone = crate::domain::zones::zone("Asia/Kathmandu").unwrap();
        let day = super::super::day("2026-11-23").unwrap();
        let span = Span { first: day, last: day, zone };
        let quarter = Quarter::of("2026-11-23T03:15:00Z".parse().unwrap());
        assert_eq!(time_key(&span, quarter, By::Time), Key::Time(9 * 60));
        assert_eq!(time_key(&span, quarter, By::Day), Key::Day(day));
        assert_eq!(time_key(&span, quarter, By::Weekday).cell(), Cell::Text("mon".into()));
    }
}
