//! `GET /v1/campaigns`: the campaigns of the caller's tenant.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::{View, pauses_now};
use crate::domain::CampaignId;
use crate::http::api::body::json;
use crate::http::api::query::{Given, fault, limit};
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::{ApiError, App};

const LIMIT_DEFAULT: usize = 50;
const LIMIT_MAX: usize = 500;

/// Campaigns, newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = Campaigns)]
pub(in crate::http::api) struct PageView {
    campaigns: Vec<View>,
    /// The value of `before` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// The campaigns of the token's tenant, newest first.
#[utoipa::path(get, path = "/v1/campaigns", operation_id = "list_campaigns", tag = "campaigns",
    params(
        ("limit" = Option<usize>, Query, description = "1 to 500; default 50"),
        ("before" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses(
        (status = 200, body = PageView),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    given: Given,
) -> Result<Response, ApiError> {
    let (mut rows, mut before) = (LIMIT_DEFAULT, None::<CampaignId>);
    given.read(|name, value| {
        match name {
            "limit" => rows = limit(name, &value, LIMIT_MAX)?,
            "before" => before = Some(value.parse().map_err(|_| fault(name, "is not the id of a campaign"))?),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let found = app.store.list_campaigns(caller.tenant(), before, rows.saturating_add(1)).await?;
    let (pauses, now) = pauses_now(&app).await?;
    let page = found.iter().take(rows);
    let last = page.clone().next_back();
    let next = last.filter(|_| found.len() > rows).map(|campaign| campaign.id.to_string());
    let theirs = page.filter(|campaign| caller.is_of_campaign(&campaign.id.to_string()));
    let campaigns = theirs.map(|campaign| View::of(campaign, &pauses, now)).collect();
    Ok(json(StatusCode::OK, &PageView { campaigns, next }))
}
