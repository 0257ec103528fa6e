//! Items that were set aside after a failure of the scheduler, and the operator's decisions about them.

use super::rows::{Cells, collect, corrupt, digits, first, micros};
use super::sql::{Connection, params};
use super::{commands, reports, unmatched};
use crate::domain::{Phone, SetAside, SetAsideEnd, SetAsideId, SetAsideItem, SetAsideVerdict};
use crate::store::{Error, Result, SetAsideEnded};

pub const OPEN: &str = "SELECT id, item, report, callback, consumer, at, kind, place, verdict, ended_at, ended_by \
     FROM set_aside INDEXED BY set_aside_open WHERE verdict IS NULL ORDER BY seq";

const ONE: &str = "SELECT id, item, report, callback, consumer, at, kind, place, verdict, ended_at, ended_by \
     FROM set_aside WHERE id = ?1";

pub fn open(db: &Connection) -> Result<Vec<SetAside>> {
    collect(&mut db.prepare_cached(OPEN)?, [], read)
}

pub fn one(db: &Connection, id: SetAsideId) -> Result<Option<SetAside>> {
    first(&mut db.prepare_cached(ONE)?, [id.bytes()], read)
}

fn read(cells: &mut Cells<'_>) -> Result<SetAside> {
    let id = cells.id()?;
    let word = cells.text()?.to_owned();
    let report: Option<i64> = cells.take()?;
    let callback = cells.id_if()?;
    let item = match (&*word, report, callback) {
        ("report", Some(seq), _) => SetAsideItem::Report(seq),
        ("command", Some(seq), _) => SetAsideItem::Command(seq),
        ("callback", _, Some(callback)) => SetAsideItem::Callback(callback),
        _ => return Err(corrupt("something set aside", &word)),
    };
    let consumer = cells.take::<Option<i64>>()?.map(|digits| Phone::from_stored(digits.cast_unsigned()));
    let (at, kind) = (cells.moment()?, cells.take::<String>()?.into());
    let place = cells.take()?;
    let verdict: Option<SetAsideVerdict> = cells.parsed_if()?;
    let (ended_at, by) = (cells.moment_if()?, cells.take::<Option<String>>()?);
    let end = match (verdict, ended_at, by) {
        (Some(verdict), Some(at), Some(by)) => Some(SetAsideEnd { verdict, at, by }),
        _ => None,
    };
    Ok(SetAside { id, item, consumer, callback, at, kind, place, end })
}

/// Removes each from its lane. Conflicts if it is no longer there.
pub fn begin(db: &Connection, items: &[SetAside]) -> Result<()> {
    for new in items {
        let (item, report) = match new.item {
            SetAsideItem::Report(seq) => {
                // It may be an unmatched report.
                if !unmatched::forget(db, seq)? {
                    reports::fold(db, &[seq])?;
                }
                ("report", Some(seq))
            }
            SetAsideItem::Command(seq) => {
                commands::set_aside(db, seq)?;
                ("command", Some(seq))
            }
            SetAsideItem::Callback(_) => ("callback", None),
        };
        db.prepare_cached(
            "INSERT INTO set_aside (id, item, report, callback, consumer, at, kind, place) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .write(params![
            new.id.bytes(),
            item,
            report,
            new.callback.as_ref().map(|id| id.bytes()),
            new.consumer.map(digits),
            micros(new.at),
            new.kind,
            new.place,
        ])?;
    }
    Ok(())
}

/// Ends each, once. Conflicts if it has ended before.
pub fn end(db: &Connection, ended: &[SetAsideEnded]) -> Result<()> {
    for SetAsideEnded { id, end } in ended {
        let item = one(db, *id)?.filter(|known| known.end.is_none()).ok_or(Error::Conflict)?.item;
        db.prepare_cached("UPDATE set_aside SET verdict = ?2, ended_at = ?3, ended_by = ?4 WHERE id = ?1")?
            .write(params![id.bytes(), end.verdict.as_str(), micros(end.at), end.by])?;
        match (item, end.verdict) {
            (SetAsideItem::Report(seq), SetAsideVerdict::Retry) => reports::unfold(db, seq)?,
            (SetAsideItem::Command(seq), verdict) => commands::take_back(db, seq, verdict)?,
            (SetAsideItem::Report(_), SetAsideVerdict::Drop) | (SetAsideItem::Callback(_), _) => {}
        }
    }
    Ok(())
}
