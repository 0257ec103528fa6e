//! Order of callbacks with equal priority: the earliest end of the dialling window first.

use super::*;
use crate::policy::expires_at;

/// Seconds from 0 to the end of the dialling window with these permissions.
#[track_caller]
fn check(case: &Case, permissions: &[CallPermission], expected: i64) {
    let pairs: Vec<Pair> =
        permissions.iter().map(|&permission| Pair { permission, ..case.pair.clone() }).collect();
    let found = expires_at(at(case.now), &case.callback, &Calendars::default(), pairs.iter());
    assert_eq!(found.as_second() - at(0).as_second(), expected, "{permissions:?}");
}

fn temporary(second: i64) -> CallPermission {
    CallPermission::Temporary { expires_at: at(second) }
}

fn due_by(latest: i64) -> Case {
    ready().with(|case| case.callback.order.latest = at(latest))
}

#[test]
fn a_chance_ends_with_the_permission_or_the_deadline() {
    for (permission, expected) in [(99, 99), (100, 100), (101, 100)] {
        check(&due_by(100), &[temporary(permission)], expected);
    }
    check(&due_by(100), &[CallPermission::Permanent], 100);
}

#[test]
fn a_permission_that_is_over_or_not_given_ends_nothing() {
    check(&due_by(100), &[temporary(0)], 100);
    check(&due_by(100), &[CallPermission::Requested { expires_at: at(50) }], 100);
    check(&due_by(100), &[], 100);
}

#[test]
fn of_several_permissions_the_longest_counts() {
    check(&due_by(100), &[temporary(20), temporary(60), CallPermission::None], 60);
    check(&due_by(100), &[temporary(20), CallPermission::Permanent], 100);
}

#[test]
fn a_chance_ends_when_the_hours_close_for_the_last_time() {
    let noon: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
    let noon = noon.as_second() - at(0).as_second();
    let mornings = |latest| {
        due_by(latest).with(|case| {
            case.callback.order.hours = Some("daily 08:00-12:00 @UTC".parse().unwrap());
            case.now = noon - 2 * HOUR;
        })
    };
    // Less the time that dialling takes.
    check(&mornings(noon + 1), &[CallPermission::Permanent], noon - 5);
    check(&mornings(noon), &[CallPermission::Permanent], noon);
    check(&mornings(noon - 1), &[CallPermission::Permanent], noon - 1);
    // There is one more morning before the deadline.
    check(&mornings(noon + DAY + 1), &[CallPermission::Permanent], noon + DAY - 5);
    check(&mornings(noon + DAY + 1), &[temporary(noon)], noon);
}

#[test]
fn who_waited_in_a_line_goes_first_by_the_time_since_when() {
    let waiting = |since| {
        due_by(100).with(|case| {
            let in_line_since = Some(at(since));
            case.callback.order.terms = crate::domain::Terms { in_line_since, ..Default::default() }.kept();
        })
    };
    check(&waiting(-600), &[], -600);
    check(&waiting(0), &[], 0);
    // The clock has stepped back.
    check(&waiting(5), &[], 0);
    // A call that nobody answered counts from when it came, if that was before.
    check(&waiting(-600).with(|case| case.callback.missed_call_at = Some(at(-700))), &[], -700);
    check(&waiting(-600).with(|case| case.callback.missed_call_at = Some(at(-500))), &[], -600);
}
