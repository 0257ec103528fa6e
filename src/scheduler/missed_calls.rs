//! Makes callbacks of consumers' calls that nobody answered, if the operator has set the rule of missed calls. Without the
//! rule, nothing is read.

use super::turn::Turn;
use super::working_set::Line;
use crate::domain::{Callback, CallbackId, Name, Origin, PairKey, PersonId, Phone, is_pseudonym};
use crate::policy::{Earlier, Missed};
use crate::store::{self, RecentOrder, Store};

/// The calls of this turn that nobody answered, if they may make something.
pub(super) fn noted(turn: &Turn<'_>) -> Vec<Missed> {
    let Some(rule) = &turn.scheduler.deps.settings.missed_calls else { return Vec::new() };
    let callers = &turn.callers;
    let was_answered = |key: &PairKey| callers.answered.keys().any(|other| other.person == key.person);
    let missed = callers.missed.iter().filter(|(key, _)| rule.covers(key.sender) && !was_answered(key));
    missed
        .filter_map(|(key, at)| {
            // What is dialled is what was told.
            let learned = || turn.work.persons.get(key.person)?.names.iter().find_map(Name::number);
            let told = callers.told.get(key).copied().or_else(learned);
            let consumer = told.unwrap_or_else(|| key.person.number());
            (!is_pseudonym(consumer)).then_some(Missed { sender: key.sender, consumer, at: *at })
        })
        .collect()
}

/// Makes the callbacks of these calls. The store takes none for people on suppression lists.
pub(super) async fn make(turn: &mut Turn<'_>, store: &dyn Store, missed: Vec<Missed>) -> store::Result<()> {
    let Some(rule) = turn.scheduler.deps.settings.missed_calls.clone().filter(|_| !missed.is_empty()) else {
        return Ok(());
    };
    let now = turn.now;
    for call in missed {
        let person = turn.work.names.of_number(call.consumer);
        let numbers: Vec<Phone> = turn
            .work
            .persons
            .get(person)
            .map(|person| person.numbers().into_iter().collect())
            .unwrap_or_default();
        let recent = store.recent_orders(&numbers).await?;
        let mut earlier: Vec<Earlier> = recent.iter().map(|order| earlier(turn, order)).collect();
        let new = turn.work.orders.iter().filter(|order| numbers.contains(&order.order.consumer));
        earlier.extend(new.map(|order| of(order, None)));
        let known = store.zones_of(&[PersonId::of(call.consumer)]).await?;
        let zones: Vec<String> = known.into_iter().flat_map(|(_, zones)| zones).collect();
        let id = CallbackId::new(turn.scheduler.deps.ids.uuid(now));
        match rule.make(now, call, &earlier, &zones, id) {
            Ok(mut callback) => {
                callback.group = turn.scheduler.deps.directory.group_of_senders(&callback.order.senders);
                let why = format!(
                    "The consumer called {} and nobody answered, so the rule of missed calls ordered this callback.",
                    call.sender
                );
                turn.work.note(now, Line::new("callback.by_missed_call", why).of_callback(id));
                tracing::info!(callback = %id, sender = %call.sender, "a missed call made a callback");
                turn.work.orders.push(callback);
            }
            Err(why) => {
                tracing::info!(sender = %call.sender, why = why.as_str(), "a missed call makes no callback");
            }
        }
    }
    Ok(())
}

/// An earlier order as it is after this turn.
fn earlier(turn: &Turn<'_>, recent: &RecentOrder) -> Earlier {
    let known = turn.work.callbacks.get(recent.callback.id).unwrap_or(&recent.callback);
    of(known, recent.called_at)
}

fn of(callback: &Callback, called_at: Option<jiff::Timestamp>) -> Earlier {
    let origin = callback.order.terms.as_ref().and_then(|terms| terms.origin);
    Earlier {
        created_at: callback.created_at,
        is_open: !callback.is_closed(),
        by_missed_call: origin == Some(Origin::MissedCall),
        called_at,
    }
}
