//! Calendars: the days on which nobody is called. `list` and `show` read them, `mark` closes and opens days by a
//! command that the scheduler folds, `simulate` tries calling hours at a moment.

pub(super) mod list;
pub(super) mod mark;
pub(super) mod show;
pub(super) mod simulate;

use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::CalendarName;
use crate::domain::calendar::{Calendars, Day};
use crate::http::ApiError;

/// What a calendar says of a day.
#[derive(Serialize, ToSchema)]
#[schema(as = CalendarDay)]
pub(super) struct DayView {
    #[schema(value_type = String, format = Date, example = "2026-12-25")]
    day: Date,
    /// `open` or `closed`.
    state: &'static str,
    /// Why, unless it is an ordinary open day: `holiday`, `configuration` or `operator`; `unknown` if there is no such
    /// calendar.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'static str>,
    /// The name of the holiday.
    #[serde(skip_serializing_if = "Option::is_none")]
    holiday: Option<&'static str>,
    /// The token of the operator, and the reason given.
    #[serde(skip_serializing_if = "Option::is_none")]
    who: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl DayView {
    pub(super) fn of(date: Date, day: Day<'_>) -> Self {
        let (by, holiday, marked) = match day {
            Day::Open => (None, None, None),
            Day::Opened(Some(marked)) | Day::ClosedBy(marked) => (Some("operator"), None, Some(marked)),
            Day::Opened(None) | Day::Closed => (Some("configuration"), None, None),
            Day::Holiday(name) => (Some("holiday"), Some(name), None),
            Day::Unknown => (Some("unknown"), None, None),
        };
        Self {
            day: date,
            state: if day.is_closed() { "closed" } else { "open" },
            by,
            holiday,
            who: marked.map(|marked| marked.who.to_string()),
            why: marked.map(|marked| marked.why.to_string()),
        }
    }
}

/// The calendar of a path.
fn find(calendars: &Calendars, name: &str) -> Result<CalendarName, ApiError> {
    let found = calendars.find(name);
    found.ok_or_else(|| ApiError::new("calendar.not_found", "GET /v1/calendars lists the calendars"))
}
