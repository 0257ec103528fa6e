//! Consumers with several names: spellings of their number, and a user id. The world knows each person by one number.

use std::collections::HashMap;

use super::World;
use super::state::{PairId, TextId};
use crate::domain::Phone;

/// A consumer with several names.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The number by which the world and the oracle know the person.
    pub number: Phone,
    /// Other spellings under which the person is called.
    pub spellings: Vec<Phone>,
    pub told: Told,
}

/// How webhooks name the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// By this spelling. Nobody else can have it.
    Number(Phone),
    /// By this spelling, which may also be somebody else's.
    Doubtful(Phone),
    /// By the number and a user id, which may begin with `whatsapp:`.
    Both(String),
    /// By the user id alone in messages, and by the number in calls: calls are placed between numbers only.
    Id(String),
}

/// The names that the world knows, and those that the daemon was told.
#[derive(Debug, Default)]
pub(super) struct Identities {
    known: Vec<Identity>,
    by_number: HashMap<Phone, usize>,
    /// For each person, whether the daemon was told to whom the user id belongs.
    linked: Vec<bool>,
}

/// The name of a consumer in one webhook.
pub(super) struct NameTold {
    /// `From`.
    pub(super) from: String,
    /// `WaId`.
    pub(super) digits: Option<String>,
    /// `ExternalUserId`.
    pub(super) user_id: Option<String>,
}

impl Identities {
    pub(super) fn of(known: Vec<Identity>) -> Self {
        let numbers = |person: &Identity| -> Vec<Phone> {
            let told = match &person.told {
                Told::Number(number) | Told::Doubtful(number) => Some(*number),
                Told::Both(_) | Told::Id(_) => None,
            };
            person.spellings.iter().copied().chain([person.number]).chain(told).collect()
        };
        let by_number = known
            .iter()
            .enumerate()
            .flat_map(|(index, person)| numbers(person).into_iter().map(move |number| (number, index)))
            .collect();
        Self { linked: vec![false; known.len()], known, by_number }
    }
}

impl World {
    /// The number by which the world knows the person with this number.
    #[must_use]
    pub fn person(&self, number: Phone) -> Phone {
        self.names.by_number.get(&number).map_or(number, |&index| self.names.known[index].number)
    }

    fn identity(&self, pair: PairId) -> Option<usize> {
        self.names.by_number.get(&self.pairs[pair].consumer).copied()
    }

    pub(super) fn name_in_message(&self, pair: PairId) -> NameTold {
        let identity = self.identity(pair).map(|index| &self.names.known[index].told);
        let (from, digits, user_id) = match identity {
            Some(Told::Id(id)) => {
                let bare = id.trim_start_matches("whatsapp:");
                return NameTold {
                    from: format!("whatsapp:{bare}"),
                    digits: None,
                    user_id: Some(id.clone()),
                };
            }
            Some(Told::Both(id)) => (self.pairs[pair].consumer, self.pairs[pair].consumer, Some(id.clone())),
            Some(Told::Number(number) | Told::Doubtful(number)) => (*number, *number, None),
            None => (self.pairs[pair].consumer, self.pairs[pair].consumer, None),
        };
        NameTold {
            from: format!("whatsapp:{}", from.e164()),
            digits: Some(digits.digits().to_string()),
            user_id,
        }
    }

    /// The number that calls from the consumer come from.
    pub(super) fn number_in_call(&self, pair: PairId) -> Phone {
        match self.identity(pair).map(|index| &self.names.known[index].told) {
            Some(Told::Number(number) | Told::Doubtful(number)) => *number,
            _ => self.pairs[pair].consumer,
        }
    }

    /// Whether the daemon can know who said this: by the name, or by the request that it answers. Something that
    /// allows nothing, such as a no, also counts under a name that may be the person's.
    pub(super) fn is_understood(&mut self, pair: PairId, answered: Option<TextId>, is_yes: bool) -> bool {
        let Some(index) = self.identity(pair) else { return true };
        let by_request = answered.is_some_and(|request| self.texts[request].is_told);
        let link = &mut self.names.linked[index];
        match self.names.known[index].told {
            Told::Number(_) | Told::Both(_) => true,
            Told::Doubtful(_) => by_request || !is_yes,
            Told::Id(_) => {
                *link |= by_request;
                *link
            }
        }
    }
}
