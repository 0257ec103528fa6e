//! Collects the field errors of one order, so that a customer sees all of them at once.

use crate::http::OrderLimits;
use crate::http::error::FieldError;

/// The faults of one order, as they were found, at most `faults_max`.
#[derive(Debug, Default)]
pub(super) struct FieldErrors {
    kept: Vec<FieldError>,
    omitted: usize,
    limits: OrderLimits,
}

impl FieldErrors {
    pub(super) fn within(limits: OrderLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// The maximum number of fields of one object in the order.
    pub(super) fn fields_max(&self) -> usize {
        self.limits.fields_max
    }

    pub(super) fn add(&mut self, field: impl Into<String>, code: &'static str, detail: impl Into<String>) {
        if self.kept.len() < self.limits.faults_max {
            self.kept.push(FieldError { field: field.into(), code, detail: detail.into() });
        } else {
            self.omitted += 1;
        }
    }

    /// Adds a fault whose detail costs much, which is only made if it is kept.
    pub(super) fn add_with(&mut self, field: &str, code: &'static str, detail: impl FnOnce() -> String) {
        if self.kept.len() < self.limits.faults_max {
            self.add(field, code, detail());
        } else {
            self.omitted += 1;
        }
    }

    /// Whether the field or a part of it has a fault.
    pub(super) fn has(&self, field: &str) -> bool {
        self.kept.iter().any(|fault| {
            fault
                .field
                .strip_prefix(field)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// The faults. If some were omitted, the last entry has their number.
    pub(super) fn into_vec(self) -> Vec<FieldError> {
        let mut faults = self.kept;
        if self.omitted > 0 {
            let detail = format!("{} more faults are not listed", self.omitted);
            faults.push(FieldError { field: String::new(), code: "errors.omitted", detail });
        }
        faults
    }
}

/// The maximum number of characters of the customer's text in an error.
const QUOTED_MAX: usize = 40;
/// This many digits in a row could be a phone number.
const DIGITS_MAX: usize = 6;

/// A text of the customer for an error: short, and without anything that could be a phone number.
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

/// `; did you mean "x"?` with the nearest known word, if one is near. The comparison costs the product of both
/// lengths, so a long word is not compared.
pub(in crate::http::api) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    if word.len() > QUOTED_MAX {
        return String::new();
    }
    let likeness = |known: &&str| strsim::jaro_winkler(word, known);
    known
        .into_iter()
        .map(|known| (likeness(&known), known))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, known)| format!("; did you mean {known:?}?"))
        .unwrap_or_default()
}

/// Says that a text has too many bytes.
pub(in crate::http::api) fn too_long(length: usize, max: usize) -> String {
    format!("has {length} bytes: expected at most {max}")
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
    fn faults_past_the_limit_are_counted_and_not_kept() {
        for (added, expected) in [(2, 2), (3, 3), (4, 4), (100, 4)] {
            let mut faults = FieldErrors::within(OrderLimits { faults_max: 3, ..OrderLimits::default() });
            let mut made = 0;
            for index in 0..added {
                faults.add_with(&format!("f{index}"), "field.unknown", || {
                    made += 1;
                    "x".to_owned()
                });
            }
            assert_eq!(made, added.min(3), "a detail is made only for a fault that is kept");
            let told = faults.into_vec();
            assert_eq!(told.len(), expected, "{added} faults");
            let more = (added > 3).then(|| format!("{} more faults are not listed", added - 3));
            assert_eq!(told.get(3).map(|fault| fault.detail.clone()), more);
        }
    }

    #[test]
    fn a_fault_in_a_part_is_a_fault_of_the_whole() {
        let mut faults = FieldErrors::default();
        faults.add("hours.zone", "hours.invalid", "x");
        assert!(faults.has("hours"));
        assert!(!faults.has("hour"));
    }
}
