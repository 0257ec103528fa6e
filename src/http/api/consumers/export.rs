//! `POST /v1/consumers/export`: everything that is stored of a person, for a request of access.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use super::view::View;
use crate::domain::{CallbackId, Name, OrderKind, PersonId, Scope};
use crate::http::api::body::{JsonBytes, json};
use crate::http::api::permissions::{fault, read};
use crate::http::api::suppression::one_person;
use crate::http::auth::Caller;
use crate::http::error::{FieldError, Written};
use crate::http::{ApiError, App};
use crate::store::Page;

const LIMIT_DEFAULT: usize = 50;
const LIMIT_MAX: usize = 500;

/// A person, by one name, and which orders are wanted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConsumerExportOrder)]
pub(in crate::http::api) struct Draft {
    /// The number, in E.164.
    #[schema(example = "+5511987654321")]
    consumer: Option<String>,
    /// WhatsApp's id of the user, instead of the number.
    user_id: Option<String>,
    /// The Meta business portfolio of the user id; by default that of accounts without one.
    portfolio: Option<String>,
    /// The maximum of orders in the answer, 1 to 500.
    #[schema(default = 50)]
    limit: Option<usize>,
    /// `next_cursor` of the previous answer.
    cursor: Option<String>,
}

/// Everything that is stored of a person: the names, refusals, permissions, entries of suppression lists, and a page of
/// the orders of all tenants with their consents, attempts and messages.
///
/// The person is found by every certain spelling of the number. Somebody whose number only may be the same person's is not
/// in it. Reports of platforms and webhooks repeat what is here. Numbers and user ids are complete only for a token with
/// the scope `reveal`. What Twilio, Meta and backups hold is theirs to give.
#[utoipa::path(post, path = "/v1/consumers/export", operation_id = "export_consumer", tag = "consumers",
    request_body(content = Draft),
    responses(
        (status = 200, body = View<'static>),
        (status = 422, description = "There are field errors; all of them are listed.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn export(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    JsonBytes(bytes): JsonBytes,
) -> Result<Response, ApiError> {
    let draft: Draft = read(&bytes)?;
    let mut faults = Vec::new();
    let page = page(&draft, &mut faults);
    let (consumer, user_id) = (draft.consumer.as_deref(), draft.user_id.as_deref());
    let name = one_person(&app, consumer, user_id, draft.portfolio.as_deref(), &mut faults);
    let Some(name) = name.filter(|_| faults.is_empty()) else {
        return Err(ApiError::fields("consumer.invalid", faults));
    };
    let found = app.store.consumer(&name, &page).await?;
    let held = app.loads().await?.held;
    let people: Vec<PersonId> = match &name {
        Name::Number(number) => vec![PersonId::of(*number)],
        Name::User { .. } => found.people.iter().map(|(person, _)| person.id).collect(),
    };
    let zones = app.store.zones_of(&people).await?.into_iter().flat_map(|(_, zones)| zones).collect();
    let view = View::of(app.clock.now(), &found, zones, &held, caller.may(Scope::Reveal));
    Ok(json(StatusCode::OK, &view))
}

fn page(draft: &Draft, faults: &mut Vec<FieldError>) -> Page {
    let limit = draft.limit.unwrap_or(LIMIT_DEFAULT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        let detail = format!("is out of range: expected 1 to {LIMIT_MAX}");
        faults.push(fault("limit", "field.value", &detail));
    }
    let read = |text: &str| -> Option<CallbackId> {
        [OrderKind::Callback, OrderKind::Invite].into_iter().find_map(|kind| kind.read_id(text).ok())
    };
    let before = draft.cursor.as_deref().and_then(read);
    if draft.cursor.is_some() && before.is_none() {
        let detail = "is not a cursor: expected the next_cursor of the previous answer";
        faults.push(fault("cursor", "field.value", detail));
    }
    Page { before, limit }
}
