//! Finds rows of a list that call the same person from the same sender, also by another spelling of the number.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::BuildHasher as _;

use crate::domain::PersonId;

/// The first row of each person and sender: 20 bytes a row and the free room of a table.
#[derive(Debug, Default)]
pub(super) struct Doubles {
    senders: RandomState,
    rows: HashMap<(u64, u64), u32>,
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Phone;

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
