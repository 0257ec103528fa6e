//! `GET /v1/callbacks/{id}/timeline`: everything recorded about a callback, oldest first.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{record_of, without_others_messages};
use crate::domain::timeline::Entry;
use crate::domain::{Callback, OrderKind};
use crate::http::api::body::json;
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::path::Id;
use crate::http::{ApiError, App};

/// The timeline of a callback or an invite, oldest first.
#[derive(Serialize, ToSchema)]
#[schema(as = Timeline)]
pub(in crate::http::api) struct View<'a> {
    entries: Vec<EntryView<'a>>,
}

/// One line of the timeline.
#[derive(Serialize, ToSchema)]
#[schema(as = TimelineEntry)]
pub(in crate::http::api) struct EntryView<'a> {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// A stable code such as `attempt.opened`.
    what: &'a str,
    /// The cause, in one sentence.
    why: &'a str,
    /// The sender, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    sender: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// The name of the API token that caused it, if one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'a str>,
}

/// The timeline of a callback and of the permissions that it waits for, oldest first.
#[utoipa::path(
    get, path = "/v1/callbacks/{id}/timeline", operation_id = "callback_timeline", tag = "callbacks",
    params(("id" = String, Path, description = "`cb_` and 32 hexadecimal digits, or your reference")),
    responses(
        (status = 200, body = View<'static>),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn timeline(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
) -> Result<Response, ApiError> {
    timeline_of(&app, &caller, OrderKind::Callback, &id).await
}

/// The timeline of an order of this kind.
pub(in crate::http::api) async fn timeline_of(
    app: &App,
    caller: &Caller,
    kind: OrderKind,
    name: &str,
) -> Result<Response, ApiError> {
    let callback = record_of(app, caller, kind, name).await?.callback;
    let mut entries = vec![ordered(&callback)];
    let lines = app.store.timeline(callback.id).await?;
    entries.extend(without_others_messages(app, caller, lines).await?);
    if kind == OrderKind::Invite {
        entries.iter_mut().for_each(of_invite);
    }
    Ok(json(StatusCode::OK, &View { entries: entries.iter().map(EntryView::of).collect() }))
}

/// The first line. It is made from the callback itself, which saves a row for each order.
fn ordered(callback: &Callback) -> Entry {
    Entry {
        at: callback.created_at,
        callback: Some(callback.id),
        pair: None,
        attempt: None,
        message: None,
        what: "callback.ordered".into(),
        why: match &callback.ordered_by {
            Some(by) => {
                format!("The customer, by the token {by:?}, ordered the {}.", callback.order.kind.as_str())
            }
            None => format!("The customer ordered the {}.", callback.order.kind.as_str()),
        },
        by: callback.ordered_by.clone(),
    }
}

/// The words about the order itself are those of callbacks. An invite tells them as its own.
fn of_invite(entry: &mut Entry) {
    if let Some(word) = entry.what.strip_prefix("callback.") {
        entry.what = format!("invite.{word}").into();
    }
}

impl<'a> EntryView<'a> {
    pub(in crate::http::api) fn of(entry: &'a Entry) -> Self {
        Self {
            at: entry.at,
            what: &entry.what,
            why: &entry.why,
            sender: entry.pair.map(|pair| pair.sender.e164()),
            attempt: entry.attempt.map(|id| id.to_string()),
            message: entry.message.map(|id| id.to_string()),
            by: entry.by.as_deref(),
        }
    }
}
