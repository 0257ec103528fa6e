//! What the breaker of a campaign counts, and when it trips.

use super::ledger_rules::attempt;
use super::*;
use crate::domain::{Breaker, CallCounts, Proof};
use crate::policy::breaker::{Trip, counts, is_about_quality, trips};
use crate::twilio::words::error_code;

fn breaker() -> Breaker {
    Breaker::default()
}

fn day(abandoned: i64, answered: i64) -> CallCounts {
    CallCounts { calls: answered, answered, abandoned, failed: 0 }
}

fn window(failed: i64, calls: i64) -> CallCounts {
    CallCounts { calls, failed, ..CallCounts::default() }
}

fn nothing() -> CallCounts {
    CallCounts::default()
}

#[test]
fn more_than_three_percent_of_a_hundred_or_more_answered_calls_trip() {
    for (abandoned, answered, expected) in [
        (3, 3, false),
        (4, 4, true),
        (3, 100, false),
        (4, 100, true),
        (6, 200, false),
        (7, 200, true),
        (7, 234, false),
    ] {
        let trip = Trip::Abandoned { abandoned, answered, percent_max: 3, of_min: 100 };
        let found = trips(&breaker(), day(abandoned, answered), nothing());
        assert_eq!(found, expected.then_some(trip), "{abandoned} of {answered}");
    }
    let least_one = Breaker { abandoned_of_min: 1, ..breaker() };
    assert!(trips(&least_one, day(1, 33), nothing()).is_some(), "3.03 %");
    assert!(trips(&least_one, day(1, 34), nothing()).is_none(), "2.94 %");
}

#[test]
fn more_than_half_of_twenty_or_more_calls_that_fail_trip() {
    for (failed, calls, expected) in
        [(10, 10, false), (11, 11, true), (10, 20, false), (11, 20, true), (11, 22, false)]
    {
        let trip = Trip::Failed { failed, calls, percent_max: 50, of_min: 20, minutes: 15 };
        let found = trips(&breaker(), nothing(), window(failed, calls));
        assert_eq!(found, expected.then_some(trip), "{failed} of {calls}");
    }
}

#[test]
fn a_share_without_a_limit_never_trips_and_one_of_zero_by_the_first_call() {
    let off = Breaker { abandoned_percent_max: None, failed_percent_max: None, ..breaker() };
    assert_eq!(trips(&off, day(500, 500), window(500, 500)), None);
    let none = Breaker { abandoned_percent_max: Some(0), failed_percent_max: Some(0), ..breaker() };
    assert_eq!(trips(&none, day(0, 500), window(0, 500)), None);
    assert!(trips(&none, day(1, 500), nothing()).is_some());
    assert!(trips(&none, nothing(), window(1, 500)).is_some());
    let all = Breaker { abandoned_percent_max: Some(100), failed_percent_max: Some(100), ..breaker() };
    assert_eq!(trips(&all, day(500, 500), window(500, 500)), None);
}

#[test]
fn the_reason_has_the_figures() {
    let why = |trip: Trip| trip.why();
    assert_eq!(
        why(Trip::Abandoned { abandoned: 4, answered: 100, percent_max: 3, of_min: 100 }),
        "4 of 100 answered calls in 24 h were abandoned, and at most 3 % may be"
    );
    assert_eq!(
        why(Trip::Failed { failed: 11, calls: 20, percent_max: 50, of_min: 20, minutes: 15 }),
        "11 of 20 calls in 15 minutes failed, and at most 50 % may"
    );
    assert_eq!(
        why(Trip::Abandoned { abandoned: 1, answered: 1, percent_max: 3, of_min: 2 }),
        "1 of 1 answered calls in 24 h were abandoned, and at most 3 % of at least 2 may be"
    );
    assert_eq!(
        why(Trip::Failed { failed: 11, calls: 19, percent_max: 50, of_min: 20, minutes: 15 }),
        "11 of 19 calls in 15 minutes failed, and at most 50 % of at least 20 may"
    );
}

#[test]
fn an_attempt_counts_when_it_is_over_and_the_platform_had_it() {
    let callback = ready().callback;
    let call =
        |answered: i64, abandoned: i64, failed: i64| CallCounts { calls: 1, answered, abandoned, failed };
    let over = attempt();
    assert_eq!(counts(&over, &callback), call(0, 0, 1), "it ended and nothing was heard of a leg");
    let missed =
        Attempt { rang_at: Some(at(3)), first_leg: CallProgress::Ended(Disposition::NoAnswer), ..attempt() };
    assert_eq!(counts(&missed, &callback), call(0, 0, 0));
    let answered = Attempt { connected_at: Some(at(4)), proof: Proof::Answer, ..attempt() };
    assert_eq!(counts(&answered, &callback), call(1, 0, 0));
    let unserved = Attempt { connected_at: Some(at(4)), proof: Proof::Bridge, ..attempt() };
    assert_eq!(counts(&unserved, &callback), call(1, 1, 0));
    let canceled = Callback { cancel_requested_at: Some(at(3)), ..ready().callback };
    assert_eq!(counts(&unserved, &canceled), call(1, 0, 0), "it says goodbye");
    let live = Attempt { ended_at: None, ..attempt() };
    assert_eq!(counts(&live, &callback), nothing());
    for (stage, expected) in [
        (Stage::Rejected, call(0, 0, 1)),
        (Stage::Throttled, nothing()),
        (Stage::NotPlaced, nothing()),
        (Stage::Withdrawn, nothing()),
        (Stage::Unknown, nothing()),
    ] {
        let mut attempt = attempt();
        attempt.submission.stage = stage;
        assert_eq!(counts(&attempt, &callback), expected, "{stage:?}");
    }
}

#[test]
fn codes_about_quality_are_known() {
    for code in [131_048, 132_015, 138_014, 63_026] {
        assert!(is_about_quality(error_code(code)), "{code}");
    }
    for code in [131_049, 63_018, 21_216] {
        assert!(!is_about_quality(error_code(code)), "{code}");
    }
}
