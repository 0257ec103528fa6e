//! `GET /v1/tokens`: the API tokens, without anything that they could be used with. They are made and revoked on the
//! daemon's machine.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::body::json;
use super::query::Given;
use crate::domain::Scope;
use crate::http::error::Written;
use crate::http::{ApiError, App};
use crate::store::Token;

/// The API tokens, by name and age.
#[derive(Serialize, ToSchema)]
#[schema(as = Tokens)]
struct PageView {
    tokens: Vec<View>,
}

/// An API token.
#[derive(Serialize, ToSchema)]
#[schema(as = Token)]
struct View {
    /// Several may have the same.
    name: String,
    tenant: String,
    scopes: Vec<&'static str>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// It is refused from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// To within ten minutes; absent if it was never used.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
    /// The senders that it may use; empty for all.
    senders: Vec<String>,
    /// The documents that it may order; empty for all.
    documents: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requests_per_second: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    orders_per_day: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    calls_per_day: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requests_per_day: Option<u32>,
}

impl From<Token> for View {
    fn from(token: Token) -> Self {
        Self {
            scopes: token.scopes.iter().map(Scope::as_str).collect(),
            name: token.name,
            tenant: token.tenant.to_string(),
            created_at: token.created_at,
            expires_at: token.expires_at,
            last_used_at: token.last_used_at,
            senders: token.senders.iter().map(|sender| sender.e164()).collect(),
            documents: token.documents,
            requests_per_second: token.limits.requests_per_second,
            orders_per_day: token.limits.orders_per_day,
            calls_per_day: token.limits.calls_per_day,
            requests_per_day: token.limits.requests_per_day,
        }
    }
}

/// The API tokens of all tenants, by name and age, without their secrets.
#[utoipa::path(get, path = "/v1/tokens", operation_id = "list_tokens", tag = "status", responses(
    (status = 200, body = PageView),
    (status = "default", body = Written<'static>, content_type = "application/problem+json"),
))]
pub(super) async fn list(State(app): State<Arc<App>>, given: Given) -> Result<Response, ApiError> {
    given.read(|_, _| Ok(false))?;
    let tokens = app.store.tokens().await?.into_iter().map(View::from).collect();
    Ok(json(StatusCode::OK, &PageView { tokens }))
}
