//! `POST /v1/imports/{name}/rows`: orders the rows of an import, each once.

use std::sync::Arc;

use axum::extract::{Extension, Request, State};
use axum::response::Response;

use super::name;
use crate::domain::OrderKind;
use crate::http::api::callbacks::bulk_answer::RowView;
use crate::http::api::callbacks::create_many::order_rows;
use crate::http::api::callbacks::request_body::RequestBody;
use crate::http::api::callbacks::row_keys::RowKeys;
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::path::Id;
use crate::http::{ApiError, App};

/// Orders rows of an import.
///
/// The body, the limits and the answer are those of `POST /v1/callbacks/bulk`. A row is recognised by its `reference`,
/// or without one by its person and senders, under every spelling of the number: sent again for the same import, it is
/// answered with the first callback (`replayed`), and a corrected row that was refused before is ordered. A row that
/// was accepted and has changed since is refused (`import.row_changed`). Imports belong to the tenant and name of the
/// token.
#[utoipa::path(
    post, path = "/v1/imports/{name}/rows", operation_id = "import_rows", tag = "imports",
    params(("name" = String, Path,
        description = "Your name of the import: a letter, and at most 63 ASCII letters, digits, dots, hyphens and underscores")),
    request_body(content(
        (RequestBody<'static> = "application/x-ndjson"),
        (Vec<RequestBody<'static>> = "application/json"),
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
pub(in crate::http::api) async fn order(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(import): Id,
    request: Request,
) -> Result<Response, ApiError> {
    let keys = RowKeys::ByIdentity(name(&import)?.to_owned());
    order_rows(app, caller, OrderKind::Callback, keys, request).await
}
