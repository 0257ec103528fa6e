//! `POST /v1/callbacks/{id}/allow-attempt`: an operator allows one more attempt.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use super::record;
use crate::domain::event::{CallbackChange, CallbackCommand};
use crate::domain::{Event, OrderKind, State as CallbackState};
use crate::http::api::body::JsonBytes;
use crate::http::api::commands::{Command, View, answer_with_order};
use crate::http::api::permissions::{read, reason};
use crate::http::api::views::CallbackView;
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::path::Id;
use crate::http::{ApiError, App};

/// Why one more attempt is allowed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AllowAttempt)]
pub(in crate::http::api) struct Word {
    /// The reason for the timeline, at most 200 bytes.
    #[serde(default)]
    #[schema(required, value_type = String)]
    reason: Option<String>,
}

/// Allows one more attempt in spite of the streak guard.
///
/// WhatsApp revokes the permission after too many missed calls in a row. The streak guard stops before that, and
/// only this command overrides it, for one attempt. All other rules still apply.
#[utoipa::path(
    post, path = "/v1/callbacks/{id}/allow-attempt", operation_id = "allow_attempt", tag = "callbacks",
    params(
        ("id" = String, Path, description = "`cb_` and 32 hexadecimal digits, or your reference"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters"),
    ),
    request_body(content = Word),
    responses(
        (status = 200, description = "The callback as it is now.", body = CallbackView<'static>),
        (status = 202, description = "The command is stored and not yet applied; see `Location`.",
            body = View),
        (status = 409, description = "It is closed, or an attempt is in progress.",
            body = Written<'static>, content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn allow_attempt(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    headers: HeaderMap,
    JsonBytes(bytes): JsonBytes,
) -> Result<Response, ApiError> {
    let word: Word = read(&bytes)?;
    let reason = reason(word.reason)?;
    let callback = record(&app, &caller, &id).await?.callback;
    let content = format!("allow-attempt {} {reason}", callback.id);
    let command = Command::new(&app, &caller, &headers, &content, callback.version)?;
    if !command.is_known().await? {
        match &callback.state {
            CallbackState::Closed(closed) => {
                return Err(ApiError::closed(OrderKind::Callback, closed.outcome));
            }
            CallbackState::Calling { .. } => {
                let detail = "it can be allowed when the attempt has ended";
                return Err(ApiError::new("callback.calling", detail));
            }
            CallbackState::Waiting(_) => {}
        }
    }
    let (by, change) = (caller.name().to_owned(), CallbackChange::AllowAttempt { reason });
    let event = Event::Command(CallbackCommand { callback: callback.id, by, change });
    let carried = command.carry_out(event, Some(callback.id)).await?;
    answer_with_order(&app, &caller, OrderKind::Callback, callback.id, carried).await
}
