//! All reasons beside the deciding one. A reason that ends at this second does not apply any more.

use super::*;

#[track_caller]
fn tells(case: &Case, expected: &[&str]) {
    let codes: Vec<_> = case.assess().binding.iter().map(Reason::code).collect();
    assert_eq!(codes, expected);
}

/// A reason that does not end by time.
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
fn the_next_attempt_after_an_answer_that_was_not_served_is_told_as_that() {
    let case = || {
        full().with(|case| {
            case.callback.retry_at = Some(at(100));
            case.callback.abandoned_at = Some(at(-500));
        })
    };
    tells(&case().now(99), &["retry.abandoned", "sender.concurrency"]);
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

/// A new permission after a revocation resets the misses.
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

#[test]
fn the_explanation_names_everything_that_binds_and_first_what_decides() {
    let assessment = ready()
        .with(|case| {
            case.callback.order.earliest = at(100);
            case.live_calls = 1000;
            case.pair.paused_until = Some(at(60));
        })
        .assess();
    let codes: Vec<_> = assessment.binding.iter().map(Reason::code).collect();
    assert_eq!(codes, ["window.before_earliest", "pair.paused", "sender.concurrency"]);
}

#[test]
fn what_explains_is_what_decides() {
    for case in [ready(), unasked(), ready().with(|case| case.live_calls = 1000)] {
        let assessment = case.assess();
        let reason = assessment.step.reason();
        assert!(matches!(assessment.step, Step::PlaceCall { .. }) || assessment.binding[0] == *reason);
    }
}

#[test]
fn what_would_bind_later_is_told_while_something_binds_earlier() {
    let codes = |case: Case| case.assess().binding.iter().map(Reason::code).collect::<Vec<_>>();
    let night = unasked().now(9 * HOUR).with(|case| {
        case.callback.order.hours = Some("daily 09:00-18:00 @America/Sao_Paulo".parse().unwrap());
        case.pair.requests = vec![at(0)];
        case.pair.connected = vec![at(0); 5];
    });
    assert_eq!(
        codes(night),
        ["permission.request_limit", "window.outside_hours", "permission.none", "limit.connected_calls"]
    );
    let asked = unasked().with(|case| {
        case.pair.permission = CallPermission::Requested { expires_at: at(DAY) };
        case.pair.requests = vec![at(-60)];
        case.account.paused = Some((at(60), "out of order".into()));
    });
    assert_eq!(codes(asked), ["permission.awaiting_reply", "permission.request_limit", "account.paused"]);
}

#[test]
fn a_moment_is_told_in_the_consumers_time() {
    use jiff::tz::TimeZone;
    let zone = TimeZone::get("America/Sao_Paulo").unwrap();
    let told = |reason: Reason| reason.sentence_in(&zone, at(0)).into_owned();
    assert_eq!(
        told(Reason::BeforeEarliest { earliest: at(2 * HOUR + 180) }),
        "The earliest time is 11:03 in the consumer's time (2026-11-23T14:03:00Z)."
    );
    let midnight = |second| told(Reason::RetryNotBefore { at: at(15 * HOUR + second) });
    let late = "due at 23:59 in the consumer's time (2026-11-24T02:59:59Z).";
    assert!(midnight(-1).ends_with(late), "{}", midnight(-1));
    let tomorrow = "due at Tue 24 Nov 2026, 00:00 in the consumer's time (2026-11-24T03:00:00Z).";
    assert!(midnight(0).ends_with(tomorrow), "{}", midnight(0));
    assert_eq!(told(Reason::Uncallable), Reason::Uncallable.sentence());
}

#[test]
fn every_moment_of_a_sentence_is_told_in_the_consumers_time() {
    use jiff::tz::TimeZone;

    use crate::domain::reason::in_zone;
    let zone = TimeZone::get("Asia/Kolkata").unwrap();
    let told = |text| in_zone(text, &zone, at(0));
    assert_eq!(
        told("earliest 2026-11-23T14:03:00Z, latest 2026-11-24T14:03:00Z."),
        "earliest 19:33 in the consumer's time (2026-11-23T14:03:00Z), \
         latest Tue 24 Nov 2026, 19:33 in the consumer's time (2026-11-24T14:03:00Z)."
    );
    for other in ["", "2026-11-23T14:03:00", "2026-13-23T14:03:00Z", "é 2026-11-23 ééééééééééZ", "20"]
    {
        assert_eq!(told(other), other);
    }
}

/// The consumer is asked at the moment that is told, not before and not later, whatever stands in the way.
#[test]
fn the_permission_is_asked_for_when_it_is_said() {
    let mut told = 0;
    for seed in 0..2_000 {
        let mut random = fastrand::Rng::with_seed(seed);
        let case = unasked().with(|case| {
            case.callback.order.earliest = at(random.i64(0..12) * DAY + random.i64(0..24) * HOUR);
            case.callback.order.latest = at(20 * DAY);
            let hours = [
                None,
                Some("daily 09:00-18:00 @America/Sao_Paulo"),
                Some("mon-fri 10:30-11:00 @Asia/Kolkata"),
                Some("sun 02:00-03:00 @America/New_York"),
            ][random.usize(0..4)];
            case.callback.order.hours = hours.map(|hours| hours.parse().unwrap());
            case.pair.requests = (0..random.i64(0..3)).rev().map(|n| at(-HOUR - n * 2 * DAY)).collect();
            case.pair.paused_until = random.bool().then(|| at(random.i64(0..40) * HOUR));
            if random.u8(0..4) == 0 {
                case.pair.permission = CallPermission::Temporary { expires_at: at(random.i64(1..60) * HOUR) };
            }
        });
        let assessment = case.assess();
        let at_of = |reason: &Reason| match reason {
            Reason::AskLater { at } => Some(*at),
            _ => None,
        };
        let Some(promised) = assessment.binding.iter().find_map(at_of) else { continue };
        if matches!(assessment.step, Step::Finish { .. }) {
            continue;
        }
        told += 1;
        // The next decisions, as the scheduler makes them.
        let mut now = at(case.now);
        for _ in 0..20 {
            let step = assess(now, &situation(&case.callback, [&case]), &case.rules).step;
            match step {
                Step::Wait { until, .. } => {
                    assert!(until > now, "seed {seed}: waits for {until} at {now}");
                    now = until;
                }
                Step::RequestPermission { .. } => break,
                other => panic!("seed {seed}: {other:?} at {now}"),
            }
        }
        assert_eq!(now, promised, "seed {seed}: asked at another moment than was told");
    }
    assert!(told > 200, "only {told} cases were told when the consumer is asked");
}

/// A request that lapses after the deadline is of no use any longer than that.
#[test]
fn an_answer_is_waited_for_until_the_deadline_at_most() {
    let told = |lapses: i64| {
        let case = unasked().with(|case| {
            case.callback.order.latest = at(DAY);
            case.pair.permission = CallPermission::Requested { expires_at: at(lapses) };
        });
        let reason = case.assess().step.reason().clone();
        let Reason::AwaitingReply { lapses_at } = reason else { panic!("{reason:?}") };
        lapses_at
    };
    assert_eq!(told(DAY - 1), at(DAY - 1));
    assert_eq!(told(DAY), at(DAY));
    assert_eq!(told(DAY + 1), at(DAY));
}
