//! `POST /v1/invites/bulk`: many new invites in one body, each accepted or refused individually.

use std::sync::Arc;

use axum::extract::{Extension, Request, State};
use axum::response::Response;

use crate::domain::OrderKind;
use crate::http::api::callbacks::create_many::{RowView, keys, order_rows};
use crate::http::api::callbacks::request_body::NewInvite;
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::{ApiError, App};

/// Orders many invites at once.
///
/// `application/x-ndjson`: one order on each line; an invalid line is refused individually. `application/json`: an
/// array of orders; invalid JSON refuses the whole request. The answer has the format of the request.
/// With the header `Idempotency-Key`, the same body can be sent again: accepted rows are not accepted twice.
/// The limits are those of `POST /v1/callbacks/bulk`. A person is invited once in seven days, also by several rows.
#[utoipa::path(
    post, path = "/v1/invites/bulk", operation_id = "create_invites", tag = "invites",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters")),
    request_body(content(
        (NewInvite = "application/x-ndjson"),
        (Vec<NewInvite> = "application/json"),
    )),
    responses(
        (status = 200, description = "The result of each row, in order.",
            content((RowView<'static> = "application/x-ndjson"), (Vec<RowView<'static>> = "application/json")),
            headers(
                ("X-Rows-Kept" = usize, description = "The number of accepted rows, which have an id"),
                ("X-Rows-Refused" = usize, description = "The number of refused rows"),
            )),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn create_many(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, ApiError> {
    let keys = keys(&request)?;
    order_rows(app, caller, OrderKind::Invite, keys, request).await
}
