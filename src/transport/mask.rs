//! Masks possible phone numbers in the texts of platforms, for errors and logs.

/// Shorter numbers are error codes, statuses or ports.
const DIGITS_MIN: usize = 7;
const CHARS_MAX: usize = 300;

/// Replaces the digits of every run of seven or more by `*`, however they are grouped, and cuts what is too
/// long for a log line.
#[expect(clippy::arithmetic_side_effects, reason = "positions in one text, each within its length")]
#[must_use]
pub fn mask_numbers(text: &str) -> String {
    let mut masked: Vec<char> = text.chars().take(CHARS_MAX).collect();
    let mut at = 0;
    while at < masked.len() {
        let end = masked[at..]
            .iter()
            .position(|c| !c.is_numeric() && !matches!(c, ' ' | '-' | '(' | ')' | '.' | '\u{a0}'))
            .map_or(masked.len(), |length| at + length);
        let run = &mut masked[at..end];
        if run.iter().filter(|c| c.is_numeric()).count() >= DIGITS_MIN {
            run.iter_mut().filter(|c| c.is_numeric()).for_each(|c| *c = '*');
        }
        at = end.max(at + 1);
    }
    masked.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phone_numbers_are_hidden_and_codes_are_not() {
        for (text, masked) in [
            ("The 'To' number +5511987654321 is not valid.", "The 'To' number +************* is not valid."),
            ("whatsapp:+14155552671", "whatsapp:+***********"),
            ("call (415) 867-5309 now", "call (***) ***-**** now"),
            ("https://www.twilio.com/docs/errors/21211", "https://www.twilio.com/docs/errors/21211"),
            ("six 123456", "six 123456"),
            ("seven 1234567", "seven *******"),
        ] {
            assert_eq!(mask_numbers(text), masked);
        }
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(mask_numbers(&"é".repeat(1000)).chars().count(), CHARS_MAX);
    }
}
