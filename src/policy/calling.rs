//! What stands between a permitted callback and its call.

use jiff::Timestamp;

use super::{Assessment, Case, Step, ledger, rolling, window};
use crate::domain::{Callback, Gate, Outcome, Pair, Reason};

/// Whether the consumer may still be dialled, now that it comes to that: permission, hours and deadline are as
/// they were when the call was decided, and nobody took it back.
#[must_use]
pub fn still_stands(now: Timestamp, callback: &Callback, pair: &Pair) -> bool {
    let mut pair = pair.clone();
    ledger::lapse(&mut pair, now);
    let open = callback.order.hours.as_ref().is_none_or(|hours| window::is_open(hours, now));
    pair.permission.is_live(now)
        && open
        && now < callback.order.latest
        && callback.cancel_requested_at.is_none()
}

/// The earliest moment at which the callback could be dialled, and what holds it back until then.
/// `None` if the calling hours never open.
pub(super) fn earliest(now: Timestamp, callback: &Callback) -> (Option<Timestamp>, Vec<Reason>) {
    let order = &callback.order;
    let mut binding = Vec::new();
    let mut at = now;
    if order.earliest > at {
        at = order.earliest;
        binding.push(Reason::BeforeEarliest { earliest: at });
    }
    if let Some(retry_at) = callback.retry_at
        && retry_at > now
    {
        at = at.max(retry_at);
        binding.push(Reason::RetryNotBefore { at: retry_at });
    }
    let Some(hours) = &order.hours else { return (Some(at), binding) };
    let open = window::next_open(hours, at);
    if let Some(opens_at) = open
        && opens_at > at
    {
        binding.push(Reason::OutsideHours { opens_at });
    }
    (open, binding)
}

/// The step of a callback whose permission is live when it can be dialled.
pub(super) fn assess(case: &Case<'_>, dial_at: Timestamp) -> Assessment {
    if let Some(assessment) = streak_guard(case) {
        return assessment;
    }
    let mut obstacles = obstacles(case);
    if dial_at > case.now {
        let (_, mut time) = earliest(case.now, case.callback);
        // Of several reasons of time the last to lift is the one that binds.
        time.sort_by_key(|reason| std::cmp::Reverse(reason.lifts_at()));
        let reason = time.into_iter().next().unwrap_or(Reason::BeforeEarliest { earliest: dial_at });
        let mut assessment = case.wait(dial_at, None, reason);
        assessment.binding.extend(obstacles.into_iter().map(|(_, _, reason)| reason));
        return assessment;
    }
    if obstacles.is_empty() {
        let sender = case.sender.number;
        return Assessment { step: Step::PlaceCall { sender }, sender: Some(sender), binding: Vec::new() };
    }
    let (until, gate, reason) = obstacles.remove(0);
    let mut assessment = case.wait(until, gate, reason);
    assessment.binding.extend(obstacles.into_iter().map(|(_, _, reason)| reason));
    assessment
}

/// Never the third miss in a row without an invite first, and never the one before revocation.
fn streak_guard(case: &Case<'_>) -> Option<Assessment> {
    let misses = case.pair.misses;
    let revoked_at = case.rules.limits.misses_before_revocation;
    let guard = Reason::StreakGuard { misses, revoked_at };
    if misses.saturating_add(1) >= revoked_at {
        return Some(case.give_up(Outcome::Exhausted, guard));
    }
    let invited = case.callback.invited_at.is_some();
    (misses >= case.rules.limits.misses_before_nudge && !invited)
        .then(|| case.give_up(Outcome::Exhausted, guard))
}

type Obstacle = (Timestamp, Option<Gate>, Reason);

/// Everything that must be free at once for the call to be placed now, in the order of what lasts longest.
fn obstacles(case: &Case<'_>) -> Vec<Obstacle> {
    let Case { now, pair, rules, candidate, sender, .. } = *case;
    let latest = case.callback.order.latest;
    let mut found = Vec::new();
    if pair.is_on_the_phone() {
        found.push((latest, None, Reason::PairOnThePhone));
    }
    if let Some(until) = pair.paused_until.filter(|&until| until > now) {
        found.push((until, None, Reason::PairPaused { until }));
    }
    let limit = rules.limits.connected_calls;
    if let Some(used_up) = rolling::used_up(&pair.connected, now, limit, rules.margin) {
        found.push((
            used_up.lifts_at,
            None,
            Reason::ConnectedLimit {
                used: used_up.used,
                max: limit.max,
                window: limit.window,
                lifts_at: used_up.lifts_at,
            },
        ));
    }
    let account = || Some(Gate::Account(sender.account.clone()));
    if let Some((until, why)) = &candidate.account.paused {
        found.push((latest, account(), Reason::AccountPaused { until: *until, why: why.clone() }));
    }
    let max = sender.concurrent_calls_max.unwrap_or(u32::MAX).min(rules.limits.concurrent_calls_max);
    if candidate.live_calls >= max {
        found.push((
            latest,
            Some(Gate::Sender(sender.number)),
            Reason::SenderFull { live: candidate.live_calls, max },
        ));
    }
    if candidate.account.next_call_at > now {
        found.push((latest, account(), Reason::AccountPaced { next_at: candidate.account.next_call_at }));
    }
    found
}
