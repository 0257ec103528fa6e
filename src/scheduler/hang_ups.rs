//! Calls that are not needed any more, mostly because the customer canceled: the platform is asked to end them until they have ended, are answered, or the
//! tries are used up.
//!
//! This file holds the times of the tries. `cancellations` finds the calls from what is stored, and looks at the
//! ground of each try, so nothing more is stored; the times count from the cancellation or the proof, so a restart adds no try.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::domain::{AccountAlias, AttemptId};
use crate::platform::{End, HungUp};

/// When the tries are made, in seconds after the first: eight within two minutes, which is longer than a phone rings
/// by default.
const TRIES_AT_S: [i64; 8] = [0, 1, 3, 7, 15, 30, 60, 120];

/// The calls to hang up.
#[derive(Debug, Default)]
pub(super) struct HangUps {
    pending: BTreeMap<AttemptId, Pending>,
}

/// A call to hang up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) attempt: AttemptId,
    pub(super) account: AccountAlias,
    pub(super) sid: String,
    pub(super) how: End,
}

#[derive(Debug)]
struct Pending {
    call: Call,
    since: Timestamp,
    tries: usize,
    under_way: bool,
}

impl Pending {
    const fn of(call: Call, since: Timestamp) -> Self {
        Self { call, since, tries: 0, under_way: false }
    }

    fn next_at(&self) -> Option<Timestamp> {
        let after = TRIES_AT_S.get(self.tries).filter(|_| !self.under_way)?;
        self.since.checked_add(SignedDuration::from_secs(*after)).ok()
    }

    fn is_due(&self, now: Timestamp) -> bool {
        self.next_at().is_some_and(|at| at <= now)
    }

    /// Missed tries are not repeated.
    fn skip_to(&mut self, now: Timestamp) {
        while self.next_at().is_some_and(|at| at <= now) {
            self.tries += 1;
        }
    }
}

impl HangUps {
    /// Begins the tries, unless they have begun. They begin anew for a call that is answered meanwhile and is to end all
    /// the same.
    pub(super) fn begin(&mut self, call: Call, now: Timestamp) {
        match self.pending.get_mut(&call.attempt) {
            Some(pending) if pending.call.how != call.how => {
                let under_way = pending.under_way;
                *pending = Pending { under_way, ..Pending::of(call, now) };
            }
            Some(_) => {}
            None => _ = self.pending.insert(call.attempt, Pending::of(call, now)),
        }
    }

    /// Continues after a restart with tries that began at `since`.
    pub(super) fn resume(&mut self, call: Call, since: Timestamp, now: Timestamp) {
        let mut pending = Pending::of(call, since);
        let attempt = pending.call.attempt;
        pending.skip_to(now);
        self.pending.insert(attempt, pending);
    }

    /// Whether tries have begun for the call of the attempt.
    pub(super) fn knows(&self, attempt: AttemptId) -> bool {
        self.pending.contains_key(&attempt)
    }

    /// The call is over, or was answered.
    pub(super) fn forget(&mut self, attempt: AttemptId) {
        self.pending.remove(&attempt);
    }

    /// Starts again, because the customer has canceled again.
    pub(super) fn again(&mut self, attempt: AttemptId, now: Timestamp) {
        if let Some(pending) = self.pending.get_mut(&attempt) {
            (pending.since, pending.tries) = (now, 0);
        }
    }

    /// Applies the platform's answer to a try. Without an answer the next try follows at its time.
    pub(super) fn answered(&mut self, attempt: AttemptId, answer: HungUp, now: Timestamp) {
        let Some(pending) = self.pending.get_mut(&attempt) else { return };
        pending.under_way = false;
        match answer {
            // The call ends, or cannot be canceled any more; its reports tell which.
            HungUp::Done | HungUp::Refused => pending.tries = TRIES_AT_S.len(),
            HungUp::NoAnswer => pending.skip_to(now),
        }
    }

    /// The due tries, which are in flight from now on.
    pub(super) fn take(&mut self, now: Timestamp) -> Vec<Call> {
        let due = self.pending.values_mut().filter(|pending| pending.is_due(now));
        due.map(|pending| {
            pending.tries += 1;
            pending.under_way = true;
            pending.call.clone()
        })
        .collect()
    }

    /// The attempts whose calls have a try that is due.
    pub(super) fn due(&self, now: Timestamp) -> impl Iterator<Item = AttemptId> {
        self.pending.values().filter(move |pending| pending.is_due(now)).map(|pending| pending.call.attempt)
    }

    /// A try was not sent, so it is due again.
    pub(super) fn unsent(&mut self, attempt: AttemptId) {
        if let Some(pending) = self.pending.get_mut(&attempt) {
            pending.tries = pending.tries.saturating_sub(1);
            pending.under_way = false;
        }
    }

    /// When the next try is due.
    pub(super) fn alarm(&self) -> Option<Timestamp> {
        self.pending.values().filter_map(Pending::next_at).min()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::constant(1_790_000_000, 0) + SignedDuration::from_secs(second)
    }

    fn id() -> AttemptId {
        AttemptId::new(Uuid::from_u128(1))
    }

    fn call() -> Call {
        Call { attempt: id(), account: "main".into(), sid: "CA1".to_owned(), how: End::IfUnanswered }
    }

    /// The seconds at which tries leave, where the platform never answers.
    fn tries(mut hang_ups: HangUps) -> Vec<i64> {
        let mut seconds = Vec::new();
        while let Some(next) = hang_ups.alarm() {
            assert!(hang_ups.take(next - SignedDuration::from_nanos(1)).is_empty());
            assert_eq!(hang_ups.take(next).len(), 1);
            assert!(hang_ups.take(next).is_empty(), "one at a time");
            hang_ups.answered(id(), HungUp::NoAnswer, next);
            seconds.push(next.duration_since(at(0)).as_secs());
        }
        seconds
    }

    #[test]
    fn a_hang_up_without_an_answer_is_tried_eight_times_in_two_minutes() {
        let mut hang_ups = HangUps::default();
        hang_ups.begin(call(), at(0));
        assert_eq!(tries(hang_ups), TRIES_AT_S);
    }

    #[test]
    fn a_restart_adds_no_try_and_an_old_cancellation_is_left_alone() {
        let resumed = |second| {
            let mut hang_ups = HangUps::default();
            hang_ups.resume(call(), at(0), at(second));
            tries(hang_ups)
        };
        assert_eq!(resumed(0), [1, 3, 7, 15, 30, 60, 120]);
        assert_eq!(resumed(1), [3, 7, 15, 30, 60, 120]);
        assert_eq!(resumed(119), [120]);
        assert!(resumed(120).is_empty());
    }

    #[test]
    fn a_slow_answer_skips_the_tries_whose_time_has_passed() {
        let mut hang_ups = HangUps::default();
        hang_ups.begin(call(), at(0));
        assert_eq!(hang_ups.take(at(0)).len(), 1);
        assert_eq!(hang_ups.alarm(), None, "the answer wakes");
        hang_ups.answered(id(), HungUp::NoAnswer, at(8));
        assert_eq!(hang_ups.alarm(), Some(at(15)));
    }

    #[test]
    fn an_answer_ends_the_tries_and_a_second_cancellation_begins_anew() {
        for answer in [HungUp::Done, HungUp::Refused] {
            let mut hang_ups = HangUps::default();
            hang_ups.begin(call(), at(0));
            assert_eq!(hang_ups.take(at(0)).len(), 1);
            hang_ups.answered(id(), answer, at(0));
            hang_ups.begin(call(), at(0));
            assert_eq!(hang_ups.alarm(), None, "{answer:?}");
            hang_ups.again(id(), at(40));
            assert_eq!(hang_ups.alarm(), Some(at(40)), "{answer:?}");
        }
    }

    #[test]
    fn a_call_that_is_answered_meanwhile_is_ended_anew() {
        let mut hang_ups = HangUps::default();
        hang_ups.begin(call(), at(0));
        assert_eq!(hang_ups.take(at(0)).len(), 1);
        hang_ups.answered(id(), HungUp::Refused, at(0));
        assert_eq!(hang_ups.alarm(), None);
        hang_ups.begin(Call { how: End::Always, ..call() }, at(2));
        assert_eq!(hang_ups.take(at(2)).first().map(|call| call.how), Some(End::Always));
    }

    #[test]
    fn a_try_whose_batch_was_not_written_is_due_again() {
        let mut hang_ups = HangUps::default();
        hang_ups.begin(call(), at(0));
        assert_eq!(hang_ups.take(at(0)).len(), 1);
        hang_ups.unsent(id());
        assert_eq!(hang_ups.take(at(0)).len(), 1);
    }
}
