//! `GET /v1/invites/{id}/timeline`: everything recorded about an invite, oldest first.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::response::Response;

use crate::domain::OrderKind;
use crate::http::api::callbacks::timeline::{View, timeline_of};
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::path::Id;
use crate::http::{ApiError, App};

/// The timeline of an invite, oldest first.
#[utoipa::path(
    get, path = "/v1/invites/{id}/timeline", operation_id = "invite_timeline", tag = "invites",
    params(("id" = String, Path, description = "`inv_` and 32 hexadecimal digits, or your reference")),
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
    timeline_of(&app, &caller, OrderKind::Invite, &id).await
}
