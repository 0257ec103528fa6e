//! Callbacks that cannot be completed by calling: an invite, a wait for the consumer's call, or the end.

use super::*;

/// The consumer refused, and can be invited.
fn declined() -> Case {
    unasked().with(|case| {
        case.pair.permission = CallPermission::Declined { until: at(30 * DAY) };
        case.sender.invite = "HXinvite".parse().ok();
        case.callback.order.purpose = Purpose::Requested;
        case.rules.people.invite_after_decline = true;
    })
}

fn the_end() -> Expect {
    Finish(Outcome::Declined, "permission.declined")
}

#[test]
fn nobody_is_invited_while_the_pair_is_paused() {
    let case = || declined().with(|case| case.pair.paused_until = Some(at(60)));
    case().now(59).check(&Wait("pair.paused", 60, false));
    case().now(60).check(&Invite("permission.declined"));
    case().now(61).check(&Invite("permission.declined"));
}

#[test]
fn a_pause_that_outlasts_the_deadline_leaves_no_time_for_an_invite() {
    let case = |latest| {
        declined().with(move |case| {
            case.pair.paused_until = Some(at(60));
            case.callback.order.latest = at(latest);
        })
    };
    case(61).check(&Wait("pair.paused", 60, false));
    case(60).check(&the_end());
    case(59).check(&the_end());
}

#[test]
fn where_a_pause_ends_this_second_the_hours_are_what_is_waited_for() {
    let case = || {
        declined().with(|case| {
            case.callback.order.hours = Some("daily 14:00-18:00 @UTC".parse().unwrap());
            case.callback.attempts_made = 3;
            case.pair.paused_until = Some(at(60));
        })
    };
    case().now(59).check(&Wait("pair.paused", 60, false));
    case().now(60).check(&Wait("window.outside_hours", 2 * HOUR, false));
}

#[test]
fn hours_that_open_after_the_deadline_leave_no_time_for_an_invite() {
    // It is 12:00; they open at 14:00.
    let case = |latest| {
        declined().with(move |case| {
            case.callback.order.hours = Some("daily 14:00-18:00 @UTC".parse().unwrap());
            case.callback.attempts_made = 3;
            case.callback.order.latest = at(latest);
        })
    };
    case(2 * HOUR + 1).check(&Wait("window.outside_hours", 2 * HOUR, false));
    case(2 * HOUR).check(&Finish(Outcome::Exhausted, "attempts.used"));
    case(2 * HOUR - 1).check(&Finish(Outcome::Exhausted, "attempts.used"));
}

#[test]
fn a_pause_that_ends_when_no_hours_are_left_leaves_no_time_for_an_invite() {
    declined()
        .with(|case| {
            case.callback.order.hours = Some("daily 09:00-18:00 @UTC".parse().unwrap());
            case.callback.attempts_made = 3;
            case.pair.paused_until = Some(at(7 * HOUR));
            case.callback.order.latest = at(20 * HOUR);
        })
        .check(&Finish(Outcome::Exhausted, "attempts.used"));
}

#[test]
fn nobody_is_invited_beside_another_message_or_a_call() {
    let calling = declined().with(|case| case.pair.live_inbound = Some("CA1".into()));
    calling.check(&Wait("pair.on_the_phone", 10 * DAY, false));
    declined().with(|case| case.pair.request = Some(MessageId::new(Uuid::from_u128(5)))).check(&the_end());
}

#[test]
fn who_cannot_be_called_is_not_invited_and_not_waited_for() {
    let uncallable =
        || declined().with(|case| case.pair.permission = CallPermission::Uncallable { until: at(40 * DAY) });
    let failed = Finish(Outcome::Failed, "permission.uncallable");
    uncallable().check(&failed);
    uncallable().with(|case| case.callback.invited_at = Some(at(-60))).check(&failed);
    // Also if the attempts are used.
    let spent = || uncallable().with(|case| case.callback.attempts_made = 3);
    let exhausted = Finish(Outcome::Exhausted, "attempts.used");
    spent().check(&exhausted);
    spent().with(|case| case.callback.invited_at = Some(at(-60))).check(&exhausted);
}

#[test]
fn what_failed_is_not_made_good_by_an_invite() {
    unasked()
        .with(|case| {
            case.sender.permission_template = None;
            case.sender.permission_request = None;
            case.sender.invite = "HXinvite".parse().ok();
        })
        .check(&Finish(Outcome::Failed, "permission.no_request_content"));
}

#[test]
fn a_moment_at_the_deadline_is_too_late() {
    let case = |attempts_made, retry_at| {
        ready().with(move |case| {
            case.callback.order.latest = at(100);
            case.callback.attempts_made = attempts_made;
            case.callback.retry_at = Some(at(retry_at));
        })
    };
    case(1, 99).check(&Wait("retry.not_before", 99, false));
    case(1, 100).check(&Finish(Outcome::Exhausted, "deadline.no_time_left"));
    case(1, 101).check(&Finish(Outcome::Exhausted, "deadline.no_time_left"));
    case(0, 100).check(&Finish(Outcome::Expired, "deadline.no_time_left"));
}
