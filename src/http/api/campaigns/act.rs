//! `POST /v1/campaigns/{id}/…`: changes of a campaign. Each is one command, whatever the campaign's size.
// Values from outside come in here: no sum of them may overflow, no moment leave its range.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::breaker::NewBreaker;
use super::create::{calls_max, calls_per_minute, name, note, weight};
use super::{ProgressView, pauses_now, record};
use crate::domain::{CampaignAct, CampaignCommand, CampaignId, Event, PauseId};
use crate::http::api::body::JsonBytes;
use crate::http::api::commands::{Command, answer_with};
use crate::http::api::pauses::set::{HoldsView, until};
use crate::http::api::permissions::{fault, read};
use crate::http::auth::Caller;
use crate::http::error::{FieldError, Written};
use crate::http::path::Id;
use crate::http::{ApiError, App};
use crate::store::Whom;

/// What is recorded of a change.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CampaignNote)]
pub(in crate::http::api) struct Noted {
    /// For the record, such as who agreed; at most 200 bytes.
    note: Option<String>,
}

/// A pause of a campaign.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CampaignPause)]
pub(in crate::http::api) struct Paused {
    /// Why, for the record; at most 200 bytes. It is shown wherever the pause is a reason.
    #[schema(required = true)]
    why: Option<String>,
    /// When it ends by itself, within 366 days. Without it somebody has to resume the campaign.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<String>,
}

/// What is to be changed. Absent fields stay unchanged.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CampaignChange)]
pub(in crate::http::api) struct Changed {
    #[schema(max_length = 100)]
    name: Option<String>,
    /// 1 to 100,000; `null` removes the limit.
    #[serde(default, deserialize_with = "super::given")]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 100_000)]
    concurrent_calls_max: Option<Option<i64>>,
    /// 1 to 6,000; `null` removes the pace.
    #[serde(default, deserialize_with = "super::given")]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 6_000)]
    calls_per_minute: Option<Option<i64>>,
    /// 1 to 100. It holds for the next call.
    #[schema(minimum = 1, maximum = 100)]
    weight: Option<i64>,
    /// When it is paused without an operator. Fields that are absent stay.
    breaker: Option<NewBreaker>,
    /// For the record; at most 200 bytes.
    note: Option<String>,
}

macro_rules! noted_act {
    ($(#[$doc:meta])* $name:ident, $path:literal, $operation:literal, $act:expr) => {
        $(#[$doc])*
        #[utoipa::path(post, path = $path, operation_id = $operation, tag = "campaigns",
            params(
                ("id" = String, Path, description = "`cmp_` and 32 hexadecimal digits"),
                ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters"),
            ),
            request_body(content = Noted),
            responses(
                (status = 200, description = "The campaign as it is now.", body = ProgressView),
                (status = 202, description = "The command is stored and not yet applied; see `Location`.",
                    body = ProgressView),
                (status = 404, body = Written<'static>, content_type = "application/problem+json"),
                (status = 409, description = "The campaign is in another state.", body = Written<'static>,
                    content_type = "application/problem+json"),
                (status = "default", body = Written<'static>, content_type = "application/problem+json"),
            ),
        )]
        pub(in crate::http::api) async fn $name(
            State(app): State<Arc<App>>,
            Extension(caller): Extension<Caller>,
            Id(id): Id,
            headers: HeaderMap,
            JsonBytes(bytes): JsonBytes,
        ) -> Result<Response, ApiError> {
            let noted: Noted = read(&bytes)?;
            let mut faults = Vec::new();
            let note = note(noted.note.as_deref(), &mut faults);
            let word = Word { id: &id, body: &bytes, note, act: $act, faults };
            word.carry_out(&app, &caller, &headers).await
        }
    };
}

noted_act!(
    /// Declares a draft complete. It takes no more orders until it is launched.
    ready,
    "/v1/campaigns/{id}/ready",
    "ready_campaign",
    CampaignAct::Ready
);
noted_act!(
    /// Launches a campaign. What waited for it is decided at once, in order of rank.
    launch,
    "/v1/campaigns/{id}/launch",
    "launch_campaign",
    CampaignAct::Launch
);
noted_act!(
    /// Ends the pauses of a campaign.
    resume,
    "/v1/campaigns/{id}/resume",
    "resume_campaign",
    CampaignAct::Resume
);
noted_act!(
    /// Lets a campaign end: it takes no more orders, and is finished when the last of its callbacks is closed.
    drain,
    "/v1/campaigns/{id}/drain",
    "drain_campaign",
    CampaignAct::Drain
);
noted_act!(
    /// Cancels a campaign.
    ///
    /// From the answer on nothing leaves for it. Its callbacks are closed as `canceled` a batch at a time; `open` tells how
    /// many are left. A call in progress is hung up while it rings, and otherwise goes on.
    cancel,
    "/v1/campaigns/{id}/cancel",
    "cancel_campaign",
    CampaignAct::Cancel { pause: UNNAMED }
);

/// Pauses a campaign.
///
/// From the answer on no call, permission request or invite leaves for it. Calls in progress go on, and deadlines pass.
#[utoipa::path(post, path = "/v1/campaigns/{id}/pause", operation_id = "pause_campaign", tag = "campaigns",
    params(
        ("id" = String, Path, description = "`cmp_` and 32 hexadecimal digits"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters"),
    ),
    request_body(content = Paused),
    responses(
        (status = 200, description = "The campaign as it is now.", body = ProgressView),
        (status = 202, description = "The command is stored and not yet applied; see `Location`.", body = ProgressView),
        (status = 404, body = Written<'static>, content_type = "application/problem+json"),
        (status = 409, description = "The campaign is not running.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = 422, description = "There are field errors; all of them are listed.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn pause(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    headers: HeaderMap,
    JsonBytes(bytes): JsonBytes,
) -> Result<Response, ApiError> {
    let Paused { why, until: end } = read(&bytes)?;
    let mut faults = Vec::new();
    let why = note(why.as_deref(), &mut faults);
    if why.is_none() && faults.is_empty() {
        faults.push(fault("why", "field.missing", "is missing: give a reason for the record"));
    }
    for fault in &mut faults {
        fault.field = "why".to_owned();
    }
    // Whether it is in the future is checked when the command is new.
    let end = end.as_deref().and_then(|text| match until(text, Timestamp::MIN) {
        Ok(end) => Some(end),
        Err(fault) => {
            faults.push(fault);
            None
        }
    });
    let act = CampaignAct::Pause { pause: UNNAMED, until: end };
    Word { id: &id, body: &bytes, note: why, act, faults }.carry_out(&app, &caller, &headers).await
}

/// Changes the name, the ceiling, the pace, the weight or the breaker of a campaign. Its callbacks keep what they were made with.
#[utoipa::path(post, path = "/v1/campaigns/{id}/change", operation_id = "change_campaign", tag = "campaigns",
    params(
        ("id" = String, Path, description = "`cmp_` and 32 hexadecimal digits"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters"),
    ),
    request_body(content = Changed),
    responses(
        (status = 200, description = "The campaign as it is now.", body = ProgressView),
        (status = 202, description = "The command is stored and not yet applied; see `Location`.", body = ProgressView),
        (status = 404, body = Written<'static>, content_type = "application/problem+json"),
        (status = 409, description = "It is over.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = 422, description = "There are field errors; all of them are listed.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn change(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    headers: HeaderMap,
    JsonBytes(bytes): JsonBytes,
) -> Result<Response, ApiError> {
    let changed: Changed = read(&bytes)?;
    let mut faults = Vec::new();
    let note = note(changed.note.as_deref(), &mut faults);
    let act = CampaignAct::Change {
        name: changed.name.as_deref().and_then(|text| name(Some(text), &mut faults)).map(Into::into),
        concurrent_calls_max: changed.concurrent_calls_max.map(|max| calls_max(max, &mut faults)),
        calls_per_minute: changed.calls_per_minute.map(|pace| calls_per_minute(pace, &mut faults)),
        weight: weight(changed.weight, &mut faults),
        breaker: NewBreaker::read(changed.breaker, &mut faults),
    };
    Word { id: &id, body: &bytes, note, act, faults }.carry_out(&app, &caller, &headers).await
}

/// Refuses a campaign for which a list is still arriving.
async fn check_imports(app: &App, caller: &Caller, campaign: CampaignId) -> Result<(), ApiError> {
    let Some(name) = app.store.unfinished_import(caller.tenant(), campaign).await? else { return Ok(()) };
    let detail =
        format!("its import {name} is not complete; send the rest of the list, or delete the import");
    Err(ApiError::new("import.incomplete", detail))
}

/// The id of a pause, until the command has its key.
const UNNAMED: PauseId = PauseId::new(Uuid::nil());

/// A change that a request asks for.
struct Word<'a> {
    id: &'a str,
    body: &'a [u8],
    note: Option<String>,
    act: CampaignAct,
    faults: Vec<FieldError>,
}

impl Word<'_> {
    /// Sends the command, unless the campaign's state rules it out. The answer is the campaign as it is then.
    async fn carry_out(
        mut self,
        app: &App,
        caller: &Caller,
        headers: &HeaderMap,
    ) -> Result<Response, ApiError> {
        let before = record(app, caller, self.id).await?.campaign;
        let word = self.act.as_str();
        let content = format!("campaign {word} {} {}", before.id, String::from_utf8_lossy(self.body));
        let command = Command::new(app, caller, headers, &content, before.version)?;
        if let CampaignAct::Pause { pause, .. } | CampaignAct::Cancel { pause } = &mut self.act {
            // A repetition names the same pause.
            *pause = PauseId::new(Uuid::from_bytes(command.key()));
        }
        let is_new = !command.is_known().await?;
        if let CampaignAct::Pause { until: Some(end), .. } = &self.act
            && is_new
        {
            self.faults.extend(until(&end.to_string(), app.clock.now()).err());
        }
        if !self.faults.is_empty() {
            return Err(ApiError::fields("campaign.invalid", self.faults));
        }
        if is_new && self.act.after(before.state).is_none() {
            let detail = format!("the campaign is {}, so it cannot {word}", before.state.as_str());
            return Err(ApiError::new("campaign.state", detail));
        }
        if is_new && before.is_unfinished() && matches!(self.act, CampaignAct::Ready | CampaignAct::Launch) {
            let detail =
                "its callbacks are still being made; \"ringmaster campaign show\" tells how far it is";
            return Err(ApiError::new("campaign.unfinished", detail));
        }
        if is_new && matches!(self.act, CampaignAct::Ready | CampaignAct::Launch) {
            check_imports(app, caller, before.id).await?;
        }
        let paused = match &self.act {
            CampaignAct::Pause { until, .. } => Some(*until),
            _ => None,
        };
        let (by, note) = (caller.name().into(), self.note.map(Into::into));
        let event = Event::Campaign(CampaignCommand { campaign: before.id, by, note, act: self.act });
        let carried = command.carry_out(event, None).await?;
        let after = record(app, caller, self.id).await?;
        let (pauses, now) = pauses_now(app).await?;
        let mut view = ProgressView::of(&after, &pauses, now);
        if let Some(until) = paused {
            let whom = Whom::Campaign(before.tenant, before.id);
            view.holds = app.store.held_back(&whom, now, until).await.ok().map(HoldsView::of);
        }
        Ok(answer_with(&view, &carried))
    }
}
