//! The inbox of reports.

use jiff::Timestamp;

use super::rows::{collect, first, limit, micros};
use super::sql::{Connection, params};
use super::{commands, events, unreadable};
use crate::domain::Event;
use crate::store::{Error, FiledReport, Report, Result};

pub const UNFOLDED: &str = "SELECT r.seq, r.received_at, r.event FROM unfolded_reports AS u \
     CROSS JOIN reports AS r ON r.seq = u.seq ORDER BY u.seq LIMIT ?1";

const OLDEST_UNFOLDED: &str =
    "SELECT received_at FROM reports WHERE seq = (SELECT min(seq) FROM unfolded_reports)";

/// A report in its stored form. It is converted before it is queued, to save time of the writer.
pub struct Sealed {
    key: [u8; 16],
    received_at: i64,
    event: String,
}

pub fn seal(report: &Report) -> Result<Sealed> {
    Ok(Sealed {
        key: report.key,
        received_at: micros(report.received_at),
        event: events::to_json(&report.event)?,
    })
}

/// The `seq` of the report, if its key is new.
///
/// PostgreSQL keeps reports by month, so no index has the keys of all of them. Only one transaction writes at a time, so that
/// no other one stores the key meanwhile.
pub fn insert(db: &Connection, report: &Sealed) -> Result<Option<i64>> {
    const SQLITE: &str = "INSERT INTO reports (key, received_at, event) VALUES (?1, ?2, ?3) ON CONFLICT (key) DO NOTHING \
                          RETURNING seq";
    const POSTGRES: &str = "INSERT INTO reports (key, received_at, event) SELECT CAST(?1 AS BYTEA), CAST(?2 AS BIGINT), ?3 \
                            WHERE NOT EXISTS (SELECT 1 FROM reports WHERE key = ?1) RETURNING seq";
    let mut insert = db.prepare_cached(if db.postgres().is_some() { POSTGRES } else { SQLITE })?;
    first(&mut insert, params![report.key, report.received_at, report.event], |cells| cells.take())
}

pub fn append(db: &Connection, reports: &[Sealed]) -> Result<Vec<bool>> {
    let mut mark = db.prepare_cached("INSERT INTO unfolded_reports (seq) VALUES (?1)")?;
    reports
        .iter()
        .map(|report| {
            let seq = insert(db, report)?;
            if let Some(seq) = seq {
                mark.write([seq])?;
            }
            Ok(seq.is_some())
        })
        .collect()
}

/// The event of the report with this key.
pub fn by_key(db: &Connection, key: [u8; 16]) -> Result<Option<Event>> {
    let mut seek = db.prepare_cached("SELECT event FROM reports WHERE key = ?1")?;
    first(&mut seek, [key], |cells| events::from_json(cells.text()?))
}

/// Commands first: a cancellation must not wait behind many reports.
pub fn unfolded(db: &Connection, rows: usize) -> Result<Vec<FiledReport>> {
    let mut found = commands::pending(db, rows)?;
    let rest = rows - found.len();
    let reports =
        collect(&mut db.prepare_cached(UNFOLDED)?, [limit(rest)], |cells| unreadable::read(cells, false));
    found.extend(reports?);
    unreadable::all(db, found)
}

/// When the oldest unfolded report was received.
pub fn oldest_unfolded(db: &Connection) -> Result<Option<Timestamp>> {
    first(&mut db.prepare_cached(OLDEST_UNFOLDED)?, [], |cells| cells.moment())
}

/// The unfolded reports after a given one, and all unfolded commands.
///
/// # Errors
/// [`Error::Unreadable`] with those among them that cannot be read.
pub fn filed_after(db: &Connection, seq: i64) -> Result<Vec<Event>> {
    let sql = "SELECT r.seq, r.received_at, r.event FROM unfolded_reports AS u CROSS JOIN reports AS r ON r.seq = u.seq \
               WHERE u.seq > ?1 ORDER BY u.seq";
    let mut filed = collect(&mut db.prepare_cached(sql)?, [seq], |cells| unreadable::read(cells, false))?;
    filed.extend(commands::pending(db, usize::MAX)?);
    Ok(unreadable::all(db, filed)?.into_iter().map(|report| report.event).collect())
}

/// Conflicts if one of them was folded before.
pub fn fold(db: &Connection, folded: &[i64]) -> Result<()> {
    if folded.is_empty() {
        return Ok(());
    }
    let mut statement = db.prepare_cached("DELETE FROM unfolded_reports WHERE seq = ?1")?;
    for seq in folded {
        if statement.execute([seq])? == 0 {
            return Err(Error::Conflict);
        }
    }
    Ok(())
}

/// Marks a report as not folded, at its place in the order of arrival.
pub fn unfold(db: &Connection, seq: i64) -> Result<()> {
    db.prepare_cached("INSERT INTO unfolded_reports (seq) VALUES (?1)")?.write([seq])?;
    Ok(())
}
