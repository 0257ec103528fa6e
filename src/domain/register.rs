//! Registers that answer a submitted list, such as Não Me Perturbe: who may not be called for marketing, as of a day.
//!
//! What a register answered is kept as entries of its suppression list: of everybody who was submitted that the person was
//! checked, which ends with the age of the answer, and of those whom it names that nobody calls them.

use jiff::{SignedDuration, Timestamp};

use super::{Country, ListName, Phone, Purpose, Suppression, SuppressionScope};

/// A register, as it is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Register {
    /// `imported:` and its name.
    pub list: ListName,
    /// How long an answer counts.
    pub age: SignedDuration,
    /// The countries of the numbers that it binds; empty for all.
    pub countries: Vec<Country>,
    /// The purposes that it binds; empty for all.
    pub purposes: Vec<Purpose>,
    /// Whether nobody is called who was not checked.
    pub required: bool,
}

impl Register {
    /// The age of an answer that is not configured otherwise.
    pub const AGE: SignedDuration = SignedDuration::from_hours(30 * 24);

    /// Whether it binds a call for this purpose to this number.
    #[must_use]
    pub fn binds(&self, purpose: Purpose, consumer: Phone) -> bool {
        (self.purposes.is_empty() || self.purposes.contains(&purpose))
            && (self.countries.is_empty()
                || Country::of(consumer).is_some_and(|country| self.countries.contains(&country)))
    }

    /// Whether its answer about the person with these entries counts at `now`.
    #[must_use]
    pub fn was_asked(&self, entries: &[Suppression], now: Timestamp) -> bool {
        let is_its = |entry: &&Suppression| entry.list == self.list && entry.is_in_force(now);
        entries.iter().filter(is_its).any(|entry| entry.scope == SuppressionScope::Checked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn register() -> Register {
        Register {
            list: "imported:nao-me-perturbe".parse().unwrap(),
            age: Register::AGE,
            countries: Country::parse("BR").into_iter().collect(),
            purposes: vec![Purpose::Marketing],
            required: true,
        }
    }

    fn phone(text: &str) -> Phone {
        Phone::parse(text).unwrap()
    }

    #[test]
    fn a_register_binds_its_purposes_in_its_countries() {
        let brazil = phone("+5511987654321");
        assert!(register().binds(Purpose::Marketing, brazil));
        assert!(!register().binds(Purpose::Requested, brazil), "what somebody asked for is not lost to it");
        assert!(!register().binds(Purpose::Marketing, phone("+4915112345678")));
        let all = Register { countries: Vec::new(), purposes: Vec::new(), ..register() };
        assert!(all.binds(Purpose::Service, phone("+4915112345678")));
    }

    #[test]
    fn an_answer_counts_until_its_age_is_over() {
        let at = |second: i64| Timestamp::constant(1_790_000_000 + second, 0);
        let checked = |list: &str, scope| Suppression {
            list: list.parse().unwrap(),
            scope,
            purposes: Vec::new(),
            countries: Vec::new(),
            added_at: at(0),
            expires_at: Some(at(60)),
            why: None,
        };
        let own = checked("imported:nao-me-perturbe", SuppressionScope::Checked);
        assert!(register().was_asked(std::slice::from_ref(&own), at(59)));
        assert!(!register().was_asked(&[own], at(60)));
        assert!(!register().was_asked(&[checked("imported:other", SuppressionScope::Checked)], at(0)));
        assert!(!register().was_asked(&[checked("imported:nao-me-perturbe", SuppressionScope::All)], at(0)));
        assert!(!register().was_asked(&[], at(0)));
    }
}
