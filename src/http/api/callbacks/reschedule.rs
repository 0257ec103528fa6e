//! `POST /v1/callbacks/{id}/reschedule`: changes the times of a waiting callback. `reschedule_order` takes either kind.
// Values from outside come in here: no sum of them may overflow, no moment leave its range.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::create::{invalid, refuse};
use super::field_errors::FieldErrors;
use super::record_of;
use super::request_body::Amendment;
use super::validate::Validator;
use crate::domain::event::{CallbackChange, CallbackCommand};
use crate::domain::{Event, Order, OrderKind, State as CallbackState};
use crate::http::api::body::{JsonBytes, json};
use crate::http::api::commands::{Command, View, answer_with_order};
use crate::http::api::invites::InviteView;
use crate::http::api::permissions::for_the_record;
use crate::http::api::views::CallbackView;
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::path::Id;
use crate::http::{ApiError, App};

/// Changes the times or the priority of a waiting callback.
///
/// A new `earliest` moves the deadline by the same time, unless `latest` is given too. The scheduler then decides
/// again. Counts and limits of the platform do not change.
#[utoipa::path(
    post, path = "/v1/callbacks/{id}/reschedule", operation_id = "reschedule_callback", tag = "callbacks",
    params(
        ("id" = String, Path, description = "`cb_` and 32 hexadecimal digits, or your reference"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters"),
    ),
    request_body(content = Amendment<'static>),
    responses(
        (status = 200, description = "The callback as it is now.", body = CallbackView<'static>),
        (status = 202, description = "The command is stored and not yet applied; see `Location`.",
            body = View),
        (status = 409, description = "It is closed, or an attempt is in progress.",
            body = Written<'static>, content_type = "application/problem+json"),
        (status = 422, description = "There are field errors; all of them are listed.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn reschedule(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    headers: HeaderMap,
    JsonBytes(bytes): JsonBytes,
) -> Result<Response, ApiError> {
    reschedule_order(&app, &caller, &headers, (OrderKind::Callback, &id), &bytes).await
}

/// Reschedules the order of this kind and name.
pub(in crate::http::api) async fn reschedule_order(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    (kind, name): (OrderKind, &str),
    bytes: &[u8],
) -> Result<Response, ApiError> {
    let callback = record_of(app, caller, kind, name).await?.callback;
    let zones = app.zones_of_consumer(callback.order.consumer).await?;
    let validator = Validator::open(app, caller, app.marked_calendars().await?).knowing(zones);
    let mut faults = FieldErrors::within(app.limits.order);
    let amendment = Amendment::read(bytes, &mut faults).map_err(refuse)?;
    let given = amendment.reason.as_ref().map(|reason| &*reason.0);
    let reason = for_the_record("reason", given).unwrap_or_else(|fault| {
        faults.add(fault.field, fault.code, fault.detail);
        None
    });
    let order = validator.amended(&callback.order, amendment, &mut faults);
    let content = format!("reschedule {} {}", callback.id, String::from_utf8_lossy(bytes));
    let command = Command::new(app, caller, headers, &content, callback.version)?;
    if !command.is_known().await? {
        match &callback.state {
            CallbackState::Closed(closed) => {
                return Err(ApiError::closed(kind, closed.outcome));
            }
            CallbackState::Calling { .. } => {
                let detail = "it can be rescheduled when the attempt has ended";
                return Err(ApiError::new("callback.calling", detail));
            }
            CallbackState::Waiting(_) => {}
        }
        if !faults.is_empty() {
            return Err(ApiError::fields(invalid(kind), faults.into_vec()));
        }
        if order == *callback.order {
            return Ok(match kind {
                OrderKind::Callback => json(StatusCode::OK, &CallbackView::of(&callback)),
                OrderKind::Invite => json(StatusCode::OK, &InviteView::of(&callback)),
            });
        }
    }
    let Order { earliest, latest, hours, priority, .. } = order;
    let change = CallbackChange::Reschedule { earliest, latest, hours, priority, reason };
    let by = caller.name().to_owned();
    let event = Event::Command(CallbackCommand { callback: callback.id, by, change });
    let carried = command.carry_out(event, Some(callback.id)).await?;
    answer_with_order(app, caller, kind, callback.id, carried).await
}
