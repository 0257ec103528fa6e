//! How far the callbacks of canceled campaigns are closed, and those that are next.

use std::collections::BTreeMap;

use crate::domain::{CallbackId, CampaignId, Campaigns};

/// How far the callbacks of canceled campaigns are closed.
#[derive(Debug, Default)]
pub(super) struct Ending {
    /// The place of the last callback that was looked at.
    pub(super) after: BTreeMap<CampaignId, i64>,
}

/// Callbacks of a canceled campaign that one turn closes.
#[derive(Debug)]
pub(super) struct Sweep {
    pub(super) campaign: CampaignId,
    pub(super) open: Vec<CallbackId>,
    pub(super) last: i64,
}

impl Ending {
    /// The turn was committed: continues after its callbacks.
    pub(super) fn committed(&mut self, sweep: Option<&Sweep>, campaigns: &Campaigns) {
        if let Some(sweep) = sweep {
            self.after.insert(sweep.campaign, sweep.last);
        }
        if !self.after.is_empty() {
            self.after.retain(|id, _| campaigns.get(*id).is_some());
        }
    }
}
