//! Order of callbacks with equal priority: the earliest end of the dialling window goes first.

use jiff::Timestamp;

use super::{Rules, window};
use crate::domain::calendar::Opening;
use crate::domain::{Calendars, CallPermission, Callback, Order, Pair};

/// The rank among callbacks of equal priority: the end of the dialling window; or the time since which the consumer has
/// waited, which is past: of a call that nobody answered, or of a place in a line. The end of the window is the earliest of the end of the permission, the last close of the hours
/// before the deadline, and the deadline. With several senders, the permission that lasts longest counts.
#[must_use]
pub fn expires_at<'a>(
    now: Timestamp,
    callback: &Callback,
    calendars: &Calendars,
    pairs: impl Iterator<Item = &'a Pair>,
) -> Timestamp {
    let order = &callback.order;
    let in_line_since = order.terms.as_ref().and_then(|terms| terms.in_line_since);
    // A missed call may have granted the permission to call back, and who left a line keeps the place in it: those
    // callbacks go before all others, in the order in which their consumers called.
    if let Some(waited_since) = callback.missed_call_at.into_iter().chain(in_line_since).min() {
        return waited_since.min(now);
    }
    let permitted_until = pairs
        .map(|pair| pair.permission)
        .filter(|permission| permission.is_live(now))
        .map(|permission| match permission {
            CallPermission::Temporary { expires_at } => expires_at,
            _ => order.latest,
        })
        .max();
    let hours = order.hours.as_ref().map(|hours| calendars.opening(hours));
    [permitted_until, closes_for_good(now, order, hours)]
        .into_iter()
        .flatten()
        .fold(order.latest, Timestamp::min)
}

/// The class of a callback where those who wait grow older: each step of waiting counts as much as one more of priority.
/// It never changes, so nothing is sorted again. Of several, the lowest goes first. `None` without such a step: the class
/// is the priority.
///
/// Callbacks with an urgent priority have classes of their own, which go before all others.
#[must_use]
pub fn aged(callback: &Callback, rules: &Rules) -> Option<i64> {
    let step = rules.queueing.ageing_step.as_micros();
    if step <= 0 {
        return None;
    }
    let priority = callback.order.priority;
    // Who left a line has waited since then.
    let in_line_since = callback.order.terms.as_ref().and_then(|terms| terms.in_line_since);
    let since = in_line_since.map_or(callback.created_at, |since| since.min(callback.created_at));
    let steps = i128::from(since.as_microsecond()).div_euclid(step);
    let first = if priority.is_urgent() { URGENT_FIRST } else { 0 };
    let class = steps - i128::from(priority.level()) - first;
    i64::try_from(class).ok()
}

/// More steps than any moment has.
const URGENT_FIRST: i128 = 1 << 60;

/// The last time to dial: when the hours close for the last time before the deadline, if they do.
pub(super) fn closes_for_good(
    now: Timestamp,
    order: &Order,
    hours: Option<Opening<'_>>,
) -> Option<Timestamp> {
    let (_, close) = window::last_open(hours?, now, order.latest)?;
    (close < order.latest).then(|| close - window::DIALLING)
}
