//! `POST /v1/invites/{id}/reschedule`: changes the times of a waiting invite.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::InviteView;
use crate::domain::OrderKind;
use crate::http::api::body::JsonBytes;
use crate::http::api::callbacks::request_body::Amendment;
use crate::http::api::callbacks::reschedule::reschedule_order;
use crate::http::api::commands::View;
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::path::Id;
use crate::http::{ApiError, App};

/// Changes the times or the priority of a waiting invite.
///
/// A new `earliest` moves the deadline by the same time, unless `latest` is given too. The scheduler then decides again.
/// A message that has left stays as it is: a later deadline waits longer for the consumer's call, and the button still
/// ends at its own time.
#[utoipa::path(
    post, path = "/v1/invites/{id}/reschedule", operation_id = "reschedule_invite", tag = "invites",
    params(
        ("id" = String, Path, description = "`inv_` and 32 hexadecimal digits, or your reference"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters"),
    ),
    request_body(content = Amendment<'static>),
    responses(
        (status = 200, description = "The invite as it is now.", body = InviteView<'static>),
        (status = 202, description = "The command is stored and not yet applied; see `Location`.",
            body = View),
        (status = 409, description = "It is closed; see `outcome`.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = 422, description = "There are field errors; all of them are listed.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn reschedule(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    headers: HeaderMap,
    JsonBytes(bytes): JsonBytes,
) -> Result<Response, ApiError> {
    reschedule_order(&app, &caller, &headers, (OrderKind::Invite, &id), &bytes).await
}
