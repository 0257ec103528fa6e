//! When a callback is dialled: its earliest moment, its hours, its deadline and its retries.

use super::*;

#[test]
fn a_permitted_callback_that_is_due_is_called() {
    ready().check(&Call);
}

#[test]
fn nothing_is_called_before_the_earliest_moment() {
    let case = || ready().with(|case| case.callback.order.earliest = at(100));
    case().now(99).check(&Wait("window.before_earliest", 100, false));
    case().now(100).check(&Call);
    case().now(101).check(&Call);
}

#[test]
fn nothing_is_called_at_or_after_the_deadline() {
    let case = || ready().with(|case| case.callback.order.latest = at(100));
    case().now(99).check(&Call);
    case().now(100).check(&Finish(Outcome::Expired, "deadline.passed"));
    case().now(101).check(&Finish(Outcome::Expired, "deadline.passed"));
}

#[test]
fn at_the_deadline_the_outcome_says_what_stood_in_the_way() {
    let late = || ready().with(|case| case.callback.order.latest = at(100)).now(100);
    late().with(|case| case.callback.attempts_made = 3).check(&Finish(Outcome::Exhausted, "attempts.used"));
    late()
        .with(|case| case.pair.permission = CallPermission::Declined { until: at(DAY) })
        .check(&Finish(Outcome::Declined, "permission.declined"));
    late()
        .with(|case| case.pair.permission = CallPermission::RevokedByConsumer)
        .check(&Finish(Outcome::Declined, "permission.declined"));
}

#[test]
fn nothing_is_called_outside_the_consumers_hours() {
    // 18:00 in Sao Paulo is 21:00 UTC, nine hours after the beginning.
    let case = || {
        ready().with(|case| {
            case.callback.order.hours = Some("daily 09:00-18:00 @America/Sao_Paulo".parse().unwrap());
        })
    };
    // Five seconds pass until the phone rings.
    case().now(9 * HOUR - 6).check(&Call);
    case().now(9 * HOUR - 5).check(&Wait("window.outside_hours", DAY, false));
    case().now(9 * HOUR).check(&Wait("window.outside_hours", DAY, false));
    case().now(DAY - 1).check(&Wait("window.outside_hours", DAY, false));
    case().now(DAY).check(&Call);
}

#[test]
fn a_callback_whose_hours_never_come_in_time_is_closed_at_once() {
    ready()
        .with(|case| {
            case.callback.order.hours = Some("sun 09:00-10:00 @UTC".parse().unwrap());
            case.callback.order.latest = at(DAY);
        })
        .check(&Finish(Outcome::Expired, "deadline.no_time_left"));
}

#[test]
fn the_next_attempt_waits_for_its_time() {
    let case = || ready().with(|case| case.callback.retry_at = Some(at(100)));
    case().now(99).check(&Wait("retry.not_before", 100, false));
    case().now(100).check(&Call);
}
