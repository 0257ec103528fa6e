//! Warns the operator of refused requests that may be the platform's: at once, and then once a minute with their number,
//! so that bad signatures cannot fill the log.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// The time between two log lines.
const PAUSE: SignedDuration = SignedDuration::from_mins(1);

/// The refusals that are not logged yet.
#[derive(Debug, Default)]
pub struct Alarm(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    told_at: Option<Timestamp>,
    /// Refusals since the last log line.
    untold: u64,
}

impl Alarm {
    /// Counts a refusal. If a log line is due, returns the number of refusals for it.
    fn count(&self, now: Timestamp) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.untold = state.untold.saturating_add(1);
        // A clock that is set back does not stop the warnings.
        let due = state.told_at.is_none_or(|at| now < at || now.duration_since(at) >= PAUSE);
        if !due {
            return None;
        }
        state.told_at = Some(now);
        Some(std::mem::take(&mut state.untold))
    }

    /// Warns of a refused delivery of Meta's for this alias. Routes have no secret.
    pub(super) fn refused_by_meta(
        &self,
        now: Timestamp,
        kind: &'static str,
        alias: &str,
        fault: &dyn std::fmt::Display,
    ) {
        if let Some(count) = self.count(now) {
            tracing::warn!(
                kind,
                alias,
                count,
                %fault,
                "a request was refused for its signature; usual causes: {kind}.{alias}.app_secret is not that of the app \
                 which is subscribed, another app sends to this URL, or a proxy changed the body"
            );
        }
    }

    /// `path` is the route without its token, or `-` if it is unknown.
    pub(super) fn refused(
        &self,
        now: Timestamp,
        kind: &'static str,
        path: &str,
        fault: &dyn std::fmt::Display,
    ) {
        if let Some(count) = self.count(now) {
            tracing::warn!(
                kind,
                path,
                count,
                %fault,
                "a request was refused for its signature; usual causes: http.public_url differs from the address that \
                 Twilio was given, accounts.<alias>.auth_token is not that of the account, or a proxy changed the path, \
                 the query or the body"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::constant(1_790_000_000 + second, 0)
    }

    #[test]
    fn the_first_refusal_is_logged_at_once_and_others_once_a_minute() {
        let alarm = Alarm::default();
        let told: Vec<_> = [0, 1, 59, 60, 61, 120, 400].map(|second| alarm.count(at(second))).into();
        assert_eq!(told, [Some(1), None, None, Some(3), None, Some(2), Some(1)]);
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_stop_the_warnings() {
        let alarm = Alarm::default();
        assert_eq!(alarm.count(at(3_600)), Some(1));
        assert_eq!(alarm.count(at(0)), Some(1));
        assert_eq!(alarm.count(at(1)), None);
    }
}
