//! What is said to the one who answers a call.

use crate::domain::{Attempt, Callback, Outcome, State};

/// What the first leg of an attempt hears when it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// The document of the callback.
    Document,
    /// A short goodbye: the customer canceled while the phone rang.
    Goodbye,
    /// Nothing: the attempt or its callback is over.
    Nothing,
}

/// What is said to the one who has answered the call of `attempt`. In agent-first that is the agent, and no
/// consumer is dialled unless it is [`Words::Document`].
#[must_use]
pub fn words(attempt: &Attempt, callback: &Callback) -> Words {
    if !attempt.is_live() {
        return Words::Nothing;
    }
    match &callback.state {
        State::Closed(closed) if closed.outcome == Outcome::Canceled => Words::Goodbye,
        State::Closed(_) => Words::Nothing,
        _ if callback.cancel_requested_at.is_some() => Words::Goodbye,
        State::Waiting(_) | State::Calling { .. } => Words::Document,
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use uuid::Uuid;

    use super::*;
    use crate::domain::callback::{Closed, Waiting};
    use crate::domain::{AttemptId, CallbackId, LegOrder, Order, PairKey, Phone, Reason, Stage};

    fn now() -> Timestamp {
        Timestamp::constant(1_790_000_000, 0)
    }

    fn answered(order: LegOrder) -> (Attempt, Callback) {
        let (sender, consumer) =
            (Phone::parse("+551133334444").unwrap(), Phone::parse("+5511987654321").unwrap());
        let id = AttemptId::new(Uuid::from_u128(7));
        let callback = CallbackId::new(Uuid::from_u128(6));
        let mut attempt = Attempt::new(id, callback, PairKey { sender, consumer }, "main", order, now());
        attempt.submission.stage = Stage::Accepted;
        let latest = now() + SignedDuration::from_hours(1);
        let order = Order::new(consumer, vec![sender], "message".to_owned(), now(), latest);
        (attempt, Callback::new(callback, now(), order, State::Calling { attempt: id }))
    }

    #[test]
    fn the_stage_of_the_attempt_decides_first() {
        for (stage, expected) in [
            (Stage::Intent, Words::Document),
            (Stage::Submitting, Words::Document),
            (Stage::Unknown, Words::Document),
            (Stage::Accepted, Words::Document),
            (Stage::Rejected, Words::Nothing),
            (Stage::Throttled, Words::Nothing),
            (Stage::NotPlaced, Words::Nothing),
            (Stage::Withdrawn, Words::Nothing),
        ] {
            let (mut attempt, callback) = answered(LegOrder::ConsumerFirst);
            attempt.submission.stage = stage;
            assert_eq!(words(&attempt, &callback), expected, "{stage:?}");
        }
    }

    #[test]
    fn an_attempt_that_has_ended_hears_nothing_in_either_order() {
        for order in [LegOrder::ConsumerFirst, LegOrder::AgentFirst] {
            let (mut attempt, mut callback) = answered(order);
            attempt.ended_at = Some(now());
            assert_eq!(words(&attempt, &callback), Words::Nothing);
            callback.cancel_requested_at = Some(now());
            assert_eq!(words(&attempt, &callback), Words::Nothing);
        }
    }

    #[test]
    fn a_canceled_call_hears_a_goodbye_and_a_closed_one_nothing() {
        for order in [LegOrder::ConsumerFirst, LegOrder::AgentFirst] {
            let (attempt, callback) = answered(order);
            let canceled = Callback { cancel_requested_at: Some(now()), ..callback.clone() };
            assert_eq!(words(&attempt, &canceled), Words::Goodbye);
            for outcome in Outcome::ALL {
                let note = Reason::Answered.note();
                let state = State::Closed(Closed { outcome, at: now(), note });
                let closed = Callback { state, ..callback.clone() };
                let expected = if outcome == Outcome::Canceled { Words::Goodbye } else { Words::Nothing };
                assert_eq!(words(&attempt, &closed), expected, "{outcome:?}");
            }
            // Held not to exist, and proved since: the callback waits for another attempt meanwhile.
            let waiting = Waiting { wake_at: now(), place: None, note: Reason::Ready.note() };
            let waiting = Callback { state: State::Waiting(waiting), ..callback };
            assert_eq!(words(&attempt, &waiting), Words::Document);
        }
    }
}
