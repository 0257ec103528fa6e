//! `GET /v1/pools` and `GET /v1/pools/{name}`: the pools of agents, with their seats.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::{View, key, not_found};
use crate::http::api::body::json;
use crate::http::api::query::Given;
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::path::Id;
use crate::http::{ApiError, App};

/// The pools of the tenant, by name.
#[derive(Serialize, ToSchema)]
#[schema(as = Pools)]
pub(in crate::http::api) struct PageView {
    pools: Vec<View>,
}

/// The pools of the token's tenant, by name; at most 200.
#[utoipa::path(get, path = "/v1/pools", operation_id = "list_pools", tag = "pools", responses(
    (status = 200, body = PageView),
    (status = "default", body = Written<'static>, content_type = "application/problem+json"),
))]
pub(in crate::http::api) async fn list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    given: Given,
) -> Result<Response, ApiError> {
    given.read(|_, _| Ok(false))?;
    let (loads, now) = (app.loads().await?, app.clock.now());
    let theirs = loads.pools.of_tenant(caller.tenant()).filter(|pool| caller.may_use_pool(&pool.key.name));
    let pools = theirs.map(|pool| View::of(pool, &loads, now)).collect();
    Ok(json(StatusCode::OK, &PageView { pools }))
}

/// One pool, with its seats.
#[utoipa::path(get, path = "/v1/pools/{name}", operation_id = "show_pool", tag = "pools",
    params(("name" = String, Path, description = "The name of the pool")),
    responses(
        (status = 200, body = View),
        (status = 404, description = "Nobody has fed it, or it was removed.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn show(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(name): Id,
) -> Result<Response, ApiError> {
    let key = key(&caller, &name)?;
    let loads = app.loads().await?;
    let pool = loads.pools.get(&key).ok_or_else(|| not_found(&name))?;
    Ok(json(StatusCode::OK, &View::of(pool, &loads, app.clock.now())))
}
