//! One turn of the scheduler, written whole or not at all.

use rusqlite::Connection;

use super::{attempts, callbacks, messages, outbox, pairs, reports, timeline};
use crate::store::{Batch, Error, Result};

/// Runs inside a transaction; on an error the caller rolls all of it back. What may conflict comes first.
pub fn record(db: &Connection, batch: &Batch) -> Result<()> {
    reports::fold(db, &batch.folded)?;
    for callback in &batch.callbacks {
        if !callbacks::amend(db, callback)? {
            return Err(Error::Conflict);
        }
    }
    pairs::write(db, &batch.pairs)?;
    attempts::write(db, &batch.attempts)?;
    messages::write(db, &batch.messages)?;
    timeline::write(db, &batch.entries)?;
    outbox::write(db, &batch.outbox)
}
