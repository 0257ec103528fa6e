//! `/v1/campaigns`: callbacks that are launched, paused and ended together. All changes are commands, which the scheduler
//! folds.

pub(super) mod act;
mod breaker;
pub(super) mod create;
pub(super) mod follow_up;
pub(super) mod forecast;
pub mod forecast_told;
mod forecast_work;
pub(super) mod list;
pub(super) mod show;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize as _, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use breaker::BreakerView;
use follow_up::FollowUpView;

use super::pauses;
use super::pauses::set::HoldsView;
use crate::domain::{Campaign, CampaignId, CampaignState, FieldChange, PauseScope, Pauses};
use crate::http::auth::Caller;
use crate::http::{ApiError, App};
use crate::store::{CampaignRecord, RecordedAct};

/// A campaign.
#[derive(Serialize, ToSchema)]
#[schema(as = Campaign)]
pub(super) struct View {
    #[schema(example = "cmp_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f")]
    id: String,
    name: String,
    /// `draft`, `ready`, `running`, `paused`, `draining`, `finished` or `canceled`. A draining campaign that is paused is
    /// `draining` and has a pause.
    state: &'static str,
    /// The fields that its orders get if they leave them out.
    #[schema(value_type = serde_json::Value)]
    defaults: Box<RawValue>,
    /// The most calls of it that may be in progress at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    concurrent_calls_max: Option<u32>,
    /// How many of its calls may begin in a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    calls_per_minute: Option<u32>,
    /// How many turns it has among campaigns whose callbacks have equal priority.
    weight: u32,
    breaker: BreakerView,
    /// Whose callbacks it takes over, and how far.
    #[serde(skip_serializing_if = "Option::is_none")]
    follow_up: Option<FollowUpView>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// The name of the API token that created it.
    created_by: String,
    /// When it was finished, or the last callback of a canceled one was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
    /// The pause in force; of several, the one that ends last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pause: Option<pauses::View>,
}

/// A campaign with its progress and who changed it.
#[derive(Serialize, ToSchema)]
#[schema(as = CampaignProgress)]
pub(super) struct ProgressView {
    #[serde(flatten)]
    campaign: View,
    /// How many callbacks and invites it has.
    callbacks: u64,
    /// Of these, those that are not closed. For a canceled campaign: those that are still to be closed.
    open: u64,
    /// By `waiting`, `calling`, or the outcome of the closed ones. None is left out.
    by_state: BTreeMap<String, u64>,
    /// The last 100 changes, newest first.
    history: Vec<ActView>,
    /// What its pause holds back, counted when it was set: only in the answer to `POST /v1/campaigns/{id}/pause`. The newest
    /// 10,000 callbacks are looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    holds: Option<HoldsView>,
}

/// A change of a campaign.
#[derive(Serialize, ToSchema)]
#[schema(as = CampaignAct)]
struct ActView {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// `create`, `change`, `ready`, `launch`, `pause`, `resume`, `drain` or `cancel`.
    act: String,
    /// The name of the API token; `ringmaster` for a pause by the breaker.
    by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// What it changed, by field; absent if nothing, and for acts before this was recorded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changes: Vec<ChangeView>,
}

/// A field that a change of a campaign changed.
#[derive(Serialize, ToSchema)]
#[schema(as = CampaignFieldChange)]
struct ChangeView {
    /// Such as `concurrent_calls_max` or `breaker.failed_of_min`.
    field: String,
    /// The value before as text; `null` for none.
    before: Option<String>,
    /// The value after as text; `null` for none.
    after: Option<String>,
}

impl ChangeView {
    fn of(change: &FieldChange) -> Self {
        let text = |value: &Option<std::sync::Arc<str>>| value.as_deref().map(str::to_owned);
        Self { field: change.field.to_string(), before: text(&change.before), after: text(&change.after) }
    }
}

impl View {
    pub(super) fn of(campaign: &Campaign, pauses: &Pauses, now: Timestamp) -> Self {
        let own = pauses.of_campaign(campaign.id).filter(|pause| pause.is_in_force(now));
        let own = own.filter(|pause| matches!(pause.scope, PauseScope::Campaign(_)));
        let pause = own.max_by_key(|pause| (pause.ends_at(), pause.id));
        let pause = pause.filter(|_| !campaign.state.is_over());
        let state = match (campaign.state, pause) {
            (CampaignState::Running, Some(_)) => "paused",
            (state, _) => state.as_str(),
        };
        Self {
            id: campaign.id.to_string(),
            name: campaign.name.to_string(),
            state,
            defaults: RawValue::from_string(campaign.defaults.to_string()).unwrap_or_default(),
            concurrent_calls_max: campaign.concurrent_calls_max,
            calls_per_minute: campaign.calls_per_minute,
            weight: campaign.weight,
            breaker: BreakerView::of(&campaign.breaker),
            follow_up: campaign.follow_up.as_deref().map(FollowUpView::of),
            created_at: campaign.created_at,
            created_by: campaign.created_by.to_string(),
            ended_at: campaign.ended_at,
            pause: pause.map(|pause| pauses::View::of(pause)),
        }
    }
}

impl ProgressView {
    pub(super) fn of(record: &CampaignRecord, pauses: &Pauses, now: Timestamp) -> Self {
        let act = |act: &RecordedAct| ActView {
            at: act.at,
            act: act.act.to_string(),
            by: act.by.to_string(),
            note: act.note.as_deref().map(str::to_owned),
            changes: act.changes.iter().map(ChangeView::of).collect(),
        };
        Self {
            campaign: View::of(&record.campaign, pauses, now),
            callbacks: record.total(),
            open: record.open(),
            by_state: record.counts.clone(),
            history: record.acts.iter().map(act).collect(),
            holds: None,
        }
    }
}

/// Distinguishes `null` from a field that is absent.
fn given<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<i64>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// The campaign of the caller's tenant that a path names.
async fn record(app: &App, caller: &Caller, id: &str) -> Result<CampaignRecord, ApiError> {
    let id: CampaignId = id.parse().map_err(|error| ApiError::new("id.malformed", format!("{error}")))?;
    let found = app.store.campaign(id).await?;
    let is_theirs = |campaign: &Campaign| {
        campaign.tenant == *caller.tenant() && caller.is_of_campaign(&campaign.id.to_string())
    };
    let found = found.filter(|record| is_theirs(&record.campaign));
    found.ok_or_else(|| ApiError::new("campaign.not_found", format!("{id} is not known")))
}

async fn pauses_now(app: &App) -> Result<(Pauses, Timestamp), ApiError> {
    let now = app.clock.now();
    Ok((Pauses::new(app.store.pauses(now).await?), now))
}
