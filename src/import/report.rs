//! Collects what is found about the rows of a list: how many, by code, and the first rows of each.
//!
//! It has row numbers and never a value of the list. Its size depends on the number of codes, not of rows.

use std::collections::BTreeMap;

/// The most row numbers that are kept of one finding.
pub const ROWS_SHOWN: usize = 20;

/// One kind of finding.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    pub count: u64,
    /// The first rows that have it, in order, at most [`ROWS_SHOWN`].
    pub rows: Vec<u32>,
}

/// The check that found something, and what it found.
pub type Key = (String, String);

/// What was found about a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows that are not empty.
    pub rows: u64,
    /// Rows that can be ordered.
    pub good: u64,
    /// Refused rows by check and code; a row with several faults counts once for each code.
    pub refused: BTreeMap<Key, Group>,
    /// Findings about rows that can be ordered.
    pub findings: BTreeMap<Key, Group>,
}

impl Report {
    /// Counts a row that can be ordered.
    pub fn accept(&mut self) {
        self.rows += 1;
        self.good += 1;
    }

    /// Counts a refused row.
    pub fn refuse<'a>(&mut self, check: &str, row: u32, codes: impl IntoIterator<Item = &'a str>) {
        self.rows += 1;
        let mut seen: Vec<&str> = Vec::new();
        for code in codes {
            if !seen.contains(&code) {
                seen.push(code);
                add(&mut self.refused, check, code, 1, &[row]);
            }
        }
    }

    /// Adds what a check found about rows that can be ordered.
    pub fn find(&mut self, check: &str, code: &str, count: u64, rows: &[u32]) {
        add(&mut self.findings, check, code, count, rows);
    }

    /// How many rows were refused.
    #[must_use]
    pub const fn refused_rows(&self) -> u64 {
        self.rows.saturating_sub(self.good)
    }
}

fn add(groups: &mut BTreeMap<Key, Group>, check: &str, code: &str, count: u64, rows: &[u32]) {
    let group = groups.entry((check.to_owned(), code.to_owned())).or_default();
    group.count += count;
    let room = ROWS_SHOWN.saturating_sub(group.rows.len());
    group.rows.extend(rows.iter().take(room));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_counts_once_for_each_of_its_codes() {
        let mut report = Report::default();
        report.accept();
        report.refuse("list", 3, ["a", "b", "a"]);
        report.refuse("list", 4, ["a"]);
        assert_eq!((report.rows, report.good, report.refused_rows()), (3, 1, 2));
        let group = |code: &str| report.refused[&("list".to_owned(), code.to_owned())].clone();
        assert_eq!(group("a"), Group { count: 2, rows: vec![3, 4] });
        assert_eq!(group("b"), Group { count: 1, rows: vec![3] });
    }

    #[test]
    fn the_first_rows_of_a_finding_are_kept_and_all_are_counted() {
        let mut report = Report::default();
        for row in 1..=21 {
            report.find("waiting", "already_open", 1, &[row]);
        }
        let group = &report.findings[&("waiting".to_owned(), "already_open".to_owned())];
        assert_eq!((group.count, group.rows.len(), group.rows.last()), (21, 20, Some(&20)));
    }
}
