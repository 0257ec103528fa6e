//! `[calendars.<name>]`: our own calendars.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::domain::WrittenHours;
use crate::domain::calendar::{CalendarName, Calendars, OwnCalendar, holidays};

use super::section::{Reading, Section};
use super::tree::{Origin, Value};
use super::value::{Setting, quoted};

/// The most days that one list names.
const DAYS_MOST: usize = 4_000;

/// Days of a list: single ones, or from the first to the last one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct DayList(BTreeSet<Date>);

/// Reads one calendar.
pub(super) fn read(name: &str, section: &mut Section<'_>) -> Option<(CalendarName, OwnCalendar)> {
    let own = name.parse::<CalendarName>();
    if let Err(error) = own {
        section.fault("", error.to_string());
    } else if holidays::find(name).is_some() {
        section.fault("", "is the name of a calendar of the program: take another one");
    }
    let base = section.ask("holidays").rule(|name: &CalendarName| {
        let is_known = holidays::find(name.as_str()).is_some();
        if is_known { Ok(()) } else { Err(unknown(name)) }
    });
    let base = base.optional();
    let closed: DayList = section.ask("closed").or(DayList::default());
    let opened: DayList = section.ask("open").or(DayList::default());
    let spelt = |name: CalendarName| Calendars::default().find(name.as_str()).unwrap_or(name);
    Some((own.ok()?, OwnCalendar { holidays: base.map(spelt), closed: closed.0, opened: opened.0 }))
}

/// The hours of a section with their calendar as its own name spells it, or a fault if there is none.
pub(super) fn settle(
    hours: &mut Option<WrittenHours>,
    section: &str,
    own: &BTreeMap<CalendarName, OwnCalendar>,
    reading: &mut Reading,
) {
    let Some(hours) = hours else { return };
    let Some(name) = &hours.calendar else { return };
    match Calendars::new(own.clone()).find(name.as_str()) {
        Some(spelt) => hours.calendar = Some(spelt),
        None => {
            let origin = reading.answers.iter().find(|it| it.section == section && it.key == "hours");
            let origin = origin.map_or(Origin::Nowhere, |answer| answer.origin.clone());
            reading.fault(&origin, &format!("{section}.hours"), unknown(name));
        }
    }
}

fn unknown(name: &CalendarName) -> String {
    format!(
        "names the calendar {}, which is neither a country or region of the program's data, such as \"BR\" or \
         \"BR-SP\", nor a section [calendars.<name>]",
        quoted(name.as_str())
    )
}

impl Setting for CalendarName {
    const EXPECTED: &'static str = "the name of a calendar, such as \"BR-SP\"";
    const KIND: &'static str = "calendar";

    fn read(value: &Value) -> Result<Self, String> {
        String::read(value)?.parse().map_err(|_| "is no name of a calendar".to_owned())
    }

    fn write(&self) -> String {
        quoted(self.as_str())
    }
}

impl Setting for DayList {
    const EXPECTED: &'static str =
        "a list of days or spans of days, such as [\"2026-12-24\", \"2026-12-28..2027-01-06\"]";
    const KIND: &'static str = "list of days";

    fn read(value: &Value) -> Result<Self, String> {
        if *value == Value::List(Vec::new()) {
            return Ok(Self::default());
        }
        let mut days = BTreeSet::new();
        for text in Vec::<String>::read(value)? {
            let (first, last) = span(&text).ok_or_else(|| {
                let shown: String = text.chars().take(40).collect();
                format!("has {}, which is no day and no span of days", quoted(&shown))
            })?;
            days.extend(
                first.series(jiff::Span::new().days(1)).take_while(|day| *day <= last).take(DAYS_MOST + 1),
            );
            if days.len() > DAYS_MOST {
                return Err(format!("names more than {DAYS_MOST} days"));
            }
        }
        Ok(Self(days))
    }

    fn write(&self) -> String {
        let mut spans: Vec<(Date, Date)> = Vec::new();
        for &day in &self.0 {
            match spans.last_mut() {
                Some((_, last)) if last.tomorrow().ok() == Some(day) => *last = day,
                _ => spans.push((day, day)),
            }
        }
        let text = |(first, last): (Date, Date)| match first == last {
            true => first.to_string(),
            false => format!("{first}..{last}"),
        };
        spans.into_iter().map(text).collect::<Vec<_>>().write()
    }
}

/// `2026-12-24`, or `2026-12-28..2027-01-06` with both ends.
fn span(text: &str) -> Option<(Date, Date)> {
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let (first, last) = (day(first.trim())?, day(last.trim())?);
    (first <= last).then_some((first, last))
}

/// A day as `YYYY-MM-DD`, and in no other form.
fn day(text: &str) -> Option<Date> {
    let date: Date = text.parse().ok()?;
    (date.to_string() == text).then_some(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(texts: &[&str]) -> Result<DayList, String> {
        DayList::read(&Value::List(texts.iter().map(|text| Value::Text((*text).to_owned())).collect()))
    }

    #[test]
    fn a_list_has_days_and_spans_and_is_written_short() {
        let days = read(&["2026-12-24", "2026-12-31..2027-01-02", "2026-12-25"]).unwrap();
        assert_eq!(days.0.len(), 5);
        assert_eq!(days.write(), "[\"2026-12-24..2026-12-25\", \"2026-12-31..2027-01-02\"]");
        assert_eq!(read(&[]).unwrap().write(), "[]");
    }

    #[test]
    fn what_is_no_day_is_refused_with_its_text() {
        for text in
            ["24.12.2026", "2026-12-24T00:00:00Z", "2026-02-30", "2026-12-25..2026-12-24", "20261224", ""]
        {
            assert!(read(&[text]).is_err(), "{text}");
        }
        assert_eq!(read(&["tomorrow"]).unwrap_err(), "has \"tomorrow\", which is no day and no span of days");
    }

    #[test]
    fn a_list_names_a_bounded_number_of_days() {
        let first: Date = "2026-01-01".parse().unwrap();
        let span =
            |days: i32| format!("{first}..{}", first.checked_add(jiff::Span::new().days(days)).unwrap());
        assert_eq!(read(&[&span(3_999)]).unwrap().0.len(), 4_000);
        assert_eq!(read(&[&span(4_000)]).unwrap_err(), "names more than 4000 days");
    }
}
