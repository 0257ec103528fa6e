//! Preview: an agent looks at a callback before it is dialled. When everything else is free, it is offered; who accepts
//! lets it be dialled.

use jiff::{SignedDuration, Timestamp};

use crate::domain::{Callback, PreviewElse, Reason, State, Taken};

/// What a callback waits for before it is dialled, and until when it waits at the latest; `None` if it may be dialled now.
pub(super) fn needed(now: Timestamp, callback: &Callback) -> Option<(Timestamp, Reason)> {
    let preview = callback.order.preview()?;
    let offer = callback.offer().cloned().unwrap_or_default();
    let is_calling = matches!(callback.state, State::Calling { .. });
    if offer.taken.is_some_and(|taken| is_calling || taken.holds(now)) {
        return None;
    }
    let times = preview.times;
    if let Some(until) = offer.until.filter(|until| *until > now) {
        return Some((until, Reason::PreviewOffered { until, number: offer.times, times }));
    }
    if offer.times < times {
        let until = later(now, SignedDuration::from_secs(preview.seconds.into()));
        return Some((until, Reason::PreviewOffered { until, number: offer.times + 1, times }));
    }
    match preview.otherwise {
        PreviewElse::Ask => Some((callback.order.latest, Reason::PreviewNobody { times })),
        PreviewElse::Dial => None,
    }
}

/// When an offer that was accepted holds no more, if the callback waits with one.
pub(super) fn turns_at(callback: &Callback) -> Option<Timestamp> {
    callback.offer()?.taken.as_ref().map(Taken::ends_at)
}

/// Whether an offer until then is a new one.
pub(super) fn begins(callback: &Callback, until: Timestamp, reason: &Reason) -> bool {
    matches!(reason, Reason::PreviewOffered { .. })
        && callback.offer().and_then(|offer| offer.until) != Some(until)
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}
