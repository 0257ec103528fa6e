//! Decides from the answer to a delivery whether and when it is retried. Pure functions.

use jiff::{SignedDuration, Timestamp};

use crate::clock::later;
use crate::store::{Delivery, Settled};

/// The result of one try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The endpoint answered, perhaps with `Retry-After`.
    Status { code: u16, retry_after: Option<SignedDuration> },
    /// There was no answer, for this reason.
    None(&'static str),
}

impl Answer {
    /// Why the try failed, in a few words; `None` if it did not.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        match self {
            Self::Status { code: 200..=299, .. } => None,
            Self::Status { code, .. } => Some(format!("status {code}")),
            Self::None(why) => Some((*why).to_owned()),
        }
    }
}

/// Delays after the first failed try, the second and so on; the last one repeats. Up to a fifth is added, so
/// that deliveries that failed together are not retried together.
pub const PAUSES: &[SignedDuration] = &[
    SignedDuration::from_secs(5),
    SignedDuration::from_secs(30),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(30),
    SignedDuration::from_hours(2),
    SignedDuration::from_hours(5),
    SignedDuration::from_hours(10),
];

/// The longest `Retry-After` that is honoured.
pub const RETRY_AFTER_MAX: SignedDuration = SignedDuration::from_hours(24);

/// Input of the decision besides the answer.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances {
    pub now: Timestamp,
    /// The time since which the endpoint has accepted nothing, if its last answer was a failure too.
    pub failing_since: Option<Timestamp>,
    /// Whether the endpoint was disabled while this try was in flight.
    pub disabled: bool,
    pub give_up_after: SignedDuration,
    /// A random number from 0 to 1.
    pub dice: f64,
}

/// The effects on the delivery and on the endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TryOutcome {
    pub settled: Settled,
    /// Nothing is sent to the endpoint before this time.
    pub rest_until: Option<Timestamp>,
}

/// Decides the effects of one try.
#[must_use]
pub fn judge(delivery: &Delivery, answer: Answer, at: &Circumstances) -> TryOutcome {
    let plain = |settled| TryOutcome { settled, rest_until: None };
    let (code, retry_after) = match answer {
        Answer::Status { code: 200..=299, .. } => return plain(Settled::Delivered),
        // In the specification, 410 means "unsubscribe".
        Answer::Status { code: 410, .. } => return plain(Settled::Disabled),
        Answer::Status { code, retry_after } => (code, retry_after.map(|wait| wait.min(RETRY_AFTER_MAX))),
        Answer::None(_) => (0, None),
    };
    let over = |since: Option<Timestamp>| since.is_some_and(|since| at.now >= later(since, at.give_up_after));
    if at.disabled || over(at.failing_since) {
        return plain(Settled::Disabled);
    }
    if over(delivery.first_tried_at) {
        return plain(Settled::GivenUp);
    }
    let pause = pause(delivery.tries, at.dice).max(retry_after.unwrap_or_default());
    let slow = matches!(code, 429 | 503);
    TryOutcome {
        settled: Settled::RetryAt(later(at.now, pause)),
        rest_until: retry_after.filter(|_| slow).map(|wait| later(at.now, wait)),
    }
}

/// Delay after a failed try, by the number of earlier tries.
fn pause(tries_before: u32, dice: f64) -> SignedDuration {
    let last = PAUSES.len().saturating_sub(1);
    let pause = PAUSES[usize::try_from(tries_before).unwrap_or(last).min(last)];
    pause.saturating_add(SignedDuration::from_secs_f64(pause.as_secs_f64() / 5.0 * dice.clamp(0.0, 1.0)))
}

/// Parses `Retry-After`: seconds or an HTTP date.
#[must_use]
pub fn retry_after(text: &str, now: Timestamp) -> Option<SignedDuration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(SignedDuration::from_secs(text.parse().unwrap_or(i64::MAX)).min(RETRY_AFTER_MAX));
    }
    let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some(at.duration_since(now).clamp(SignedDuration::ZERO, RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::DeliveryId;
    use crate::store::{OutboxRow, Subject};

    const DAY: SignedDuration = SignedDuration::from_hours(24);

    fn at(second: i64) -> Timestamp {
        Timestamp::constant(1_790_000_000, 0) + SignedDuration::from_secs(second)
    }

    fn delivery(tries: u32, first_tried_at: Option<Timestamp>) -> Delivery {
        let row = OutboxRow {
            id: DeliveryId::new(Uuid::nil()),
            subject: Subject::new([0; 16]),
            what: "callback.closed".into(),
            payload: "{}".into(),
            created_at: at(0),
        };
        Delivery { row, tries, first_tried_at }
    }

    fn circumstances(now: Timestamp) -> Circumstances {
        Circumstances { now, failing_since: None, disabled: false, give_up_after: DAY, dice: 0.0 }
    }

    fn status(code: u16) -> Answer {
        Answer::Status { code, retry_after: None }
    }

    #[test]
    fn every_answer_has_its_effect() {
        let again = Settled::RetryAt(at(5));
        for (answer, settled) in [
            (status(200), Settled::Delivered),
            (status(204), Settled::Delivered),
            (status(299), Settled::Delivered),
            (status(199), again),
            (status(301), again),
            (status(400), again),
            (status(404), again),
            (status(409), again),
            (status(410), Settled::Disabled),
            (status(429), again),
            (status(500), again),
            (Answer::None("timeout"), again),
        ] {
            let verdict = judge(&delivery(0, None), answer, &circumstances(at(0)));
            assert_eq!(verdict, TryOutcome { settled, rest_until: None }, "{answer:?}");
        }
    }

    #[test]
    fn delays_grow_to_ten_hours_and_stay_there() {
        let seconds = [5, 30, 300, 1_800, 7_200, 18_000, 36_000, 36_000, 36_000];
        for (tries, seconds) in (0..).zip(seconds) {
            assert_eq!(pause(tries, 0.0), SignedDuration::from_secs(seconds));
            assert_eq!(pause(tries, 1.0), SignedDuration::from_secs(seconds + seconds / 5));
        }
        assert_eq!(pause(u32::MAX, 0.0), SignedDuration::from_hours(10));
    }

    #[test]
    fn retry_after_lengthens_a_delay_and_is_bounded() {
        let verdict_after = |code, hours| {
            let retry_after = Some(SignedDuration::from_hours(hours));
            judge(&delivery(4, None), Answer::Status { code, retry_after }, &circumstances(at(0)))
        };
        let hours = |n: i64| at(0) + SignedDuration::from_hours(n);
        for (code, asked, next, rest) in
            [(429, 1, 2, Some(1)), (429, 3, 3, Some(3)), (503, 100, 24, Some(24)), (500, 3, 3, None)]
        {
            let expected = TryOutcome { settled: Settled::RetryAt(hours(next)), rest_until: rest.map(hours) };
            assert_eq!(verdict_after(code, asked), expected, "{code} {asked}");
        }
    }

    #[test]
    fn a_delivery_is_given_up_alone_after_its_time() {
        for (now, given_up) in [(at(0) + DAY - SignedDuration::from_nanos(1), false), (at(0) + DAY, true)] {
            let verdict = judge(&delivery(9, Some(at(0))), status(500), &circumstances(now));
            assert_eq!(verdict.settled == Settled::GivenUp, given_up, "{verdict:?}");
        }
    }

    #[test]
    fn an_endpoint_that_fails_for_all_deliveries_is_disabled_and_none_is_given_up() {
        for (now, disabled) in [(at(0) + DAY - SignedDuration::from_nanos(1), false), (at(0) + DAY, true)] {
            let at_hand = Circumstances { failing_since: Some(at(0)), ..circumstances(now) };
            let verdict = judge(&delivery(9, Some(at(1))), status(500), &at_hand);
            assert_eq!(verdict.settled == Settled::Disabled, disabled, "{verdict:?}");
        }
    }

    #[test]
    fn at_a_disabled_endpoint_a_failed_try_does_not_count_and_a_successful_one_does() {
        let at_hand = Circumstances { disabled: true, ..circumstances(at(0)) };
        assert_eq!(judge(&delivery(0, None), status(500), &at_hand).settled, Settled::Disabled);
        assert_eq!(judge(&delivery(0, None), status(200), &at_hand).settled, Settled::Delivered);
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date() {
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        for (text, seconds) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Mon, 23 Nov 2026 12:00:30 GMT", Some(30)),
            ("Mon, 23 Nov 2026 11:00:00 GMT", Some(0)),
            ("-5", None),
            ("86399", Some(86_399)),
            ("86400", Some(86_400)),
            ("86401", Some(86_400)),
            ("9999999999", Some(86_400)),
            ("300000000000", Some(86_400)),
            ("99999999999999999999999", Some(86_400)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", None),
            ("Thu, 31 Dec 2099 23:59:59 GMT", Some(86_400)),
            ("2.5", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(retry_after(text, now), seconds.map(SignedDuration::from_secs), "{text:?}");
        }
    }
}
