//! What a turn has counted of the calls of campaigns, and what was heard about quality. `counting` fills it, and `breakers`
//! pauses campaigns by it.

use std::collections::BTreeSet;

use crate::domain::{Bucket, CampaignCalls, CampaignId};
use crate::store::CampaignCallsChange;

/// The calls of campaigns that are over since the turn began, and what was heard about quality.
#[derive(Debug, Default)]
pub(super) struct Counted {
    pub(super) added: CampaignCalls,
    pub(super) forgotten: BTreeSet<CampaignId>,
    /// Campaigns about which the platform warned, with the reason.
    pub(super) warned: Vec<(CampaignId, String)>,
}

impl Counted {
    /// What is written. `from` is the first bucket that is kept.
    pub(super) fn change(&self, from: Bucket) -> CampaignCallsChange {
        if self.added.is_empty() && self.forgotten.is_empty() {
            return CampaignCallsChange::default();
        }
        CampaignCallsChange { forgotten: self.forgotten.clone(), added: self.added.clone(), from }
    }
}
