//! Presets of calling hours: the hours that the law of a country allows for some purposes. Off until an operator chooses
//! them.
//!
//! They are a tool and no legal advice: each has its source and the day on which that was read, and none is complete.
//! A preset narrows the hours of an order when it is taken; the rules then see hours like all others.

use std::sync::LazyLock;

use jiff::civil::Time;

use crate::domain::hours::{Span, Weekdays};
use crate::domain::{CalendarName, CallingHours, Country, Phone, Purpose, WrittenHours};

/// Hours that the law of a country allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preset {
    /// Its name in the configuration.
    pub name: &'static str,
    /// The country of the consumer's number, by its two letters.
    pub country: &'static str,
    /// The purposes that it binds.
    pub purposes: &'static [Purpose],
    /// In the consumer's own time, without a zone.
    pub hours: &'static str,
    /// The calendar whose days are closed, if the hours of the order name none.
    pub calendar: Option<&'static str>,
    pub source: &'static str,
    /// When the source was read.
    pub as_of: &'static str,
}

/// All presets.
pub const PRESETS: [Preset; 3] = [
    Preset {
        name: "us-solicitation",
        country: "US",
        purposes: &[Purpose::Marketing],
        hours: "daily 08:00-21:00",
        calendar: None,
        source: "47 CFR 64.1200(c)(1); states may be narrower",
        as_of: "2026-11",
    },
    Preset {
        name: "fr-solicitation",
        country: "FR",
        purposes: &[Purpose::Marketing],
        hours: "mon-fri 10:00-13:00, mon-fri 14:00-20:00",
        calendar: Some("FR"),
        source: "décret 2022-1313; only with prior consent since 11 August 2026",
        as_of: "2026-11",
    },
    Preset {
        name: "mx-collections",
        country: "MX",
        purposes: &[Purpose::Collections],
        hours: "mon-fri 07:00-22:00",
        calendar: Some("MX"),
        source: "rules for collection agencies, working days from 7 to 22; from the press",
        as_of: "2026-11",
    },
];

/// The spans of each preset, in the order of [`PRESETS`].
static SPANS: LazyLock<Vec<Vec<Span>>> = LazyLock::new(|| {
    let spans = |preset: &Preset| preset.hours.parse::<WrittenHours>().map(|hours| hours.spans);
    PRESETS.iter().map(|preset| spans(preset).unwrap_or_default()).collect()
});

/// The preset with this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

impl Preset {
    /// Whether it binds calls to this number for this purpose.
    #[must_use]
    pub fn binds(&self, consumer: Phone, purpose: Purpose) -> bool {
        self.purposes.contains(&purpose)
            && Country::of(consumer).is_some_and(|country| country.letters() == self.country)
    }

    fn spans(&self) -> &'static [Span] {
        let place = PRESETS.iter().position(|preset| preset.name == self.name);
        place.and_then(|place| SPANS.get(place)).map_or(&[], Vec::as_slice)
    }

    fn calendar(&self) -> Option<CalendarName> {
        self.calendar.and_then(|name| name.parse().ok())
    }

    /// The preset as hours in the zone of the number.
    #[must_use]
    pub fn hours(&self) -> WrittenHours {
        WrittenHours { spans: self.spans().to_vec(), zones: Vec::new(), calendar: self.calendar() }
    }

    /// What these hours and the preset have in common, in the zones of the hours; `None` if that is nothing.
    #[must_use]
    pub fn narrow(&self, hours: CallingHours) -> Option<CallingHours> {
        let own = hours.spans.iter();
        let spans: Vec<Span> =
            own.flat_map(|one| self.spans().iter().filter_map(|other| both(*one, *other))).collect();
        let calendar = hours.calendar.clone().or_else(|| self.calendar());
        (!spans.is_empty()).then_some(CallingHours { spans, calendar, ..hours })
    }
}

/// What two spans have in common.
fn both(one: Span, other: Span) -> Option<Span> {
    let days = one.days.and(other.days);
    let (from, to): (Time, Time) = (one.from.max(other.from), one.to.min(other.to));
    (days != Weekdays::default() && from < to).then_some(Span { days, from, to })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn narrowed(preset: &str, hours: &str) -> Option<String> {
        find(preset).unwrap().narrow(hours.parse().unwrap()).map(|hours| hours.to_string())
    }

    #[test]
    fn every_preset_can_be_read_and_names_its_source() {
        for preset in &PRESETS {
            assert_eq!(find(preset.name), Some(preset));
            assert!(!preset.spans().is_empty() && !preset.source.is_empty(), "{}", preset.name);
            assert!(Country::parse(preset.country).is_some_and(Country::is_known), "{}", preset.name);
            assert_eq!(preset.hours().check(), Ok(()), "{}", preset.name);
            let calendar = preset.calendar.map(crate::domain::calendar::holidays::find);
            assert!(calendar.is_none_or(|found| found.is_some()), "{}", preset.name);
        }
        assert_eq!(find("de-solicitation"), None);
    }

    #[test]
    fn a_preset_binds_its_country_and_its_purposes() {
        let binds = |number: &str, purpose| {
            find("us-solicitation").unwrap().binds(Phone::parse(number).unwrap(), purpose)
        };
        assert!(binds("+12125550123", Purpose::Marketing));
        assert!(!binds("+12125550123", Purpose::Requested), "a callback that somebody asked for");
        assert!(!binds("+525512345678", Purpose::Marketing));
        // Canada has the same country code.
        assert!(!binds("+14165550123", Purpose::Marketing));
    }

    #[test]
    fn hours_are_narrowed_to_what_both_allow() {
        let zone = "America/New_York";
        let us = |hours: &str| narrowed("us-solicitation", &format!("{hours} @{zone}"));
        assert_eq!(us("daily 00:00-24:00").as_deref(), Some("daily 08:00-21:00 @America/New_York"));
        assert_eq!(us("mon 09:00-18:00").as_deref(), Some("mon 09:00-18:00 @America/New_York"));
        assert_eq!(us("mon 20:59-23:00").as_deref(), Some("mon 20:59-21:00 @America/New_York"));
        assert_eq!(us("mon 21:00-23:00"), None);
        let fr = |hours: &str| narrowed("fr-solicitation", hours);
        assert_eq!(
            fr("fri-sat 09:00-18:00 @Europe/Paris").as_deref(),
            Some("fri 10:00-13:00, fri 14:00-18:00 @Europe/Paris except FR")
        );
        assert_eq!(fr("sat 10:00-12:00 @Europe/Paris"), None);
        assert_eq!(
            fr("mon 10:00-12:00 @Europe/Paris except FR-57").as_deref(),
            Some("mon 10:00-12:00 @Europe/Paris except FR-57"),
            "its own calendar"
        );
    }
}
