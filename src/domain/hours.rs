//! Calling hours: when a consumer may be called, in the consumer's own time.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Time, Weekday};

use super::number_zones::Narrowed;
use super::{CalendarName, Phone, zones};

/// Local hours in which calls are allowed, with their time zone.
///
/// Written as `mon-fri 09:00-18:00, sat 10:00-13:00 @America/Sao_Paulo`, and with a calendar as `... @America/Sao_Paulo
/// except BR-SP`. The name of the zone is kept, not an offset, so that the hours follow changes of the zone's rules.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CallingHours {
    pub zone: String,
    /// Further zones in which they must be open too: the consumer may be in any of them.
    pub also: Vec<String>,
    pub spans: Vec<Span>,
    /// The calendar on whose closed days they do not open.
    pub calendar: Option<CalendarName>,
}

/// Calling hours as they are written. Without a zone they are meant in that of the consumer's number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WrittenHours {
    pub spans: Vec<Span>,
    /// As they are written; whether there are such zones is not known.
    pub zones: Vec<String>,
    pub calendar: Option<CalendarName>,
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
    #[error("no time zone is known for numbers with these first digits: name one after \"@\"")]
    NoZoneOfNumber,
    #[error("has {0} zones: expected at most {ZONES_MAX}")]
    Zones(usize),
    #[error("{0:?} is no name of a calendar: expected a name after \"except\", such as BR-SP")]
    Calendar(String),
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
        Self::new(vec![Span { days: Weekdays::ALL, from, to }], &[zone])
    }

    /// # Errors
    /// [`HoursError`] if there is no span, a span is empty or the zone is unknown.
    pub fn new(spans: Vec<Span>, zones: &[impl AsRef<str>]) -> Result<Self, HoursError> {
        if spans.is_empty() {
            return Err(HoursError::Form);
        }
        if let Some(span) = spans.iter().find(|span| span.from >= span.to) {
            return Err(HoursError::Empty { from: clock_face(span.from), to: clock_face(span.to) });
        }
        if zones.len() > ZONES_MAX {
            return Err(HoursError::Zones(zones.len()));
        }
        let mut known: Vec<String> = Vec::new();
        for name in zones.iter().map(AsRef::as_ref) {
            let zone = zones::zone(name).map_err(|_| HoursError::Zone(name.to_owned()))?;
            let name = zone.iana_name().unwrap_or(name);
            if known.iter().all(|other| other != name) {
                known.push(name.to_owned());
            }
        }
        let mut known = known.into_iter();
        let zone = known.next().ok_or(HoursError::Form)?;
        Ok(Self { zone, also: known.collect(), spans, calendar: None })
    }

    /// The same hours, without the days that this calendar closes.
    #[must_use]
    pub fn except(self, calendar: Option<CalendarName>) -> Self {
        Self { calendar, ..self }
    }

    /// Checks hours that come in. Stored ones are read as they are.
    ///
    /// # Errors
    /// [`HoursError::NoPlace`] if nobody lives in the zone.
    pub fn check_zone(&self) -> Result<(), HoursError> {
        match self.zones().find(|zone| !zones::is_of_a_place(zone)) {
            Some(zone) => Err(HoursError::NoPlace(zone.to_owned())),
            None => Ok(()),
        }
    }

    /// All their zones.
    pub fn zones(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.zone).chain(&self.also).map(String::as_str)
    }
}

impl WrittenHours {
    /// In the zones that are written, or else in those of the consumer's number, of which `narrowed` may choose some.
    ///
    /// # Errors
    /// [`HoursError`] as of [`CallingHours::new`] and [`CallingHours::check_zone`], and if no zone of the number is known.
    pub fn of(self, consumer: Phone, narrowed: &Narrowed) -> Result<CallingHours, HoursError> {
        let hours = if self.zones.is_empty() {
            let zones = narrowed.of(consumer);
            if zones.is_empty() {
                return Err(HoursError::NoZoneOfNumber);
            }
            CallingHours::new(self.spans, &zones)?
        } else {
            CallingHours::new(self.spans, &self.zones)?
        };
        hours.check_zone()?;
        Ok(hours.except(self.calendar))
    }

    /// Checks what does not depend on the number.
    ///
    /// # Errors
    /// As [`WrittenHours::of`].
    pub fn check(&self) -> Result<(), HoursError> {
        let utc = ["UTC".to_owned()];
        let zones = if self.zones.is_empty() { &utc[..] } else { &self.zones[..] };
        CallingHours::new(self.spans.clone(), zones)?.check_zone()
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

    /// The days of both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
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

/// Stands between the zone and the calendar.
const EXCEPT: &str = " except ";
/// Stands between zones.
const AND: &str = " and ";
/// The most zones of hours. No number has more.
pub const ZONES_MAX: usize = 50;

/// Reads the name of a calendar. Whether there is one with this name is not known.
///
/// # Errors
/// [`HoursError::Calendar`] with the text.
pub fn calendar(text: &str) -> Result<CalendarName, HoursError> {
    text.parse().map_err(|_| HoursError::Calendar(text.to_owned()))
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
        write_spans(&self.spans, f)?;
        write!(f, " @{}", self.zone)?;
        self.also.iter().try_for_each(|zone| write!(f, "{AND}{zone}"))?;
        write_calendar(self.calendar.as_ref(), f)
    }
}

impl fmt::Display for WrittenHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_spans(&self.spans, f)?;
        if !self.zones.is_empty() {
            write!(f, " @{}", self.zones.join(AND))?;
        }
        write_calendar(self.calendar.as_ref(), f)
    }
}

fn write_spans(spans: &[Span], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (index, span) in spans.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        write!(f, "{comma}{} {}-{}", span.days, clock_face(span.from), clock_face(span.to))?;
    }
    Ok(())
}

fn write_calendar(calendar: Option<&CalendarName>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    calendar.map_or(Ok(()), |calendar| write!(f, "{EXCEPT}{calendar}"))
}

impl FromStr for CallingHours {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Self, HoursError> {
        let WrittenHours { spans, zones, calendar } = text.parse::<WrittenHours>()?;
        Ok(Self::new(spans, &zones)?.except(calendar))
    }
}

impl FromStr for WrittenHours {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Self, HoursError> {
        let (text, calendar) = match text.split_once(EXCEPT) {
            Some((text, name)) => (text, Some(calendar(name.trim())?)),
            None => (text, None),
        };
        let (spans, zones) = match text.rsplit_once('@') {
            Some((spans, zones)) => (spans, zones.split(AND).map(|zone| zone.trim().to_owned()).collect()),
            None => (text, Vec::new()),
        };
        let spans = spans
            .split(',')
            .map(|span| {
                let (days, hours) = span.trim().split_once(' ').ok_or(HoursError::Form)?;
                let (from, to) = hours.trim().split_once('-').ok_or(HoursError::Form)?;
                Ok(Span { days: Weekdays::parse(days)?, from: time_of_day(from)?, to: time_of_day(to)? })
            })
            .collect::<Result<Vec<_>, HoursError>>()?;
        Ok(Self { spans, zones, calendar })
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
            "sun 00:00-24:00 @America/Sao_Paulo except BR-SP",
            "sun 00:00-24:00 @America/Sao_Paulo and America/Manaus and Etc/GMT+5",
            "sun 00:00-24:00 @America/Sao_Paulo and America/Manaus except BR",
        ] {
            let hours: CallingHours = text.parse().unwrap();
            assert_eq!(hours.to_string(), text);
        }
    }

    #[test]
    fn hours_without_a_zone_have_those_of_the_number() {
        let of = |text: &str, number: &str| {
            let written: WrittenHours = text.parse().unwrap();
            assert_eq!(written.to_string().parse(), Ok(written.clone()), "{text}");
            written.of(Phone::parse(number).unwrap(), &Narrowed::default()).map(|hours| hours.to_string())
        };
        let (paulista, manaus, idahoan) = ("+5511987654321", "+5592987654321", "+12085550123");
        let hours = "daily 09:00-18:00";
        assert_eq!(of(hours, paulista).unwrap(), "daily 09:00-18:00 @America/Sao_Paulo");
        let excepted = of("daily 09:00-18:00 except BR", manaus).unwrap();
        assert_eq!(excepted, "daily 09:00-18:00 @America/Manaus except BR");
        assert!(of(hours, idahoan).unwrap().contains(" and "), "one of several zones");
        let named = "daily 09:00-18:00 @Asia/Kolkata";
        assert_eq!(of(named, paulista).unwrap(), named, "the order goes before the number");
        let unknown = Phone::from_stored(999_000_000_000);
        let nowhere = hours.parse::<WrittenHours>().unwrap().of(unknown, &Narrowed::default());
        assert_eq!(nowhere, Err(HoursError::NoZoneOfNumber));
        let nowhere = "daily 09:00-18:00 @Mars/Base".parse::<WrittenHours>().unwrap();
        assert_eq!(nowhere.check(), Err(HoursError::Zone("Mars/Base".into())));
        assert_eq!(hours.parse::<WrittenHours>().unwrap().check(), Ok(()));
    }

    #[test]
    fn hours_have_a_bounded_number_of_zones_and_each_once() {
        let read = |zones: &[&str]| {
            CallingHours::new(vec![Span { days: Weekdays::ALL, from: Time::MIN, to: Time::MAX }], zones)
        };
        let twice = read(&["UTC", "Asia/Kolkata", "utc"]).unwrap();
        assert_eq!(twice.zones().collect::<Vec<_>>(), ["UTC", "Asia/Kolkata"]);
        assert!(read(&["UTC"; ZONES_MAX]).is_ok());
        assert_eq!(read(&["UTC"; ZONES_MAX + 1]), Err(HoursError::Zones(ZONES_MAX + 1)));
        assert_eq!(read(&[]), Err(HoursError::Form));
    }

    #[test]
    fn hours_name_one_calendar_after_except() {
        let read = |text: &str| text.parse::<CallingHours>();
        let hours = read("mon 09:00-18:00 @UTC  except  office_2 ").unwrap();
        assert_eq!(hours.calendar.as_ref().map(CalendarName::as_str), Some("office_2"));
        assert_eq!(hours.to_string(), "mon 09:00-18:00 @UTC except office_2");
        for name in ["", "2", "BR SP", "BR except US"] {
            let fault = HoursError::Calendar(name.to_owned());
            assert_eq!(read(&format!("mon 09:00-18:00 @UTC except {name}")), Err(fault));
        }
        assert_eq!(read("mon 09:00-18:00 @UTCexcept BR"), Err(HoursError::Zone("UTCexcept BR".into())));
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
