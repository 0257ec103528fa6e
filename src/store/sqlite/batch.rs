//! One turn of the scheduler, written whole or not at all.

use rusqlite::Connection;

use super::{attempts, callbacks, commands, messages, outbox, pairs, reports, set_aside, timeline};
use crate::domain::event::Concerns;
use crate::store::{Batch, Error, Ground, Result};

/// Runs inside a transaction; on an error the caller rolls all of it back. What may conflict comes first.
pub fn record(db: &Connection, batch: &Batch) -> Result<()> {
    reports::fold(db, &batch.folded)?;
    commands::settle(db, &batch.outcomes)?;
    set_aside::begin(db, &batch.set_aside)?;
    set_aside::end(db, &batch.set_aside_ended)?;
    if let Some(ground) = &batch.ground {
        stands(db, batch, ground)?;
    }
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

/// Conflicts if something was acknowledged since that could take the ground from under what leaves.
fn stands(db: &Connection, batch: &Batch, ground: &Ground) -> Result<()> {
    for event in reports::filed_after(db, ground.read)? {
        let concerned = match event.concerns() {
            Concerns::Nobody => false,
            Concerns::Consumer(consumer) => ground.consumers.contains(&consumer),
            Concerns::Callback(callback) => ground.callbacks.contains_key(&callback),
            Concerns::Anybody => true,
        };
        if concerned {
            return Err(Error::Conflict);
        }
    }
    for (id, version) in &ground.callbacks {
        let is_written = batch.callbacks.iter().any(|callback| callback.id == *id);
        if !is_written && callbacks::version(db, *id)? != Some(*version) {
            return Err(Error::Conflict);
        }
    }
    Ok(())
}
