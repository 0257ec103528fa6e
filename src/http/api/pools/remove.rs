//! `DELETE /v1/pools/{name}`: ends a pool.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::{check_source, key, not_found};
use crate::domain::{Event, PoolAct, PoolCommand};
use crate::http::api::commands::{Command, answer_with};
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::path::Id;
use crate::http::{ApiError, App};

/// The pool that was removed.
#[derive(Serialize, ToSchema)]
#[schema(as = PoolRemoved)]
pub(in crate::http::api) struct Taken {
    removed: String,
}

/// Removes a pool. Its callbacks wait with the reason `pool.unknown` until it is fed again; calls in progress go on.
#[utoipa::path(delete, path = "/v1/pools/{name}", operation_id = "remove_pool", tag = "pools",
    params(
        ("name" = String, Path, description = "The name of the pool"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters"),
    ),
    responses(
        (status = 200, description = "It is removed.", body = Taken),
        (status = 202, description = "The command is stored and not yet applied; see `Location`.", body = Taken),
        (status = 404, description = "Nobody has fed it, or it was removed.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = 409, description = "A source of the configuration feeds it.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn remove(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(name): Id,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let key = key(&caller, &name)?;
    check_source(&app, &key)?;
    // Without a key of the caller, a repetition is a new command: the pool may be fed again meanwhile.
    let content = match headers.contains_key("idempotency-key") {
        true => format!("pool remove {key}"),
        false => app.ids.uuid(app.clock.now()).to_string(),
    };
    let command = Command::new(&app, &caller, &headers, &content, 0)?;
    if !command.is_known().await? && !app.store.pools().await?.iter().any(|pool| pool.key == key) {
        return Err(not_found(&name));
    }
    let taken = Taken { removed: key.name.to_string() };
    let event = Event::Pool(PoolCommand { pool: key, by: caller.name().into(), act: PoolAct::Remove });
    let carried = command.carry_out(event, None).await?;
    Ok(answer_with(&taken, &carried))
}
