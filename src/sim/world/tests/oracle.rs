//! The oracle against requests that break its laws, each just before, at and after the boundary.

use jiff::{SignedDuration, Timestamp};

use crate::domain::Phone;
use crate::sim::world::{Law, Limits, Oracle, Stop};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn start() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn pair() -> (Phone, Phone) {
    (Phone::parse("+5511400000000").unwrap(), Phone::parse("+5511987650001").unwrap())
}

fn oracle() -> Oracle {
    Oracle::new(Limits { pace_tolerance_ms: 0, ..Limits::default() }, None)
}

fn laws(oracle: &Oracle) -> Vec<Law> {
    oracle.violations().iter().map(|violation| violation.law).collect()
}

#[test]
fn a_call_needs_a_permission_that_has_not_expired() {
    let ((sender, consumer), mut oracle) = (pair(), oracle());
    oracle.granted(sender, consumer, start() + HOUR);
    oracle.asked_to_call(start() + HOUR - SignedDuration::from_nanos(1), sender, consumer);
    assert_eq!(laws(&oracle), []);
    oracle.asked_to_call(start() + HOUR, sender, consumer);
    assert_eq!(laws(&oracle), [Law::CallNeedsPermission]);
    assert!(!oracle.violations()[0].details.contains("987650001"), "numbers are masked");
}

#[test]
fn a_revocation_counts_once_it_is_delivered() {
    let ((sender, consumer), mut oracle) = (pair(), oracle());
    oracle.granted(sender, consumer, start() + HOUR);
    oracle.revoked(sender, consumer);
    oracle.asked_to_call(start(), sender, consumer);
    assert_eq!((oracle.total(), oracle.excused()), (0, 1));
    oracle.told_of_revocation(start(), sender, consumer, "token");
    oracle.asked_to_call(start(), sender, consumer);
    assert_eq!(laws(&oracle), [Law::CallNeedsPermission]);
}

#[test]
fn nothing_is_called_asked_or_invited_between_the_begin_of_a_pause_and_its_end() {
    let ((sender, consumer), mut oracle) = (pair(), oracle());
    oracle.granted(sender, consumer, start() + HOUR * 9);
    let (tick, byte) = (SignedDuration::from_nanos(1), SignedDuration::from_millis(250));
    let stop = Stop { from: start(), until: Some(start() + HOUR), senders: None, consumer: None };
    oracle.paused("one", stop.clone());
    for at in [start() + byte - tick, start() + HOUR] {
        oracle.asked_to_call(at, sender, consumer);
        oracle.invited(at, sender, consumer);
    }
    assert_eq!(laws(&oracle), []);
    oracle.asked_to_call(start() + byte, sender, consumer);
    oracle.invited(start() + HOUR - tick, sender, consumer);
    assert_eq!(laws(&oracle), [Law::PauseIsKept; 2]);
    oracle.resumed("one");
    let other = Phone::parse("+5511400000001").unwrap();
    oracle.paused("two", Stop { senders: Some(vec![other]), ..stop.clone() });
    oracle.paused("three", Stop { consumer: Some(other), ..stop.clone() });
    oracle.asked_to_call(start() + byte, sender, consumer);
    assert_eq!(oracle.total(), 2, "they are about others");
    oracle
        .paused("four", Stop { senders: Some(vec![sender]), consumer: Some(consumer), until: None, ..stop });
    oracle.requested(start() + HOUR * 8, sender, consumer);
    assert_eq!(laws(&oracle)[2..], [Law::PauseIsKept]);
}

#[test]
fn the_window_includes_its_start_and_excludes_its_end() {
    let ((sender, consumer), mut oracle) = (pair(), oracle());
    oracle.allow(sender, consumer, start(), start() + HOUR);
    oracle.rang(start(), sender, consumer);
    oracle.rang(start() + HOUR - SignedDuration::from_nanos(1), sender, consumer);
    assert_eq!(laws(&oracle), []);
    oracle.rang(start() + HOUR, sender, consumer);
    oracle.rang(start() - SignedDuration::from_nanos(1), sender, consumer);
    assert_eq!(laws(&oracle), [Law::CallInsideWindow; 2]);
}

#[test]
fn the_thousand_and_first_call_of_a_sender_is_one_too_many() {
    let ((sender, _), mut oracle) = (pair(), oracle());
    for _ in 0..1_000 {
        oracle.occupied(start(), sender);
    }
    assert_eq!(laws(&oracle), []);
    oracle.occupied(start(), sender);
    assert_eq!(laws(&oracle), [Law::SenderConcurrency]);
    oracle.released(sender);
    oracle.released(sender);
    oracle.occupied(start(), sender);
    assert_eq!(oracle.total(), 1);
}

#[test]
fn two_creates_less_than_a_second_apart_are_a_violation() {
    let mut oracle = oracle();
    let second = SignedDuration::from_secs(1);
    oracle.create_requested(start(), 0, 1);
    oracle.create_requested(start() + second, 0, 1);
    oracle.create_requested(start() + second, 1, 1);
    assert_eq!(laws(&oracle), []);
    oracle.create_requested(start() + second + second - SignedDuration::from_nanos(1), 0, 1);
    assert_eq!(laws(&oracle), [Law::CallsPerSecond]);
}

#[test]
fn a_fast_account_may_send_bursts_but_not_one_percent_more_than_its_rate() {
    const RATE: u32 = 200;
    let millis = SignedDuration::from_millis;
    let slot = millis(5);
    let fast = |tolerance| Oracle::new(Limits { pace_tolerance_ms: tolerance, ..Limits::default() }, None);
    // Ten at once are the calls of 50 ms: the last waits for 45 ms.
    for (count, broken) in [(11, 0), (12, 1)] {
        let mut oracle = fast(50);
        (0..count).for_each(|_| oracle.create_requested(start(), 0, RATE));
        assert_eq!(oracle.total(), broken, "{count} at once");
    }
    // Nothing arrives for 245 ms, then the calls that were sent in that time: 50 at once. Then it continues.
    let mut oracle = fast(300);
    for number in 0..2_000 {
        let left = start() + slot * number;
        let late = start() + millis(2_000);
        let arrived = if left < late - millis(245) { left } else { left.max(late) };
        oracle.create_requested(arrived, 0, RATE);
    }
    assert_eq!(oracle.total(), 0);
    // One percent too fast gains ten milliseconds each second, and is found after half a minute.
    let mut oracle = fast(300);
    let mut at = start();
    while oracle.total() == 0 {
        oracle.create_requested(at, 0, RATE);
        at += SignedDuration::from_micros(4_950);
        assert!(at < start() + SignedDuration::from_secs(31));
    }
    assert!(at > start() + SignedDuration::from_secs(29));
}

#[test]
fn the_second_accepted_create_of_an_attempt_is_a_violation() {
    let mut oracle = oracle();
    oracle.accepted(start(), None, Some("attempt-a"));
    oracle.accepted(start(), None, Some("attempt-b"));
    oracle.accepted(start(), None, None);
    oracle.accepted(start(), None, None);
    assert_eq!(laws(&oracle), []);
    oracle.accepted(start(), None, Some("attempt-a"));
    assert_eq!(laws(&oracle), [Law::OneCallPerAttempt]);
}

#[test]
fn one_request_in_a_day_and_two_in_a_week_are_the_most() {
    let ((sender, consumer), mut oracle) = (pair(), oracle());
    oracle.requested(start(), sender, consumer);
    oracle.requested(start() + HOUR * 24, sender, consumer);
    assert_eq!(laws(&oracle), []);
    oracle.requested(start() + HOUR * 168 - SignedDuration::from_nanos(1), sender, consumer);
    assert_eq!(laws(&oracle), [Law::PermissionRequestLimit]);
    oracle.connected_untold(sender, consumer);
    oracle.requested(start() + HOUR * 168, sender, consumer);
    assert_eq!(oracle.total(), 1, "a connected call gives the requests back");
    oracle.requested(start() + HOUR * 192 - SignedDuration::from_nanos(1), sender, consumer);
    assert_eq!(oracle.total(), 2);
}

#[test]
fn a_pair_has_one_call_at_a_time_and_five_connected_ones_a_day() {
    let ((sender, consumer), mut oracle) = (pair(), oracle());
    oracle.granted(sender, consumer, Timestamp::MAX);
    oracle.accepted(start(), Some((sender, consumer)), None);
    oracle.asked_to_call(start(), sender, consumer);
    assert_eq!(laws(&oracle), [Law::OneCallPerPair]);
    oracle.over(sender, consumer);
    for _ in 0..5 {
        oracle.asked_to_call(start(), sender, consumer);
        oracle.connected(start(), sender, consumer);
    }
    assert_eq!(oracle.total(), 1);
    oracle.asked_to_call(start() + HOUR * 24 - SignedDuration::from_nanos(1), sender, consumer);
    assert_eq!(laws(&oracle), [Law::OneCallPerPair, Law::ConnectedCallsPerDay]);
    oracle.asked_to_call(start() + HOUR * 24, sender, consumer);
    assert_eq!(oracle.total(), 2);
}
