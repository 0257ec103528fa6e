//! `POST /v1/callbacks/{id}/replay`: what was delivered for a callback is delivered again.

use std::sync::Arc;

use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::record;
use crate::http::api::body::json;
use crate::http::api::webhooks::endpoint;
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::{ApiError, App};

/// How much is delivered again.
#[derive(Serialize, ToSchema)]
#[schema(as = Replay)]
pub(super) struct View {
    id: String,
    /// Deliveries that wait now, each with the `webhook-id` that it had.
    deliveries: u64,
}

/// Delivers again what was told of a callback over the webhook.
///
/// Everything that was written for it is sent once more, in its order and as it was. A callback that changed
/// while no webhook was configured has nothing to deliver.
#[utoipa::path(
    post, path = "/v1/callbacks/{id}/replay", operation_id = "replay_callback", tag = "webhooks",
    params(("id" = String, Path, description = "`cb_` and 32 hexadecimal digits")),
    responses(
        (status = 202, description = "It is delivered from now on.", body = View),
        (status = 409, description = "No webhook is configured.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn replay(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let endpoint = endpoint(&app)?;
    let id = record(&app, &caller, &id).await?.callback.id;
    let deliveries = app.store.replay_deliveries(id, app.clock.now()).await?;
    endpoint.wake();
    Ok(json(StatusCode::ACCEPTED, &View { id: id.to_string(), deliveries }))
}
