//! What a turn has heard of consumers who called us. What it means for callbacks is decided in `callers`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::domain::{CallbackId, ContactKey, PairKey, Phone};

/// The consumers' calls that ended in this turn.
#[derive(Debug, Default)]
pub(super) struct Callers {
    /// When the last call of each pair ended that was answered, or was not.
    pub(super) answered: BTreeMap<PairKey, Timestamp>,
    pub(super) missed: BTreeMap<PairKey, Timestamp>,
    /// The numbers that their calls told.
    pub(super) told: BTreeMap<PairKey, Phone>,
    /// When somebody called a page of Messenger.
    pub(super) at_pages: BTreeMap<ContactKey, Timestamp>,
    /// Callbacks whose token a call had.
    pub(super) answered_by_token: BTreeSet<CallbackId>,
    pub(super) missed_by_token: BTreeMap<CallbackId, Timestamp>,
    /// What came of each token.
    pub(super) tokens: Vec<&'static str>,
}
