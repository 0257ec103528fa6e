//! `POST /v1/clock/confirm`: an operator's word that the machine's clock is right after it jumped.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::body::json;
use super::commands::{Command, answer_with};
use crate::domain::Event;
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::{ApiError, App};

/// The confirmed time.
#[derive(Serialize, ToSchema)]
#[schema(as = ClockTaken)]
pub(super) struct Taken {
    /// The time of the machine's clock.
    #[schema(value_type = String, format = DateTime)]
    confirmed: Timestamp,
}

/// Confirms the machine's clock after a jump.
///
/// After a jump of more than five minutes nothing is dialled or sent and nothing expires until two dates of the platform
/// agree with the clock, or until this request. Callbacks and permissions whose time is over by the confirmed clock end
/// then. If the clock is wrong, correct it first; the dates of the platform then agree with it.
#[utoipa::path(post, path = "/v1/clock/confirm", operation_id = "confirm_clock", tag = "status",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters")),
    responses(
        (status = 200, description = "The clock is trusted again.", body = Taken),
        (status = 202, description = "The command is stored and not yet applied; see `Location`.", body = Taken),
        (status = 409, description = "The clock is not in doubt.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn confirm(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let in_doubt = app.loads().await?.held.clock_in_doubt;
    let taken = Taken { confirmed: app.clock.reading().wall };
    // Each doubt is confirmed by a command of its own.
    let since = in_doubt.map_or(0, |doubt| doubt.since.as_microsecond().unsigned_abs());
    let command = Command::new(&app, &caller, &headers, "clock confirm", since)?;
    if in_doubt.is_none() {
        if command.is_known().await? {
            return Ok(json(StatusCode::OK, &taken));
        }
        return Err(ApiError::new("clock.not_in_doubt", "it has not jumped, or has been confirmed since"));
    }
    let event = Event::ClockConfirmed { by: caller.name().to_owned() };
    let carried = command.carry_out(event, None).await?;
    Ok(answer_with(&taken, &carried))
}
