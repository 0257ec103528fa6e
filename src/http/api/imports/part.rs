//! `PUT /v1/imports/{name}/parts`: the next bytes of a list.

use std::sync::Arc;

use axum::extract::{Extension, Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::reading::Arrived;
use super::record;
use super::view::View;
use crate::http::api::body::json;
use crate::http::api::query::{Given, fault};
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::path::Id;
use crate::http::{ApiError, App};
use crate::store::ImportState;

/// The largest part, in bytes.
pub(super) const PART_BYTES_MAX: usize = 8 << 20;

/// Takes the next part of a list.
///
/// `offset` is the place of its first byte in the list. A part that begins after what has arrived is `409` `import.gap`,
/// with the offset that is expected. What has arrived before is passed over, so a part can be sent again. The rows of a part
/// are stored when it is answered; a row that the end of the part cuts is read with the next one. If the daemon ends in the
/// middle of a part, `received` tells how much of it is stored.
#[utoipa::path(put, path = "/v1/imports/{name}/parts", operation_id = "put_import_part", tag = "imports",
    params(
        ("name" = String, Path, description = "The id or the name of the import"),
        ("offset" = u64, Query, description = "The place of the first byte in the list"),
    ),
    request_body(content = Vec<u8>, content_type = "application/octet-stream",
        description = "At most 8 MiB of the list"),
    responses(
        (status = 200, description = "The import as it is now.", body = View),
        (status = 404, body = Written<'static>, content_type = "application/problem+json"),
        (status = 409, description = "It begins after what has arrived, or the import is complete.",
            body = Written<'static>, content_type = "application/problem+json"),
        (status = 422, description = "The list cannot be read here.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn put(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    given: Given,
    request: Request,
) -> Result<Response, ApiError> {
    let mut offset = None;
    given.read(|name, value| {
        if name != "offset" {
            return Ok(false);
        }
        let read: Option<u64> = value.parse().ok();
        offset = Some(read.ok_or_else(|| fault("offset", "is not a number of bytes"))?);
        Ok(true)
    })?;
    let offset = offset.ok_or_else(|| fault("offset", "is missing: give the place of the first byte"))?;
    let import = record(&app, &caller, &id).await?;
    let (bytes, _reserved) = app.bulk_memory.read(caller.key_owner(), request.into_body()).await?;
    if bytes.len() > PART_BYTES_MAX {
        let detail = format!("the part has more than {PART_BYTES_MAX} bytes; send it in smaller ones");
        return Err(ApiError::new("body.too_large", detail));
    }
    let received = import.reached.received;
    let end = offset.saturating_add(bytes.len() as u64);
    if offset > received {
        let detail = format!("{received} bytes have arrived, so the next part has the offset {received}");
        return Err(ApiError::new("import.gap", detail));
    }
    if end <= received {
        return Ok(json(StatusCode::OK, &View::of(&app, &import).await?));
    }
    if import.state == ImportState::Complete {
        return Err(ApiError::new("import.complete", "the import is complete and takes no more parts"));
    }
    if let Some(size) = import.import.size.filter(|size| end > *size) {
        let detail = format!("the list has {size} bytes, and the part would end at {end}");
        return Err(ApiError::new("import.mismatch", detail));
    }
    let known = usize::try_from(received - offset).unwrap_or(usize::MAX).min(bytes.len());
    let import =
        Arrived::open(app.clone(), caller, import, &bytes.slice(known..), false).await?.take().await?;
    Ok(json(StatusCode::OK, &View::of(&app, &import).await?))
}
