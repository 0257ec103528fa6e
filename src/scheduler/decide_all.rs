//! Decides about all callbacks of a turn, in order of their rank, with everything that the rules look at.

use std::collections::BTreeSet;

use super::current::park;
use super::turn::Turn;
use super::{
    callers, ceilings, decide, elsewhere, missed_calls, order, pages, people, permission_log, settle,
};
use crate::domain::{Callback, CallbackId, Name, Numbers, PairKey, Person, PersonId, Phone, State, spelling};
use crate::store::{self, DecideKeys, Store, ToDecide};

/// Decides about callbacks that are due, at an open gate, or whose pair changed; urgent ones first.
pub(super) async fn decide_all(
    turn: &mut Turn<'_>,
    store: &dyn Store,
    wanting: Vec<Callback>,
) -> store::Result<()> {
    for callback in wanting {
        turn.work.callbacks.hold(callback.id, callback);
    }
    read_what_to_decide(turn, store).await?;
    let missed = missed_calls::noted(turn);
    callers::apply(turn);
    if turn.reached.iter().any(|reached| !is_stirred(turn, reached.person)) {
        read_what_to_decide(turn, store).await?;
    }
    elsewhere::close_others(turn, may_be_decided);
    missed_calls::make(turn, store, missed).await?;
    leave_alone(turn);
    if turn.loads.held.is_everything() {
        return Ok(());
    }
    lapse(turn);
    let mut ids: Vec<CallbackId> = waiting(turn).map(|callback| callback.id).collect();
    if pages::link(turn, &ids) {
        read_what_to_decide(turn, store).await?;
        lapse(turn);
        ids = waiting(turn).map(|callback| callback.id).collect();
    }
    for id in order::in_order(turn, ids) {
        turn.is_at_callback(id);
        decide::next(turn, id);
    }
    turn.is_at_nothing();
    Ok(())
}

/// Ends what is over in the records of all pairs that are decided about.
fn lapse(turn: &mut Turn<'_>) {
    let numbers: BTreeSet<Numbers> = waiting(turn)
        .flat_map(|callback| {
            let consumer = callback.order.consumer;
            callback.order.senders.iter().map(move |&sender| Numbers { sender, consumer })
        })
        .collect();
    let pairs: BTreeSet<PairKey> = numbers.into_iter().map(|numbers| people::pair(turn, numbers)).collect();
    for key in pairs {
        permission_log::lapse(turn, key, turn.now);
    }
}

/// Reads the callbacks of those whose record has changed, and what the rules look at for each callback.
async fn read_what_to_decide(turn: &mut Turn<'_>, store: &dyn Store) -> store::Result<()> {
    let consumers = waiting(turn).map(|callback| Name::Number(callback.order.consumer));
    let keys = DecideKeys {
        waiting_to: stirred(turn),
        names: consumers.filter(|name| !turn.looked_up.contains(name)).collect(),
        tokens: ceilings::unknown(turn, waiting(turn).filter_map(Callback::token)),
        known_names: turn.looked_up.clone(),
        known_tokens: turn.budgets.known(turn.now),
        contacts: waiting(turn)
            .flat_map(Callback::contacts)
            .filter(|key| !turn.work.contacts.has(key.clone()))
            .collect(),
    };
    if keys.is_empty() {
        return Ok(());
    }
    let ToDecide { callbacks, names, people, budgets, contacts } = store.to_decide(turn.now, &keys).await?;
    for callback in callbacks {
        turn.work.callbacks.hold(callback.id, callback);
    }
    people::hold(turn, names, people);
    ceilings::learn(turn, budgets);
    for contact in contacts {
        turn.work.contacts.hold(contact.key(), contact);
    }
    Ok(())
}

/// The numbers of everybody whose record has changed, and of those who may be the same people.
fn stirred(turn: &Turn<'_>) -> BTreeSet<Phone> {
    let pairs = turn.work.pairs.changed().map(|(key, _)| key.person);
    let reached = turn.reached.iter().map(|reached| reached.person);
    let people: BTreeSet<PersonId> =
        pairs.chain(turn.work.persons.changed().map(|(id, _)| id)).chain(reached).collect();
    let known = people.into_iter().filter_map(|id| turn.work.persons.get(id));
    let numbers: BTreeSet<Phone> = known.flat_map(Person::numbers).collect();
    let alike = numbers.iter().flat_map(|&number| spelling::possibly(number)).flat_map(spelling::spellings);
    let alike: Vec<Phone> = alike.collect();
    numbers
        .into_iter()
        .chain(alike)
        .chain(turn.released.iter().copied())
        .chain(turn.stirred.iter().copied())
        .collect()
}

/// Whether the callbacks to the person are read because a record has changed.
fn is_stirred(turn: &Turn<'_>, person: PersonId) -> bool {
    turn.work.pairs.changed().any(|(key, _)| key.person == person)
        || turn.work.persons.changed().any(|(id, _)| id == person)
}

/// The waiting callbacks that this turn decides about.
fn waiting<'a>(turn: &'a Turn<'_>) -> impl Iterator<Item = &'a Callback> {
    let all = turn.work.callbacks.values();
    all.filter(|callback| matches!(callback.state, State::Waiting(_)) && may_be_decided(turn, callback))
}

fn may_be_decided(turn: &Turn<'_>, callback: &Callback) -> bool {
    !turn.is_set_aside(callback.id) && !turn.released.contains(&callback.order.consumer)
}

/// Set-aside callbacks wait for an operator. Callbacks that may not be decided now are due as soon as they may.
fn leave_alone(turn: &mut Turn<'_>) {
    let is_stopped = turn.loads.held.is_everything();
    let ended = |turn: &Turn<'_>, id: CallbackId| {
        let ended =
            turn.work.set_aside_ended.iter().filter_map(|ended| turn.scheduler.containment.aside(ended.id));
        ended.filter_map(|item| item.callback).any(|callback| callback == id)
    };
    let left: Vec<CallbackId> = turn
        .work
        .callbacks
        .values()
        .filter(|callback| is_stopped || !may_be_decided(turn, callback))
        .map(|callback| callback.id)
        .collect();
    for id in left {
        if turn.is_set_aside(id) && !ended(turn, id) {
            turn.work.callbacks.change(id, park);
        } else {
            settle::look_again(turn, id);
        }
    }
}
