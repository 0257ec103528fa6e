//! `GET /v1/nodes`: the nodes on the store and who dials. `POST /v1/nodes/{name}/resign`: asks one to give up the lead.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::body::json;
use super::query::Given;
use crate::clock::earlier;
use crate::domain::lease::{GroupName, LeaderRecord, Lease, Node, is_name};
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::path::Id;
use crate::http::{ApiError, App};
use crate::nodes::Role;
use crate::policy::lease;
use crate::store;

/// The terms that are listed.
const LEADERS_SHOWN: usize = 20;

/// The nodes on the store, and who dials.
#[derive(Serialize, ToSchema)]
#[schema(as = Nodes)]
pub(super) struct View {
    /// The node that answers.
    #[schema(example = "calls-1")]
    node: String,
    /// `alone`: it dials, and no other node can be on its store; `leader`: it dials; `follower`: another one dials, or none.
    role: &'static str,
    nodes: Vec<NodeView>,
    groups: Vec<GroupView>,
    /// The last 20 terms, newest first.
    leaders: Vec<LeaderView>,
}

/// A node.
#[derive(Serialize, ToSchema)]
#[schema(as = Node)]
struct NodeView {
    name: String,
    /// `alone`, `leader`, `follower`; `gone`: it gave no sign of life for 8 seconds; `left`: it stopped in order.
    role: &'static str,
    version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    seen_at: Timestamp,
    /// How much its clock is ahead of the database's. More than 5,000, or less than -5,000: it does not lead.
    clock_ahead_ms: i64,
}

/// A dialling group.
#[derive(Serialize, ToSchema)]
#[schema(as = DiallingGroup)]
struct GroupView {
    #[schema(example = "main")]
    name: String,
    accounts: Vec<String>,
    /// The node that dials for it; absent while none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    leader: Option<String>,
    /// The number of its term.
    #[serde(skip_serializing_if = "Option::is_none")]
    term: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
}

/// A term of a leader.
#[derive(Serialize, ToSchema)]
#[schema(as = Leadership)]
struct LeaderView {
    term: u64,
    node: String,
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// When it ended; absent for the term that goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// `resigned`; `expired`: its lease was not renewed; `process_ended`: the next start found the file of the store free.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<&'static str>,
}

/// Who leads, as this node knows it.
pub(in crate::http) struct Lead {
    pub(in crate::http) role: Role,
    /// The lease, if somebody holds it.
    pub(in crate::http) lease: Option<Lease>,
}

/// Reads who leads.
///
/// # Errors
/// As any read of the store.
pub(in crate::http) async fn lead(app: &App) -> store::Result<Lead> {
    let role = app.presence.role(app.clock.reading().up);
    let leases = app.store.leases().await?;
    let now = database_now(app);
    let held = |lease: &Lease| match role {
        Role::Alone => lease.run == app.presence.run,
        Role::Leader | Role::Follower => lease.is_held(now),
    };
    let lease = leases.into_iter().find(|lease| lease.group == app.presence.group && held(lease));
    Ok(Lead { role, lease })
}

/// The database's time, as this node knows it.
fn database_now(app: &App) -> Timestamp {
    earlier(app.clock.reading().wall, app.presence.clock_ahead())
}

/// The nodes on the store, and which of them dials.
///
/// One node dials for all groups; every node serves the API and the hooks.
#[utoipa::path(get, path = "/v1/nodes", operation_id = "list_nodes", tag = "status", responses(
    (status = 200, body = View),
    (status = "default", body = Written<'static>, content_type = "application/problem+json"),
))]
pub(super) async fn list(State(app): State<Arc<App>>, given: Given) -> Result<Response, ApiError> {
    given.read(|_, _| Ok(false))?;
    let lead = lead(&app).await?;
    let now = database_now(&app);
    let nodes = app.store.nodes().await?;
    let leaders = app.store.leaders(app.presence.group.clone(), LEADERS_SHOWN).await?;
    let view = View {
        node: app.presence.name.to_string(),
        role: lead.role.as_str(),
        nodes: nodes.iter().map(|node| NodeView::of(node, &app, &lead, now)).collect(),
        groups: groups(&app, &lead),
        leaders: leaders.iter().map(LeaderView::of).collect(),
    };
    Ok(json(StatusCode::OK, &view))
}

/// The dialling groups of the configuration. One node leads all of them.
fn groups(app: &App, lead: &Lead) -> Vec<GroupView> {
    let accounts = app.directory.accounts();
    let view = |group: &GroupName| {
        let own = accounts.iter().filter(|account| app.directory.group_of(account) == group);
        GroupView {
            name: group.to_string(),
            accounts: own.map(ToString::to_string).collect(),
            leader: lead.lease.as_ref().map(|lease| lease.node.to_string()),
            term: lead.lease.as_ref().map(|lease| lease.term),
            since: lead.lease.as_ref().map(|lease| lease.since),
        }
    };
    app.directory.groups().into_iter().map(view).collect()
}

impl NodeView {
    fn of(node: &Node, app: &App, lead: &Lead, now: Timestamp) -> Self {
        let is_this = node.run == app.presence.run;
        let leads = lead.lease.as_ref().is_some_and(|lease| lease.run == node.run);
        let is_gone = now.duration_since(node.seen_at) > lease::GONE_AFTER;
        let role = match (node.left_at, is_this) {
            (_, true) => lead.role.as_str(),
            (Some(_), false) => "left",
            (None, false) if is_gone => "gone",
            (None, false) if leads => Role::Leader.as_str(),
            (None, false) => Role::Follower.as_str(),
        };
        // A node that is alone gives no sign of life but its answers.
        let seen_at = if is_this { now.max(node.seen_at) } else { node.seen_at };
        Self {
            name: node.name.to_string(),
            role,
            version: node.version.to_string(),
            url: node.url.as_ref().map(ToString::to_string),
            started_at: node.started_at,
            seen_at,
            clock_ahead_ms: milliseconds(node.clock_ahead),
        }
    }
}

impl LeaderView {
    fn of(record: &LeaderRecord) -> Self {
        Self {
            term: record.term,
            node: record.node.to_string(),
            since: record.since,
            until: record.ended.map(|_| record.until),
            ended: record.ended.map(|end| end.as_str()),
        }
    }
}

fn milliseconds(span: SignedDuration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// The node that was asked to resign.
#[derive(Serialize, ToSchema)]
#[schema(as = ResignAsked)]
pub(super) struct Asked {
    node: String,
    /// When it was asked. It resigns within half a second if it answers itself, or else within 2.5 seconds.
    #[schema(value_type = String, format = DateTime)]
    asked_at: Timestamp,
}

/// Asks the node that dials to give up the lead: it submits nothing more, and another node dials.
///
/// The node keeps running: it waits for the answers to its requests, and serves the API and the hooks. It does not claim the
/// lead again for 10 seconds.
#[utoipa::path(post, path = "/v1/nodes/{name}/resign", operation_id = "resign_node", tag = "status",
    params(("name" = String, Path, description = "The name of the node")),
    responses(
        (status = 202, description = "It was asked.", body = Asked),
        (status = 404, description = "No node of this name is on the store.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = 409, description = "It does not dial, or it is alone on its store.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn resign(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(name): Id,
) -> Result<Response, ApiError> {
    let lead = lead(&app).await?;
    let node =
        app.store.nodes().await?.into_iter().find(|node| *node.name == *name && node.left_at.is_none());
    let Some(node) = node else {
        let shown = if is_name(&name) { name } else { "the text in the path".to_owned() };
        return Err(ApiError::new(
            "node.not_found",
            format!("GET /v1/nodes lists the nodes; {shown} is none of them"),
        ));
    };
    if lead.role == Role::Alone {
        let detail = "it is alone on its store, so no other node could dial; stop it to stop dialling";
        return Err(ApiError::new("node.alone", detail));
    }
    if lead.lease.is_none_or(|lease| lease.run != node.run) {
        return Err(ApiError::new(
            "node.not_leading",
            "only the node that dials can resign; see GET /v1/nodes",
        ));
    }
    let asked_at = app.clock.now();
    app.store.ask_to_resign(Arc::clone(&node.name), caller.name().into(), asked_at).await?;
    if node.run == app.presence.run {
        app.presence.ask_to_resign();
    }
    Ok(json(StatusCode::ACCEPTED, &Asked { node: node.name.to_string(), asked_at }))
}
