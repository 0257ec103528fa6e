//! The state of the customers' endpoint: whether it accepts deliveries, and since when it does not.
//!
//! It is kept in memory. A restart enables the endpoint.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::watch;

use super::retry_policy::{Answer, TryOutcome};
use crate::store::Settled;
use crate::wake::Waker;

/// Shared by the dispatcher, which writes it, and its readers.
#[derive(Debug, Default)]
pub struct Endpoint {
    standing: Mutex<Standing>,
    pub(super) waker: Waker,
    /// How many tries were recorded since the start.
    recorded: watch::Sender<u64>,
}

/// The state of the endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// The time since which it is disabled, and the reason.
    pub disabled: Option<(Timestamp, &'static str)>,
    /// The end of a pause that the endpoint asked for.
    pub resting_until: Option<Timestamp>,
    /// The time of the first failure in a row.
    pub failing_since: Option<Timestamp>,
    /// The last failure: a status code, or a fixed name.
    pub last_failure: Option<String>,
    pub last_taken_at: Option<Timestamp>,
}

impl Endpoint {
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.lock().clone()
    }

    /// How many tries were recorded since the start; changes after each.
    #[must_use]
    pub fn recorded(&self) -> watch::Receiver<u64> {
        self.recorded.subscribe()
    }

    pub(super) fn note_recorded(&self) {
        self.recorded.send_modify(|recorded| *recorded = recorded.wrapping_add(1));
    }

    /// Enables the endpoint.
    pub fn enable(&self) {
        let mut standing = self.lock();
        *standing = Standing { last_taken_at: standing.last_taken_at, ..Standing::default() };
        drop(standing);
        self.waker.now();
    }

    /// Wakes the dispatcher for a new row in the outbox.
    pub fn wake(&self) {
        self.waker.now();
    }

    /// Applies the result of a try. Returns a change of state, for the log.
    pub(super) fn learn(&self, now: Timestamp, answer: Answer, verdict: &TryOutcome) -> Option<Change> {
        let mut standing = self.lock();
        if verdict.settled == Settled::Delivered {
            standing.last_taken_at = Some(now);
            standing.last_failure = None;
            return standing.failing_since.take().map(|_| Change::Recovered);
        }
        standing.last_failure = answer.failure();
        standing.resting_until = standing.resting_until.max(verdict.rest_until);
        let first = standing.failing_since.is_none();
        standing.failing_since.get_or_insert(now);
        if verdict.settled == Settled::Disabled && standing.disabled.is_none() {
            let gone = matches!(answer, Answer::Status { code: 410, .. });
            let why = if gone { "it answered 410" } else { "it accepted nothing for too long" };
            standing.disabled = Some((now, why));
            return Some(Change::Disabled(why));
        }
        first.then_some(Change::Failing)
    }

    fn lock(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Failing,
    Recovered,
    Disabled(&'static str),
}
