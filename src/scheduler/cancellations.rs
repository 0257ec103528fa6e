//! Which calls are to be hung up: those that a person wants ended, and those of a callback that is canceled, or was reached by an earlier call, while `policy::may_leave`
//! lets a hang-up leave. It is asked when a call is found, when a try is due, and once more after the commit.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::ground::{Ground, Submitted};
use super::hang_ups::Call;
use super::outbound;
use super::request::Effect;
use super::turn::Turn;
use crate::domain::{Attempt, AttemptId, Reason, Stage};
use crate::platform::End;

/// Whether the call is to be hung up, and since when: the cancellation or the late proof, or the moment at which its name became known.
fn wanted(turn: &Turn<'_>, attempt: &Attempt) -> Option<(Call, Timestamp)> {
    let callback = turn.work.callbacks.get(attempt.callback)?;
    let moments = [attempt.end_requested_at, callback.cancel_requested_at, callback.reached_late_at];
    let unneeded_at = moments.into_iter().flatten().min()?;
    let submission = &attempt.submission;
    let since = submission.answered_at.map_or(unneeded_at, |known_at| known_at.max(unneeded_at));
    let sid = submission.sid.clone().filter(|_| submission.stage == Stage::Accepted)?;
    grounded(turn, attempt.id).ok()?;
    let how = if attempt.end_requested_at.is_some() && attempt.is_answered() {
        End::Always
    } else {
        End::IfUnanswered
    };
    Some((Call { attempt: attempt.id, account: attempt.account.clone(), sid, how }, since))
}

/// The ground of the hang-up of an attempt's call, if it has one.
fn grounded(turn: &Turn<'_>, attempt: AttemptId) -> Result<Ground, Reason> {
    let attempt = turn.work.attempts.get(attempt).ok_or(Reason::CallbackClosed)?.clone();
    let callback = turn.work.callbacks.get(attempt.callback).ok_or(Reason::CallbackClosed)?.clone();
    let submission = Submitted::HangUp(Box::new(attempt));
    let person = turn.work.view(callback.order.consumer);
    let callback = Some(callback);
    let ground =
        Ground { callback, person, budget: None, pairs: BTreeMap::new(), contacts: Vec::new(), submission };
    outbound::check(&ground, turn.now, &turn.scheduler.deps, &turn.loads)?;
    Ok(ground)
}

/// Continues after a start with the tries of the daemon before.
pub(super) fn resume(turn: &mut Turn<'_>) {
    let now = turn.now;
    let calls: Vec<_> = turn.work.attempts.values().filter_map(|attempt| wanted(turn, attempt)).collect();
    for (call, since) in calls {
        turn.scheduler.hang_ups.resume(call, since, now);
    }
}

/// Notes what is to be hung up, forgets what is over or answered, and lets the tries go that are due, once everything
/// that was reported is taken in.
pub(super) fn plan(turn: &mut Turn<'_>, all_is_read: bool) {
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
    if !all_is_read {
        return;
    }
    for Call { attempt, account, sid, how } in turn.scheduler.hang_ups.take(now) {
        match grounded(turn, attempt) {
            Ok(ground) => turn.effects.push(Effect::HangUp { account, attempt, sid, how, ground }),
            Err(_) => turn.scheduler.hang_ups.forget(attempt),
        }
    }
}
