//! `POST /v1/callbacks/{id}/allow-attempt`: an operator allows one more attempt.

use std::sync::Arc;

use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use super::cancel::entry;
use super::{Change, amend};
use crate::domain::callback::Waiting;
use crate::domain::{Reason, State as CallbackState};
use crate::http::api::body::{JsonBytes, json};
use crate::http::api::permissions::{read, reason};
use crate::http::api::views::CallbackView;
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::{ApiError, App};

/// Why one more attempt may be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AllowAttempt)]
pub(in crate::http::api) struct Word {
    /// For the record, at most 200 bytes.
    #[serde(default)]
    #[schema(required, value_type = String)]
    reason: Option<String>,
}

/// Allows one more attempt in spite of the streak guard.
///
/// WhatsApp revokes the permission after too many missed calls in a row; the guard stops before that, and
/// this is the only way past it. It is for one attempt, and all other rules still apply.
#[utoipa::path(
    post, path = "/v1/callbacks/{id}/allow-attempt", operation_id = "allow_attempt", tag = "callbacks",
    params(("id" = String, Path, description = "`cb_` and 32 hexadecimal digits")),
    request_body(content = Word),
    responses(
        (status = 200, body = CallbackView<'static>),
        (status = 409, description = "It does not wait: it is closed, or an attempt is in progress.",
            body = Written<'static>, content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn allow_attempt(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    JsonBytes(bytes): JsonBytes,
) -> Result<Response, ApiError> {
    let now = app.clock.now();
    let word: Word = read(&bytes)?;
    let reason = reason(word.reason)?;
    let callback = amend(&app, &caller, &id, |callback| {
        match &callback.state {
            CallbackState::Closed(closed) => return Err(ApiError::closed(closed.outcome)),
            CallbackState::Calling { .. } => {
                return Err(ApiError::new(
                    "callback.calling",
                    "it can be allowed when the attempt has ended",
                ));
            }
            CallbackState::Waiting(_) => {}
        }
        callback.attempt_allowed_at = Some(now);
        let note = Reason::Ready.note();
        callback.state = CallbackState::Waiting(Waiting { wake_at: now, place: None, note });
        let why =
            format!("An operator, by the token {:?}, allowed one more attempt: {reason}.", caller.name());
        Ok(Change::Amend(entry(now, callback, &caller, "callback.attempt_allowed", why)))
    })
    .await?;
    app.waker.now();
    Ok(json(StatusCode::OK, &CallbackView::of(&callback)))
}
