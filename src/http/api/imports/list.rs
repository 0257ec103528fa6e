//! `GET /v1/imports`: the imports of the caller's tenant.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{CampaignId, ImportId};
use crate::http::api::body::json;
use crate::http::api::query::{Given, fault, limit};
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::{ApiError, App};
use crate::store::{ImportRecord, ImportState};

const LIMIT_DEFAULT: usize = 50;
const LIMIT_MAX: usize = 500;

/// Imports, newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = Imports)]
pub(in crate::http::api) struct PageView {
    imports: Vec<RowView>,
    /// The value of `before` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// An import in a list.
#[derive(Serialize, ToSchema)]
#[schema(as = ImportRow)]
struct RowView {
    #[schema(example = "imp_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f")]
    id: String,
    name: String,
    /// `receiving`: parts are expected; `complete`: nothing follows.
    state: &'static str,
    /// The campaign that its rows get.
    #[serde(skip_serializing_if = "Option::is_none")]
    campaign: Option<String>,
    /// The size of the list in bytes, if it was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    /// So many bytes have arrived.
    received: u64,
    /// Rows that were read and are not empty.
    rows: u64,
    /// Rows that are ordered.
    accepted: u64,
    /// Of these, those that an earlier import of this name has ordered.
    accepted_before: u64,
    /// Rows that are refused.
    refused: u64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// The name of the API token that created it.
    created_by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    completed_at: Option<Timestamp>,
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
            accepted_before: record.accepted_before,
            refused: record.rows.saturating_sub(record.accepted),
            created_at: import.at,
            created_by: import.by.clone(),
            completed_at: record.completed_at.filter(|_| record.state == ImportState::Complete),
        }
    }
}

/// The imports of the token's tenant, newest first.
#[utoipa::path(get, path = "/v1/imports", operation_id = "list_imports", tag = "imports",
    params(
        ("campaign" = Option<String>, Query, description = "Only those for this campaign, by its id"),
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
    let (mut rows, mut before, mut campaign) = (LIMIT_DEFAULT, None::<ImportId>, None::<CampaignId>);
    given.read(|name, value| {
        match name {
            "limit" => rows = limit(name, &value, LIMIT_MAX)?,
            "before" => before = Some(value.parse().map_err(|_| fault(name, "is not the id of an import"))?),
            "campaign" => {
                campaign = Some(value.parse().map_err(|_| fault(name, "is not the id of a campaign"))?);
            }
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let found = app.store.list_imports(caller.tenant(), campaign, before, rows.saturating_add(1)).await?;
    let page = found.iter().take(rows);
    let last = page.clone().next_back();
    let next = last.filter(|_| found.len() > rows).map(|record| record.import.id.to_string());
    Ok(json(StatusCode::OK, &PageView { imports: page.map(RowView::of).collect(), next }))
}
