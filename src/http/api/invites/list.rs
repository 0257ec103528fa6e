//! `GET /v1/invites` and `POST /v1/invites/search`: pages of invites, newest first.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::InviteView;
use crate::domain::OrderKind;
use crate::http::api::body::{JsonBytes, json};
use crate::http::api::callbacks::list::{queried, searched};
use crate::http::api::query::Given;
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::{ApiError, App};
use crate::store::{Filter, Listed, Page};

/// A page of invites.
#[derive(Serialize, ToSchema)]
#[schema(as = InvitePage)]
pub(in crate::http::api) struct PageView<'a> {
    /// Newest first.
    invites: Vec<InviteView<'a>>,
    /// Pass it as `cursor` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    /// The page has fewer invites than requested, or none, although there may be more: it looked at 10,000 invites, and
    /// few of them match. `next_cursor` continues.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    incomplete: bool,
}

/// Filters of the list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only described; the query is read strictly, by hand")]
pub(in crate::http::api) struct Parameters {
    /// `waiting` or `closed`.
    status: Option<String>,
    /// `reached`, `exhausted`, `declined`, `expired`, `canceled` or `failed`.
    outcome: Option<String>,
    campaign: Option<String>,
    reference: Option<String>,
    /// The `next_cursor` of the previous page.
    cursor: Option<String>,
    /// Invites per page, 1 to 500.
    #[param(default = 50)]
    limit: Option<usize>,
}

/// Filters of a search. All given filters must match.
#[derive(ToSchema)]
#[schema(as = InviteSearch)]
#[expect(dead_code, reason = "only described; it is read as a search of callbacks is")]
pub(in crate::http::api) struct InviteSearch {
    consumer: Option<String>,
    sender: Option<String>,
    /// `waiting` or `closed`.
    status: Option<String>,
    /// `reached`, `exhausted`, `declined`, `expired`, `canceled` or `failed`.
    outcome: Option<String>,
    campaign: Option<String>,
    reference: Option<String>,
    /// The `next_cursor` of the previous page.
    cursor: Option<String>,
    /// Invites per page, 1 to 500.
    #[schema(minimum = 1, maximum = 500, default = 50)]
    limit: Option<i64>,
}

/// Invites, newest first.
#[utoipa::path(
    get, path = "/v1/invites", operation_id = "list_invites", tag = "invites",
    params(Parameters),
    responses(
        (status = 200, body = PageView<'static>),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    given: Given,
) -> Result<Response, ApiError> {
    let (filter, page) = queried(&caller, OrderKind::Invite, app.clock.now(), given)?;
    answer(&app, &caller, &filter, page).await
}

/// Searches invites, also by phone number, newest first.
#[utoipa::path(
    post, path = "/v1/invites/search", operation_id = "search_invites", tag = "invites",
    request_body(content = InviteSearch),
    responses(
        (status = 200, body = PageView<'static>),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn search(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    JsonBytes(bytes): JsonBytes,
) -> Result<Response, ApiError> {
    let (filter, page) = searched(&app, &caller, OrderKind::Invite, &bytes)?;
    answer(&app, &caller, &filter, page).await
}

async fn answer(app: &App, caller: &Caller, filter: &Filter, page: Page) -> Result<Response, ApiError> {
    let Listed { callbacks: mut invites, next, is_cut } = app.store.list_callbacks(filter, &page).await?;
    invites.retain(|invite| caller.may_see(invite));
    let held = app.loads().await?.held;
    let view = PageView {
        invites: invites.iter().map(|invite| InviteView::of(invite).held_by(&held)).collect(),
        next_cursor: next.map(|id| filter.kind.show_id(id)),
        incomplete: is_cut,
    };
    Ok(json(StatusCode::OK, &view))
}
