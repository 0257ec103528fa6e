//! `GET /v1/invites/{id}`: one invite with its messages.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::view::RecordView;
use crate::domain::OrderKind;
use crate::http::api::body::json;
use crate::http::api::callbacks::record_of;
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::path::Id;
use crate::http::{ApiError, App};

/// An invite with its messages.
#[utoipa::path(
    get, path = "/v1/invites/{id}", operation_id = "show_invite", tag = "invites",
    params(("id" = String, Path, description = "`inv_` and 32 hexadecimal digits, or your reference")),
    responses(
        (status = 200, body = RecordView<'static>),
        (status = 404, body = Written<'static>, content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn show(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
) -> Result<Response, ApiError> {
    let record = record_of(&app, &caller, OrderKind::Invite, &id).await?;
    let held = app.loads().await?.held;
    Ok(json(StatusCode::OK, &RecordView::of(&record, &held)))
}
