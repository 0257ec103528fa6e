//! The faults of one order, gathered so that a customer sees all of them at once.

use crate::http::error::FieldError;

/// FieldErrors in the order in which they were found.
#[derive(Debug, Default)]
pub(super) struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    pub(super) fn add(&mut self, field: impl Into<String>, code: &'static str, detail: impl Into<String>) {
        self.0.push(FieldError { field: field.into(), code, detail: detail.into() });
    }

    /// Whether anything is wrong with the field or with a part of it.
    pub(super) fn has(&self, field: &str) -> bool {
        self.0.iter().any(|fault| {
            fault
                .field
                .strip_prefix(field)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn into_vec(self) -> Vec<FieldError> {
        self.0
    }
}

/// The most characters of a customer's word that are repeated to the customer.
const QUOTED_MAX: usize = 40;
/// So many digits in a row could be a phone number.
const DIGITS_MAX: usize = 6;

/// A word of the customer, fit for an error: short, and with nothing in it that could be a phone number.
pub(in crate::http::api) fn quoted(word: &str) -> String {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let shown: String = word
        .chars()
        .take(QUOTED_MAX)
        .map(|c| if digits > DIGITS_MAX && c.is_ascii_digit() { '*' } else { c })
        .collect();
    let end = if word.chars().count() > QUOTED_MAX { "..." } else { "" };
    format!("{:?}", format!("{shown}{end}"))
}

/// `; did you mean "x"?` for the known word that is most like this one, if any is like it.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let likeness = |known: &&str| strsim::jaro_winkler(word, known);
    known
        .into_iter()
        .map(|known| (likeness(&known), known))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, known)| format!("; did you mean {known:?}?"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_number_is_never_repeated() {
        assert_eq!(quoted("+5511987654321"), "\"+*************\"");
        assert_eq!(quoted("agent-1"), "\"agent-1\"");
        assert_eq!(quoted(&"x".repeat(41)), format!("\"{}...\"", "x".repeat(40)));
    }

    #[test]
    fn the_nearest_word_is_proposed_and_a_far_one_is_not() {
        assert_eq!(nearest("dial-clint", ["dial-sip", "dial-client"]), "; did you mean \"dial-client\"?");
        assert_eq!(nearest("zzz", ["dial-sip", "dial-client"]), "");
    }

    #[test]
    fn a_fault_in_a_part_is_a_fault_of_the_whole() {
        let mut faults = FieldErrors::default();
        faults.add("hours.zone", "hours.invalid", "x");
        assert!(faults.has("hours"));
        assert!(!faults.has("hour"));
    }
}
