//! The callbacks that a campaign takes over from another one in a turn.

use std::collections::BTreeMap;

use crate::domain::{Callback, CampaignId, Phone};
use crate::policy::PersonView;

/// What one turn takes over.
#[derive(Debug)]
pub(super) struct Following {
    pub(super) campaign: CampaignId,
    pub(super) callbacks: Vec<Callback>,
    pub(super) people: BTreeMap<Phone, PersonView>,
    /// Where the next turn begins; `None` if there is no more.
    pub(super) last: Option<i64>,
}
