//! Looks up overdue calls and messages at the platform: unknown ones, and calls in progress, outbound and
//! inbound, without a report for longer than normal.

use jiff::{SignedDuration, Timestamp};

use super::overdue::Subject;
use super::request::{Effect, Question};
use super::settle::change_attempt;
use super::turn::Turn;
use super::{messages, outbound};
use crate::domain::{AccountAlias, Attempt, AttemptId, CallProgress, MessageId, PairKey, Stage};
use crate::platform::{Abilities, LostCall, LostMessage};

/// Longest interval between lookups of a silent call; bounds how long a lost report holds a slot.
const CALL_ASKED_EVERY: SignedDuration = SignedDuration::from_mins(10);
/// Longest interval between lookups of a message, which holds no slot.
const MESSAGE_ASKED_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// Looks up what is overdue, and again later without a result.
pub(super) fn ask_about_silence(turn: &mut Turn<'_>) {
    for subject in std::mem::take(&mut turn.silent) {
        match subject {
            Subject::Attempt(id) => ask_about_attempt(turn, id),
            Subject::Message(id) => ask_about_message(turn, id),
            Subject::Inbound(key) => ask_about_inbound(turn, key),
        }
    }
}

/// Asks a platform for its date, if the clock is in doubt and a date is due.
pub(super) fn ask_for_a_date(turn: &mut Turn<'_>) {
    let accounts = turn.scheduler.deps.accounts.len();
    if turn.loads.held.clock_in_doubt.is_none() || accounts == 0 || !turn.scheduler.dates.take(turn.now) {
        return;
    }
    let next = turn.scheduler.dates.asked % accounts;
    turn.scheduler.dates.asked = turn.scheduler.dates.asked.wrapping_add(1);
    let account = turn.scheduler.deps.accounts.keys().nth(next).cloned();
    turn.effects.extend(account.map(|account| Effect::Ask { account, question: Question::Date }));
}

/// When to repeat a lookup: after a quarter of the time since `since`, within bounds.
fn ask_again(now: Timestamp, since: Timestamp, soonest: SignedDuration, latest: SignedDuration) -> Timestamp {
    let quarter = SignedDuration::from_secs(now.duration_since(since).as_secs() / 4);
    now + quarter.min(latest).max(soonest)
}

fn ask_about_attempt(turn: &mut Turn<'_>, id: AttemptId) {
    let now = turn.now;
    let live = turn.work.attempts.get(id).cloned().filter(Attempt::is_live);
    let Some(attempt) = live.filter(|attempt| !turn.is_set_aside(attempt.callback)) else {
        turn.scheduler.overdue.listen(Subject::Attempt(id), None);
        return;
    };
    turn.is_at_callback(attempt.callback);
    if gives_up(turn, Subject::Attempt(id)) {
        change_attempt(turn, id, |attempt| {
            if attempt.submission.recover(now) {
                attempt.news_due_at = Some(now);
            }
        });
        return;
    }
    let timeouts = turn.scheduler.deps.settings.timeouts.clone();
    let soonest = match attempt.first_leg {
        CallProgress::InProgress => timeouts.in_progress,
        _ if attempt.submission.stage == Stage::Accepted => timeouts.ringing,
        _ => timeouts.unknown,
    };
    let since = attempt.submission.submitted_at.unwrap_or(attempt.submission.intended_at);
    let again = ask_again(now, since, soonest, CALL_ASKED_EVERY);
    change_attempt(turn, id, |attempt| attempt.news_due_at = Some(again));
    if let Some(question) = question(turn, &attempt) {
        turn.effects.push(Effect::Ask { account: attempt.account, question });
    }
}

/// Whether the subject was left alone until now: the leader who submitted it has appended no answer in time.
fn gives_up(turn: &mut Turn<'_>, subject: Subject) -> bool {
    turn.scheduler.left_alone.remove(&subject)
}

fn ask_about_message(turn: &mut Turn<'_>, id: MessageId) {
    let now = turn.now;
    if gives_up(turn, Subject::Message(id)) {
        turn.scheduler.overdue.listen(Subject::Message(id), None);
        messages::change(turn, id, |message| _ = message.submission.recover(now));
        return;
    }
    let unknown = turn.work.messages.get(id).filter(|message| message.submission.stage == Stage::Unknown);
    let askable = unknown.filter(|message| {
        !turn.is_of_what_is_set_aside(message)
            && abilities(turn, message.account()).is_some_and(|abilities| abilities.lists_messages)
    });
    let Some(message) = askable else {
        turn.scheduler.overdue.listen(Subject::Message(id), None);
        return;
    };
    let submitted_at = message.submission.submitted_at.unwrap_or(message.submission.intended_at);
    let lost = LostMessage { numbers: message.numbers(), submitted_at };
    let question = Question::LostMessage { message: id, lost };
    turn.effects.push(Effect::Ask { account: message.account().clone(), question });
    let soonest = turn.scheduler.deps.settings.timeouts.ringing;
    let again = ask_again(turn.now, submitted_at, soonest, MESSAGE_ASKED_EVERY);
    turn.scheduler.overdue.listen(Subject::Message(id), Some(again));
}

fn ask_about_inbound(turn: &mut Turn<'_>, key: PairKey) {
    let pair = turn.work.pairs.get(key);
    let soonest = turn.scheduler.deps.settings.timeouts.in_progress;
    let since = pair.and_then(|pair| pair.inbound_at).unwrap_or(turn.now);
    let again = ask_again(turn.now, since, soonest, CALL_ASKED_EVERY);
    let sid = pair.and_then(|pair| pair.live_inbound.clone());
    let sender = turn.scheduler.deps.directory.sender(key.sender);
    let question = sender.zip(sid).map(|(sender, sid)| Effect::Ask {
        account: sender.account.clone(),
        question: Question::Inbound { key, sid },
    });
    turn.scheduler.overdue.listen(Subject::Inbound(key), question.as_ref().map(|_| again));
    turn.effects.extend(question);
}

fn question(turn: &Turn<'_>, attempt: &Attempt) -> Option<Question> {
    let order = attempt.order;
    if let Some(sid) = &attempt.submission.sid {
        return Some(Question::Call { attempt: attempt.id, sid: sid.clone(), order });
    }
    // Requests in flight will still get their answers.
    if attempt.submission.stage != Stage::Unknown || !abilities(turn, &attempt.account)?.lists_calls {
        return None;
    }
    let submitted_at = attempt.submission.submitted_at?;
    let callee = outbound::callee(turn, attempt)?;
    Some(Question::LostCall(LostCall {
        attempt: attempt.id,
        numbers: attempt.numbers(),
        callee,
        submitted_at,
    }))
}

/// The lookups that an account's platform supports; `None` if the account is not configured any more.
fn abilities(turn: &Turn<'_>, account: &AccountAlias) -> Option<Abilities> {
    turn.scheduler.deps.accounts.get(account).map(|account| account.platform.abilities())
}
