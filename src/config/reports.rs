//! `[reports]` and `[rates.<name>]`: where days begin and end, files by schedule, and what calls cost.

use std::path::PathBuf;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use crate::domain::hours::{clock_face, time_of_day};
use crate::domain::{Tenant, zones};

use super::section::Section;
use super::tree::Value;
use super::value::{Setting, quoted};

/// `[reports]`.
#[derive(Debug, Clone)]
pub struct Reports {
    /// Where the days of reports begin and end, unless a campaign has hours of its own.
    pub zone: TimeZone,
    /// Three capital letters.
    pub currency: String,
    /// The files of closed days; `None` without a directory.
    pub daily: Option<Daily>,
}

/// `[reports.daily]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Daily {
    /// Where the files are written.
    pub directory: PathBuf,
    /// The local time of day.
    pub at: Time,
    pub zone: TimeZone,
    /// The reports, as they are named. Whether they exist is checked by who knows them.
    pub names: Vec<String>,
    pub tenant: Tenant,
}

/// What calls to numbers of one calling code cost from a day on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rate {
    /// The digits of a calling code; `None` for all that have no rate of their own.
    pub prefix: Option<String>,
    pub from: Date,
    /// For each minute that a call has begun, in millionths of the currency.
    pub per_minute: i64,
    /// For each call that was placed, in millionths of the currency.
    pub per_call: i64,
    /// For each permission request and each invite that was sent, in millionths of the currency.
    pub per_message: i64,
}

impl Reports {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let zone: Zone = section.ask("zone").value();
        let currency = section.ask("currency").rule(|text: &String| {
            let is_code = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase());
            if is_code {
                Ok(())
            } else {
                Err("is no currency: expected three capital letters, such as \"USD\"".into())
            }
        });
        let currency = currency.value();
        let daily = section.section("daily", |section| Daily::read(section, &zone));
        Self { zone: zone.0, currency, daily }
    }
}

impl Daily {
    fn read(section: &mut Section<'_>, usual: &Zone) -> Option<Self> {
        let directory: Option<PathBuf> = section.ask("directory").optional();
        let at: Clock = section.ask("at").value();
        let zone: Option<Zone> = section.ask("zone").optional();
        let names: Vec<String> = section.ask("names").value();
        let tenant = section.ask("tenant").rule(|text: &String| {
            text.parse::<Tenant>().map(|_| ()).map_err(|error| format!("is no tenant: {error}"))
        });
        let tenant: String = tenant.value();
        Some(Self {
            directory: directory?,
            at: at.0,
            zone: zone.unwrap_or_else(|| usual.clone()).0,
            names,
            tenant: tenant.parse().unwrap_or_default(),
        })
    }
}

impl Rate {
    pub(super) fn read(_: &str, section: &mut Section<'_>) -> Option<Self> {
        let prefix = section.ask("prefix").rule(|text: &String| {
            let is_code = (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
            if is_code {
                Ok(())
            } else {
                Err("is no calling code: expected 1 to 3 digits, such as \"55\"".into())
            }
        });
        let prefix = prefix.optional();
        let from: Option<Day> = section.ask("from").required("the first day on which the rate holds");
        let per_minute: Price = section.ask("per_minute").or(Price(0));
        let per_call: Price = section.ask("per_call").or(Price(0));
        let per_message: Price = section.ask("per_message").or(Price(0));
        let (per_minute, per_call, per_message) = (per_minute.0, per_call.0, per_message.0);
        Some(Self { prefix, from: from?.0, per_minute, per_call, per_message })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Zone(TimeZone);

impl Setting for Zone {
    const EXPECTED: &'static str = "the name of a time zone of a place, or \"UTC\"";
    const KIND: &'static str = "time zone";

    fn read(value: &Value) -> Result<Self, String> {
        let name = String::read(value)?;
        let zone = zones::zone(&name).ok().filter(|_| zones::is_of_a_place(&name));
        zone.map(Self).ok_or_else(|| "is no time zone of a place".to_owned())
    }

    fn write(&self) -> String {
        quoted(self.0.iana_name().unwrap_or("UTC"))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Clock(Time);

impl Setting for Clock {
    const EXPECTED: &'static str = "a time of day, such as \"06:00\"";
    const KIND: &'static str = "time of day";

    fn read(value: &Value) -> Result<Self, String> {
        time_of_day(&String::read(value)?).map(Self).map_err(|_| "is no time of day".to_owned())
    }

    fn write(&self) -> String {
        quoted(&clock_face(self.0))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Day(Date);

impl Setting for Day {
    const EXPECTED: &'static str = "a day, such as \"2026-12-24\"";
    const KIND: &'static str = "day";

    fn read(value: &Value) -> Result<Self, String> {
        let text = String::read(value)?;
        let day = text.parse::<Date>().ok().filter(|day| day.to_string() == text);
        day.map(Self).ok_or_else(|| "is no day".to_owned())
    }

    fn write(&self) -> String {
        quoted(&self.0.to_string())
    }
}

/// Millionths of a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Price(i64);

impl Price {
    /// More than any price.
    const WHOLE_MAX: i64 = 1_000_000;
}

impl Setting for Price {
    const EXPECTED: &'static str = "a price in quotes with at most six decimals, such as \"0.0115\"";
    const KIND: &'static str = "price";

    fn read(value: &Value) -> Result<Self, String> {
        let text = String::read(value)?;
        let (whole, part) = text.split_once('.').unwrap_or((&text, "0"));
        let is_number = |text: &str, most: usize| {
            (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !is_number(whole, 7) || !is_number(part, 6) {
            return Err("is no price".to_owned());
        }
        let whole: i64 = whole.parse().unwrap_or(i64::MAX);
        if whole > Self::WHOLE_MAX {
            return Err(format!("is above {}", Self::WHOLE_MAX));
        }
        let part: i64 = format!("{part:0<6}").parse().unwrap_or_default();
        Ok(Self(whole.saturating_mul(1_000_000).saturating_add(part)))
    }

    fn write(&self) -> String {
        let (whole, part) = (self.0.div_euclid(1_000_000), self.0.rem_euclid(1_000_000));
        let part = format!("{part:06}");
        let part = part.trim_end_matches('0');
        quoted(&if part.is_empty() { whole.to_string() } else { format!("{whole}.{part}") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(text: &str) -> Result<String, String> {
        Price::read(&Value::Text(text.to_owned())).map(|price| price.write())
    }

    #[test]
    fn a_price_has_six_decimals_at_most_and_is_kept_exactly() {
        for (text, written) in
            [("0.0115", "\"0.0115\""), ("0.000001", "\"0.000001\""), ("3", "\"3\""), ("1.50", "\"1.5\"")]
        {
            assert_eq!(price(text).as_deref(), Ok(written), "{text}");
        }
        assert_eq!(Price::read(&Value::Text("0.0115".into())), Ok(Price(11_500)));
        for text in ["0.0000001", "-1", "1,5", ".5", "5.", "", "1e3", "12345678", "1000001"] {
            assert!(price(text).is_err(), "{text}");
        }
    }
}
