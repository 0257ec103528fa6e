//! Retries that are moved forward because the permission would end before them.

use super::*;

/// A missed callback whose retry is due after the permission has ended.
fn ending_first() -> Case {
    ready().with(|case| {
        case.callback.attempts_made = 1;
        case.callback.retry_at = Some(at(4 * HOUR));
        case.pair.permission = CallPermission::Temporary { expires_at: at(3 * HOUR) };
    })
}

#[test]
fn a_retry_is_pulled_forward_to_before_the_end_of_the_permission() {
    ending_first().check(&Wait("retry.not_before", 2 * HOUR, false));
    ending_first().now(2 * HOUR - 1).check(&Wait("retry.not_before", 2 * HOUR, false));
    ending_first().now(2 * HOUR).check(&Call);
    ending_first().now(2 * HOUR + 1).check(&Call);
    let lead =
        |seconds| ending_first().with(|case| case.rules.pull_forward = SignedDuration::from_secs(seconds));
    lead(1).check(&Wait("retry.not_before", 3 * HOUR - 1, false));
    lead(1).now(3 * HOUR).check(&template());
}

#[test]
fn a_retry_that_the_permission_lives_to_see_is_not_pulled_forward() {
    let ends = |second| {
        let expires_at = at(second);
        ending_first().with(|case| case.pair.permission = CallPermission::Temporary { expires_at })
    };
    ends(4 * HOUR + 1).check(&Wait("retry.not_before", 4 * HOUR, false));
    ends(4 * HOUR).check(&Wait("retry.not_before", 3 * HOUR, false));
    ends(4 * HOUR - 1).check(&Wait("retry.not_before", 3 * HOUR - 1, false));
}

#[test]
fn a_retry_is_pulled_forward_into_the_last_hours_that_are_open() {
    // It is Monday, 12:00: open from 09:00 to 14:00.
    let case = || {
        ending_first()
            .with(|case| case.callback.order.hours = Some("daily 09:00-14:00 @UTC".parse().unwrap()))
    };
    case().check(&Wait("retry.not_before", HOUR, false));
    case().now(HOUR).check(&Call);
    // No call is placed that would ring after the close.
    case().now(2 * HOUR - 6).check(&Call);
    case().now(2 * HOUR - 5).check(&Wait("permission.ask_later", 3 * HOUR, false));
    case().now(2 * HOUR).check(&Wait("permission.ask_later", 3 * HOUR, false));
}

#[test]
fn a_retry_is_not_pulled_closer_to_the_attempt_than_after_a_busy_line() {
    // The attempt ended at 0; the permission ends ten, fifteen and sixteen minutes later.
    let ends = |minutes: i64| {
        let expires_at = at(minutes * 60);
        ending_first().with(|case| case.pair.permission = CallPermission::Temporary { expires_at })
    };
    ends(10).check(&Wait("permission.ask_later", 600, false));
    ends(15).check(&Wait("permission.ask_later", 900, false));
    ends(16).check(&Wait("retry.not_before", 900, false));
    // The delay after a busy line is not shortened.
    ends(10).with(|case| case.callback.retry_at = Some(at(900))).check(&Wait(
        "permission.ask_later",
        600,
        false,
    ));
}

#[test]
fn a_permission_that_ends_first_is_told() {
    let codes = |case: Case| case.assess().binding.iter().map(Reason::code).collect::<Vec<_>>();
    let hopeless = ready().with(|case| {
        case.callback.order.earliest = at(200);
        case.pair.permission = CallPermission::Temporary { expires_at: at(100) };
    });
    assert_eq!(codes(hopeless), ["permission.ask_later", "window.before_earliest", "permission.ends_first"]);
    assert!(!codes(ending_first()).contains(&"permission.ends_first"), "it is pulled forward");
}
