//! After a call that nobody answered, the next one goes to a part of the day in which the person was not called yet.
//!
//! Parts are those of the first zone of the hours. Calls of the last seven days count, for all callbacks of the person.

use std::collections::BTreeSet;
use std::ops::Range;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::{Caps, Case, Rules, rolling, window};
use crate::domain::calendar::Opening;
use crate::domain::{Calendars, Callback, DayPart, Disposition, Reason, zones};

/// When the next call may be placed after one that ended so. `times` begin with the time by the delay alone, and end with
/// the deadline or the end of the permission; `calls` are those of the person, oldest first. It is the first of these times,
/// unless the hours are open later among them in a part of the day without a call.
#[must_use]
pub fn shifted(
    times: Range<Timestamp>,
    disposition: Disposition,
    callback: &Callback,
    calls: &[Timestamp],
    calendars: &Calendars,
    rules: &Rules,
) -> Timestamp {
    let Range { start: at, end: until } = times;
    let hours = callback.order.hours.as_ref().filter(|_| rules.retry.shift);
    let Some(hours) = hours.filter(|_| disposition == Disposition::NoAnswer) else { return at };
    let hours = calendars.opening(hours);
    let Some(zone) = zone(hours) else { return at };
    let tried = tried(calls, at, &zone);
    elsewhere(hours, &tried, at, until, &zone).unwrap_or(at)
}

/// The parts of the day in which the person was called.
fn tried(calls: &[Timestamp], at: Timestamp, zone: &TimeZone) -> BTreeSet<DayPart> {
    let recent = calls.iter().skip(calls.len() - rolling::inside(calls, at, Caps::WEEK));
    recent.map(|call| part(*call, zone)).collect()
}

fn part(at: Timestamp, zone: &TimeZone) -> DayPart {
    DayPart::of(at.to_zoned(zone.clone()).time())
}

fn zone(hours: Opening<'_>) -> Option<TimeZone> {
    zones::zone(&hours.hours().zone).ok()
}

/// The first time to dial from `from` on and before `until` in a part of the day that was not tried.
fn elsewhere(
    hours: Opening<'_>,
    tried: &BTreeSet<DayPart>,
    from: Timestamp,
    until: Timestamp,
    zone: &TimeZone,
) -> Option<Timestamp> {
    let first = from.to_zoned(zone.clone()).date();
    let last = until.to_zoned(zone.clone()).date();
    let untried = DayPart::ALL.into_iter().filter(|part| !tried.contains(part));
    let untried: Vec<DayPart> = untried.collect();
    // Hours that do not open within two weeks open in no other part soon.
    let dates = first.series(1.day()).take_while(|date| *date <= last).take(15);
    let mut all = dates.flat_map(|date| untried.iter().map(move |part| (date, *part)));
    all.find_map(|(date, part)| {
        let moment = |time| date.to_datetime(time).to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp());
        let begins = moment(part.begins())?;
        let ends = match DayPart::ALL.into_iter().find(|next| *next > part) {
            Some(next) => moment(next.begins())?,
            None => date.tomorrow().ok()?.to_zoned(zone.clone()).ok()?.timestamp(),
        };
        let (from, until) = (begins.max(from), ends.min(until));
        if from < until { window::next_dial(hours, from, until) } else { None }
    })
}

/// The reason to wait until `at` if that is in a part of the day in which the person was not called.
pub(super) fn reason(case: &Case<'_>, at: Timestamp) -> Option<Reason> {
    if !case.rules.retry.shift || case.person.calls.is_empty() {
        return None;
    }
    let zone = zone(case.hours?)?;
    let part = part(at, &zone);
    let is_other = !tried(&case.person.calls, at, &zone).contains(&part);
    is_other.then_some(Reason::RetryShifted { at, part })
}
