//! Calling hours: when a consumer may be called, in the consumer's own time.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Time, Weekday};

use super::zones;

/// Local hours in which calls are allowed, with their time zone.
///
/// Written as `mon-fri 09:00-18:00, sat 10:00-13:00 @America/Sao_Paulo`. The name of the zone is kept, not an
/// offset, so that the hours follow changes of the zone's rules.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CallingHours {
    pub zone: String,
    pub spans: Vec<Span>,
}

/// One span of time on some days of the week. `from` is inclusive, `to` is exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    pub days: Weekdays,
    pub from: Time,
    pub to: Time,
}

/// A set of days of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Weekdays(u8);

/// Why calling hours cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HoursError {
    #[error("expected spans and a zone, as in \"mon-fri 09:00-18:00 @America/Sao_Paulo\"")]
    Form,
    #[error("{0:?} is no day: expected mon, tue, wed, thu, fri, sat or sun")]
    Day(String),
    #[error("{0:?} is no time of day: expected HH:MM, such as 09:00 or 9:00")]
    Time(String),
    #[error("the span {from}-{to} is empty: a span ends after it starts; split hours that pass midnight")]
    Empty { from: String, to: String },
    #[error("{0:?} is not the name of an IANA time zone{near}", near = nearest_zone(.0))]
    Zone(String),
    #[error("{0:?} is no zone of a place, such as America/Sao_Paulo (our own rule)")]
    NoPlace(String),
}

const NAMES: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

impl CallingHours {
    /// Hours on all days of the week.
    ///
    /// # Errors
    /// [`HoursError`] if the span is empty or the zone is unknown.
    pub fn daily(from: Time, to: Time, zone: &str) -> Result<Self, HoursError> {
        Self::new(vec![Span { days: Weekdays::ALL, from, to }], zone)
    }

    /// # Errors
    /// [`HoursError`] if there is no span, a span is empty or the zone is unknown.
    pub fn new(spans: Vec<Span>, zone: &str) -> Result<Self, HoursError> {
        if spans.is_empty() {
            return Err(HoursError::Form);
        }
        if let Some(span) = spans.iter().find(|span| span.from >= span.to) {
            return Err(HoursError::Empty { from: clock_face(span.from), to: clock_face(span.to) });
        }
        let known = zones::zone(zone).map_err(|_| HoursError::Zone(zone.to_owned()))?;
        Ok(Self { zone: known.iana_name().unwrap_or(zone).to_owned(), spans })
    }

    /// Checks hours that come in. Stored ones are read as they are.
    ///
    /// # Errors
    /// [`HoursError::NoPlace`] if nobody lives in the zone.
    pub fn check_zone(&self) -> Result<(), HoursError> {
        if zones::is_of_a_place(&self.zone) { Ok(()) } else { Err(HoursError::NoPlace(self.zone.clone())) }
    }
}

impl Weekdays {
    pub const ALL: Self = Self(0b111_1111);

    #[must_use]
    pub fn contains(self, day: Weekday) -> bool {
        self.0 & 1 << day.to_monday_zero_offset() != 0
    }

    #[must_use]
    pub fn with(self, day: Weekday) -> Self {
        Self(self.0 | 1 << day.to_monday_zero_offset())
    }

    /// Parses `mon-fri`, `sat+sun`, `tue` or `daily`.
    ///
    /// # Errors
    /// [`HoursError::Day`] with the text that is not a day.
    pub fn parse(text: &str) -> Result<Self, HoursError> {
        if text == "daily" {
            return Ok(Self::ALL);
        }
        let mut days = Self::default();
        for part in text.split('+') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let last = day(last)?;
            let mut next = day(first)?;
            days = days.with(next);
            while next != last {
                next = next.next();
                days = days.with(next);
            }
        }
        Ok(days)
    }
}

fn day(text: &str) -> Result<Weekday, HoursError> {
    NAMES
        .iter()
        .find(|(name, _)| *name == text)
        .map(|(_, day)| *day)
        .ok_or_else(|| HoursError::Day(text.to_owned()))
}

/// Completes the error about a zone with the known name that is most like it. A customer may write the city
/// alone, spaces, or small letters.
fn nearest_zone(word: &str) -> String {
    // Longer than any name of a zone: not a misspelling of one.
    if word.len() > 64 {
        return String::new();
    }
    let plain = |name: &str| name.trim().to_lowercase().replace([' ', '-'], "_");
    let city = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
    let word = plain(word);
    let likeness = |name: &str| {
        let name = plain(name);
        let same_city = if city(&name) == city(&word) { 1.0 } else { 0.0 };
        same_city + strsim::jaro_winkler(&name, &word).max(strsim::jaro_winkler(&city(&name), &city(&word)))
    };
    zones::names()
        .filter(|name| name.contains('/'))
        .map(|name| (likeness(&name), name))
        .filter(|(likeness, _)| *likeness > 0.85)
        .max_by(|(a, first), (b, second)| a.total_cmp(b).then_with(|| second.cmp(first)))
        .map_or_else(
            || ", such as America/Sao_Paulo".to_owned(),
            |(_, name)| format!("; did you mean {name:?}?"),
        )
}

/// Parses `HH:MM` or `H:MM`. `24:00` is the end of the day.
///
/// # Errors
/// [`HoursError::Time`] with the text.
pub fn time_of_day(text: &str) -> Result<Time, HoursError> {
    if text == "24:00" {
        return Ok(Time::MAX);
    }
    let fault = || HoursError::Time(text.to_owned());
    let (hour, minute) = text.split_once(':').filter(|(_, minute)| minute.len() == 2).ok_or_else(fault)?;
    let number = |part: &str| {
        part.parse::<i8>()
            .ok()
            .filter(|_| (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
    };
    let (hour, minute) = number(hour).zip(number(minute)).ok_or_else(fault)?;
    Time::new(hour, minute, 0, 0).map_err(|_| fault())
}

/// Writes `HH:MM`, as [`time_of_day`] reads it.
#[must_use]
pub fn clock_face(time: Time) -> String {
    if time == Time::MAX { "24:00".to_owned() } else { time.strftime("%H:%M").to_string() }
}

impl fmt::Display for Weekdays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::ALL {
            return f.write_str("daily");
        }
        let names: Vec<_> =
            NAMES.iter().filter(|(_, day)| self.contains(*day)).map(|(name, _)| *name).collect();
        f.write_str(&names.join("+"))
    }
}

impl fmt::Display for CallingHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, span) in self.spans.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{} {}-{}", span.days, clock_face(span.from), clock_face(span.to))?;
        }
        write!(f, " @{}", self.zone)
    }
}

impl FromStr for CallingHours {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Self, HoursError> {
        let (spans, zone) = text.rsplit_once('@').ok_or(HoursError::Form)?;
        let spans = spans
            .split(',')
            .map(|span| {
                let (days, hours) = span.trim().split_once(' ').ok_or(HoursError::Form)?;
                let (from, to) = hours.trim().split_once('-').ok_or(HoursError::Form)?;
                Ok(Span { days: Weekdays::parse(days)?, from: time_of_day(from)?, to: time_of_day(to)? })
            })
            .collect::<Result<Vec<_>, HoursError>>()?;
        Self::new(spans, zone.trim())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_read_back_what_they_write() {
        for text in [
            "daily 09:00-20:00 @America/Sao_Paulo",
            "mon+tue+wed+thu+fri 09:00-18:00, sat 10:00-13:00 @Europe/Berlin",
            "sun 00:00-24:00 @UTC",
        ] {
            let hours: CallingHours = text.parse().unwrap();
            assert_eq!(hours.to_string(), text);
        }
    }

    #[test]
    fn an_hour_may_have_one_digit() {
        let hours: CallingHours = "mon 9:00-18:30 @UTC".parse().unwrap();
        assert_eq!(hours.to_string(), "mon 09:00-18:30 @UTC");
    }

    #[test]
    fn a_wrong_zone_is_answered_with_the_nearest_name() {
        let told = |zone: &str| {
            format!("daily 09:00-18:00 @{zone}").parse::<CallingHours>().unwrap_err().to_string()
        };
        for zone in [
            "Sao_Paulo",
            "Sao Paulo",
            "Brazil/Sao_Paulo",
            "America/Sao Paulo",
            "America/SaoPaulo",
            "America/São_Paulo",
            "america/sao-paulo",
            "America/Sao_Paolo",
        ] {
            assert!(told(zone).ends_with("did you mean \"America/Sao_Paulo\"?"), "{zone}: {}", told(zone));
        }
        for zone in ["BRT", "-03:00", "UTC-3", "E. South America Standard Time", ""] {
            assert!(told(zone).contains("is not the name of an IANA time zone"), "{zone}: {}", told(zone));
        }
        let taken: CallingHours = "daily 09:00-18:00 @america/sao_paulo".parse().unwrap();
        assert_eq!(taken.zone, "America/Sao_Paulo", "kept as the data spells it");
    }

    #[test]
    fn a_range_of_days_may_pass_the_weekend() {
        let days = Weekdays::parse("fri-mon").unwrap();
        assert_eq!(days.to_string(), "mon+fri+sat+sun");
    }

    #[test]
    fn a_day_that_is_named_twice_is_one_day() {
        assert_eq!(Weekdays::parse("mon-wed+tue").unwrap().to_string(), "mon+tue+wed");
    }

    #[test]
    fn wrong_hours_say_what_is_wrong() {
        let fault = |text: &str| text.parse::<CallingHours>().unwrap_err();
        assert_eq!(fault("mon 09:00-18:00"), HoursError::Form);
        assert_eq!(fault("moon 09:00-18:00 @UTC"), HoursError::Day("moon".into()));
        for time in ["9", "9:0", "009:00", ":00", "9:000", "+9:00"] {
            assert_eq!(fault(&format!("mon {time}-18:00 @UTC")), HoursError::Time(time.into()));
        }
        assert_eq!(fault("mon 09:00-25:00 @UTC"), HoursError::Time("25:00".into()));
        assert_eq!(
            fault("mon 09:00-09:00 @UTC"),
            HoursError::Empty { from: "09:00".into(), to: "09:00".into() }
        );
        assert_eq!(fault("mon 09:00-18:00 @Mars/Base"), HoursError::Zone("Mars/Base".into()));
    }
}
