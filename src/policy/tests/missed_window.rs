//! Orders whose first calling hours pass without a call.

use super::*;
use crate::domain::MissedWindow;

/// It is Monday noon; the first hours are those from nine to six, and close after six hours. Nobody has granted anything.
fn case(rule: MissedWindow) -> Case {
    unasked().with(|case| {
        case.callback.order.hours = "daily 09:00-18:00 @UTC".parse().ok();
        case.callback.order.missed_window = rule;
        case.pair.permission = CallPermission::Requested { expires_at: at(7 * DAY) };
    })
}

const CLOSES: i64 = 6 * HOUR;

fn later(case: Case, now: i64) -> Case {
    case.now(now)
}

#[test]
fn by_default_the_next_hours_are_waited_for() {
    for now in [0, CLOSES - 1, CLOSES, 3 * DAY] {
        let case = later(case(MissedWindow::NextWindow), now);
        let step = next_step(at(now), &situation(&case.callback, [&case]), &rules());
        let Step::Wait { until, reason, .. } = step else { panic!("{step:?}") };
        assert!(until > at(CLOSES) && reason.code() == "permission.awaiting_reply", "{now}: {reason:?}");
    }
}

#[test]
fn an_order_that_is_to_be_closed_ends_with_its_hours() {
    let case = |now| later(case(MissedWindow::Close), now);
    case(0).check(&Wait("permission.awaiting_reply", CLOSES, false));
    case(CLOSES - 1).check(&Wait("permission.awaiting_reply", CLOSES, false));
    case(CLOSES).check(&Finish(Outcome::Expired, "window.missed"));
    case(CLOSES + 1).check(&Finish(Outcome::Expired, "window.missed"));
}

#[test]
fn an_order_that_asks_waits_for_somebody_until_its_deadline() {
    let case = |now| later(case(MissedWindow::Ask), now);
    case(CLOSES - 1).check(&Wait("permission.awaiting_reply", CLOSES, false));
    case(CLOSES).check(&Wait("window.asks", 10 * DAY, false));
    case(3 * DAY).check(&Wait("window.asks", 10 * DAY, false));
    case(10 * DAY).check(&Finish(Outcome::Expired, "deadline.passed"));
    // A permission that is granted afterwards does not decide for them.
    case(CLOSES).with(|case| case.pair.permission = CallPermission::Permanent).check(&Wait(
        "window.asks",
        10 * DAY,
        false,
    ));
}

#[test]
fn a_new_earliest_time_gives_it_another_window() {
    let case = |now| {
        later(case(MissedWindow::Ask), now).with(|case| {
            case.callback.order.earliest = at(DAY);
            case.pair.permission = CallPermission::Permanent;
        })
    };
    case(DAY).check(&Call);
    case(DAY + CLOSES).check(&Wait("window.asks", 10 * DAY, false));
}

#[test]
fn an_order_outside_its_hours_has_the_next_ones_as_its_first() {
    // Six in the evening of the day before, so that the first window is that of Monday.
    let case = |now| {
        later(case(MissedWindow::Close), now).with(|case| case.callback.order.earliest = at(-18 * HOUR))
    };
    case(0).check(&Wait("permission.awaiting_reply", CLOSES, false));
    let on_time = |now| case(now).with(|case| case.callback.order.earliest = at(-18 * HOUR - 1));
    on_time(0).check(&Finish(Outcome::Expired, "window.missed"));
}

#[test]
fn who_was_called_or_invited_has_missed_nothing() {
    let called = later(case(MissedWindow::Close), CLOSES).with(|case| case.callback.attempts_made = 1);
    let invited =
        later(case(MissedWindow::Close), CLOSES).with(|case| case.callback.invited_at = Some(at(0)));
    for case in [called, invited] {
        let step = next_step(at(CLOSES), &situation(&case.callback, [&case]), &rules());
        assert!(matches!(step, Step::Wait { .. }), "{step:?}");
    }
}

#[test]
fn adjoining_spans_are_one_window() {
    let case = |now| {
        later(case(MissedWindow::Close), now).with(|case| {
            case.callback.order.hours = "daily 09:00-12:30, daily 12:30-18:00 @UTC".parse().ok();
        })
    };
    case(HOUR).check(&Wait("permission.awaiting_reply", CLOSES, false));
    case(CLOSES).check(&Finish(Outcome::Expired, "window.missed"));
}

#[test]
fn hours_that_last_until_the_deadline_cannot_be_missed() {
    let case =
        |latest| later(case(MissedWindow::Close), 0).with(|case| case.callback.order.latest = at(latest));
    case(CLOSES).check(&Wait("permission.awaiting_reply", CLOSES, false));
    let ended = case(CLOSES).now(CLOSES);
    ended.check(&Finish(Outcome::Expired, "deadline.passed"));
    let always = case(DAY).with(|case| case.callback.order.hours = "daily 00:00-24:00 @UTC".parse().ok());
    always.check(&Wait("permission.awaiting_reply", DAY, false));
}
