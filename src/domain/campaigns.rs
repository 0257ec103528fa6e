//! The campaigns that are not over, by their ids.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::campaign::campaign_id;
use super::{Campaign, CampaignId, CampaignState, Resource, Tenant};

/// The campaigns that are not over, and the canceled ones whose callbacks are not all closed yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Campaigns(BTreeMap<CampaignId, Arc<Campaign>>);

/// Why no campaign can be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRoom {
    /// [`Campaign::OPEN_MAX`] are open.
    AllTaken,
    /// The tenant has as many as there are places left.
    ShareTaken,
}

impl NoRoom {
    /// The code with which the command is refused.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::AllTaken => "campaign.too_many",
            Self::ShareTaken => "campaign.share_used",
        }
    }
}

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

    /// Whether the tenant may open another one, and if not, what is in the way. A tenant may have as many as places are
    /// left, so that whatever one of them opens, there is room for the others.
    ///
    /// # Errors
    /// If all places are taken, or the tenant has as many as are left.
    pub fn room_for(&self, tenant: &Tenant) -> Result<(), NoRoom> {
        let left = Campaign::OPEN_MAX.saturating_sub(self.len());
        let own = self.0.values().filter(|campaign| campaign.tenant == *tenant).count();
        match (left, own) {
            (0, _) => Err(NoRoom::AllTaken),
            (left, own) if own >= left => Err(NoRoom::ShareTaken),
            _ => Ok(()),
        }
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

    pub fn iter(&self) -> impl Iterator<Item = &Arc<Campaign>> {
        self.0.values()
    }

    /// Those that end when their last callback is closed.
    pub fn ending(&self) -> impl Iterator<Item = &Arc<Campaign>> {
        let ends = |state| matches!(state, CampaignState::Draining | CampaignState::Canceled);
        self.0.values().filter(move |campaign| ends(campaign.state))
    }

    /// How many turns the callbacks of the campaign have among those of equal priority; `None`: those without a campaign.
    #[must_use]
    pub fn weight(&self, campaign: Option<CampaignId>) -> u32 {
        campaign.and_then(|id| self.get(id)).map_or(Campaign::WEIGHT, |campaign| campaign.weight)
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

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;

    fn open(ids: std::ops::Range<usize>, tenant: &str) -> impl Iterator<Item = Campaign> {
        let tenant: Tenant = tenant.parse().unwrap();
        ids.map(move |id| Campaign {
            id: CampaignId::new(Uuid::from_u128(id as u128)),
            version: 1,
            tenant: tenant.clone(),
            name: "Spring".into(),
            state: CampaignState::Draft,
            defaults: "{}".into(),
            concurrent_calls_max: None,
            calls_per_minute: None,
            weight: Campaign::WEIGHT,
            breaker: crate::domain::Breaker::default(),
            follow_up: None,
            created_at: Timestamp::UNIX_EPOCH,
            created_by: "crm".into(),
            ended_at: None,
        })
    }

    #[test]
    fn a_tenant_may_have_as_many_campaigns_as_places_are_left() {
        let [acme, other] = ["acme", "other"].map(|name| name.parse::<Tenant>().unwrap());
        let room = |acmes: usize, others: usize, tenant: &Tenant| {
            let all = open(0..acmes, "acme").chain(open(acmes..acmes + others, "other"));
            Campaigns::new(all).room_for(tenant)
        };
        assert_eq!(room(0, 0, &acme), Ok(()));
        assert_eq!(room(499, 0, &acme), Ok(()));
        assert_eq!(room(500, 0, &acme), Err(NoRoom::ShareTaken));
        assert_eq!(room(500, 0, &other), Ok(()), "the other one finds room");
        assert_eq!(room(500, 249, &other), Ok(()));
        assert_eq!(room(500, 250, &other), Err(NoRoom::ShareTaken));
        assert_eq!(room(500, 499, &"third".parse().unwrap()), Ok(()), "the last place");
        assert_eq!(room(500, 500, &"third".parse().unwrap()), Err(NoRoom::AllTaken));
        assert_eq!(room(500, 501, &other), Err(NoRoom::AllTaken));
    }
}
