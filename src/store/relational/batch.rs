//! One turn of the scheduler, written in one transaction.

use std::collections::BTreeSet;

use super::sql::Connection;
use super::suppressions::Key;
use super::{
    agents, attempts, breakers, calendars, callbacks, campaigns, ceilings, clock, commands, contacts,
    erasing, lineage, loads, messages, origin, outbox, pairs, pauses, persons, pools, report_cells, reports,
    restrictions, set_aside, suppression_lists, term, timeline, unmatched,
};
use crate::domain::event::Concerns;
use crate::domain::timeline::Entry;
use crate::domain::{CallbackId, Named, PersonId, Phone, spelling};
use crate::store::{Batch, Enqueued, Error, Ground, Result};

/// Runs inside a transaction; on an error the caller rolls it back. Writes that may conflict come first.
pub fn record(db: &Connection, batch: &Batch, key: &Key) -> Result<()> {
    if let Some(lead) = batch.lead {
        origin::check(db)?;
        term::count_batch(db, lead)?;
    }
    reports::fold(db, &batch.folded)?;
    unmatched::remove(db, &batch.matched)?;
    commands::settle(db, &batch.outcomes)?;
    set_aside::begin(db, &batch.set_aside)?;
    set_aside::end(db, &batch.set_aside_ended)?;
    pauses::set(db, &batch.pauses)?;
    pauses::lift(db, &batch.pauses_lifted)?;
    suppression_lists::change(db, &batch.suppressions)?;
    calendars::write(db, &batch.marked_days)?;
    campaigns::write(db, &batch.campaigns)?;
    breakers::write(db, &batch.campaign_calls)?;
    pools::write(db, &batch.pools)?;
    report_cells::write(db, &batch.reported)?;
    if let Some(ground) = &batch.ground {
        stands(db, batch, ground)?;
    }
    callbacks::amend(db, &batch.callbacks)?;
    callbacks::make(db, &batch.made)?;
    let refused = orders(db, batch, key)?;
    if !batch.agents.is_empty() {
        agents::write(db, &batch.agents, key, &refused)?;
    }
    unmatched::keep(db, &batch.unmatched)?;
    persons::remove(db, &batch.united)?;
    persons::write(db, &batch.persons)?;
    pairs::write(db, &batch.pairs)?;
    contacts::write(db, &batch.contacts)?;
    restrictions::write(db, &batch.restrictions)?;
    attempts::write(db, &batch.attempts)?;
    messages::write(db, &batch.messages)?;
    ceilings::write_uses(db, &batch.uses)?;
    if refused.is_empty() {
        timeline::write(db, &batch.entries)?;
    } else {
        let is_kept = |entry: &&Entry| entry.callback.is_none_or(|id| !refused.contains(&id));
        let kept: Vec<Entry> = batch.entries.iter().filter(is_kept).cloned().collect();
        timeline::write(db, &kept)?;
    }
    outbox::write(db, &batch.outbox)?;
    lineage::write(db, &batch.lineage)?;
    batch.clock.as_ref().map_or(Ok(()), |mark| clock::write(db, mark))?;
    batch.published.as_ref().map_or(Ok(()), |published| loads::write(db, batch.lead, published))?;
    erasing::drop_reports(db, &batch.dropped)?;
    erasing::steps(db, key, &batch.erasures)
}

/// Stores the new callbacks, and returns those that the store does not take.
fn orders(db: &Connection, batch: &Batch, key: &Key) -> Result<BTreeSet<CallbackId>> {
    if batch.orders.is_empty() {
        return Ok(BTreeSet::new());
    }
    let answers = callbacks::enqueue(db, &batch.orders, key)?;
    let answered = batch.orders.iter().zip(answers);
    let refused = answered.filter(|(_, answer)| !matches!(answer, Enqueued::New(_)));
    Ok(refused.map(|(order, _)| order.callback.id).collect())
}

/// Conflicts if a report or command was acknowledged since that could change the decision about what is sent.
fn stands(db: &Connection, batch: &Batch, ground: &Ground) -> Result<()> {
    let filed = match reports::filed_after(db, ground.read) {
        // It may be about anybody. The next turn reads it and sets it aside.
        Err(Error::Unreadable(_)) => return Err(Error::Conflict),
        filed => filed?,
    };
    for event in filed {
        let concerned = match event.concerns() {
            Concerns::Nobody => false,
            Concerns::Consumer(number) => is_among(db, number, &ground.people)?,
            Concerns::Person { who, replied_to } => names_one_of(db, who, replied_to, &ground.people)?,
            Concerns::Callback(callback) => ground.callbacks.contains_key(&callback),
            Concerns::Anybody => true,
        };
        if concerned {
            return Err(Error::Conflict);
        }
    }
    let written: BTreeSet<CallbackId> = batch.callbacks.iter().map(|callback| callback.id).collect();
    for (id, version) in &ground.callbacks {
        if !written.contains(id) && callbacks::version(db, *id)? != Some(*version) {
            return Err(Error::Conflict);
        }
    }
    Ok(())
}

/// Whether the number belongs to one of these people, or may.
fn is_among(db: &Connection, number: Phone, people: &BTreeSet<PersonId>) -> Result<bool> {
    for number in std::iter::once(number).chain(spelling::possibly(number)) {
        if people.contains(&PersonId::of(number))
            || persons::of_number(db, number)?.iter().any(|id| people.contains(id))
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a report is about one of these people, by any of its names. An answer of somebody unknown may be about
/// anybody.
fn names_one_of(
    db: &Connection,
    who: &Named,
    replied_to: Option<&str>,
    people: &BTreeSet<PersonId>,
) -> Result<bool> {
    if let Some(sid) = replied_to {
        match messages::by_sid(db, sid)? {
            Some(message) if is_among(db, message.consumer, people)? => return Ok(true),
            None if who.number.is_none() => return Ok(true),
            _ => {}
        }
    }
    if let Some(id) = &who.user_id
        && persons::of_user_id(db, id)?.iter().any(|id| people.contains(id))
    {
        return Ok(true);
    }
    who.number.map_or(Ok(false), |number| is_among(db, number, people))
}
