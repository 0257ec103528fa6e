//! The rules for a person across all senders: one call at a time, a pause after an answered call, and refusals.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::PeopleRules;
use crate::domain::suppression::{Errand, Outgoing, forbidden};
use crate::domain::{
    AttemptId, ErrorCode, Issuer, Name, Names, Pair, PairKey, Person, PersonId, Phone, Purpose, Reason,
    Refusal, RefusalKind, Suppression, spelling,
};

/// What is known of the consumer across all senders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonView {
    pub id: PersonId,
    /// Our calls that are or may be in progress, of all senders.
    pub live: BTreeSet<AttemptId>,
    /// Whether the consumer is calling one of the senders.
    pub is_calling: bool,
    /// Refusals of the person, and of everybody who may be the same person.
    pub refusals: Vec<Refusal>,
    /// When the last of our calls that the person answered ended.
    pub talked_until: Option<Timestamp>,
    /// The numbers that were learned, beside that of the id.
    pub learned: Vec<Phone>,
    /// When invites were intended that may have reached the person, oldest first.
    pub invites: Vec<Timestamp>,
    /// The entries of suppression lists, of the person and of everybody who may be the same person.
    pub suppressions: Vec<Suppression>,
    /// When calls of ours were placed that count, oldest first.
    pub calls: Vec<Timestamp>,
}

impl PersonView {
    /// `alike` are records of numbers that may belong to the same person. Only their refusals and suppressions are used.
    #[must_use]
    pub fn of<'a>(
        person: &Person,
        mut pairs: impl Iterator<Item = &'a Pair>,
        alike: impl Iterator<Item = &'a Person>,
    ) -> Self {
        let (mut refusals, mut suppressions) = (person.refusals.clone(), person.suppressions.clone());
        for other in alike {
            refusals.extend(&other.refusals);
            suppressions.extend(other.suppressions.iter().cloned());
        }
        Self {
            id: person.id,
            live: person.live.clone(),
            is_calling: pairs.any(|pair| pair.live_inbound.is_some()),
            refusals,
            talked_until: person.talked_until,
            learned: person.names.iter().filter_map(Name::number).collect(),
            invites: person.invites.clone(),
            suppressions,
            calls: person.calls.clone(),
        }
    }

    /// Every number by which the person is known, each in one spelling.
    pub fn numbers(&self) -> impl Iterator<Item = Phone> {
        self.learned.iter().copied().chain([self.id.number()])
    }

    /// The person of this number, among those that were read.
    ///
    /// `pairs_from` gives the pairs in order of their keys, from this key on.
    pub fn find<'a, I>(
        consumer: Phone,
        names: &Names,
        person: impl Fn(PersonId) -> Option<&'a Person>,
        pairs_from: impl FnOnce(PairKey) -> I,
    ) -> Self
    where
        I: Iterator<Item = &'a Pair>,
    {
        let id = names.of_number(consumer);
        let new = Person::unknown(id);
        let found = person(id).unwrap_or(&new);
        let alike: BTreeSet<PersonId> = spelling::possibly(consumer)
            .into_iter()
            .map(|number| names.of_number(number))
            .filter(|other| *other != id)
            .collect();
        let pairs = pairs_from(PairKey::first_of(id)).take_while(|pair| pair.key.person == id);
        Self::of(found, pairs, alike.into_iter().filter_map(person))
    }

    /// A person without a record.
    #[must_use]
    pub fn unknown(id: PersonId) -> Self {
        Self::of(&Person::unknown(id), std::iter::empty(), std::iter::empty())
    }

    #[must_use]
    pub fn is_on_the_phone(&self) -> bool {
        self.is_calling || !self.live.is_empty()
    }

    /// Takes an invite of this time back.
    pub(super) fn not_invited(&mut self, at: Timestamp) {
        if let Some(place) = self.invites.iter().rposition(|&other| other == at) {
            self.invites.remove(place);
        }
    }

    /// Takes a call of this time back.
    pub(super) fn not_called(&mut self, at: Timestamp) {
        self.calls.retain(|&other| other != at);
    }

    /// The latest refusal that the person gave, and no operator. One of marketing alone is none of calls.
    #[must_use]
    pub fn refused_by_the_person(&self) -> Option<&Refusal> {
        let is_own =
            |refusal: &&Refusal| !matches!(refusal.kind, RefusalKind::Operator | RefusalKind::Marketing);
        let own = self.refusals.iter().filter(is_own);
        own.max_by_key(|refusal| (refusal.at, refusal.kind))
    }

    /// The refusal that applies to this sender; the latest one, if there are several. A refusal of marketing binds what is
    /// for marketing, and what is for no order (`None`): nobody has asked for that.
    #[must_use]
    pub fn refuses(
        &self,
        sender: Phone,
        purpose: Option<Purpose>,
        rules: &PeopleRules,
    ) -> Option<RefusalKind> {
        let binds = |refusal: &&Refusal| match refusal.kind {
            RefusalKind::Decline if rules.decline_binds_its_sender_only => refusal.sender == sender,
            RefusalKind::Marketing => matches!(purpose, None | Some(Purpose::Marketing)),
            _ => true,
        };
        self.refusals
            .iter()
            .filter(binds)
            .max_by_key(|refusal| (refusal.at, refusal.kind))
            .map(|refusal| refusal.kind)
    }

    /// Whether the person is not to be asked for a permission, although calls are not refused: one who stopped marketing
    /// messages is asked only for a call that the person wants (our rule; no platform says so).
    #[must_use]
    pub fn refuses_requests(&self, purpose: Purpose) -> Option<RefusalKind> {
        let has_stopped = self.refusals.iter().any(|refusal| refusal.kind == RefusalKind::Marketing);
        (has_stopped && purpose != Purpose::Requested).then_some(RefusalKind::Marketing)
    }

    /// Why a suppression list forbids this at `now`.
    #[must_use]
    pub fn suppressed(&self, now: Timestamp, what: Outgoing, errand: &Errand<'_>) -> Option<Reason> {
        let entry = forbidden(&self.suppressions, now, what, errand)?;
        Some(Reason::Suppressed { list: entry.list.clone(), scope: entry.scope })
    }

    /// The end of the pause after the last answered call; `None` if it has passed at `now`.
    #[must_use]
    pub fn rests_until(&self, now: Timestamp, rules: &PeopleRules) -> Option<Timestamp> {
        let until = self.talked_until?.checked_add(rules.gap).ok()?;
        (until > now).then_some(until)
    }
}

/// The people that were read, with their pairs.
#[derive(Debug, Default)]
pub struct People {
    names: Names,
    persons: BTreeMap<PersonId, Person>,
    pairs: BTreeMap<PairKey, Pair>,
}

impl People {
    #[must_use]
    pub fn of(found: Vec<(Person, Vec<Pair>)>) -> Self {
        let mut people = Self::default();
        for (person, pairs) in found {
            people.names.learn(&person);
            people.persons.insert(person.id, person);
            people.pairs.extend(pairs.into_iter().map(|pair| (pair.key, pair)));
        }
        people
    }

    /// What is known of the consumer with this number across all senders.
    #[must_use]
    pub fn view(&self, consumer: Phone) -> PersonView {
        let get = |id| self.persons.get(&id);
        let pairs_from = |key| self.pairs.range(key..).map(|(_, pair)| pair);
        PersonView::find(consumer, &self.names, get, pairs_from)
    }

    /// The ledger of a sender with the person of this number; without a history if there is none.
    #[must_use]
    pub fn pair(&self, sender: Phone, consumer: Phone) -> Pair {
        let key = PairKey { sender, person: self.names.of_number(consumer) };
        self.pairs.get(&key).cloned().unwrap_or_else(|| Pair::unknown(key))
    }
}

/// The kind of refusal that this error code of the platform reports.
#[must_use]
pub const fn refusal_by_code(code: Option<ErrorCode>) -> RefusalKind {
    match code {
        // Blocked by the consumer's own action, or by the carrier (Twilio, error dictionary, November 2026).
        Some(ErrorCode { issuer: Issuer::Twilio, number: 63_014 | 30_004 }) => RefusalKind::Block,
        _ => RefusalKind::OptOut,
    }
}
