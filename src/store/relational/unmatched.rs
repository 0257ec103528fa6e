//! Reports without a known person.

use jiff::SignedDuration;

use super::rows::{Cells, collect, limit, micros};
use super::sql::{Connection, params};
use super::unreadable::{self, Stored};
use crate::domain::UserId;
use crate::store::{Error, FiledReport, Result, Unmatched};

/// How long they are kept.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT r.seq, r.received_at, r.event FROM unmatched_reports AS u CROSS JOIN reports AS r ON r.seq = u.seq ",
            $rest
        )
    };
}

pub const BY_USER_ID: &str = select!("WHERE u.user_id = ?1 ORDER BY u.seq");
pub const BY_REPLY: &str = select!("WHERE u.replied_to = ?1 ORDER BY u.seq");
pub const NEWEST: &str = select!("ORDER BY u.seq DESC LIMIT ?1");

/// Stores unmatched reports, and deletes old ones.
pub fn keep(db: &Connection, reports: &[Unmatched]) -> Result<()> {
    for report in reports {
        let oldest = report.received_at.checked_sub(KEPT).unwrap_or(jiff::Timestamp::MIN);
        db.prepare_cached("DELETE FROM unmatched_reports WHERE received_at < ?1")?.write([micros(oldest)])?;
        db.prepare_cached(
            "INSERT INTO unmatched_reports (seq, received_at, user_id, replied_to) VALUES (?1, ?2, ?3, ?4)",
        )?
        .write(params![
            report.seq,
            micros(report.received_at),
            report.user_id.as_ref().map(UserId::as_str),
            report.replied_to
        ])?;
    }
    Ok(())
}

/// Conflicts if one of them is not here any more.
pub fn remove(db: &Connection, matched: &[i64]) -> Result<()> {
    for seq in matched {
        if !forget(db, *seq)? {
            return Err(Error::Conflict);
        }
    }
    Ok(())
}

/// Whether it was here.
pub fn forget(db: &Connection, seq: i64) -> Result<bool> {
    Ok(db.prepare_cached("DELETE FROM unmatched_reports WHERE seq = ?1")?.execute([seq])? == 1)
}

/// What these people sent, and what answers these messages, in the order of arrival.
///
/// # Errors
/// [`Error::Unreadable`] with those among them that cannot be read.
pub fn of(db: &Connection, ids: &[UserId], sids: &[String]) -> Result<Vec<FiledReport>> {
    let mut found = Vec::new();
    for id in ids {
        found.extend(collect(&mut db.prepare_cached(BY_USER_ID)?, [id.as_str()], read)?);
    }
    for sid in sids {
        found.extend(collect(&mut db.prepare_cached(BY_REPLY)?, [sid], read)?);
    }
    let mut found = unreadable::all(db, found)?;
    found.sort_by_key(|report| report.seq);
    found.dedup_by_key(|report| report.seq);
    Ok(found)
}

/// Without those that cannot be read.
pub fn newest(db: &Connection, rows: usize) -> Result<Vec<FiledReport>> {
    let found = collect(&mut db.prepare_cached(NEWEST)?, [limit(rows)], read)?;
    let readable = found.into_iter().filter_map(|stored| match stored {
        Stored::Report(report) => Some(report),
        Stored::Unreadable { .. } => None,
    });
    Ok(readable.collect())
}

fn read(cells: &mut Cells<'_>) -> Result<Stored> {
    unreadable::read(cells, false)
}
