//! The public holidays that come with the program.
//!
//! `holidays.txt` is written by `tools/calendars/generate.py` from the PyPI package `holidays` (MIT), which cites the laws
//! of each country. Days that depend on the moon are estimates. The file is read once, when a calendar is first needed.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::civil::Date;

/// The holidays of one country or region.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holidays {
    /// Days since [`first_day`] and the place of their name, in their order.
    days: Vec<(u16, u16)>,
}

struct Data {
    version: &'static str,
    first: Date,
    last: Date,
    names: Vec<&'static str>,
    /// By the code in capital letters.
    calendars: BTreeMap<String, (&'static str, Holidays)>,
}

static DATA: LazyLock<Data> = LazyLock::new(|| Data::read(include_str!("holidays.txt")));

/// The calendar with this code, such as `BR` or `BR-SP`, in whatever case its letters are. Also the code as it is spelt.
#[must_use]
pub fn find(code: &str) -> Option<(&'static str, &'static Holidays)> {
    // No code is longer, and most names of other calendars are in small letters.
    if code.len() > 40 {
        return None;
    }
    DATA.calendars.get(&code.to_ascii_uppercase()).map(|(code, holidays)| (*code, holidays))
}

/// The codes of all countries and regions, in their order.
pub fn codes() -> impl Iterator<Item = &'static str> {
    DATA.calendars.values().map(|(code, _)| *code)
}

/// The version of the package that the data is from.
#[must_use]
pub fn version() -> &'static str {
    DATA.version
}

/// The first day of the data.
#[must_use]
pub fn first_day() -> Date {
    DATA.first
}

/// The last day of the data. On later days no holiday is known.
#[must_use]
pub fn last_day() -> Date {
    DATA.last
}

impl Holidays {
    /// The name of the holiday on this day, if it is one.
    #[must_use]
    pub fn on(&self, date: Date) -> Option<&'static str> {
        let number = u16::try_from(DATA.first.until(date).ok()?.get_days()).ok()?;
        let found = self.days.binary_search_by_key(&number, |(day, _)| *day).ok()?;
        DATA.names.get(usize::from(self.days[found].1)).copied()
    }

    /// All days with their names, in their order.
    pub fn all(&self) -> impl Iterator<Item = (Date, &'static str)> {
        self.days.iter().filter_map(|(day, name)| {
            let date = DATA.first.checked_add(jiff::Span::new().days(*day)).ok()?;
            Some((date, *DATA.names.get(usize::from(*name))?))
        })
    }
}

impl Data {
    /// Reads the file. A test reads all of it, so what cannot be read is left out.
    fn read(text: &'static str) -> Self {
        let year = |text: Option<&str>| text.and_then(|year| year.parse().ok()).unwrap_or(1);
        let mut data = Self {
            version: "",
            first: Date::MIN,
            last: Date::MIN,
            names: Vec::new(),
            calendars: BTreeMap::new(),
        };
        let mut reading = Reading::default();
        for line in text.lines() {
            if let Some(name) = line.strip_prefix('=') {
                data.names.push(name);
            } else if let Some(version) = line.strip_prefix("version ") {
                data.version = version;
            } else if let Some(years) = line.strip_prefix("years ") {
                let mut years = years.split(' ');
                data.first = Date::new(year(years.next()), 1, 1).unwrap_or(Date::MIN);
                data.last = Date::new(year(years.next()), 12, 31).unwrap_or(Date::MAX);
            } else if let Some(code) = line.strip_prefix('@') {
                reading.end(&mut data.calendars);
                reading.begin(code, &data.calendars);
            } else if let Some(added) = line.strip_prefix('+') {
                reading.add(added);
            } else if let Some(lacking) = line.strip_prefix("- ") {
                reading.lack(lacking);
            }
        }
        reading.end(&mut data.calendars);
        data
    }
}

/// The calendar that is being read.
#[derive(Default)]
struct Reading {
    code: Option<&'static str>,
    days: BTreeMap<u16, u16>,
}

impl Reading {
    /// A region begins with the days of its country, which stands before it.
    fn begin(&mut self, code: &'static str, known: &BTreeMap<String, (&'static str, Holidays)>) {
        self.code = Some(code);
        let country = code.split_once('-').and_then(|(country, _)| known.get(country));
        self.days = country.map(|(_, holidays)| holidays.days.iter().copied().collect()).unwrap_or_default();
    }

    fn add(&mut self, line: &str) {
        let mut numbers = line.split(' ').filter_map(|number| number.parse::<u16>().ok());
        if let Some(name) = numbers.next() {
            self.days.extend(numbers.map(|day| (day, name)));
        }
    }

    fn lack(&mut self, line: &str) {
        for day in line.split(' ').filter_map(|number| number.parse::<u16>().ok()) {
            self.days.remove(&day);
        }
    }

    fn end(&mut self, calendars: &mut BTreeMap<String, (&'static str, Holidays)>) {
        if let Some(code) = self.code.take() {
            let days = std::mem::take(&mut self.days).into_iter().collect();
            calendars.insert(code.to_ascii_uppercase(), (code, Holidays { days }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(code: &str, day: &str) -> Option<&'static str> {
        find(code).unwrap().1.on(day.parse().unwrap())
    }

    #[test]
    fn all_of_the_file_is_read() {
        let text = include_str!("holidays.txt");
        let begins = |sign: &str| text.lines().filter(|line| line.starts_with(sign)).count();
        assert_eq!(DATA.names.len(), begins("="));
        assert_eq!(DATA.calendars.len(), begins("@"), "two codes differ in the case of their letters only");
        assert!(codes().filter(|code| !code.contains('-')).count() >= 100);
        assert!(!version().is_empty());
        let known = |line: &str| {
            line.starts_with(['#', '=', '@', '+', '-'])
                || line.starts_with("version ")
                || line.starts_with("years ")
        };
        assert_eq!(text.lines().find(|line| !known(line)), None);
        for (_, holidays) in DATA.calendars.values() {
            assert!(holidays.days.iter().all(|(_, name)| usize::from(*name) < DATA.names.len()));
            let last = first_day().until(last_day()).unwrap().get_days();
            assert!(holidays.days.iter().all(|(day, _)| i32::from(*day) <= last));
        }
        for code in codes() {
            assert!(code.parse::<crate::domain::CalendarName>().is_ok(), "{code}");
        }
    }

    #[test]
    fn known_holidays_of_countries_are_there() {
        for (code, day) in [
            ("BR", "2026-09-07"),
            ("MX", "2026-09-16"),
            ("US", "2026-11-26"),
            ("IN", "2026-08-15"),
            ("GB", "2026-12-25"),
            ("DE", "2026-10-03"),
            ("FR", "2026-07-14"),
            ("ES", "2026-10-12"),
            ("ZA", "2026-04-27"),
        ] {
            assert!(on(code, day).is_some(), "{code} {day}");
        }
        assert_eq!(on("BR", "2026-09-08"), None);
    }

    #[test]
    fn a_region_has_the_holidays_of_its_country_and_its_own() {
        // The revolution of 9 July 1932 is remembered in the state of Sao Paulo only.
        assert_eq!((on("BR", "2026-07-09").is_some(), on("BR-SP", "2026-07-09").is_some()), (false, true));
        assert_eq!(on("BR-SP", "2026-09-07"), on("BR", "2026-09-07"));
        assert_eq!(find("br-sp").map(|(code, _)| code), Some("BR-SP"));
        assert!(find("BR-XX").is_none() && find("").is_none());
    }

    #[test]
    fn the_days_end_with_the_last_year() {
        let last = last_day();
        assert_eq!((last.month(), last.day()), (12, 31));
        let christmas = |year: i16| find("BR").unwrap().1.on(Date::new(year, 12, 25).unwrap());
        assert!(christmas(last.year()).is_some() && christmas(first_day().year()).is_some());
        assert!(christmas(last.year() + 1).is_none() && christmas(first_day().year() - 1).is_none());
    }

    #[test]
    fn a_region_may_lack_a_holiday_of_its_country() {
        let text = "version 1\nyears 2025 2026\n=One\n=Two\n@AA\n+0 0 1\n@AA-B\n+1 2\n- 0\n";
        let data = Data::read(text);
        assert_eq!(data.calendars["AA"].1.days, [(0, 0), (1, 0)]);
        assert_eq!(data.calendars["AA-B"].1.days, [(1, 0), (2, 1)]);
    }
}
