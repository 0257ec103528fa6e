//! `PUT /v1/pools/{name}`: a figure of the seats of a pool.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::{View, check_source, key};
use crate::domain::pool::NoPoolName;
use crate::domain::{Event, PoolCommand};
use crate::http::api::body::JsonBytes;
use crate::http::api::commands::{Carried, Command, answer_with};
use crate::http::api::permissions::{fault, read};
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::path::Id;
use crate::http::{ApiError, App};
use crate::pools::PoolFigure;

/// Feeds a pool: tells how many of its seats calls may take, and for how long that holds.
///
/// It makes the pool if there is none. From the answer on the figure holds; what waits for a seat is called up at once. A
/// figure with an older `as_of` than the one that is known changes nothing, which the answer says (409,
/// `pool.older_figure`). Names belong to the token's tenant.
#[utoipa::path(put, path = "/v1/pools/{name}", operation_id = "set_pool", tag = "pools",
    params(
        ("name" = String, Path, description = "1 to 64 letters, digits, `-`, `_` and `.`"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters"),
    ),
    request_body(content = PoolFigure),
    responses(
        (status = 200, description = "The figure holds.", body = View),
        (status = 202, description = "The command is stored and not yet applied; see `Location`. What our \
            calls hold is not told.", body = View),
        (status = 409, description = "A newer figure is known, the configuration feeds the pool, or there are too \
            many.", body = Written<'static>, content_type = "application/problem+json"),
        (status = 422, description = "There are field errors; all of them are listed.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn set(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(name): Id,
    headers: HeaderMap,
    JsonBytes(bytes): JsonBytes,
) -> Result<Response, ApiError> {
    let key = key(&caller, &name).map_err(|_| {
        let detail = NoPoolName.to_string();
        ApiError::fields("pool.invalid", vec![fault("name", "field.value", &detail)])
    })?;
    check_source(&app, &key)?;
    let figure: PoolFigure = read(&bytes)?;
    let now = app.clock.now();
    // Without a key of the caller, a repeated figure is a new one.
    let content = match headers.contains_key("idempotency-key") {
        true => format!("pool set {key} {}", String::from_utf8_lossy(&bytes)),
        false => app.ids.uuid(now).to_string(),
    };
    let command = Command::new(&app, &caller, &headers, &content, 0)?;
    let is_known = command.is_known().await?;
    let pool = figure.checked(key, caller.name(), now, !is_known).map_err(|faults| {
        let faults = faults.iter().map(|it| fault(it.field, it.code, &it.detail));
        ApiError::fields("pool.invalid", faults.collect())
    })?;
    let act = pool.as_fed();
    let event = Event::Pool(PoolCommand { pool: pool.key.clone(), by: Arc::clone(&pool.by), act });
    let carried = command.carry_out(event, None).await?;
    let now = app.clock.now();
    let view = match carried {
        Carried::Applied => {
            let loads = app.loads().await?;
            // Another figure may have come since.
            View::of(loads.pools.get(&pool.key).unwrap_or(&pool), &loads, now)
        }
        Carried::Pending(..) => View::without_seats(&pool, now),
    };
    Ok(answer_with(&view, &carried))
}
