//! Whether and when an unanswered request is sent again.

use super::*;

/// Asked at the beginning, delivered a minute later, and not answered.
fn asked() -> Case {
    unasked().with(|case| {
        case.pair.permission = CallPermission::Requested { expires_at: at(60 + 7 * DAY) };
        case.pair.requests = vec![at(0)];
        case.pair.unanswered = 1;
        case.rules.ask_again = Some(AskAgain::DAILY);
        case.callback.order.latest = at(5 * DAY);
    })
}

const WAITS: &str = "permission.awaiting_reply";

#[test]
fn an_unanswered_request_is_sent_once_more_after_a_day() {
    asked().now(DAY - 1).check(&Wait(WAITS, DAY, false));
    asked().now(DAY).check(&template());
    asked().now(DAY + 1).check(&template());
    let codes: Vec<_> = asked().assess().binding.iter().map(Reason::code).collect();
    assert_eq!(codes[..2], [WAITS, "permission.asked_again"]);
}

#[test]
fn it_is_sent_once_more_and_not_again() {
    let twice = |unanswered| asked().with(move |case| case.pair.unanswered = unanswered).now(2 * DAY);
    twice(0).check(&template());
    twice(1).check(&template());
    twice(2).check(&Wait(WAITS, 5 * DAY, false));
}

#[test]
fn the_limits_on_requests_hold_for_the_second_as_well() {
    let with = |requests: Vec<i64>| {
        asked().with(|case| case.pair.requests = requests.into_iter().map(at).collect()).now(DAY)
    };
    with(vec![-6 * DAY, 0]).check(&template());
    with(vec![-6 * DAY + 1, 0]).check(&Wait(WAITS, DAY + 1, false));
    let margin = asked().with(|case| case.rules.margin = SignedDuration::from_secs(30));
    margin.now(DAY).check(&Wait(WAITS, DAY + 30, false));
}

#[test]
fn it_is_not_sent_when_no_time_is_left_for_an_answer() {
    let until = |latest| asked().with(move |case| case.callback.order.latest = at(latest)).now(DAY);
    until(DAY + HOUR + 1).check(&template());
    until(DAY + HOUR).check(&Wait(WAITS, DAY + HOUR, false));
    until(DAY + HOUR - 1).check(&Wait(WAITS, DAY + HOUR - 1, false));
}

#[test]
fn the_consumers_hours_hold_for_it_and_for_the_call_that_it_is_for() {
    let hours = |text: &str| {
        let hours = text.parse().unwrap();
        asked().with(move |case| case.callback.order.hours = Some(hours))
    };
    // The day after at 12:00 lies outside.
    hours("daily 14:00-18:00 @UTC").now(DAY).check(&Wait(WAITS, DAY + 2 * HOUR, false));
    hours("daily 14:00-18:00 @UTC").now(DAY + 2 * HOUR).check(&template());
    // The last hours before the deadline end before the consumer could be called.
    let last =
        |text: &str| hours(text).with(|case| case.callback.order.latest = at(DAY + 10 * HOUR)).now(DAY);
    last("daily 09:00-13:01 @UTC").check(&template());
    last("daily 09:00-13:00 @UTC").check(&Wait(WAITS, DAY + HOUR - 5, false));
}

#[test]
fn it_is_not_sent_where_that_is_switched_off_or_somebody_said_no() {
    let waits = Wait(WAITS, 5 * DAY, false);
    asked().with(|case| case.rules.ask_again = None).now(2 * DAY).check(&waits);
    let (case, mut declined) = (asked().now(2 * DAY), asked());
    declined.sender.number = Phone::parse("+551151995678").unwrap();
    declined.pair.permission = CallPermission::Declined { until: at(9 * DAY) };
    let step = next_step(at(2 * DAY), &situation(&case.callback, [&case, &declined]), &case.rules);
    assert!(matches!(step, Step::Wait { .. }), "{step:?}");
}

#[test]
fn of_two_senders_the_one_that_asked_asks_again() {
    let (asked, mut other) = (asked(), unasked());
    other.sender.number = Phone::parse("+551151995678").unwrap();
    for cases in [[&asked, &other], [&other, &asked]] {
        let step = next_step(at(DAY), &situation(&asked.callback, cases), &asked.rules);
        let Step::RequestPermission { sender, .. } = step else { panic!("it asks: {step:?}") };
        assert_eq!(sender, asked.sender.number);
    }
}

#[test]
fn the_first_request_stays_open_when_the_second_does_not_arrive() {
    let rules = rules();
    let [first, second] = [1, 2].map(|n| MessageId::new(Uuid::from_u128(n)));
    let mut pair = unasked().pair;
    ledger::request_intended(&mut pair, at(0), first, &rules);
    ledger::request_sent(&mut pair, first, at(0), &rules);
    let open = pair.permission;
    ledger::request_intended(&mut pair, at(DAY), second, &rules);
    assert_eq!((pair.unanswered, pair.permission), (2, open));
    let mut taken_back = pair.clone();
    ledger::request_taken_back(&mut taken_back, second, at(DAY));
    assert_eq!((taken_back.unanswered, taken_back.permission), (1, open));
    ledger::request_sent(&mut pair, second, at(DAY), &rules);
    let longer = CallPermission::Requested { expires_at: at(8 * DAY) };
    assert_eq!(pair.permission, longer);
    let mut failed = pair.clone();
    ledger::request_failed(&mut failed, second, at(DAY), &rules);
    assert_eq!((failed.unanswered, failed.permission), (1, longer));
    for answer in [PermissionAnswer::Permanent, PermissionAnswer::Rejected] {
        let mut answered = pair.clone();
        ledger::replied(&mut answered, at(DAY + 1), answer, false, &rules);
        assert_eq!(answered.unanswered, 0);
    }
    ledger::call_connected(&mut pair, at(DAY + 1), &rules);
    assert_eq!(pair.unanswered, 0);
}
