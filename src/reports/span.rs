//! The days of a report, in a time zone. A day begins with its first instant there, and has 23, 24 or 25 hours.

use std::ops::Range;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use crate::domain::reporting::Quarter;

/// The most days of a report.
pub const DAYS_MAX: i32 = 400;

/// Days from the first to the last one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    pub first: Date,
    pub last: Date,
    pub zone: TimeZone,
}

/// Days that no report has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SpanError {
    #[error("is before the first day")]
    Backwards,
    #[error("is too far from the first day: expected at most {DAYS_MAX} days with both")]
    TooLong,
}

/// A day as `YYYY-MM-DD`, and in no other form.
#[must_use]
pub fn day(text: &str) -> Option<Date> {
    let date: Date = text.parse().ok()?;
    (date.to_string() == text).then_some(date)
}

impl Span {
    /// # Errors
    /// [`SpanError`] about the last day.
    pub fn new(first: Date, last: Date, zone: TimeZone) -> Result<Self, SpanError> {
        let span = Self { first, last, zone };
        match span.days() {
            ..1 => Err(SpanError::Backwards),
            days if days > DAYS_MAX => Err(SpanError::TooLong),
            _ => Ok(span),
        }
    }

    /// The day of this moment alone, or so many days before it and that day.
    #[must_use]
    pub fn up_to(now: Timestamp, days_before: i32, zone: TimeZone) -> Self {
        let last = now.to_zoned(zone.clone()).date();
        let first = last.checked_sub(days_before.days()).unwrap_or(last);
        Self { first, last, zone }
    }

    /// How many days it has; below one if the last is before the first.
    #[must_use]
    pub fn days(&self) -> i32 {
        self.first.until(self.last).map_or(i32::MAX, |span| span.get_days().saturating_add(1))
    }

    /// The quarters of its days.
    #[must_use]
    pub fn quarters(&self) -> Range<Quarter> {
        let begin = |day: Date| {
            let first = day.to_zoned(self.zone.clone()).map_or(Timestamp::MAX, |first| first.timestamp());
            Quarter::of(first)
        };
        let next = self.last.tomorrow().unwrap_or(Date::MAX);
        begin(self.first)..begin(next)
    }

    /// As many days before, with the same days of the week: a whole number of weeks earlier.
    #[must_use]
    pub fn before(&self) -> Self {
        let back = self.days_back();
        let shift = |day: Date| day.checked_sub(back.days()).unwrap_or(Date::MIN);
        Self { first: shift(self.first), last: shift(self.last), zone: self.zone.clone() }
    }

    /// How many days before they are.
    #[must_use]
    pub fn days_back(&self) -> i32 {
        self.days().max(1).saturating_add(6).div_euclid(7).saturating_mul(7)
    }

    /// When its last day is closed: 48 hours after its end.
    #[must_use]
    pub fn closes_at(&self) -> Timestamp {
        let last = self.quarters().end.0.saturating_sub(1);
        Quarter(last).closes_at(&self.zone)
    }

    /// The local day of a quarter, and its minute of the day.
    #[must_use]
    pub fn local(&self, quarter: Quarter) -> (Date, i16) {
        let local = quarter.start().to_zoned(self.zone.clone());
        (local.date(), i16::from(local.hour()) * 60 + i16::from(local.minute()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(first: &str, last: &str, zone: &str) -> Result<Span, SpanError> {
        Span::new(day(first).unwrap(), day(last).unwrap(), crate::domain::zones::zone(zone).unwrap())
    }

    #[test]
    fn a_span_has_one_to_400_days() {
        assert_eq!(span("2026-11-02", "2026-11-01", "UTC"), Err(SpanError::Backwards));
        assert_eq!(span("2026-11-01", "2026-11-01", "UTC").unwrap().days(), 1);
        assert_eq!(span("2026-01-01", "2027-02-04", "UTC").unwrap().days(), 400);
        assert_eq!(span("2026-01-01", "2027-02-05", "UTC"), Err(SpanError::TooLong));
        for text in ["2026-1-1", "2026-02-30", "20260101", "2026-01-01T00:00:00Z", ""] {
            assert_eq!(day(text), None, "{text}");
        }
    }

    #[test]
    fn a_day_has_23_24_or_25_hours() {
        for (day, zone, hours) in [
            ("2026-03-29", "Europe/Berlin", 23),
            ("2026-10-25", "Europe/Berlin", 25),
            ("2026-10-26", "Europe/Berlin", 24),
            ("2026-11-23", "Asia/Kathmandu", 24),
            ("2026-11-23", "UTC", 24),
        ] {
            let quarters = span(day, day, zone).unwrap().quarters();
            assert_eq!(quarters.end.0 - quarters.start.0, hours * 4, "{day}");
        }
    }

    #[test]
    fn the_last_instant_of_a_day_belongs_to_it_and_the_next_one_does_not() {
        let span = span("2026-11-23", "2026-11-23", "America/Sao_Paulo").unwrap();
        let is_in = |at: &str| span.quarters().contains(&Quarter::of(at.parse().unwrap()));
        assert!(!is_in("2026-11-23T02:59:59.999999Z"));
        assert!(is_in("2026-11-23T03:00:00Z"));
        assert!(is_in("2026-11-24T02:59:59.999999Z"), "23:59:59.999999 there");
        assert!(!is_in("2026-11-24T03:00:00Z"));
        let last = Quarter::of("2026-11-24T02:59:59.999Z".parse().unwrap());
        assert_eq!(span.local(last), (day("2026-11-23").unwrap(), 23 * 60 + 45));
    }

    #[test]
    fn the_days_before_have_the_same_days_of_the_week() {
        for (first, last, before) in [
            ("2026-11-23", "2026-11-23", "2026-11-16"),
            ("2026-11-23", "2026-11-29", "2026-11-16"),
            ("2026-11-23", "2026-11-30", "2026-11-09"),
        ] {
            let span = span(first, last, "UTC").unwrap();
            assert_eq!(span.before().first, day(before).unwrap());
            assert_eq!(span.before().days(), span.days());
            assert_eq!(span.before().first.weekday(), span.first.weekday());
        }
    }
}
