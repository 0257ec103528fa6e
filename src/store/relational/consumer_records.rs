//! What is stored of one person: the record, and a page of the orders of all kinds and tenants, newest first.
//!
//! Somebody whose number only may be the same person's is another person here.

use std::collections::BTreeSet;

use super::rows::{collect, digits, limit};
use super::sql::{Connection, params};
use super::suppressions::Key;
use super::{agents, attempts, callbacks, contacts, list, messages, persons};
use crate::domain::{Callback, CallbackId, Contact, ContactKey, Name, PersonId, Phone, spelling};
use crate::store::{ConsumerRecord, Page, Record, Result};

pub fn read(db: &Connection, name: &Name, page: &Page, key: &Key) -> Result<ConsumerRecord> {
    let mut ids: BTreeSet<PersonId> = persons::of_name(db, name)?.into_iter().collect();
    // A person without a record can be on a list.
    ids.extend(name.number().map(PersonId::of));
    let people = persons::known(db, [name], key)?;
    let people: Vec<_> = people.into_iter().filter(|(person, _)| ids.contains(&person.id)).collect();
    let mut numbers: BTreeSet<Phone> = people.iter().flat_map(|(person, _)| person.numbers()).collect();
    numbers.extend(name.number());
    let spelled: Vec<Phone> = numbers.iter().flat_map(|number| spelling::spellings(*number)).collect();
    numbers.extend(spelled);
    let (mut found, is_cut) = newest(db, &numbers)?;
    found.retain(|id| page.before.is_none_or(|before| *id < before));
    let has_more = found.len() > page.limit;
    found.truncate(page.limit);
    let mut orders = Vec::with_capacity(found.len());
    for callback in callbacks::by_ids(db, &found)? {
        let attempts = attempts::of_callback(db, callback.id)?;
        let messages = messages::of_callback(db, callback.id)?;
        let wrap_up = agents::one(db, callback.id)?;
        orders.push(Record { callback, attempts, messages, wrap_up });
    }
    let contacts = theirs(db, &orders, &numbers)?;
    let next = found.last().copied().filter(|_| has_more);
    Ok(ConsumerRecord { people, contacts, orders, next, is_cut })
}

/// The newest orders to these numbers, the newest first, and whether there are more.
fn newest(db: &Connection, numbers: &BTreeSet<Phone>) -> Result<(Vec<CallbackId>, bool)> {
    const MAX: usize = ConsumerRecord::ORDERS_MAX;
    let mut statement = db.prepare_cached(list::TO_CONSUMER)?;
    let mut ids: Vec<CallbackId> = Vec::new();
    for partition in callbacks::partitions(db)? {
        for number in numbers {
            let params = params![partition, digits(*number), limit(MAX + 1)];
            ids.extend(collect(&mut statement, params, |cells| cells.id::<CallbackId>())?);
        }
        if ids.len() > MAX {
            break;
        }
    }
    ids.sort_unstable_by(|one, other| other.cmp(one));
    let is_cut = ids.len() > MAX;
    ids.truncate(MAX);
    Ok((ids, is_cut))
}

/// Whom pages of Messenger know under the ids of these orders, unless orders to others name them as well.
fn theirs(db: &Connection, orders: &[Record], numbers: &BTreeSet<Phone>) -> Result<Vec<Contact>> {
    let keys: BTreeSet<ContactKey> =
        orders.iter().map(|order| &order.callback).flat_map(Callback::contacts).collect();
    let mut found = contacts::known(db, &keys)?;
    found.retain(|contact| contact.consumers().all(|consumer| numbers.contains(&consumer)));
    Ok(found)
}
