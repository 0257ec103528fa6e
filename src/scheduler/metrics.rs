//! Metrics of committed turns. Labels are fixed names, never names or numbers from data.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::spans::Spans;
use super::state::Deps;
use super::turn::Turn;
use crate::domain::{Callback, ErrorCode, State};
use crate::metrics::Metrics;
use crate::policy::errors;

/// The metrics of a turn, counted after its commit.
pub(super) struct Tally {
    words: Vec<&'static str>,
    outcomes: Vec<&'static str>,
    endings: Vec<&'static str>,
    roads: Vec<&'static str>,
    tokens: Vec<&'static str>,
    calls_in_progress: i64,
    /// When the folded reports were received.
    received: Vec<Timestamp>,
    late: Vec<SignedDuration>,
    spans: Spans,
}

impl Tally {
    pub(super) fn of(turn: &Turn<'_>) -> Self {
        let outcomes = turn.work.callbacks.changed().filter_map(|(_, callback)| callback.closed());
        Self {
            words: turn.work.words().collect(),
            outcomes: outcomes.map(|closed| closed.outcome.as_str()).collect(),
            endings: turn.endings.clone(),
            roads: turn.roads_taken.iter().map(|road| road.as_str()).collect(),
            tokens: turn.callers.tokens.clone(),
            calls_in_progress: i64::try_from(turn.loads.in_use.calls()).unwrap_or(i64::MAX),
            received: turn.heard.iter().map(|heard| heard.received_at).collect(),
            late: turn.late.clone(),
            spans: Spans::of(turn),
        }
    }

    pub(super) fn count(self, deps: &Deps) {
        let metrics = &*deps.metrics;
        if !self.received.is_empty() || !self.spans.is_empty() {
            let now = deps.clock.now();
            self.received.into_iter().for_each(|at| metrics.hook_folded(since(at, now)));
            self.spans.send(&deps.traces, now);
        }
        for late in self.late {
            metrics.rang_late(Duration::try_from(late).unwrap_or_default());
        }
        for word in self.words {
            match word {
                "attempt.accepted" => metrics.call_placed("accepted"),
                "attempt.rejected" => metrics.call_placed("refused"),
                "attempt.throttled" => metrics.call_placed("throttled"),
                "attempt.unknown" => metrics.call_placed("unknown"),
                "attempt.not_placed" => metrics.call_placed("not_placed"),
                "permission.requested" => metrics.permission_requested("accepted"),
                "permission.request_refused" => metrics.permission_requested("refused"),
                "permission.request_unknown" => metrics.permission_requested("unknown"),
                "permission.request_failed" => metrics.permission_requested("failed"),
                "invite.sent" => metrics.invited("accepted"),
                "invite.refused" => metrics.invited("refused"),
                "invite.unknown" => metrics.invited("unknown"),
                "invite.failed" => metrics.invited("failed"),
                _ => {}
            }
        }
        for outcome in self.outcomes {
            metrics.callback_closed(outcome);
        }
        self.endings.into_iter().for_each(|ending| metrics.call_ended(ending));
        self.roads.into_iter().for_each(|road| metrics.invited_by(road));
        self.tokens.into_iter().for_each(|result| metrics.invite_token(result));
        metrics.calls_in_progress(self.calls_in_progress);
    }
}

/// How late each due callback was processed.
pub(super) fn lateness(metrics: &Metrics, now: Timestamp, due: &[Callback]) {
    let mut longest = Duration::ZERO;
    for callback in due {
        if let State::Waiting(waiting) = &callback.state
            && let Ok(lag) = Duration::try_from(now.duration_since(waiting.wake_at))
        {
            metrics.scheduler_lagged(lag);
            longest = longest.max(lag);
        }
    }
    metrics.oldest_due(longest);
}

/// Zero if the clock was set back meanwhile.
fn since(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(at)).unwrap_or_default()
}

/// Counts error codes, and logs each code once that is unknown or that only an operator can resolve.
pub(super) fn codes(metrics: &Metrics, told: &mut BTreeSet<ErrorCode>, codes: &[ErrorCode]) {
    for &code in codes {
        let meaning = errors::meaning(code);
        let for_operator = errors::is_for_operator(code);
        metrics.platform_code(code.issuer.as_str(), code.number, meaning.is_some(), for_operator);
        match (meaning, worth_telling(told, code)) {
            (_, false) => {}
            (Some(meaning), true) => tracing::warn!(
                issuer = code.issuer.as_str(),
                code = code.number,
                meaning,
                advice = errors::advice(code),
                "the platform refused something that an operator can set right; this code is logged once"
            ),
            (None, true) => {
                tracing::warn!(
                    issuer = code.issuer.as_str(),
                    code = code.number,
                    "the platform failed with an unknown code; it is repeated once, and this code is logged once"
                );
            }
        }
    }
}

/// The most codes that are logged. Further codes are only counted.
const TOLD_MAX: usize = 256;

fn worth_telling(told: &mut BTreeSet<ErrorCode>, code: ErrorCode) -> bool {
    let worthy = errors::is_for_operator(code) || errors::meaning(code).is_none();
    worthy && told.len() < TOLD_MAX && told.insert(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNKNOWN: ErrorCode = ErrorCode::of_twilio(99_999);
    const FOR_OPERATOR: ErrorCode = ErrorCode::of_twilio(20_003);
    const ORDINARY: ErrorCode = ErrorCode::of_twilio(37_000);

    #[test]
    fn a_code_that_nobody_knows_is_told_once_and_counted_each_time() {
        let (metrics, mut told) = (Metrics::default(), BTreeSet::new());
        codes(&metrics, &mut told, &[UNKNOWN, ORDINARY, UNKNOWN]);
        codes(&metrics, &mut told, &[UNKNOWN, FOR_OPERATOR]);
        assert_eq!(told, BTreeSet::from([UNKNOWN, FOR_OPERATOR]));
        let page = metrics.encode();
        for (code, count) in [(UNKNOWN, 3), (ORDINARY, 1), (FOR_OPERATOR, 1)] {
            let line = page.lines().find(|line| line.contains(&format!("code=\"{code}\""))).unwrap();
            assert!(line.ends_with(&format!(" {count}")), "{line}");
        }
    }

    #[test]
    fn what_is_told_is_bounded() {
        let mut told = BTreeSet::new();
        let tellings =
            (90_000..91_000).filter(|code| worth_telling(&mut told, ErrorCode::of_twilio(*code))).count();
        assert_eq!(tellings, TOLD_MAX);
        assert!(!worth_telling(&mut told, ErrorCode::of_twilio(90_000)));
    }
}
