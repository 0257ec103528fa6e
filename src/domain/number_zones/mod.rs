//! The time zones of phone numbers, by their first digits.
//!
//! `zones.txt` is written by `tools/zones/generate.py` from the PyPI package `phonenumbers` (Apache-2.0), which has the
//! data of Google's libphonenumber. A number says where it was issued and not where its owner is. A number that tells no
//! region, such as a mobile number of most countries, has all zones of its calling code. Of several zones whose clocks agree
//! one is listed.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use rlibphonenumber::PHONE_NUMBER_UTIL;

use super::{Country, Phone, zones};

struct Data {
    version: &'static str,
    zones: Vec<&'static str>,
    /// The places of the zones, by the first digits.
    prefixes: BTreeMap<u64, Vec<u16>>,
    /// The most digits of a prefix.
    longest: u32,
}

static DATA: LazyLock<Data> = LazyLock::new(|| Data::read(include_str!("zones.txt")));

/// Which zones are meant for numbers of a country that tell no region. Without an entry these are all zones of the calling
/// code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Narrowed(BTreeMap<Country, Vec<String>>);

/// Why a text narrows no country.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NarrowedError {
    #[error("{0:?} is no country and zone, as in \"AU Australia/Sydney\"")]
    Form(String),
    #[error("{0:?} is no country with telephone numbers")]
    Country(String),
    #[error("{0:?} is no zone of a place, such as Australia/Sydney")]
    Zone(String),
    #[error("names {0} twice")]
    Twice(Country),
}

impl Narrowed {
    /// Adds `AU Australia/Sydney` or `AU Australia/Sydney and Australia/Perth`.
    ///
    /// # Errors
    /// [`NarrowedError`] with the part of the text that is wrong.
    pub fn add(&mut self, text: &str) -> Result<(), NarrowedError> {
        let (letters, named) =
            text.split_once(' ').ok_or_else(|| NarrowedError::Form(text.chars().take(80).collect()))?;
        let country = Country::parse(letters).filter(|country| country.is_known());
        let country = country.ok_or_else(|| NarrowedError::Country(letters.chars().take(40).collect()))?;
        let zone = |name: &str| {
            let known = zones::zone(name).ok().and_then(|zone| zone.iana_name().map(str::to_owned));
            known
                .filter(|name| zones::is_of_a_place(name))
                .ok_or_else(|| NarrowedError::Zone(name.chars().take(80).collect()))
        };
        let named: Vec<String> =
            named.split(" and ").map(|name| zone(name.trim())).collect::<Result<_, _>>()?;
        match self.0.insert(country, named) {
            None => Ok(()),
            Some(_) => Err(NarrowedError::Twice(country)),
        }
    }

    /// Each country as [`Narrowed::add`] reads it.
    pub fn texts(&self) -> impl Iterator<Item = String> + '_ {
        self.0.iter().map(|(country, zones)| format!("{country} {}", zones.join(" and ")))
    }

    /// The zones in which the owner of the number may be; none if its first digits are not known.
    #[must_use]
    pub fn of(&self, number: Phone) -> Vec<&str> {
        let (exact, whole) = (find(number.digits()), find(u64::from(number.calling_code())));
        // Reading the type of a number takes tens of microseconds, so the cheap question comes first.
        if whole.is_none_or(|whole| whole.len() < 2) || (exact != whole && is_geographic(number)) {
            return named(exact);
        }
        let narrowed = Country::of(number).filter(|_| !self.0.is_empty()).and_then(|it| self.0.get(&it));
        match narrowed {
            Some(zones) => zones.iter().map(String::as_str).collect(),
            None => named(whole),
        }
    }
}

/// Whether the first digits of the number tell a region, as those of a fixed line do.
fn is_geographic(number: Phone) -> bool {
    let read = PHONE_NUMBER_UTIL.parse(number.e164(), None);
    read.is_ok_and(|number| PHONE_NUMBER_UTIL.is_number_geographical(&number))
}

/// The places of the zones of the longest prefix that is known.
fn find(mut digits: u64) -> Option<&'static [u16]> {
    while digits.checked_ilog10().is_some_and(|last| last >= DATA.longest) {
        digits /= 10;
    }
    while digits > 0 {
        if let Some(places) = DATA.prefixes.get(&digits) {
            return Some(places);
        }
        digits /= 10;
    }
    None
}

fn named(places: Option<&'static [u16]>) -> Vec<&'static str> {
    let places = places.unwrap_or_default().iter();
    places.filter_map(|place| DATA.zones.get(usize::from(*place)).copied()).collect()
}

/// The version of the package that the data is from.
#[must_use]
pub fn version() -> &'static str {
    DATA.version
}

impl Data {
    /// Reads the file. A test reads all of it, so what cannot be read is left out.
    fn read(text: &'static str) -> Self {
        let mut data = Self { version: "", zones: Vec::new(), prefixes: BTreeMap::new(), longest: 1 };
        for line in text.lines() {
            if let Some(zone) = line.strip_prefix('=') {
                data.zones.push(zone);
            } else if let Some(version) = line.strip_prefix("version ") {
                data.version = version;
            } else if let Some((prefix, places)) = line.split_once(' ')
                && let Ok(prefix) = prefix.parse::<u64>()
            {
                data.longest = data.longest.max(prefix.checked_ilog10().unwrap_or_default() + 1);
                let places = places.split(' ').filter_map(|place| place.parse().ok()).collect();
                data.prefixes.insert(prefix, places);
            }
        }
        data
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::zones;

    fn narrowed(texts: &[&str]) -> Narrowed {
        let mut narrowed = Narrowed::default();
        texts.iter().for_each(|text| narrowed.add(text).unwrap());
        narrowed
    }

    fn of(number: &str) -> Vec<String> {
        narrowed(&[]).of(Phone::parse(number).unwrap()).into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn all_of_the_file_is_read_and_every_zone_is_known() {
        let text = include_str!("zones.txt");
        let begins = |is: fn(&&str) -> bool| text.lines().filter(is).count();
        assert_eq!(DATA.zones.len(), begins(|line| line.starts_with('=')));
        assert_eq!(DATA.prefixes.len(), begins(|line| line.starts_with(|c: char| c.is_ascii_digit())));
        assert!(!version().is_empty());
        for zone in &DATA.zones {
            assert!(zones::zone(zone).is_ok() && zones::is_of_a_place(zone), "{zone}");
        }
        for (prefix, places) in &DATA.prefixes {
            assert!(!places.is_empty(), "{prefix}");
            assert!(places.iter().all(|place| usize::from(*place) < DATA.zones.len()), "{prefix}");
        }
    }

    #[test]
    fn a_number_has_the_zones_of_its_longest_prefix() {
        assert_eq!(of("+5511987654321"), ["America/Sao_Paulo"]);
        assert_eq!(of("+5592987654321"), ["America/Manaus"]);
        assert_eq!(of("+447700900123"), ["Europe/London"]);
        assert_eq!(of("+12125550123"), ["America/New_York"]);
        assert_eq!(of("+919876543210"), ["Asia/Kolkata"]);
        assert_eq!(of("+525512345678"), ["America/Mexico_City"]);
        // Idaho has two zones.
        assert_eq!(of("+12085550123"), ["America/Boise", "America/Los_Angeles"]);
    }

    #[test]
    fn a_number_that_tells_no_region_has_all_zones_of_its_calling_code() {
        assert!(of("+18005550123").len() > 5, "without charge");
        assert_eq!(of("+61412345678").len(), 8, "a mobile number");
        assert_eq!(of("+61298765432"), ["Australia/Sydney"], "a fixed line");
        assert!(of("+79161234567").len() > 8, "a mobile number");
        assert_eq!(of("+74951234567"), ["Europe/Moscow"], "a fixed line");
        // Mobile numbers of some countries have the prefix of a region.
        assert_eq!(of("+5592987654321"), ["America/Manaus"]);
    }

    #[test]
    fn numbers_that_tell_no_region_can_be_narrowed_by_country() {
        let narrowed = narrowed(&["AU Australia/Sydney and Australia/Perth", "RU Europe/Moscow"]);
        let of = |number: &str| narrowed.of(Phone::parse(number).unwrap());
        assert_eq!(of("+61412345678"), ["Australia/Sydney", "Australia/Perth"]);
        assert_eq!(of("+79161234567"), ["Europe/Moscow"]);
        assert_eq!(of("+77011234567").len(), self::of("+77011234567").len(), "Kazakhstan has the same code");
        assert_eq!(of("+61298765432"), ["Australia/Sydney"], "a fixed line tells its region");
        assert_eq!(of("+12085550123").len(), 2, "another country");
        let texts: Vec<String> = narrowed.texts().collect();
        assert_eq!(texts, ["AU Australia/Sydney and Australia/Perth", "RU Europe/Moscow"]);
    }

    #[test]
    fn what_narrows_no_country_is_refused_with_its_part() {
        let fault = |text: &str| Narrowed::default().add(text).unwrap_err();
        assert_eq!(fault("AU"), NarrowedError::Form("AU".into()));
        assert_eq!(fault("ZZ Australia/Sydney"), NarrowedError::Country("ZZ".into()));
        assert_eq!(fault("au Australia/Sydney"), NarrowedError::Country("au".into()));
        assert_eq!(fault("AU Australia/Sidney"), NarrowedError::Zone("Australia/Sidney".into()));
        assert_eq!(fault("AU Australia/Sydney and Factory"), NarrowedError::Zone("Factory".into()));
        let mut twice = narrowed(&["AU Australia/Sydney"]);
        assert!(matches!(twice.add("AU Australia/Perth"), Err(NarrowedError::Twice(_))));
    }

    #[test]
    fn a_prefix_that_is_not_known_has_no_zone() {
        // No country has the code 999.
        assert_eq!(narrowed(&[]).of(Phone::from_stored(999_000_000_000)), Vec::<&str>::new());
    }
}
