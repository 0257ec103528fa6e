//! Calling hours together with the days that a calendar closes.

use jiff::civil::Date;

use super::{Day, Days};
use crate::domain::{CalendarName, CallingHours};

/// When calls are allowed: the hours, without the days that their calendar closes.
#[derive(Debug, Clone, Copy)]
pub struct Opening<'a> {
    hours: &'a CallingHours,
    days: Option<Days<'a>>,
}

impl<'a> Opening<'a> {
    pub(super) const fn new(hours: &'a CallingHours, days: Option<Days<'a>>) -> Self {
        Self { hours, days }
    }

    #[must_use]
    pub const fn hours(&self) -> &'a CallingHours {
        self.hours
    }

    /// What the calendar says of a day, in the zone of the hours; open if the hours name none.
    #[must_use]
    pub fn on(&self, date: Date) -> Day<'a> {
        self.days.map_or(Day::Open, |days| days.on(date))
    }

    /// The calendar, if the hours name one.
    #[must_use]
    pub fn calendar(&self) -> Option<&'a CalendarName> {
        self.hours.calendar.as_ref()
    }

    /// The hours alone, as if no day were closed.
    #[must_use]
    pub const fn without_calendar(&self) -> Self {
        Self { hours: self.hours, days: None }
    }
}
