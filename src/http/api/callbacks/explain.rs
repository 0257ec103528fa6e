//! `GET /v1/callbacks/{id}/explain`: why a callback is in its state, and what would change that.
//!
//! The reasons come from the code that decides.
// Values from outside come in here: no sum of them may overflow, no moment leave its range.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::record_of;
use crate::clock::later;
use crate::domain::{
    Budget, CallPermission, Callback, CallingHours, Loads, Name, OrderKind, Pair, Reason, State as Standing,
    zones,
};
use crate::http::api::body::json;
use crate::http::api::views::{AttemptView, ReasonView, standing, status};
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::path::Id;
use crate::http::{ApiError, App};
use crate::policy::{self, People, PersonView, Situation, Step, ledger, window};
use crate::store::Record;
use crate::twiml::Document;

/// Why a callback or an invite is in its state.
#[derive(Serialize, ToSchema)]
#[schema(as = Explanation)]
pub(in crate::http::api) struct View<'a> {
    id: String,
    #[schema(value_type = String, format = DateTime)]
    now: Timestamp,
    /// When the scheduler published its load; absent before its first turn. The counts of calls and the pauses are of
    /// this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    as_of: Option<Timestamp>,
    /// `waiting`, `calling` or `closed`.
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    /// The next step of a waiting callback: `place_call`, `request_permission`, `invite`, `wait` or `finish`.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<&'static str>,
    /// The sender of the step.
    #[serde(skip_serializing_if = "Option::is_none")]
    sender: Option<String>,
    /// The latest time of the next decision, as in lists. A report or a free slot can lead to an earlier one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    next_look_at: Option<Timestamp>,
    /// All reasons that prevent the call, the deciding one first. Empty if there are none. If the calling
    /// hours have a time zone, sentences have times in that zone as well.
    reasons: Vec<ReasonView<'a>>,
    /// The state of each sender of the callback with the consumer.
    senders: Vec<SenderView>,
    /// The consumer's local time, if the calling hours have a time zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    local: Option<LocalView<'a>>,
    /// The attempt in progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<AttemptView<'a>>,
}

/// The state of a sender with the consumer.
#[derive(Serialize, ToSchema)]
#[schema(as = SenderStanding)]
struct SenderView {
    number: String,
    /// Whether the sender is still configured.
    configured: bool,
    /// `none`, `requested`, `declined`, `temporary`, `permanent`, `expired`, `revoked_by_consumer`,
    /// `revoked_automatically` or `uncallable`.
    permission: &'static str,
    /// When the permission, or the request for it, ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    permission_until: Option<Timestamp>,
    /// Calls missed or declined in a row.
    misses: u32,
    /// Calls of the sender in progress.
    live_calls: u32,
}

/// The consumer's local time.
#[derive(Serialize, ToSchema)]
#[schema(as = LocalTime)]
struct LocalView<'a> {
    zone: &'a str,
    /// With its UTC offset.
    time: String,
    /// Whether calls are allowed now.
    open: bool,
    /// When the hours open next; now if they are open.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    opens_at: Option<Timestamp>,
}

/// Why a callback waits, and what happens next and when.
#[utoipa::path(
    get, path = "/v1/callbacks/{id}/explain", operation_id = "explain_callback", tag = "callbacks",
    params(("id" = String, Path, description = "`cb_` and 32 hexadecimal digits, or your reference")),
    responses(
        (status = 200, body = View<'static>),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn explain(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
) -> Result<Response, ApiError> {
    explain_order(&app, &caller, OrderKind::Callback, &id).await
}

/// Explains an order of this kind.
pub(in crate::http::api) async fn explain_order(
    app: &App,
    caller: &Caller,
    kind: OrderKind,
    name: &str,
) -> Result<Response, ApiError> {
    let record = record_of(app, caller, kind, name).await?;
    let now = app.clock.now();
    let order = &record.callback.order;
    let people = People::of(app.store.people(&[Name::Number(order.consumer)]).await?);
    let mut pairs: Vec<Pair> =
        order.senders.iter().map(|&sender| people.pair(sender, order.consumer)).collect();
    for pair in &mut pairs {
        ledger::lapse(pair, now);
    }
    let person = people.view(order.consumer);
    let loads = app.loads().await?;
    let token = Vec::from_iter(record.callback.token());
    let budget = app.store.budgets(&token, now).await?.pop().map(Arc::new);
    let known = Known { person, budget, pairs };
    Ok(json(StatusCode::OK, &View::of(app, now, &record, known, &loads)))
}

/// What the rules look at beside the callback and the loads.
struct Known {
    person: PersonView,
    budget: Option<Arc<Budget>>,
    pairs: Vec<Pair>,
}

impl<'a> View<'a> {
    fn of(app: &App, now: Timestamp, record: &'a Record, known: Known, loads: &Loads) -> Self {
        let callback = &record.callback;
        let mut view = Self {
            id: callback.shown_id(),
            now,
            as_of: loads.as_of,
            status: status(callback).as_str(),
            outcome: callback.closed().map(|closed| closed.outcome.as_str()),
            step: None,
            sender: None,
            next_look_at: None,
            reasons: Vec::new(),
            senders: known.pairs.iter().map(|pair| SenderView::of(app, pair, loads)).collect(),
            local: callback.order.hours.as_ref().and_then(|hours| LocalView::of(hours, now)),
            attempt: None,
        };
        match &callback.state {
            Standing::Waiting(_) => view.assess(app, now, callback, known, loads),
            Standing::Calling { attempt } => {
                let open = record.attempts.iter().find(|open| open.id == *attempt);
                view.reasons.extend(loads.held.deposed_reason().as_ref().map(ReasonView::of));
                view.reasons.push(standing(callback, open));
                view.sender = open.map(|open| open.sender.e164());
                view.attempt = open.map(AttemptView::of);
            }
            Standing::Closed(_) => view.reasons.push(standing(callback, None)),
        }
        view
    }

    fn assess(
        &mut self,
        app: &App,
        now: Timestamp,
        callback: &Callback,
        Known { person, budget, pairs }: Known,
        loads: &Loads,
    ) {
        let document = app.documents.document(&callback.order.document).map(Document::script);
        let pair = |key| pairs.iter().find(|pair| pair.key == key).cloned();
        let situation =
            Situation::gather(callback, document, &app.directory, loads, person, pair).within(budget);
        let assessment = policy::assess(now, &situation, &app.rules);
        self.step = Some(word(&assessment.step));
        self.sender = assessment.sender.map(|sender| sender.e164());
        self.next_look_at = Some(next_look(now, &assessment.step));
        let zone = callback.order.hours.as_ref().and_then(|hours| zones::zone(&hours.zone).ok());
        let told = |reason: &Reason| match &zone {
            Some(zone) => ReasonView::in_zone(reason, zone, now),
            None => ReasonView::of(reason),
        };
        self.reasons = assessment.binding.iter().map(told).collect();
    }
}

const fn word(step: &Step) -> &'static str {
    match step {
        Step::PlaceCall { .. } => "place_call",
        Step::RequestPermission { .. } => "request_permission",
        Step::Invite { .. } => "invite",
        Step::Wait { .. } => "wait",
        Step::Finish { .. } => "finish",
    }
}

/// When the scheduler decides again, unless news or a free place come sooner.
fn next_look(now: Timestamp, step: &Step) -> Timestamp {
    match step {
        // At a gate it is decided when the gate opens, which is when the reason lifts.
        Step::Wait { until, gate: Some(_), reason } => {
            reason.lifts_at().map_or(*until, |lifts_at| lifts_at.min(*until)).max(now)
        }
        Step::Wait { until, .. } => *until.max(&now),
        _ => now,
    }
}

impl SenderView {
    fn of(app: &App, pair: &Pair, loads: &Loads) -> Self {
        Self {
            number: pair.key.sender.e164(),
            configured: app.directory.sender(pair.key.sender).is_some(),
            permission: pair.permission.as_str(),
            permission_until: match pair.permission {
                CallPermission::Requested { expires_at: at }
                | CallPermission::Declined { until: at }
                | CallPermission::Temporary { expires_at: at } => Some(at),
                _ => None,
            },
            misses: pair.misses,
            live_calls: loads.live_calls(pair.key.sender),
        }
    }
}

impl<'a> LocalView<'a> {
    fn of(hours: &'a CallingHours, now: Timestamp) -> Option<Self> {
        let zone = zones::zone(&hours.zone).ok()?;
        let opens_at = window::next_open(hours, now, later(now, window::FAR));
        Some(Self {
            zone: &hours.zone,
            time: now.to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
            open: opens_at == Some(now),
            opens_at,
        })
    }
}
