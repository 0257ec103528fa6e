//! A report as JSON.

use serde_json::{Map, Value, json};

use super::{Cell, Table, Unit};

/// The columns, and each row as an object with their names. `reveals` tells whether numbers of consumers are written out.
#[must_use]
pub fn json(table: &Table, currency: &str, reveals: bool) -> Value {
    let row = |cells: &Vec<Cell>| -> Value {
        let named = table.columns.iter().zip(cells);
        Value::Object(named.map(|(column, cell)| (column.name.to_owned(), value(cell, reveals))).collect())
    };
    let mut all = Map::new();
    all.insert("report".into(), table.report.as_str().into());
    all.insert("about".into(), table.report.about().into());
    all.insert("by".into(), table.by.as_str().into());
    if let Some(span) = &table.span {
        all.insert("from".into(), span.first.to_string().into());
        all.insert("to".into(), span.last.to_string().into());
        all.insert("zone".into(), span.zone.iana_name().unwrap_or("UTC").into());
        all.insert("closes_at".into(), format!("{:.0}", span.closes_at()).into());
    }
    if table.columns.iter().any(|column| column.unit == Unit::Money) {
        all.insert("currency".into(), currency.into());
    }
    let columns =
        table.columns.iter().map(|column| json!({"name": column.name, "unit": column.unit.as_str()}));
    all.insert("columns".into(), columns.collect());
    all.insert("rows".into(), table.rows.iter().map(row).collect());
    all.insert("total".into(), table.total.as_ref().map_or(Value::Null, row));
    all.insert("corrections".into(), table.corrections.as_ref().map_or(Value::Null, row));
    all.insert("notes".into(), table.notes.clone().into());
    Value::Object(all)
}

/// Counts and seconds are whole numbers, shares and means numbers with a decimal, money a text with its decimals.
fn value(cell: &Cell, reveals: bool) -> Value {
    match cell {
        Cell::None => Value::Null,
        Cell::Count(count) | Cell::Seconds(count) => (*count).into(),
        Cell::Share(_) | Cell::Tenths(_) => {
            cell.text(reveals).parse::<serde_json::Number>().map_or(Value::Null, Value::Number)
        }
        other => other.text(reveals).into(),
    }
}
