//! When a waiting callback is decided again without news, because something that it depends on ends.

use super::*;
use crate::domain::{RoadKind, SenderPart};

#[track_caller]
fn wakes(case: &Case, expected: Timestamp, because: impl Fn(&Reason) -> bool) {
    let Step::Wait { until, reason, .. } = case.assess().step else { panic!("{:?}", case.assess().step) };
    assert_eq!(until, expected, "{reason:?}");
    assert!(because(&reason), "{reason:?}");
}

/// Monday's hours until 18:00 are the last before a deadline on Tuesday at 06:00.
fn closing() -> Case {
    unasked().with(|case| {
        case.callback.order.hours = Some("daily 09:00-18:00 @UTC".parse().unwrap());
        case.callback.order.latest = at(18 * HOUR);
        case.pair.permission = CallPermission::Requested { expires_at: at(5 * DAY) };
    })
}

#[test]
fn who_waits_for_an_answer_wakes_when_no_call_can_ring_any_more() {
    // The last call must be placed five seconds before the close.
    let last = 6 * HOUR - 5;
    let asked = |reason: &Reason| matches!(reason, Reason::AwaitingReply { .. });
    wakes(&closing(), at(last), asked);
    wakes(&closing().now(last - 1), at(last), asked);
    let Step::Finish { outcome, reason } = closing().now(last).assess().step else { panic!() };
    assert_eq!((outcome, reason), (Outcome::Expired, Reason::NoTimeLeft { latest: at(18 * HOUR) }));
}

#[test]
fn who_was_invited_sleeps_until_the_deadline_once_no_call_can_ring_any_more() {
    let last = 6 * HOUR - 5;
    let invited = || {
        closing().with(|case| {
            case.sender.invite = "HXinvite".parse().ok();
            case.callback.invited_at = Some(at(-60));
        })
    };
    for now in [last, last + 1, 6 * HOUR] {
        invited().now(now).check(&Wait("invite.awaiting_call", 18 * HOUR, false));
    }
}

/// An invite rings nowhere, so it may leave until the close itself.
#[test]
fn an_invite_whose_road_rests_is_decided_again_when_the_last_hours_close() {
    let rests = |now| {
        super::ladder::order()
            .with(|case| {
                case.callback.order.hours = Some("daily 09:00-18:00 @UTC".parse().unwrap());
                case.callback.order.latest = at(18 * HOUR);
                case.rules.inviting.url_outside_hours = false;
                case.paused_parts.push((SenderPart::Buttons, (at(5 * DAY), "low quality".into())));
                case.sender.roads.retain(|road| road.kind == RoadKind::CallButton);
            })
            .now(now)
    };
    for now in [0, 6 * HOUR - 6] {
        rests(now).check(&Wait("sender.paused", 6 * HOUR - 5, true));
    }
    for now in [6 * HOUR - 5, 6 * HOUR - 1] {
        rests(now).check(&Wait("sender.paused", 6 * HOUR, true));
    }
    rests(6 * HOUR).check(&Finish(Outcome::Expired, "deadline.no_time_left"));
}

#[test]
fn a_deadline_within_the_hours_is_waited_for_itself() {
    let case = closing().with(|case| case.callback.order.latest = at(6 * HOUR));
    wakes(&case, at(6 * HOUR), |reason| matches!(reason, Reason::AwaitingReply { .. }));
}

#[test]
fn who_waits_for_a_limit_wakes_when_the_permission_ends_before_it_lifts() {
    let spent = |ends: i64| {
        ready().with(|case| {
            case.pair.permission = CallPermission::Temporary { expires_at: at(ends) };
            case.pair.connected = (0..5).map(|n| at(n - 10)).collect();
        })
    };
    let limited = |reason: &Reason| matches!(reason, Reason::ConnectedLimit { .. });
    wakes(&spent(HOUR), at(HOUR), limited);
    wakes(&spent(DAY - 11), at(DAY - 11), limited);
    wakes(&spent(DAY - 9), at(DAY - 10), limited);
    spent(HOUR).now(HOUR).check(&template());
}

#[test]
fn who_waits_at_a_gate_wakes_when_the_permission_ends() {
    let case = ready().with(|case| {
        case.pair.permission = CallPermission::Temporary { expires_at: at(HOUR) };
        case.live_calls = 1000;
    });
    wakes(&case, at(HOUR), |reason| matches!(reason, Reason::SenderFull { .. }));
}
