//! `POST /v1/callbacks/{id}/cancel`: the customer cancels a callback.

use std::sync::Arc;

use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::{Change, amend};
use crate::domain::callback::Closed;
use crate::domain::timeline::Entry;
use crate::domain::{Callback, Event, Outcome, Reason, State as CallbackState};
use crate::http::api::body::json;
use crate::http::api::views::CallbackView;
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::{ApiError, App};
use crate::store::Report;

/// Cancels a callback.
///
/// One that waits is closed at once. While an attempt is in progress the wish is noted: nothing is dialled
/// any more, and the callback closes when the attempt has ended.
#[utoipa::path(
    post, path = "/v1/callbacks/{id}/cancel", operation_id = "cancel_callback", tag = "callbacks",
    params(("id" = String, Path, description = "`cb_` and 32 hexadecimal digits")),
    responses(
        (status = 200, description = "It is closed.", body = CallbackView<'static>),
        (status = 202, description = "It closes when the attempt in progress has ended.",
            body = CallbackView<'static>),
        (status = 409, description = "It is closed already; `outcome` says how.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn cancel(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let now = app.clock.now();
    let by = format!("The customer, by the token {:?},", caller.name());
    let callback = amend(&app, &caller, &id, |callback| {
        let (what, why) = match &callback.state {
            CallbackState::Closed(closed) => return Err(ApiError::closed(closed.outcome)),
            CallbackState::Calling { .. } if callback.cancel_requested_at.is_some() => {
                return Ok(Change::None);
            }
            CallbackState::Calling { .. } => {
                callback.cancel_requested_at = Some(now);
                ("callback.cancel_requested", format!("{by} canceled while an attempt was in progress."))
            }
            CallbackState::Waiting(_) => {
                let note = Reason::CustomerCanceled.note();
                callback.state = CallbackState::Closed(Closed { outcome: Outcome::Canceled, at: now, note });
                ("callback.closed", format!("{by} canceled the callback."))
            }
        };
        Ok(Change::Amend(entry(now, callback, &caller, what, why)))
    })
    .await?;
    if let CallbackState::Calling { .. } = callback.state {
        // The scheduler hangs up what rings. A wish that is repeated is one report.
        let report = Report {
            key: *callback.id.bytes(),
            received_at: now,
            event: Event::CancelRequested { callback: callback.id },
        };
        app.store.append_reports(vec![report]).await?;
    }
    app.waker.now();
    let status = if callback.is_closed() {
        app.metrics.callback_closed(Outcome::Canceled.as_str());
        StatusCode::OK
    } else {
        StatusCode::ACCEPTED
    };
    Ok(json(status, &CallbackView::of(&callback)))
}

pub(super) fn entry(
    at: jiff::Timestamp,
    callback: &Callback,
    caller: &Caller,
    what: &'static str,
    why: impl Into<String>,
) -> Entry {
    Entry {
        at,
        callback: Some(callback.id),
        pair: None,
        attempt: None,
        message: None,
        by: Some(caller.name().into()),
        what: what.into(),
        why: why.into(),
    }
}
