//! `GET` and `POST /v1/invites/{id}/link`: a link by which the consumer calls, so that the invite closes.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::Response;

use crate::domain::OrderKind;
use crate::http::api::body::JsonBytes;
use crate::http::api::callbacks::link::{Draft, Parameters, View, format, link_of};
use crate::http::api::permissions::read;
use crate::http::api::query::Given;
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::path::Id;
use crate::http::{ApiError, App};

/// A link by which the consumer calls.
///
/// As JSON, as text, or as a QR code. That it was given out is recorded with the invite, once for each sender: an
/// answered call of the consumer to that sender after it closes the invite, also where no payload is told (Twilio, and
/// clients before version 2.25.27). WhatsApp does not open such links on computers.
#[utoipa::path(
    get, path = "/v1/invites/{id}/link", operation_id = "invite_link", tag = "invites",
    params(("id" = String, Path, description = "`inv_` and 32 hexadecimal digits, or your reference"), Parameters),
    responses(
        (status = 200, content(
            (View = "application/json"), (String = "text/plain"), (String = "image/svg+xml"), (Vec<u8> = "image/png"),
        )),
        (status = 409, description = "It is closed, none of its senders is configured, or there are links to 8 senders.",
            body = Written<'static>, content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn link(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    headers: HeaderMap,
    given: Given,
) -> Result<Response, ApiError> {
    link_of(&app, &caller, OrderKind::Invite, &id, format(given, &headers)?, None).await
}

/// A link by which the consumer calls this sender.
///
/// The number is in the body, because URLs are logged.
#[utoipa::path(
    post, path = "/v1/invites/{id}/link", operation_id = "invite_link_to", tag = "invites",
    params(("id" = String, Path, description = "`inv_` and 32 hexadecimal digits, or your reference"), Parameters),
    request_body(content = Draft),
    responses(
        (status = 200, content(
            (View = "application/json"), (String = "text/plain"), (String = "image/svg+xml"), (Vec<u8> = "image/png"),
        )),
        (status = 409, description = "It is closed, none of its senders is configured, or there are links to 8 senders.",
            body = Written<'static>, content_type = "application/problem+json"),
        (status = 422, description = "It cannot link to this sender.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn link_to(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    headers: HeaderMap,
    given: Given,
    JsonBytes(bytes): JsonBytes,
) -> Result<Response, ApiError> {
    let format = format(given, &headers)?;
    link_of(&app, &caller, OrderKind::Invite, &id, format, Some(read(&bytes)?)).await
}
