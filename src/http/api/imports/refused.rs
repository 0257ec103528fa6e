//! `GET /v1/imports/{name}/refused`: the refused rows as CSV, by their numbers and without a value of the list.

use std::io;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, State};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use futures_util::stream;

use super::record;
use crate::domain::ImportId;
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::path::Id;
use crate::http::{ApiError, App};
use crate::import::export::Refused;
use crate::store::StoredFault;

/// So many faults are read at once.
const AT_ONCE: usize = 5_000;

/// The refused rows of an import.
///
/// CSV with the columns `row`, `field`, `code` and `detail`, in order. A row with several faults has a line for each. No cell
/// begins with what a spreadsheet would compute.
#[utoipa::path(get, path = "/v1/imports/{name}/refused", operation_id = "list_refused_import_rows", tag = "imports",
    params(("name" = String, Path, description = "The id or the name of the import")),
    responses(
        (status = 200, body = String, content_type = "text/csv"),
        (status = 404, body = Written<'static>, content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn refused(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
) -> Result<Response, ApiError> {
    let id = record(&app, &caller, &id).await?.import.id;
    let first = piece(&[], true)?;
    let pieces = stream::unfold(Some(((0, 0), first)), move |next| {
        let app = Arc::clone(&app);
        async move {
            let (after, piece) = next?;
            let following = match following(&app, id, after).await {
                Ok(following) => following,
                Err(error) => return Some((Err(error), None)),
            };
            Some((Ok(piece), following))
        }
    });
    let mut response = Response::new(Body::from_stream(pieces));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    Ok(response)
}

/// The lines after this fault, and the last of them; `None` if there are no more.
async fn following(
    app: &App,
    id: ImportId,
    after: (u32, u32),
) -> Result<Option<((u32, u32), Bytes)>, io::Error> {
    let faults = app.store.import_faults(id, after, AT_ONCE).await.map_err(io::Error::other)?;
    let Some(last) = faults.last().map(|last| (last.row, last.number)) else { return Ok(None) };
    Ok(Some((last, piece(&faults, false).map_err(|_| io::Error::other("a fault is no text"))?)))
}

fn piece(faults: &[StoredFault], has_header: bool) -> Result<Bytes, ApiError> {
    let mut out = Vec::new();
    let mut lines = Refused::begin(&mut out).map_err(ApiError::internal)?;
    for StoredFault { row, fault, .. } in faults {
        lines.add(*row, &fault.field, &fault.code, &fault.detail).map_err(ApiError::internal)?;
    }
    lines.end().map_err(ApiError::internal)?;
    let header = out.iter().position(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    Ok(if has_header { out.into() } else { Bytes::from(out).slice(header..) })
}
