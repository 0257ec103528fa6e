//! The term: the number of the daemon's start that may write. If a second daemon opens the file, after its lock was
//! removed, it begins a new term, and the first daemon can no longer write.
//!
//! Within a daemon one scheduler leads. Its term begins when it builds its state, and its batches are numbered.

use super::leases;
use super::rows::{corrupt, first};
use super::sql::Connection;
use super::writer::in_transaction;
use crate::domain::Position;
use crate::domain::lease::LeaseTerm;
use crate::failpoint::failpoint;
use crate::store::{Error, Lead, Result};

/// Begins a term, which ends the one before.
pub fn begin(db: &Connection) -> Result<i64> {
    let term = in_transaction(db, |db| {
        let next = "UPDATE term SET term = term + 1 WHERE one = 1 RETURNING term";
        let term = db.query_row(next, [], |row| row.get(0))?;
        failpoint!("term.uncommitted");
        Ok(term)
    })?;
    failpoint!("term.begun");
    Ok(term)
}

/// Begins the term of a leader, who proves its lease where there is one.
pub fn lead(db: &Connection, lease: Option<&LeaseTerm>) -> Result<Lead> {
    if let Some(lease) = lease {
        leases::check(db, lease)?;
    }
    let next = "UPDATE term SET leader = leader + 1 WHERE one = 1 RETURNING leader, batches";
    first(&mut db.prepare_cached(next)?, [], |cells| {
        Ok(Lead { term: cells.version()?, number: cells.version()? })
    })?
    .ok_or_else(|| corrupt("a term", "nothing"))
}

/// How far the history goes.
pub fn position(db: &Connection) -> Result<Position> {
    let read = "SELECT leader, batches FROM term WHERE one = 1";
    first(&mut db.prepare_cached(read)?, [], |cells| {
        Ok(Position { leader: cells.version()?, batch: cells.version()? })
    })?
    .ok_or_else(|| corrupt("a term", "nothing"))
}

pub fn last_batch(db: &Connection) -> Result<u64> {
    let batches = "SELECT batches FROM term WHERE one = 1";
    first(&mut db.prepare_cached(batches)?, [], |cells| cells.version())?
        .ok_or_else(|| corrupt("a term", "nothing"))
}

/// Takes the number of a batch in its transaction.
///
/// # Errors
/// [`Error::Deposed`] if another leader has begun a term since; [`Error::Conflict`] if it is not the next number.
pub fn count_batch(db: &Connection, lead: Lead) -> Result<()> {
    let read = "SELECT leader, batches FROM term WHERE one = 1";
    let (leader, batches) =
        first(&mut db.prepare_cached(read)?, [], |cells| Ok((cells.version()?, cells.version()?)))?
            .ok_or_else(|| corrupt("a term", "nothing"))?;
    if leader != lead.term {
        return Err(Error::Deposed);
    }
    if batches.checked_add(1) != Some(lead.number) {
        return Err(Error::Conflict);
    }
    db.prepare_cached("UPDATE term SET batches = batches + 1 WHERE one = 1")?.write([])?;
    Ok(())
}

/// Checks in the writing transaction that the term is current. A short command has no term.
///
/// # Errors
/// [`Error::Deposed`] if another daemon has begun a term since.
pub fn check(db: &Connection, term: Option<i64>) -> Result<()> {
    let Some(term) = term else { return Ok(()) };
    let last: i64 =
        db.prepare_cached("SELECT term FROM term WHERE one = 1")?.query_row([], |row| row.get(0))?;
    if last == term { Ok(()) } else { Err(Error::Deposed) }
}
