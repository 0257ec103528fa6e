//! `POST /v1/campaigns/{id}/follow-up`: a new draft of those whom a campaign did not reach.
// Values from outside come in here: no sum of them may overflow, no moment leave its range.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::create::{name, note};
use super::{View, record};
use crate::domain::{
    BreakerChange, Campaign, CampaignAct, CampaignCommand, CampaignId, CampaignState, Event, FollowUp,
    Outcome, Pauses,
};
use crate::http::api::body::JsonBytes;
use crate::http::api::commands::{Command, answer_with};
use crate::http::api::pauses::set::until;
use crate::http::api::permissions::{fault, read};
use crate::http::auth::Caller;
use crate::http::error::{FieldError, Written};
use crate::http::path::Id;
use crate::http::{ApiError, App};

/// A campaign of those who were not reached.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewFollowUp)]
pub(in crate::http::api) struct Draft {
    /// Without it that of the first campaign.
    #[schema(max_length = 100)]
    name: Option<String>,
    /// Which callbacks are taken over: `exhausted`, `expired`, `failed` and `canceled`; without it the first two.
    #[schema(example = json!(["exhausted", "expired"]))]
    outcomes: Option<Vec<String>>,
    /// The earliest time of the new callbacks; without it they may be called at once after the launch.
    #[schema(value_type = Option<String>, format = DateTime)]
    earliest: Option<String>,
    /// The deadline of the new callbacks, within 366 days.
    #[schema(required = true, value_type = String, format = DateTime)]
    latest: Option<String>,
    /// For the record; at most 200 bytes.
    note: Option<String>,
}

/// Whose callbacks a campaign takes over, and how far that is.
#[derive(Serialize, ToSchema)]
#[schema(as = FollowUp)]
pub(super) struct FollowUpView {
    /// The campaign whose callbacks it takes over.
    of: String,
    outcomes: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    earliest: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    latest: Timestamp,
    /// How many callbacks were made.
    made: u64,
    /// How many were left out: the consumer has refused since, is on a suppression list or was erased, or no consent holds.
    left_out: u64,
    /// Whether all were looked at. Before that it cannot be launched.
    whole: bool,
}

impl FollowUpView {
    pub(super) fn of(follow_up: &FollowUp) -> Self {
        Self {
            of: follow_up.of.to_string(),
            outcomes: follow_up.outcomes.iter().map(|outcome| outcome.as_str()).collect(),
            earliest: follow_up.earliest,
            latest: follow_up.latest,
            made: follow_up.made,
            left_out: follow_up.left_out,
            whole: follow_up.is_whole,
        }
    }
}

/// Makes a new draft of those whom a campaign did not reach.
///
/// The scheduler takes over the callbacks and invites that are closed by then with one of the outcomes, a batch at a time;
/// `follow_up` in the answer tells how far that is, and the draft can be launched when it is whole. What was ordered comes
/// along, with purpose, consent and `reference`; the times are new. Consumers who declined or were reached are never taken
/// over, nor those who have refused since, are on a suppression list or were erased.
#[utoipa::path(post, path = "/v1/campaigns/{id}/follow-up", operation_id = "follow_up_campaign", tag = "campaigns",
    params(
        ("id" = String, Path, description = "`cmp_` and 32 hexadecimal digits"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters"),
    ),
    request_body(content = Draft),
    responses(
        (status = 200, description = "The new draft.", body = View),
        (status = 202, description = "The command is stored and not yet applied; see `Location`.", body = View),
        (status = 404, body = Written<'static>, content_type = "application/problem+json"),
        (status = 409, description = "The campaign was not launched, or too many are open.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = 422, description = "There are field errors; all of them are listed.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn follow_up(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    headers: HeaderMap,
    JsonBytes(bytes): JsonBytes,
) -> Result<Response, ApiError> {
    let draft: Draft = read(&bytes)?;
    let first = record(&app, &caller, &id).await?.campaign;
    let content = format!("campaign follow-up {} {}", first.id, String::from_utf8_lossy(&bytes));
    let command = Command::new(&app, &caller, &headers, &content, first.version)?;
    let is_new = !command.is_known().await?;
    let now = app.clock.now();
    // What was in the future when the key was used first may be past by now.
    let from = if is_new { now } else { Timestamp::MIN };
    let mut faults = Vec::new();
    let name = match &draft.name {
        Some(text) => name(Some(text), &mut faults).map(Into::into),
        None => Some(Arc::clone(&first.name)),
    };
    let outcomes = outcomes(draft.outcomes.as_deref(), &mut faults);
    let times = times(&draft, from, &mut faults);
    let note = note(draft.note.as_deref(), &mut faults);
    let (Some(name), Some((earliest, latest)), true) = (name, times, faults.is_empty()) else {
        return Err(ApiError::fields("campaign.invalid", faults));
    };
    if is_new && first.state.is_unlaunched() {
        let detail = format!("the campaign is {}, so nobody was called yet", first.state.as_str());
        return Err(ApiError::new("campaign.state", detail));
    }
    let follow_up = FollowUp {
        of: first.id,
        outcomes,
        earliest,
        latest,
        after: 0,
        made: 0,
        left_out: 0,
        is_whole: false,
    };
    let campaign = Campaign {
        // A repetition names the same campaign.
        id: CampaignId::new(Uuid::from_bytes(command.key())),
        version: 1,
        name,
        state: CampaignState::Draft,
        follow_up: Some(follow_up.clone().into()),
        created_at: now,
        created_by: caller.name().into(),
        ended_at: None,
        ..first
    };
    let act = act(&campaign, follow_up);
    let (by, note) = (Arc::clone(&campaign.created_by), note.map(Into::into));
    let event = Event::Campaign(CampaignCommand { campaign: campaign.id, by, note, act });
    let carried = command.carry_out(event, None).await?;
    let stored = app.store.campaign(campaign.id).await?.map(|record| record.campaign);
    Ok(answer_with(&View::of(stored.as_ref().unwrap_or(&campaign), &Pauses::default(), now), &carried))
}

/// The new campaign is like the first one.
fn act(campaign: &Campaign, follow_up: FollowUp) -> CampaignAct {
    let breaker = &campaign.breaker;
    CampaignAct::Create {
        tenant: campaign.tenant.clone(),
        name: Arc::clone(&campaign.name),
        defaults: Arc::clone(&campaign.defaults),
        concurrent_calls_max: campaign.concurrent_calls_max,
        calls_per_minute: campaign.calls_per_minute,
        weight: Some(campaign.weight),
        breaker: BreakerChange {
            abandoned_percent_max: Some(breaker.abandoned_percent_max),
            abandoned_of_min: Some(breaker.abandoned_of_min),
            failed_percent_max: Some(breaker.failed_percent_max),
            failed_of_min: Some(breaker.failed_of_min),
            failed_window_minutes: Some(breaker.failed_window_minutes),
            on_quality_warning: Some(breaker.on_quality_warning),
        },
        follow_up: Some(follow_up.into()),
    }
}

/// The outcomes, checked; each once.
fn outcomes(given: Option<&[String]>, faults: &mut Vec<FieldError>) -> Vec<Outcome> {
    let Some(given) = given else { return FollowUp::USUAL.to_vec() };
    if given.is_empty() {
        faults.push(fault("outcomes", "field.missing", "is empty: expected at least one"));
    }
    let mut outcomes = Vec::new();
    for word in given {
        match FollowUp::OUTCOMES.into_iter().find(|outcome| outcome.as_str() == word) {
            Some(outcome) if outcomes.contains(&outcome) => {}
            Some(outcome) => outcomes.push(outcome),
            None => {
                let known = FollowUp::OUTCOMES.map(Outcome::as_str).join(", ");
                let detail = format!("has another word than {known}");
                faults.push(fault("outcomes", "field.value", &detail));
                return outcomes;
            }
        }
    }
    outcomes
}

/// The earliest time and the deadline, checked.
fn times(
    draft: &Draft,
    from: Timestamp,
    faults: &mut Vec<FieldError>,
) -> Option<(Option<Timestamp>, Timestamp)> {
    let mut read = |field: &str, text: &Option<String>| match until(text.as_deref()?, from) {
        Ok(at) => Some(at),
        Err(fault) => {
            faults.push(FieldError { field: field.to_owned(), ..fault });
            None
        }
    };
    let (earliest, latest) = (read("earliest", &draft.earliest), read("latest", &draft.latest));
    if draft.latest.is_none() {
        faults.push(fault("latest", "field.missing", "is missing: the old deadlines are past"));
    }
    if let (Some(earliest), Some(latest)) = (earliest, latest)
        && earliest >= latest
    {
        faults.push(fault("latest", "field.value", "is not after earliest"));
    }
    Some((earliest, latest?))
}
