//! Finds rows of a list that call the same person from the same sender, also by another spelling of the number, and rows
//! with the same reference.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::BuildHasher as _;

use sha2::{Digest as _, Sha256};

use crate::domain::PersonId;

/// Whom a row calls, and from which sender: 16 bytes of SHA-256, so that a list in parts can be compared with its rows so
/// far without their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonKey(pub [u8; 16]);

impl PersonKey {
    pub(super) fn of(person: PersonId, sender: Option<&str>) -> Self {
        let mut hash = Sha256::new();
        hash.update(person.number().digits().to_be_bytes());
        hash.update(sender.unwrap_or_default().as_bytes());
        let hash: [u8; 32] = hash.finalize().into();
        let mut key = [0; 16];
        key.copy_from_slice(&hash[..16]);
        Self(key)
    }
}

/// The first row of each person and sender, 20 bytes a row, and of each reference, 12 bytes, with the free room of the tables.
#[derive(Debug, Default)]
pub(super) struct Doubles {
    senders: RandomState,
    rows: HashMap<(u64, u64), u32>,
    references: HashMap<u64, u32>,
}

impl Doubles {
    /// The earlier row that calls the same person; `None` if this is the first one, which is then remembered.
    pub(super) fn earlier(&mut self, row: u32, person: PersonId, sender: Option<&str>) -> Option<u32> {
        let sender = sender.map_or(0, |sender| self.senders.hash_one(sender));
        match self.rows.entry((person.number().digits(), sender)) {
            Entry::Occupied(first) => Some(*first.get()),
            Entry::Vacant(place) => {
                place.insert(row);
                None
            }
        }
    }

    /// The earlier row with the same reference; `None` if this is the first one, which is then remembered.
    pub(super) fn earlier_reference(&mut self, row: u32, reference: &str) -> Option<u32> {
        match self.references.entry(self.senders.hash_one(reference)) {
            Entry::Occupied(first) => Some(*first.get()),
            Entry::Vacant(place) => {
                place.insert(row);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Phone;

    #[test]
    fn a_key_is_the_same_for_every_spelling_and_another_one_for_another_sender() {
        let key = |number, sender| PersonKey::of(PersonId::of(Phone::parse(number).unwrap()), sender);
        let first = key("+5511987650101", None);
        assert_eq!(first, key("+551187650101", None));
        assert_ne!(first, key("+5511987650102", None));
        assert_ne!(first, key("+5511987650101", Some("+551151991234")));
    }

    #[test]
    fn a_reference_has_one_row() {
        let mut doubles = Doubles::default();
        assert_eq!(doubles.earlier_reference(2, "c-1"), None);
        assert_eq!(doubles.earlier_reference(3, "c-2"), None);
        assert_eq!(doubles.earlier_reference(4, "c-1"), Some(2));
        assert_eq!(doubles.earlier_reference(5, "c-1"), Some(2), "the first one is told");
    }

    #[test]
    fn a_person_has_one_row_for_each_sender() {
        let person = |number| PersonId::of(Phone::parse(number).unwrap());
        let mut doubles = Doubles::default();
        assert_eq!(doubles.earlier(2, person("+5511987650101"), None), None);
        assert_eq!(doubles.earlier(3, person("+5511987650102"), None), None);
        assert_eq!(doubles.earlier(4, person("+551187650101"), None), Some(2), "without the ninth digit");
        assert_eq!(doubles.earlier(5, person("+5511987650101"), Some("+551151991234")), None);
        assert_eq!(doubles.earlier(6, person("+5511987650101"), Some("+551151991234")), Some(5));
    }
}
