//! The ledger of a pair: how every event changes the call permission and the counters.
//!
//! Twilio shows no permission state and reports no expiry, so this is the only truth there is.
//! The transitions are those of Meta, *Obtain user call permissions* (26 Jun 2026).

use jiff::{SignedDuration, Timestamp};

use super::errors::{Reaction, reaction_to, told_by_sip};
use super::{Rules, rolling};
use crate::domain::event::PermissionAnswer;
use crate::domain::{Attempt, AttemptId, CallPermission, CallbackPermission, Disposition, MessageId, Pair};

/// Lets time pass: what has run out, ends. Run before every look at the pair.
pub fn lapse(pair: &mut Pair, now: Timestamp) {
    match pair.permission {
        CallPermission::Temporary { expires_at } if now >= expires_at => {
            pair.permission = CallPermission::Expired;
        }
        CallPermission::Requested { expires_at } if now >= expires_at => {
            pair.permission = CallPermission::None;
            pair.request = None;
        }
        CallPermission::Declined { until } if now >= until => pair.permission = CallPermission::None,
        _ => {}
    }
}

/// A permission request is intended: it counts from now on, whatever becomes of it.
pub fn request_intended(pair: &mut Pair, now: Timestamp, message: MessageId, rules: &Rules) {
    let longest = rules.limits.requests_short.window.max(rules.limits.requests_long.window) + rules.margin;
    rolling::trim(&mut pair.requests, now, longest);
    // A permission that has run out must not keep the request from being seen as the open one.
    lapse(pair, now);
    pair.requests.push(now);
    pair.request = Some(message);
}

/// The request never reached the platform, so it never counted.
pub fn request_taken_back(pair: &mut Pair, message: MessageId, intended_at: Timestamp) {
    if pair.request == Some(message) {
        pair.request = None;
        if matches!(pair.permission, CallPermission::Requested { .. }) {
            pair.permission = CallPermission::None;
        }
        uncount(pair, intended_at);
    }
}

/// A request that was held never to have left is proved after all: it counts again, and may be answered.
pub fn request_proved(pair: &mut Pair, message: MessageId, intended_at: Timestamp) {
    let place = pair.requests.partition_point(|&other| other <= intended_at);
    pair.requests.insert(place, intended_at);
    pair.request.get_or_insert(message);
}

fn uncount(pair: &mut Pair, intended_at: Timestamp) {
    if let Some(index) = pair.requests.iter().rposition(|&at| at == intended_at) {
        pair.requests.remove(index);
    }
}

/// The platform has the request.
pub fn request_sent(pair: &mut Pair, message: MessageId, sent_at: Timestamp, rules: &Rules) {
    if pair.request == Some(message) && may_turn_to_requested(pair.permission) {
        pair.permission = CallPermission::Requested { expires_at: sent_at + rules.limits.request_lifetime };
    }
}

/// The consumer's phone has the request; from now on its lifetime counts.
pub fn request_delivered(pair: &mut Pair, message: MessageId, at: Timestamp, rules: &Rules) {
    if pair.request == Some(message)
        && (may_turn_to_requested(pair.permission)
            || matches!(pair.permission, CallPermission::Requested { .. }))
    {
        pair.permission = CallPermission::Requested { expires_at: at + rules.limits.request_lifetime };
    }
}

/// The platform could not deliver the request. Whether it counts it is not documented, and asking once too
/// often is worse than once too seldom; so it stays counted unless the operator knows better.
pub fn request_failed(pair: &mut Pair, message: MessageId, intended_at: Timestamp, rules: &Rules) {
    if pair.request == Some(message) {
        pair.request = None;
        if matches!(pair.permission, CallPermission::Requested { .. }) {
            pair.permission = CallPermission::None;
        }
    }
    if !rules.counting.undelivered_requests_count {
        uncount(pair, intended_at);
    }
}

/// The consumer's word. The last one stands, asked for or not.
pub fn replied(pair: &mut Pair, at: Timestamp, answer: PermissionAnswer, automatic: bool, rules: &Rules) {
    lapse(pair, at);
    let had_permission =
        matches!(pair.permission, CallPermission::Temporary { .. } | CallPermission::Permanent);
    let was_revoked =
        matches!(pair.permission, CallPermission::RevokedByConsumer | CallPermission::RevokedAutomatically);
    pair.permission = match answer {
        PermissionAnswer::Permanent => CallPermission::Permanent,
        PermissionAnswer::Temporary { .. } if automatic && pair.permission == CallPermission::Permanent => {
            CallPermission::Permanent
        }
        // Its time began when the consumer answered; we were told a little later.
        PermissionAnswer::Temporary { expires_at } => CallPermission::Temporary {
            expires_at: expires_at.unwrap_or(at + rules.limits.permission_lifetime - rules.margin),
        },
        PermissionAnswer::Rejected if automatic => CallPermission::RevokedAutomatically,
        PermissionAnswer::Rejected if had_permission => CallPermission::RevokedByConsumer,
        PermissionAnswer::Rejected if was_revoked => pair.permission,
        PermissionAnswer::Rejected => CallPermission::Declined { until: at + rules.limits.request_lifetime },
    };
    // A grant after a revocation begins a new row; asking in between has made the revoked one a requested one.
    let missed_too_often = pair.misses >= rules.limits.misses_before_revocation;
    if (was_revoked || missed_too_often) && answer != PermissionAnswer::Rejected {
        begin_new_row(pair);
    }
    pair.request = None;
}

/// The platform has an invite to call.
pub fn invite_sent(pair: &mut Pair, at: Timestamp) {
    pair.invited_at = Some(pair.invited_at.map_or(at, |known| known.max(at)));
}

/// The platform could not deliver the invite of that time: nobody was invited by it.
pub fn invite_failed(pair: &mut Pair, at: Timestamp) {
    pair.invited_at = pair.invited_at.filter(|&known| known != at);
}

/// What is missed from now on is missed in a new row.
fn begin_new_row(pair: &mut Pair) {
    pair.misses = 0;
    pair.invited_at = None;
}

/// A call of ours is intended; the pair is on the phone from now on.
pub fn call_intended(pair: &mut Pair, attempt: AttemptId) {
    pair.live_attempt = Some(attempt);
}

/// The consumer answered our call.
pub fn call_connected(pair: &mut Pair, at: Timestamp, rules: &Rules) {
    rolling::trim(&mut pair.connected, at, rules.limits.connected_calls.window + rules.margin);
    let place = pair.connected.partition_point(|&other| other <= at);
    pair.connected.insert(place, at);
    any_call_connected(pair, at, rules);
}

/// Whether an attempt that has ended counts as a miss.
#[must_use]
pub fn is_miss(attempt: &Attempt, disposition: Disposition, rules: &Rules) -> bool {
    let misses = rules.counting.misses;
    let told = told_by_sip(attempt, disposition);
    let counts = match told {
        Disposition::Completed => false,
        Disposition::NoAnswer => misses.no_answer,
        Disposition::Busy => misses.busy,
        Disposition::Canceled => misses.canceled_after_ringing,
        Disposition::Failed => misses.failed_after_ringing,
    };
    // WhatsApp counts what SIP calls unanswered or declined, whether or not ringing was reported.
    let by_sip = told != disposition && told != Disposition::Canceled;
    let inconclusive = reaction_to(attempt, disposition) == Reaction::Inconclusive;
    (counts && (attempt.rang() || by_sip) || inconclusive) && attempt.connected_at.is_none()
}

/// Our call is over.
pub fn call_ended(pair: &mut Pair, attempt: AttemptId, at: Timestamp, missed: bool, rules: &Rules) {
    if pair.live_attempt == Some(attempt) {
        pair.live_attempt = None;
    }
    if missed {
        call_missed(pair, at, rules);
    }
}

/// The consumer's phone rang in vain, which may be known only after the call has ended.
pub fn call_missed(pair: &mut Pair, at: Timestamp, rules: &Rules) {
    pair.missed_at = Some(at);
    pair.misses = pair.misses.saturating_add(1);
    if pair.misses >= rules.limits.misses_before_revocation
        && matches!(pair.permission, CallPermission::Temporary { .. } | CallPermission::Permanent)
    {
        pair.permission = CallPermission::RevokedAutomatically;
    }
}

/// The consumer called us; whether we answered is known later.
pub fn inbound_began(pair: &mut Pair, at: Timestamp, sid: &str) {
    if pair.live_inbound.as_deref() != Some(sid) {
        wrote_or_called(pair, at);
        pair.inbound_began_at = Some(at);
        pair.live_inbound = Some(sid.to_owned());
    }
}

/// The consumer's call was answered. The service window is open since the call began.
pub fn inbound_connected(pair: &mut Pair, at: Timestamp, rules: &Rules) {
    any_call_connected(pair, at, rules);
}

/// The consumer's call is over, and was answered at some time since it began: what we did since then it does not
/// forgive. Of a call that we did not hear of before, nobody knows when it began.
pub fn inbound_was_answered(pair: &mut Pair, at: Timestamp, sid: &str, rules: &Rules) {
    let heard_at = pair.inbound_began_at.filter(|_| pair.live_inbound.as_deref() == Some(sid));
    let began_at = heard_at.unwrap_or(at - LONGEST_CALL);
    wrote_or_called(pair, began_at);
    any_call_connected(pair, began_at, rules);
}

/// Twilio ends calls after four hours (*Voice calls*, November 2026).
const LONGEST_CALL: SignedDuration = SignedDuration::from_hours(4);

/// The consumer's call is over; it grants a temporary permission where the sender has that switched on.
pub fn inbound_ended(
    pair: &mut Pair,
    at: Timestamp,
    sid: &str,
    answered: bool,
    setting: CallbackPermission,
    rules: &Rules,
) {
    if pair.live_inbound.as_deref() == Some(sid) {
        pair.live_inbound = None;
    }
    pair.ended_inbound = Some(sid.to_owned());
    let grants = match setting {
        CallbackPermission::Off => false,
        CallbackPermission::Missed => !answered,
        CallbackPermission::MissedAndAnswered => true,
    };
    // Whether a call lengthens a permission that lives, no public page says; the platform tells if it does.
    if grants && !pair.permission.is_live(at) {
        replied(pair, at, PermissionAnswer::Temporary { expires_at: None }, true, rules);
    }
}

/// The consumer wrote or called, which opens the service window.
pub fn wrote_or_called(pair: &mut Pair, at: Timestamp) {
    pair.inbound_at = Some(pair.inbound_at.map_or(at, |known| known.max(at)));
}

/// What a platform's code teaches about the pair.
pub fn taught(pair: &mut Pair, now: Timestamp, reaction: Reaction, rules: &Rules) {
    let limits = &rules.limits;
    match reaction {
        Reaction::NoPermission => permission_denied(pair),
        Reaction::AlreadyPermanent => {
            pair.permission = CallPermission::Permanent;
            pair.request = None;
        }
        Reaction::Declined if !pair.permission.is_live(now) => {
            pair.permission = CallPermission::Declined { until: now + limits.request_lifetime };
        }
        Reaction::Uncallable => pair.permission = CallPermission::Uncallable,
        Reaction::WindowClosed => pair.inbound_at = None,
        Reaction::PausePair(pause) => rest_until(pair, now + pause),
        Reaction::ConnectedUsedUp => {
            let window = limits.connected_calls.window + rules.margin;
            let leaves = rolling::first_to_leave(&pair.connected, now, window);
            rest_until(pair, leaves.unwrap_or(now + UNKNOWN_WINDOW));
        }
        Reaction::RequestsUsedUp => {
            let window = limits.requests_short.window + rules.margin;
            let leaves = rolling::first_to_leave(&pair.requests, now, window);
            rest_until(pair, leaves.unwrap_or(now + UNKNOWN_WINDOW));
        }
        Reaction::Inconclusive => {
            let place = pair.connected.partition_point(|&other| other <= now);
            pair.connected.insert(place, now);
        }
        Reaction::Declined
        | Reaction::PauseSender(_)
        | Reaction::PauseAccount(_)
        | Reaction::Never
        | Reaction::TryAgain => {}
    }
}

/// How long a pair rests whose limit is used up by what the ledger does not know.
const UNKNOWN_WINDOW: SignedDuration = SignedDuration::from_hours(1);

fn rest_until(pair: &mut Pair, until: Timestamp) {
    pair.paused_until = Some(pair.paused_until.map_or(until, |known| known.max(until)));
}

/// An operator's word on the permission: what was agreed elsewhere. The last word stands, as a consumer's does.
pub fn operator_said(pair: &mut Pair, at: Timestamp, answer: PermissionAnswer, rules: &Rules) {
    replied(pair, at, answer, false, rules);
    if answer == PermissionAnswer::Rejected {
        pair.permission = CallPermission::RevokedByConsumer;
    }
}

/// Dialling showed that there is no permission: the ledger was wrong, and now it is not.
pub fn permission_denied(pair: &mut Pair) {
    if matches!(pair.permission, CallPermission::Temporary { .. } | CallPermission::Permanent) {
        pair.permission = CallPermission::None;
    }
}

/// A connected call in either direction forgives: requests are counted anew, and so are misses.
fn any_call_connected(pair: &mut Pair, at: Timestamp, rules: &Rules) {
    if rules.counting.connected_calls_reset_requests {
        // The requests that came before the call; one sent after it counts.
        pair.requests.retain(|&sent| sent > at);
    }
    if rules.counting.connected_calls_reset_misses {
        if pair.missed_at.is_some_and(|missed_at| missed_at > at) {
            pair.misses = pair.misses.min(1);
        } else {
            begin_new_row(pair);
        }
    }
}

const fn may_turn_to_requested(permission: CallPermission) -> bool {
    matches!(
        permission,
        CallPermission::None
            | CallPermission::Expired
            | CallPermission::Declined { .. }
            | CallPermission::RevokedByConsumer
            | CallPermission::RevokedAutomatically
    )
}
