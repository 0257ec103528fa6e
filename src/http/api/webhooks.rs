//! `GET /v1/webhooks`: the state of the webhook endpoint. `POST /v1/webhooks/enable`: enables it again.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::body::json;
use crate::http::error::Written;
use crate::http::{ApiError, App};
use crate::store::Backlog;
use crate::webhooks::{Endpoint, Standing};

/// The state of deliveries. The URL is not shown, because it may contain a secret.
#[derive(Serialize, ToSchema)]
#[schema(as = Webhooks)]
pub(super) struct View {
    /// `off` (none is configured), `enabled`, `resting` (after `Retry-After`) or `disabled`.
    state: &'static str,
    /// When the endpoint was disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    disabled_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_because: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    resting_until: Option<Timestamp>,
    /// The first of the failures in a row.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    failing_since: Option<Timestamp>,
    /// `status 500`, or `timeout`, `unreachable`, `connection_lost`, `address_refused`.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_failure: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_taken_at: Option<Timestamp>,
    /// Waiting deliveries; at most 100,000 are counted.
    backlog: u64,
    /// When the oldest waiting delivery was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    oldest: Option<Timestamp>,
    /// The number of given-up deliveries, at most 100,000; `replay` sends them again.
    given_up: u64,
}

/// The endpoint, if one is configured.
pub(super) fn endpoint(app: &App) -> Result<&Endpoint, ApiError> {
    app.webhook_endpoint.as_deref().ok_or_else(|| {
        ApiError::new("webhooks.off", "the operator has configured no webhooks.url, so nothing is delivered")
    })
}

fn view(standing: Option<Standing>, backlog: Backlog, now: Timestamp) -> View {
    let configured = standing.is_some();
    let standing = standing.unwrap_or_default();
    let resting_until = standing.resting_until.filter(|until| *until > now);
    let state = match (configured, standing.disabled, resting_until) {
        (false, ..) => "off",
        (true, Some(_), _) => "disabled",
        (true, None, Some(_)) => "resting",
        (true, None, None) => "enabled",
    };
    let (disabled_at, disabled_because) = standing.disabled.unzip();
    View {
        state,
        disabled_at,
        disabled_because,
        resting_until,
        failing_since: standing.failing_since,
        last_failure: standing.last_failure,
        last_taken_at: standing.last_taken_at,
        backlog: backlog.waiting,
        oldest: backlog.oldest,
        given_up: backlog.given_up,
    }
}

/// The state of the webhook endpoint, and its waiting deliveries.
#[utoipa::path(get, path = "/v1/webhooks", operation_id = "webhooks", tag = "webhooks", responses(
    (status = 200, body = View),
    (status = "default", body = Written<'static>, content_type = "application/problem+json"),
))]
pub(super) async fn webhooks(State(app): State<Arc<App>>) -> Result<Response, ApiError> {
    let standing = app.webhook_endpoint.as_ref().map(|endpoint| endpoint.standing());
    Ok(json(StatusCode::OK, &view(standing, app.store.backlog().await?, app.clock.now())))
}

/// Enables an endpoint that was disabled or is resting.
#[utoipa::path(post, path = "/v1/webhooks/enable", operation_id = "enable_webhooks", tag = "webhooks", responses(
    (status = 200, description = "The endpoint is enabled.", body = View),
    (status = 409, description = "No webhook is configured.", body = Written<'static>,
        content_type = "application/problem+json"),
    (status = "default", body = Written<'static>, content_type = "application/problem+json"),
))]
pub(super) async fn enable(State(app): State<Arc<App>>) -> Result<Response, ApiError> {
    let endpoint = endpoint(&app)?;
    endpoint.enable();
    let standing = Some(endpoint.standing());
    Ok(json(StatusCode::OK, &view(standing, app.store.backlog().await?, app.clock.now())))
}
