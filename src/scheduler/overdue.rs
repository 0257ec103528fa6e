//! Calls and messages without expected reports: since when, when to look them up, and the rate of lookups.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::rate_limiter::RateLimiter;
use crate::domain::{AttemptId, MessageId, PairKey};

/// What is overdue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    Attempt(AttemptId),
    Message(MessageId),
    /// An inbound call.
    Inbound(PairKey),
}

/// The schedule of lookups.
#[derive(Debug, Default)]
pub(super) struct Overdue {
    by_time: BTreeSet<(Timestamp, Subject)>,
    by_subject: BTreeMap<Subject, Timestamp>,
}

/// The most lookups in flight, so that they never delay calls.
const BURST: NonZeroU32 = NonZeroU32::new(16).expect("sixteen is not zero");
/// Lookups per second. After a restart thousands may be pending; they must not starve calls.
const PER_SECOND: f64 = 20.0;
/// Lookups in flight.
const AT_ONCE: usize = 32;
impl Overdue {
    /// Sets when to look something up; `None` removes it.
    pub(super) fn listen(&mut self, subject: Subject, due_at: Option<Timestamp>) {
        if let Some(before) = self.by_subject.remove(&subject) {
            self.by_time.remove(&(before, subject));
        }
        if let Some(at) = due_at {
            self.by_time.insert((at, subject));
            self.by_subject.insert(subject, at);
        }
    }

    /// The due lookups for which there is room.
    pub(super) fn due(&self, now: Timestamp, room: usize) -> Vec<Subject> {
        self.by_time.iter().take_while(|(at, _)| *at <= now).take(room).map(|(_, subject)| *subject).collect()
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Adjusts the schedule to a clock that stepped back by this much.
    pub(super) fn step_back(&mut self, by: SignedDuration) {
        for (subject, at) in std::mem::take(&mut self.by_subject) {
            self.by_time.remove(&(at, subject));
            self.listen(subject, Some(at.checked_sub(by).unwrap_or(at)));
        }
    }
}

/// The limits of lookups.
pub(super) struct Questions {
    room: Arc<Semaphore>,
    rate_limiter: RateLimiter,
    /// When the next lookup is allowed, if the last one was not.
    next_at: Timestamp,
}

impl Questions {
    pub(super) fn new(now: Timestamp) -> Self {
        let rate_limiter = RateLimiter::new(now, PER_SECOND, BURST);
        Self { room: Arc::new(Semaphore::new(AT_ONCE)), rate_limiter, next_at: Timestamp::MIN }
    }

    /// Takes the due lookups.
    pub(super) fn take(&mut self, now: Timestamp, overdue: &Overdue) -> Vec<Subject> {
        self.rate_limiter.sync(now);
        self.next_at = Timestamp::MIN;
        let room = self.room.available_permits().min(BURST.get() as usize);
        let mut due = overdue.due(now, room);
        for taken in 0..due.len() {
            if let Err(next_at) = self.rate_limiter.take() {
                self.next_at = next_at;
                due.truncate(taken);
                break;
            }
        }
        due
    }

    /// When the next lookup is due. Without room, the next answer wakes the scheduler.
    pub(super) fn alarm(&self, overdue: &Overdue) -> Option<Timestamp> {
        let next = overdue.next().filter(|_| self.room.available_permits() > 0);
        next.map(|at| at.max(self.next_at))
    }

    /// Room for one lookup, until it is dropped.
    pub(super) fn hold(&self) -> Option<OwnedSemaphorePermit> {
        self.room.clone().try_acquire_owned().ok()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_790_000_000_000 + millis).unwrap()
    }

    /// This many are overdue from the start.
    fn silent(count: u128) -> Overdue {
        let mut overdue = Overdue::default();
        for n in 0..count {
            overdue.listen(Subject::Attempt(AttemptId::new(Uuid::from_u128(n))), Some(at(0)));
        }
        overdue
    }

    #[test]
    fn questions_go_in_a_burst_and_then_at_their_pace() {
        let (mut questions, overdue) = (Questions::new(at(0)), silent(100));
        assert_eq!(questions.take(at(-1), &overdue).len(), 0, "nobody is silent for too long yet");
        assert_eq!(questions.alarm(&overdue), Some(at(0)));
        assert_eq!(questions.take(at(0), &overdue).len(), 16);
        assert_eq!(questions.take(at(49), &overdue).len(), 0);
        assert_eq!(questions.alarm(&overdue), Some(at(50)));
        assert_eq!(questions.take(at(50), &overdue).len(), 1);
    }

    #[test]
    fn without_room_nothing_is_asked_and_nothing_wakes() {
        let (mut questions, overdue) = (Questions::new(at(0)), silent(100));
        let held: Vec<_> = (0..31).map(|_| questions.hold().unwrap()).collect();
        assert_eq!(questions.take(at(0), &overdue).len(), 1);
        let last = questions.hold();
        assert!(last.is_some() && questions.hold().is_none());
        assert_eq!(questions.take(at(1_000), &overdue), []);
        assert_eq!(questions.alarm(&overdue), None);
        drop(held);
        assert_eq!(questions.alarm(&overdue), Some(at(0)));
    }
}
