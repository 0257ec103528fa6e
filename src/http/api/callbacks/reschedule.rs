//! `POST /v1/callbacks/{id}/reschedule`: changes the times of a waiting callback.

use std::sync::Arc;

use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::cancel::entry;
use super::create::refuse;
use super::field_errors::FieldErrors;
use super::request_body::Amendment;
use super::validate::Validator;
use super::{Change, amend};
use crate::domain::State as CallbackState;
use crate::domain::callback::Waiting;
use crate::http::api::body::{JsonBytes, json};
use crate::http::api::views::CallbackView;
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::{ApiError, App};

/// Changes when a waiting callback may be placed, and how urgent it is.
///
/// The scheduler then decides again. Counts and limits of the platform do not change.
#[utoipa::path(
    post, path = "/v1/callbacks/{id}/reschedule", operation_id = "reschedule_callback", tag = "callbacks",
    params(("id" = String, Path, description = "`cb_` and 32 hexadecimal digits")),
    request_body(content = Amendment<'static>),
    responses(
        (status = 200, body = CallbackView<'static>),
        (status = 409, description = "It does not wait: it is closed, or an attempt is in progress.",
            body = Written<'static>, content_type = "application/problem+json"),
        (status = 422, description = "There are field errors; all of them are listed.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn reschedule(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    JsonBytes(bytes): JsonBytes,
) -> Result<Response, ApiError> {
    let validator = Validator::open(&app, &caller);
    let callback = amend(&app, &caller, &id, |callback| {
        match &callback.state {
            CallbackState::Closed(closed) => return Err(ApiError::closed(closed.outcome)),
            CallbackState::Calling { .. } => {
                return Err(ApiError::new(
                    "callback.calling",
                    "it can be rescheduled when the attempt has ended",
                ));
            }
            CallbackState::Waiting(_) => {}
        }
        let mut faults = FieldErrors::within(app.limits.order);
        let amendment = Amendment::read(&bytes, &mut faults).map_err(refuse)?;
        let order = validator.amended(&callback.order, amendment, &mut faults);
        if !faults.is_empty() {
            return Err(ApiError::fields("callback.invalid", faults.into_vec()));
        }
        if order == callback.order {
            return Ok(Change::None);
        }
        callback.order = order;
        let note = validator.first_reason(&callback.order).note();
        callback.state = CallbackState::Waiting(Waiting { wake_at: validator.now, place: None, note });
        let why = format!(
            "The customer, by the token {:?}, rescheduled it: earliest {}, latest {}, priority {}.",
            caller.name(),
            callback.order.earliest,
            callback.order.latest,
            callback.order.priority.level()
        );
        Ok(Change::Amend(entry(validator.now, callback, &caller, "callback.rescheduled", why)))
    })
    .await?;
    app.waker.now();
    Ok(json(StatusCode::OK, &CallbackView::of(&callback)))
}
