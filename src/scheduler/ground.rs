//! The ground of a request, kept until it is sent, so that it can be checked again.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::{Attempt, Budget, Callback, CallbackId, Contact, Message, Pair, PairKey, PersonId};
use crate::policy::{Leaving, PersonView};

/// A request with its callback and the ledgers of the callback's pairs; without a callback, with the ledger of its
/// own pair.
#[derive(Debug)]
pub(super) struct Ground {
    /// Only a message can be without one.
    pub(super) callback: Option<Callback>,
    pub(super) person: PersonView,
    /// What the callback's token may use.
    pub(super) budget: Option<Arc<Budget>>,
    /// None for a hang-up, which is not about a permission.
    pub(super) pairs: BTreeMap<PairKey, Pair>,
    /// The callback's consumer at the pages of Messenger.
    pub(super) contacts: Vec<Contact>,
    pub(super) submission: Submitted,
}

#[derive(Debug)]
pub(super) enum Submitted {
    Call(Box<Attempt>),
    Message(Box<Message>),
    /// The end of this attempt's call.
    HangUp(Box<Attempt>),
}

impl Ground {
    pub(super) const fn leaving(&self) -> Leaving<'_> {
        match &self.submission {
            Submitted::Call(attempt) => Leaving::Call(attempt),
            Submitted::Message(message) => Leaving::Message(message),
            Submitted::HangUp(attempt) => Leaving::HangUp(attempt),
        }
    }

    pub(super) const fn person(&self) -> PersonId {
        self.person.id
    }

    /// The callback, and its version when this was decided.
    pub(super) fn callback(&self) -> Option<(CallbackId, u64)> {
        self.callback.as_ref().map(|callback| (callback.id, callback.version))
    }
}
