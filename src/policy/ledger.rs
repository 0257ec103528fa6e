//! The ledger of a pair: how each event changes the call permission and the counters.
//!
//! Twilio has no API for the permission and does not report its expiry, so the ledger is the only record.
//! The transitions are those of Meta, *Obtain user call permissions* (26 Jun 2026).

use jiff::{SignedDuration, Timestamp};

use super::errors::{Reaction, reaction_to, told_by_sip};
use super::{Rules, rolling};
use crate::domain::event::PermissionAnswer;
use crate::domain::{Attempt, CallPermission, CallbackPermission, Disposition, MessageId, Pair};

/// Ends what has expired at `now`. Call it before reading the pair.
pub fn lapse(pair: &mut Pair, now: Timestamp) {
    match pair.permission {
        CallPermission::Temporary { expires_at } if now >= expires_at => {
            pair.permission = CallPermission::Expired;
        }
        CallPermission::Requested { expires_at } if now >= expires_at => {
            pair.permission = CallPermission::None;
            pair.request = None;
        }
        CallPermission::Declined { until } | CallPermission::Uncallable { until } if now >= until => {
            pair.permission = CallPermission::None;
        }
        _ => {}
    }
}

/// A permission request is intended. It counts from now on, whatever its result.
pub fn request_intended(pair: &mut Pair, now: Timestamp, message: MessageId, rules: &Rules) {
    let longest = rules.limits.requests_short.window.max(rules.limits.requests_long.window) + rules.margin;
    rolling::trim(&mut pair.requests, now, longest);
    // An expired permission must not hide the open request.
    lapse(pair, now);
    // A request that is open already was not counted by older versions.
    let open = u32::from(matches!(pair.permission, CallPermission::Requested { .. }));
    pair.unanswered = pair.unanswered.max(open).saturating_add(1);
    pair.requests.push(now);
    pair.request = Some(message);
}

/// The request leaves now: it counts from now on, as it does at the platform.
pub fn request_leaves(pair: &mut Pair, intended_at: Timestamp, now: Timestamp) {
    if let Some(index) = pair.requests.iter().rposition(|&at| at == intended_at) {
        pair.requests.remove(index);
        let place = pair.requests.partition_point(|&other| other <= now);
        pair.requests.insert(place, now);
    }
}

/// The request did not reach the platform, so it does not count.
pub fn request_taken_back(pair: &mut Pair, message: MessageId, intended_at: Timestamp) {
    if pair.request == Some(message) {
        close_request(pair);
        uncount(pair, intended_at);
    }
}

/// The platform has a message of ours that the store does not know. It may be a request, so it counts as one.
pub fn message_found(pair: &mut Pair, at: Timestamp, rules: &Rules) {
    let longest = rules.limits.requests_short.window.max(rules.limits.requests_long.window) + rules.margin;
    rolling::trim(&mut pair.requests, at, longest);
    let place = pair.requests.partition_point(|&other| other <= at);
    pair.requests.insert(place, at);
    pair.unanswered = pair.unanswered.saturating_add(1);
    pair.messaged_at = pair.messaged_at.max(Some(at));
}

/// A request recorded as not sent was sent after all. It counts again, and may be answered.
pub fn request_proved(pair: &mut Pair, message: MessageId, intended_at: Timestamp) {
    let place = pair.requests.partition_point(|&other| other <= intended_at);
    pair.requests.insert(place, intended_at);
    pair.request.get_or_insert(message);
    pair.unanswered = pair.unanswered.saturating_add(1);
}

/// The open request will not be answered. An earlier one that is open still may be.
fn close_request(pair: &mut Pair) {
    pair.request = None;
    pair.unanswered = pair.unanswered.saturating_sub(1);
    if pair.unanswered == 0 && matches!(pair.permission, CallPermission::Requested { .. }) {
        pair.permission = CallPermission::None;
    }
}

fn uncount(pair: &mut Pair, intended_at: Timestamp) {
    if let Some(index) = pair.requests.iter().rposition(|&at| at == intended_at) {
        pair.requests.remove(index);
    }
}

/// The platform has the request.
pub fn request_sent(pair: &mut Pair, message: MessageId, sent_at: Timestamp, rules: &Rules) {
    if pair.request != Some(message) {
        return;
    }
    let expires_at = sent_at + rules.limits.request_lifetime;
    match pair.permission {
        // Open already: this one was delivered, or an earlier one is not answered.
        CallPermission::Requested { expires_at: known } => {
            pair.permission = CallPermission::Requested { expires_at: known.max(expires_at) };
        }
        permission if may_turn_to_requested(permission) => {
            pair.permission = CallPermission::Requested { expires_at };
        }
        _ => {}
    }
}

/// The request was delivered. Its lifetime begins now.
pub fn request_delivered(pair: &mut Pair, message: MessageId, at: Timestamp, rules: &Rules) {
    if pair.request == Some(message)
        && (may_turn_to_requested(pair.permission)
            || matches!(pair.permission, CallPermission::Requested { .. }))
    {
        pair.permission = CallPermission::Requested { expires_at: at + rules.limits.request_lifetime };
    }
}

/// The platform could not deliver the request. It is not documented whether such a request counts, so it
/// counts unless the configuration says otherwise.
pub fn request_failed(pair: &mut Pair, message: MessageId, intended_at: Timestamp, rules: &Rules) {
    if pair.request == Some(message) {
        close_request(pair);
    }
    if !rules.counting.undelivered_requests_count {
        uncount(pair, intended_at);
    }
}

/// The consumer's answer, with or without a request. The last answer applies.
pub fn replied(pair: &mut Pair, at: Timestamp, answer: PermissionAnswer, automatic: bool, rules: &Rules) {
    lapse(pair, at);
    if answer == PermissionAnswer::Rejected && !automatic {
        // The last request that is known is the one that it answers, or is older.
        pair.declined_request_at = pair.requests.last().copied().or(pair.declined_request_at);
    }
    let had_permission =
        matches!(pair.permission, CallPermission::Temporary { .. } | CallPermission::Permanent);
    let was_revoked =
        matches!(pair.permission, CallPermission::RevokedByConsumer | CallPermission::RevokedAutomatically);
    pair.permission = match answer {
        PermissionAnswer::Permanent => CallPermission::Permanent,
        PermissionAnswer::Temporary { .. } if automatic && pair.permission == CallPermission::Permanent => {
            CallPermission::Permanent
        }
        // Its time began when the consumer answered, a little before our report.
        PermissionAnswer::Temporary { expires_at } => {
            let longest = at + rules.limits.permission_lifetime;
            let untold = longest - rules.margin;
            CallPermission::Temporary { expires_at: expires_at.map_or(untold, |told| told.min(longest)) }
        }
        PermissionAnswer::Rejected if automatic => CallPermission::RevokedAutomatically,
        PermissionAnswer::Rejected if had_permission => CallPermission::RevokedByConsumer,
        PermissionAnswer::Rejected if was_revoked => pair.permission,
        PermissionAnswer::Rejected => CallPermission::Declined { until: at + rules.limits.request_lifetime },
        PermissionAnswer::NotUnderstood => return,
    };
    // A grant after a revocation resets the misses. A request in between has changed "revoked" to
    // "requested".
    let missed_too_often = pair.misses >= rules.limits.misses_before_revocation;
    if (was_revoked || missed_too_often) && answer != PermissionAnswer::Rejected {
        begin_new_row(pair);
    }
    pair.request = None;
    pair.unanswered = 0;
}

/// The platform has accepted an invite.
pub fn invite_sent(pair: &mut Pair, at: Timestamp) {
    pair.invited_at = Some(pair.invited_at.map_or(at, |known| known.max(at)));
}

/// The platform could not deliver the invite of that time, so it does not count.
pub fn invite_failed(pair: &mut Pair, at: Timestamp) {
    pair.invited_at = pair.invited_at.filter(|&known| known != at);
}

/// Resets the count of misses in a row.
fn begin_new_row(pair: &mut Pair) {
    pair.misses = 0;
    pair.invited_at = None;
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
    // WhatsApp counts calls that SIP reports as unanswered or declined, even if no ringing was reported.
    let by_sip = told != disposition && told != Disposition::Canceled;
    let inconclusive = reaction_to(attempt, disposition) == Reaction::Inconclusive;
    (counts && (attempt.rang() || by_sip) || inconclusive) && attempt.connected_at.is_none()
}

/// Our call was missed. This may be known only after the call has ended.
pub fn call_missed(pair: &mut Pair, at: Timestamp, rules: &Rules) {
    pair.missed_at = Some(at);
    pair.misses = pair.misses.saturating_add(1);
    if pair.misses >= rules.limits.misses_before_revocation
        && matches!(pair.permission, CallPermission::Temporary { .. } | CallPermission::Permanent)
    {
        pair.permission = CallPermission::RevokedAutomatically;
    }
}

/// The consumer called us. Whether we answered is known later.
pub fn inbound_began(pair: &mut Pair, at: Timestamp, sid: &str) {
    if pair.live_inbound.as_deref() != Some(sid) {
        wrote_or_called(pair, at);
        pair.inbound_began_at = Some(at);
        pair.live_inbound = Some(sid.to_owned());
    }
}

/// The inbound call was answered. The service window opened when the call began.
pub fn inbound_connected(pair: &mut Pair, at: Timestamp, rules: &Rules) {
    any_call_connected(pair, at, rules);
}

/// An answered inbound call is over. It resets counters as of its start. If we never saw its start, assume
/// the longest possible call.
pub fn inbound_was_answered(pair: &mut Pair, at: Timestamp, sid: &str, rules: &Rules) {
    let heard_at = pair.inbound_began_at.filter(|_| pair.live_inbound.as_deref() == Some(sid));
    let began_at = heard_at.unwrap_or(at - LONGEST_CALL);
    wrote_or_called(pair, began_at);
    any_call_connected(pair, began_at, rules);
}

/// Twilio ends calls after four hours (*Voice calls*, November 2026). Meta names no limit, so the same is assumed.
const LONGEST_CALL: SignedDuration = SignedDuration::from_hours(4);

/// The inbound call is over. It grants a temporary permission if the sender's setting says so.
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
    // No public page says whether a call extends a live permission, so it does not.
    if grants && !pair.permission.is_live(at) {
        replied(pair, at, PermissionAnswer::Temporary { expires_at: None }, true, rules);
    }
}

/// Nobody can say how the consumer's call ended, and it began so long ago that it is over. Nothing else follows from that:
/// its end may still be reported.
pub fn inbound_is_lost(pair: &mut Pair, now: Timestamp, sid: &str) {
    let is_over = pair.inbound_began_at.is_none_or(|began_at| now.duration_since(began_at) >= LONGEST_CALL);
    if is_over && pair.live_inbound.as_deref() == Some(sid) {
        pair.live_inbound = None;
    }
}

/// The consumer wrote or called, which opens the service window.
pub fn wrote_or_called(pair: &mut Pair, at: Timestamp) {
    seen_on_whatsapp(pair);
    pair.inbound_at = Some(pair.inbound_at.map_or(at, |known| known.max(at)));
}

/// Corrects the ledger after an error code of the platform.
pub fn taught(pair: &mut Pair, now: Timestamp, reaction: Reaction, rules: &Rules) {
    let limits = &rules.limits;
    match reaction {
        Reaction::NoPermission => permission_denied(pair),
        Reaction::AlreadyPermanent => {
            pair.permission = CallPermission::Permanent;
            pair.request = None;
        }
        Reaction::OptedOut => {
            pair.permission = if pair.permission.is_live(now) {
                CallPermission::RevokedByConsumer
            } else {
                CallPermission::Declined { until: now + limits.request_lifetime }
            };
            pair.request = None;
        }
        Reaction::Uncallable => pair.permission = CallPermission::Uncallable { until: now + UNCALLABLE },
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
        Reaction::PauseSender(_)
        | Reaction::PauseAccount(_)
        | Reaction::PauseContent(_)
        | Reaction::Never
        | Reaction::TryAgain
        | Reaction::RepeatOnce(_)
        | Reaction::Unknown => {}
    }
}

/// How long a consumer counts as not on WhatsApp. 63024 and 131026 also mean an old client or terms that were not
/// accepted, which people change.
const UNCALLABLE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The consumer was active on WhatsApp, so the consumer can be reached there.
pub const fn seen_on_whatsapp(pair: &mut Pair) {
    if matches!(pair.permission, CallPermission::Uncallable { .. }) {
        pair.permission = CallPermission::None;
    }
}

/// How long a pair is paused if the platform reports a limit that the ledger does not explain.
const UNKNOWN_WINDOW: SignedDuration = SignedDuration::from_hours(1);

fn rest_until(pair: &mut Pair, until: Timestamp) {
    pair.paused_until = Some(pair.paused_until.map_or(until, |known| known.max(until)));
}

/// A permission set by an operator. As with a consumer's answer, the last one applies.
pub fn operator_said(pair: &mut Pair, at: Timestamp, answer: PermissionAnswer, rules: &Rules) {
    replied(pair, at, answer, false, rules);
    if answer == PermissionAnswer::Rejected {
        pair.permission = CallPermission::RevokedByConsumer;
    }
}

/// The consumer wants to be spoken to again: a refusal is over, and a permission may be asked for.
pub const fn started_again(pair: &mut Pair) {
    if matches!(pair.permission, CallPermission::Declined { .. } | CallPermission::RevokedByConsumer) {
        pair.permission = CallPermission::None;
    }
}

/// The number or the account has a new owner, who has not allowed calls. A refusal stays.
pub const fn owner_changed(pair: &mut Pair) {
    if matches!(pair.permission, CallPermission::Temporary { .. } | CallPermission::Permanent) {
        pair.permission = CallPermission::None;
    }
}

/// Dialling showed that there is no permission, so the ledger is corrected.
pub fn permission_denied(pair: &mut Pair) {
    if matches!(pair.permission, CallPermission::Temporary { .. } | CallPermission::Permanent) {
        pair.permission = CallPermission::None;
    }
}

/// A connected call in either direction resets the counts of requests and of misses.
fn any_call_connected(pair: &mut Pair, at: Timestamp, rules: &Rules) {
    pair.unanswered = 0;
    if rules.counting.connected_calls_reset_requests {
        // Drop the requests before the call. A request after it counts, and one at the same instant may have come after it.
        pair.requests.retain(|&sent| sent >= at);
    }
    if rules.counting.connected_calls_reset_misses {
        // How many of the misses came after a call that is told late is not known, so all of them stay.
        if pair.missed_at.is_none_or(|missed_at| missed_at <= at) {
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
