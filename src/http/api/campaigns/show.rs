//! `GET /v1/campaigns/{id}`: a campaign with its progress.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::{ProgressView, pauses_now, record};
use crate::http::api::body::json;
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::path::Id;
use crate::http::{ApiError, App};

/// A campaign, how many of its callbacks are in each state, and who changed it.
#[utoipa::path(get, path = "/v1/campaigns/{id}", operation_id = "show_campaign", tag = "campaigns",
    params(("id" = String, Path, description = "`cmp_` and 32 hexadecimal digits")),
    responses(
        (status = 200, body = ProgressView),
        (status = 404, body = Written<'static>, content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn show(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
) -> Result<Response, ApiError> {
    let record = record(&app, &caller, &id).await?;
    let (pauses, now) = pauses_now(&app).await?;
    Ok(json(StatusCode::OK, &ProgressView::of(&record, &pauses, now)))
}
