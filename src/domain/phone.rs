//! Phone numbers in E.164, parsed at the boundary and trusted after that.

use std::fmt;
use std::sync::{LazyLock, OnceLock};

use rlibphonenumber::{NumberLengthType, PHONE_NUMBER_UTIL, PhoneNumber};

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
}

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
