//! Erasures: the data of one person leaves the store, in steps that survive a restart.
//!
//! What stays: the rows without names, so that counts are right, and an entry of the suppression list `erased`, which is
//! a hash. What platforms, backups, logs and customers hold is not erased here.

use std::collections::BTreeSet;

use jiff::Timestamp;
use strum::{EnumString, IntoStaticStr};

use super::{ErasureId, Name, Phone};

/// One erasure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    pub id: ErasureId,
    pub state: ErasureState,
    /// What stands in place of the person's number in rows that stay.
    pub pseudonym: Phone,
    /// The names of the person, numbers in every certain spelling. Empty from [`ErasureState::Cleaning`] on.
    pub names: BTreeSet<Name>,
    /// The ids of the person at pages of Messenger, as far as orders named them. Empty as the names are.
    pub pages: BTreeSet<String>,
    pub asked_at: Timestamp,
    /// The name of the API token.
    pub asked_by: String,
    /// For the record; at most 200 bytes.
    pub why: String,
    pub done_at: Option<Timestamp>,
    /// The number of the last report that was searched.
    pub searched: i64,
    pub counts: ErasureCounts,
}

/// Where an erasure stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum ErasureState {
    /// Open orders are closed, calls in progress end, and then the rows of the person are erased.
    Closing,
    /// Reports, commands and idempotency keys are searched for the person.
    Searching,
    /// Nothing names the person any more; the file's log is emptied.
    Cleaning,
    /// Platforms are asked to delete the calls and messages that they hold.
    Deleting,
    Done,
}

impl ErasureState {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// What a platform holds of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum HeldKind {
    /// With the recordings of it.
    Call,
    Message,
}

impl HeldKind {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// What came of a call or message at a platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum HeldState {
    /// The platform has it.
    Held,
    /// The platform has it no more.
    Deleted,
    /// The platform refused to delete it, or could not be asked in all tries: an operator has to.
    Refused,
}

impl HeldState {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// How much was erased.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ErasureCounts {
    /// Callbacks and invites.
    pub orders: u64,
    pub attempts: u64,
    pub messages: u64,
    /// Reports of platforms, and commands.
    pub reports: u64,
    /// Calls and messages at a platform whose ids tell the number, so that the ids are erased too.
    pub unnamed: u64,
}

/// 999 is no country calling code, so nobody can order a call to such a number.
const PSEUDONYMS: u64 = 999_000_000_000_000;
const PSEUDONYM_DIGITS: u128 = 1_000_000_000_000;

impl Erasure {
    /// How many may be open at once.
    pub const OPEN_MAX: usize = 100;

    /// The pseudonym of an erasure: 15 digits that tell nothing about the person.
    #[must_use]
    pub fn pseudonym_of(id: ErasureId) -> Phone {
        let digits = id.uuid().as_u128() % PSEUDONYM_DIGITS;
        Phone::from_stored(PSEUDONYMS + u64::try_from(digits).unwrap_or_default())
    }

    /// The person's numbers.
    pub fn numbers(&self) -> impl Iterator<Item = Phone> {
        self.names.iter().filter_map(Name::number)
    }
}

/// Whether this number stands for an erased person.
#[must_use]
pub const fn is_pseudonym(number: Phone) -> bool {
    number.digits() >= PSEUDONYMS && number.digits() < PSEUDONYMS + 1_000_000_000_000
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn pseudonym(bits: u128) -> Phone {
        Erasure::pseudonym_of(ErasureId::new(Uuid::from_u128(bits)))
    }

    #[test]
    fn a_pseudonym_is_a_number_that_nobody_can_order() {
        for bits in [0, 1, 999_999_999_999, 1_000_000_000_000, u128::MAX] {
            let number = pseudonym(bits);
            assert!(is_pseudonym(number), "{bits}");
            assert_eq!(number.e164().len(), 16);
            assert!(Phone::parse(&number.e164()).is_err());
        }
        assert_eq!(pseudonym(999_999_999_999), Phone::from_stored(999_999_999_999_999));
        assert_eq!(pseudonym(1_000_000_000_000), Phone::from_stored(999_000_000_000_000));
    }

    #[test]
    fn other_numbers_are_no_pseudonyms() {
        for digits in [998_999_999_999_999, 1_000_000_000_000_000, 5_511_987_654_321, 99_900_000_000_000] {
            assert!(!is_pseudonym(Phone::from_stored(digits)), "{digits}");
        }
    }

    #[test]
    fn states_keep_their_names() {
        let all = [
            ErasureState::Closing,
            ErasureState::Searching,
            ErasureState::Cleaning,
            ErasureState::Deleting,
            ErasureState::Done,
        ];
        for state in all {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        assert_eq!(all.map(ErasureState::as_str), ["closing", "searching", "cleaning", "deleting", "done"]);
    }
}
