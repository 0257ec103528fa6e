//! Which calls are to be hung up: unanswered live calls of a callback whose cancellation is on record.

use jiff::Timestamp;

use super::hang_ups::Call;
use super::turn::Turn;
use crate::domain::{Attempt, AttemptId, CallProgress, Stage};

/// Whether the call is to be hung up, and since when: the cancellation, or the moment at which its name became known.
fn wanted(turn: &Turn<'_>, attempt: &Attempt) -> Option<(Call, Timestamp)> {
    let callback = turn.work.callbacks.get(attempt.callback)?;
    let canceled_at = callback.cancel_requested_at?;
    let submission = &attempt.submission;
    let unanswered = attempt.connected_at.is_none() && attempt.first_leg != CallProgress::InProgress;
    let rings = attempt.is_live() && submission.stage == Stage::Accepted && unanswered;
    let since = submission.answered_at.map_or(canceled_at, |known_at| known_at.max(canceled_at));
    let sid = submission.sid.clone().filter(|_| rings)?;
    Some((Call { attempt: attempt.id, account: attempt.account.clone(), sid }, since))
}

/// Goes on, after a start, with what the daemon before had begun.
pub(super) fn resume(turn: &mut Turn<'_>) {
    let now = turn.now;
    let calls: Vec<_> = turn.work.attempts.values().filter_map(|attempt| wanted(turn, attempt)).collect();
    for (call, since) in calls {
        turn.scheduler.hang_ups.resume(call, since, now);
    }
}

/// Notes what is to be hung up, forgets what is over or answered, and lets the tries go that are due.
pub(super) fn plan(turn: &mut Turn<'_>) {
    let now = turn.now;
    let known = &turn.scheduler.hang_ups;
    let changes: Vec<(AttemptId, Option<Call>)> = turn
        .work
        .attempts
        .values()
        .map(|attempt| (attempt.id, wanted(turn, attempt).map(|(call, _)| call)))
        .filter(|(id, wanted)| wanted.is_some() || known.knows(*id))
        .collect();
    for (attempt, wanted) in changes {
        match wanted {
            Some(call) => turn.scheduler.hang_ups.begin(call, now),
            None => turn.scheduler.hang_ups.forget(attempt),
        }
    }
    for attempt in std::mem::take(&mut turn.canceled) {
        turn.scheduler.hang_ups.again(attempt, now);
    }
    let due = turn.scheduler.hang_ups.take(now);
    turn.effects.extend(due);
}
