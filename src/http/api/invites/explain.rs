//! `GET /v1/invites/{id}/explain`: why an invite is in its state, and what would change that.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::response::Response;

use crate::domain::OrderKind;
use crate::http::api::callbacks::explain::{View, explain_order};
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::path::Id;
use crate::http::{ApiError, App};

/// Why an invite waits, and what happens next and when.
#[utoipa::path(
    get, path = "/v1/invites/{id}/explain", operation_id = "explain_invite", tag = "invites",
    params(("id" = String, Path, description = "`inv_` and 32 hexadecimal digits, or your reference")),
    responses(
        (status = 200, body = View<'static>),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn explain(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
) -> Result<Response, ApiError> {
    explain_order(&app, &caller, OrderKind::Invite, &id).await
}
