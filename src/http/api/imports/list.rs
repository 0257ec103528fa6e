//! `GET /v1/imports`: the imports of the caller's tenant.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::CampaignId;
use crate::http::api::body::json;
use crate::http::api::query::{Given, fault, limit};
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::{ApiError, App};
use crate::store::ImportRecord;

const LIMIT_DEFAULT: usize = 50;
const LIMIT_MAX: usize = 500;

/// Imports, newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = Imports)]
struct PageView {
    imports: Vec<RowView>,
    /// There are more than `limit`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    incomplete: bool,
}

/// An import, without what was found about its rows.
#[derive(Serialize, ToSchema)]
#[schema(as = ImportRow)]
struct RowView {
    #[schema(example = "imp_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f")]
    id: String,
    name: String,
    /// `receiving` or `complete`.
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    campaign: Option<String>,
    /// The size of the list in bytes, if it was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    received: u64,
    rows: u64,
    accepted: u64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// The name of the API token.
    created_by: String,
}

impl RowView {
    fn of(record: &ImportRecord) -> Self {
        let import = &record.import;
        Self {
            id: import.id.to_string(),
            name: import.name.clone(),
            state: record.state.as_str(),
            campaign: import.campaign.map(|id| id.to_string()),
            size: import.size,
            received: record.reached.received,
            rows: record.rows,
            accepted: record.accepted,
            created_at: import.at,
            created_by: import.by.clone(),
        }
    }
}

/// The imports of the token's tenant, newest first.
#[utoipa::path(get, path = "/v1/imports", operation_id = "list_imports", tag = "imports",
    params(
        ("campaign" = Option<String>, Query, description = "Only those for this campaign, by its id"),
        ("limit" = Option<usize>, Query, description = "1 to 500; default 50"),
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
    let (mut rows, mut campaign) = (LIMIT_DEFAULT, None::<CampaignId>);
    given.read(|name, value| {
        match name {
            "limit" => rows = limit(name, &value, LIMIT_MAX)?,
            "campaign" => {
                campaign = Some(value.parse().map_err(|_| fault(name, "is not the id of a campaign"))?);
            }
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let found = app.store.imports(caller.tenant(), campaign, rows.saturating_add(1)).await?;
    let imports = found.iter().take(rows).map(RowView::of).collect();
    Ok(json(StatusCode::OK, &PageView { imports, incomplete: found.len() > rows }))
}
