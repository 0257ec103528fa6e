//! The operator's caps of calls to a person: what waits until when, and what leaves.

use super::*;
use crate::policy::Caps;

/// A callback that may be called now, to a consumer in Sao Paulo who had calls at these times. It is Monday noon in UTC, nine
/// in Sao Paulo, where the day ends at 03:00 UTC.
fn called(calls: &[i64]) -> Case {
    ready().with(|case| case.person.calls = calls.iter().map(|&second| at(second)).collect())
}

const MIDNIGHT: i64 = 15 * HOUR;

#[test]
fn a_person_is_called_twice_a_day() {
    called(&[-HOUR]).check(&Call);
    called(&[-2 * HOUR, -HOUR]).check(&Wait("consumer.calls_capped", MIDNIGHT, false));
    called(&[-2 * HOUR, -HOUR]).now(MIDNIGHT - 1).check(&Wait("consumer.calls_capped", MIDNIGHT, false));
    called(&[-2 * HOUR, -HOUR]).now(MIDNIGHT).check(&Call);
    // Nine hours ago it was Sunday there.
    called(&[-9 * HOUR - 1, -HOUR]).check(&Call);
    called(&[-9 * HOUR, -HOUR]).check(&Wait("consumer.calls_capped", MIDNIGHT, false));
}

#[test]
fn the_day_is_that_of_the_hours_if_there_are_hours() {
    let case = called(&[-2 * HOUR, -HOUR])
        .with(|case| case.callback.order.hours = "daily 00:00-24:00 @UTC".parse().ok());
    case.check(&Wait("consumer.calls_capped", 12 * HOUR, false));
}

#[test]
fn a_person_is_called_four_times_in_seven_days() {
    let calls = [-6 * DAY, -5 * DAY, -4 * DAY, -3 * DAY];
    called(&calls).check(&Wait("consumer.calls_capped", DAY, false));
    called(&calls).now(DAY - 1).check(&Wait("consumer.calls_capped", DAY, false));
    called(&calls).now(DAY).check(&Call);
    called(&calls[1..]).check(&Call);
}

#[test]
fn a_cap_that_lifts_after_the_deadline_ends_the_callback() {
    let case = |latest| called(&[-2 * HOUR, -HOUR]).with(|case| case.callback.order.latest = at(latest));
    case(MIDNIGHT).check(&Finish(Outcome::Expired, "deadline.no_time_left"));
    case(MIDNIGHT + 1).check(&Wait("consumer.calls_capped", MIDNIGHT, false));
}

#[test]
fn closed_hours_after_the_cap_are_waited_out_too() {
    let case = called(&[-2 * HOUR, -HOUR]).with(|case| {
        case.callback.order.hours = "daily 09:00-18:00 @America/Sao_Paulo".parse().ok();
    });
    case.check(&Wait("window.outside_hours", 24 * HOUR, false));
}

#[test]
fn without_caps_nobody_waits() {
    let case = called(&[-3 * HOUR, -2 * HOUR, -HOUR]).with(|case| case.rules.people.caps = Caps::NONE);
    case.check(&Call);
    let daily = Caps { per_day: 4, per_week: 0 };
    called(&[-3 * HOUR, -2 * HOUR, -HOUR]).with(|case| case.rules.people.caps = daily).check(&Call);
}

#[test]
fn a_call_is_no_reason_against_itself() {
    let leaves = |calls: &[i64]| {
        let case = ground::call();
        let calls = calls.iter().map(|&second| at(second)).collect();
        ground::leaves(&case.with(|case| case.person.calls = calls))
    };
    // The call that leaves was decided at the second 0.
    assert_eq!(leaves(&[-HOUR, 0]), Ok(()));
    assert_eq!(leaves(&[-2 * HOUR, -HOUR, 0]), Err("consumer.calls_capped"));
}
