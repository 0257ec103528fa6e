//! The country of a number, countries whose business numbers cannot place WhatsApp calls, and destinations
//! that are not called.
//!
//! Both lists are dated data: the platforms change them, and disagree about senders.

use std::fmt;

use rlibphonenumber::PHONE_NUMBER_UTIL;

use super::Phone;

/// A country or territory by its two ISO 3166-1 letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 2]);

impl Country {
    /// Two capital letters. Whether they are an assigned code is not checked.
    #[must_use]
    pub const fn parse(letters: &str) -> Option<Self> {
        match *letters.as_bytes() {
            [a @ b'A'..=b'Z', b @ b'A'..=b'Z'] => Some(Self([a, b])),
            _ => None,
        }
    }

    /// Whether the letters are those of a country or territory with telephone numbers of its own.
    #[must_use]
    pub fn is_known(self) -> bool {
        PHONE_NUMBER_UTIL.get_supported_regions().any(|region| region.to_string() == self.letters())
    }

    /// The country that a number belongs to; `None` for networks without a country, such as satellites.
    ///
    /// For a calling code shared by several countries (+1, +7, +44), the following digits decide. A number in
    /// no known range belongs to the main country of its code: a new range of +1 counts as the United States,
    /// not as an island without restrictions.
    #[must_use]
    pub fn of(phone: Phone) -> Option<Self> {
        let code = i32::from(phone.calling_code());
        let region = PHONE_NUMBER_UTIL
            .parse(phone.e164(), None)
            .ok()
            .and_then(|number| PHONE_NUMBER_UTIL.get_region_for_number(&number))
            .or_else(|| PHONE_NUMBER_UTIL.get_region_for_country_code(code))?;
        Self::parse(region.to_string().as_str())
    }

    #[must_use]
    pub fn letters(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a country is two ASCII letters")
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.letters())
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.letters())
    }
}

/// The platform whose list of countries applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Platform {
    Twilio,
    Meta,
}

/// A country whose business numbers cannot place calls, with its sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exclusion {
    pub country: Country,
    pub name: &'static str,
    /// Listed on Twilio's page "WhatsApp Business Calling" (generally available revision, 2026).
    pub by_twilio: bool,
    /// Listed on Meta's page "Cloud API Calling" as updated on 26 June 2026.
    pub by_meta: bool,
    /// What the pages said on other dates.
    pub note: &'static str,
}

impl Exclusion {
    #[must_use]
    pub const fn is_by(&self, platform: Platform) -> bool {
        match platform {
            Platform::Twilio => self.by_twilio,
            Platform::Meta => self.by_meta,
        }
    }
}

const BOTH: &str = "on Meta's page since 20 November 2025 at the latest";

/// Every country that either platform excludes.
pub const EXCLUSIONS: &[Exclusion] = &[
    exclusion(*b"CA", "Canada", true, BOTH),
    exclusion(*b"EG", "Egypt", true, BOTH),
    exclusion(*b"NG", "Nigeria", true, BOTH),
    exclusion(*b"TR", "Türkiye", false, "on Meta's page on 20 November 2025, gone by 26 June 2026"),
    exclusion(*b"US", "the United States", true, BOTH),
    exclusion(*b"VN", "Vietnam", true, BOTH),
];

/// The entry of a country that a platform excludes.
#[must_use]
pub fn exclusion_of(country: Country) -> Option<&'static Exclusion> {
    EXCLUSIONS.iter().find(|exclusion| exclusion.country == country)
}

const fn exclusion(letters: [u8; 2], name: &'static str, by_meta: bool, note: &'static str) -> Exclusion {
    Exclusion { country: Country(letters), name, by_twilio: true, by_meta, note }
}

/// The first digits of the numbers of a destination, such as +53.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Prefix(u64);

impl Prefix {
    /// `+` and 1 to 15 digits, the first not 0.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('+').filter(|digits| (1..=15).contains(&digits.len()))?;
        let plain = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
        digits.parse().ok().filter(|_| plain).map(Self)
    }

    #[must_use]
    pub const fn starts(self, phone: Phone) -> bool {
        let mut digits = phone.digits();
        while digits > self.0 {
            digits /= 10;
        }
        digits == self.0
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}", self.0)
    }
}

/// A destination to which Twilio places no WhatsApp calls, because of sanctions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BarredDestination {
    pub prefix: Prefix,
    pub name: &'static str,
    /// Date of the source.
    pub as_of: &'static str,
    pub source: &'static str,
}

/// Every barred destination that has its own prefix. Crimea, Donetsk and Luhansk are barred as well, but
/// their numbers have no prefix of their own.
pub const BARRED_DESTINATIONS: &[BarredDestination] =
    &[barred(53, "Cuba"), barred(98, "Iran"), barred(850, "North Korea"), barred(963, "Syria")];

const fn barred(digits: u64, name: &'static str) -> BarredDestination {
    let source = "Twilio, WhatsApp Business Calling";
    BarredDestination { prefix: Prefix(digits), name, as_of: "2026", source }
}

/// The published entry for a prefix.
#[must_use]
pub fn barred_destination(prefix: Prefix) -> Option<&'static BarredDestination> {
    BARRED_DESTINATIONS.iter().find(|barred| barred.prefix == prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn country_of(number: &str) -> String {
        Country::of(Phone::parse(number).unwrap()).map_or_else(String::new, |country| country.to_string())
    }

    #[test]
    fn a_shared_calling_code_is_told_apart_by_the_digits_that_follow() {
        for (number, country) in [
            ("+14155552671", "US"),
            ("+14165550123", "CA"),
            ("+18765550123", "JM"),
            ("+5511987654321", "BR"),
            ("+77012345678", "KZ"),
            ("+905321234567", "TR"),
            ("+201001234567", "EG"),
            ("+2348021234567", "NG"),
            ("+84912345678", "VN"),
        ] {
            assert_eq!(country_of(number), country, "{number}");
        }
    }

    #[test]
    fn a_country_is_printed_as_its_letters() {
        let brazil = Country::parse("BR").unwrap();
        assert_eq!((brazil.to_string(), format!("{brazil:?}")), ("BR".into(), "BR".into()));
    }

    #[test]
    fn every_list_is_found_by_its_key_and_by_no_other() {
        for exclusion in EXCLUSIONS {
            assert_eq!(exclusion_of(exclusion.country), Some(exclusion));
        }
        assert_eq!(exclusion_of(Country::parse("BR").unwrap()), None);
        for barred in BARRED_DESTINATIONS {
            assert_eq!(barred_destination(barred.prefix), Some(barred));
        }
        assert_eq!(barred_destination(Prefix(55)), None);
    }

    #[test]
    fn a_number_in_no_known_range_counts_for_the_main_country_of_its_code() {
        assert_eq!(country_of("+12115550123"), "US");
    }

    #[test]
    fn a_prefix_starts_the_numbers_of_its_place_and_no_others() {
        let barred = |number: &str| {
            let phone = Phone::parse(number).unwrap();
            BARRED_DESTINATIONS.iter().find(|barred| barred.prefix.starts(phone)).map(|barred| barred.name)
        };
        assert_eq!(barred("+5351234567"), Some("Cuba"));
        assert_eq!(barred("+989121234567"), Some("Iran"));
        assert_eq!(barred("+8501921234567"), Some("North Korea"));
        assert_eq!(barred("+963944567890"), Some("Syria"));
        // The neighbours of +53, +98 and +850, and numbers that hold the digits elsewhere.
        for number in ["+525512345678", "+541123456789", "+992917123456", "+85251234567", "+15305550153"] {
            assert_eq!(barred(number), None, "{number}");
        }
    }

    #[test]
    fn a_prefix_is_a_plus_and_digits() {
        assert_eq!(Prefix::parse("+850").map(|prefix| prefix.to_string()).as_deref(), Some("+850"));
        for text in ["53", "+", "+053", "+5a", "+1234567890123456"] {
            assert_eq!(Prefix::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_platforms_disagree_about_one_country_only() {
        let disputed: Vec<&str> = EXCLUSIONS
            .iter()
            .filter(|exclusion| exclusion.is_by(Platform::Twilio) != exclusion.is_by(Platform::Meta))
            .map(|exclusion| exclusion.country.letters())
            .collect();
        assert_eq!(disputed, ["TR"]);
    }
}
