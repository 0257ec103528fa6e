//! The consumer of a call that nobody asked for has one open day to answer the permission request.

use super::*;
use crate::domain::Purpose;

/// The tests begin on Monday, 23 November 2026, at noon in UTC.
fn case(purpose: Purpose, hours: &str, earliest: i64) -> Case {
    unasked().with(|case| {
        case.callback.order.purpose = purpose;
        case.callback.order.hours = hours.parse().ok();
        case.callback.order.earliest = at(earliest);
        case.callback.order.latest = at(40 * DAY);
    })
}

const OFFICE: &str = "mon-fri 09:00-18:00 @UTC";
/// Monday of the next week, when the office opens.
const MONDAY: i64 = 7 * DAY - 3 * HOUR;
/// Friday before it.
const FRIDAY: i64 = MONDAY - 3 * DAY;

#[test]
fn before_a_monday_the_request_leaves_on_friday_morning() {
    let case = |now| case(Purpose::Service, OFFICE, MONDAY).now(now);
    case(0).check(&Wait("permission.ask_later", FRIDAY, false));
    case(FRIDAY - 1).check(&Wait("permission.ask_later", FRIDAY, false));
    case(FRIDAY).check(&template());
}

#[test]
fn a_call_in_the_afternoon_has_the_day_before_too() {
    let case = case(Purpose::Service, OFFICE, MONDAY + 5 * HOUR);
    case.check(&Wait("permission.ask_later", FRIDAY, false));
}

#[test]
fn a_day_with_a_pause_begins_with_its_first_span() {
    let hours = "mon-fri 09:00-12:00, mon-fri 14:00-18:00 @UTC";
    case(Purpose::Service, hours, MONDAY).check(&Wait("permission.ask_later", FRIDAY, false));
}

#[test]
fn where_every_day_is_open_a_day_ahead_is_enough() {
    // Wednesday at two in the afternoon: from Tuesday at two there are nine open hours.
    let earliest = 2 * DAY + 2 * HOUR;
    let case = |earliest| case(Purpose::Service, "daily 09:00-18:00 @UTC", earliest);
    case(earliest).check(&Wait("permission.ask_later", earliest - DAY, false));
}

#[test]
fn the_permission_does_not_end_before_the_call() {
    // The office is closed for two weeks, and a permission lasts for seven days.
    let days: jiff::civil::Date = "2026-11-24".parse().unwrap();
    let closed = days.series(jiff::Span::new().days(1)).take(14).collect();
    let office = crate::domain::calendar::OwnCalendar { closed, ..Default::default() };
    let opens = 15 * DAY - 3 * HOUR;
    let case = case(Purpose::Service, "daily 09:00-18:00 @UTC except office", opens).with(|case| {
        case.calendars = crate::domain::Calendars::new([("office".parse().unwrap(), office)].into())
    });
    case.check(&Wait("calendar.closed", opens, true));
}

#[test]
fn who_asked_for_the_call_is_asked_at_once() {
    case(Purpose::Requested, OFFICE, 3 * DAY).check(&template());
}
