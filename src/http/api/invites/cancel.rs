//! `POST /v1/invites/{id}/cancel`: the customer cancels an invite.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::InviteView;
use crate::domain::OrderKind;
use crate::http::api::callbacks::cancel::cancel_order;
use crate::http::api::commands::View;
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::path::Id;
use crate::http::{ApiError, App};

/// Cancels an invite.
///
/// Nothing more is sent for it. A message that has left stays with the consumer, who may still call.
#[utoipa::path(
    post, path = "/v1/invites/{id}/cancel", operation_id = "cancel_invite", tag = "invites",
    params(
        ("id" = String, Path, description = "`inv_` and 32 hexadecimal digits, or your reference"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters"),
    ),
    responses(
        (status = 200, description = "The invite as it is now.", body = InviteView<'static>),
        (status = 202, description = "The command is stored and not yet applied; see `Location`.",
            body = View),
        (status = 409, description = "It is closed; see `outcome`.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn cancel(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    cancel_order(&app, &caller, &headers, OrderKind::Invite, &id).await
}
