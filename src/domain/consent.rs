//! The consent of a consumer to be contacted, as the customer has recorded it. Marketing needs one.

use jiff::{SignedDuration, Timestamp};

use super::{Order, Purpose};

/// A consent. It is the customer's record; WhatsApp's call permission is another thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// Where it was given, such as a form.
    pub source: String,
    /// When it was given.
    pub at: Timestamp,
    /// The version of the text that the consumer agreed to.
    pub text_version: Option<String>,
    /// The first moment at which it holds no more.
    pub expires_at: Option<Timestamp>,
}

impl Consent {
    /// How far ahead of ours the clock may be by which it was given.
    pub const AHEAD_MAX: SignedDuration = SignedDuration::from_mins(5);

    /// Whether it has not ended at `now`. That it was given before its order is checked where the order is taken.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|at| now < at)
    }
}

impl Order {
    /// Whether it needs a consent and has none that holds at `now`.
    #[must_use]
    pub fn lacks_consent(&self, now: Timestamp) -> bool {
        self.purpose == Purpose::Marketing
            && !self.consent.as_ref().is_some_and(|consent| consent.is_live(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Phone;

    fn at(second: i64) -> Timestamp {
        Timestamp::constant(1_790_000_000 + second, 0)
    }

    #[test]
    fn only_marketing_needs_a_consent_and_it_holds_until_its_end() {
        let number = |text| Phone::parse(text).unwrap();
        let mut order =
            Order::new(number("+5511987654321"), vec![number("+551151991234")], "message", at(0), at(900));
        for purpose in Purpose::ALL {
            order.purpose = purpose;
            assert_eq!(order.lacks_consent(at(0)), purpose == Purpose::Marketing, "{purpose:?}");
        }
        order.purpose = Purpose::Marketing;
        let consent =
            |expires_at| Some(Consent { source: "form".into(), at: at(10), text_version: None, expires_at });
        order.consent = consent(Some(at(60)));
        let lacks = |order: &Order| [9, 10, 59, 60].map(|second| order.lacks_consent(at(second)));
        assert_eq!(lacks(&order), [false, false, false, true]);
        order.consent = consent(None);
        assert_eq!(lacks(&order), [false, false, false, false]);
    }
}
