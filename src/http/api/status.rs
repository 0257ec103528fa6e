//! `GET /v1/status`: counts of callbacks, and the state of the accounts.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::body::json;
use crate::domain::Outcome;
use crate::http::error::Written;
use crate::http::{ApiError, App};

/// The daemon at a glance.
#[derive(Serialize, ToSchema)]
#[schema(as = Status)]
pub(super) struct View {
    /// The daemon's clock.
    #[schema(value_type = String, format = DateTime)]
    now: Timestamp,
    callbacks: CensusView,
    /// Reports of the platform that were taken in and not yet acted on.
    unfolded_reports: u64,
    /// Reports of the last 30 days that name nobody who is known; `/v1/inbox/unmatched` lists them.
    unmatched_reports: u64,
    /// Reports since the start that were known already and changed nothing. Twilio repeats a few; many may be
    /// replays of requests that somebody captured.
    repeated_reports: u64,
    /// Reports, commands and callbacks at which the program failed; see `/v1/set-aside`.
    set_aside: usize,
    /// Since when nothing is dialled or sent, because the program failed three times within a minute. A restart
    /// resumes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    dialling_stopped_since: Option<Timestamp>,
    accounts: Vec<AccountView>,
}

/// Callbacks by where they stand.
#[derive(Serialize, ToSchema)]
#[schema(as = Census)]
struct CensusView {
    waiting: u64,
    calling: u64,
    /// By outcome.
    closed: BTreeMap<&'static str, u64>,
}

/// A Twilio account, by the operator's name for it.
#[derive(Serialize, ToSchema)]
#[schema(as = Account)]
struct AccountView {
    name: String,
    /// Until when no call is placed, where the account rests.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    paused_until: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// How many callbacks stand where, and which accounts rest.
#[utoipa::path(get, path = "/v1/status", operation_id = "status", tag = "status", responses(
    (status = 200, body = View),
    (status = "default", body = Written<'static>, content_type = "application/problem+json"),
))]
pub(super) async fn status(State(app): State<Arc<App>>) -> Result<Response, ApiError> {
    let census = app.store.census().await?;
    let now = app.clock.now();
    let held = app.loads.read().expect("nothing panics while it writes the loads").held.clone();
    let view = View {
        now,
        callbacks: CensusView {
            waiting: census.waiting,
            calling: census.calling,
            closed: Outcome::ALL.iter().map(|outcome| outcome.as_str()).zip(census.closed).collect(),
        },
        unfolded_reports: census.unfolded_reports,
        unmatched_reports: census.unmatched_reports,
        repeated_reports: app.metrics.hooks_repeated_total(),
        set_aside: held.count(),
        dialling_stopped_since: held.stopped_since,
        accounts: accounts(&app, now),
    };
    Ok(json(StatusCode::OK, &view))
}

fn accounts(app: &App, now: Timestamp) -> Vec<AccountView> {
    let loads = app.loads.read().expect("nothing panics while it writes the loads");
    let mut names: Vec<&str> = app.directory.senders().map(|sender| &*sender.account).collect();
    names.sort_unstable();
    names.dedup();
    let view = |name: &str| {
        let paused = loads.account(name).paused.filter(|(until, _)| *until > now);
        let (paused_until, why) = paused.map(|(until, why)| (until, why.into_owned())).unzip();
        AccountView { name: name.to_owned(), paused_until, why }
    };
    names.into_iter().map(view).collect()
}
