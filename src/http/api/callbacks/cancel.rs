//! `POST /v1/callbacks/{id}/cancel`: the customer cancels a callback.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::record_of;
use crate::domain::event::{CallbackChange, CallbackCommand};
use crate::domain::{Event, OrderKind, State as CallbackState};
use crate::http::api::commands::{Command, View, answer_with_order};
use crate::http::api::views::CallbackView;
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::path::Id;
use crate::http::{ApiError, App};

/// Cancels a callback.
///
/// A waiting callback is closed. If an attempt is in progress, `cancel_requested_at` is set: there is no further
/// attempt, and the callback closes when the attempt has ended.
#[utoipa::path(
    post, path = "/v1/callbacks/{id}/cancel", operation_id = "cancel_callback", tag = "callbacks",
    params(
        ("id" = String, Path, description = "`cb_` and 32 hexadecimal digits, or your reference"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters"),
    ),
    responses(
        (status = 200, description = "The callback as it is now.", body = CallbackView<'static>),
        (status = 202, description = "The command is stored and not yet applied; see `Location`.",
            body = View),
        (status = 409, description = "It is closed; see `outcome`.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn cancel(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    cancel_order(&app, &caller, &headers, OrderKind::Callback, &id).await
}

/// Cancels an order of this kind.
pub(in crate::http::api) async fn cancel_order(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    kind: OrderKind,
    name: &str,
) -> Result<Response, ApiError> {
    let callback = record_of(app, caller, kind, name).await?.callback;
    let command = Command::new(app, caller, headers, &format!("cancel {}", callback.id), callback.version)?;
    if !command.is_known().await?
        && let CallbackState::Closed(closed) = &callback.state
    {
        return Err(ApiError::closed(kind, closed.outcome));
    }
    let (by, change) = (caller.name().to_owned(), CallbackChange::Cancel);
    let event = Event::Command(CallbackCommand { callback: callback.id, by, change });
    let carried = command.carry_out(event, Some(callback.id)).await?;
    answer_with_order(app, caller, kind, callback.id, carried).await
}
