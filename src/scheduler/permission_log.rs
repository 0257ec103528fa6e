//! The audit trail of consent: each change of a call permission has a timeline line with its cause, written
//! in the same commit.
//!
//! Lines about sent and failed permission requests are in `messages`.

use jiff::Timestamp;

use super::turn::Turn;
use super::working_set::Line;
use crate::domain::{CallPermission, Pair, PairKey};
use crate::policy::ledger;
use crate::webhooks::ConsumerTopic;

/// Applies `change`; if the permission changed, records a timeline line from `cause`.
pub(super) fn change(
    turn: &mut Turn<'_>,
    key: PairKey,
    at: Timestamp,
    cause: impl FnOnce() -> Line,
    change: impl FnOnce(&mut Pair),
) {
    if let Some(moved) = moved(turn, key, change).filter(|(before, after)| before != after) {
        note(turn, key, at, moved, cause);
    }
}

/// Like [`change`], for an answer of a consumer or operator, which is recorded even if nothing changed.
pub(super) fn say(
    turn: &mut Turn<'_>,
    key: PairKey,
    at: Timestamp,
    said: Line,
    change: impl FnOnce(&mut Pair),
) {
    lapse(turn, key, at);
    if let Some(moved) = moved(turn, key, change) {
        note(turn, key, at, moved, || said);
    }
}

/// The permission before and after a change.
fn moved(
    turn: &mut Turn<'_>,
    key: PairKey,
    change: impl FnOnce(&mut Pair),
) -> Option<(CallPermission, CallPermission)> {
    turn.work.pairs.change(key, |pair| {
        let before = pair.permission;
        change(pair);
        (before, pair.permission)
    })
}

fn note(
    turn: &mut Turn<'_>,
    key: PairKey,
    at: Timestamp,
    (before, after): (CallPermission, CallPermission),
    cause: impl FnOnce() -> Line,
) {
    let Some(what) = word(before, after) else { return };
    let topic = match what {
        "permission.granted" => Some(ConsumerTopic::PermissionGranted),
        "permission.revoked" | "permission.denied" => Some(ConsumerTopic::PermissionRevoked),
        _ => None,
    };
    if let Some(topic) = topic.filter(|_| before != after) {
        turn.tell_of_consumer(topic, key, at, Some(after));
    }
    let cause = cause();
    let why = format!("{} It was {}, now it is {}.", cause.why, in_words(before), in_words(after));
    turn.work.note(at, Line { what, why, ..cause }.of_pair(key));
}

/// Ends what has expired, with the time at which it expired.
pub(super) fn lapse(turn: &mut Turn<'_>, key: PairKey, now: Timestamp) {
    let Some(before) = turn.work.pairs.get(key).map(|pair| pair.permission) else { return };
    turn.work.pairs.change(key, |pair| ledger::lapse(pair, now));
    if turn.work.pairs.get(key).is_some_and(|pair| pair.permission == before) {
        return;
    }
    let (what, at, why) = match before {
        CallPermission::Temporary { expires_at } => {
            ("permission.expired", expires_at, "The time of the permission is over.")
        }
        CallPermission::Requested { expires_at } => {
            ("permission.request_lapsed", expires_at, "The consumer did not answer the request in time.")
        }
        CallPermission::Declined { until } => (
            "permission.decline_lapsed",
            until,
            "The time in which the consumer could change the answer is over.",
        ),
        CallPermission::Uncallable { until } => (
            "permission.reachable",
            until,
            "The platform reported more than 30 days ago that the consumer is not on WhatsApp.",
        ),
        _ => return,
    };
    turn.work.note(at, Line::new(what, why).of_pair(key));
}

/// The timeline code of such a change; `None` if the line of a message has it.
const fn word(before: CallPermission, after: CallPermission) -> Option<&'static str> {
    use CallPermission as Permission;
    Some(match after {
        Permission::Temporary { .. } | Permission::Permanent => "permission.granted",
        Permission::Declined { .. } => "permission.declined",
        Permission::RevokedByConsumer | Permission::RevokedAutomatically => "permission.revoked",
        Permission::Expired => "permission.expired",
        Permission::Uncallable { .. } => "permission.uncallable",
        Permission::None => match before {
            Permission::Temporary { .. } | Permission::Permanent => "permission.denied",
            Permission::Uncallable { .. } => "permission.reachable",
            Permission::Declined { .. } | Permission::RevokedByConsumer => "permission.reopened",
            _ => return None,
        },
        Permission::Requested { .. } => return None,
    })
}

fn in_words(permission: CallPermission) -> String {
    let word = permission.as_str();
    match permission {
        CallPermission::Requested { expires_at: until }
        | CallPermission::Temporary { expires_at: until }
        | CallPermission::Declined { until } => format!("{word} until {until:.0}"),
        _ => word.to_owned(),
    }
}
