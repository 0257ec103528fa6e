//! Causes that block decisions besides the rules: a set-aside item, stopped dialling, a clock in doubt, a store that has
//! gone back, or another daemon that has taken the store.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::{Callback, CallbackId, ClockDoubt, Person, PersonId, Phone, Reason, SetAside, spelling};

/// What is held back now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    /// Shared, because every turn has a copy.
    pub aside: Arc<Aside>,
    /// Since when nothing is dialled, sent or decided, after too many failures of the code.
    pub stopped_since: Option<Timestamp>,
    /// Since when it is known that another daemon has opened the store: the same is held back as when dialling has
    /// stopped.
    pub deposed_since: Option<Timestamp>,
    /// Set while the wall clock is in doubt, which has the same effect as stopped dialling.
    pub clock_in_doubt: Option<ClockDoubt>,
    /// Since when the store is known not to be the one that was last written, which has the same effect.
    pub lineage_since: Option<Timestamp>,
}

/// Whom what is set aside holds back.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Aside {
    pub people: BTreeSet<PersonId>,
    /// Every number of these people, also of those who may be the same people.
    pub numbers: BTreeSet<Phone>,
    pub callbacks: BTreeSet<CallbackId>,
    /// How many items are set aside.
    pub count: usize,
}

impl Held {
    /// `people` are those about whom something is set aside, as far as they are stored. A report that is set aside
    /// may be a refusal, so it counts for everybody who may be the same person.
    #[must_use]
    pub fn new<'a>(
        aside: impl IntoIterator<Item = &'a SetAside>,
        people: &[Person],
        stopped_since: Option<Timestamp>,
    ) -> Self {
        let mut all = Aside::default();
        let mut numbers: BTreeSet<Phone> = people.iter().flat_map(Person::numbers).collect();
        all.people.extend(people.iter().map(|person| person.id));
        for item in aside {
            numbers.extend(item.consumer);
            all.people.extend(item.consumer.map(PersonId::of));
            all.callbacks.extend(item.callback);
            all.count += 1;
        }
        let alike =
            numbers.iter().flat_map(|&number| spelling::possibly(number)).chain(numbers.iter().copied());
        all.numbers = alike.flat_map(spelling::spellings).collect();
        all.numbers.extend(numbers);
        Self {
            aside: Arc::new(all),
            stopped_since,
            deposed_since: None,
            clock_in_doubt: None,
            lineage_since: None,
        }
    }

    /// Whether nothing is dialled, sent or decided.
    #[must_use]
    pub const fn is_everything(&self) -> bool {
        self.stopped_since.is_some()
            || self.deposed_since.is_some()
            || self.clock_in_doubt.is_some()
            || self.lineage_since.is_some()
    }

    /// Why nothing is done any more, if another daemon has opened the store.
    #[must_use]
    pub fn deposed_reason(&self) -> Option<Reason> {
        self.deposed_since.map(|since| Reason::Deposed { since })
    }

    /// Why everything waits whatever its own state says: another daemon has the store, the store has gone back, or the
    /// clock is in doubt.
    #[must_use]
    pub fn reason_of_all(&self) -> Option<Reason> {
        let clock = || self.clock_in_doubt.map(|ClockDoubt { since, by }| Reason::ClockInDoubt { since, by });
        let lineage = || self.lineage_since.map(|since| Reason::StoreWentBack { since });
        self.deposed_reason().or_else(lineage).or_else(clock)
    }

    /// How many items are set aside.
    #[must_use]
    pub fn count(&self) -> usize {
        self.aside.count
    }

    /// Whether the callback is not decided, since deciding it or folding a command about it failed.
    #[must_use]
    pub fn is_set_aside(&self, callback: CallbackId) -> bool {
        self.aside.callbacks.contains(&callback)
    }

    /// The numbers of those about whom a report is set aside.
    pub fn numbers(&self) -> impl Iterator<Item = Phone> {
        self.aside.numbers.iter().copied()
    }

    /// Why a callback to this person is held back.
    #[must_use]
    pub fn reason(&self, callback: &Callback, person: PersonId) -> Option<Reason> {
        if let Some(reason) = self.deposed_reason() {
            return Some(reason);
        }
        if self.is_set_aside(callback.id) {
            return Some(Reason::CallbackSetAside);
        }
        self.to_person(person, callback.order.consumer)
    }

    /// Why everything to this person, by this number, is held back.
    #[must_use]
    pub fn to_person(&self, person: PersonId, consumer: Phone) -> Option<Reason> {
        if let Some(since) = self.stopped_since {
            return Some(Reason::DiallingStopped { since });
        }
        if let Some(reason) = self.reason_of_all() {
            return Some(reason);
        }
        let concerned = self.aside.people.contains(&person) || self.aside.numbers.contains(&consumer);
        concerned.then_some(Reason::ReportSetAside)
    }
}
