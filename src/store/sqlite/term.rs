//! The term: the number of the daemon's start that may write. If a second daemon opens the file, after its lock was
//! removed, it begins a new term, and the first daemon can no longer write.

use rusqlite::Connection;

use super::writer::in_transaction;
use crate::failpoint::failpoint;
use crate::store::{Error, Result};

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
