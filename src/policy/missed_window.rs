//! What happens to an order whose first calling hours pass without a call or an invite.
//!
//! The first window of an order is the first opening of its hours at or after its earliest time, until they close. A new
//! earliest time gives it another first window. What does not belong here: the hours themselves, which are `window`.

use jiff::Timestamp;

use super::{Situation, Step, window};
use crate::domain::{MissedWindow, Reason};

/// The reason of an order that has missed its window and is not to wait for the next one.
pub(super) fn missed(now: Timestamp, situation: &Situation<'_>) -> Option<(MissedWindow, Reason)> {
    let closed_at = closes_at(situation).filter(|&closes_at| closes_at <= now)?;
    match situation.callback.order.missed_window {
        MissedWindow::NextWindow => None,
        rule @ MissedWindow::Close => Some((rule, Reason::WindowMissed { closed_at })),
        rule @ MissedWindow::Ask => Some((rule, Reason::WindowAsks { closed_at })),
    }
}

/// A wait ends at the latest when the window closes, so that its end is told in time.
pub(super) fn end_with(step: &mut Step, situation: &Situation<'_>) {
    if let Step::Wait { until, .. } = step
        && let Some(closes_at) = closes_at(situation)
    {
        *until = (*until).min(closes_at);
    }
}

/// When the first window closes; `None` if the order waits for the next one, if it was called or invited, or if its
/// window does not close before its deadline.
fn closes_at(situation: &Situation<'_>) -> Option<Timestamp> {
    let callback = situation.callback;
    let order = &callback.order;
    if order.missed_window == MissedWindow::NextWindow {
        return None;
    }
    if callback.attempts_made > 0 || callback.invited_at.is_some() {
        return None;
    }
    let hours = situation.hours()?;
    let opens_at = window::next_open(hours, order.earliest, order.latest)?;
    let mut closes_at = window::closes_at(hours, opens_at)?;
    // A span that begins where another one ends belongs to the same window.
    while closes_at < order.latest
        && let Some(next) = window::closes_at(hours, closes_at)
    {
        closes_at = next;
    }
    (closes_at < order.latest).then_some(closes_at)
}
