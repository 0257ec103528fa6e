//! Reports: what came of the callbacks, from the counts that the store keeps.
//!
//! A report is a table. It is computed from sums of cells, never from attempts, and shown as JSON, CSV or SVG. Nothing is
//! counted here, and nobody's permission to see it is checked.
//!
//! Reading order: `name`, `span`, `table`; then a file for each group of reports; `compute` chooses; `csv`, `json` and `svg`
//! show.

mod calls;
mod compute;
mod cost;
mod csv;
mod daily;
mod funnel;
mod json;
mod lists;
mod money;
mod name;
mod rows;
mod span;
mod svg;
mod table;
#[cfg(test)]
mod tests;

pub use compute::{Asked, compute};
pub use cost::{Rate, Rates};
pub use csv::{NOTES_MAX, csv, notes};
pub use daily::{Daily, DailyState};
pub use json::json;
pub use name::{By, Report};
pub use span::{DAYS_MAX, Span, SpanError, day};
pub use svg::svg;
pub use table::{Cell, Column, Table, Unit};
