//! `POST /v1/invites`: one new invite, stored before the answer.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::AcceptedInvite;
use crate::domain::OrderKind;
use crate::http::api::body::JsonBytes;
use crate::http::api::callbacks::create::order;
use crate::http::api::callbacks::request_body::NewInvite;
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::{ApiError, App};

/// Orders an invite.
///
/// The invite is stored before the answer. With the header `Idempotency-Key`, the order can be sent again after a lost
/// answer: the same key and body return the first answer and create nothing.
#[utoipa::path(
    post, path = "/v1/invites", operation_id = "create_invite", tag = "invites",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters")),
    request_body(content = NewInvite),
    responses(
        (status = 202, description = "The invite is stored.", body = AcceptedInvite<'static>, headers(
            ("Location" = String, description = "Where the invite is, relative to the request"),
            ("Idempotent-Replayed" = Option<String>, description = "`true` if this is an earlier answer"),
        )),
        (status = 422, body = Written<'static>, content_type = "application/problem+json",
            description = "Fields are wrong; `errors` lists all of them. Or the key was used with another body."),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn create(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    JsonBytes(bytes): JsonBytes,
) -> Result<Response, ApiError> {
    order(&app, &caller, &headers, &bytes, OrderKind::Invite).await
}
