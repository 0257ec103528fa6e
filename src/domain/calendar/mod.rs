//! Calendars: the days on which nobody is called, whatever the calling hours say.
//!
//! A calendar is one of the program's, with the public holidays of a country or a region, or one of the configuration. On
//! top of either an operator closes and opens single days. Of several rules for a day the first counts: closed by an
//! operator, closed by the configuration, opened by an operator or the configuration, a holiday.
//!
//! A calendar has no hours: a day that it does not close is open within the calling hours of the order. What does not
//! belong here: the search for the next opening, which is `policy::window`.

pub mod holidays;

mod mark;
mod name;
mod opening;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

use super::CallingHours;
use holidays::Holidays;

pub use mark::{CalendarMark, Mark, MarkedDay, oldest_marked};
pub use name::{CalendarName, NoCalendarName};
pub use opening::Opening;

/// A calendar of the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnCalendar {
    /// The program's calendar whose holidays it has.
    pub holidays: Option<CalendarName>,
    pub closed: BTreeSet<Date>,
    /// Days on which a holiday does not count.
    pub opened: BTreeSet<Date>,
}

/// What operators made of the days of one calendar.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Marks {
    days: BTreeMap<Date, MarkedDay>,
    /// When a day was last opened or given back.
    opened_at: Option<Timestamp>,
}

/// All calendars. Copies of it share everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calendars {
    own: Arc<BTreeMap<CalendarName, OwnCalendar>>,
    /// Of each calendar of the configuration: what its days are made from.
    digests: Arc<BTreeMap<CalendarName, Version>>,
    marks: Arc<BTreeMap<CalendarName, Marks>>,
}

/// What a calendar says about a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Day<'a> {
    Open,
    /// The configuration, or an operator, opened a day that would be a holiday.
    Opened(Option<&'a MarkedDay>),
    /// With the name of the holiday.
    Holiday(&'static str),
    /// The configuration closed it.
    Closed,
    ClosedBy(&'a MarkedDay),
    /// There is no such calendar, so that nothing is known of its days.
    Unknown,
}

impl Day<'_> {
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        !matches!(self, Self::Open | Self::Opened(_))
    }
}

/// The days of one calendar.
#[derive(Debug, Clone, Copy)]
pub struct Days<'a> {
    own: Option<&'a OwnCalendar>,
    holidays: Option<&'static Holidays>,
    marks: Option<&'a BTreeMap<Date, MarkedDay>>,
    is_known: bool,
}

impl Calendars {
    /// So many days of all calendars may be marked by operators at once.
    pub const MARKS_MOST: usize = 10_000;

    #[must_use]
    pub fn new(own: BTreeMap<CalendarName, OwnCalendar>) -> Self {
        let digests = own.iter().map(|(name, own)| (name.clone(), Version::of(own))).collect();
        Self { own: Arc::new(own), digests: Arc::new(digests), marks: Arc::default() }
    }

    /// The same calendars with these marks of operators.
    #[must_use]
    pub fn marked(&self, days: impl IntoIterator<Item = MarkedDay>) -> Self {
        let mut marked = Self { marks: Arc::default(), ..self.clone() };
        days.into_iter().for_each(|day| marked.mark(day));
        marked
    }

    /// Marks a day, in place of an earlier mark.
    pub fn mark(&mut self, day: MarkedDay) {
        let marks = Arc::make_mut(&mut self.marks);
        let marks = marks.entry(day.calendar.clone()).or_default();
        if day.mark != Mark::Closed {
            marks.opened_at = marks.opened_at.max(Some(day.at));
        }
        marks.days.insert(day.day, day);
    }

    /// Forgets the marks of earlier days.
    pub fn forget_before(&mut self, day: Date) {
        if self.marks.values().any(|marks| marks.days.range(..day).next().is_some()) {
            let marks = Arc::make_mut(&mut self.marks);
            marks.values_mut().for_each(|marks| marks.days = marks.days.split_off(&day));
        }
    }

    #[must_use]
    pub fn count_marks(&self) -> usize {
        self.marks.values().map(|marks| marks.days.len()).sum()
    }

    /// A number that changes when a day of the calendar may have opened: with the data, the configuration, or an
    /// operator's word. What waits for an open day waits for another version.
    #[must_use]
    pub fn version(&self, name: &CalendarName) -> u64 {
        let mut version = self.digests.get(name).copied().unwrap_or(Version::NONE);
        version.add(holidays::version());
        if let Some(at) = self.marks.get(name).and_then(|marks| marks.opened_at) {
            version.add(&at.as_microsecond().to_string());
        }
        version.0
    }

    /// The calendar with this name, in whatever case its letters are, as its own name spells it.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<CalendarName> {
        let own = self.own.keys().find(|own| own.as_str().eq_ignore_ascii_case(name));
        own.cloned().or_else(|| holidays::find(name).map(|(code, _)| CalendarName::bundled(code)))
    }

    #[must_use]
    pub fn knows(&self, name: &CalendarName) -> bool {
        self.own.contains_key(name) || holidays::find(name.as_str()).is_some()
    }

    /// The names of the calendars of the configuration.
    pub fn own(&self) -> impl Iterator<Item = (&CalendarName, &OwnCalendar)> {
        self.own.iter()
    }

    /// The days of a calendar. If there is none with this name, all its days are closed.
    #[must_use]
    pub fn days(&self, name: &CalendarName) -> Days<'_> {
        let own = self.own.get(name);
        let code = match own {
            Some(own) => own.holidays.as_ref(),
            None => Some(name),
        };
        let holidays = code.and_then(|code| holidays::find(code.as_str())).map(|(_, days)| days);
        let marks = self.marks.get(name).map(|marks| &marks.days);
        Days { own, holidays, marks, is_known: own.is_some() || holidays.is_some() }
    }

    /// Calling hours with the calendar that they name.
    #[must_use]
    pub fn opening<'a>(&'a self, hours: &'a CallingHours) -> Opening<'a> {
        Opening::new(hours, hours.calendar.as_ref().map(|name| self.days(name)))
    }

    /// Whether the calendar of these hours is missing from the configuration.
    #[must_use]
    pub fn lack(&self, hours: &CallingHours) -> bool {
        hours.calendar.as_ref().is_some_and(|name| !self.knows(name))
    }
}

/// A hash that is the same in every process (FNV-1a, 64 bits).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Version(u64);

impl Version {
    const NONE: Self = Self(0xcbf2_9ce4_8422_2325);

    fn of(own: &OwnCalendar) -> Self {
        let mut version = Self::NONE;
        own.holidays.iter().for_each(|code| version.add(code.as_str()));
        own.closed.iter().for_each(|day| version.add(&format!("closed {day}")));
        own.opened.iter().for_each(|day| version.add(&format!("open {day}")));
        version
    }

    fn add(&mut self, text: &str) {
        for byte in text.bytes().chain([0]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

impl<'a> Days<'a> {
    #[must_use]
    pub fn on(&self, date: Date) -> Day<'a> {
        if !self.is_known {
            return Day::Unknown;
        }
        let marked = self.marks.and_then(|marks| marks.get(&date)).filter(|day| day.mark != Mark::Default);
        if let Some(day) = marked.filter(|day| day.mark == Mark::Closed) {
            return Day::ClosedBy(day);
        }
        if self.own.is_some_and(|own| own.closed.contains(&date)) {
            return Day::Closed;
        }
        if marked.is_some() || self.own.is_some_and(|own| own.opened.contains(&date)) {
            return Day::Opened(marked);
        }
        self.holidays.and_then(|holidays| holidays.on(date)).map_or(Day::Open, Day::Holiday)
    }

    /// Whether its holidays are known on this day; a calendar without holidays knows all days.
    #[must_use]
    pub fn covers(&self, date: Date) -> bool {
        self.holidays.is_none() || (holidays::first_day()..=holidays::last_day()).contains(&date)
    }

    #[must_use]
    pub const fn has_holidays(&self) -> bool {
        self.holidays.is_some()
    }
}
