//! `GET /v1/imports/{name}`: how far an import is, and what became of its rows.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::record;
use super::view::View;
use crate::http::api::body::json;
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::path::Id;
use crate::http::{ApiError, App};

/// How much of an import has arrived, and what became of its rows.
#[utoipa::path(get, path = "/v1/imports/{name}", operation_id = "show_import", tag = "imports",
    params(("name" = String, Path, description = "The id of the import, or its name: then the newest with it")),
    responses(
        (status = 200, body = View),
        (status = 404, body = Written<'static>, content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn show(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
) -> Result<Response, ApiError> {
    let import = record(&app, &caller, &id).await?;
    Ok(json(StatusCode::OK, &View::of(&app, &import).await?))
}
