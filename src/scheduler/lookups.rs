//! Applies the results of lookups: a call or message that is found is treated like a report, and one that is
//! not found for long enough does not exist.
//!
//! A candidate that belongs to another attempt or message is not taken, and if several are possible, none is.

use super::settle::{change_attempt, observe};
use super::turn::Turn;
use super::{fold, messages};
use crate::domain::attempt::{Candidate, Look};
use crate::domain::event::CallReport;
use crate::domain::{AttemptId, CallProgress, MessageId, PairKey, Stage, Submission};
use crate::platform::{Finding, FoundCall, FoundMessage};

/// Applies the state of an attempt's known call.
pub(super) fn call(turn: &mut Turn<'_>, id: AttemptId, finding: &Finding<FoundCall>) {
    match finding {
        Finding::Found(call) => found(turn, id, call),
        Finding::Absent => absent(turn, id),
        Finding::NoAnswer => {}
    }
}

/// Applies candidates for the lost call of an attempt.
pub(super) fn lost_call(turn: &mut Turn<'_>, id: AttemptId, finding: &Finding<Vec<FoundCall>>) {
    let Finding::Found(calls) = finding else { return };
    let others = |call: &&FoundCall| {
        let sid = Some(&call.sid);
        !turn.work.attempts.values().any(|attempt| attempt.id != id && attempt.submission.sid.as_ref() == sid)
    };
    let unclaimed: Vec<&FoundCall> = calls.iter().filter(others).collect();
    match unclaimed[..] {
        [] => {
            note_look(turn, id, &[]);
            absent(turn, id);
        }
        [call] => found(turn, id, call),
        _ => note_look(turn, id, &unclaimed),
    }
    if unclaimed.len() > 1 {
        tracing::warn!(attempt = %id, "several calls may be this attempt's; an operator has to look");
    }
}

/// Remembers what was found, for the people who resolve it.
fn note_look(turn: &mut Turn<'_>, id: AttemptId, calls: &[&FoundCall]) {
    let candidate = |call: &&FoundCall| Candidate {
        sid: call.sid.clone(),
        progress: call.progress,
        created_at: call.created_at,
        duration_s: call.duration_s,
        same_ends: call.same_ends,
    };
    let candidates = calls.iter().take(Look::CANDIDATES_MAX).map(candidate).collect();
    let look = Some(Box::new(Look { at: turn.now, candidates }));
    change_attempt(turn, id, |attempt| attempt.last_look = look);
}

/// Applies candidates for a lost message.
pub(super) fn lost_message(turn: &mut Turn<'_>, id: MessageId, finding: &Finding<Vec<FoundMessage>>) {
    let Finding::Found(messages) = finding else { return };
    let now = turn.now;
    let horizon = turn.scheduler.deps.settings.timeouts.horizon;
    let others = |found: &&FoundMessage| {
        let sid = Some(&found.sid);
        !turn.work.messages.values().any(|message| message.id != id && message.submission.sid.as_ref() == sid)
    };
    let unclaimed: Vec<&FoundMessage> = messages.iter().filter(others).collect();
    match unclaimed[..] {
        [] => messages::change(turn, id, |message| {
            if is_beyond(&message.submission, now - horizon) {
                message.submission.disprove(now);
            }
        }),
        [found] => messages::change(turn, id, |message| {
            message.observe(now, &found.sid, found.progress, found.error_code);
        }),
        _ => tracing::warn!(message = %id, "several messages may be this one; an operator has to look"),
    }
}

/// Applies the state of an inbound call.
pub(super) fn inbound(turn: &mut Turn<'_>, key: PairKey, sid: &str, finding: &Finding<FoundCall>) {
    let live = turn.work.pairs.get(key).and_then(|pair| pair.live_inbound.as_deref());
    if live != Some(sid) {
        return;
    }
    match finding {
        Finding::Found(call) if matches!(call.progress, CallProgress::Ended(_)) => {
            let at = call.ended_at.unwrap_or(turn.now);
            fold::inbound_call(turn, at, key, sid, call.progress, call.ended_at);
        }
        // Meta's calls cannot be looked up, and a call of the Cloud API is none of Twilio's.
        Finding::Absent => fold::inbound_is_lost(turn, key, sid),
        Finding::Found(_) | Finding::NoAnswer => {}
    }
}

fn found(turn: &mut Turn<'_>, id: AttemptId, call: &FoundCall) {
    let report = |leg: &FoundCall, parent: Option<&FoundCall>| CallReport {
        attempt: id,
        sid: leg.sid.clone(),
        parent_sid: parent.map(|parent| parent.sid.clone()),
        progress: leg.progress,
        at: leg.ended_at,
        duration_s: leg.duration_s,
        sip_code: None,
        error_code: None,
    };
    // The consumer's leg first, because the end of the other leg depends on it.
    if let Some(leg) = &call.leg {
        observe(turn, &report(leg, Some(call)));
    }
    observe(turn, &report(call, None));
}

fn absent(turn: &mut Turn<'_>, id: AttemptId) {
    let now = turn.now;
    let horizon = turn.scheduler.deps.settings.timeouts.horizon;
    change_attempt(turn, id, |attempt| {
        if !attempt.is_held(now) && is_beyond(&attempt.submission, now - horizon) {
            attempt.submission.disprove(now);
        }
    });
}

/// Whether an unknown submission was submitted at or before `moment`.
fn is_beyond(submission: &Submission, moment: jiff::Timestamp) -> bool {
    let left_at = submission.submitted_at.unwrap_or(submission.intended_at);
    submission.stage == Stage::Unknown && left_at <= moment
}
