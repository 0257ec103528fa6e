//! `POST /v1/callbacks/{id}/not-today`: nobody contacts the consumer for the callback any more on this day.

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
use crate::http::api::permissions::{for_the_record, read};
use crate::http::api::views::CallbackView;
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::path::Id;
use crate::http::{ApiError, App};

/// Why there is no more contact on this day.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NotToday)]
pub(in crate::http::api) struct Word {
    /// The reason for the timeline, at most 200 bytes.
    #[serde(default)]
    reason: Option<String>,
}

/// Marks a callback: no call, permission request or invite for it any more on this day.
///
/// The day is that of the consumer, as for the cap of calls: of the zone of the order's hours, or else of the number; of
/// several zones the latest midnight counts. A call in progress goes on. Until then `explain` names `window.not_today`.
/// A new earliest time ends the mark.
#[utoipa::path(
    post, path = "/v1/callbacks/{id}/not-today", operation_id = "not_today", tag = "callbacks",
    params(
        ("id" = String, Path, description = "`cb_` and 32 hexadecimal digits, or your reference"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters"),
    ),
    request_body(content = Word),
    responses(
        (status = 200, description = "The callback as it is now.", body = CallbackView<'static>),
        (status = 202, description = "The command is stored and not yet applied; see `Location`.",
            body = View),
        (status = 409, description = "It is closed.",
            body = Written<'static>, content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn not_today(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    headers: HeaderMap,
    JsonBytes(bytes): JsonBytes,
) -> Result<Response, ApiError> {
    let word: Word = read(&bytes)?;
    let reason = for_the_record("reason", word.reason.as_deref())
        .map_err(|fault| ApiError::fields("callback.invalid", vec![fault]))?;
    let callback = record(&app, &caller, &id).await?.callback;
    let content = format!("not-today {} {}", callback.id, reason.as_deref().unwrap_or_default());
    let command = Command::new(&app, &caller, &headers, &content, callback.version)?;
    if !command.is_known().await?
        && let CallbackState::Closed(closed) = &callback.state
    {
        return Err(ApiError::closed(OrderKind::Callback, closed.outcome));
    }
    let (by, change) = (caller.name().to_owned(), CallbackChange::NotToday { reason });
    let event = Event::Command(CallbackCommand { callback: callback.id, by, change });
    let carried = command.carry_out(event, Some(callback.id)).await?;
    answer_with_order(&app, &caller, OrderKind::Callback, callback.id, carried).await
}
