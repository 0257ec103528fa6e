//! Effects of changed permission requests and invites on their pair and callback.

use jiff::Timestamp;

use super::settle::{close, look_again, refusal, rest};
use super::turn::Turn;
use super::working_set::Line;
use super::{ceilings, people, permission_log};
use crate::domain::{
    Answer, CallbackId, Message, MessageId, MessagePurpose, OrderKind, PairKey, Stage, TokenUse,
};
use crate::policy::after_attempt::end_of;
use crate::policy::errors::{Reaction, reaction};
use crate::policy::{ledger, refusal_by_code};
use crate::webhooks::Topic;

/// Applies the platform's answer to a request to send a message.
pub(super) fn answered(turn: &mut Turn<'_>, id: MessageId, answer: &Answer, why: &str) {
    let now = turn.now;
    change_because(turn, id, why, |message| _ = message.submission.answer(now, answer));
}

/// Changes a message, and applies the effects on its pair. All changes of messages come through here.
pub(super) fn change(turn: &mut Turn<'_>, id: MessageId, change: impl FnOnce(&mut Message)) {
    change_because(turn, id, "", change);
}

/// Does the same with the reason `why`, which is recorded if no byte was or will be sent.
pub(super) fn change_because(
    turn: &mut Turn<'_>,
    id: MessageId,
    why: &str,
    change: impl FnOnce(&mut Message),
) {
    let Some(before) = turn.work.messages.get(id).cloned() else {
        tracing::warn!(message = %id, "a change of a message that is not in the store");
        return;
    };
    turn.work.messages.change(id, change);
    let Some(after) = turn.work.messages.get(id).cloned() else { return };
    if after == before {
        return;
    }
    note(turn, &before, &after, why);
    turn.hear_code(before.submission.error_code, after.submission.error_code);
    if after.purpose == MessagePurpose::PermissionRequest
        && let Some(callback) = after.callback
    {
        ceilings::correct(turn, callback, TokenUse::Request, &before.submission, &after.submission);
    }
    let key = people::pair(turn, after.numbers());
    let rules = turn.scheduler.deps.rules.clone();
    let counted_at = counted_at(&after);
    if after.purpose == MessagePurpose::Invite {
        let accepted = |message: &Message| message.submission.stage == Stage::Accepted;
        turn.work.pairs.change(key, |pair| {
            if before.may_arrive() && !after.may_arrive() {
                ledger::invite_failed(pair, counted_at);
            } else if !accepted(&before) && accepted(&after) {
                ledger::invite_sent(pair, counted_at);
            }
        });
        if !accepted(&before) && accepted(&after) {
            tell_sent(turn, &after);
        }
    } else {
        turn.work.pairs.change(key, |pair| {
            if before.never_left() && after.may_arrive() {
                ledger::request_proved(pair, id, counted_at);
            }
            if before.submission.stage == Stage::Intent && after.submission.stage == Stage::Submitting {
                ledger::request_leaves(pair, before.submission.intended_at, counted_at);
            }
            if !before.never_left() && after.never_left() {
                ledger::request_taken_back(pair, id, counted_at);
            } else if before.may_arrive() && !after.may_arrive() {
                ledger::request_failed(pair, id, counted_at, &rules);
            } else if let (None, Some(at)) = (before.delivered_at, after.delivered_at) {
                ledger::request_delivered(pair, id, at, &rules);
            } else if matches!(after.submission.stage, Stage::Accepted | Stage::Unknown) {
                // An unknown message counts as sent, because the consumer may answer it.
                ledger::request_sent(pair, id, counted_at, &rules);
            }
        });
    }
    if before.delivered_at.is_none() && after.delivered_at.is_some() {
        let cause =
            || Line::because("A message was delivered, so the consumer is on WhatsApp.").of_message(&after);
        permission_log::change(turn, key, turn.now, cause, ledger::seen_on_whatsapp);
    }
    if before.may_arrive() && !after.may_arrive() {
        failed(turn, key, &after);
        after.callback.into_iter().for_each(|callback| look_again(turn, callback));
    }
}

/// Tells the customer of an order that only invites that a message of it was sent.
fn tell_sent(turn: &mut Turn<'_>, message: &Message) {
    let order = message.callback.and_then(|id| turn.work.callbacks.get(id));
    if let Some(id) = order.filter(|order| order.order.kind == OrderKind::Invite).map(|order| order.id) {
        turn.work.tell(id, Topic::Sent);
    }
}

/// The time at which a message counts for the limits: when it was sent, or decided if it was not sent.
fn counted_at(message: &Message) -> Timestamp {
    message.submission.submitted_at.unwrap_or(message.submission.intended_at)
}

/// Counts a permission request that belongs to no callback, right before it leaves. Those of callbacks are counted
/// when they are decided.
pub(super) fn count_request(turn: &mut Turn<'_>, message: &Message) {
    let (now, rules) = (turn.now, turn.scheduler.deps.rules.clone());
    let key = people::pair(turn, message.numbers());
    permission_log::lapse(turn, key, now);
    turn.work.pairs.change(key, |pair| ledger::request_intended(pair, now, message.id, &rules));
}

/// Applies the failure of a message to the pair, and sets when its callback tries again.
fn failed(turn: &mut Turn<'_>, key: PairKey, message: &Message) {
    let now = turn.now;
    let reaction = reaction(&message.submission);
    let retry = turn.scheduler.deps.rules.retry.failed;
    let trouble = message.submission.stage;
    let rules = turn.scheduler.deps.rules.clone();
    let refused = matches!(trouble, Stage::Accepted | Stage::Rejected);
    let code = message.submission.error_code;
    let cause = || Line::because(code.map_or_else(String::new, refusal)).of_message(message);
    permission_log::change(turn, key, now, cause, |pair| {
        ledger::taught(pair, now, reaction, &rules);
        // After an unexplained refusal or failure, do not try again at once.
        let unexplained = matches!(
            reaction,
            Reaction::NoPermission
                | Reaction::WindowClosed
                | Reaction::Never
                | Reaction::TryAgain
                | Reaction::Unknown
        );
        if unexplained && refused {
            pair.paused_until = Some(now + retry);
        }
        if let Reaction::RepeatOnce(pause) = reaction {
            pair.paused_until = Some(now + pause);
        }
    });
    if reaction == Reaction::OptedOut && refused {
        people::refuse(turn, key, refusal_by_code(code), now);
    }
    rest(turn, reaction, message.account(), message.sender, code);
    if let Some(callback) = message.callback {
        failed_for(turn, callback, message, reaction);
    }
}

/// Counts the failure of a message against its callback, and ends the callback if it can come to nothing.
fn failed_for(turn: &mut Turn<'_>, id: CallbackId, message: &Message, reaction: Reaction) {
    let code = message.submission.error_code;
    let refused = matches!(message.submission.stage, Stage::Accepted | Stage::Rejected);
    // If the account or the sender is paused, or there was a permission, the order is not the cause.
    let excused =
        matches!(reaction, Reaction::PauseAccount(_) | Reaction::PauseSender(_) | Reaction::AlreadyPermanent);
    let counts = refused && !excused;
    let faults = turn.work.callbacks.get(id).map_or(0, |callback| callback.faults);
    let end = end_of(reaction, code, faults);
    turn.work.callbacks.change(id, |callback| {
        callback.faults += u32::from(counts);
        // An undelivered invite does not count: do not wait for a call, and do not relax the streak guard.
        if message.purpose == MessagePurpose::Invite
            && callback.invited_at == Some(message.submission.intended_at)
        {
            callback.invited_at = None;
        }
    });
    if counts && let Some((outcome, reason)) = end {
        close(turn, id, outcome, &reason);
    }
}

/// One change can have several effects: a delivery report also proves the acceptance.
fn note(turn: &mut Turn<'_>, before: &Message, after: &Message, why: &str) {
    let invite = after.purpose == MessagePurpose::Invite;
    let mut lines = Vec::new();
    if before.submission.stage != after.submission.stage {
        lines.push(match (after.submission.stage, invite) {
            (Stage::Accepted, false) => ("permission.requested", "The platform has the request."),
            (Stage::Accepted, true) => ("invite.sent", "The platform has the invite."),
            (Stage::Unknown, false) => (
                "permission.request_unknown",
                "It is unknown whether the request was sent; it counts as sent.",
            ),
            (Stage::Unknown, true) => {
                ("invite.unknown", "It is unknown whether the invite was sent; it is not sent again.")
            }
            (Stage::Rejected | Stage::NotPlaced | Stage::Throttled, false) => {
                ("permission.request_refused", "It was not sent.")
            }
            (Stage::Rejected | Stage::NotPlaced | Stage::Throttled, true) => {
                ("invite.refused", "It was not sent.")
            }
            (Stage::Withdrawn, false) => ("permission.request_withdrawn", "It was never sent."),
            (Stage::Withdrawn, true) => ("invite.withdrawn", "It was never sent."),
            (Stage::Intent | Stage::Submitting, _) => return,
        });
    }
    if before.delivered_at.is_none() && after.delivered_at.is_some() {
        lines.push(match invite {
            false => ("permission.request_delivered", "The consumer's phone has the request."),
            true => ("invite.delivered", "The consumer's phone has the invite."),
        });
    } else if after.submission.stage == Stage::Accepted && before.may_arrive() && !after.may_arrive() {
        lines.push(match invite {
            false => ("permission.request_failed", "The platform could not deliver the request."),
            true => ("invite.failed", "The platform could not deliver the invite."),
        });
    }
    let not_sent = matches!(after.submission.stage, Stage::Withdrawn | Stage::NotPlaced) && !why.is_empty();
    let refused = after.submission.error_code.map(refusal).or_else(|| not_sent.then(|| why.to_owned()));
    let last = lines.len().saturating_sub(1);
    for (index, (what, told)) in lines.into_iter().enumerate() {
        // The error code belongs to the last line.
        let why = refused.clone().filter(|_| index == last).unwrap_or_else(|| told.to_owned());
        turn.work.note(turn.now, Line::new(what, why).of_message(after));
    }
}
