//! `GET /v1/callbacks/{id}/explain`: why a callback is in its state, and what would change that.
//!
//! The reasons come from the code that decides.
// Values from outside come in here: no sum of them may overflow, no moment leave its range.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::sync::Arc;

use axum::extract::{self, Extension};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::record_of;
use crate::clock::later;
use crate::domain::{
    Budget, Calendars, CallPermission, Callback, CallingHours, Contact, Loads, Message, MessagePurpose, Name,
    OrderKind, Pair, Phone, Reason, RoadName, State, zones,
};
use crate::http::api::body::json;
use crate::http::api::views::{AttemptView, ReasonView, standing, status};
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::path::Id;
use crate::http::{ApiError, App};
use crate::policy::{
    self, People, PersonView, Rung, Situation, Standing, Step, Surroundings, ledger, window,
};
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
    /// The roads by which each sender could invite the consumer to call, in their order. Of a closed order only those that
    /// were used are kept: `invited`, or `passed_over` because the invite failed. Absent during a call.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ladder: Vec<RungView<'a>>,
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

/// A road by which a sender could invite the consumer to call.
#[derive(Serialize, ToSchema)]
#[schema(as = InviteRoad)]
struct RungView<'a> {
    sender: String,
    /// `call_button`, `template`, `url_button`, `deep_link` or `messenger`.
    road: &'static str,
    /// The account that would send the invite.
    account: String,
    /// `invited`: the consumer was invited by it. `unknown`: it is unknown whether the invite was sent. `next`: the next step takes it. `open`: it could be taken. `later`: it
    /// opens by itself. `resting`: its account or sender is paused. `passed_over`: it cannot be taken.
    standing: &'static str,
    /// Why it is not open.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<ReasonView<'a>>,
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
    extract::State(app): extract::State<Arc<App>>,
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
    let keys: Vec<_> = record.callback.contacts().collect();
    let contacts = app.store.contacts(&keys).await?;
    let known = Known { person, budget, pairs, contacts };
    Ok(json(StatusCode::OK, &View::of(app, now, &record, known, &loads)))
}

/// What the rules look at beside the callback and the loads.
struct Known {
    person: PersonView,
    budget: Option<Arc<Budget>>,
    pairs: Vec<Pair>,
    contacts: Vec<Contact>,
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
            ladder: Vec::new(),
            local: callback
                .order
                .hours
                .as_ref()
                .and_then(|hours| LocalView::of(hours, &loads.calendars, now)),
            attempt: None,
        };
        match &callback.state {
            State::Waiting(_) => view.assess(app, now, record, known, loads),
            State::Calling { attempt } => {
                let open = record.attempts.iter().find(|open| open.id == *attempt);
                view.reasons.extend(loads.held.deposed_reason().as_ref().map(ReasonView::of));
                view.reasons.push(standing(callback, open));
                view.sender = open.map(|open| open.sender.e164());
                view.attempt = open.map(AttemptView::of);
            }
            State::Closed(_) => {
                view.reasons.push(standing(callback, None));
                view.ladder = RungView::used(record);
            }
        }
        view
    }

    fn assess(
        &mut self,
        app: &App,
        now: Timestamp,
        record: &Record,
        Known { person, budget, pairs, contacts }: Known,
        loads: &Loads,
    ) {
        let callback = &record.callback;
        let document = app.documents.document(&callback.order.document).map(Document::script);
        let pair = |key| pairs.iter().find(|pair| pair.key == key).cloned();
        let surroundings = Surroundings { now, directory: &app.directory, loads };
        let situation = Situation::gather(callback, document, surroundings, person, pair)
            .within(budget)
            .at_pages(contacts);
        let assessment = policy::assess(now, &situation, &app.rules);
        self.step = Some(word(&assessment.step));
        self.sender = assessment.sender.map(|sender| sender.e164());
        self.next_look_at = Some(next_look(now, &assessment.step));
        let zone = callback.order.hours.as_ref().and_then(|hours| zones::zone(&hours.zone).ok());
        let in_doubt = invite_in_doubt(record);
        let told = |reason: &Reason| {
            let unknown = match reason {
                Reason::AwaitingCall { until } if in_doubt => Some(Reason::InviteUnknown { until: *until }),
                _ => None,
            };
            let reason = unknown.as_ref().unwrap_or(reason);
            match &zone {
                Some(zone) => ReasonView::in_zone(reason, zone, now),
                None => ReasonView::of(reason),
            }
        };
        self.reasons = assessment.binding.iter().map(told).collect();
        let ladders = policy::ladders(now, &situation, &app.rules).into_iter();
        let rungs = ladders.flat_map(|(sender, rungs)| rungs.into_iter().map(move |rung| (sender, rung)));
        self.ladder = rungs
            .map(|(sender, rung)| RungView::of(callback, sender, &rung, &assessment.step, in_doubt, told))
            .collect();
    }
}

/// Whether it is unknown if the invite that counts was sent.
fn invite_in_doubt(record: &Record) -> bool {
    let counts = |message: &&Message| {
        message.purpose == MessagePurpose::Invite
            && Some(message.submission.intended_at) == record.callback.invited_at
    };
    record.messages.iter().filter(counts).any(Message::is_unresolved)
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

impl<'a> RungView<'a> {
    fn of(
        callback: &Callback,
        sender: Phone,
        rung: &Rung,
        step: &Step,
        in_doubt: bool,
        told: impl Fn(&Reason) -> ReasonView<'a>,
    ) -> Self {
        let road = &rung.road;
        let is_next =
            matches!(step, Step::Invite { sender: by, road: taken, .. } if *by == sender && taken == road);
        let is_taken = callback.invited_by.as_ref() == Some(&RoadName::of(road));
        Self {
            sender: sender.e164(),
            road: road.kind.as_str(),
            account: road.account.to_string(),
            standing: match &rung.standing {
                _ if is_taken && in_doubt => "unknown",
                _ if is_taken => "invited",
                _ if is_next => "next",
                Standing::Open => "open",
                Standing::Later(..) => "later",
                Standing::Resting(..) => "resting",
                Standing::Over(_) => "passed_over",
            },
            reason: rung.standing.reason().filter(|_| !is_taken).map(told),
        }
    }

    /// The roads by which a closed order invited, in the order of their last invites. What was not used is not kept.
    fn used(record: &Record) -> Vec<Self> {
        let invites = |message: &&Message| message.purpose == MessagePurpose::Invite;
        let mut used: Vec<(RoadName, &Message)> = Vec::new();
        for message in record.messages.iter().filter(invites) {
            let Some(kind) = message.road else { continue };
            let road = RoadName { kind, account: message.account().clone() };
            used.retain(|(known, earlier)| (known, earlier.sender) != (&road, message.sender));
            used.push((road, message));
        }
        used.into_iter().filter_map(|(road, message)| Self::was(&record.callback, &road, message)).collect()
    }

    /// What became of the last invite by a road; `None` if it was refused for a reason that does not end the road.
    fn was(callback: &Callback, road: &RoadName, message: &Message) -> Option<Self> {
        let failure = callback.road_failed(road);
        let reason = failure.map(|failure| Reason::RoadFailed { road: road.kind, code: failure.code });
        if reason.is_none() && !message.may_arrive() {
            return None;
        }
        Some(Self {
            sender: message.sender.e164(),
            road: road.kind.as_str(),
            account: road.account.to_string(),
            standing: if reason.is_some() { "passed_over" } else { "invited" },
            reason: reason.as_ref().map(ReasonView::of),
        })
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
    fn of(hours: &'a CallingHours, calendars: &Calendars, now: Timestamp) -> Option<Self> {
        let zone = zones::zone(&hours.zone).ok()?;
        let opens_at = window::next_open(calendars.opening(hours), now, later(now, window::FAR));
        Some(Self {
            zone: &hours.zone,
            time: now.to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
            open: opens_at == Some(now),
            opens_at,
        })
    }
}
