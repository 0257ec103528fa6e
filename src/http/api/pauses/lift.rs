//! `DELETE /v1/pauses/{id}`: ends a pause.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::is_shown;
use super::set::not_allowed;
use crate::domain::{Event, PauseId, PauseScope};
use crate::http::api::commands::{Command, answer_with};
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::path::Id;
use crate::http::{ApiError, App};

/// The pause that was lifted.
#[derive(Serialize, ToSchema)]
#[schema(as = PauseLifted)]
pub(in crate::http::api) struct Taken {
    lifted: String,
}

/// Lifts a pause. What waited only for its end goes on at once.
#[utoipa::path(delete, path = "/v1/pauses/{id}", operation_id = "lift_pause", tag = "pauses",
    params(
        ("id" = String, Path, description = "`ps_` and 32 hexadecimal digits"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters"),
    ),
    responses(
        (status = 200, description = "It is lifted.", body = Taken),
        (status = 202, description = "The command is stored and not yet applied; see `Location`.", body = Taken),
        (status = 403, description = "The token may lift pauses of people only.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = 404, description = "It has ended, was lifted, or never was.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn lift(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let id: PauseId = id.parse().map_err(|error| ApiError::new("id.malformed", format!("{error}")))?;
    let command = Command::new(&app, &caller, &headers, &format!("pause lift {id}"), 0)?;
    let taken = Taken { lifted: id.to_string() };
    if !command.is_known().await? {
        let pauses = app.store.pauses(app.clock.now()).await?;
        let pause = pauses.iter().find(|pause| pause.id == id).filter(|pause| is_shown(&caller, pause));
        let Some(pause) = pause else {
            return Err(ApiError::new("pause.not_found", format!("{id} is not in force")));
        };
        if !matches!(pause.scope, PauseScope::Person(_) | PauseScope::Campaign(_)) && !caller.may_pause_all()
        {
            return Err(not_allowed());
        }
    }
    let event = Event::PauseLifted { pause: id, by: caller.name().to_owned() };
    let carried = command.carry_out(event, None).await?;
    Ok(answer_with(&taken, &carried))
}
