//! Days that a calendar closes: nothing is dialled, asked or sent on them, whatever the hours say.

use super::*;
use crate::domain::calendar::{Mark, MarkedDay, OwnCalendar};
use crate::domain::{Calendars, CallingHours};

/// The calendar `office`, closed from the first to the last day.
fn closed(first: &str, last: &str) -> Calendars {
    let (first, last): (jiff::civil::Date, jiff::civil::Date) =
        (first.parse().unwrap(), last.parse().unwrap());
    let days = first.series(jiff::Span::new().days(1)).take_while(|day| *day <= last).collect();
    let office = OwnCalendar { closed: days, ..OwnCalendar::default() };
    Calendars::new([("office".parse().unwrap(), office)].into())
}

fn hours(text: &str) -> Option<CallingHours> {
    Some(text.parse().unwrap())
}

/// Closed on the Monday of all tests; its noon is the beginning.
fn on_a_closed_day(case: Case) -> Case {
    case.with(|case| {
        case.calendars = closed("2026-11-23", "2026-11-23");
        case.callback.order.hours = hours("daily 09:00-18:00 @UTC except office");
    })
}

fn mark(case: &mut Case, mark: Mark) {
    let (calendar, day) = ("office".parse().unwrap(), "2026-11-23".parse().unwrap());
    let (who, why) = ("ops".into(), "a storm".into());
    case.calendars.mark(MarkedDay { calendar, day, mark, who, why, at: at(0) });
}

#[test]
fn a_closed_day_is_waited_out_to_the_second() {
    let case = || on_a_closed_day(ready());
    case().check(&Wait("calendar.closed", 21 * HOUR, true));
    case().now(21 * HOUR - 1).check(&Wait("window.outside_hours", 21 * HOUR, false));
    case().now(21 * HOUR).check(&Call);
    // Six in the evening on the closed day: the hours alone would not open before the next day.
    case().now(6 * HOUR).check(&Wait("window.outside_hours", 21 * HOUR, false));
    case().now(6 * HOUR - 1).check(&Wait("calendar.closed", 21 * HOUR, true));
}

#[test]
fn the_same_hours_without_the_calendar_are_open() {
    on_a_closed_day(ready())
        .with(|case| case.callback.order.hours = hours("daily 09:00-18:00 @UTC"))
        .check(&Call);
}

#[test]
fn a_closure_of_weeks_is_waited_out_in_one_step() {
    let case = on_a_closed_day(ready()).with(|case| {
        case.calendars = closed("2026-11-23", "2026-12-31");
        case.callback.order.latest = at(60 * DAY);
    });
    // Nine in the morning of 1 January, 39 days later.
    case.check(&Wait("calendar.closed", 39 * DAY - 3 * HOUR, true));
}

#[test]
fn a_closure_to_beyond_the_deadline_ends_the_callback() {
    let case = |latest: i64| {
        on_a_closed_day(ready()).with(|case| {
            case.calendars = closed("2026-11-23", "2026-11-30");
            case.callback.order.latest = at(latest);
        })
    };
    let opens = 8 * DAY - 3 * HOUR;
    case(opens).check(&Finish(Outcome::Expired, "deadline.no_time_left"));
    case(opens + 1).check(&Wait("calendar.closed", opens, true));
}

#[test]
fn a_day_begins_and_ends_in_the_zone_of_the_hours() {
    // Sao Paulo is three hours behind UTC: its Monday is from 03:00 to 03:00.
    let case = |second: i64| {
        ready().now(second).with(|case| {
            case.calendars = closed("2026-11-24", "2026-11-24");
            case.callback.order.hours = hours("daily 00:00-24:00 @America/Sao_Paulo except office");
        })
    };
    let (begins, ends) = (15 * HOUR, 39 * HOUR);
    // A call rings five seconds after it is placed.
    case(begins - 6).check(&Call);
    case(begins - 5).check(&Wait("calendar.closed", ends, true));
    case(begins).check(&Wait("calendar.closed", ends, true));
    case(ends - 1).check(&Wait("calendar.closed", ends, true));
    case(ends).check(&Call);
}

#[test]
fn a_day_that_a_clock_change_shortens_is_closed_as_a_whole() {
    // New York has no hour from two to three on Sunday 8 March 2026, so the day has 23 hours.
    let (calendars, night) =
        (closed("2026-03-08", "2026-03-08"), "daily 00:00-24:00 @America/New_York except office");
    let night: CallingHours = night.parse().unwrap();
    let opens = |from: &str| {
        let from: Timestamp = from.parse().unwrap();
        window::next_open(calendars.opening(&night), from, from + window::FAR).unwrap().to_string()
    };
    assert_eq!(opens("2026-03-08T04:59:59Z"), "2026-03-08T04:59:59Z");
    assert_eq!(opens("2026-03-08T05:00:00Z"), "2026-03-09T04:00:00Z");
    assert_eq!(opens("2026-03-09T04:00:00Z"), "2026-03-09T04:00:00Z");
}

#[test]
fn nobody_is_asked_or_invited_on_a_closed_day() {
    on_a_closed_day(unasked()).check(&Wait("calendar.closed", 21 * HOUR, true));
    on_a_closed_day(unasked()).now(21 * HOUR).check(&template());
    let invite = |second| {
        on_a_closed_day(ladder::order().now(second)).with(|case| {
            case.sender.roads.retain(|road| road.kind == crate::domain::RoadKind::Template);
        })
    };
    invite(0).check(&Wait("calendar.closed", 21 * HOUR, true));
    invite(21 * HOUR).check(&Invite("invite.ordered"));
}

/// The permission ends on a closed day, so that its end is waited for. A day that is opened may save it.
#[test]
fn a_permission_that_ends_on_a_closed_day_waits_for_its_end_and_for_an_opening() {
    let case = on_a_closed_day(ready()).with(|case| {
        case.pair.permission = CallPermission::Temporary { expires_at: at(2 * HOUR) };
    });
    case.check(&Wait("permission.ask_later", 2 * HOUR, true));
}

#[test]
fn a_calendar_that_left_the_configuration_ends_the_callback() {
    let case = on_a_closed_day(ready()).with(|case| case.calendars = Calendars::default());
    case.check(&Finish(Outcome::Failed, "calendar.unknown"));
}

#[test]
fn what_was_decided_does_not_leave_on_a_day_that_was_closed_since() {
    let open = || {
        ground::call().with(|case| {
            case.calendars = closed("2026-11-30", "2026-11-30");
            case.callback.order.hours = hours("daily 09:00-18:00 @UTC except office");
        })
    };
    assert_eq!(ground::leaves(&open()), Ok(()));
    assert_eq!(ground::leaves(&open().with(|case| mark(case, Mark::Closed))), Err("calendar.closed"));
    assert_eq!(ground::leaves(&open().with(|case| mark(case, Mark::Open))), Ok(()));
}

#[test]
fn an_agent_is_not_put_through_on_a_closed_day() {
    let rings = |case: &Case| {
        let person = case.person();
        let rules = &case.rules.people;
        may_still_ring(
            at(0),
            &case.callback,
            &case.sender.account,
            (&case.pair, &person),
            &case.calendars,
            rules,
        )
    };
    let closed = on_a_closed_day(ready());
    assert!(!rings(&closed));
    assert!(rings(&closed.with(|case| case.calendars = self::closed("2026-11-24", "2026-11-24"))));
}

#[test]
fn the_end_of_the_dialling_window_is_before_the_closed_days() {
    // Monday is the last open day before the deadline on Wednesday noon.
    let case = ready().with(|case| {
        case.calendars = closed("2026-11-24", "2026-11-30");
        case.callback.order.hours = hours("daily 09:00-18:00 @UTC except office");
        case.callback.order.latest = at(2 * DAY);
    });
    let end = expires_at(at(0), &case.callback, &case.calendars, std::iter::once(&case.pair));
    assert_eq!(end, at(6 * HOUR) - window::DIALLING);
}
