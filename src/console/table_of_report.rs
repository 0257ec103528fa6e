//! A report as a table: what the API tells, with words for its columns and units.

use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::asking::Asking;
use super::blocks::{cell, duration, none, nothing, table, thousands, when};
use super::labels;

/// The most rows on a page. The CSV has all of them.
const ROWS_SHOWN: usize = 500;

/// A report, as the API tells it.
#[derive(Deserialize)]
pub struct ReportData {
    pub about: String,
    pub by: String,
    pub from: Option<String>,
    pub to: Option<String>,
    pub zone: Option<String>,
    pub currency: Option<String>,
    columns: Vec<Column>,
    pub rows: Vec<Map<String, Value>>,
    /// All rows together; null for reports that have no sum.
    #[serde(default)]
    pub total: Value,
    #[serde(default)]
    pub corrections: Value,
    #[serde(default)]
    pub notes: Vec<String>,
}

#[derive(Deserialize)]
struct Column {
    name: String,
    unit: String,
}

impl ReportData {
    /// The days that it covers, in words.
    #[must_use]
    pub fn period(&self) -> String {
        match (&self.from, &self.to, &self.zone) {
            (Some(from), Some(to), Some(zone)) if from == to => format!("{from} ({zone})."),
            (Some(from), Some(to), Some(zone)) => format!("{from} to {to} ({zone})."),
            _ => "Now.".to_owned(),
        }
    }

    /// The table with its sums and notes.
    #[must_use]
    pub fn markup(&self, asking: &Asking, name: &str) -> Markup {
        let heads: Vec<String> = self.columns.iter().map(|column| self.head(column)).collect();
        let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
        let line = |row: &Map<String, Value>| -> Vec<Markup> {
            let null = Value::Null;
            let value = |column: &Column| row.get(&column.name).unwrap_or(&null).clone();
            self.columns.iter().map(|column| shown(asking, &column.unit, &value(column))).collect()
        };
        let sums = [
            ("All together", &self.total),
            ("Of these, counted after their day had closed", &self.corrections),
        ];
        let rows = self.rows.iter().take(ROWS_SHOWN).map(line);
        let sums = sums.into_iter().filter_map(|(words, sum)| {
            let mut cells = line(sum.as_object()?);
            if let Some(first) = cells.first_mut() {
                *first = html! { strong { (words) } };
            }
            Some(cells)
        });
        html! {
            @if self.rows.is_empty() {
                (nothing("There are no rows for this choice."))
            } @else {
                (table(name, &heads, rows.chain(sums)))
            }
            @if self.rows.len() > ROWS_SHOWN {
                p class="second" { "The first " (ROWS_SHOWN) " of " (self.rows.len()) " rows. The CSV has all of them." }
            }
            @for note in &self.notes { p class="second" { (note) } }
        }
    }

    fn head(&self, column: &Column) -> String {
        let words = labels::plain(&column.name);
        match (column.unit.as_str(), &self.currency) {
            ("percent", _) if !words.contains("percent") => format!("{words} %"),
            ("money", Some(currency)) => format!("{words} ({currency})"),
            _ => words,
        }
    }
}

fn shown(asking: &Asking, unit: &str, value: &Value) -> Markup {
    let moment = || value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    match (unit, value) {
        (_, Value::Null) => none(),
        ("count", Value::Number(count)) => match count.as_u64() {
            Some(count) => cell(thousands(count)),
            None => cell(count.to_string()),
        },
        ("seconds", Value::Number(seconds)) => cell(duration(seconds.as_i64().unwrap_or(0))),
        ("percent", Value::Number(share)) => cell(format!("{share} %")),
        ("moment", _) => match moment() {
            Some(at) => when(asking, at),
            None => none(),
        },
        (_, Value::String(text)) if text.is_empty() => none(),
        (_, Value::String(text)) => cell(text),
        (_, other) => cell(other.to_string()),
    }
}
