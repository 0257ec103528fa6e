//! When the platforms are asked for their dates while the machine's clock is in doubt: one question at a time, at growing
//! intervals.
//!
//! The dates need their own requests, because nothing is dialled in doubt.

use jiff::{SignedDuration, Timestamp};

use crate::clock::later;

const PAUSE_FIRST: SignedDuration = SignedDuration::from_secs(1);
const PAUSE_MAX: SignedDuration = SignedDuration::from_mins(5);

/// When the next date is asked for.
#[derive(Debug, Default)]
pub(super) struct Dates {
    /// `None` while the clock is trusted.
    next_at: Option<Timestamp>,
    pause: SignedDuration,
    under_way: bool,
    /// The number of requests, so that the accounts take turns.
    pub(super) asked: usize,
    /// A date has arrived that no turn has applied yet.
    pub(super) is_news: bool,
}

impl Dates {
    pub(super) fn begin(&mut self, now: Timestamp) {
        (self.next_at, self.pause) = (Some(now), PAUSE_FIRST);
    }

    pub(super) fn end(&mut self) {
        self.next_at = None;
    }

    /// Whether to ask now. If so, the request counts as in flight.
    pub(super) fn take(&mut self, now: Timestamp) -> bool {
        let due = self.alarm().is_some_and(|at| at <= now);
        self.under_way |= due;
        due
    }

    /// The request has ended, with or without an answer.
    pub(super) fn answered(&mut self, now: Timestamp) {
        self.under_way = false;
        self.is_news = true;
        self.next_at = self.next_at.map(|_| later(now, self.pause));
        self.pause = self.pause.saturating_add(self.pause).min(PAUSE_MAX);
    }

    /// The request was not sent.
    pub(super) fn unsent(&mut self) {
        self.under_way = false;
    }

    /// When the next question is due.
    pub(super) fn alarm(&self) -> Option<Timestamp> {
        self.next_at.filter(|_| !self.under_way)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::constant(1_790_000_000, 0) + SignedDuration::from_secs(second)
    }

    #[test]
    fn dates_are_asked_for_one_at_a_time_and_ever_less_often() {
        let mut dates = Dates::default();
        assert!(!dates.take(at(0)) && dates.alarm().is_none());
        dates.begin(at(0));
        let mut asked = Vec::new();
        while asked.len() < 11 {
            let next = dates.alarm().unwrap();
            assert!(!dates.take(next - SignedDuration::from_nanos(1)));
            assert!(dates.take(next) && !dates.take(next), "one at a time");
            assert_eq!(dates.alarm(), None, "the answer wakes");
            dates.answered(next);
            asked.push(next.duration_since(at(0)).as_secs());
        }
        assert_eq!(asked, [0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 811]);
        dates.end();
        assert!(!dates.take(at(10_000)));
    }

    #[test]
    fn a_question_that_did_not_leave_is_due_again() {
        let mut dates = Dates::default();
        dates.begin(at(0));
        assert!(dates.take(at(0)));
        dates.unsent();
        assert!(dates.take(at(0)));
    }
}
