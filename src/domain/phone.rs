//! Phone numbers in E.164, parsed at the boundary and trusted after that.

use std::fmt;
use std::sync::{LazyLock, OnceLock};

use rlibphonenumber::{NumberLengthType, PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat};

use super::Country;

/// A possible E.164 number: its calling code exists and allows its number of digits.
///
/// Eight bytes and `Copy`. `Display` and `Debug` mask the middle digits, because logs and errors must not
/// have whole numbers. [`Phone::e164`] writes the whole number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phone(u64);

/// Why a text is not a phone number. The messages never repeat the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PhoneError {
    #[error("is not E.164: expected \"+\" and 7 to 15 digits, the first not 0, as in +5511987654321")]
    NotE164,
    #[error("starts with no country calling code that exists")]
    UnknownCallingCode,
    #[error("has a number of digits that no number with calling code +{0} can have")]
    ImpossibleLength(u16),
    #[error(
        "has no \"+\" and country calling code: write +5511987654321, or set calling.default_country for \
         numbers without them"
    )]
    NoCallingCode,
    #[error("is not a number of the default country {0}: write it with \"+\" and its country calling code")]
    NotOfCountry(Country),
    #[error(
        "was rounded by a spreadsheet (as 5,51199E+12 is), so its digits are lost: format the column as text"
    )]
    Spreadsheet,
    #[error(
        "has a trunk prefix in brackets, (0), which is not dialled after a country calling code: leave it out"
    )]
    TrunkPrefix,
}

/// The longest text that [`Phone::read`] looks at, in bytes. A number with a mark after each digit is shorter.
const TEXT_MAX: usize = 128;

impl Phone {
    /// Parses `+` and digits; nothing else is accepted, so that one number has one spelling.
    ///
    /// # Errors
    /// [`PhoneError`] with the rule that the text breaks. Calling codes and lengths are from libphonenumber.
    pub fn parse(text: &str) -> Result<Self, PhoneError> {
        let digits = text.strip_prefix('+').ok_or(PhoneError::NotE164)?;
        let well_formed = (7..=15).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0');
        if !well_formed {
            return Err(PhoneError::NotE164);
        }
        let number = digits.bytes().fold(0, |n, b| n * 10 + u64::from(b - b'0'));
        let (code, code_digits) = calling_code(digits).ok_or(PhoneError::UnknownCallingCode)?;
        let national = digits.len() - code_digits;
        if possible_lengths(code) & (1 << national) == 0 {
            return Err(PhoneError::ImpossibleLength(code));
        }
        Ok(Self(number))
    }

    /// Reads a number as people write it: with spaces, hyphens, brackets, dots, slashes and invisible marks of
    /// direction. Without `+` it is a number of the default country, if there is one.
    ///
    /// # Errors
    /// [`PhoneError`] with the rule that the text breaks.
    pub fn read(text: &str, default: Option<Country>) -> Result<Self, PhoneError> {
        // What is strict already needs no second look.
        if let Ok(phone) = Self::parse(text) {
            return Ok(phone);
        }
        if text.len() > TEXT_MAX {
            return Err(PhoneError::NotE164);
        }
        if is_rounded(text) {
            return Err(PhoneError::Spreadsheet);
        }
        let bare: String = text.chars().filter(|&c| !is_separator(c)).collect();
        if bare.starts_with('+') {
            if text.contains("(0)") {
                return Err(PhoneError::TrunkPrefix);
            }
            return Self::parse(&bare);
        }
        if bare.is_empty() || !bare.bytes().all(|b| b.is_ascii_digit()) {
            return Err(PhoneError::NotE164);
        }
        let country = default.ok_or(PhoneError::NoCallingCode)?;
        let fault = PhoneError::NotOfCountry(country);
        let region = country.letters().parse().map_err(|_| fault)?;
        let number = PHONE_NUMBER_UTIL.parse(&bare, Some(region)).map_err(|_| fault)?;
        let written = PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164);
        Self::parse(&written).map_err(|_| fault)
    }

    /// Reads a number as a platform tells it: the digits of an account, which may be a spelling that nobody can dial
    /// any more, or never could. Such a number names a person; it is not dialled.
    ///
    /// # Errors
    /// [`PhoneError::NotE164`] for anything but 7 to 15 digits, the first not 0, with or without `+`.
    pub fn told(text: &str) -> Result<Self, PhoneError> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        let is_number = (7..=15).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0');
        if is_number {
            digits.parse().map(Self).map_err(|_| PhoneError::NotE164)
        } else {
            Err(PhoneError::NotE164)
        }
    }

    /// The digits as a number, for the store.
    #[must_use]
    pub const fn digits(self) -> u64 {
        self.0
    }

    /// A stored number, which was parsed before it was stored.
    #[must_use]
    pub const fn from_stored(digits: u64) -> Self {
        Self(digits)
    }

    /// The whole number, for requests, the store and authorized API answers. Not for logs.
    #[must_use]
    pub fn e164(self) -> String {
        format!("+{}", self.0)
    }

    /// The country calling code, such as 55.
    #[must_use]
    pub fn calling_code(self) -> u16 {
        calling_code(&self.0.to_string()).map_or(0, |(code, _)| code)
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        let shown = digits.len() - 4;
        let head = shown.min(2);
        write!(f, "+{}{}{}", &digits[..head], "*".repeat(shown - head), &digits[shown..])
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Characters that people and programs put between the digits of a number: white space, the hyphens and
/// brackets of many scripts, and the marks that some programs copy along (U+200B to U+200F, U+202A to U+202E,
/// U+2060 to U+2069, U+FEFF).
fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '-' | '(' | ')' | '[' | ']' | '.' | '/' | '\u{AD}' | '\u{200B}'..='\u{200F}'
                | '\u{2010}'..='\u{2015}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}'
                | '\u{2212}' | '\u{FEFF}'
        )
}

/// Whether a spreadsheet wrote the number in powers of ten, such as `5,51199E+12` or `+5.51E12`.
fn is_rounded(text: &str) -> bool {
    let text = text.trim().trim_start_matches('+');
    let Some((number, power)) = text.split_once(['e', 'E']) else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits(power.trim_start_matches('+'))
        && number.split(['.', ',']).all(digits)
        && number.split(['.', ',']).count() <= 2
}

/// The calling code at the start of the digits, and its length. No calling code is a prefix of another.
fn calling_code(digits: &str) -> Option<(u16, usize)> {
    (1..=3).find_map(|length| {
        let code: u16 = digits.get(..length)?.parse().ok()?;
        CALLING_CODES[usize::from(code)].then_some((code, length))
    })
}

static CALLING_CODES: LazyLock<[bool; 1000]> = LazyLock::new(|| {
    let mut known = [false; 1000];
    for code in PHONE_NUMBER_UTIL.get_supported_calling_codes() {
        if let Some(slot) = usize::try_from(code).ok().and_then(|code| known.get_mut(code)) {
            *slot = true;
        }
    }
    known
});

/// The lengths of national numbers that a calling code allows, as bits.
///
/// libphonenumber takes tens of microseconds for a number. Its answer depends only on the length, so it is
/// cached for each length.
fn possible_lengths(code: u16) -> u32 {
    static MEMO: [OnceLock<u32>; 1000] = [const { OnceLock::new() }; 1000];
    *MEMO[usize::from(code)].get_or_init(|| {
        (2..=15_u32)
            .filter(|&length| {
                let number = PhoneNumber {
                    country_code: i32::from(code),
                    national_number: 10_u64.pow(length) - 1,
                    ..PhoneNumber::default()
                };
                PHONE_NUMBER_UTIL.is_possible_number_with_reason(&number) == Ok(NumberLengthType::IsPossible)
            })
            .map(|length| 1 << length)
            .sum()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_reads_back_what_it_writes() {
        for text in ["+5511987654321", "+14155552671", "+4915112345678", "+442071838750", "+6591234567"] {
            assert_eq!(Phone::parse(text).map(Phone::e164).as_deref(), Ok(text));
        }
    }

    #[test]
    fn only_plus_and_digits_are_accepted() {
        for text in [
            "",
            "+",
            "5511987654321",
            "whatsapp:+5511987654321",
            "+55 11 98765 4321",
            "+0511987654321",
            "+55119876543210987",
            "+551198765432x",
            "+٥٥١١٩٨٧٦٥٤٣٢١",
            "+12345",
        ] {
            assert_eq!(Phone::parse(text), Err(PhoneError::NotE164), "{text}");
        }
    }

    #[test]
    fn a_number_is_read_as_people_write_it() {
        for text in [
            "+55 11 98765-4321",
            "+55 (11) 98765.4321",
            "+55/11/98765/4321",
            "\u{202A}+55\u{A0}11\u{2011}98765\u{2009}4321\u{202C}",
            "\u{FEFF}+5511987654321\n",
        ] {
            let read = Phone::read(text, None).map(Phone::e164);
            assert_eq!(read.as_deref(), Ok("+5511987654321"), "{text:?}");
        }
        for text in ["+55 11 98765 432x", "++5511987654321", "+55;11;987654321", "", "()", "+٥٥١١٩٨٧٦٥٤٣٢١"]
        {
            assert_eq!(Phone::read(text, None), Err(PhoneError::NotE164), "{text:?}");
        }
        assert_eq!(Phone::read("+44 (0)20 7183 8750", None), Err(PhoneError::TrunkPrefix));
        let padded = |spaces: usize| format!("+5511987654321{}", " ".repeat(spaces));
        assert!(Phone::read(&padded(TEXT_MAX - 14), None).is_ok());
        assert_eq!(Phone::read(&padded(TEXT_MAX - 13), None), Err(PhoneError::NotE164));
    }

    #[test]
    fn a_number_without_a_plus_needs_a_default_country() {
        let country = |letters| Country::parse(letters);
        let read = |text, country| Phone::read(text, country).map(Phone::e164);
        assert_eq!(read("(11) 98765-4321", None), Err(PhoneError::NoCallingCode));
        assert_eq!(read("5511987654321", None), Err(PhoneError::NoCallingCode));
        assert_eq!(read("(11) 98765-4321", country("BR")).as_deref(), Ok("+5511987654321"));
        assert_eq!(read("020 7183 8750", country("GB")).as_deref(), Ok("+442071838750"));
        assert_eq!(read("06 123 4567", country("IT")).as_deref(), Ok("+39061234567"));
        assert_eq!(read("123", country("BR")), Err(PhoneError::NotOfCountry(country("BR").unwrap())));
        assert_eq!(read("+14155552671", country("BR")).as_deref(), Ok("+14155552671"));
    }

    #[test]
    fn a_number_that_a_spreadsheet_rounded_is_told_as_such() {
        for text in ["5,51199E+12", "5.51199E+12", "+5.51199e12", "55E11"] {
            assert_eq!(Phone::read(text, Country::parse("BR")), Err(PhoneError::Spreadsheet), "{text}");
        }
        for text in ["E+12", "5,5,5E+12", "5E", "5E+x"] {
            assert_eq!(Phone::read(text, None), Err(PhoneError::NotE164), "{text}");
        }
    }

    #[test]
    fn impossible_numbers_are_refused() {
        assert_eq!(Phone::parse("+1415555267"), Err(PhoneError::ImpossibleLength(1)));
        assert_eq!(Phone::parse("+141555526710"), Err(PhoneError::ImpossibleLength(1)));
        assert_eq!(Phone::parse("+4477009"), Err(PhoneError::ImpossibleLength(44)), "a local number");
        assert_eq!(Phone::parse("+2101234567"), Err(PhoneError::UnknownCallingCode));
    }

    #[test]
    fn the_calling_code_has_one_to_three_digits() {
        for (text, code) in [("+14155552671", 1), ("+5511987654321", 55), ("+351912345678", 351)] {
            assert_eq!(Phone::parse(text).map(Phone::calling_code), Ok(code), "{text}");
        }
    }

    #[test]
    fn the_printed_form_hides_the_middle() {
        let phone = Phone::parse("+5511987654321").unwrap();
        assert_eq!(phone.to_string(), "+55*******4321");
        assert_eq!(format!("{phone:?}"), "+55*******4321");
    }

    #[test]
    fn the_memo_agrees_with_the_library_for_whole_numbers() {
        for text in [
            "+5511987654321",
            "+551133334444",
            "+3906123456",
            "+390612345678",
            "+8613812345678",
            "+85212345678",
            "+971501234567",
            "+9721234567",
            "+34612345678",
            "+3461234567",
        ] {
            let parsed = PHONE_NUMBER_UTIL
                .parse(text, None)
                .map(|number| PHONE_NUMBER_UTIL.is_possible_number(&number));
            assert_eq!(Phone::parse(text).is_ok(), parsed.unwrap_or(false), "{text}");
        }
    }
}
