//! The cells of reports, and the labels that have cells of their own: written with a batch.

use rusqlite::{Connection, params};
use serde_json::{Value, json};

use super::rows::collect;
use crate::domain::reporting::{Cells, LabelKind, Labels};
use crate::store::{ReportChange, Result};

/// All cells of a batch in one statement.
pub const ADD: &str = "INSERT INTO report_cells (tenant, family, label, quarter, late, \
     c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11) \
     SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7, \
     value ->> 8, value ->> 9, value ->> 10, value ->> 11, value ->> 12, value ->> 13, value ->> 14, value ->> 15, \
     value ->> 16 FROM json_each(?1) WHERE true \
     ON CONFLICT (tenant, family, label, quarter, late) DO UPDATE SET \
     c0 = c0 + excluded.c0, c1 = c1 + excluded.c1, c2 = c2 + excluded.c2, c3 = c3 + excluded.c3, \
     c4 = c4 + excluded.c4, c5 = c5 + excluded.c5, c6 = c6 + excluded.c6, c7 = c7 + excluded.c7, \
     c8 = c8 + excluded.c8, c9 = c9 + excluded.c9, c10 = c10 + excluded.c10, c11 = c11 + excluded.c11";
const REMEMBER: &str =
    "INSERT INTO report_labels (tenant, kind, label) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";

pub fn write(db: &Connection, change: &ReportChange) -> Result<()> {
    for (tenant, kind, label) in &change.labels {
        db.prepare_cached(REMEMBER)?.execute(params![tenant.as_str(), kind.as_str(), label])?;
    }
    add(db, &change.cells)
}

/// Adds cells to those that are stored.
pub fn add(db: &Connection, cells: &Cells) -> Result<()> {
    if cells.is_empty() {
        return Ok(());
    }
    let rows = cells.iter().map(|(key, counts)| {
        let mut row = vec![
            json!(key.tenant.as_str()),
            json!(key.family.as_str()),
            json!(key.label),
            json!(key.quarter.0),
            json!(i64::from(key.is_late)),
        ];
        row.extend(counts.iter().map(|count| json!(count)));
        Value::Array(row)
    });
    db.prepare_cached(ADD)?.execute([Value::Array(rows.collect()).to_string()])?;
    Ok(())
}

pub fn labels(db: &Connection) -> Result<Labels> {
    let sql = "SELECT tenant, kind, label FROM report_labels";
    let rows = collect(&mut db.prepare_cached(sql)?, [], |cells| {
        Ok((cells.parsed()?, cells.parsed::<LabelKind>()?, cells.take()?))
    })?;
    let mut labels = Labels::default();
    rows.into_iter().for_each(|label| labels.add(label));
    Ok(labels)
}
