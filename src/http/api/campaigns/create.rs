//! `POST /v1/campaigns`: a new draft.
// Values from outside come in here: no sum of them may overflow, no moment leave its range.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use super::View;
use super::breaker::NewBreaker;
use crate::domain::{
    Breaker, Campaign, CampaignAct, CampaignCommand, CampaignId, CampaignState, Event, Pauses,
};
use crate::http::api::body::JsonBytes;
use crate::http::api::callbacks::campaigns::faults_of;
use crate::http::api::callbacks::groups;
use crate::http::api::commands::{Command, answer_with};
use crate::http::api::permissions::{fault, for_the_record, read};
use crate::http::auth::Caller;
use crate::http::error::{FieldError, Written};
use crate::http::{ApiError, App};
use crate::text::visible::check_name;

/// The longest name, in bytes.
const NAME_MAX: usize = 100;
/// The most calls at once that a campaign may name.
const CALLS_MAX: i64 = 100_000;
/// The fastest pace that a campaign may name. An account has its own, by the second.
const CALLS_PER_MINUTE_MAX: i64 = 6_000;

/// A campaign to be created.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCampaign)]
pub(in crate::http::api) struct Draft {
    /// For people; 1 to 100 bytes. Several campaigns may have the same.
    #[schema(required = true, max_length = 100)]
    name: Option<String>,
    /// Fields that its orders get if they leave them out: `sender`, `senders`, `earliest`, `latest`, `hours`, `priority`,
    /// `document`, `variables`, `agent`, `attempts_max`, `purpose`, `missed_window` and `separate`, each as in an order. Of variables those
    /// that the order does not have.
    #[schema(value_type = Option<serde_json::Value>)]
    defaults: Option<Box<RawValue>>,
    /// The most calls of it that may be in progress at once, 1 to 100,000. Without it there is no such limit.
    #[schema(minimum = 1, maximum = 100_000)]
    concurrent_calls_max: Option<i64>,
    /// How many of its calls may begin in a minute, 1 to 6,000. Without it there is no such limit.
    #[schema(minimum = 1, maximum = 6_000)]
    calls_per_minute: Option<i64>,
    /// How many turns it has among campaigns whose callbacks have equal priority, 1 to 100; without it 10. The callbacks
    /// without a campaign together have 10.
    #[schema(minimum = 1, maximum = 100)]
    weight: Option<i64>,
    /// When it is paused without an operator.
    breaker: Option<NewBreaker>,
    /// For the record; at most 200 bytes.
    note: Option<String>,
}

/// Creates a campaign, as a draft.
///
/// Its orders name its id in `campaign`. Until it is launched they wait, and nothing is sent for them; their deadlines pass.
/// At most 1,000 campaigns may be open at once, and of one tenant as many as places are left.
#[utoipa::path(post, path = "/v1/campaigns", operation_id = "create_campaign", tag = "campaigns",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters")),
    request_body(content = Draft),
    responses(
        (status = 200, description = "It is a draft.", body = View),
        (status = 202, description = "The command is stored and not yet applied; see `Location`.", body = View),
        (status = 409, description = "1,000 campaigns are open, or the tenant has as many as places are left.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = 422, description = "There are field errors; all of them are listed.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn create(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    JsonBytes(bytes): JsonBytes,
) -> Result<Response, ApiError> {
    let draft: Draft = read(&bytes)?;
    let now = app.clock.now();
    // Without a key of the caller, a repeated order is a new campaign.
    let content = match headers.contains_key("idempotency-key") {
        true => format!("campaign create {}", String::from_utf8_lossy(&bytes)),
        false => app.ids.uuid(now).to_string(),
    };
    let command = Command::new(&app, &caller, &headers, &content, 0)?;
    let mut faults = Vec::new();
    let name = name(draft.name.as_deref(), &mut faults);
    let calls = calls_max(draft.concurrent_calls_max, &mut faults);
    let pace = calls_per_minute(draft.calls_per_minute, &mut faults);
    let weight = weight(draft.weight, &mut faults);
    let breaker = NewBreaker::read(draft.breaker, &mut faults);
    let note = note(draft.note.as_deref(), &mut faults);
    let defaults = draft.defaults.as_deref().map_or("{}", RawValue::get);
    // What was possible when the key was used first may be impossible by now.
    let is_new = !command.is_known().await?;
    if is_new {
        let calendars = app.calendars_for(defaults.as_bytes()).await?;
        faults.extend(faults_of(&app, &caller, calendars, defaults.as_bytes()));
    }
    let Some(name) = name.filter(|_| faults.is_empty()) else {
        return Err(ApiError::fields("campaign.invalid", faults));
    };
    let campaign = Campaign {
        // A repetition names the same campaign.
        id: CampaignId::new(Uuid::from_bytes(command.key())),
        version: 1,
        tenant: caller.tenant().clone(),
        name: name.into(),
        state: CampaignState::Draft,
        defaults: defaults.into(),
        concurrent_calls_max: calls,
        calls_per_minute: pace,
        weight: weight.unwrap_or(Campaign::WEIGHT),
        breaker: breaker.of(Breaker::default()),
        follow_up: None,
        created_at: now,
        created_by: caller.name().into(),
        ended_at: None,
    };
    let act = CampaignAct::Create {
        tenant: campaign.tenant.clone(),
        name: Arc::clone(&campaign.name),
        defaults: Arc::clone(&campaign.defaults),
        concurrent_calls_max: calls,
        calls_per_minute: pace,
        weight,
        breaker,
        follow_up: None,
    };
    if is_new {
        groups::take_campaign(&app, campaign.id, &campaign.defaults).await?;
    }
    let (by, note) = (Arc::clone(&campaign.created_by), note.map(Into::into));
    let event = Event::Campaign(CampaignCommand { campaign: campaign.id, by, note, act });
    let carried = command.carry_out(event, None).await?;
    // A repetition shows the campaign as it is.
    let stored = app.store.campaign(campaign.id).await?.map(|record| record.campaign);
    Ok(answer_with(&View::of(stored.as_ref().unwrap_or(&campaign), &Pauses::default(), now), &carried))
}

/// The name of a campaign, checked.
pub(super) fn name(given: Option<&str>, faults: &mut Vec<FieldError>) -> Option<String> {
    let text = given.map(str::trim).unwrap_or_default();
    if text.is_empty() {
        faults.push(fault("name", "field.missing", "is missing: expected 1 to 100 bytes"));
        return None;
    }
    if text.len() > NAME_MAX {
        let detail = format!("has {} bytes: expected at most {NAME_MAX}", text.len());
        faults.push(fault("name", "field.too_long", &detail));
        return None;
    }
    if let Err(hidden) = check_name(text) {
        faults.push(fault("name", "field.characters", &hidden.to_string()));
        return None;
    }
    Some(text.to_owned())
}

/// The ceiling of calls in progress, checked.
pub(super) fn calls_max(given: Option<i64>, faults: &mut Vec<FieldError>) -> Option<u32> {
    up_to(CALLS_MAX, "concurrent_calls_max", given, faults)
}

/// The pace, checked.
pub(super) fn calls_per_minute(given: Option<i64>, faults: &mut Vec<FieldError>) -> Option<u32> {
    up_to(CALLS_PER_MINUTE_MAX, "calls_per_minute", given, faults)
}

/// The weight, checked.
pub(super) fn weight(given: Option<i64>, faults: &mut Vec<FieldError>) -> Option<u32> {
    up_to(i64::from(Campaign::WEIGHT_MAX), "weight", given, faults)
}

fn up_to(max: i64, name: &str, given: Option<i64>, faults: &mut Vec<FieldError>) -> Option<u32> {
    let given = given?;
    let fits = u32::try_from(given).ok().filter(|_| (1..=max).contains(&given));
    if fits.is_none() {
        faults.push(fault(name, "field.value", &format!("is {given}: expected 1 to {max}")));
    }
    fits
}

/// The note for the record, checked.
pub(super) fn note(given: Option<&str>, faults: &mut Vec<FieldError>) -> Option<String> {
    for_the_record("note", given).unwrap_or_else(|fault| {
        faults.push(fault);
        None
    })
}
