//! The port `CampaignReads`: campaigns, and the callbacks that belong to them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::Result;
use crate::domain::{
    Bucket, Callback, CallbackId, Campaign, CampaignCalls, CampaignId, FieldChange, Outcome, Tenant,
};

/// Campaigns, as the doors and the scheduler read them. A batch writes them.
#[async_trait]
pub trait CampaignReads: Send + Sync {
    /// The names of those of these campaigns that belong to the tenant.
    async fn campaign_names(
        &self,
        tenant: &Tenant,
        ids: &[CampaignId],
    ) -> Result<BTreeMap<CampaignId, String>>;

    /// Those that are not over, and the canceled ones with open callbacks; at most [`Campaign::OPEN_MAX`].
    async fn open_campaigns(&self) -> Result<Vec<Campaign>>;

    /// The calls that are kept of the open campaigns, for their breakers.
    async fn campaign_calls(&self) -> Result<CampaignCalls>;

    /// A campaign with the counts of its callbacks and its last 100 acts, newest first.
    async fn campaign(&self, id: CampaignId) -> Result<Option<CampaignRecord>>;

    /// Those of a tenant, newest first, from before this one on, at most `most`.
    async fn list_campaigns(
        &self,
        tenant: &Tenant,
        before: Option<CampaignId>,
        most: usize,
    ) -> Result<Vec<Campaign>>;

    /// Open callbacks of a campaign, at most `most`, spread evenly over the order in which they were stored.
    async fn campaign_sample(&self, id: CampaignId, most: usize) -> Result<Vec<Callback>>;

    /// What came of calls and permission requests of a tenant since a moment, of all its campaigns. Only the newest 20,000
    /// attempts and the newest 100,000 messages of all tenants are looked at.
    async fn call_facts(&self, tenant: &Tenant, now: Timestamp, since: Timestamp) -> Result<CallFacts>;

    /// Its next `most` callbacks and invites in the order in which they were stored, after the place `after`; 0 begins.
    async fn campaign_rows(&self, id: CampaignId, after: i64, most: usize) -> Result<CampaignRows>;
}

/// What came of calls and permission requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallFacts {
    /// Calls that are over.
    pub calls: u64,
    /// Of these, those that the consumer answered.
    pub answered: u64,
    /// How long these lasted together, from the request to their end.
    pub answered_for: SignedDuration,
    /// The same of the others.
    pub missed_for: SignedDuration,
    /// Requests that were granted, or are older than a day.
    pub asked: u64,
    pub granted: u64,
    /// From the requests to the grants, together.
    pub granted_after: SignedDuration,
}

/// A campaign with what is counted and recorded of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CampaignRecord {
    pub campaign: Campaign,
    /// Its callbacks and invites by `waiting`, `calling`, or the outcome of those that are closed. None is zero.
    pub counts: BTreeMap<String, u64>,
    /// Newest first.
    pub acts: Vec<RecordedAct>,
}

impl CampaignRecord {
    /// How many of its callbacks and invites are not closed.
    #[must_use]
    pub fn open(&self) -> u64 {
        ["waiting", "calling"].iter().filter_map(|state| self.counts.get(*state)).sum()
    }

    /// How many callbacks and invites it has.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }
}

/// Who changed a campaign, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedAct {
    pub at: Timestamp,
    /// Such as `launch`.
    pub act: Arc<str>,
    /// The name of the API token.
    pub by: Arc<str>,
    pub note: Option<Arc<str>>,
    /// What it changed. Acts that were recorded by older versions of the program do not tell.
    pub changes: Vec<FieldChange>,
}

/// A campaign after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CampaignChange {
    /// With a version above the stored one.
    pub campaign: Campaign,
    /// What is recorded of it.
    pub act: Option<RecordedAct>,
}

/// Calls of campaigns that are over since the last batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CampaignCallsChange {
    /// The campaigns whose calls count anew.
    pub forgotten: BTreeSet<CampaignId>,
    pub added: CampaignCalls,
    /// Of the campaigns that have new calls, those of earlier buckets are not kept.
    pub from: Bucket,
}

impl CampaignCallsChange {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.forgotten.is_empty() && self.added.is_empty()
    }
}

impl Default for CampaignCallsChange {
    fn default() -> Self {
        Self { forgotten: BTreeSet::new(), added: CampaignCalls::default(), from: Bucket(i64::MIN) }
    }
}

/// Some callbacks of a campaign.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CampaignRows {
    /// Those that are not closed.
    pub open: Vec<CallbackId>,
    /// The others, with their ends.
    pub closed: Vec<(CallbackId, Outcome)>,
    /// Where the next ones begin; `None` if there are no more.
    pub last: Option<i64>,
}
