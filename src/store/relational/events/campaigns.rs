//! Commands about campaigns as JSON, for the inbox. Renaming a field here would make stored commands unreadable.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::fmt::serde::timestamp::microsecond;
use serde::{Deserialize, Serialize};

use super::fields::{id, shared, shared_if};
use crate::domain::{BreakerChange, CampaignAct, CampaignCommand, CampaignId, FollowUp, PauseId, Tenant};
use crate::store::relational::breakers::ChangeShape;
use crate::store::relational::follow_ups;

#[derive(Serialize, Deserialize)]
#[serde(remote = "CampaignCommand")]
pub(super) struct CampaignShape {
    #[serde(with = "id")]
    campaign: CampaignId,
    #[serde(with = "shared")]
    by: Arc<str>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "shared_if")]
    note: Option<Arc<str>>,
    #[serde(with = "ActShape")]
    act: CampaignAct,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "CampaignAct", rename_all = "snake_case")]
enum ActShape {
    Create {
        #[serde(with = "id")]
        tenant: Tenant,
        #[serde(with = "shared")]
        name: Arc<str>,
        #[serde(with = "shared")]
        defaults: Arc<str>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        concurrent_calls_max: Option<u32>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        calls_per_minute: Option<u32>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        weight: Option<u32>,
        #[serde(default, with = "ChangeShape")]
        breaker: BreakerChange,
        #[serde(default, skip_serializing_if = "Option::is_none", with = "follow_ups")]
        follow_up: Option<Arc<FollowUp>>,
    },
    Change {
        #[serde(default, skip_serializing_if = "Option::is_none", with = "shared_if")]
        name: Option<Arc<str>>,
        /// `null` removes the ceiling; without it nothing changes.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
        concurrent_calls_max: Option<Option<u32>>,
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
        calls_per_minute: Option<Option<u32>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        weight: Option<u32>,
        #[serde(default, with = "ChangeShape")]
        breaker: BreakerChange,
    },
    Ready,
    Launch,
    Pause {
        #[serde(with = "id")]
        pause: PauseId,
        #[serde(default, skip_serializing_if = "Option::is_none", with = "microsecond::optional")]
        until: Option<Timestamp>,
    },
    Resume,
    Drain,
    Cancel {
        #[serde(with = "id")]
        pause: PauseId,
    },
}

fn given<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Option<u32>>, D::Error> {
    Option::deserialize(from).map(Some)
}
