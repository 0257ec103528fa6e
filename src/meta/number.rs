//! The number that Meta shows for an id.

use crate::domain::{Phone, spelling};

/// Whether it is another number than ours, by its digits. A number that Meta does not show is none.
#[must_use]
pub fn is_another(shown: &str, ours: Phone) -> bool {
    let digits: String = shown.chars().filter(char::is_ascii_digit).take(32).collect();
    if digits.is_empty() {
        return false;
    }
    // Meta may write a number without a digit that is dialled.
    !Phone::told(&digits).is_ok_and(|told| told == ours || spelling::key(told) == spelling::key(ours))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_by_their_digits_and_spellings() {
        let ours = Phone::parse("+551151991234").unwrap();
        for (shown, is_other) in [
            ("", false),
            ("unknown", false),
            ("+55 11 5199-1234", false),
            ("551151991234", false),
            ("+55 11 5199-1235", true),
            ("1", true),
            ("99999999999999999999999999999999999999", true),
        ] {
            assert_eq!(is_another(shown, ours), is_other, "{shown}");
        }
        let mobile = Phone::parse("+5511987654321").unwrap();
        assert!(!is_another("+55 11 8765-4321", mobile), "without the 9 of Brazil's mobile numbers");
    }
}
