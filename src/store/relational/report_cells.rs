//! The cells of reports, and the labels that have cells of their own: written with a batch.

use super::rows::collect;
use super::sql::{Connection, ToSql, params};
use crate::domain::reporting::{Cells, LabelKind, Labels};
use crate::store::{ReportChange, Result};

pub const ADD: &str = "INSERT INTO report_cells (tenant, family, label, quarter, late, \
     c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17) \
     ON CONFLICT (tenant, family, label, quarter, late) DO UPDATE SET \
     c0 = report_cells.c0 + excluded.c0, c1 = report_cells.c1 + excluded.c1, c2 = report_cells.c2 + excluded.c2, \
     c3 = report_cells.c3 + excluded.c3, c4 = report_cells.c4 + excluded.c4, c5 = report_cells.c5 + excluded.c5, \
     c6 = report_cells.c6 + excluded.c6, c7 = report_cells.c7 + excluded.c7, c8 = report_cells.c8 + excluded.c8, \
     c9 = report_cells.c9 + excluded.c9, c10 = report_cells.c10 + excluded.c10, c11 = report_cells.c11 + excluded.c11";
const REMEMBER: &str =
    "INSERT INTO report_labels (tenant, kind, label) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";

pub fn write(db: &Connection, change: &ReportChange) -> Result<()> {
    for (tenant, kind, label) in &change.labels {
        db.prepare_cached(REMEMBER)?.write(params![tenant.as_str(), kind.as_str(), label])?;
    }
    add(db, &change.cells)
}

/// Adds cells to those that are stored.
fn add(db: &Connection, cells: &Cells) -> Result<()> {
    add_by(db, ADD, cells)
}

/// The same into another table.
pub fn add_to(db: &Connection, table: &str, cells: &Cells) -> Result<()> {
    add_by(db, &ADD.replace("report_cells", table), cells)
}

fn add_by(db: &Connection, sql: &str, cells: &Cells) -> Result<()> {
    if cells.is_empty() {
        return Ok(());
    }
    let mut add = db.prepare_cached(sql)?;
    for (key, counts) in cells.iter() {
        let (tenant, family) = (key.tenant.as_str(), key.family.as_str());
        let mut row: Vec<&dyn ToSql> = vec![&tenant, &family, &key.label, &key.quarter.0, &key.is_late];
        row.extend(counts.iter().map(|count| count as &dyn ToSql));
        add.write(&row[..])?;
    }
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
