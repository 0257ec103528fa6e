//! What a turn reads at once: what it begins with, what that refers to, and what is decided.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::sql::Connection;
use super::suppressions::Key;
use super::{attempts, callbacks, ceilings, contacts, messages, persons, reports};
use crate::domain::{Callback, CallbackId, Contact, ContactKey, Name, State, TokenName};
use crate::store::{DecideKeys, Input, Keys, Related, Result, ToDecide};

pub fn input(db: &Connection, now: Timestamp, limit: usize, tokens: &[TokenName]) -> Result<Input> {
    Ok(Input {
        reports: reports::unfolded(db, limit)?,
        due: callbacks::due(db, now, limit)?,
        budgets: ceilings::budgets(db, tokens, now)?,
    })
}

pub fn to_decide(db: &Connection, now: Timestamp, keys: DecideKeys, key: &Key) -> Result<ToDecide> {
    let callbacks = callbacks::waiting_to(db, Vec::from_iter(keys.waiting_to))?;
    let theirs = callbacks.iter().map(|callback| Name::Number(callback.order.consumer));
    let mut names = keys.names;
    names.extend(theirs.filter(|name| !keys.known_names.contains(name)));
    let theirs = callbacks.iter().filter_map(Callback::token);
    let mut tokens = keys.tokens;
    tokens.extend(theirs.filter(|token| !keys.known_tokens.contains(token)));
    let tokens = Vec::from_iter(tokens);
    let mut keyed = keys.contacts;
    keyed.extend(callbacks.iter().flat_map(Callback::contacts));
    let budgets = ceilings::budgets(db, &tokens, now)?;
    Ok(ToDecide {
        people: persons::known(db, &names, key)?,
        budgets: tokens.into_iter().zip(budgets).collect(),
        contacts: contacts::known(db, &keyed)?,
        callbacks,
        names,
    })
}

pub fn related(db: &Connection, keys: Keys, key: &Key) -> Result<Related> {
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
        theirs.chain(found.messages.iter().filter_map(|message| message.callback)).collect();
    for id in theirs {
        if !seen.insert(id) {
            continue;
        }
        let Some(callback) = callbacks::one(db, id)? else { continue };
        // What is told of an earlier attempt can end the one in progress.
        if let State::Calling { attempt } = callback.state
            && found.attempts.iter().all(|known| known.id != attempt)
        {
            found.attempts.extend(attempts::one(db, attempt)?);
        }
        found.callbacks.push(callback);
    }
    let mut names = keys.names;
    names.extend(found.attempts.iter().map(|attempt| Name::Number(attempt.consumer)));
    names.extend(found.messages.iter().map(|message| Name::Number(message.consumer)));
    let mut keyed: BTreeSet<ContactKey> = keys.contacts;
    keyed.extend(found.callbacks.iter().flat_map(Callback::contacts));
    found.contacts = contacts::known(db, &keyed)?;
    names.extend(found.contacts.iter().flat_map(Contact::consumers).map(Name::Number));
    found.people = persons::known(db, &names, key)?;
    Ok(found)
}
