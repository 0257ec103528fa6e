//! `POST /v1/callbacks/{id}/replay`: delivers the webhooks of a callback again.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::record_of;
use crate::domain::OrderKind;
use crate::http::api::body::json;
use crate::http::api::webhooks::endpoint;
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::path::Id;
use crate::http::{ApiError, App};

/// The number of webhooks that are delivered again.
#[derive(Serialize, ToSchema)]
#[schema(as = Replay)]
pub(in crate::http::api) struct View {
    id: String,
    /// Waiting deliveries. Each keeps its `webhook-id`.
    deliveries: u64,
}

/// Delivers the webhooks of a callback again.
///
/// All its webhooks are sent again, in order and unchanged. Changes from a time without a configured webhook
/// are not delivered.
#[utoipa::path(
    post, path = "/v1/callbacks/{id}/replay", operation_id = "replay_callback", tag = "webhooks",
    params(("id" = String, Path, description = "`cb_` and 32 hexadecimal digits, or your reference")),
    responses(
        (status = 202, description = "The webhooks wait for delivery.", body = View),
        (status = 409, description = "No webhook is configured.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn replay(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
) -> Result<Response, ApiError> {
    replay_order(&app, &caller, OrderKind::Callback, &id).await
}

/// Delivers the webhooks of an order of this kind again.
pub(in crate::http::api) async fn replay_order(
    app: &App,
    caller: &Caller,
    kind: OrderKind,
    name: &str,
) -> Result<Response, ApiError> {
    let endpoint = endpoint(app)?;
    let callback = record_of(app, caller, kind, name).await?.callback;
    let deliveries = app.store.replay_deliveries(callback.id, app.clock.now()).await?;
    endpoint.wake();
    Ok(json(StatusCode::ACCEPTED, &View { id: callback.shown_id(), deliveries }))
}
