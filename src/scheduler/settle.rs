//! Effects of a changed attempt on its pair, its callback and the counts; and the end of a callback.

use jiff::Timestamp;

use super::state::Deps;
use super::turn::Turn;
use super::working_set::Line;
use super::{ceilings, counting, people, permission_log, reporting, seats};
use crate::clock::later;
use crate::domain::callback::{Closed, Waiting};
use crate::domain::event::{CallReport, ConnectionEnd};
use crate::domain::{
    AccountAlias, Attempt, AttemptId, CallPermission, CallProgress, Callback, CallbackId, Disposition,
    ErrorCode, LegOrder, Offer, Outcome, PairKey, Phone, Priority, Proof, Reason, Stage, State, TokenUse,
};
use crate::policy::after_attempt::after_attempt;
use crate::policy::errors::{self, Reaction};
use crate::policy::{self, Cooldown, UNKNOWN_CODE_PAUSE, ledger, refusal_by_code};
use crate::store::WrapUpDue;
use crate::webhooks::Topic;

/// Applies a report to an attempt, with all its effects.
pub(super) fn observe(turn: &mut Turn<'_>, report: &CallReport) {
    let now = turn.now;
    let timeouts = turn.scheduler.deps.settings.timeouts.clone();
    change_attempt(turn, report.attempt, |attempt| {
        if attempt.observe(now, report) && attempt.first_leg == CallProgress::InProgress {
            attempt.news_due_at = Some(now + timeouts.in_progress);
        }
    });
}

/// Changes an attempt, and applies the effects on its pair, its callback and the counts. All changes of
/// attempts come through here.
pub(super) fn change_attempt(turn: &mut Turn<'_>, id: AttemptId, change: impl FnOnce(&mut Attempt)) {
    change_attempt_because(turn, id, "", change);
}

/// Does the same with the reason `why`, which is recorded if no byte was or will be sent.
pub(super) fn change_attempt_because(
    turn: &mut Turn<'_>,
    id: AttemptId,
    why: &str,
    change: impl FnOnce(&mut Attempt),
) {
    let Some(before) = turn.work.attempts.get(id).cloned() else {
        tracing::warn!(attempt = %id, "a change of an attempt that is not in the store");
        return;
    };
    turn.work.attempts.change(id, change);
    let Some(after) = turn.work.attempts.get(id).cloned() else { return };
    if after == before {
        return;
    }
    let key = people::pair(turn, after.numbers());
    let rules = turn.scheduler.deps.rules.clone();
    note_changes(turn, &before, &after, why);
    if before.submission.stage != Stage::Unknown && after.submission.stage == Stage::Unknown {
        turn.work.tell(after.callback, Topic::Unknown);
    }
    if let (None, Some(at)) = (before.rang_at, after.rang_at) {
        rang(turn, &after, at);
    }
    if !talked_with_agent(&before) && talked_with_agent(&after) {
        expect_wrap_up(turn, &after);
    }
    turn.hear_code(before.submission.error_code, after.submission.error_code);
    counting::observe(turn, &before, &after);
    reporting::attempt(turn, &before, &after);
    ceilings::correct(turn, after.callback, TokenUse::Call, &before.submission, &after.submission);
    if before.connected_at.is_none()
        && let Some(at) = after.connected_at
    {
        turn.work.pairs.change(key, |pair| ledger::call_connected(pair, at, &rules));
        seats::answered(turn, &after);
    }
    match (before.is_live(), after.is_live()) {
        (true, false) => ended(turn, key, &after),
        (false, true) => {
            // A call that was recorded as not placed exists after all, so it takes its resources again.
            turn.take(&after.holds);
            seats::take(turn, &after);
            let intended_at = after.submission.intended_at;
            turn.work.persons.change(key.person, |person| {
                person.live.insert(id);
                if rules.remember_calls() {
                    person.called(intended_at);
                }
            });
        }
        _ if before.ended_at.is_some() && !before.rang() && after.rang() && after.connected_at.is_none() => {
            // The end was reported before the ringing, as for agent-first calls.
            let at = after.ended_at.unwrap_or(turn.now);
            let cause = || Line::because(TOO_MANY_MISSES).of_attempt(&after);
            permission_log::change(turn, key, at, cause, |pair| ledger::call_missed(pair, at, &rules));
            if rules.remember_calls() {
                let intended_at = after.submission.intended_at;
                turn.work.persons.change(key.person, |person| person.called(intended_at));
            }
        }
        _ if !after.is_live() && !was_reached(&before) && was_reached(&after) => {
            reached_after_all(turn, &after);
        }
        _ => {}
    }
}

/// The consumer's phone rang: the first time counts, if a time was promised.
fn rang(turn: &mut Turn<'_>, attempt: &Attempt, at: Timestamp) {
    let late = turn.work.callbacks.change(attempt.callback, |callback| {
        let is_first = callback.order.promised_at().is_some() && callback.first_rang_at().is_none();
        if is_first {
            callback.handled().first_rang_at = Some(at);
        }
        callback.lateness().filter(|_| is_first)
    });
    turn.late.extend(late.flatten());
}

/// A conversation with an agent is over, and the consumer was served.
fn talked_with_agent(attempt: &Attempt) -> bool {
    let has_agent = attempt.order == LegOrder::AgentFirst || attempt.proof == Proof::Bridge;
    has_agent && !attempt.is_live() && was_reached(attempt)
}

/// From a time after the end of the call on, the agent's word is missing.
fn expect_wrap_up(turn: &mut Turn<'_>, attempt: &Attempt) {
    let Some(after) = turn.scheduler.deps.settings.wrap_up_after else { return };
    let Some(callback) = turn.work.callbacks.get(attempt.callback) else { return };
    let at = later(attempt.ended_at.unwrap_or(turn.now), after);
    let (callback, tenant) = (callback.id, callback.tenant.clone());
    turn.work.agents.due.push(WrapUpDue { callback, tenant, at });
}

/// Whether the consumer answered and was served.
fn was_reached(attempt: &Attempt) -> bool {
    attempt.connected_at.is_some() && attempt.is_served()
}

fn note_changes(turn: &mut Turn<'_>, before: &Attempt, after: &Attempt, why: &str) {
    let mut lines = Vec::new();
    if before.submission.stage != after.submission.stage {
        let what = match after.submission.stage {
            Stage::Intent => "attempt.opened",
            Stage::Submitting => "attempt.submitting",
            Stage::Accepted => "attempt.accepted",
            Stage::Rejected => "attempt.rejected",
            Stage::Throttled => "attempt.throttled",
            Stage::Unknown => "attempt.unknown",
            Stage::NotPlaced => "attempt.not_placed",
            Stage::Withdrawn => "attempt.withdrawn",
        };
        let why = match (after.submission.stage, after.submission.error_code) {
            (Stage::Withdrawn | Stage::NotPlaced, _) if !why.is_empty() => why.to_owned(),
            (Stage::Accepted, _) => "The platform has the call.".to_owned(),
            (Stage::Submitting, _) => "The request may be sent from now on.".to_owned(),
            (Stage::Rejected, Some(code)) => refusal(code),
            (Stage::Unknown, _) => {
                "It is unknown whether the call was placed; it is not placed again.".to_owned()
            }
            (Stage::NotPlaced, _) => "The call does not exist.".to_owned(),
            _ => String::new(),
        };
        lines.push((turn.now, what, why));
    }
    if let (None, Some(at)) = (before.rang_at, after.rang_at) {
        let promise = promise(turn, after, at);
        lines.push((at, "attempt.rang", format!("The consumer's phone rings.{promise}")));
    }
    if let (None, Some(at)) = (before.connected_at, after.connected_at) {
        lines.push((at, "attempt.connected", "The consumer answered.".to_owned()));
    }
    if let (None, Some(at)) = (before.ended_at, after.ended_at) {
        let why = after.disposition().map_or("", ending);
        let code = after.submission.error_code.map_or_else(String::new, |code| format!(" {}", refusal(code)));
        lines.push((at, "attempt.ended", format!("{why}{code}")));
    }
    for (at, what, why) in lines {
        turn.work.note(at, Line::new(what, why).of_attempt(after));
    }
}

/// How much later than promised the phone rang for the first time.
fn promise(turn: &Turn<'_>, attempt: &Attempt, at: Timestamp) -> String {
    let callback = turn.work.callbacks.get(attempt.callback);
    let first = callback.filter(|callback| callback.first_rang_at().is_none());
    let Some(promised_at) = first.and_then(|callback| callback.order.promised_at()) else {
        return String::new();
    };
    let late = at.duration_since(promised_at);
    let (minutes, seconds) = (late.as_mins().abs(), late.as_secs().abs() % 60);
    let way = if late.is_negative() { "before" } else { "after" };
    format!(" That is {minutes} min {seconds} s {way} the promised time.")
}

const TOO_MANY_MISSES: &str = "The platform revokes a permission after this many missed calls in a row.";

const fn ending(disposition: Disposition) -> &'static str {
    match disposition {
        Disposition::Completed => "The call was answered and is over.",
        Disposition::NoAnswer => "The consumer did not answer.",
        Disposition::Busy => "The consumer was busy or declined.",
        Disposition::Failed => "The call failed.",
        Disposition::Canceled => "The call was hung up before it was answered.",
    }
}

/// One sentence about an error code of the platform.
pub(super) fn refusal(code: ErrorCode) -> String {
    match errors::meaning(code) {
        Some(meaning) => format!("The platform refused it with code {code}: {meaning}."),
        None => format!("The platform refused it with code {code}, whose meaning is unknown."),
    }
}

/// Whether a call that is over counts for the caps of its person: as an attempt of its callback does.
fn counts_for_the_person(turn: &Turn<'_>, attempt: &Attempt, disposition: Disposition) -> bool {
    let rules = &turn.scheduler.deps.rules;
    let callback = turn.work.callbacks.get(attempt.callback).filter(|_| rules.remember_calls());
    callback.is_none_or(|callback| after_attempt(turn.now, callback, attempt, disposition, rules).counts)
}

/// An attempt is over: frees its slot, updates the pair, and continues or closes the callback.
fn ended(turn: &mut Turn<'_>, key: PairKey, attempt: &Attempt) {
    let Some(disposition) = attempt.disposition() else { return };
    let now = turn.now;
    if attempt.submission.stage == Stage::Accepted {
        turn.endings.extend(attempt.ending());
    }
    let rules = turn.scheduler.deps.rules.clone();
    seats::ended(turn, attempt);
    turn.give_back(&attempt.holds);
    let missed = ledger::is_miss(attempt, disposition, &rules);
    let ended_at = attempt.ended_at.unwrap_or(now);
    let reaction = errors::reaction_to(attempt, disposition);
    let code = attempt.submission.error_code;
    let cause = || Line::because(TOO_MANY_MISSES).of_attempt(attempt);
    let is_counted = counts_for_the_person(turn, attempt, disposition);
    turn.work.persons.change(key.person, |person| {
        person.live.remove(&attempt.id);
        if !is_counted {
            person.not_called(attempt.submission.intended_at);
        }
        if attempt.connected_at.is_some() {
            person.talked_until = person.talked_until.max(Some(ended_at));
        }
    });
    if missed {
        permission_log::change(turn, key, ended_at, cause, |pair| {
            ledger::call_missed(pair, ended_at, &rules)
        });
    }
    let cause = || Line::because(code.map_or(ending(disposition).into(), refusal)).of_attempt(attempt);
    permission_log::change(turn, key, now, cause, |pair| ledger::taught(pair, now, reaction, &rules));
    if reaction == Reaction::OptedOut {
        people::refuse(turn, key, refusal_by_code(code), now);
    }
    let reaction = at_several(turn, reaction, (&attempt.account, attempt.sender), code, key);
    rest(turn, reaction, &attempt.account, attempt.sender, code);
    let Some(callback) = turn.work.callbacks.get(attempt.callback) else { return };
    if callback.state != (State::Calling { attempt: attempt.id }) {
        // It was recorded as not existing, but was answered.
        if was_reached(attempt) {
            reached_after_all(turn, attempt);
        }
        return;
    }
    let mut after = after_attempt(now, callback, attempt, disposition, &rules);
    after.retry_at = after.retry_at.map(|at| shifted(turn, callback, attempt, at));
    let before = callback.clone();
    turn.work.callbacks.change(attempt.callback, |callback| {
        callback.attempts_made += u32::from(after.counts);
        callback.faults = if after.fault { callback.faults + 1 } else { 0 };
        callback.retry_at = after.retry_at;
        if let Some(handling) = &mut callback.handling {
            handling.offer = Offer::default();
            handling.is_wrapped_up = false;
        }
        if after.counts {
            callback.abandoned_at = after.abandoned.then_some(ended_at);
            callback.missed_call_at = None;
        }
        if after.abandoned {
            callback.order.priority = Priority::URGENT;
        }
        callback.state = State::Waiting(Waiting { wake_at: now, place: None, note: Reason::Ready.note() });
    });
    reporting::callback(turn, &before);
    if after.abandoned {
        let why = unserved(attempt);
        turn.work.note(ended_at, Line::new("attempt.abandoned", why).of_attempt(attempt));
        turn.work.tell(attempt.callback, Topic::Abandoned);
    }
    if let Some((outcome, reason)) = after.finish {
        close(turn, attempt.callback, outcome, &reason);
        if outcome == Outcome::Reached
            && let Some(answered_at) = attempt.connected_at.filter(|_| was_reached(attempt))
        {
            turn.reach(attempt.callback, answered_at);
        }
    }
}

/// When the next attempt may be placed, in another part of the day if the rules say so.
fn shifted(turn: &Turn<'_>, callback: &Callback, attempt: &Attempt, at: Timestamp) -> Timestamp {
    let person = turn.work.names.of_number(callback.order.consumer);
    let calls = turn.work.persons.get(person).map_or(&[][..], |person| &person.calls);
    let Some(disposition) = attempt.disposition() else { return at };
    let Deps { rules, .. } = &turn.scheduler.deps;
    // A live permission is not given away for another part of the day.
    let pair = turn.work.pairs.get(PairKey { sender: attempt.sender, person });
    let until = match pair.map(|pair| pair.permission) {
        Some(CallPermission::Temporary { expires_at }) => callback.order.latest.min(expires_at),
        _ => callback.order.latest,
    };
    policy::shifted(at..until, disposition, callback, calls, &turn.loads.calendars, rules)
}

/// Why the consumer counts as not served, and what follows.
const fn unserved(attempt: &Attempt) -> &'static str {
    match (attempt.proof, attempt.connection) {
        (_, Some(ConnectionEnd::Nobody)) => {
            "The consumer answered, and by an operator's word was not served; the callback is urgent now."
        }
        (Proof::Playback, _) => {
            "The consumer answered, and the message was not played to its end; the callback is urgent now."
        }
        (Proof::Bot, _) => {
            "The consumer answered, and the bot could not be connected; the callback is urgent now."
        }
        _ => "The consumer answered and could not be connected; the callback is urgent now.",
    }
}

/// The reaction of the sender to a failure: an unknown code that comes back at several people pauses it.
pub(super) fn at_several(
    turn: &mut Turn<'_>,
    reaction: Reaction,
    by: (&AccountAlias, Phone),
    code: Option<ErrorCode>,
    key: PairKey,
) -> Reaction {
    let (Reaction::Unknown, Some(code)) = (reaction, code) else { return reaction };
    if !turn.scheduler.unknown_codes.heard(turn.now, by, code, key.person) {
        return reaction;
    }
    tracing::warn!(
        account = &**by.0, sender = %by.1, %code,
        "a code whose meaning is unknown comes back at several consumers, so the sender is paused"
    );
    Reaction::PauseSender(UNKNOWN_CODE_PAUSE)
}

/// Pauses the account or the sender, if that is the reaction.
pub(super) fn rest(
    turn: &mut Turn<'_>,
    reaction: Reaction,
    account: &AccountAlias,
    sender: Phone,
    code: Option<ErrorCode>,
) {
    let now = turn.now;
    let why = match (code.and_then(errors::meaning), code) {
        (Some(meaning), _) => meaning,
        (None, Some(_)) => {
            "the platform refuses it with a code whose meaning is unknown, at several consumers"
        }
        (None, None) => "the platform asked to slow down",
    };
    match reaction {
        Reaction::PauseAccount(pause) => {
            if let Some(pace) = turn.scheduler.paces.get_mut(account) {
                pace.rest_for(now, pause, why);
                turn.loads.accounts.insert(account.clone(), pace.view());
            }
        }
        Reaction::PauseSender(pause) => {
            let rest = Cooldown::after(turn.scheduler.sender_rests.get(&sender).copied(), now, pause);
            turn.scheduler.sender_rests.insert(sender, rest);
            turn.loads.paused_senders.insert(sender, (rest.until, why.into()));
        }
        _ => {}
    }
}

/// The answer was reported after the end: the consumer was reached, so the callback closes. If another attempt is in
/// progress, it is ended first, unless the consumer has answered it.
fn reached_after_all(turn: &mut Turn<'_>, attempt: &Attempt) {
    let now = turn.now;
    let Some(callback) = turn.work.callbacks.get(attempt.callback) else { return };
    let is_news = !callback.is_closed() && callback.reached_late_at.is_none();
    if let Some(answered_at) = attempt.connected_at.filter(|_| is_news) {
        turn.reach(attempt.callback, answered_at);
    }
    let Some(callback) = turn.work.callbacks.get(attempt.callback) else { return };
    match &callback.state {
        State::Waiting(_) => {
            turn.work.callbacks.change(attempt.callback, |callback| callback.abandoned_at = None);
            close(turn, attempt.callback, Outcome::Reached, &Reason::Answered);
        }
        State::Calling { .. } if callback.reached_late_at.is_none() => {
            turn.work.note(now, Line::new("callback.reached_late", REACHED_LATE).of_attempt(attempt));
            reached_while_calling(turn, attempt.callback, "An earlier call had served the consumer.");
        }
        State::Calling { .. } | State::Closed(_) => {}
    }
}

/// The consumer called and was answered while an attempt is in progress, for example one that may not have been placed.
/// The callback closes with the attempt.
pub(super) fn called_while_calling(turn: &mut Turn<'_>, id: CallbackId) {
    let is_known = turn.work.callbacks.get(id).is_some_and(|callback| callback.reached_late_at.is_some());
    if !is_known {
        let line = Line::new("callback.reached_late", CALLED_MEANWHILE).of_callback(id);
        turn.work.note(turn.now, line);
        reached_while_calling(turn, id, "The consumer had called and was answered.");
    }
}

fn reached_while_calling(turn: &mut Turn<'_>, id: CallbackId, why: &str) {
    let now = turn.now;
    turn.work.callbacks.change(id, |callback| {
        callback.abandoned_at = None;
        callback.reached_late_at = Some(now);
    });
    withdraw_or_hang_up(turn, id, why);
}

const CALLED_MEANWHILE: &str =
    "The consumer called and was answered; the attempt in progress is ended unless it was answered.";

const REACHED_LATE: &str = "A late report proves that this attempt served the consumer; the one in progress is ended unless it was answered.";

/// Closes an open callback as canceled. A call in progress is hung up unless it was answered, and the callback closes with
/// it. Leaves what is set aside alone.
pub(super) fn cancel(turn: &mut Turn<'_>, id: CallbackId, reason: &Reason, by: &str) {
    if turn.is_set_aside(id) {
        return;
    }
    turn.is_at_callback(id);
    let now = turn.now;
    let Some(callback) = turn.work.callbacks.get(id) else { return };
    match &callback.state {
        State::Closed(_) => {}
        State::Waiting(_) => close_by(turn, id, Outcome::Canceled, reason, Some(by)),
        State::Calling { .. } => {
            if callback.cancel_requested_at.is_none() {
                turn.work.callbacks.change(id, |callback| callback.cancel_requested_at = Some(now));
                let why = format!("{} An attempt is in progress.", reason.sentence());
                let line = Line::new("callback.cancel_requested", why).of_callback(id);
                turn.work.note(now, line.by(by));
            }
            withdraw_or_hang_up(turn, id, "");
        }
    }
}

/// The attempt in progress is not needed any more: an intent is withdrawn for this reason, and a call is hung up unless
/// it was answered.
pub(super) fn withdraw_or_hang_up(turn: &mut Turn<'_>, id: CallbackId, why: &str) {
    let Some(State::Calling { attempt }) = turn.work.callbacks.get(id).map(|callback| callback.state.clone())
    else {
        return;
    };
    let Some(attempt) = turn.work.attempts.get(attempt) else { return };
    if attempt.submission.stage == Stage::Intent {
        // It may wait long for room at its account; the customer need not.
        let attempt = attempt.id;
        change_attempt_because(turn, attempt, why, |attempt| _ = attempt.submission.withdraw());
        return;
    }
    // A customer who cancels again has it asked for again.
    let attempt = attempt.id;
    turn.canceled.push(attempt);
}

/// Closes a callback, once.
pub(super) fn close(turn: &mut Turn<'_>, id: CallbackId, outcome: Outcome, reason: &Reason) {
    close_by(turn, id, outcome, reason, None);
}

/// As [`close`], by a token's command if there was one.
pub(super) fn close_by(
    turn: &mut Turn<'_>,
    id: CallbackId,
    outcome: Outcome,
    reason: &Reason,
    by: Option<&str>,
) {
    let now = turn.now;
    let consumer = turn.work.callbacks.get(id).map(|callback| callback.order.consumer);
    // A call that was hung up for an erasure ends as one whose customer canceled.
    let is_erased = *reason == Reason::CustomerCanceled
        && consumer.is_some_and(|number| turn.scheduler.erasing.is_closing(number));
    let reason = if is_erased { &Reason::Erased } else { reason };
    let before = turn.work.callbacks.get(id).filter(|_| outcome == Outcome::Reached).cloned();
    let closed = turn.work.callbacks.change(id, |callback| {
        let open = !callback.is_closed();
        if open {
            callback.state = State::Closed(Closed { outcome, at: now, note: reason.note() });
        }
        open
    });
    if closed == Some(true) {
        before.into_iter().for_each(|before| reporting::callback(turn, &before));
        let who = by.map_or_else(String::new, |token| format!(" By the token {token:?}."));
        let why = format!("{}: {}{who}", outcome.as_str(), reason.sentence());
        let line = Line::new("callback.closed", why).of_callback(id);
        turn.work.note(
            now,
            match by {
                Some(token) => line.by(token),
                None => line,
            },
        );
        turn.work.tell(id, Topic::Closed);
        turn.end_offer(id);
    }
}

/// Makes a waiting callback due now, because what it waited for will not happen.
pub(super) fn look_again(turn: &mut Turn<'_>, id: CallbackId) {
    let now = turn.now;
    turn.work.callbacks.change(id, |callback| {
        if let State::Waiting(waiting) = &mut callback.state {
            waiting.wake_at = waiting.wake_at.min(now);
        }
    });
}

/// Sets a callback to waiting, to be decided in this turn. A closed callback stays closed.
pub(super) fn wake(turn: &mut Turn<'_>, id: CallbackId, now: Timestamp) {
    turn.work.callbacks.change(id, |callback| {
        if callback.is_closed() {
            return;
        }
        callback.state = State::Waiting(Waiting { wake_at: now, place: None, note: Reason::Ready.note() });
    });
}
