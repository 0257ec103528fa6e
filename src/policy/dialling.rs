//! Decides when a callback with a permission can be dialled, and what it waits for.

use jiff::{SignedDuration, Timestamp};

use super::resources::no_seat;
use super::{Assessment, Case, Step, caps, preview, rolling, shift, window};
use crate::domain::{
    CallPermission, Gate, Holds, Lane, Load, Outcome, Reason, Resource, SenderPart, TokenUse,
};

/// The earliest time at which a callback can be dialled, and the reasons until then.
pub(super) struct When {
    /// `None` if the calling hours do not open before the deadline and before the permission ends.
    pub(super) at: Option<Timestamp>,
    pub(super) binding: Vec<Reason>,
}

/// As soon as order, retry delay and hours allow. Before the retry is due, if the permission would end first.
pub(super) fn earliest(case: &Case<'_>) -> When {
    let Case { now, callback, pair, rules, .. } = *case;
    let rests_until = case.person.rests_until(now, &rules.people).filter(|_| !callback.order.waive_gap);
    let expires_at = match pair.permission {
        CallPermission::Temporary { expires_at } => expires_at,
        _ => return unhurried(case, callback.retry_at, rests_until, callback.order.latest),
    };
    let until = callback.order.latest.max(expires_at);
    let mut when = unhurried(case, callback.retry_at, rests_until, until);
    if when.at.is_some_and(|at| at < expires_at) {
        return when;
    }
    match before_the_end(case, expires_at) {
        Some(at) if rests_until.is_none_or(|until| until <= at) && caps::of_case(case, at).is_none() => {
            when = unhurried(case, None, None, until);
            when.at = Some(at);
            if at > now {
                when.binding.push(retry_reason(case, at));
            }
        }
        _ => when.binding.push(Reason::PermissionEndsFirst { expires_at }),
    }
    when
}

/// A time just before the permission ends, if only our retry delay forbids an earlier call. It is within the
/// last open hours before that end, and at least the retry delay of a busy line after the last attempt.
fn before_the_end(case: &Case<'_>, expires_at: Timestamp) -> Option<Timestamp> {
    let Case { now, callback, rules, hours, .. } = *case;
    let retry_at = callback.retry_at?;
    let order = &callback.order;
    let from = order.earliest.max(callback.not_today(now).unwrap_or(now)).max(now);
    let until = order.latest.min(expires_at);
    let (opens_at, closes_at) = match hours {
        Some(hours) => window::last_open(hours, from, until)?,
        None => (from, until),
    };
    let rest = rules.retry.busy;
    let shortened_most = (rules.retry.no_answer - rest).max(SignedDuration::ZERO);
    let at = opens_at.max(closes_at - rules.pull_forward).max(retry_at - shortened_most);
    let rings_in_time = hours.is_none_or(|hours| window::may_dial(hours, at));
    (at < closes_at && rings_in_time && retry_at.duration_since(at) > rest).then_some(at)
}

fn retry_reason(case: &Case<'_>, at: Timestamp) -> Reason {
    match case.callback.abandoned_at {
        Some(_) => Reason::RetryAbandoned { at },
        None => shift::reason(case, at).unwrap_or(Reason::RetryNotBefore { at }),
    }
}

/// Hours that open at `until` or later are not considered.
fn unhurried(
    case: &Case<'_>,
    retry_at: Option<Timestamp>,
    rests_until: Option<Timestamp>,
    until: Timestamp,
) -> When {
    let Case { now, callback, hours, .. } = *case;
    let order = &callback.order;
    let mut binding = Vec::new();
    let mut at = now;
    if order.earliest > at {
        at = order.earliest;
        binding.push(Reason::BeforeEarliest { earliest: at });
    }
    if let Some(until) = callback.not_today(now) {
        at = at.max(until);
        binding.push(Reason::NotToday { until });
    }
    if let Some(retry_at) = retry_at
        && retry_at > now
    {
        at = at.max(retry_at);
        binding.push(retry_reason(case, retry_at));
    }
    if let Some(until) = rests_until {
        at = at.max(until);
        binding.push(Reason::JustTalked { until });
    }
    if let Some(capped) = caps::of_case(case, at) {
        at = capped.lifts_at;
        binding.push(Reason::PersonCapped { max: capped.max, days: capped.days, lifts_at: at });
    }
    let Some(hours) = hours else { return When { at: Some(at), binding } };
    let open = window::next_dial(hours, at, until);
    if let Some(opens_at) = open
        && opens_at > at
    {
        binding.push(window::closed(hours, at, opens_at));
    }
    When { at: open, binding }
}

/// The step of a callback that can be dialled while its permission is live.
pub(super) fn assess(case: &Case<'_>, dial_at: Timestamp, time: &[Reason]) -> Assessment {
    if let Some(assessment) = streak_guard(case) {
        return assessment;
    }
    let mut obstacles = obstacles(case);
    if dial_at > case.now {
        // Of several reasons that end by time, the last one to end decides.
        let last = time.iter().rev().max_by_key(|reason| reason.lifts_at()).cloned();
        let reason = last.unwrap_or(Reason::BeforeEarliest { earliest: dial_at });
        let mut assessment = case.wait(dial_at, None, reason);
        assessment.binding.extend(obstacles.into_iter().map(|(_, _, reason)| reason));
        return assessment;
    }
    if obstacles.is_empty() {
        if let Some((until, reason)) = preview::needed(case.now, case.callback) {
            return match preview::begins(case.callback, until, &reason).then(|| no_offer(case)).flatten() {
                Some((gate, reason)) => case.wait(case.callback.order.latest, Some(gate), reason),
                None => case.wait(until, None, reason),
            };
        }
        let sender = case.sender.number;
        let step = Step::PlaceCall { sender };
        return Assessment { step, sender: Some(sender), binding: Vec::new(), is_about_invites: false };
    }
    let (until, gate, reason) = obstacles.remove(0);
    let mut assessment = case.wait(until, gate, reason);
    assessment.binding.extend(obstacles.into_iter().map(|(_, _, reason)| reason));
    // While an offer runs, the answer of an agent is waited for too.
    let offered = preview::needed(case.now, case.callback);
    let runs = offered.filter(|(until, reason)| !preview::begins(case.callback, *until, reason));
    assessment.binding.extend(runs.map(|(_, reason)| reason));
    assessment
}

/// The guard before a miss that could cause WhatsApp's nudge (an invite must come first) or the revocation
/// (only an operator may allow the attempt). A permission revoked for misses is asked for again, and resets
/// the count.
pub(super) fn streak_guard(case: &Case<'_>) -> Option<Assessment> {
    let misses = case.pair.misses;
    let limits = &case.rules.limits;
    let begins_anew = misses >= limits.misses_before_revocation && !case.pair.permission.is_live(case.now);
    if case.callback.attempt_allowed_at.is_some() || begins_anew {
        return None;
    }
    let last = misses.saturating_add(1) >= limits.misses_before_revocation;
    let uninvited = misses >= limits.misses_before_nudge && case.pair.invited_at.is_none();
    (last || uninvited).then(|| case.give_up(Outcome::Exhausted, guard(case)))
}

const fn guard(case: &Case<'_>) -> Reason {
    let revoked_at = case.rules.limits.misses_before_revocation;
    Reason::StreakGuard { misses: case.pair.misses, revoked_at }
}

type Obstacle = (Timestamp, Option<Gate>, Reason);

/// Everything that must be free to place the call now, in order of how long it usually takes.
fn obstacles(case: &Case<'_>) -> Vec<Obstacle> {
    let Case { now, pair, candidate, sender, .. } = *case;
    let latest = case.callback.order.latest;
    let mut found = Vec::new();
    if case.person.is_on_the_phone() {
        found.push((latest, None, Reason::PairOnThePhone));
    }
    if let Some(until) = pair.paused_until.filter(|&until| until > now) {
        found.push((until, None, Reason::PairPaused { until }));
    }
    if let Some((lifts_at, reason)) = connected_limit(case) {
        found.push((lifts_at, None, reason));
    }
    if let Some((gate, reason)) = ceiling(case, TokenUse::Call) {
        found.push((latest, Some(gate), reason));
    }
    let account = || Some(Gate::Account(sender.account.clone()));
    if let Some((until, why)) = &candidate.account.paused {
        found.push((latest, account(), Reason::AccountPaused { until: *until, why: why.clone() }));
    }
    if let Some((gate, reason)) = candidate.rest(now, Some(SenderPart::Placed)) {
        found.push((latest, Some(gate), reason));
    }
    for load in &candidate.load {
        if let Some(reason) = full(case, load, load.live) {
            found.push((latest, Some(Gate::Room(load.resource.clone())), reason));
        }
        let next_at = load.next_at;
        if let (Some(next_at), Some(campaign)) =
            (next_at.filter(|at| *at > now), case.callback.order.campaign_id())
        {
            found.push((latest, Some(Gate::Pace(campaign)), Reason::CampaignPaced { next_at }));
        }
    }
    if candidate.account.next_call_at > now {
        found.push((latest, account(), Reason::AccountPaced { next_at: candidate.account.next_call_at }));
    }
    found
}

/// Why a resource has no place for one more call if so many are in use.
fn full(case: &Case<'_>, load: &Load, used: u32) -> Option<Reason> {
    match (&load.resource, &load.pool) {
        (Resource::Pool(key), Some(pool)) => no_seat(case.now, key, pool, used),
        (resource, _) => {
            case.rules.full(resource, used, load.own_max, Lane::of(&case.callback.order).is_bulk())
        }
    }
}

/// Why one more offer to agents may not begin: the offers in progress may take all the room there is.
fn no_offer(case: &Case<'_>) -> Option<(Gate, Reason)> {
    let holds = Holds::new(case.candidate.load.iter().map(|load| load.resource.clone()));
    let resource = holds.of_offer()?;
    let load = case.candidate.load.iter().find(|load| load.resource == *resource)?;
    let reason = full(case, load, load.live.saturating_add(load.offered))?;
    Some((Gate::Offer(resource.clone()), reason))
}

/// The ceiling of the callback's token, if it is reached.
pub(super) fn ceiling(case: &Case<'_>, what: TokenUse) -> Option<(Gate, Reason)> {
    let reached = case.budget?.reached(what, case.now)?;
    let (max, lifts_at) = (reached.max, reached.lifts_at);
    let reason = match what {
        TokenUse::Call => Reason::TokenCalls { max, lifts_at },
        TokenUse::Request => Reason::TokenRequests { max, lifts_at },
    };
    Some((Gate::Token(case.callback.token()?, what), reason))
}

fn connected_limit(case: &Case<'_>) -> Option<(Timestamp, Reason)> {
    let limit = case.rules.limits.connected_calls;
    let used_up = rolling::used_up(&case.pair.connected, case.now, limit, case.rules.margin)?;
    let (used, lifts_at) = (used_up.used, used_up.lifts_at);
    Some((lifts_at, Reason::ConnectedLimit { used, max: limit.max, window: limit.window, lifts_at }))
}

/// Reasons against a call apart from its permission: those that last, not busy resources.
pub(super) fn once_permitted(case: &Case<'_>) -> Vec<Reason> {
    let lasts = |reason: &Reason| {
        matches!(
            reason,
            Reason::PairPaused { .. }
                | Reason::ConnectedLimit { .. }
                | Reason::TokenCalls { .. }
                | Reason::SenderPaused { .. }
                | Reason::AccountPaused { .. }
        )
    };
    let obstacles = obstacles(case).into_iter().map(|(_, _, reason)| reason).filter(lasts);
    let guard = streak_guard(case).map(|_| guard(case));
    guard.into_iter().chain(obstacles).collect()
}
