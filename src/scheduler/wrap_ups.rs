//! Folds what agents say of calls: records it, and carries its effect out in the same batch.
//!
//! A second word is a correction. What the first one ordered is canceled; entries of suppression lists stay, because only an
//! operator removes them.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::settle::cancel;
use super::turn::Turn;
use super::working_set::Line;
use super::{people, reporting, seats};
use crate::clock::later;
use crate::domain::callback::Waiting;
use crate::domain::event::{CallbackChange, CallbackCommand};
use crate::domain::{
    Assigned, AttemptId, Callback, CallbackId, CommandOutcome, EffectKind, Event, Name, Numbers, OrderKind,
    Origin, Outcome, Reason, State, Terms, WrapUp, WrapUpEffect, WrapUpRecord, is_pseudonym, spelling,
};
use crate::store::{self, FiledReport, Keys, Related, Store, SuppressedByWrapUp, WrongNumber};

/// So many open orders of one reference are closed for a wrong number.
const OPEN_MAX: usize = 100;
/// The shortest time in which a follow-up may be dialled.
const FOLLOW_UP_MIN: SignedDuration = SignedDuration::from_hours(1);

/// Whether the event has words of an agent in it.
pub(super) const fn has_words(event: &Event) -> bool {
    matches!(event, Event::Command(CallbackCommand { change: CallbackChange::WrapUp(_), .. }))
}

fn said(report: &FiledReport) -> Option<(CallbackId, &WrapUp)> {
    match &report.event {
        Event::Command(CallbackCommand { callback, change: CallbackChange::WrapUp(said), .. }) => {
            Some((*callback, said))
        }
        _ => None,
    }
}

/// Reads what was said before, and what the effects are about. Reads nothing without a wrap-up.
pub(super) async fn read(
    turn: &mut Turn<'_>,
    store: &dyn Store,
    reports: &[FiledReport],
) -> store::Result<()> {
    let all: Vec<(CallbackId, &WrapUp)> = reports.iter().filter_map(said).collect();
    if all.is_empty() {
        return Ok(());
    }
    let ids: Vec<CallbackId> = all.iter().map(|(id, _)| *id).collect();
    let known = store.wrap_ups(&ids).await?;
    let mut wanted: BTreeSet<CallbackId> = known.iter().filter_map(|record| record.follow_up).collect();
    turn.wrap_ups.extend(known.into_iter().map(|record| (record.callback, record)));
    for (id, said) in &all {
        let Some(callback) = turn.work.callbacks.get(*id).cloned() else { continue };
        if said.effect == WrapUpEffect::WrongPerson
            && let Some(reference) = &callback.order.reference
        {
            let (tenant, kind) = (&callback.tenant, OrderKind::Callback);
            wanted.extend(store.referenced(tenant, kind, reference, OPEN_MAX).await?);
        }
    }
    let keys = Keys { callbacks: wanted, ..Keys::default() };
    if !keys.is_empty() {
        let Related { callbacks, attempts, .. } = store.related(&keys).await?;
        for attempt in attempts {
            turn.work.attempts.hold(attempt.id, attempt);
        }
        for callback in callbacks {
            turn.work.callbacks.hold(callback.id, callback);
        }
    }
    read_seated(turn, store, &ids).await?;
    let about = turn.work.callbacks.values().map(|callback| Name::Number(callback.order.consumer));
    let about: Vec<Name> = about.collect();
    people::read(turn, store, about).await
}

/// Reads the calls of these callbacks after which a seat is held.
async fn read_seated(turn: &mut Turn<'_>, store: &dyn Store, ids: &[CallbackId]) -> store::Result<()> {
    let seated: Vec<AttemptId> = turn.loads.seats.in_wrap_up().collect();
    if seated.is_empty() {
        return Ok(());
    }
    let theirs = store.attempts(&seated).await?.into_iter().filter(|attempt| ids.contains(&attempt.callback));
    theirs.for_each(|attempt| turn.work.attempts.hold(attempt.id, attempt));
    Ok(())
}

/// Folds a word that was received at `at`, by a token.
pub(super) fn fold(
    turn: &mut Turn<'_>,
    at: Timestamp,
    callback: &Callback,
    said: &WrapUp,
    by: &str,
) -> CommandOutcome {
    if is_pseudonym(callback.order.consumer) {
        return CommandOutcome::Refused("wrap_up.erased".into());
    }
    if !may_have_talked(callback) {
        return CommandOutcome::Refused("wrap_up.no_call".into());
    }
    let known = turn.wrap_ups.get(&callback.id).cloned();
    if known.as_ref().is_some_and(|known| known.says(said)) {
        return CommandOutcome::Applied;
    }
    if let Some(known) = &known {
        take_back(turn, callback, known, said, by);
    }
    let follow_up = carry_out(turn, at, callback, said, by);
    let revision = known.as_ref().map_or(1, |known| known.revision.saturating_add(1));
    let record = WrapUpRecord {
        callback: callback.id,
        tenant: callback.tenant.clone(),
        said: said.clone(),
        by: by.to_owned(),
        at,
        follow_up,
        revision,
    };
    note(turn, callback, known.as_ref(), &record);
    reporting::wrap_up(turn, callback, known.as_ref(), &record);
    seats::end_wrap_up(turn, callback.id);
    turn.work.agents.wrap_ups.retain(|other| other.callback != callback.id);
    turn.work.agents.wrap_ups.push(record.clone());
    turn.wrap_ups.insert(callback.id, record);
    CommandOutcome::Applied
}

/// Whether there can have been a conversation: a call of ours was placed, or the consumer called and was reached.
fn may_have_talked(callback: &Callback) -> bool {
    let is_callback = callback.order.kind == OrderKind::Callback;
    let was_reached = callback.closed().is_some_and(|closed| closed.outcome == Outcome::Reached);
    is_callback && (callback.attempts_opened > 0 || was_reached)
}

/// A line without the agent's own words, which are erased with the person.
fn note(turn: &mut Turn<'_>, callback: &Callback, known: Option<&WrapUpRecord>, record: &WrapUpRecord) {
    let WrapUp { disposition, effect, .. } = &record.said;
    let follows = match effect {
        WrapUpEffect::None => String::new(),
        WrapUpEffect::CallbackAt { at } => match record.follow_up {
            Some(id) => format!(" {id} calls again at {at:.0}."),
            None => String::new(),
        },
        WrapUpEffect::Suppress { list, .. } => format!(" The consumer was added to the list {list}."),
        WrapUpEffect::WrongPerson if callback.order.reference.is_some() => {
            " The number is another person's, and no longer used for this reference.".to_owned()
        }
        WrapUpEffect::WrongPerson => " The number is another person's.".to_owned(),
    };
    let (what, why) = match known {
        None => ("callback.wrapped_up", format!("By the token {:?}: {disposition}.{follows}", record.by)),
        Some(known) => (
            "callback.wrap_up_corrected",
            format!(
                "By the token {:?}: {disposition}; before it was {}, by {:?}.{follows}",
                record.by, known.said.disposition, known.by
            ),
        ),
    };
    turn.work.note(record.at, Line::new(what, why).of_callback(callback.id).by(&record.by));
}

/// Ends what an earlier word began, as far as a later word may.
fn take_back(turn: &mut Turn<'_>, callback: &Callback, known: &WrapUpRecord, said: &WrapUp, by: &str) {
    if let Some(id) = known.follow_up {
        // It may be of this turn, and not in the store yet.
        let before = turn.work.orders.len();
        turn.work.orders.retain(|order| order.id != id);
        if turn.work.orders.len() == before {
            cancel(turn, id, &Reason::WrappedUp, by);
            turn.is_at_callback(callback.id);
        }
    }
    let was_wrong = known.said.effect.kind() == EffectKind::WrongPerson;
    if was_wrong && said.effect.kind() != EffectKind::WrongPerson {
        mark(turn, callback, false);
    }
}

/// Carries the effect out. Returns the callback that it orders.
fn carry_out(
    turn: &mut Turn<'_>,
    at: Timestamp,
    callback: &Callback,
    said: &WrapUp,
    by: &str,
) -> Option<CallbackId> {
    match &said.effect {
        WrapUpEffect::None => return None,
        WrapUpEffect::CallbackAt { at: promised_at } => {
            let next = follow_up(turn, callback, *promised_at);
            let id = next.id;
            let why = format!("The wrap-up of {} ordered it, by the token {by:?}.", callback.id);
            turn.work.note(at, Line::new("callback.by_wrap_up", why).of_callback(id).by(by));
            turn.work.orders.push(next);
            cancel(turn, callback.id, &Reason::WrappedUp, by);
            return Some(id);
        }
        WrapUpEffect::Suppress { list, scope } => {
            let new = SuppressedByWrapUp {
                list: list.clone(),
                scope: *scope,
                consumer: callback.order.consumer,
                at,
                why: format!("wrap-up of {}: {}", callback.id, said.disposition),
                by: by.to_owned(),
            };
            suppress(turn, callback, &new);
            turn.work.agents.suppressed.push(new);
        }
        WrapUpEffect::WrongPerson => {
            mark(turn, callback, true);
            close_same(turn, callback, by);
        }
    }
    cancel(turn, callback.id, &Reason::WrappedUp, by);
    None
}

/// Puts the entry to the person in memory too, so that what waits is decided with it in this turn.
fn suppress(turn: &mut Turn<'_>, callback: &Callback, new: &SuppressedByWrapUp) {
    let consumer = callback.order.consumer;
    if let Some(&sender) = callback.order.senders.first() {
        let key = people::pair(turn, Numbers { sender, consumer });
        let entry = new.entry();
        turn.work.persons.change(key.person, |person| person.suppressions.push(entry));
    }
}

/// Marks the number as wrong for the reference of the order, or no longer.
fn mark(turn: &mut Turn<'_>, callback: &Callback, is_wrong: bool) {
    let Some(reference) = callback.order.reference.clone() else { return };
    turn.work.agents.wrong_numbers.push(WrongNumber {
        callback: callback.id,
        tenant: callback.tenant.clone(),
        reference,
        consumer: callback.order.consumer,
        is_wrong,
    });
}

/// Closes the open callbacks of the same reference and number.
fn close_same(turn: &mut Turn<'_>, callback: &Callback, by: &str) {
    let Some(reference) = &callback.order.reference else { return };
    let consumer = callback.order.consumer;
    let same = turn.work.callbacks.values().filter(|other| {
        !other.is_closed()
            && other.tenant == callback.tenant
            && other.order.reference.as_ref() == Some(reference)
            && (other.order.consumer == consumer
                || spelling::spellings(consumer).contains(&other.order.consumer))
    });
    let same: Vec<CallbackId> = same.map(|other| other.id).filter(|id| *id != callback.id).collect();
    for id in same {
        cancel(turn, id, &Reason::WrappedUp, by);
    }
    turn.is_at_callback(callback.id);
}

/// The callback that keeps the promise: the same order, from the promised time on, linked to this one.
fn follow_up(turn: &Turn<'_>, callback: &Callback, promised_at: Timestamp) -> Callback {
    let now = turn.now;
    let mut order = (*callback.order).clone();
    let span = order.latest.duration_since(order.earliest).max(FOLLOW_UP_MIN);
    let moved = promised_at.duration_since(order.earliest);
    (order.earliest, order.latest) = (promised_at, later(promised_at, span));
    let before = order.terms.take().map(|terms| *terms).unwrap_or_default();
    let assigned = before.assigned.map(|own| Assigned { until: later(own.until, moved), ..own });
    let origin = Some(Origin::FollowUp(callback.id));
    order.terms = Terms {
        assigned,
        promised_at: Some(promised_at),
        in_line_since: None,
        origin,
        traced: None,
        ..before
    }
    .kept();
    let campaign = order.campaign_id().map(|id| turn.loads.campaigns.get(id));
    if campaign.is_some_and(|campaign| campaign.is_none_or(|campaign| !campaign.state.takes_orders())) {
        order.campaign = None;
    }
    let state = State::Waiting(Waiting { wake_at: now, place: None, note: Reason::Ready.note() });
    let id = CallbackId::new(turn.scheduler.deps.ids.uuid(now));
    Callback {
        tenant: callback.tenant.clone(),
        group: callback.group.clone(),
        ordered_by: callback.ordered_by.clone(),
        ..Callback::new(id, now, order, state)
    }
}
