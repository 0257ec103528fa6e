//! The callbacks that a campaign takes over from another one in a turn.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Callback, CallbackId, CampaignId, Phone};
use crate::policy::PersonView;

/// What one turn takes over.
#[derive(Debug)]
pub(super) struct Following {
    pub(super) campaign: CampaignId,
    pub(super) callbacks: Vec<Callback>,
    pub(super) people: BTreeMap<Phone, PersonView>,
    /// Those whose number is marked as wrong for their reference.
    pub(super) wrong_numbers: BTreeSet<CallbackId>,
    /// Where the next turn begins; `None` if there is no more.
    pub(super) last: Option<i64>,
}
