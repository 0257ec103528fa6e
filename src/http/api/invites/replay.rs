//! `POST /v1/invites/{id}/replay`: delivers the webhooks of an invite again.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::response::Response;

use crate::domain::OrderKind;
use crate::http::api::callbacks::replay::{View, replay_order};
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::path::Id;
use crate::http::{ApiError, App};

/// Delivers the webhooks of an invite again.
///
/// All its webhooks are sent again, in order and unchanged. Changes from a time without a configured webhook
/// are not delivered.
#[utoipa::path(
    post, path = "/v1/invites/{id}/replay", operation_id = "replay_invite", tag = "webhooks",
    params(("id" = String, Path, description = "`inv_` and 32 hexadecimal digits, or your reference")),
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
    replay_order(&app, &caller, OrderKind::Invite, &id).await
}
