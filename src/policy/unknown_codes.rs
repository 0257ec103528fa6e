//! Codes that are in no table: one that comes back at several consumers of a sender is not the fault of a consumer.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::domain::{AccountAlias, ErrorCode, PersonId, Phone};

/// At so many different people (our rule).
const PEOPLE: usize = 3;
/// Within this time (our rule).
const WINDOW: SignedDuration = SignedDuration::from_mins(10);
/// For so long the sender is paused (our rule).
pub const PAUSE: SignedDuration = SignedDuration::from_hours(1);
/// So many senders and codes are remembered.
const KEYS_MAX: usize = 1_000;

/// A sender at the account that it called or wrote by, and a code.
type Key = (AccountAlias, Phone, ErrorCode);

/// The unknown codes that were heard a short time ago. Kept in memory: after a restart counting begins anew.
#[derive(Debug, Default)]
pub struct UnknownCodes {
    heard: BTreeMap<Key, Vec<(Timestamp, PersonId)>>,
}

impl UnknownCodes {
    /// Notes that a call or message of the sender to this person failed with an unknown code. Returns whether the sender is
    /// to be paused; then counting begins anew.
    pub fn heard(
        &mut self,
        now: Timestamp,
        (account, sender): (&AccountAlias, Phone),
        code: ErrorCode,
        person: PersonId,
    ) -> bool {
        self.heard.retain(|_, people| {
            people.retain(|(at, _)| now.duration_since(*at) <= WINDOW);
            !people.is_empty()
        });
        let key = (account.clone(), sender, code);
        if self.heard.len() >= KEYS_MAX && !self.heard.contains_key(&key) {
            return false;
        }
        let people = self.heard.entry(key.clone()).or_default();
        if !people.iter().any(|(_, known)| *known == person) {
            people.push((now, person));
        }
        let is_too_many = people.len() >= PEOPLE;
        if is_too_many {
            self.heard.remove(&key);
        }
        is_too_many
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::constant(1_790_000_000, 0) + SignedDuration::from_secs(second)
    }

    fn phone(n: u64) -> Phone {
        Phone::from_stored(551_150_000_000 + n)
    }

    struct Heard(UnknownCodes);

    impl Heard {
        fn of(&mut self, second: i64, sender: u64, code: u32, person: u64) -> bool {
            let person = PersonId::of(phone(900 + person));
            self.0.heard(at(second), (&"main".into(), phone(sender)), ErrorCode::of_twilio(code), person)
        }
    }

    fn nothing() -> Heard {
        Heard(UnknownCodes::default())
    }

    #[test]
    fn the_third_person_within_ten_minutes_pauses_the_sender_and_counting_begins_anew() {
        for (third, pauses) in [(599, true), (600, true), (601, false)] {
            let mut heard = nothing();
            assert_eq!([heard.of(0, 1, 99_999, 1), heard.of(1, 1, 99_999, 2)], [false, false]);
            assert_eq!(heard.of(third, 1, 99_999, 3), pauses, "{third}");
        }
        let mut heard = nothing();
        let all: Vec<bool> = (1..=6).map(|person| heard.of(0, 1, 99_999, person)).collect();
        assert_eq!(all, [false, false, true, false, false, true]);
    }

    #[test]
    fn one_person_other_senders_and_other_codes_count_by_themselves() {
        let mut heard = nothing();
        assert!((0..9).all(|second| !heard.of(second, 1, 99_999, 1)), "the same person");
        assert!(!heard.of(9, 1, 99_999, 2) && !heard.of(9, 2, 99_999, 3) && !heard.of(9, 1, 99_998, 4));
        let other = heard.0.heard(
            at(9),
            (&"other".into(), phone(1)),
            ErrorCode::of_twilio(99_999),
            PersonId::of(phone(905)),
        );
        assert!(!other, "another account");
        assert!(heard.of(9, 1, 99_999, 6));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_forgotten_in_time() {
        let mut heard = nothing();
        let most = u64::try_from(KEYS_MAX).unwrap();
        assert!((0..=most).all(|sender| !heard.of(0, sender, 99_999, 1)));
        assert_eq!(heard.0.heard.len(), KEYS_MAX);
        assert!(!heard.of(600, 0, 99_999, 2), "a known one still counts");
        assert!(!heard.of(601, most, 99_999, 2));
        assert_eq!(heard.0.heard.len(), 2);
    }
}
