//! Preview: an agent looks at a callback before it is dialled. When everything else is free, it is offered; who accepts
//! lets it be dialled.

use jiff::{SignedDuration, Timestamp};

use crate::domain::{Callback, PreviewElse, Reason, State};

/// How long an accepted offer may wait for what else must be free. After that it is offered again, because the agent may
/// have gone.
const TAKEN_HOLDS: SignedDuration = SignedDuration::from_secs(60);

/// What a callback waits for before it is dialled, and until when it waits at the latest; `None` if it may be dialled now.
pub(super) fn needed(now: Timestamp, callback: &Callback) -> Option<(Timestamp, Reason)> {
    let preview = callback.order.preview()?;
    let offer = callback.offer().cloned().unwrap_or_default();
    let is_calling = matches!(callback.state, State::Calling { .. });
    if offer.taken.is_some_and(|taken| is_calling || now < later(taken.at, TAKEN_HOLDS)) {
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

/// Whether an offer until then is a new one.
pub(super) fn begins(callback: &Callback, until: Timestamp, reason: &Reason) -> bool {
    matches!(reason, Reason::PreviewOffered { .. })
        && callback.offer().and_then(|offer| offer.until) != Some(until)
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}
