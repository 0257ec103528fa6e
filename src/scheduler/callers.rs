//! Consumers who called us: which callbacks that reaches, and which move ahead because nobody answered.
//!
//! A call counts for the callback whose invite's token it carries, if the caller is the person that the invite was made
//! for; and for every callback of that person of which the person knew before the call ended: by an invite, if the call
//! came to a sender of the callback, or by a link that was given out, if it came to the sender of the link. So a call that
//! several accounts report closes a callback once.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::incoming::Callers;
use super::settle::{called_while_calling, close};
use super::turn::Turn;
use super::working_set::Line;
use crate::domain::{
    CallProgress, Callback, CallbackId, ContactKey, Disposition, InviteToken, Outcome, PairKey, Reason,
    RoadKind, State,
};

/// Notes the end of a consumer's call. `told_at` is when the platform says that it ended, if it does.
pub(super) fn ended(
    turn: &mut Turn<'_>,
    at: Timestamp,
    key: PairKey,
    progress: CallProgress,
    told_at: Option<Timestamp>,
) {
    let CallProgress::Ended(end) = progress else { return };
    let ended_at = told_at.map_or(at, |told| told.min(at));
    let calls = match end {
        Disposition::Completed => &mut turn.callers.answered,
        _ => &mut turn.callers.missed,
    };
    let last = calls.entry(key).or_insert(ended_at);
    *last = (*last).max(ended_at);
}

/// Notes the token of a consumer's call, if the call is over. One that was not made for the caller does not count.
pub(super) fn token(
    turn: &mut Turn<'_>,
    at: Timestamp,
    key: PairKey,
    token: InviteToken,
    progress: CallProgress,
) {
    let CallProgress::Ended(end) = progress else { return };
    let id = match token {
        InviteToken::Message(id) => turn.work.messages.get(id).and_then(|message| message.callback),
        InviteToken::Callback(id) => Some(id),
    };
    let Some(callback) = id.and_then(|id| turn.work.callbacks.get(id)) else {
        return turn.callers.tokens.push("unknown");
    };
    if turn.work.names.of_number(callback.order.consumer) != key.person {
        return turn.callers.tokens.push("borrowed");
    }
    if callback.is_closed() {
        return turn.callers.tokens.push("closed");
    }
    let id = callback.id;
    turn.callers.tokens.push("counted");
    if end == Disposition::Completed {
        turn.callers.answered_by_token.insert(id);
    } else {
        turn.callers.missed_by_token.insert(id, at);
    }
}

/// Notes that somebody called a page of Messenger.
pub(super) fn at_page(turn: &mut Turn<'_>, key: ContactKey, called_at: Timestamp) {
    let last = turn.callers.at_pages.entry(key).or_insert(called_at);
    *last = (*last).max(called_at);
}

/// Closes the callbacks whose consumer was invited, called and was reached, with their attempt if one is in progress, and moves those ahead whose consumer called
/// in vain.
pub(super) fn apply(turn: &mut Turn<'_>) {
    let callers = std::mem::take(&mut turn.callers);
    let slack = turn.scheduler.deps.rules.margin;
    let mut reached: Vec<CallbackId> = Vec::new();
    let mut reached_in_a_call: Vec<CallbackId> = Vec::new();
    let mut missed: Vec<(CallbackId, Timestamp)> = Vec::new();
    for callback in turn.work.callbacks.values().filter(|callback| !callback.is_closed()) {
        let is_calling = matches!(callback.state, State::Calling { .. });
        let early = |at: Timestamp| at.checked_sub(slack).unwrap_or(at);
        let since = callback.invited_at.map(early);
        let person = turn.work.names.of_number(callback.order.consumer);
        let called = |calls: &BTreeMap<PairKey, Timestamp>| {
            let linked = callback.links.iter().map(|link| link.sender);
            let times = callback.order.senders.iter().copied().chain(linked).filter_map(|sender| {
                let at = *calls.get(&PairKey { sender, person })?;
                callback.known_since(sender).is_some_and(|since| at >= early(since)).then_some(at)
            });
            times.max()
        };
        let by_token = callers.answered_by_token.contains(&callback.id);
        if by_token || called(&callers.answered).is_some() || called_page(callback, &callers, since) {
            if is_calling { &mut reached_in_a_call } else { &mut reached }.push(callback.id);
        } else if !is_calling
            && let Some(at) =
                called(&callers.missed).or_else(|| callers.missed_by_token.get(&callback.id).copied())
        {
            missed.push((callback.id, at));
        }
    }
    for id in reached_in_a_call {
        called_while_calling(turn, id);
    }
    for id in reached {
        if let Some(began_at) = began(turn, &callers, id) {
            turn.reach(id, began_at);
        }
        close(turn, id, Outcome::Reached, &Reason::ConsumerCalled);
    }
    for (id, at) in missed {
        let is_first = turn.work.callbacks.change(id, |callback| {
            let is_first = callback.missed_call_at.is_none();
            callback.missed_call_at.get_or_insert(at);
            is_first
        });
        if is_first == Some(true) {
            let why =
                "The consumer called and nobody answered; the order goes before others of its priority.";
            turn.work.note(at, Line::new("callback.moved_ahead", why).of_callback(id));
        }
    }
    // Counted when the turn is committed.
    turn.callers.tokens = callers.tokens;
}

/// When the call of the consumer of this callback began that was answered, if its beginning was heard.
fn began(turn: &Turn<'_>, callers: &Callers, id: CallbackId) -> Option<Timestamp> {
    let order = &turn.work.callbacks.get(id)?.order;
    let person = turn.work.names.of_number(order.consumer);
    let theirs = callers.answered.keys().filter(|key| key.person == person);
    let began = theirs.filter_map(|key| turn.work.pairs.get(*key)?.inbound_began_at);
    let pages = order
        .psids
        .iter()
        .filter_map(|(account, psid)| callers.at_pages.get(&(account.clone(), psid.clone())).copied());
    began.chain(pages).max()
}

/// Whether the consumer called the page through which the callback's consumer was invited, since then.
fn called_page(callback: &Callback, callers: &Callers, since: Option<Timestamp>) -> bool {
    let road = callback.invited_by.as_ref().filter(|road| road.kind == RoadKind::Messenger);
    road.is_some_and(|road| {
        let psid = callback.order.psids.get(&road.account);
        let key = psid.map(|psid| (road.account.clone(), psid.clone()));
        let called_at = key.and_then(|key| callers.at_pages.get(&key));
        called_at.zip(since).is_some_and(|(at, since)| *at >= since)
    })
}
