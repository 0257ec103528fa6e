//! The campaigns that are not over, by their ids.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::campaign::campaign_id;
use super::{Campaign, CampaignId, CampaignState, Resource};

/// The campaigns that are not over, and the canceled ones whose callbacks are not all closed yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Campaigns(BTreeMap<CampaignId, Arc<Campaign>>);

impl Campaigns {
    #[must_use]
    pub fn new(campaigns: impl IntoIterator<Item = Campaign>) -> Self {
        Self(campaigns.into_iter().map(|campaign| (campaign.id, Arc::new(campaign))).collect())
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    #[must_use]
    pub fn get(&self, id: CampaignId) -> Option<&Arc<Campaign>> {
        self.0.get(&id)
    }

    /// Puts a campaign in the place of the one with its id. One that has ended is forgotten.
    pub fn put(&mut self, campaign: Campaign) {
        match campaign.ended_at {
            None => _ = self.0.insert(campaign.id, Arc::new(campaign)),
            Some(_) => _ = self.0.remove(&campaign.id),
        }
    }

    /// Those that end when their last callback is closed.
    pub fn ending(&self) -> impl Iterator<Item = &Arc<Campaign>> {
        let ends = |state| matches!(state, CampaignState::Draining | CampaignState::Canceled);
        self.0.values().filter(move |campaign| ends(campaign.state))
    }

    /// The campaign's own ceiling on a resource that belongs to a campaign.
    #[must_use]
    pub fn ceiling(&self, resource: &Resource) -> Option<u32> {
        match resource {
            Resource::Campaign(name) if !self.is_empty() => {
                self.get(campaign_id(name)?)?.concurrent_calls_max
            }
            _ => None,
        }
    }
}
