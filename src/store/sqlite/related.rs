//! What a turn's reports, answers and intents refer to, in one reading.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::{attempts, callbacks, messages};
use crate::domain::{CallbackId, State};
use crate::store::{Keys, Related, Result};

pub fn read(db: &Connection, keys: Keys) -> Result<Related> {
    let mut found = Related::default();
    let mut wanted = keys.attempts;
    let mut seen: BTreeSet<CallbackId> = BTreeSet::new();
    for id in keys.callbacks {
        let Some(callback) = callbacks::one(db, id)? else { continue };
        if let State::Calling { attempt } = callback.state {
            wanted.insert(attempt);
        }
        seen.insert(id);
        found.callbacks.push(callback);
    }
    for id in &wanted {
        found.attempts.extend(attempts::one(db, *id)?);
    }
    for sid in &keys.call_sids {
        found.attempts.extend(attempts::by_sid(db, sid)?.filter(|attempt| !wanted.contains(&attempt.id)));
    }
    for id in &keys.messages {
        found.messages.extend(messages::one(db, *id)?);
    }
    for sid in &keys.message_sids {
        found
            .messages
            .extend(messages::by_sid(db, sid)?.filter(|message| !keys.messages.contains(&message.id)));
    }
    let theirs = found.attempts.iter().map(|attempt| attempt.callback);
    let theirs: Vec<CallbackId> =
        theirs.chain(found.messages.iter().map(|message| message.callback)).collect();
    for id in theirs {
        if seen.insert(id) {
            found.callbacks.extend(callbacks::one(db, id)?);
        }
    }
    Ok(found)
}
