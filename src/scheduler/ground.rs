//! What a submission stands on, kept beside it until its request leaves, so that it can be looked at once more.

use std::collections::BTreeMap;

use crate::domain::{Attempt, Callback, CallbackId, Message, Pair, PairKey, Phone};
use crate::policy::Leaving;

/// A submission with its callback and the ledgers of the callback's pairs.
#[derive(Debug)]
pub(super) struct Ground {
    pub(super) callback: Callback,
    pub(super) pairs: BTreeMap<PairKey, Pair>,
    pub(super) submission: Submitted,
}

#[derive(Debug)]
pub(super) enum Submitted {
    Call(Box<Attempt>),
    Message(Box<Message>),
}

impl Ground {
    pub(super) const fn leaving(&self) -> Leaving<'_> {
        match &self.submission {
            Submitted::Call(attempt) => Leaving::Call(attempt),
            Submitted::Message(message) => Leaving::Message(message),
        }
    }

    pub(super) const fn consumer(&self) -> Phone {
        self.callback.order.consumer
    }

    /// The callback, and its version when this was decided.
    pub(super) const fn callback(&self) -> (CallbackId, u64) {
        (self.callback.id, self.callback.version)
    }
}
