//! `GET /v1/senders`: the senders and their load.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::body::json;
use super::pauses;
use super::views::known_end;
use crate::domain::{CallbackPermission, Loads, Resource, Rest, Road, Sender, SenderPart};
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::{ApiError, App};
use crate::policy::{Rules, ladder};

/// The senders for orders.
#[derive(Serialize, ToSchema)]
#[schema(as = Senders)]
pub(super) struct View<'a> {
    /// When the scheduler published its load; absent before its first turn. The counts of calls and the pauses are of
    /// this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    as_of: Option<Timestamp>,
    senders: Vec<SenderView<'a>>,
}

/// A configured sender.
#[derive(Serialize, ToSchema)]
#[schema(as = Sender)]
struct SenderView<'a> {
    number: String,
    /// The operator's label.
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    /// The name of its account in the configuration.
    account: &'a str,
    /// Calls in progress, in both directions.
    live_calls: u32,
    live_calls_max: u32,
    /// The end of its pause, if it is paused. A paused sender neither calls nor asks. With a `why` alone it is paused until
    /// the platform ends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    paused_until: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// Parts of what it does that the platform restricts; the others go on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    paused_parts: Vec<PartView>,
    /// The operator's pause that holds it; of several, the one that ends last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pause: Option<pauses::View>,
    /// The pauses of its content for permission requests, which the platform refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    request_pauses: Vec<pauses::View>,
    /// Whether it can request the call permission inside the 24 h service window.
    asks_in_service_window: bool,
    /// Whether it can request the call permission at any time.
    asks_any_time: bool,
    /// Whether its account places calls. One that does not only invites consumers to call it.
    calls: bool,
    /// Whether it can invite the consumer to call.
    invites: bool,
    /// The roads by which it invites, in their order.
    roads: Vec<RoadView>,
    /// The agent of orders without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    /// The value of `workflow` in documents, for orders without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    workflow: Option<&'a str>,
    /// Which inbound calls grant the call permission: `off`, `missed` or `missed_and_answered`.
    callback_permission: &'static str,
}

/// A part of what a sender does that the platform restricts.
#[derive(Serialize, ToSchema)]
#[schema(as = SenderPart)]
struct PartView {
    /// `placed` (calls and permission requests) or `buttons` (invites by which the consumer calls at once).
    part: &'static str,
    /// Absent if the platform ends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    paused_until: Option<Timestamp>,
    why: String,
}

/// One way in which a sender invites consumers to call it.
#[derive(Serialize, ToSchema)]
#[schema(as = Road)]
struct RoadView {
    /// `call_button`, `template`, `url_button`, `deep_link` or `messenger`.
    road: &'static str,
    /// The account that sends the invite.
    account: String,
    /// The end of the account's pause, if the platform paused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    paused_until: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// The operator's pause of the account; of several, the one that ends last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pause: Option<pauses::View>,
    /// The pause of the road's content, which the platform refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    content_pause: Option<pauses::View>,
}

/// The senders that the token may use, in order of their numbers.
#[utoipa::path(get, path = "/v1/senders", operation_id = "senders", tag = "status", responses(
    (status = 200, body = View<'static>),
    (status = "default", body = Written<'static>, content_type = "application/problem+json"),
))]
pub(super) async fn senders(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, ApiError> {
    let loads = app.loads().await?;
    let now = app.clock.now();
    let own = |sender: &&Sender| caller.may_use_sender(sender.number);
    let view = |sender| SenderView::of(now, sender, &loads, &app.rules);
    let senders = app.directory.senders().filter(own).map(view).collect();
    Ok(json(StatusCode::OK, &View { as_of: loads.as_of, senders }))
}

impl<'a> SenderView<'a> {
    fn of(now: Timestamp, sender: &'a Sender, loads: &Loads, rules: &Rules) -> Self {
        let paused = loads.paused_senders.get(&sender.number).filter(|(until, _)| *until > now);
        let (paused_until, why) = paused.map(|(until, why)| (*until, why.to_string())).unzip();
        Self {
            number: sender.number.e164(),
            label: sender.label.as_deref(),
            account: &sender.account,
            live_calls: loads.live_calls(sender.number),
            paused_until: paused_until.and_then(known_end),
            why,
            paused_parts: PartView::of(now, sender, loads),
            pause: loads.pauses.of_sender(sender, now).map(|pause| pauses::View::of(pause)),
            request_pauses: request_pauses(now, sender, loads),
            live_calls_max: rules.ceiling(&Resource::Sender(sender.number)).unwrap_or(u32::MAX),
            asks_in_service_window: sender.free_request().is_some() || sender.permission_template.is_some(),
            asks_any_time: sender.permission_template.is_some(),
            calls: sender.can_call,
            invites: sender.invite.is_some() || !sender.roads.is_empty(),
            roads: ladder::roads(sender).iter().map(|road| RoadView::of(now, road, loads)).collect(),
            agent: sender.agent.as_ref().map(ToString::to_string),
            workflow: sender.workflow.as_deref(),
            callback_permission: match sender.callback_permission {
                CallbackPermission::Off => "off",
                CallbackPermission::Missed => "missed",
                CallbackPermission::MissedAndAnswered => "missed_and_answered",
            },
        }
    }
}

/// The pauses of what it asks for the permission with. Content for both roles is told once.
fn request_pauses(now: Timestamp, sender: &Sender, loads: &Loads) -> Vec<pauses::View> {
    let requests = sender.requests().collect::<BTreeSet<_>>();
    let paused =
        requests.into_iter().filter_map(|(account, content)| loads.pauses.of_content(account, content, now));
    paused.map(|pause| pauses::View::of(pause)).collect()
}

impl PartView {
    fn of(now: Timestamp, sender: &Sender, loads: &Loads) -> Vec<Self> {
        let parts = loads.parts_of(sender.number).into_iter().filter(|(_, (until, _))| *until > now);
        let view = |(part, (until, why)): (SenderPart, Rest)| Self {
            part: part.as_str(),
            paused_until: known_end(until),
            why: why.into_owned(),
        };
        parts.map(view).collect()
    }
}

impl RoadView {
    fn of(now: Timestamp, road: &Road, loads: &Loads) -> Self {
        let paused = loads.account(&road.account).paused.filter(|(until, _)| *until > now);
        let (paused_until, why) = paused.map(|(until, why)| (until, why.into_owned())).unzip();
        let content = loads.pauses.of_content(&road.account, &road.content, now);
        Self {
            road: road.kind.as_str(),
            account: road.account.to_string(),
            paused_until: paused_until.and_then(known_end),
            why,
            pause: loads.pauses.last_of_account(&road.account, now).map(|pause| pauses::View::of(pause)),
            content_pause: content.map(|pause| pauses::View::of(pause)),
        }
    }
}
