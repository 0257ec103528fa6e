//! What operators make of single days of a calendar.

use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use strum::{EnumString, IntoStaticStr};

use super::CalendarName;

/// What an operator made of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Mark {
    Closed,
    Open,
    /// The calendar decides again, as without a mark.
    Default,
}

impl Mark {
    pub const ALL: [Self; 3] = [Self::Closed, Self::Open, Self::Default];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// One day of a calendar as an operator wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkedDay {
    pub calendar: CalendarName,
    pub day: Date,
    pub mark: Mark,
    /// The name of the API token that it was marked with.
    pub who: Arc<str>,
    /// At most 200 bytes without control characters.
    pub why: Arc<str>,
    pub at: Timestamp,
}

/// An operator's order to mark days of a calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarMark {
    pub calendar: CalendarName,
    pub first: Date,
    /// Included; at most [`CalendarMark::DAYS_MOST`] days with the first.
    pub last: Date,
    pub mark: Mark,
    pub who: Arc<str>,
    pub why: Arc<str>,
}

impl CalendarMark {
    /// So many days may be marked at once.
    pub const DAYS_MOST: i32 = 366;

    /// Its days, as they are marked at this moment.
    pub fn days(&self, at: Timestamp) -> impl Iterator<Item = MarkedDay> {
        let days = self.first.series(1.day()).take_while(|day| *day <= self.last);
        days.take(Self::DAYS_MOST.unsigned_abs() as usize).map(move |day| MarkedDay {
            calendar: self.calendar.clone(),
            day,
            mark: self.mark,
            who: Arc::clone(&self.who),
            why: Arc::clone(&self.why),
            at,
        })
    }
}

/// The oldest day whose mark counts at `now`: earlier days are over in every zone.
#[must_use]
pub fn oldest_marked(now: Timestamp) -> Date {
    let today = now.to_zoned(TimeZone::UTC).date();
    today.checked_sub(2.days()).unwrap_or(today)
}
