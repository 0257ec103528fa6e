//! What is told beside the reason that decides. What lifts this very second stands in the way no more.

use super::*;

#[track_caller]
fn tells(case: &Case, expected: &[&str]) {
    let codes: Vec<_> = case.assess().binding.iter().map(Reason::code).collect();
    assert_eq!(codes, expected);
}

/// Something that holds a call back and has nothing to do with time.
fn full() -> Case {
    ready().with(|case| case.live_calls = 1000)
}

#[test]
fn a_call_that_nothing_holds_back_has_nothing_to_explain() {
    tells(&ready(), &[]);
    tells(&full(), &["sender.concurrency"]);
}

#[test]
fn the_earliest_moment_is_told_until_it_has_come() {
    let case = || full().with(|case| case.callback.order.earliest = at(100));
    tells(&case().now(99), &["window.before_earliest", "sender.concurrency"]);
    tells(&case().now(100), &["sender.concurrency"]);
}

#[test]
fn the_time_of_the_next_attempt_is_told_until_it_has_come() {
    let case = || full().with(|case| case.callback.retry_at = Some(at(100)));
    tells(&case().now(99), &["retry.not_before", "sender.concurrency"]);
    tells(&case().now(100), &["sender.concurrency"]);
}

#[test]
fn a_retry_that_is_pulled_forward_is_told_until_it_has_come() {
    let case = || {
        full().with(|case| {
            case.callback.attempts_made = 1;
            case.callback.retry_at = Some(at(4 * HOUR));
            case.pair.permission = CallPermission::Temporary { expires_at: at(3 * HOUR) };
        })
    };
    tells(&case().now(2 * HOUR - 1), &["retry.not_before", "sender.concurrency"]);
    tells(&case().now(2 * HOUR), &["sender.concurrency"]);
}

#[test]
fn the_hours_are_told_until_they_open() {
    let case =
        || full().with(|case| case.callback.order.hours = Some("daily 14:00-18:00 @UTC".parse().unwrap()));
    tells(&case().now(2 * HOUR - 1), &["window.outside_hours", "sender.concurrency"]);
    tells(&case().now(2 * HOUR), &["sender.concurrency"]);
}

#[test]
fn a_retry_that_cannot_be_pulled_forward_says_that_the_permission_ends_first() {
    let lead = |seconds| {
        ready().with(move |case| {
            case.callback.attempts_made = 1;
            case.callback.retry_at = Some(at(4 * HOUR));
            case.pair.permission = CallPermission::Temporary { expires_at: at(3 * HOUR) };
            case.rules.pull_forward = SignedDuration::from_secs(seconds);
        })
    };
    tells(&lead(1), &["retry.not_before"]);
    // Not even one second before its end.
    tells(&lead(0), &["permission.ask_later", "retry.not_before", "permission.ends_first"]);
}

#[test]
fn what_holds_a_request_back_is_told_until_it_lifts() {
    let limited = || unasked().with(|case| case.pair.requests = vec![at(-60)]);
    let told = ["permission.request_limit", "permission.none"];
    tells(&limited(), &told);
    let later = |earliest| limited().with(move |case| case.callback.order.earliest = at(earliest));
    tells(
        &later(DAY + 1),
        &["permission.request_limit", "window.before_earliest", "permission.ask_later", "permission.none"],
    );
    tells(&later(DAY), &["permission.request_limit", "window.before_earliest", "permission.none"]);
    let paused = |until| limited().with(move |case| case.pair.paused_until = Some(at(until)));
    tells(&paused(1), &["permission.request_limit", "pair.paused", "permission.none"]);
    tells(&paused(0), &told);
    // The limit lifts at 11:59 the next day.
    let open = |hours: &str| {
        let hours = Some(hours.parse().unwrap());
        limited().with(move |case| case.callback.order.hours = hours)
    };
    tells(
        &open("daily 12:00-18:00 @UTC"),
        &["window.outside_hours", "permission.request_limit", "permission.none"],
    );
    tells(&open("daily 11:59-18:00 @UTC"), &told);
}

/// A new permission after a revocation begins a new row of misses.
#[test]
fn the_streak_guard_keeps_from_asking_unless_the_permission_was_revoked() {
    let missed = |misses| unasked().with(move |case| case.pair.misses = misses);
    tells(&missed(1), &["permission.none"]);
    tells(&missed(2), &["limit.streak_guard"]);
    tells(&missed(3), &["limit.streak_guard"]);
    let asked = |misses| {
        missed(misses).with(|case| case.pair.permission = CallPermission::Requested { expires_at: at(DAY) })
    };
    tells(&asked(3), &["permission.awaiting_reply", "limit.streak_guard"]);
    tells(&asked(4), &["permission.awaiting_reply"]);
    tells(&missed(4), &["permission.none"]);
}

#[test]
fn the_accounts_next_call_is_waited_for_until_its_moment() {
    let case = || ready().with(|case| case.account.next_call_at = at(100));
    tells(&case().now(99), &["account.calls_per_second"]);
    tells(&case().now(100), &[]);
    tells(&case().now(101), &[]);
}
