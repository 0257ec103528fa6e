//! After a call that nobody answered, the next one goes to another part of the day.

use super::*;
use crate::domain::{Calendars, DayPart, Disposition};

fn moment(text: &str) -> Timestamp {
    format!("{text}Z").parse().unwrap()
}

/// An order with hours, which shifts its attempts.
fn shifting(hours: &str, latest: &str) -> Case {
    ready().with(|case| {
        case.callback.order.hours = Some(hours.parse().unwrap());
        case.callback.order.latest = moment(latest);
        case.rules.retry.shift = true;
    })
}

/// When the next attempt is, if by the delay alone it is `at`.
#[track_caller]
fn next(case: &Case, calls: &[&str], at: &str) -> String {
    let calls: Vec<Timestamp> = calls.iter().map(|call| moment(call)).collect();
    let next = shifted(
        moment(at)..case.callback.order.latest,
        Disposition::NoAnswer,
        &case.callback,
        &calls,
        &Calendars::default(),
        &case.rules,
    );
    next.to_string().trim_end_matches('Z').to_owned()
}

const ALL_DAY: &str = "daily 09:00-20:00 @UTC";
const FRIDAY: &str = "2026-11-27T20:00:00";

#[test]
fn the_next_attempt_goes_to_a_part_of_the_day_without_a_call() {
    let case = shifting(ALL_DAY, FRIDAY);
    let morning = "2026-11-23T10:00:00";
    assert_eq!(next(&case, &[morning], "2026-11-23T14:00:00"), "2026-11-23T14:00:00", "midday by itself");
    assert_eq!(next(&case, &[morning], "2026-11-23T11:00:00"), "2026-11-23T12:00:00");
    let both = [morning, "2026-11-23T14:00:00"];
    assert_eq!(next(&case, &both, "2026-11-23T16:59:59"), "2026-11-23T17:00:00");
    assert_eq!(next(&case, &both, "2026-11-23T18:00:00"), "2026-11-23T18:00:00");
    assert_eq!(next(&case, &both, "2026-11-23T21:00:00"), "2026-11-24T17:00:00", "the next evening");
    let late = ["2026-11-23T14:00:00", "2026-11-23T18:00:00"];
    assert_eq!(next(&case, &late, "2026-11-23T22:00:00"), "2026-11-24T09:00:00", "when the hours open");
}

#[test]
fn without_another_part_the_delay_alone_counts() {
    let all = ["2026-11-23T10:00:00", "2026-11-23T14:00:00", "2026-11-23T18:00:00"];
    assert_eq!(next(&shifting(ALL_DAY, FRIDAY), &all, "2026-11-24T10:00:00"), "2026-11-24T10:00:00");
    let short = shifting("daily 09:00-12:00 @UTC", FRIDAY);
    assert_eq!(next(&short, &all[..1], "2026-11-24T10:00:00"), "2026-11-24T10:00:00", "only mornings");
    // The deadline is at noon, so the midday is too late, and one second later it is not.
    let due = |latest| next(&shifting(ALL_DAY, latest), &all[..1], "2026-11-23T11:00:00");
    assert_eq!(due("2026-11-23T12:00:00"), "2026-11-23T11:00:00");
    assert_eq!(due("2026-11-23T12:00:01"), "2026-11-23T12:00:00");
}

#[test]
fn calls_older_than_seven_days_do_not_count() {
    let case = shifting(ALL_DAY, FRIDAY);
    let at = "2026-11-23T10:00:00";
    assert_eq!(next(&case, &["2026-11-16T10:00:01"], at), "2026-11-23T12:00:00");
    assert_eq!(next(&case, &["2026-11-16T10:00:00"], at), at);
}

#[test]
fn parts_are_those_of_the_zone_of_the_hours() {
    let case = shifting("daily 09:00-20:00 @America/Sao_Paulo", FRIDAY);
    // Eleven in Sao Paulo; noon is three in the afternoon in UTC.
    assert_eq!(next(&case, &["2026-11-23T14:00:00"], "2026-11-23T14:30:00"), "2026-11-23T15:00:00");
}

#[test]
fn other_ends_and_orders_without_hours_are_not_shifted() {
    let calls = ["2026-11-23T10:00:00"];
    let at = "2026-11-23T11:00:00";
    let unset = shifting(ALL_DAY, FRIDAY).with(|case| case.rules.retry.shift = false);
    assert_eq!(next(&unset, &calls, at), at);
    let any_time = shifting(ALL_DAY, FRIDAY).with(|case| case.callback.order.hours = None);
    assert_eq!(next(&any_time, &calls, at), at);
    let case = shifting(ALL_DAY, FRIDAY);
    let busy = shifted(
        moment(at)..case.callback.order.latest,
        Disposition::Busy,
        &case.callback,
        &[moment(calls[0])],
        &Calendars::default(),
        &case.rules,
    );
    assert_eq!(busy, moment(at));
}

#[test]
fn a_permission_that_ends_first_is_not_given_away_for_another_part_of_the_day() {
    let case = shifting(ALL_DAY, FRIDAY);
    let calls: Vec<Timestamp> = ["2026-11-23T10:00:00", "2026-11-23T13:00:00"].map(moment).to_vec();
    let next = |ends: &str| {
        let times = moment("2026-11-23T15:00:00")..moment(ends);
        let calendars = Calendars::default();
        shifted(times, Disposition::NoAnswer, &case.callback, &calls, &calendars, &case.rules)
    };
    assert_eq!(next("2026-11-23T17:00:00"), moment("2026-11-23T15:00:00"));
    assert_eq!(next("2026-11-23T17:00:01"), moment("2026-11-23T17:00:00"));
}

#[test]
fn the_reason_names_the_part_of_the_day() {
    // Noon at the beginning; the person was called in the morning.
    let case = || {
        shifting(ALL_DAY, "2026-11-27T20:00:00").with(|case| {
            case.callback.retry_at = Some(at(5 * HOUR));
            case.person.calls = vec![at(-2 * HOUR)];
        })
    };
    case().check(&Wait("retry.other_part_of_day", 5 * HOUR, false));
    case().with(|case| case.person.calls.push(at(-DAY + 6 * HOUR))).check(&Wait(
        "retry.not_before",
        5 * HOUR,
        false,
    ));
    assert_eq!(DayPart::of(jiff::civil::time(17, 0, 0, 0)), DayPart::Evening);
}
