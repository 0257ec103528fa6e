//! When a consumer is asked for the permission, and what an answer changes.

use super::*;
use crate::domain::RequestRoad;

#[test]
fn a_temporary_permission_ends_on_the_second() {
    let case =
        || ready().with(|case| case.pair.permission = CallPermission::Temporary { expires_at: at(100) });
    case().now(99).check(&Call);
    case().now(100).check(&template());
    case().now(101).check(&template());
}

#[test]
fn nobody_is_asked_while_a_permission_lives_that_ends_too_early() {
    ready()
        .with(|case| {
            case.pair.permission = CallPermission::Temporary { expires_at: at(100) };
            case.callback.order.earliest = at(200);
        })
        .check(&Wait("permission.ask_later", 100, false));
}

#[test]
fn a_consumer_without_permission_is_asked() {
    unasked().check(&template());
}

#[test]
fn inside_the_service_window_the_free_content_asks() {
    let case = || unasked().with(|case| case.pair.inbound_at = Some(at(-DAY + 100)));
    case().now(99).check(&Ask("HXfree".into()));
    case().now(100).check(&template());
}

#[test]
fn where_another_account_asks_its_content_goes_first_and_its_pause_is_waited_for() {
    let asks = |until: i64| {
        unasked().with(move |case| {
            case.pair.inbound_at = Some(at(-HOUR));
            case.sender.permission_request = None;
            let content = "ask_here".parse().unwrap();
            case.sender.request_road = Some(RequestRoad { account: "cloud".into(), content });
            let reason = Reason::AccountPaused { until: at(until), why: "a token".into() };
            case.rests = [("cloud".into(), vec![(Gate::Account("cloud".into()), reason)])].into();
        })
    };
    asks(0).check(&Ask("ask_here".into()));
    asks(1).check(&Wait("account.paused", 10 * DAY, true));
    // The account of the calls may rest meanwhile; a request does not leave by it.
    let rests = || asks(0).with(|case| case.account.paused = Some((at(DAY), "calls".into())));
    rests().check(&Ask("ask_here".into()));
    // Outside the window its own template asks, by its own account.
    rests().with(|case| case.pair.inbound_at = None).check(&Wait("account.paused", 10 * DAY, true));
    asks(1).with(|case| case.pair.inbound_at = None).check(&template());
}

#[test]
fn without_a_template_the_service_window_is_waited_for() {
    unasked().with(|case| case.sender.permission_template = None).check(&Wait(
        "permission.service_window_closed",
        10 * DAY,
        false,
    ));
}

#[test]
fn a_sender_that_cannot_ask_closes_the_callback() {
    unasked()
        .with(|case| {
            case.sender.permission_template = None;
            case.sender.permission_request = None;
        })
        .check(&Finish(Outcome::Failed, "permission.no_request_content"));
}

/// Meta, Obtain user call permissions (26 Jun 2026): 1 in 24 h.
#[test]
fn a_second_request_waits_for_a_day() {
    let case = || unasked().with(|case| case.pair.requests = vec![at(-DAY + 100)]);
    case().now(99).check(&Wait("permission.request_limit", 100, false));
    case().now(100).check(&template());
    case().now(101).check(&template());
}

/// Meta, Obtain user call permissions (26 Jun 2026): 2 in 7 days.
#[test]
fn a_third_request_waits_for_a_week() {
    let case = || unasked().with(|case| case.pair.requests = vec![at(-7 * DAY + 100), at(-3 * DAY)]);
    case().now(99).check(&Wait("permission.request_limit", 100, false));
    case().now(100).check(&template());
}

#[test]
fn the_margin_holds_a_request_back() {
    let case = || {
        unasked().with(|case| {
            case.pair.requests = vec![at(-DAY)];
            case.rules.margin = SignedDuration::from_secs(2);
        })
    };
    case().now(1).check(&Wait("permission.request_limit", 2, false));
    case().now(2).check(&template());
}

#[test]
fn a_request_limit_that_outlasts_the_deadline_closes_the_callback() {
    unasked()
        .with(|case| {
            case.pair.requests = vec![at(-HOUR)];
            case.callback.order.latest = at(22 * HOUR);
        })
        .check(&Finish(Outcome::Exhausted, "permission.request_limit"));
}

#[test]
fn an_open_request_is_waited_for() {
    let case = || {
        unasked().with(|case| {
            case.pair.permission = CallPermission::Requested { expires_at: at(100) };
            case.pair.requests = vec![at(-2 * DAY)];
        })
    };
    case().now(99).check(&Wait("permission.awaiting_reply", 100, false));
    case().now(100).check(&template());
}

#[test]
fn a_request_whose_fate_is_open_fences_the_pair() {
    unasked().with(|case| case.pair.request = Some(MessageId::new(Uuid::from_u128(5)))).check(&Wait(
        "pair.fenced",
        10 * DAY,
        false,
    ));
}

#[test]
fn a_declined_consumer_is_left_alone() {
    let case = || unasked().with(|case| case.pair.permission = CallPermission::Declined { until: at(100) });
    case().now(99).check(&Finish(Outcome::Declined, "permission.declined"));
    case().now(100).check(&template());
}

#[test]
fn a_consumer_is_not_asked_so_early_that_the_answer_lapses() {
    let case = || unasked().with(|case| case.callback.order.earliest = at(3 * DAY));
    case().now(2 * DAY - 1).check(&Wait("permission.ask_later", 2 * DAY, false));
    case().now(2 * DAY).check(&template());
}

#[test]
fn who_asked_to_be_called_is_asked_when_it_is_ordered() {
    let case = |earliest| {
        unasked().with(move |case| {
            case.callback.order.purpose = crate::domain::Purpose::Requested;
            case.callback.order.earliest = at(earliest);
            case.callback.order.latest = at(30 * DAY);
        })
    };
    case(3 * DAY).now(0).check(&template());
    case(6 * DAY).now(0).check(&template());
    // A permission lasts for seven days, and must not end within a day of the call.
    case(10 * DAY).now(0).check(&Wait("permission.ask_later", 4 * DAY, false));
    case(10 * DAY).now(4 * DAY).check(&template());
    let outside = case(3 * DAY).with(|case| {
        case.callback.order.hours = Some("daily 09:00-18:00 @America/Sao_Paulo".parse().unwrap());
    });
    outside.now(9 * HOUR).check(&Wait("window.outside_hours", DAY, false));
}

#[test]
fn nobody_is_asked_outside_the_consumers_hours() {
    let case = || {
        unasked().with(|case| {
            case.callback.order.hours = Some("daily 09:00-18:00 @America/Sao_Paulo".parse().unwrap());
        })
    };
    case().now(9 * HOUR - 1).check(&template());
    case().now(9 * HOUR).check(&Wait("window.outside_hours", DAY, false));
}
