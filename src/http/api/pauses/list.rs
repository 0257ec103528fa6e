//! `GET /v1/pauses`: the pauses in force.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::{View, is_shown};
use crate::http::api::body::json;
use crate::http::api::query::Given;
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::{ApiError, App};

/// The pauses in force, oldest first.
#[derive(Serialize, ToSchema)]
#[schema(as = Pauses)]
pub(in crate::http::api) struct PageView {
    pauses: Vec<View>,
}

/// The pauses in force, oldest first; at most 1,000.
///
/// A token of a tenant, or of some senders, sees of the pauses of people those that its tenant has set.
#[utoipa::path(get, path = "/v1/pauses", operation_id = "list_pauses", tag = "pauses", responses(
    (status = 200, body = PageView),
    (status = "default", body = Written<'static>, content_type = "application/problem+json"),
))]
pub(in crate::http::api) async fn list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    given: Given,
) -> Result<Response, ApiError> {
    given.read(|_, _| Ok(false))?;
    let pauses = app.store.pauses(app.clock.now()).await?;
    let pauses = pauses.iter().filter(|pause| is_shown(&caller, pause)).map(View::of).collect();
    Ok(json(StatusCode::OK, &PageView { pauses }))
}
