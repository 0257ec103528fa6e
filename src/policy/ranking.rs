//! Who of those of equal priority goes first: whose chance to call ends first.

use jiff::Timestamp;

use super::window;
use crate::domain::{CallPermission, Callback, Order, Pair};

/// When the chance to call is gone if nothing else changes: at the end of the permission, the last close of the
/// hours before the deadline, or the deadline, whichever comes first. Of several senders' permissions the one
/// that lasts longest counts.
#[must_use]
pub fn expires_at<'a>(
    now: Timestamp,
    callback: &Callback,
    pairs: impl Iterator<Item = &'a Pair>,
) -> Timestamp {
    let order = &callback.order;
    let permitted_until = pairs
        .map(|pair| pair.permission)
        .filter(|permission| permission.is_live(now))
        .map(|permission| match permission {
            CallPermission::Temporary { expires_at } => expires_at,
            _ => order.latest,
        })
        .max();
    [permitted_until, closes_for_good(now, order)].into_iter().flatten().fold(order.latest, Timestamp::min)
}

/// When the hours close for the last time before the deadline, if they do: the last moment to dial.
pub(super) fn closes_for_good(now: Timestamp, order: &Order) -> Option<Timestamp> {
    let (_, close) = window::last_open(order.hours.as_ref()?, now, order.latest)?;
    (close < order.latest).then(|| close - window::DIALLING)
}
