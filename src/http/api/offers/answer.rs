//! `POST /v1/offers/{id}/accept`, `/skip` and `/close`: an agent answers an offer.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::domain::event::{CallbackChange, CallbackCommand, OfferAct};
use crate::domain::{AgentTarget, Event, OrderKind, State as CallbackState};
use crate::http::api::callbacks::groups;
use crate::http::api::callbacks::record;
use crate::http::api::commands::{Command, View, answer_with_order};
use crate::http::api::permissions::read;
use crate::http::api::views::CallbackView;
use crate::http::auth::Caller;
use crate::http::error::{FieldError, Written};
use crate::http::path::Id;
use crate::http::{ApiError, App};

/// Who takes an offer.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OfferAnswer)]
pub(in crate::http::api) struct Draft {
    /// The agent who is called: `client:name` or `sip:user@host`. Without it the callback's own agent is called.
    #[serde(default)]
    #[schema(example = "client:alice")]
    agent: Option<String>,
}

#[derive(Clone, Copy)]
enum Verb {
    Accept,
    Skip,
    Close,
}

/// Takes an offer: the consumer is called at once, if that is still possible.
///
/// Exactly one agent gets an offer. If the call cannot be placed within 60 seconds, because something else is busy
/// meanwhile, it is offered again.
#[utoipa::path(
    post, path = "/v1/offers/{id}/accept", operation_id = "accept_offer", tag = "offers",
    params(
        ("id" = String, Path, description = "The callback: `cb_` and 32 hexadecimal digits, or your reference"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters"),
    ),
    request_body(content = Option<Draft>),
    responses(
        (status = 200, description = "The callback as it is now.", body = CallbackView<'static>),
        (status = 202, description = "The command is stored and not yet applied; see `Location`.",
            body = View),
        (status = 409, description = "The offer is over, or another agent has it.",
            body = Written<'static>, content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn accept(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, ApiError> {
    let draft: Draft = if bytes.is_empty() { Draft::default() } else { read(&bytes)? };
    let agent = draft.agent.map(|text| text.parse::<AgentTarget>()).transpose();
    let agent = agent.map_err(|error| wrong_agent("agent.invalid", &error.to_string()))?;
    answer(&app, &caller, &headers, &id, (Verb::Accept, agent)).await
}

/// Skips an offer: it may be offered again.
#[utoipa::path(
    post, path = "/v1/offers/{id}/skip", operation_id = "skip_offer", tag = "offers",
    params(
        ("id" = String, Path, description = "The callback: `cb_` and 32 hexadecimal digits, or your reference"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters"),
    ),
    responses(
        (status = 200, description = "The callback as it is now.", body = CallbackView<'static>),
        (status = 202, description = "The command is stored and not yet applied; see `Location`.",
            body = View),
        (status = 409, description = "The offer is over, or an agent has it.",
            body = Written<'static>, content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn skip(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    answer(&app, &caller, &headers, &id, (Verb::Skip, None)).await
}

/// Closes the callback of an offer as canceled: the consumer is not called.
///
/// The callback has to be offered now, or to wait with `preview.nobody` after its last offer.
#[utoipa::path(
    post, path = "/v1/offers/{id}/close", operation_id = "close_offer", tag = "offers",
    params(
        ("id" = String, Path, description = "The callback: `cb_` and 32 hexadecimal digits, or your reference"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters"),
    ),
    responses(
        (status = 200, description = "The callback as it is now.", body = CallbackView<'static>),
        (status = 202, description = "The command is stored and not yet applied; see `Location`.",
            body = View),
        (status = 409, description = "It is not offered, an agent has the offer, or the callback is closed.",
            body = Written<'static>, content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn close(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    answer(&app, &caller, &headers, &id, (Verb::Close, None)).await
}

fn wrong_agent(code: &'static str, detail: &str) -> ApiError {
    let (field, detail) = ("agent".to_owned(), detail.to_owned());
    ApiError::fields("offer.invalid", vec![FieldError { field, code, detail }])
}

async fn answer(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    id: &str,
    (verb, agent): (Verb, Option<AgentTarget>),
) -> Result<Response, ApiError> {
    let callback = record(app, caller, id).await?.callback;
    let document = app.documents.document(&callback.order.document);
    if let (Some(document), Some(agent)) = (document, &agent)
        && !document.takes_agent(agent)
    {
        let detail = "is at a host that twiml.sip_hosts does not list";
        return Err(wrong_agent("host.not_allowed", detail));
    }
    let taken_by = agent.clone();
    // The offer that the agent sees. If it is over when the command is folded, the command is refused.
    let until = callback.offer().and_then(|offer| offer.until).unwrap_or(Timestamp::MIN);
    let (act, content) = match verb {
        Verb::Accept => {
            let who = agent.as_ref().map_or_else(String::new, ToString::to_string);
            (OfferAct::Accept { until, agent }, format!("accept-offer {} {who}", callback.id))
        }
        Verb::Skip => (OfferAct::Skip { until }, format!("skip-offer {} {until}", callback.id)),
        Verb::Close => (OfferAct::Close { until }, format!("close-offer {}", callback.id)),
    };
    let command = Command::new(app, caller, headers, &content, callback.version)?;
    if !command.is_known().await? {
        if let CallbackState::Closed(closed) = &callback.state {
            return Err(ApiError::closed(OrderKind::Callback, closed.outcome));
        }
        if let Some(agent) = &taken_by {
            groups::take_agent(app, &callback, agent).await?;
        }
    }
    let (by, change) = (caller.name().to_owned(), CallbackChange::Offer(act));
    let event = Event::Command(CallbackCommand { callback: callback.id, by, change });
    let carried = command.carry_out(event, Some(callback.id)).await?;
    answer_with_order(app, caller, OrderKind::Callback, callback.id, carried).await
}
