//! What an answered call plays.

use crate::domain::{Attempt, Callback, Outcome, Stage, State};

/// What an answered first leg of an attempt plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speech {
    /// The document of the callback.
    Document,
    /// A short goodbye: the customer canceled while the phone rang, or an earlier call turned out to have served the
    /// consumer.
    Goodbye,
    /// Nothing: the attempt or its callback is over.
    Nothing,
}

/// What the answered call of `attempt` plays. In agent-first the agent answers, and the consumer is only dialled
/// by [`Speech::Document`].
#[must_use]
pub fn speech(attempt: &Attempt, callback: &Callback) -> Speech {
    // A call that was recorded as not placed exists after all if it is answered. A withdrawn one cannot be answered.
    let exists = !matches!(attempt.submission.stage, Stage::Intent | Stage::Withdrawn);
    if !exists || attempt.ended_at.is_some() {
        return Speech::Nothing;
    }
    match &callback.state {
        // Never two conversations for one callback.
        State::Calling { attempt: other } if *other != attempt.id => Speech::Nothing,
        State::Closed(closed) if closed.outcome == Outcome::Canceled => Speech::Goodbye,
        State::Closed(_) => Speech::Nothing,
        _ if callback.cancel_requested_at.is_some() => Speech::Goodbye,
        _ if was_reached_before(attempt, callback) => Speech::Goodbye,
        State::Waiting(_) | State::Calling { .. } => Speech::Document,
    }
}

/// Whether an earlier attempt was proved to have served the consumer before this one was answered.
fn was_reached_before(attempt: &Attempt, callback: &Callback) -> bool {
    let proved_at = callback.reached_late_at;
    proved_at.is_some_and(|proved_at| attempt.connected_at.is_none_or(|answered_at| answered_at >= proved_at))
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use uuid::Uuid;

    use super::*;
    use crate::domain::callback::{Closed, Waiting};
    use crate::domain::{AttemptId, CallbackId, LegOrder, Numbers, Order, Phone, Reason};

    fn now() -> Timestamp {
        Timestamp::constant(1_790_000_000, 0)
    }

    fn answered(order: LegOrder) -> (Attempt, Callback) {
        let (sender, consumer) =
            (Phone::parse("+551133334444").unwrap(), Phone::parse("+5511987654321").unwrap());
        let id = AttemptId::new(Uuid::from_u128(7));
        let callback = CallbackId::new(Uuid::from_u128(6));
        let mut attempt = Attempt::new(id, callback, Numbers { sender, consumer }, "main", order, now());
        attempt.submission.stage = Stage::Accepted;
        let latest = now() + SignedDuration::from_hours(1);
        let order = Order::new(consumer, vec![sender], "message".to_owned(), now(), latest);
        (attempt, Callback::new(callback, now(), order, State::Calling { attempt: id }))
    }

    #[test]
    fn the_stage_of_the_attempt_decides_first() {
        for (stage, expected) in [
            (Stage::Intent, Speech::Nothing),
            (Stage::Submitting, Speech::Document),
            (Stage::Unknown, Speech::Document),
            (Stage::Accepted, Speech::Document),
            (Stage::Rejected, Speech::Document),
            (Stage::Throttled, Speech::Document),
            (Stage::NotPlaced, Speech::Document),
            (Stage::Withdrawn, Speech::Nothing),
        ] {
            let (mut attempt, callback) = answered(LegOrder::ConsumerFirst);
            attempt.submission.stage = stage;
            assert_eq!(speech(&attempt, &callback), expected, "{stage:?}");
        }
    }

    #[test]
    fn an_attempt_that_has_ended_hears_nothing_in_either_order() {
        for order in [LegOrder::ConsumerFirst, LegOrder::AgentFirst] {
            let (mut attempt, mut callback) = answered(order);
            attempt.ended_at = Some(now());
            assert_eq!(speech(&attempt, &callback), Speech::Nothing);
            callback.cancel_requested_at = Some(now());
            assert_eq!(speech(&attempt, &callback), Speech::Nothing);
        }
    }

    #[test]
    fn a_call_that_is_answered_after_a_late_proof_hears_a_goodbye_and_one_before_goes_on() {
        for order in [LegOrder::ConsumerFirst, LegOrder::AgentFirst] {
            let (attempt, callback) = answered(order);
            let reached = Callback { reached_late_at: Some(now()), ..callback };
            for (answered_at, expected) in
                [(None, Speech::Goodbye), (Some(-1), Speech::Document), (Some(0), Speech::Goodbye)]
            {
                let connected_at = answered_at.map(|second| now() + SignedDuration::from_secs(second));
                let attempt = Attempt { connected_at, ..attempt.clone() };
                assert_eq!(speech(&attempt, &reached), expected, "{answered_at:?}");
            }
        }
    }

    #[test]
    fn a_canceled_call_hears_a_goodbye_and_a_closed_one_nothing() {
        for order in [LegOrder::ConsumerFirst, LegOrder::AgentFirst] {
            let (attempt, callback) = answered(order);
            let canceled = Callback { cancel_requested_at: Some(now()), ..callback.clone() };
            assert_eq!(speech(&attempt, &canceled), Speech::Goodbye);
            for outcome in Outcome::ALL {
                let note = Reason::Answered.note();
                let state = State::Closed(Closed { outcome, at: now(), note });
                let closed = Callback { state, ..callback.clone() };
                let expected = if outcome == Outcome::Canceled { Speech::Goodbye } else { Speech::Nothing };
                assert_eq!(speech(&attempt, &closed), expected, "{outcome:?}");
            }
            let other = AttemptId::new(Uuid::from_u128(8));
            let calling = Callback { state: State::Calling { attempt: other }, ..callback.clone() };
            assert_eq!(speech(&attempt, &calling), Speech::Nothing);
            // Held not to exist, and proved since: the callback waits for another attempt meanwhile.
            let waiting = Waiting { wake_at: now(), place: None, note: Reason::Ready.note() };
            let waiting = Callback { state: State::Waiting(waiting), ..callback };
            assert_eq!(speech(&attempt, &waiting), Speech::Document);
        }
    }
}
