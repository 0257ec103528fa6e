//! Calling hours in the consumer's time zone, with changes to and from summer time.
//!
//! A span opens and closes at the instants that its local times name on that date. The part of a span that a
//! clock change skips is passed over: a local time in it means the moment of the change. A local time that
//! occurs twice means its first occurrence.
//!
//! A span belongs to the day on which it opens. On a day that the calendar of the hours closes, no span opens.

use jiff::civil::{Date, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::domain::calendar::Opening;
use crate::domain::{Reason, zones};

/// The first instant at or after `from` and before `until` at which calls are allowed, if there is one.
#[must_use]
pub fn next_open(hours: Opening<'_>, from: Timestamp, until: Timestamp) -> Option<Timestamp> {
    if hours.hours().also.is_empty() {
        return next_open_in(hours, &hours.hours().zone, from, until);
    }
    // All zones have to be open. Each step goes to an opening of one of them.
    let mut at = from;
    loop {
        let mut next = at;
        for zone in hours.hours().zones() {
            next = next_open_in(hours, zone, next, until)?;
        }
        if next == at {
            return Some(at);
        }
        at = next;
    }
}

/// The same in one of the zones.
fn next_open_in(hours: Opening<'_>, zone: &str, from: Timestamp, until: Timestamp) -> Option<Timestamp> {
    let zone = zones::zone(zone).ok()?;
    // Hours that began on the day before may last until now.
    let first = from.to_zoned(zone.clone()).date().yesterday().ok()?;
    let last = until.to_zoned(zone.clone()).date();
    let mut dates = first.series(1.day()).take_while(|date| *date <= last);
    let open = dates.find_map(|date| {
        spans_on(hours, date, &zone).filter(|&(_, close)| close > from).map(|(open, _)| open.max(from)).min()
    });
    open.filter(|&open| open < until)
}

/// Start and end of the last open hours before `until` that are open at or after `from`, if any.
#[must_use]
pub fn last_open(hours: Opening<'_>, from: Timestamp, until: Timestamp) -> Option<(Timestamp, Timestamp)> {
    if hours.hours().also.is_empty() {
        return last_open_in(hours, &hours.hours().zone, from, until);
    }
    // Each step goes back to a close of one of the zones, until all are open before the same moment.
    let mut end = until;
    loop {
        let (mut opened, mut closed) = (from, end);
        for zone in hours.hours().zones() {
            let (open, close) = last_open_in(hours, zone, from, end)?;
            (opened, closed) = (opened.max(open), closed.min(close));
        }
        if closed == end {
            return Some((opened, end));
        }
        end = closed;
    }
}

/// The same in one of the zones.
fn last_open_in(
    hours: Opening<'_>,
    zone: &str,
    from: Timestamp,
    until: Timestamp,
) -> Option<(Timestamp, Timestamp)> {
    let zone = zones::zone(zone).ok()?;
    let last = until.to_zoned(zone.clone()).date();
    let first = from.to_zoned(zone.clone()).date().yesterday().ok()?;
    let mut dates = last.series((-1).day()).take_while(|date| *date >= first);
    dates.find_map(|date| {
        spans_on(hours, date, &zone)
            .map(|(open, close)| (open.max(from), close.min(until)))
            .filter(|(open, close)| open < close)
            .max_by_key(|&(_, close)| close)
    })
}

/// Whether calls are allowed at `now`. The opening is inclusive, the close exclusive.
#[must_use]
pub fn is_open(hours: Opening<'_>, now: Timestamp) -> bool {
    next_open(hours, now, now + SignedDuration::from_nanos(1)) == Some(now)
}

/// Hours that do not open within this time never open: a year has every weekday and every clock change.
pub const FAR: SignedDuration = SignedDuration::from_hours(24 * 366);

/// How long a phone usually takes to ring after its call was placed. This is not documented.
pub const DIALLING: SignedDuration = SignedDuration::from_secs(5);

/// The first time at or after `from` and before `until` at which a call may be placed. The phone rings a
/// little later, and must not ring after the close.
#[must_use]
pub fn next_dial(hours: Opening<'_>, from: Timestamp, until: Timestamp) -> Option<Timestamp> {
    let open = next_open(hours, from, until)?;
    let rings = open.checked_add(DIALLING).ok()?;
    if is_open(hours, rings) { Some(open) } else { next_open(hours, rings, until) }
}

/// Whether a call that is placed at `now` rings within the hours.
#[must_use]
pub fn may_dial(hours: Opening<'_>, now: Timestamp) -> bool {
    is_open(hours, now) && now.checked_add(DIALLING).is_ok_and(|rings| is_open(hours, rings))
}

/// The last close of the `count`th day, in the first zone of the hours, on which they open, counted from `from`.
///
/// A day is a calendar day. It counts if hours that start on it are open at or after `from`, so the day of `from`
/// counts unless its hours have closed. A day whose hours a clock change swallows does not count. `None` if `count`
/// is 0 or there are fewer such days within [`FAR`].
#[must_use]
pub fn close_of_open_day(hours: Opening<'_>, from: Timestamp, count: usize) -> Option<Timestamp> {
    let zone = zones::zone(&hours.hours().zone).ok()?;
    let first = from.to_zoned(zone.clone()).date();
    let last = from.checked_add(FAR).ok()?.to_zoned(zone.clone()).date();
    let dates = first.series(1.day()).take_while(|date| *date <= last);
    let close_on = |date: Date| {
        if hours.hours().also.is_empty() {
            return spans_on(hours, date, &zone).map(|(_, close)| close).filter(|&close| close > from).max();
        }
        let midnight = |date: Date| instant(date, Time::MIN, &zone);
        let (begins, ends) = (midnight(date)?, midnight(date.tomorrow().ok()?)?);
        last_open(hours, from.max(begins), ends).map(|(_, close)| close)
    };
    dates.filter_map(close_on).nth(count.checked_sub(1)?)
}

/// The last open day before that of `at`: when it opens, and for how long it is open. A day is a calendar day in the first zone
/// of the hours. `None` if no day that opens at or after `from` is open before.
#[must_use]
pub fn open_day_before(
    hours: Opening<'_>,
    at: Timestamp,
    from: Timestamp,
) -> Option<(Timestamp, SignedDuration)> {
    let zone = zones::zone(&hours.hours().zone).ok()?;
    let begins = |moment: Timestamp| instant(moment.to_zoned(zone.clone()).date(), Time::MIN, &zone);
    let today = begins(at)?;
    let (open, _) = last_open(hours, from, today)?;
    let opens_at = next_open(hours, begins(open)?.max(from), today)?;
    let longest = SignedDuration::from_hours(25);
    Some((opens_at, open_time(hours, opens_at, today, longest)))
}

/// Why nothing is done at `from`, where `opens_at` is the next opening: the calendar, if the hours alone would open
/// before, or the hours.
#[must_use]
pub fn closed(hours: Opening<'_>, from: Timestamp, opens_at: Timestamp) -> Reason {
    let is_by_calendar = next_open(hours.without_calendar(), from, opens_at).is_some();
    match hours.calendar().filter(|_| is_by_calendar) {
        Some(calendar) => Reason::CalendarClosed { calendar: calendar.clone(), opens_at },
        None => Reason::OutsideHours { opens_at },
    }
}

/// When the hours that are open at `now` close; `None` if they are closed. Of several spans, the one that closes last.
#[must_use]
pub fn closes_at(hours: Opening<'_>, now: Timestamp) -> Option<Timestamp> {
    let closes_in = |zone: &str| {
        let zone = zones::zone(zone).ok()?;
        let today = now.to_zoned(zone.clone()).date();
        let yesterday = today.yesterday().unwrap_or(today);
        let spans = [yesterday, today].into_iter().flat_map(|date| spans_on(hours, date, &zone));
        spans.filter(|&(open, close)| open <= now && now < close).map(|(_, close)| close).max()
    };
    let closes: Option<Vec<Timestamp>> = hours.hours().zones().map(closes_in).collect();
    closes?.into_iter().min()
}

/// For how long in all calls are allowed at or after `from` and before `until`. What is beyond `enough` is not counted.
#[must_use]
pub fn open_time(
    hours: Opening<'_>,
    from: Timestamp,
    until: Timestamp,
    enough: SignedDuration,
) -> SignedDuration {
    if !hours.hours().also.is_empty() {
        return open_time_in_all(hours, from, until, enough);
    }
    let Ok(zone) = zones::zone(&hours.hours().zone) else { return SignedDuration::ZERO };
    let local = from.to_zoned(zone.clone()).date();
    let first = local.yesterday().unwrap_or(local);
    let last = until.to_zoned(zone.clone()).date();
    let (mut counted_to, mut total) = (from, SignedDuration::ZERO);
    for date in first.series(1.day()).take_while(|date| *date <= last) {
        let mut spans: Vec<_> = spans_on(hours, date, &zone).collect();
        spans.sort_unstable();
        for (open, close) in spans {
            let (open, close) = (open.max(counted_to), close.min(until));
            if open < close {
                total += close.duration_since(open);
                counted_to = close;
            }
        }
        if total >= enough {
            return enough;
        }
    }
    total
}

/// The same in several zones, from opening to close.
fn open_time_in_all(
    hours: Opening<'_>,
    from: Timestamp,
    until: Timestamp,
    enough: SignedDuration,
) -> SignedDuration {
    let (mut at, mut total) = (from, SignedDuration::ZERO);
    while total < enough
        && let Some(open) = next_open(hours, at, until)
        && let Some(close) = closes_at(hours, open)
    {
        at = close.min(until);
        total += at.duration_since(open);
    }
    total.min(enough)
}

fn spans_on<'a>(
    opening: Opening<'a>,
    date: Date,
    zone: &'a TimeZone,
) -> impl Iterator<Item = (Timestamp, Timestamp)> + 'a {
    let spans = if opening.on(date).is_closed() { &[][..] } else { &opening.hours().spans };
    spans.iter().filter(move |span| span.days.contains(date.weekday())).filter_map(move |span| {
        let open = instant(date, span.from, zone)?;
        let close = if span.to == Time::MAX {
            instant(date.tomorrow().ok()?, Time::MIN, zone)?
        } else {
            instant(date, span.to, zone)?
        };
        // A clock change can skip a whole short span.
        (open < close).then_some((open, close))
    })
}

fn instant(date: Date, time: Time, zone: &TimeZone) -> Option<Timestamp> {
    let named = zone.to_ambiguous_zoned(date.to_datetime(time));
    let skipped = matches!(named.offset(), AmbiguousOffset::Gap { .. });
    let at = named.compatible().ok()?.timestamp();
    if !skipped {
        return Some(at);
    }
    // The change is the last one at or before the time that was moved forward by it.
    let after = at.checked_add(SignedDuration::from_nanos(1)).ok()?;
    zone.preceding(after).next().map(|change| change.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Calendars, CallingHours};

    /// Hours for the whole test; each is small.
    fn hours(text: &str) -> Opening<'static> {
        let hours: &'static CallingHours = Box::leak(Box::new(text.parse().unwrap()));
        Box::leak(Box::new(Calendars::default())).opening(hours)
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn far(from: Timestamp) -> Timestamp {
        from + FAR
    }

    #[test]
    fn hours_open_on_the_second_and_close_on_the_second() {
        let office = hours("mon+tue+wed+thu+fri 09:00-18:00 @America/Sao_Paulo");
        // 2026-11-23 is a Monday; Sao Paulo is three hours behind UTC.
        assert!(!is_open(office, at("2026-11-23T11:59:59Z")));
        assert!(is_open(office, at("2026-11-23T12:00:00Z")));
        assert!(is_open(office, at("2026-11-23T20:59:59Z")));
        assert!(!is_open(office, at("2026-11-23T21:00:00Z")));
    }

    #[test]
    fn nothing_is_dialled_that_would_ring_after_the_close() {
        let office = hours("mon+tue+wed+thu+fri 09:00-12:00, daily 12:00-18:00 @America/Sao_Paulo");
        let dial = |text: &str| next_dial(office, at(text), far(at(text)));
        assert_eq!(dial("2026-11-23T20:59:54Z"), Some(at("2026-11-23T20:59:54Z")));
        assert_eq!(dial("2026-11-23T20:59:55Z"), Some(at("2026-11-24T12:00:00Z")));
        // An adjoining span is not a close.
        assert_eq!(dial("2026-11-23T14:59:59Z"), Some(at("2026-11-23T14:59:59Z")));
    }

    #[test]
    fn the_last_hours_before_a_moment_end_at_the_close_or_at_the_moment() {
        let split = hours("mon+tue+wed+thu+fri 09:00-12:00, mon 14:00-18:00 @UTC");
        let (monday, tuesday) = (at("2026-11-23T00:00:00Z"), at("2026-11-24T09:00:00Z"));
        let last = |from, until: &str| last_open(split, from, at(until));
        let span = |open, close| Some((at(open), at(close)));
        assert_eq!(
            last(monday, "2026-11-23T14:00:00Z"),
            span("2026-11-23T09:00:00Z", "2026-11-23T12:00:00Z")
        );
        assert_eq!(
            last(monday, "2026-11-23T14:00:01Z"),
            span("2026-11-23T14:00:00Z", "2026-11-23T14:00:01Z")
        );
        assert_eq!(
            last(monday, "2026-11-24T08:00:00Z"),
            span("2026-11-23T14:00:00Z", "2026-11-23T18:00:00Z")
        );
        assert_eq!(last(tuesday, "2026-11-24T09:00:00Z"), None);
        assert_eq!(last(at("2026-11-23T18:00:00Z"), "2026-11-24T09:00:00Z"), None);
    }

    #[test]
    fn hours_are_looked_for_until_the_deadline_and_no_further() {
        // The Sunday of 8 March 2026 has no such hour in New York, so the next one is a fortnight after the
        // last.
        let weekly = hours("sun 02:00-03:00 @America/New_York");
        let (last, next) = (at("2026-03-01T08:00:00Z"), at("2026-03-15T06:00:00Z"));
        let second = SignedDuration::from_secs(1);
        assert_eq!(next_open(weekly, last, next), None);
        assert_eq!(next_open(weekly, last, next + second), Some(next));
        assert_eq!(next_dial(weekly, last, next + second), Some(next));
        assert_eq!(last_open(weekly, last, next), None);
        assert_eq!(last_open(weekly, last, next + second), Some((next, next + second)));
        let before = last - second;
        assert_eq!(last_open(weekly, before, next), Some((before, last)), "the same, looked at from behind");
    }

    #[test]
    fn the_third_open_day_ends_with_its_last_close() {
        let end = |text: &str, from: &str, count| {
            close_of_open_day(hours(text), at(from), count).map(|at| at.to_string())
        };
        let office = "mon-fri 09:00-12:00, mon-fri 14:00-18:00 @America/Sao_Paulo";
        // 2026-11-23 is a Monday; Sao Paulo is three hours behind UTC. Its day counts until the close.
        for (from, expected) in [
            ("2026-11-23T03:00:00Z", "2026-11-25T21:00:00Z"),
            ("2026-11-23T20:59:59Z", "2026-11-25T21:00:00Z"),
            ("2026-11-23T21:00:00Z", "2026-11-26T21:00:00Z"),
            // Monday in UTC, and still Sunday there.
            ("2026-11-23T02:59:59Z", "2026-11-25T21:00:00Z"),
            // Thursday, Friday, Monday.
            ("2026-11-26T12:00:00Z", "2026-11-30T21:00:00Z"),
        ] {
            assert_eq!(end(office, from, 3).as_deref(), Some(expected), "{from}");
        }
        assert_eq!(end(office, "2026-11-23T12:00:00Z", 1).as_deref(), Some("2026-11-23T21:00:00Z"));
        assert_eq!(end(office, "2026-11-23T12:00:00Z", 0), None);
        // Hours on one weekday only end in the third week, and a whole day ends at midnight.
        let sundays = "sun 00:00-24:00 @Asia/Kolkata";
        assert_eq!(end(sundays, "2026-11-22T18:29:59Z", 3).as_deref(), Some("2026-12-06T18:30:00Z"));
        assert_eq!(end(sundays, "2026-11-22T18:30:00Z", 3).as_deref(), Some("2026-12-13T18:30:00Z"));
    }

    #[test]
    fn an_open_day_ends_by_the_clock_of_its_own_date() {
        let end =
            |text: &str, from: &str| close_of_open_day(hours(text), at(from), 3).map(|at| at.to_string());
        // New York goes from -05:00 to -04:00 on Sunday 2026-03-08, and back on Sunday 2026-11-01.
        let daily = "daily 09:00-18:00 @America/New_York";
        assert_eq!(end(daily, "2026-03-06T12:00:00Z").as_deref(), Some("2026-03-08T22:00:00Z"));
        assert_eq!(end(daily, "2026-03-05T12:00:00Z").as_deref(), Some("2026-03-07T23:00:00Z"));
        assert_eq!(end(daily, "2026-10-30T12:00:00Z").as_deref(), Some("2026-11-01T23:00:00Z"));
        assert_eq!(end(daily, "2026-10-29T12:00:00Z").as_deref(), Some("2026-10-31T22:00:00Z"));
        // The night of 2026-03-08 has no such hour, so the third open day is the 9th.
        let night = "daily 02:00-03:00 @America/New_York";
        assert_eq!(end(night, "2026-03-06T06:00:00Z").as_deref(), Some("2026-03-09T07:00:00Z"));
        assert_eq!(end(night, "2026-03-05T06:00:00Z").as_deref(), Some("2026-03-07T08:00:00Z"));
    }

    #[test]
    fn open_time_is_what_is_left_of_the_hours_before_the_deadline() {
        let split = "mon-fri 09:00-12:00, mon 11:00-13:00, mon 14:00-18:00 @UTC";
        let day = SignedDuration::from_hours(24);
        let open = |from: &str, until: &str| open_time(hours(split), at(from), at(until), day).as_secs();
        assert_eq!(open("2026-11-23T08:00:00Z", "2026-11-23T09:00:00Z"), 0);
        assert_eq!(open("2026-11-23T08:00:00Z", "2026-11-23T09:00:01Z"), 1);
        assert_eq!(open("2026-11-23T10:30:00Z", "2026-11-23T11:30:00Z"), 3600);
        // Where spans overlap, the time counts once.
        assert_eq!(open("2026-11-23T08:00:00Z", "2026-11-23T23:00:00Z"), 8 * 3600);
        assert_eq!(open("2026-11-23T17:30:00Z", "2026-11-24T09:29:59Z"), 3600 - 1);
        assert_eq!(open("2026-11-20T12:00:00Z", "2026-11-23T09:10:00Z"), 600);
        let hour = SignedDuration::from_hours(1);
        assert_eq!(
            open_time(hours(split), at("2026-11-23T08:00:00Z"), at("2026-11-27T08:00:00Z"), hour),
            hour
        );
        // Of the hour from one to three, the night of the change has one.
        let night = hours("daily 01:00-03:00 @America/New_York");
        let left = |from: &str| open_time(night, at(from), at("2026-03-08T20:00:00Z"), day).as_secs();
        assert_eq!(left("2026-03-08T05:00:00Z"), 3600);
        // Hours of yesterday that last until midnight.
        let late = hours("sun 22:00-24:00 @America/Sao_Paulo");
        assert_eq!(
            open_time(late, at("2026-11-23T02:30:00Z"), at("2026-11-24T00:00:00Z"), day).as_secs(),
            1800
        );
    }

    #[test]
    fn in_several_zones_all_have_to_be_open() {
        // New York is two hours before Denver: nine there is eleven here.
        let both = hours("mon-fri 09:00-18:00 @America/New_York and America/Denver");
        let next = |from: &str| next_open(both, at(from), far(at(from))).map(|at| at.to_string());
        // 2026-11-23 is a Monday; New York is five hours behind UTC.
        assert_eq!(next("2026-11-23T14:00:00Z").as_deref(), Some("2026-11-23T16:00:00Z"), "Denver opens");
        assert_eq!(next("2026-11-23T22:59:59Z").as_deref(), Some("2026-11-23T22:59:59Z"));
        assert_eq!(
            next("2026-11-23T23:00:00Z").as_deref(),
            Some("2026-11-24T16:00:00Z"),
            "New York has closed"
        );
        assert_eq!(next("2026-11-27T23:00:00Z").as_deref(), Some("2026-11-30T16:00:00Z"), "the weekend");
        assert_eq!(closes_at(both, at("2026-11-23T16:00:00Z")), Some(at("2026-11-23T23:00:00Z")));
        assert_eq!(closes_at(both, at("2026-11-23T15:59:59Z")), None);
        let last = |until: &str| last_open(both, at("2026-11-23T00:00:00Z"), at(until));
        let monday = (at("2026-11-23T16:00:00Z"), at("2026-11-23T23:00:00Z"));
        assert_eq!(last("2026-11-24T16:00:00Z"), Some(monday));
        assert_eq!(
            last("2026-11-24T16:00:01Z"),
            Some((at("2026-11-24T16:00:00Z"), at("2026-11-24T16:00:01Z")))
        );
        assert_eq!(last("2026-11-23T16:00:00Z"), None);
        let day = SignedDuration::from_hours(24);
        let open = |from: &str, until: &str| open_time(both, at(from), at(until), day).as_hours();
        assert_eq!(open("2026-11-23T00:00:00Z", "2026-11-25T00:00:00Z"), 14);
        assert_eq!(open("2026-11-23T00:00:00Z", "2026-11-28T00:00:00Z"), 24, "and no more than enough");
        let third = close_of_open_day(both, at("2026-11-23T23:00:00Z"), 3);
        assert_eq!(third, Some(at("2026-11-26T23:00:00Z")));
    }

    #[test]
    fn zones_that_are_never_open_together_never_open() {
        let never = hours("daily 09:00-12:00 @America/New_York and Asia/Kolkata");
        let from = at("2026-11-23T12:00:00Z");
        assert_eq!(next_open(never, from, far(from)), None);
        assert_eq!(last_open(never, from, far(from)), None);
        assert_eq!(close_of_open_day(never, from, 1), None);
    }

    #[test]
    fn each_zone_has_its_own_closed_days() {
        use crate::domain::calendar::OwnCalendar;
        let office = OwnCalendar { closed: ["2026-11-24".parse().unwrap()].into(), ..OwnCalendar::default() };
        let calendars = Calendars::new([("office".parse().unwrap(), office)].into());
        let text = "daily 00:00-24:00 @Asia/Kolkata and America/New_York except office";
        let both: CallingHours = text.parse().unwrap();
        let next = |from: &str| next_open(calendars.opening(&both), at(from), far(at(from)));
        // The day begins at 18:30 UTC in Kolkata, and ends at 05:00 UTC in New York.
        assert_eq!(next("2026-11-23T18:29:59Z"), Some(at("2026-11-23T18:29:59Z")));
        assert_eq!(next("2026-11-23T18:30:00Z"), Some(at("2026-11-25T05:00:00Z")));
    }

    #[test]
    fn after_friday_comes_monday() {
        let office = hours("mon+tue+wed+thu+fri 09:00-18:00 @America/Sao_Paulo");
        assert_eq!(
            next_open(office, at("2026-11-20T21:00:00Z"), far(at("2026-11-20T21:00:00Z"))),
            Some(at("2026-11-23T12:00:00Z"))
        );
    }

    #[test]
    fn the_earlier_of_two_spans_opens_first() {
        let split = hours("daily 14:00-18:00, daily 09:00-12:00 @UTC");
        assert_eq!(
            next_open(split, at("2026-11-23T07:00:00Z"), far(at("2026-11-23T07:00:00Z"))),
            Some(at("2026-11-23T09:00:00Z"))
        );
        assert_eq!(
            next_open(split, at("2026-11-23T12:00:00Z"), far(at("2026-11-23T12:00:00Z"))),
            Some(at("2026-11-23T14:00:00Z"))
        );
    }

    #[test]
    fn a_day_may_last_until_midnight() {
        let always = hours("daily 00:00-24:00 @Asia/Kolkata");
        for second in ["2026-11-23T18:29:59Z", "2026-11-23T18:30:00Z", "2026-11-23T18:30:01Z"] {
            assert!(is_open(always, at(second)));
        }
    }

    #[test]
    fn the_part_of_a_span_that_a_clock_change_skips_is_passed_over() {
        // New York skips 02:00-03:00 on 2026-03-08; the change is at 07:00Z.
        let late_start = hours("daily 02:30-05:00 @America/New_York");
        assert!(!is_open(late_start, at("2026-03-08T06:59:59Z")));
        assert!(is_open(late_start, at("2026-03-08T07:00:00Z")));
        assert!(!is_open(late_start, at("2026-03-08T09:00:00Z")));
        let early_end = hours("daily 01:30-02:30 @America/New_York");
        assert!(!is_open(early_end, at("2026-03-08T06:29:59Z")));
        assert!(is_open(early_end, at("2026-03-08T06:59:59Z")));
        assert!(!is_open(early_end, at("2026-03-08T07:00:00Z")), "03:00 is not before 02:30");
        let around = hours("daily 01:00-04:00 @America/New_York");
        assert!(is_open(around, at("2026-03-08T06:00:00Z")) && is_open(around, at("2026-03-08T07:59:59Z")));
        assert!(!is_open(around, at("2026-03-08T08:00:00Z")));
    }

    #[test]
    fn hours_that_a_clock_change_swallows_do_not_open_that_day() {
        for hours in [
            "daily 02:00-03:00 @America/New_York",
            "daily 02:30-03:00 @America/New_York",
            "daily 02:00-02:30 @America/New_York",
            "daily 02:15-02:45 @America/New_York",
        ] {
            let night = self::hours(hours);
            let from = at("2026-03-08T06:00:00Z");
            let next = next_open(night, from, far(from)).unwrap();
            assert_eq!(next.to_zoned(TimeZone::UTC).date(), Date::constant(2026, 3, 9), "{hours}");
        }
    }

    #[test]
    fn a_repeated_local_time_means_its_first_occurrence() {
        // New York repeats 01:00-02:00 on 2026-11-01: 01:30 is 05:30Z, then 06:30Z.
        let early = hours("daily 01:30-04:00 @America/New_York");
        assert!(!is_open(early, at("2026-11-01T05:29:59Z")));
        assert!(is_open(early, at("2026-11-01T05:30:00Z")));
        assert!(is_open(early, at("2026-11-01T06:15:00Z")));
        assert!(!is_open(early, at("2026-11-01T09:00:00Z")));
    }

    #[test]
    fn a_half_hour_change_is_honoured() {
        // Lord Howe moves from +10:30 to +11 at 02:00 on 2026-10-04: 02:00-02:30 is skipped, at 15:30Z.
        let early = hours("daily 02:10-03:00 @Australia/Lord_Howe");
        assert!(!is_open(early, at("2026-10-03T15:29:59Z")));
        assert!(is_open(early, at("2026-10-03T15:30:00Z")));
        assert!(!is_open(early, at("2026-10-03T16:00:00Z")));
    }
}
