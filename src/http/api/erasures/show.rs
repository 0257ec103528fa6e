//! `GET /v1/erasures/{id}`: how far an erasure is.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::{View, view_of};
use crate::domain::ErasureId;
use crate::http::api::body::json;
use crate::http::error::Written;
use crate::http::path::Id;
use crate::http::{ApiError, App};

/// How far an erasure is, how much was erased, and what platforms still hold.
#[utoipa::path(get, path = "/v1/erasures/{id}", operation_id = "show_erasure", tag = "consumers",
    params(("id" = String, Path, description = "`er_` and 32 hexadecimal digits")),
    responses(
        (status = 200, body = View),
        (status = 404, body = Written<'static>, content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn show(
    State(app): State<Arc<App>>,
    Id(id): Id,
) -> Result<Response, ApiError> {
    let id: ErasureId = id.parse().map_err(|error| ApiError::new("id.malformed", format!("{error}")))?;
    Ok(json(StatusCode::OK, &view_of(&app, id).await?))
}
