//! What counts for a day, of several rules.

use super::*;

fn name(text: &str) -> CalendarName {
    text.parse().unwrap()
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn marked(calendar: &str, on: &str, mark: Mark) -> MarkedDay {
    let at = Timestamp::constant(1_790_000_000, 0);
    MarkedDay { calendar: name(calendar), day: day(on), mark, who: "ops".into(), why: "a storm".into(), at }
}

/// The holidays of Brazil, with 24 December closed and 25 December open.
fn calendars() -> Calendars {
    let office = OwnCalendar {
        holidays: Some(name("BR")),
        closed: [day("2026-12-24")].into(),
        opened: [day("2026-12-25"), day("2026-12-24")].into(),
    };
    Calendars::new([(name("office"), office), (name("bare"), OwnCalendar::default())].into())
}

fn is_closed(calendars: &Calendars, calendar: &str, on: &str) -> bool {
    calendars.days(&name(calendar)).on(day(on)).is_closed()
}

#[test]
fn closed_days_count_over_open_ones_and_open_ones_over_holidays() {
    let all = calendars();
    assert!(is_closed(&all, "BR", "2026-12-25"));
    assert!(!is_closed(&all, "office", "2026-12-25"), "opened by the configuration");
    assert!(is_closed(&all, "office", "2026-12-24"), "closed and opened by the configuration");
    assert!(is_closed(&all, "office", "2026-09-07"), "a holiday of the calendar that it is made from");
    assert!(!is_closed(&all, "office", "2026-09-08"));
    assert!(!is_closed(&all, "bare", "2026-12-25"), "has no holidays");
}

#[test]
fn what_an_operator_closes_counts_over_everything() {
    let mut all = calendars();
    all.mark(marked("office", "2026-12-25", Mark::Closed));
    assert!(is_closed(&all, "office", "2026-12-25"));
    all.mark(marked("office", "2026-12-24", Mark::Open));
    assert!(is_closed(&all, "office", "2026-12-24"), "the configuration has closed it");
    all.mark(marked("office", "2026-09-07", Mark::Open));
    assert!(!is_closed(&all, "office", "2026-09-07"));
    assert!(is_closed(&all, "BR", "2026-09-07"), "another calendar");
    all.mark(marked("BR", "2026-09-08", Mark::Closed));
    assert!(is_closed(&all, "BR", "2026-09-08"));
    assert!(!is_closed(&all, "office", "2026-09-08"), "it has the holidays of BR, and not its marks");
}

#[test]
fn a_later_mark_replaces_an_earlier_one() {
    let mut all = calendars();
    all.mark(marked("BR", "2026-09-08", Mark::Closed));
    all.mark(marked("BR", "2026-09-08", Mark::Open));
    assert!(!is_closed(&all, "BR", "2026-09-08"));
    for (day, is_holiday) in [("2026-09-07", true), ("2026-09-08", false)] {
        for mark in [Mark::Closed, Mark::Open] {
            all.mark(marked("BR", day, mark));
            assert_eq!(is_closed(&all, "BR", day), mark == Mark::Closed, "{day}");
        }
        all.mark(marked("BR", day, Mark::Default));
        assert_eq!(is_closed(&all, "BR", day), is_holiday, "the calendar decides again");
    }
    let again = calendars().marked([marked("BR", "2026-09-08", Mark::Closed)]);
    assert!(is_closed(&again, "BR", "2026-09-08"));
}

#[test]
fn marks_of_days_that_are_over_are_forgotten() {
    let mut all = calendars();
    for day in ["2026-09-07", "2026-09-08", "2026-09-09"] {
        all.mark(marked("BR", day, Mark::Open));
    }
    all.mark(marked("office", "2026-09-07", Mark::Open));
    assert_eq!(all.count_marks(), 4);
    all.forget_before(day("2026-09-08"));
    assert_eq!(all.count_marks(), 2);
    assert!(is_closed(&all, "BR", "2026-09-07"));
    let now = "2026-09-10T00:00:00Z".parse::<Timestamp>().unwrap();
    let before = now - jiff::SignedDuration::from_nanos(1);
    assert_eq!((oldest_marked(now), oldest_marked(before)), (day("2026-09-08"), day("2026-09-07")));
}

#[test]
fn an_order_marks_each_of_its_days_and_a_bounded_number() {
    let order = |last: &str| CalendarMark {
        calendar: name("BR"),
        first: day("2026-12-31"),
        last: day(last),
        mark: Mark::Closed,
        who: "ops".into(),
        why: "a storm".into(),
    };
    let at = Timestamp::constant(1_790_000_000, 0);
    let days: Vec<Date> = order("2027-01-01").days(at).map(|marked| marked.day).collect();
    assert_eq!(days, [day("2026-12-31"), day("2027-01-01")]);
    assert_eq!(order("2026-12-30").days(at).count(), 0);
    assert_eq!(order("2027-12-31").days(at).count(), 366);
    assert_eq!(order("9999-01-01").days(at).count(), 366);
}

#[test]
fn the_version_changes_when_a_day_may_have_opened() {
    let version = |all: &Calendars| all.version(&name("office"));
    let mut all = calendars();
    let first = version(&all);
    assert_eq!(first, version(&calendars()), "it is the same in every process");
    all.mark(marked("BR", "2026-09-08", Mark::Open));
    all.mark(marked("office", "2026-09-08", Mark::Closed));
    assert_eq!(version(&all), first, "another calendar was opened, and this one closed");
    all.mark(marked("office", "2026-09-08", Mark::Open));
    let opened = version(&all);
    assert_ne!(opened, first);
    let later = Timestamp::constant(1_790_000_001, 0);
    all.mark(MarkedDay { at: later, ..marked("office", "2026-09-09", Mark::Default) });
    assert_ne!(version(&all), opened);
    let open = OwnCalendar { opened: [day("2026-12-25")].into(), ..OwnCalendar::default() };
    let closed = OwnCalendar { closed: [day("2026-12-25")].into(), ..OwnCalendar::default() };
    let of = |own: OwnCalendar| version(&Calendars::new([(name("office"), own)].into()));
    let all: BTreeSet<u64> = [open, closed, OwnCalendar::default()].map(of).into();
    assert_eq!(all.len(), 3, "with the configuration");
}

#[test]
fn a_calendar_is_found_in_any_case_of_its_letters() {
    let all = calendars();
    for (told, found) in [("br-sp", Some("BR-SP")), ("OFFICE", Some("office")), ("nowhere", None), ("", None)]
    {
        assert_eq!(all.find(told).as_ref().map(CalendarName::as_str), found, "{told}");
    }
}

#[test]
fn the_days_of_a_calendar_that_is_not_known_are_closed() {
    let all = calendars();
    assert_eq!(all.days(&name("nowhere")).on(day("2026-11-23")), Day::Unknown);
    assert!(Day::Unknown.is_closed() && !all.knows(&name("nowhere")) && all.knows(&name("bare")));
}

#[test]
fn holidays_are_known_to_the_end_of_the_data() {
    let all = calendars();
    let last = holidays::last_day();
    let next = last.tomorrow().unwrap();
    for (calendar, knows_later) in [("BR", false), ("office", false), ("bare", true)] {
        let days = all.days(&name(calendar));
        assert_eq!((days.covers(last), days.covers(next)), (true, knows_later), "{calendar}");
    }
}

#[test]
fn a_name_is_short_and_plain() {
    let long = "a".repeat(40);
    for good in ["a", "BR-SP", "our_office-2", &long] {
        assert!(good.parse::<CalendarName>().is_ok(), "{good}");
    }
    let longer = "a".repeat(41);
    for bad in ["", "2a", "-a", "a b", "São", "a@b", &longer] {
        assert!(bad.parse::<CalendarName>().is_err(), "{bad}");
    }
}
