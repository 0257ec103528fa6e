//! `POST /v1/suppression/check`: on which lists a person is.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{one_person, shown};
use crate::domain::{Name, Suppression, SuppressionScope};
use crate::http::api::body::{JsonBytes, json};
use crate::http::api::permissions::read;
use crate::http::error::Written;
use crate::http::{ApiError, App};
use crate::policy::People;

/// A person, by one name.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SuppressionCheck)]
pub(in crate::http::api) struct Draft {
    /// The number, in E.164.
    #[schema(example = "+5511987654321")]
    consumer: Option<String>,
    /// WhatsApp's id of the user, instead of the number.
    user_id: Option<String>,
    /// The Meta business portfolio of the user id; by default that of accounts without one.
    portfolio: Option<String>,
}

/// Whether the person is on a list.
#[derive(Serialize, ToSchema)]
#[schema(as = SuppressionFound)]
struct Found {
    /// Whether an entry is in force.
    suppressed: bool,
    /// The entries of the person, under whatever name.
    entries: Vec<EntryView>,
}

/// An entry of a suppression list.
#[derive(Serialize, ToSchema)]
#[schema(as = SuppressionEntry)]
pub(in crate::http::api) struct EntryView {
    list: String,
    /// `calls`, `requests`, `invites` or `all`.
    scope: &'static str,
    /// The purposes of the orders that it binds; empty for all.
    purposes: Vec<&'static str>,
    #[schema(value_type = String, format = DateTime)]
    added_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// Whether it has not ended.
    in_force: bool,
}

impl EntryView {
    pub(in crate::http::api) fn of(now: Timestamp, entry: &Suppression) -> Self {
        Self {
            list: entry.list.to_string(),
            scope: entry.scope.as_str(),
            purposes: shown(&entry.purposes),
            added_at: entry.added_at,
            expires_at: entry.expires_at,
            why: entry.why.as_deref().map(ToOwned::to_owned),
            in_force: entry.is_in_force(now),
        }
    }
}

/// Whether it forbids anything now. The answer of a register that was asked forbids nothing.
fn forbids(entry: &EntryView) -> bool {
    entry.in_force && entry.scope != SuppressionScope::Checked.as_str()
}

/// On which suppression lists a person is, by every spelling of the number and every name that is known.
#[utoipa::path(post, path = "/v1/suppression/check", operation_id = "check_suppression", tag = "suppression",
    request_body(content = Draft),
    responses(
        (status = 200, body = Found),
        (status = 422, description = "There are field errors; all of them are listed.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn check(
    State(app): State<Arc<App>>,
    JsonBytes(bytes): JsonBytes,
) -> Result<Response, ApiError> {
    let draft: Draft = read(&bytes)?;
    let mut faults = Vec::new();
    let (consumer, user_id) = (draft.consumer.as_deref(), draft.user_id.as_deref());
    let name = one_person(&app, consumer, user_id, draft.portfolio.as_deref(), &mut faults);
    let Some(name) = name.filter(|_| faults.is_empty()) else {
        return Err(ApiError::fields("suppression.invalid", faults));
    };
    let people = app.store.people(std::slice::from_ref(&name)).await?;
    let mut entries = match name {
        Name::Number(number) => People::of(people).view(number).suppressions,
        Name::User { .. } => people.into_iter().flat_map(|(person, _)| person.suppressions).collect(),
    };
    entries.sort_by(|one, other| (&one.list, one.added_at).cmp(&(&other.list, other.added_at)));
    let now = app.clock.now();
    let entries: Vec<EntryView> = entries.iter().map(|entry| EntryView::of(now, entry)).collect();
    Ok(json(StatusCode::OK, &Found { suppressed: entries.iter().any(forbids), entries }))
}
