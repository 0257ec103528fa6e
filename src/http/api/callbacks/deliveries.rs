//! `GET /v1/callbacks/{id}/deliveries`: the webhooks about a callback, and how far each is.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::record_of;
use crate::domain::OrderKind;
use crate::http::api::body::json;
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::path::Id;
use crate::http::{ApiError, App};
use crate::store::{DeliveryRecord, Subject};

/// So many are listed.
const MOST: usize = 200;

/// The webhooks about a callback, the oldest first, at most 200.
#[derive(Serialize, ToSchema)]
#[schema(as = Deliveries)]
pub(in crate::http::api) struct View {
    deliveries: Vec<DeliveryView>,
}

/// One webhook.
#[derive(Serialize, ToSchema)]
#[schema(as = Delivery)]
struct DeliveryView {
    /// The header `webhook-id`.
    id: String,
    /// The type of the event, such as `callback.closed`.
    r#type: String,
    /// `waiting`, `delivered` or `given_up`.
    state: &'static str,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it is tried next; absent for one that waits for an earlier one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    due_at: Option<Timestamp>,
    /// Since it was written, or sent again.
    tries: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    first_tried_at: Option<Timestamp>,
    /// When it was delivered or given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    settled_at: Option<Timestamp>,
    /// Why the last try failed: a status, or a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
}

impl From<DeliveryRecord> for DeliveryView {
    fn from(record: DeliveryRecord) -> Self {
        Self {
            id: record.id.to_string(),
            r#type: record.what,
            state: record.state.into(),
            created_at: record.created_at,
            due_at: record.due_at,
            tries: record.tries,
            first_tried_at: record.first_tried_at,
            settled_at: record.settled_at,
            last_error: record.last_error,
        }
    }
}

/// The webhooks about a callback, and how far each is.
///
/// Webhooks that were delivered long ago are deleted by the rules of retention.
#[utoipa::path(
    get, path = "/v1/callbacks/{id}/deliveries", operation_id = "list_deliveries", tag = "webhooks",
    params(("id" = String, Path, description = "`cb_` and 32 hexadecimal digits, or your reference")),
    responses(
        (status = 200, body = View),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn deliveries(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
) -> Result<Response, ApiError> {
    let callback = record_of(&app, &caller, OrderKind::Callback, &id).await?.callback;
    let found = app.store.deliveries_of(Subject::from(callback.id), MOST).await?;
    let deliveries = found.into_iter().map(DeliveryView::from).collect();
    Ok(json(StatusCode::OK, &View { deliveries }))
}
