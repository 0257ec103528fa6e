//! The senders that the operator declared, by number.

use std::collections::BTreeMap;

use super::{Phone, Sender};

/// All senders of all accounts. A number belongs to one account only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directory {
    senders: BTreeMap<Phone, Sender>,
}

impl Directory {
    #[must_use]
    pub fn new(senders: impl IntoIterator<Item = Sender>) -> Self {
        Self { senders: senders.into_iter().map(|sender| (sender.number, sender)).collect() }
    }

    #[must_use]
    pub fn sender(&self, number: Phone) -> Option<&Sender> {
        self.senders.get(&number)
    }

    /// In order of their numbers.
    pub fn senders(&self) -> impl Iterator<Item = &Sender> {
        self.senders.values()
    }
}
