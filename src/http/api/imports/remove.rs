//! `DELETE /v1/imports/{name}`: an import and what it knows of its rows. Its callbacks stay.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use super::record;
use crate::domain::ImportId;
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::path::Id;
use crate::http::{ApiError, App};

/// So many rows are deleted at once.
const AT_ONCE: usize = 10_000;

/// Deletes an import.
///
/// What it has ordered stays and is not ordered again under the same name; cancel it with its campaign. A campaign does
/// not wait for it any more. It takes the id only, because the name may be that of an older import too. If the answer is
/// lost, repeat it: then it answers 404.
#[utoipa::path(delete, path = "/v1/imports/{name}", operation_id = "delete_import", tag = "imports",
    params(("name" = String, Path, description = "The id of the import, not its name")),
    responses(
        (status = 204, description = "It is deleted."),
        (status = 400, description = "It is no id of an import.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = 404, body = Written<'static>, content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn remove(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
) -> Result<Response, ApiError> {
    if id.parse::<ImportId>().is_err() {
        let detail =
            "expected the id of the import, which GET /v1/imports/{name} shows; names are not deleted";
        return Err(ApiError::new("id.malformed", detail));
    }
    let id = record(&app, &caller, &id).await?.import.id;
    while !app.store.remove_import(id, AT_ONCE).await? {}
    Ok(StatusCode::NO_CONTENT.into_response())
}
