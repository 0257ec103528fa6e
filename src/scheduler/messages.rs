//! Effects of changed permission requests and invites on their pair and callback.

use jiff::Timestamp;

use super::settle::{at_several, close, look_again, refusal, rest};
use super::turn::Turn;
use super::working_set::Line;
use super::{ceilings, counting, pauses, people, permission_log, reporting};
use crate::domain::message::Reply;
use crate::domain::{
    Answer, Callback, CallbackId, Message, MessageId, MessagePurpose, OrderKind, PairKey, Reason,
    RoadFailure, RoadName, Stage, State, TokenUse,
};
use crate::policy::after_attempt::end_of;
use crate::policy::errors::{self, Reaction, reaction};
use crate::policy::{ladder, ledger, refusal_by_code};
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
    reporting::message(turn, &before, &after);
    let codes = (before.submission.error_code, after.submission.error_code);
    turn.hear_code(codes.0, codes.1);
    if let Some(callback) = after.callback {
        counting::hear(turn, callback, codes.0, codes.1);
    }
    if after.purpose == MessagePurpose::PermissionRequest
        && let Some(callback) = after.callback
    {
        ceilings::correct(turn, callback, TokenUse::Request, &before.submission, &after.submission);
    }
    let key = people::pair(turn, after.numbers());
    let rules = turn.scheduler.deps.rules.clone();
    let counted_at = counted_at(&after);
    let leaves = before.submission.stage == Stage::Intent && after.submission.stage == Stage::Submitting;
    if leaves && after.channel.psid().is_none() {
        turn.work.pairs.change(key, |pair| pair.messaged_at = pair.messaged_at.max(Some(counted_at)));
    }
    // What the platform refused did not reach the consumer.
    if !before.never_left() && after.never_left() {
        turn.work.pairs.change(key, |pair| _ = pair.messaged_at.take_if(|at| *at == counted_at));
    }
    if after.purpose == MessagePurpose::Invite {
        invite_changed(turn, key, &before, &after);
    } else {
        turn.work.pairs.change(key, |pair| {
            if before.never_left() && after.may_arrive() {
                ledger::request_proved(pair, id, counted_at);
            }
            if leaves {
                ledger::request_leaves(pair, before.submission.intended_at, counted_at);
            }
            if !before.never_left() && after.never_left() {
                ledger::request_taken_back(pair, id, counted_at);
            } else if before.may_arrive() && !after.may_arrive() {
                ledger::request_failed(pair, id, counted_at, &rules);
            } else if let (None, Some(at)) = (before.delivered_at, after.delivered_at) {
                ledger::request_delivered(pair, id, at, &rules);
            } else if after.delivered_at.is_none()
                && matches!(after.submission.stage, Stage::Accepted | Stage::Unknown)
            {
                // An unknown message counts as sent, because the consumer may answer it. One that was delivered has its
                // lifetime from then, also if the machine's clock was set back in between.
                ledger::request_sent(pair, id, counted_at, &rules);
            }
        });
    }
    if before.delivered_at.is_none() && after.delivered_at.is_some() && after.channel.psid().is_none() {
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

/// An invite counts for the pair when the platform has it, and for the person from its intent, as long as it may reach
/// the person. When it leaves, it counts from then on: it may have waited behind a pause of its account.
fn invite_changed(turn: &mut Turn<'_>, key: PairKey, before: &Message, after: &Message) {
    let accepted = |message: &Message| message.submission.stage == Stage::Accepted;
    let counted_at = counted_at(after);
    turn.work.pairs.change(key, |pair| {
        if before.may_arrive() && !after.may_arrive() {
            ledger::invite_failed(pair, counted_at);
        } else if !accepted(before) && accepted(after) {
            ledger::invite_sent(pair, counted_at);
        }
    });
    let counted_before = self::counted_at(before);
    turn.work.persons.change(key.person, |person| {
        if before.may_arrive() && !(after.may_arrive() && counted_before == counted_at) {
            person.not_invited(counted_before);
        }
        if after.may_arrive() && !(before.may_arrive() && counted_before == counted_at) {
            person.invited(counted_at);
        }
    });
    if !accepted(before) && accepted(after) {
        turn.roads_taken.extend(after.road);
        tell_sent(turn, after);
    }
    let is_unknown = after.submission.stage == Stage::Unknown;
    if is_unknown != (before.submission.stage == Stage::Unknown) {
        say_whether_known(turn, after, is_unknown);
    }
}

/// The callback that waits for the consumer's call says whether it is known that its invite was sent.
fn say_whether_known(turn: &mut Turn<'_>, message: &Message, is_unknown: bool) {
    let Some(id) = message.callback else { return };
    let intended_at = message.submission.intended_at;
    turn.work.callbacks.change(id, |callback| {
        let until = callback.order.latest;
        let (awaits, unknown) = (Reason::AwaitingCall { until }, Reason::InviteUnknown { until });
        if callback.invited_at == Some(intended_at)
            && let State::Waiting(waiting) = &mut callback.state
            && [awaits.code(), unknown.code()].contains(&&*waiting.note.code)
        {
            waiting.note = if is_unknown { unknown.note() } else { awaits.note() };
        }
    });
}

/// The consumer answered a permission request. The pair is changed by its answer, not here.
pub(super) fn replied(turn: &mut Turn<'_>, id: MessageId, reply: Reply) {
    let Some(before) = turn.work.messages.get(id).cloned() else { return };
    turn.work.messages.change(id, |message| message.reply = Some(reply));
    let after = Message { reply: Some(reply), ..before.clone() };
    reporting::message(turn, &before, &after);
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
    let reaction = reaction(&message.submission);
    let code = message.submission.error_code;
    let ends_road = road_is_over(turn, message, reaction);
    match message.channel.psid() {
        None => taught(turn, key, message, reaction, ends_road),
        Some(psid) if reaction == Reaction::WindowClosed => {
            let contact = (message.account().clone(), psid.clone());
            turn.work.contacts.change(contact, |contact| contact.wrote_at = None);
        }
        Some(_) => {}
    }
    if reaction == Reaction::OptedOut && is_refused(message) {
        people::refuse(turn, key, refusal_by_code(code), turn.now);
    }
    let of_sender = at_several(turn, reaction, (message.account(), message.sender), code, key);
    // What is wrong with a page is no trouble of the sender.
    let resting = match (of_sender, message.channel.psid()) {
        (Reaction::PauseSender(pause), Some(_)) => Reaction::PauseAccount(pause),
        (reaction, _) => reaction,
    };
    rest(turn, resting, message.account(), message.sender, code);
    if let Reaction::PauseContent(pause) = reaction {
        let why = code.and_then(errors::meaning).unwrap_or("the platform refused it");
        pauses::of_content(turn, message.account(), &message.content, pause, why);
    }
    if let Some(callback) = message.callback {
        failed_for(turn, callback, message, reaction, ends_road);
    }
}

/// Whether the platform has refused the message, or could not deliver it.
const fn is_refused(message: &Message) -> bool {
    matches!(message.submission.stage, Stage::Accepted | Stage::Rejected)
}

/// Corrects the ledger after the failure of a message on WhatsApp.
fn taught(turn: &mut Turn<'_>, key: PairKey, message: &Message, reaction: Reaction, ends_road: bool) {
    let now = turn.now;
    let rules = turn.scheduler.deps.rules.clone();
    let retry = rules.retry.failed;
    let code = message.submission.error_code;
    let cause = || Line::because(code.map_or_else(String::new, refusal)).of_message(message);
    permission_log::change(turn, key, now, cause, |pair| {
        // A client without buttons is told like a consumer who left WhatsApp. If calls are allowed, a call finds out, and
        // nobody is asked again.
        if reaction != Reaction::Uncallable || !pair.permission.is_live(now) {
            ledger::taught(pair, now, reaction, &rules);
        }
        // After an unexplained refusal or failure, do not try again at once.
        let unexplained = matches!(
            reaction,
            Reaction::NoPermission
                | Reaction::WindowClosed
                | Reaction::Never
                | Reaction::TryAgain
                | Reaction::Unknown
        );
        // The next road has not failed.
        if unexplained && is_refused(message) && !ends_road {
            pair.paused_until = Some(now + retry);
        }
        if let Reaction::RepeatOnce(pause) = reaction
            && !ends_road
        {
            pair.paused_until = Some(now + pause);
        }
    });
}

/// Whether an invite failed so that its road is not tried again for the callback.
fn road_is_over(turn: &Turn<'_>, message: &Message, reaction: Reaction) -> bool {
    let callback = message.callback.and_then(|id| turn.work.callbacks.get(id));
    let (Some(callback), Some(kind), true) = (callback, message.road, is_refused(message)) else {
        return false;
    };
    match reaction {
        Reaction::Uncallable => true,
        // Of the only road it is tried again, as the consumer may open the window.
        Reaction::WindowClosed => {
            let own = RoadName { kind, account: message.account().clone() };
            has_another_road(turn, callback, Some(&own))
        }
        Reaction::OptedOut => false,
        // A page has no ledger that could make it wait.
        Reaction::PausePair(_) | Reaction::TryAgain | Reaction::RepeatOnce(_) | Reaction::Unknown
            if message.channel.psid().is_some() =>
        {
            true
        }
        _ => end_of(reaction, message.submission.error_code, callback.faults).is_some(),
    }
}

/// Counts the failure of a message against its callback, and ends the callback if it can come to nothing.
fn failed_for(turn: &mut Turn<'_>, id: CallbackId, message: &Message, reaction: Reaction, ends_road: bool) {
    let code = message.submission.error_code;
    // If the account, the sender or the content is paused, or there was a permission, the order is not the cause.
    let excused = matches!(
        reaction,
        Reaction::PauseAccount(_)
            | Reaction::PauseSender(_)
            | Reaction::PauseContent(_)
            | Reaction::AlreadyPermanent
    );
    let counts = is_refused(message) && !excused;
    let faults = turn.work.callbacks.get(id).map_or(0, |callback| callback.faults);
    let end = end_of(reaction, code, faults);
    let road = message.road.map(|kind| RoadName { kind, account: message.account().clone() });
    turn.work.callbacks.change(id, |callback| {
        callback.faults += u32::from(counts);
        // An undelivered invite does not count: do not wait for a call, and do not relax the streak guard.
        if message.purpose == MessagePurpose::Invite
            && callback.invited_at == Some(message.submission.intended_at)
        {
            callback.invited_at = None;
            callback.invited_by = None;
        }
        if ends_road
            && let Some(road) = road
            && callback.road_failed(&road).is_none()
        {
            callback.roads_failed.push(RoadFailure { road, code });
        }
    });
    let goes_on = ends_road
        && turn.work.callbacks.get(id).is_some_and(|callback| has_another_road(turn, callback, None));
    if counts
        && !goes_on
        && let Some((outcome, reason)) = end
    {
        close(turn, id, outcome, &reason);
    }
}

/// Whether a sender of the callback has a road that has not failed, beside `own`. Whether it is open is decided next.
fn has_another_road(turn: &Turn<'_>, callback: &Callback, own: Option<&RoadName>) -> bool {
    let directory = &turn.scheduler.deps.directory;
    let senders = callback.order.senders.iter().filter_map(|&number| directory.sender(number));
    let mut roads = senders.flat_map(ladder::roads);
    roads.any(|road| {
        let name = RoadName::of(&road);
        Some(&name) != own && callback.road_failed(&name).is_none()
    })
}

/// Tells that a message is not sent yet.
pub(super) fn waits(turn: &mut Turn<'_>, message: &Message, reason: &Reason) {
    turn.work.note(turn.now, Line::new("message.waits", reason.sentence()).of_message(message));
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
