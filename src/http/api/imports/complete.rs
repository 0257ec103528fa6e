//! `POST /v1/imports/{name}/complete`: nothing follows.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;

use super::reading::{Arrived, unreadable};
use super::record;
use super::view::View;
use crate::http::api::body::json;
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::path::Id;
use crate::http::{ApiError, App};
use crate::import::ListError;
use crate::store::{ImportRecord, ImportState};

/// So many people of a complete import are forgotten at once.
const FORGOTTEN_AT_ONCE: usize = 10_000;

/// Completes an import.
///
/// The last row is read, which may have no line end. If a size or a SHA-256 was told and the list has another, nothing
/// changes. A draft campaign can be launched when its imports are complete. Repeated, it answers the same.
#[utoipa::path(post, path = "/v1/imports/{name}/complete", operation_id = "complete_import", tag = "imports",
    params(("name" = String, Path, description = "The id or the name of the import")),
    responses(
        (status = 200, description = "It is complete.", body = View),
        (status = 404, body = Written<'static>, content_type = "application/problem+json"),
        (status = 409, description = "Bytes are missing, or the SHA-256 is another one.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = 422, description = "The list cannot be read to its end.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn complete(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
) -> Result<Response, ApiError> {
    let mut import = record(&app, &caller, &id).await?;
    let id = import.import.id;
    if import.state == ImportState::Receiving {
        let arrived = Arrived::open(app.clone(), caller, import, &Bytes::new(), true).await?;
        check(&arrived)?;
        import = arrived.take().await?;
        let received = import.reached.received;
        if !app.store.complete_import(id, received, app.clock.now()).await? {
            return Err(ApiError::new("import.gap", "another request has changed the import meanwhile"));
        }
        import = app.store.import(id).await?.unwrap_or(import);
    }
    while !app.store.forget_people(id, FORGOTTEN_AT_ONCE).await? {}
    Ok(json(StatusCode::OK, &View::of(&app, &import).await?))
}

fn check(arrived: &Arrived) -> Result<(), ApiError> {
    let ImportRecord { import, reached, .. } = arrived.record();
    if reached.received == 0 {
        return Err(unreadable(&ListError::Empty));
    }
    if let Some(size) = import.size.filter(|size| *size != reached.received) {
        let detail = format!("{} of {size} bytes have arrived", reached.received);
        return Err(ApiError::new("import.incomplete", detail));
    }
    if import.sha256.is_some_and(|sha256| sha256 != arrived.sha256()) {
        let detail =
            "the list has another SHA-256 than the import; delete the import and send the list again";
        return Err(ApiError::new("import.mismatch", detail));
    }
    Ok(())
}
